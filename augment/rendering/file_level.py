"""The samples of the file: the level set by what stands in the file, 16 bits, the coder of a lossy container.

Without noise, the level is that of the file itself. With noise it is that of the speech in it, at the gain of the file, since P.56 is not
for noisy speech: behind a handset that is not linear, half the sum of the outputs for the background as it is and for it inverted.

Where an SNR is asked for and the sum would be clipped at full scale, which would change that SNR, the file is lowered by the least
whole number of decibels that avoids it; the level that it then has is its label.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from roomtone.augment.rendering.handset_output import HandsetOutput
from roomtone.augment.rendering.levels import LevelledSpeech, check_reading, clipped_gain
from roomtone.augment.rendering.stem_fit import gain_of
from roomtone.augment.rendering.tolerances import UnmetLevelError
from roomtone.core.audio.encoding import coded
from roomtone.core.audio.speech_level import active_speech_level
from roomtone.core.audio.types import Samples

#: Full scale of 16 bits, re 32768.
_FULL_SCALE = 32767.0 / 32768.0
#: A lossy coder changes levels by a tenth of a decibel or so; they are set behind it to within this.
_CODER_STEP_DB = 0.02
_ROUNDS = 5


@dataclass(frozen=True)
class FileSamples:
    """The samples of a file with their level.

    Attributes:
        pcm: what a reader of the file decodes, int16 [shape=(samples,)].
        uncoded: before the coder of a lossy container; of a lossless one the same.
        encoded: the bytes of a lossy file, else None.
        gain: from the handset's output to full scale 1.
        level_dbov: the level that the file is to have.
        active_level_dbov: the level that it has.
        speech: the speech in the file, with its gain, and by how much the reading of its level varies with gain.
        clipped_share: share of the samples that were clipped.
    """

    pcm: np.ndarray
    uncoded: np.ndarray
    encoded: bytes | None
    gain: float
    level_dbov: float
    active_level_dbov: float
    speech: LevelledSpeech
    clipped_share: float


def file_samples(
    output: HandsetOutput,
    levelled: Callable[[float], LevelledSpeech],
    *,
    level_dbov: float,
    sample_rate_hz: int,
    suffix: str,
) -> FileSamples:
    """Return the samples of a file at its level.

    Args:
        output: the signals behind the handset.
        levelled: returns the speech behind the handset brought to a level in dBov.
        level_dbov: the level that is asked for.
        sample_rate_hz: in Hz.
        suffix: how the file is encoded; `opus` is lossy.

    Raises:
        UnmetLevelError: no gain brings the speech to that level.
    """
    if output.background is None:
        speech = levelled(level_dbov)
        gain = clipped_gain(output.samples, sample_rate_hz, level_dbov, speech)
    else:
        level_dbov, speech = _unclipped(output.samples, levelled, level_dbov)
        check_reading(speech.level, level_dbov, speech.spread_db)
        gain = speech.gain
    for _ in range(_ROUNDS):
        uncoded, clipped_share = to_file_scale(output.samples, gain)
        pcm, encoded = coded(uncoded, sample_rate_hz, suffix)
        found_dbov = _level_in_file(pcm, output, speech, gain, sample_rate_hz, suffix)
        miss_db = found_dbov - level_dbov
        if encoded is None or abs(miss_db) <= _CODER_STEP_DB:
            break
        gain *= 10.0 ** (-miss_db / 20.0)
    return FileSamples(pcm, uncoded, encoded, gain, level_dbov, found_dbov, speech, clipped_share)


def _unclipped(
    samples: Samples, levelled: Callable[[float], LevelledSpeech], level_dbov: float
) -> tuple[float, LevelledSpeech]:
    """Return the level, lowered by the least whole number of dB at which nothing is clipped, and the speech at it."""
    peak = float(np.abs(samples).max())
    speech = levelled(level_dbov)
    lowered_db = 0
    while peak * speech.gain > _FULL_SCALE:
        # the reading may vary with gain, so the estimate begins a little low
        excess_db = 20.0 * math.log10(peak * speech.gain / _FULL_SCALE)
        lowered_db += max(math.ceil(excess_db - 2.0 * speech.spread_db - 0.01), 1)
        speech = levelled(level_dbov - lowered_db)
    return level_dbov - lowered_db, speech


def to_file_scale(samples: Samples, gain: float) -> tuple[np.ndarray, float]:
    """Return a signal with a gain as int16 [shape=(samples,)], and the share of samples that were clipped.

    Args:
        samples: float32 [shape=(samples,)].
        gain: to full scale 1.
    """
    from roomtone.core.audio._kernels import to_pcm

    pcm, clipped = to_pcm(samples, np.float32(gain * 32768.0))
    return pcm, clipped / max(pcm.size, 1)


def _level_in_file(
    pcm: np.ndarray, output: HandsetOutput, speech: LevelledSpeech, gain: float, sample_rate_hz: int, suffix: str
) -> float:
    """Return the active level in dBov of the speech in a file whose samples are `pcm`."""
    if output.background is None:
        return active_speech_level(_as_float(pcm), sample_rate_hz).level_dbov
    if suffix == "opus":
        alone = _as_float(coded(to_file_scale(_other_of(output), gain)[0], sample_rate_hz, suffix)[0])
        if output.inverted is not None:
            alone = (_as_float(pcm) + alone) * np.float32(0.5)
        return active_speech_level(alone, sample_rate_hz).level_dbov
    found = gain_of(pcm, output.samples) / 32768.0
    if not found > 0.0:
        raise UnmetLevelError("the file does not hold what left the handset")
    return speech.level.level_dbov + 20.0 * math.log10(found / speech.gain)


def _other_of(output: HandsetOutput) -> Samples:
    """Return what is coded to find the speech in a lossy file: behind a linear handset the speech alone, else the mix with inverted background."""
    return output.speech if output.inverted is None else output.inverted


def _as_float(pcm: np.ndarray) -> Samples:
    return pcm.astype(np.float32) * np.float32(1.0 / 32768.0)
