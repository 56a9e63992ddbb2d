"""Speech brought to an active level (ITU-T P.56): at the microphone, and in the file.

P.56 reads differently with gain by up to a decibel for short or pulsed speech, because it compares with fixed thresholds. So a level
is set where it is stated: the gain is one at which the signal, with that gain, reads the level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from roomtone.augment.rendering.tolerances import LEVEL_TOLERANCE_DB, UnmetLevelError
from roomtone.core.audio.speech_level import SpeechLevel, active_speech_level, level_curve
from roomtone.core.audio.types import Samples

#: Levels are set to within this where the reading does not jump, dB.
_STEP_DB = 0.005
_REFINEMENTS = 3
_ROUNDS = 12
_LARGEST_STEP_DB = 12.0


@dataclass(frozen=True)
class LevelledSpeech:
    """Speech with the gain that brings it to a level.

    Attributes:
        samples: with the gain, float32 [shape=(samples,)].
        gain: linear.
        level: as it reads with the gain.
        spread_db: by how much the reading, gain taken off, varies with gain.
    """

    samples: Samples
    gain: float
    level: SpeechLevel
    spread_db: float


def at_level(samples: Samples, sample_rate_hz: int, level_dbov: float) -> LevelledSpeech:
    """Return speech with the gain at which its active level reads nearest to `level_dbov`.

    Args:
        samples: speech without noise, float32 [shape=(samples,)].
        sample_rate_hz: in Hz.
        level_dbov: the level that is asked for.

    Raises:
        UnmetLevelError: no active speech.
    """
    curve = level_curve(samples, sample_rate_hz)
    if curve is None:
        raise UnmetLevelError("no active speech found (ITU-T P.56): a level or SNR cannot refer to silence")
    gain_db = curve.gain_db(level_dbov)
    scaled = with_gain(samples, gain_db)
    level = active_speech_level(scaled, sample_rate_hz)
    for _ in range(_REFINEMENTS):
        miss_db = level.level_dbov - level_dbov
        if abs(miss_db) <= _STEP_DB:
            break
        # between two gains of the curve the reading need not be a straight line
        nearer = with_gain(samples, gain_db - miss_db)
        read = active_speech_level(nearer, sample_rate_hz)
        if abs(read.level_dbov - level_dbov) >= abs(miss_db):
            break
        gain_db, scaled, level = gain_db - miss_db, nearer, read
    return LevelledSpeech(scaled, 10.0 ** (gain_db / 20.0), level, curve.spread_db)


def with_gain(samples: Samples, gain_db: float) -> Samples:
    """Return samples [shape=(samples,)] with a gain in dB.

    Args:
        samples: float32 [shape=(samples,)].
        gain_db: in dB.
    """
    return samples * np.float32(10.0 ** (gain_db / 20.0))


def clipped_gain(samples: Samples, sample_rate_hz: int, level_dbov: float, speech: LevelledSpeech) -> float:
    """Return the gain at which speech that is clipped at full scale reads `level_dbov`.

    Args:
        samples: as the file is to hold them, before the gain, float32 [shape=(samples,)].
        sample_rate_hz: in Hz.
        level_dbov: the level that is asked for.
        speech: the same with the gain at which they read nearest to that level without clipping.

    Raises:
        UnmetLevelError: no gain was found.
    """
    gain = speech.gain
    if float(np.abs(samples).max()) * gain <= 1.0:
        check_reading(speech.level, level_dbov, speech.spread_db)
        return gain
    slope, last_miss_db, step_db, miss_db = 1.0, math.inf, 0.0, math.inf
    for _ in range(_ROUNDS):
        clipped = np.clip(samples * np.float32(gain), -1.0, 1.0)
        miss_db = active_speech_level(clipped, sample_rate_hz).level_dbov - level_dbov
        if abs(miss_db) <= 0.5 * LEVEL_TOLERANCE_DB:
            return gain
        if math.isfinite(last_miss_db) and step_db:  # the more is clipped, the less a gain raises the level
            slope = min(max((miss_db - last_miss_db) / step_db, 0.05), 1.0)
        step_db, last_miss_db = min(max(-miss_db / slope, -_LARGEST_STEP_DB), _LARGEST_STEP_DB), miss_db
        gain *= 10.0 ** (step_db / 20.0)
    raise UnmetLevelError(
        f"its peaks are clipped at full scale, and no gain brings its active level to {level_dbov:g} dBov within "
        f"{LEVEL_TOLERANCE_DB} dB: it misses by {miss_db:.2f} dB"
    )


def check_reading(level: SpeechLevel, level_dbov: float, spread_db: float) -> None:
    """Check that a gain has brought speech to its level.

    Args:
        level: as it reads.
        level_dbov: the level that was asked for.
        spread_db: by how much its reading varies with gain.

    Raises:
        UnmetLevelError: it has not, because the reading jumps over that level.
    """
    if not abs(level.level_dbov - level_dbov) <= LEVEL_TOLERANCE_DB:
        raise UnmetLevelError(
            f"no gain brings its active level (ITU-T P.56) to {level_dbov:g} dBov: it reads {level.level_dbov:.2f} dBov at the nearest, "
            f"and varies by {spread_db:.2f} dB with gain (limit {LEVEL_TOLERANCE_DB} dB)"
        )
