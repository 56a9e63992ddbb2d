"""One group's word error rate over the steps of a condition: a monotone curve, and where it crosses a limit, by speaker.

Steps are placed by severity, which grows as things get worse: an SNR with its sign turned, a reverberation time as it is. The rates of a
group (sums over its speakers) are made monotone by isotonic regression and joined, as log odds, by Fritsch and Carlson's (1980) monotone cubic,
so that no shape of the curve is assumed, and floor and ceiling are where the data have them.

A cost is the rate above that of the same speakers without the disturbance; it is tested on log odds too, against the rate that the cost would make: on
the scale of shares a standard error grows with the rate it belongs to, and intervals covered 90 to 92 %, nearly all misses on one side.

The interval of a crossing holds the severities that a test does not refuse as its place (after Fieller 1954). Were it at one of them, the rate there
would be the limit; so the standard error is that where the curve is at the limit. It is the delete-one-speaker jackknife of the whole curve, with
Student's t of one less than the speakers: all steps of a speaker are one unit. It is never less than counting words allows. Such an interval may be
open at the ends of what was measured.
`bench/fairness_thresholds.py` prints what it covers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from roomtone.fairness.inference.jackknife import jackknife_variance, with_each_left_out

#: Points of a curve between its first step and its last.
GRID = 401
#: Speakers of a group from which an interval is given.
LEAST_SPEAKERS = 3
#: A limit beyond this rate is one that nothing passes: a cost above a rate that is near 1 already.
_TOP = 1 - 1e-9


@dataclass(frozen=True)
class Curve:
    """A group's rate over severity.

    Attributes:
        grid: severities of the curve, from the mildest step to the hardest [shape=(points,)].
        value: log odds of the rate [shape=(points,)].
        se: the standard error of its distance from the limit, NaN where there are too few speakers [shape=(points,)].
        speakers: behind it.
        base: the rate that a cost is counted from, a share of words; 0 where the rate itself is asked.
    """

    grid: np.ndarray
    value: np.ndarray
    se: np.ndarray
    speakers: int
    base: float = 0.0

    def limit(self, share: float) -> float:
        """Return a limit on the scale of `value`.

        Args:
            share: of words, above `base`.
        """
        return float(_limit(np.array(self.base), share))

    def as_shares(self, reach: float = 0.0) -> np.ndarray:
        """Return the curve as a share of words above `base` [shape=(points,)].

        Args:
            reach: how many standard errors above it.
        """
        raised = self.value + (reach * self.se if reach else 0.0)
        return _expit(raised) - self.base


def curve_of(
    severity: np.ndarray,
    errors: np.ndarray,
    words: np.ndarray,
    without: tuple[np.ndarray, np.ndarray] | None = None,
    strata: np.ndarray | None = None,
    *,
    cost: float = 0.0,
) -> Curve:
    """Return the curve of one group, or of several groups together.

    Args:
        severity: of each step, increasing [shape=(steps,)].
        errors, words: of each speaker at each step [both shape=(speakers, steps)].
        without: errors and words of the same speakers without the disturbance, where the cost above that is asked [each shape=(speakers,)].
        strata: which of several groups each speaker is in: that groups differ is no chance [shape=(speakers,)].
        cost: that is asked for, a share of words, where `without` is given.
    """
    there = words.sum(axis=1) > 0
    events, trials = with_each_left_out(errors[there]), with_each_left_out(words[there])
    grid = np.linspace(severity[0], severity[-1], GRID)
    values = _monotone(severity, events, trials, grid)
    least = float(trials[0].min())
    rate, base, apart = _expit(values[0]), 0.0, values
    chance = 1 / (least * rate * (1 - rate))
    if without is not None:
        bases = with_each_left_out(without[0][there]) / np.maximum(with_each_left_out(without[1][there]), 1)
        base, apart = float(bases[0]), values - _limit(bases, cost)[:, None]
        lost = np.clip(np.abs(rate - base), 1 / least, 0.5)  # words that both lose say nothing about a cost
        chance = lost * (1 - lost) / least / (rate * (1 - rate)) ** 2
    count = int(there.sum())
    se = np.full(GRID, math.nan)
    if count >= LEAST_SPEAKERS:
        own = np.zeros(count) if strata is None else strata[there]
        se = np.sqrt(np.maximum(jackknife_variance(apart[1:], own), chance))
    return Curve(grid, values[0], se, count, base)


def _limit(base: np.ndarray, share: float) -> np.ndarray:
    """Return the log odds of a share of words above each base."""
    from scipy.special import logit

    found: np.ndarray = logit(np.minimum(base + share, _TOP))
    return found


def _monotone(severity: np.ndarray, errors: np.ndarray, words: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Return monotone curves of log odds [shape=(curves, points)]; half an error either way keeps odds finite."""
    from scipy.interpolate import PchipInterpolator
    from scipy.optimize import isotonic_regression
    from scipy.special import logit

    rates = np.minimum(errors + 0.5, words + 0.5) / (words + 1)
    risen = np.array([isotonic_regression(rate, weights=n + 1).x for rate, n in zip(rates, words)])
    found: np.ndarray = PchipInterpolator(severity, logit(risen), axis=1)(grid)
    return found


def _expit(values: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    found: np.ndarray = expit(values)
    return found


@dataclass(frozen=True)
class Crossing:
    """Where a curve crosses a limit, NaN where that is not known.

    Attributes:
        at: the severity; minus infinity where the rate is above the limit at the mildest step already, infinity where it is below at the hardest.
        low, high: its interval; an infinite end is beyond the steps.
    """

    at: float
    low: float
    high: float


def crossing(curve: Curve, share: float, confidence: float, df: float | None = None) -> Crossing:
    """Return where a curve crosses a limit, with its interval.

    Args:
        curve: of one group.
        share: the limit, a share of words.
        confidence: share of intervals that hold the truth.
        df: degrees of freedom; default one less than the speakers.
    """
    from scipy.special import stdtrit

    excess = curve.value - curve.limit(share)
    at = _first_above(curve.grid, excess)
    if curve.speakers < LEAST_SPEAKERS:
        return Crossing(at, math.nan, math.nan)
    se = float(np.interp(np.clip(at, curve.grid[0], curve.grid[-1]), curve.grid, curve.se))
    reach = float(stdtrit(curve.speakers - 1 if df is None else df, (1 + confidence) / 2)) * se
    # before `low` the whole interval of the rate is below the limit, behind `high` it is above
    return Crossing(
        at, _first_above(curve.grid, excess + reach), -_first_above(-curve.grid[::-1], (reach - excess)[::-1])
    )


def _first_above(grid: np.ndarray, excess: np.ndarray) -> float:
    """Return the first place where a function is above zero: minus infinity where it begins so, infinity where it never is."""
    above = np.flatnonzero(excess > 0)
    if not len(above):
        return math.inf
    k = int(above[0])
    if k == 0:
        return -math.inf
    share = -excess[k - 1] / (excess[k] - excess[k - 1])
    return float(grid[k - 1] + share * (grid[k] - grid[k - 1]))


@dataclass(frozen=True)
class Difference:
    """By how much more severity one group passes a limit than another: below zero it fails in milder conditions.

    Attributes:
        at: the difference; NaN where one of the crossings is outside of the steps.
        low, high: its interval, infinite where nothing bounds it, NaN where it is not known.
        p: of no difference: one less the confidence at which the interval begins to hold zero.
    """

    at: float
    low: float
    high: float
    p: float


def difference(own: Curve, other: Curve, share: float, confidence: float) -> Difference:
    """Return the difference of two crossings of groups that share no speaker.

    The interval is Zou and Donner's (2008), from the intervals of both, with Welch and Satterthwaite's degrees of freedom.

    Args:
        own, other: the curves, on the same steps.
        share: the limit, a share of words.
        confidence: share of intervals that hold the truth.
    """
    if min(own.speakers, other.speakers) < LEAST_SPEAKERS:
        return Difference(math.nan, math.nan, math.nan, math.nan)
    df = _welch(own, other, share)
    at, low, high = _difference(own, other, share, confidence, df)
    least, most = 0.0, 1.0 - 1e-6
    for _ in range(20):  # to a p of one in a million; the interval grows with the confidence
        middle = (least + most) / 2
        _, below, above = _difference(own, other, share, middle, df)
        least, most = (least, middle) if below <= 0 <= above else (middle, most)
    return Difference(at, low, high, 1 - least)


def _welch(own: Curve, other: Curve, share: float) -> float:
    """Return the degrees of freedom of a difference; those of the smaller group where an interval is open."""
    sizes, found = [], []
    for curve in (own, other):
        one = crossing(curve, share, 0.95)
        sizes.append(curve.speakers - 1)
        found.append((one.high - one.low) ** 2)
    if not all(math.isfinite(v) and v > 0 for v in found):
        return float(min(sizes))
    return sum(found) ** 2 / sum(v**2 / n for v, n in zip(found, sizes))


def _difference(own: Curve, other: Curve, share: float, confidence: float, df: float) -> tuple[float, float, float]:
    a, b = (crossing(curve, share, confidence, df) for curve in (own, other))
    if math.isfinite(a.at) and math.isfinite(b.at):
        at = a.at - b.at
        return at, at - math.hypot(a.at - a.low, b.high - b.at), at + math.hypot(a.high - a.at, b.at - b.low)
    mildest, hardest = (
        float(own.grid[0]),
        float(own.grid[-1]),
    )  # what lies beyond the steps is known to lie there, no further
    lows, highs = ([min(f.low, hardest) for f in (a, b)], [max(f.high, mildest) for f in (a, b)])
    return math.nan, lows[0] - highs[1], highs[0] - lows[1]
