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
#: Gain between neighbouring thresholds, after which readings repeat.
_OCTAVE_DB = 20.0 * math.log10(2.0)
# Readings at all gains: each threshold in so many steps, from far below to above those of the standard.
_STEPS = 64
_FINE_EXPONENTS = np.arange(-26 * _STEPS, 8 * _STEPS + 1)
_FINE_THRESHOLDS = 2.0 ** (_FINE_EXPONENTS / _STEPS)


@dataclass(frozen=True)
class SpeechLevel:
    """Active speech level in dBov, and the share of the time (0 to 1) that counts as active."""

    level_dbov: float
    activity: float


def active_speech_level(samples: np.ndarray, sample_rate_hz: int) -> SpeechLevel:
    """Return the active level and the activity of clean speech, by ITU-T P.56 method B.

    The level at which threshold and level are 15.9 dB apart is interpolated exactly. The ITU's own program (G.191, `actlev`) stops
    within 0.5 dB of that; the two agree within about 0.03 dB, and so within 0.6 points of activity, which is the quotient
    of long-term and active power.

    Args:
        samples: float [shape=(samples,)], full scale +-1.0; clean or clean reverberant speech, not a noisy mix.
        sample_rate_hz: its true rate; a wrong one shifts the level (twice the rate by about 0.3 dB).

    Returns:
        `SpeechLevel(-100.0, 0.0)` for silence, for an empty array, and for anything below about -74 dBov.

    Raises:
        RoomtoneError: not one-dimensional, not floating point, or not finite; a rate that is no number of Hz.

    >>> two_of_ten_seconds = np.where(np.arange(80_000) < 16_000, 0.5, 0.0)
    >>> level = active_speech_level(two_of_ten_seconds, 8000)
    >>> round(level.level_dbov, 1), round(level.activity, 2)
    (-6.6, 0.23)
    """
    samples = _checked(samples)
    if (
        isinstance(sample_rate_hz, bool)
        or not isinstance(sample_rate_hz, int | float | np.number)
        or sample_rate_hz <= 0
    ):
        raise RoomtoneError(f"sample_rate_hz: expected a number of Hz, e.g. 16000, got {sample_rate_hz!r}")
    sum_of_squares, counts = _counts(samples, sample_rate_hz, _THRESHOLDS)
    level_dbov = _crossing(sum_of_squares, counts)
    if level_dbov is None:
        return SpeechLevel(SILENCE_DBOV, 0.0)
    long_term_dbov = _db(sum_of_squares / samples.size)
    return SpeechLevel(level_dbov, 10.0 ** ((long_term_dbov - level_dbov) / 10.0))


def _counts(samples: np.ndarray, sample_rate_hz: int, thresholds: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the sum of squares and the samples that are active at each threshold, int64 [shape=(thresholds,)]."""
    from roomtone.core.audio._kernels import speech_voltmeter

    smoothing = math.exp(-1.0 / (sample_rate_hz * _TIME_CONSTANT_S))
    hangover = math.floor(_HANGOVER_S * sample_rate_hz + 0.5)
    sum_of_squares, counts = speech_voltmeter(samples, smoothing, hangover, thresholds)
    if not math.isfinite(sum_of_squares):
        raise RoomtoneError("active_speech_level: the samples hold NaN or infinite values")
    return sum_of_squares, counts


@dataclass(frozen=True)
class LevelCurve:
    """The active level of one signal at every gain, by P.56 method B.

    The method compares with thresholds that are 6.02 dB apart, so that a gain of x dB changes its reading by x dB only on
    average: in between it may read higher or lower, and for short or pulsed signals it may jump. Readings repeat every 6.02 dB.

    Attributes:
        offsets_db: reading minus gain in dB, at gains of 0, 1/64, ..., 63/64 of 6.02 dB, float64 [shape=(64,)].
    """

    offsets_db: np.ndarray

    @property
    def spread_db(self) -> float:
        """By how much the reading, gain taken off, varies with the gain."""
        return float(self.offsets_db.max() - self.offsets_db.min())

    def gain_db(self, level_dbov: float) -> float:
        """Return the gain in dB at which the reading comes nearest to `level_dbov`; of several, the one in the middle."""
        middle = level_dbov - float(self.offsets_db.mean())
        step_db = _OCTAVE_DB / _STEPS
        first = math.floor((middle - self.spread_db) / step_db) - 1
        indices = np.arange(first, math.ceil((middle + self.spread_db) / step_db) + 2)
        gains_db = indices * step_db
        misses_db = self.offsets_db[indices % _STEPS] + gains_db - level_dbov
        here, there = misses_db[:-1], misses_db[1:]
        # every step in which the reading passes the level, upwards or (of odd signals) downwards
        passing = np.flatnonzero((here <= 0.0) != (there <= 0.0))
        here, there = here[passing], there[passing]
        # where it jumps over the level, the line between two gains hits it and the signal does not: take the nearer end
        jumps = np.abs(there - here) > 2.0 * step_db
        shares = np.where(jumps, np.abs(here) > np.abs(there), here / (here - there))
        left_db = np.where(jumps, np.minimum(np.abs(here), np.abs(there)), 0.0)
        crossings_db = gains_db[passing] + shares * step_db
        best = np.lexsort((np.abs(crossings_db - middle), np.round(left_db, 3)))[0]
        return float(crossings_db[best])


def level_curve(samples: np.ndarray, sample_rate_hz: int) -> LevelCurve | None:
    """Return the active level of clean speech as it reads at every gain, from one pass over the signal.

    Args:
        samples, sample_rate_hz: as `active_speech_level`.

    Returns:
        None for what reads as silence at any gain.

    Raises:
        RoomtoneError: as `active_speech_level`.
    """
    sum_of_squares, counts = _counts(_checked(samples), sample_rate_hz, _FINE_THRESHOLDS)
    # one row for each place of the thresholds between two octaves; a gain of 2^(k/64) moves them down by k places
    by_place = counts[:-1].reshape(-1, _STEPS).T
    thresholds_db = 20.0 * np.log10(_FINE_THRESHOLDS[:-1].reshape(-1, _STEPS).T)
    reached = by_place > 0
    levels_db = 10.0 * np.log10(max(sum_of_squares, 1e-30) / np.maximum(by_place, 1))
    margins_db = np.where(reached, levels_db - thresholds_db - _MARGIN_DB, -np.inf)
    after = np.argmax(margins_db <= 0.0, axis=1)
    places = np.arange(_STEPS)
    if sum_of_squares <= 0.0 or (after == 0).any():
        return None
    before = levels_db[places, after - 1]
    high, low = margins_db[places, after - 1], margins_db[places, after]
    # as `_crossing`: between two thresholds, or at the last one that the envelope reaches
    step = np.where(reached[places, after], levels_db[places, after] - before, 0.0)
    readings = before + step * high / (high - np.where(np.isfinite(low), low, -1.0))
    return LevelCurve(readings[-places % _STEPS])


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
