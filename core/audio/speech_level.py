"""Speech and noise levels: the ITU-T P.56 active speech level, and plain RMS.

0 dBov is the level of a full-scale square wave, so a full-scale sine is at -3.01 dBov. Signals are float arrays
[shape=(samples,)] with full scale +-1.0. Silence is -100 dBov, not -inf, so that it can be written into a table.

P.56 measures speech while it is there: pauses longer than about 350 ms do not pull the level down, as they do in an
RMS over the whole file. It holds for speech with little noise; on a noisy mix it counts the noise as speech, and
should not be used (ITU-T G.191 manual, speech voltmeter).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from roomtone.core.errors import RoomtoneError

#: What silence measures as, in dBov (the rule of the ITU-T G.191 speech voltmeter).
SILENCE_DBOV = -100.0

# ITU-T P.56 method B, and its realisation in the ITU-T G.191 speech voltmeter.
_TIME_CONSTANT_S = 0.03
_HANGOVER_S = 0.2
_MARGIN_DB = 15.9
_THRESHOLDS = 2.0 ** np.arange(-15, 0)


@dataclass(frozen=True)
class SpeechLevel:
    """Active speech level in dBov, and the share of the time (0 to 1) that counts as active."""

    level_dbov: float
    activity: float


def active_speech_level(samples: np.ndarray, sample_rate_hz: int) -> SpeechLevel:
    """Return the active level and the activity of clean speech, by ITU-T P.56 method B.

    The level at which threshold and level are 15.9 dB apart is interpolated exactly, where G.191 stops within 0.5 dB;
    the two agree within about 0.03 dB.

    Args:
        samples: float [shape=(samples,)], full scale +-1.0; clean or clean reverberant speech, not a noisy mix.
        sample_rate_hz: its true rate; a wrong one shifts the level (twice the rate by about 0.3 dB).

    Returns:
        `SpeechLevel(-100.0, 0.0)` for silence, for an empty array, and for anything below about -74 dBov.

    Raises:
        RoomtoneError: not one-dimensional, not floating point, or not finite.

    >>> two_of_ten_seconds = np.where(np.arange(80_000) < 16_000, 0.5, 0.0)
    >>> level = active_speech_level(two_of_ten_seconds, 8000)
    >>> round(level.level_dbov, 1), round(level.activity, 2)
    (-6.6, 0.23)
    """
    from roomtone.core.audio._kernels import speech_voltmeter

    samples = _checked(samples)
    smoothing = math.exp(-1.0 / (sample_rate_hz * _TIME_CONSTANT_S))
    hangover = math.floor(_HANGOVER_S * sample_rate_hz + 0.5)
    sum_of_squares, counts = speech_voltmeter(samples, smoothing, hangover, _THRESHOLDS)
    if not math.isfinite(sum_of_squares):
        raise RoomtoneError("active_speech_level: the samples hold NaN or infinite values")
    level_dbov = _crossing(sum_of_squares, counts)
    if level_dbov is None:
        return SpeechLevel(SILENCE_DBOV, 0.0)
    long_term_dbov = _db(sum_of_squares / samples.size)
    return SpeechLevel(level_dbov, 10.0 ** ((long_term_dbov - level_dbov) / 10.0))


def rms_level_dbov(samples: np.ndarray) -> float:
    """Return the RMS level of all samples in dBov; -100.0 for silence and for an empty array.

    >>> round(rms_level_dbov(np.sin(2 * np.pi * np.arange(8000) / 8)), 2)
    -3.01

    Raises:
        RoomtoneError: not one-dimensional, not floating point, or not finite.
    """
    wide = _checked(samples).astype(np.float64)
    if wide.size == 0:
        return SILENCE_DBOV
    power = float((wide * wide).sum() / wide.size)
    if not math.isfinite(power):
        raise RoomtoneError("rms_level_dbov: the samples hold NaN or infinite values")
    return max(_db(power), SILENCE_DBOV)


def _checked(samples: np.ndarray) -> np.ndarray:
    samples = np.asarray(samples)
    if samples.ndim != 1:
        raise RoomtoneError(f"level: expected one channel [shape=(samples,)], got shape {samples.shape}")
    if not np.issubdtype(samples.dtype, np.floating):
        raise RoomtoneError(f"level: expected floats with full scale +-1.0, got {samples.dtype} (divide by 32768?)")
    return samples


def _db(power: float) -> float:
    return 10.0 * math.log10(max(power, 1e-20))


def _crossing(sum_of_squares: float, counts: np.ndarray) -> float | None:
    """Return the active level where it is exactly the margin above the threshold, or None for silence (P.56, 7.3)."""
    before: tuple[float, float] | None = None
    for count, threshold in zip(counts.tolist(), _THRESHOLDS.tolist()):
        if count == 0:
            # Impulses: the smoothed envelope ends before threshold and level come within the margin.
            return None if before is None else before[0]
        level = _db(sum_of_squares / count)
        above = level - 20.0 * math.log10(threshold) - _MARGIN_DB
        if above <= 0.0:
            if before is None:
                return None if above < 0.0 else level
            share = before[1] / (before[1] - above)
            return before[0] + share * (level - before[0])
        before = (level, above)
    return before[0] if before is not None else None
