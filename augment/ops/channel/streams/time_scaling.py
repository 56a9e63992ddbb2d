"""Time stretched and shortened by whole periods of the signal, so that its pitch stays: what a jitter buffer does to its playout.

At a splice the signal is compared with itself one lag earlier; the lag at which both match best is the period. To stretch, the period
behind the splice fades into the one before it, and then goes on; to shorten, the period before it fades into the one behind. This is
the synchronised overlap-add of Verhelst and Roelands ("An overlap-add technique based on waveform similarity (WSOLA) for high quality
time-scale modification of speech", ICASSP 1993), one period at a time, as WebRTC's NetEq does it.

All sums are over whole numbers, so that every machine finds the same period.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

#: Periods are looked for between these, s: 66.7 to 400 Hz (NetEq's, as read in its source).
SHORTEST_S = 0.0025
LONGEST_S = 0.015


class Splice(NamedTuple):
    """One period more or less.

    Attributes:
        at: sample of the unscaled signal on whose either side a period lies.
        samples: the period; positive is heard once more, negative once less.
    """

    at: int
    samples: int


class Period(NamedTuple):
    """The period about a sample.

    Attributes:
        samples: its length.
        match: normalised correlation of the two periods about the sample, -1 to 1; 0 for silence.
        power: mean square of the two periods about the sample.
    """

    samples: int
    match: float
    power: float


def longest_period(rate_hz: int) -> int:
    """Return the longest period that is looked for, in samples; a splice needs so many on either side of it."""
    return round(LONGEST_S * rate_hz)


def period_at(samples: np.ndarray, at: int, rate_hz: int) -> Period:
    """Return the period about a sample.

    Args:
        samples: int16 [shape=(samples,)]; at least 15 ms of them on either side of `at`.
        at: the sample.
        rate_hz: in Hz.
    """
    longest, shortest = longest_period(rate_hz), round(SHORTEST_S * rate_hz)
    near = samples[at - longest : at + longest].astype(np.int64)
    past = near[:longest]
    later = np.lib.stride_tricks.sliding_window_view(near, longest)[shortest:]
    products = later @ past
    sums = np.concatenate([[0], np.cumsum(near**2)])
    energies = (sums[longest:] - sums[:-longest])[shortest:].astype(np.float64) * float(sums[longest])
    matches = products / np.sqrt(np.maximum(energies, 1.0))
    period = shortest + matches.size - 1 - int(np.argmax(matches[::-1]))  # of equals, as in silence, the longest
    before, behind = near[longest - period : longest], near[longest : longest + period]
    powers = float(before @ before), float(behind @ behind)
    match = float(before @ behind) / math.sqrt(max(powers[0] * powers[1], 1.0))
    return Period(period, match, sum(powers) / (2.0 * period))


def spliced(samples: np.ndarray, splices: Sequence[Splice]) -> np.ndarray:
    """Return the samples with periods more and less, int16.

    Args:
        samples: int16 [shape=(samples,)].
        splices: in ascending order, no two of which share samples.
    """
    parts, done = [], 0
    for at, change in splices:
        size = abs(change)
        before, behind = samples[at - size : at], samples[at : at + size]
        stretched = change > 0
        parts.append(samples[done : at if stretched else at - size])
        parts.append(_faded(behind, before) if stretched else _faded(before, behind))
        done = at if stretched else at + size
    return np.concatenate([*parts, samples[done:]])


def time_points(splices: Sequence[Splice], num_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where samples of the unscaled signal are in the scaled one: points with straight lines between, float64 each.

    Half a period on either side of one that is heard twice takes twice its time; two periods that became one take half.

    Args:
        splices: as in `spliced`.
        num_samples: of the unscaled signal.
    """
    before, after, moved = [0.0], [0.0], 0
    for at, change in splices:
        reach = change / 2.0 if change > 0 else -change
        before += [at - reach, at + reach]
        after += [at - reach + moved, at + reach + moved + change]
        moved += change
    return np.array([*before, num_samples]), np.array([*after, num_samples + moved])


def least_cut(played: np.ndarray, num_samples: int) -> int:
    """Return from which sample on `num_samples` of what was played leave out the least energy; 0 where all of it fits.

    Args:
        played: int16 [shape=(samples,)].
        num_samples: of the file.
    """
    spare = played.size - num_samples
    if spare <= 0:
        return 0
    squares = played.astype(np.int64) ** 2
    before = np.concatenate([[0], np.cumsum(squares[:spare])])
    behind = np.concatenate([[0], np.cumsum(squares[::-1][:spare])])[::-1]
    return int(np.argmin(before + behind))


def time_report(splices: Sequence[Splice], delay: int, first: int, duration_s: float, rate_hz: int) -> dict[str, Any]:
    """Return the time map of a playout (see `core.audio.time_map`), and how much time it added and removed between the map's ends.

    Args:
        splices: in samples of the decoded stream.
        delay: of the codec, in samples.
        first: sample of what was played with which the file begins.
        duration_s: of the file.
        rate_hz: of the stream.
    """
    moved = [splice.samples for splice in splices]
    end = round(duration_s * rate_hz) + delay + sum(map(abs, moved)) + rate_hz  # behind the end of the file
    before, after = time_points(splices, end)
    before_s, after_s = (before - delay) / rate_hz, (after - first) / rate_hz
    sent_s = np.unique(np.concatenate([[0.0, duration_s], before_s[(before_s > 0.0) & (before_s < duration_s)]]))
    heard_s = np.interp(sent_s, before_s, after_s)
    # a splice that reaches beyond an end of the file counts by what lies in it: as the map has it
    changes_s = np.diff(heard_s - sent_s)
    changes_s[np.abs(changes_s) < 1e-9] = 0.0
    return {
        "time_map": [[round(float(sent), 6), round(float(heard), 6)] for sent, heard in zip(sent_s, heard_s)],
        "time_added_s": round(float(changes_s[changes_s > 0.0].sum()), 9),
        "time_removed_s": round(float(-changes_s[changes_s < 0.0].sum()), 9) + 0.0,
    }


def _faded(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return one period fading linearly into another, int16."""
    share = (np.arange(first.size) + 0.5) / first.size
    return np.rint((1.0 - share) * first + share * second).astype(np.int16)
