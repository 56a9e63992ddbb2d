"""Quality of a clean recording: its noise floor, its bandwidth and its level, measured before anything is added to it.

A corpus that is not clean makes labels untrue: "10 dB" over speech that has noise at 15 dB is less than 10 dB, and a
recording that was an MP3 or a telephone call has lost its upper band before any handset model. All measures are of the
samples alone and take no account of what is said.

* level: ITU-T P.56 active speech level;
* floor: the level below which the quietest tenth of the 20 ms frames is. A recording without pauses has no floor to
  measure; the figure is then too high, never too low. Digital silence is left out: it is no room noise;
* bandwidth: the highest frequency, to a sixth of an octave, that is part of the recording;
* rumble: what is below 20 Hz, DC included. Reading removes it; the other figures are of what is left.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.decoding.high_pass import high_pass
from roomtone.core.audio.speech_level import SILENCE_DBOV, active_speech_level, rms_level_dbov

_FRAME_S = 0.020
#: Share of the frames that counts as the pauses.
_PAUSES = 0.10
#: Samples of two least significant bits of 16 and less are silence, not a room.
_DIGITAL_SILENCE_DBOV = -93.0
#: A band belongs to the recording while its power spectral density is within so much of the strongest.
_BAND_RANGE_DB = 65.0
#: A cut (a low-pass, a codec) drops the density by so much within a third of an octave; speech itself falls by less.
_CUT_DB = 18.0
#: Below this a steep fall is the gap between two formants of a short recording, not a channel's edge.
_LOWEST_CUT_HZ = 2500.0


@dataclass(frozen=True)
class Quality:
    """What was measured on a recording.

    Attributes:
        level_dbov: active speech level.
        activity: share of the time that is speech, 0 to 1.
        floor_dbov: noise floor; -inf where the pauses are digital silence.
        bandwidth_hz: highest frequency that is part of the recording.
        clipped_share: share of the samples at full scale, or on flat tops below it.
        offset: mean of the samples (DC), full scale 1.0.
        rumble_dbov: RMS of what is below 20 Hz, DC included, which reading removes; -100 where there is none.
    """

    level_dbov: float
    activity: float
    floor_dbov: float
    bandwidth_hz: float
    clipped_share: float
    offset: float = 0.0
    rumble_dbov: float = SILENCE_DBOV

    @property
    def rumble_to_speech_db(self) -> float:
        """Return the level of what reading removes re that of the speech, dB."""
        return self.rumble_dbov - self.level_dbov

    @property
    def speech_to_floor_db(self) -> float:
        """Return how far the floor is below the speech, dB."""
        return self.level_dbov - self.floor_dbov


def quality_of(utterance: Utterance) -> Quality:
    """Return the quality of an utterance, decoded at its own rate.

    Raises:
        RoomtoneError: it cannot be read, or is too short or silent.
    """
    from roomtone.core.audio.reading import inspect, read_audio

    rate = inspect(utterance.audio.path).sample_rate_hz
    samples = read_audio(utterance.audio, rate, rumble=True)
    utterance.check_length(samples.size / rate)
    return measure_quality(samples, rate)


def measure_quality(samples: np.ndarray, sample_rate_hz: int) -> Quality:
    """Return the quality of a recording.

    Args:
        samples: float32 [shape=(samples,)], full scale +-1.0, as the file has them: with DC and rumble.
        sample_rate_hz: the recording's own rate in Hz; at another its bandwidth cannot be seen.

    Raises:
        RoomtoneError: too short or silent.
    """
    heard = high_pass(samples, sample_rate_hz)
    speech = active_speech_level(heard, sample_rate_hz)
    return Quality(
        level_dbov=speech.level_dbov,
        activity=speech.activity,
        floor_dbov=noise_floor_dbov(samples, sample_rate_hz),
        bandwidth_hz=bandwidth_hz(heard, sample_rate_hz),
        clipped_share=clipped_share(samples),
        offset=float(samples.mean(dtype=np.float64)),
        rumble_dbov=rms_level_dbov(samples - heard),
    )


def clipped_share(samples: np.ndarray) -> float:
    """Return the share of samples that were cut off: at full scale, or three and more in a row at the recording's highest or lowest value.

    Args:
        samples: float32 [shape=(samples,)], full scale +-1.0; float recordings may pass it without being clipped.
    """
    size = np.abs(samples)
    cut = (size >= 32767 / 32768) & (size <= 1.0)
    for extreme in (samples.max(initial=0.0), samples.min(initial=0.0)):
        if extreme:
            at = np.abs(samples - extreme) <= 1e-4 * abs(extreme)
            middle = at.copy()
            middle[1:] &= at[:-1]
            middle[:-1] &= at[1:]
            middle[[0, -1]] = False
            cut |= middle | np.append(middle[1:], False) | np.append(False, middle[:-1])
    return float(cut.mean())


def noise_floor_dbov(samples: np.ndarray, sample_rate_hz: int) -> float:
    """Return the level of the pauses.

    Args:
        samples: float32 [shape=(samples,)], full scale +-1.0.
        sample_rate_hz: their rate in Hz.

    Returns:
        dB re a full-scale square wave (dBov); -inf where the pauses are digital silence.
    """
    silent = _frame_levels_db(samples, sample_rate_hz) <= _DIGITAL_SILENCE_DBOV
    sounding = _frame_levels_db(high_pass(samples, sample_rate_hz), sample_rate_hz)[~silent]
    if sounding.size < (1.0 - _PAUSES) * silent.size:
        return float("-inf")
    return float(np.quantile(sounding, _PAUSES / 2))


def _frame_levels_db(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    frame = max(1, round(_FRAME_S * sample_rate_hz))
    if samples.size < frame:
        return np.full(1, -np.inf)
    frames = samples[: samples.size // frame * frame].astype(np.float64).reshape(-1, frame)
    frames = frames - frames.mean(axis=1, keepdims=True)  # an offset is not noise
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(np.square(frames).mean(axis=1))


def bandwidth_hz(samples: np.ndarray, sample_rate_hz: int) -> float:
    """Return the highest frequency that is part of the recording, Hz.

    That is the top of the highest band within 65 dB of the strongest one, unless somewhere below it the density falls by
    18 dB within a third of an octave and never rises again: that is the edge of a channel, and what is above it is the filter's
    skirt. A gap between two formants is no edge, since the density rises again after it.

    Args:
        samples: float32 [shape=(samples,)], full scale +-1.0.
        sample_rate_hz: their rate in Hz.
    """
    from scipy import signal

    segment = min(1024, samples.size)
    hertz, power = signal.welch(samples.astype(np.float64), sample_rate_hz, nperseg=segment, detrend="constant")
    edges = 100.0 * 2.0 ** (np.arange(40) / 6.0)
    edges = np.append(edges[edges < sample_rate_hz / 2 * 0.98], sample_rate_hz / 2)
    bands: list[tuple[float, float, float]] = []
    for low, high in itertools.pairwise(edges):
        inside = (hertz >= low) & (hertz < high)
        if inside.any():
            bands.append((low, high, 10.0 * np.log10(power[inside].mean() + 1e-30)))
    strongest = max((db for *_, db in bands), default=-np.inf)
    if strongest < -200.0:
        return 0.0
    top = len(bands) - 1
    while top > 0 and bands[top][2] < strongest - _BAND_RANGE_DB:
        top -= 1
    loudest_above = -np.inf
    cut = None
    for i in range(top, 1, -1):  # bands are sixths of an octave, so two of them are a third
        loudest_above = max(loudest_above, bands[i][2])
        if bands[i][0] > _LOWEST_CUT_HZ and bands[i - 2][2] - loudest_above > _CUT_DB:
            cut = i - 2
    if cut is not None:
        return float(bands[cut][1])
    return float(bands[top][1])
