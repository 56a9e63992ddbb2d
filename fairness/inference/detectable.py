"""The smallest true gap that data like these would show, under the multiplicity that the report uses.

A gap is shown when its statistic passes the family's critical value. Where a group loses more words its speakers also differ more, so the
standard error grows with the gap: the binomial part with W (1 - W), the spread between speakers with its square, as the variances of
`statistics` do. Leaving that out promises too much: of gaps so called detectable with 80 %, 37 % were found.
"""

from __future__ import annotations

import numba
import numpy as np

from roomtone.fairness.inference.counts import SpeakerCounts
from roomtone.fairness.inference.estimands import Estimands
from roomtone.fairness.inference.permutation import FamilyTest, Observed, from_normal
from roomtone.fairness.inference.statistics import TOP_RATE, group_sums

_ROUNDS = 40


@numba.njit(cache=True, nogil=True)
def _grown(
    sums: np.ndarray, groups: int, est_starts: np.ndarray, est_columns: np.ndarray, gap: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:  # pragma: no cover - compiled
    """Return the binomial variance and the squared odds-scale slope of each group's estimand were its rates higher by `gap`."""
    conditions = sums.shape[2]
    floor, slope2 = np.zeros(gap.shape), np.zeros(gap.shape)
    for g in range(groups):
        for k in range(gap.shape[1]):
            count = 0
            for i in range(est_starts[k], est_starts[k + 1]):
                kind, c = est_columns[i] // conditions, est_columns[i] % conditions
                if sums[2 * kind + 1, g, c] <= 0 or (kind and sums[5, g, c] <= 0):
                    continue
                count += 1
                for q in range(kind, 2 * kind + 1):
                    words = sums[2 * q + 1, g, c]
                    rate = max(sums[2 * q, g, c], 1.0) / words + (gap[g, k] if q < 2 else 0.0)
                    rate = min(rate, TOP_RATE)
                    floor[g, k] += rate * (1 - rate) / words
                    slope2[g, k] += (rate * (1 - rate)) ** 2
            if count:
                floor[g, k] /= count**2
                slope2[g, k] /= count**2
    return floor, slope2


def detectable(
    data: SpeakerCounts, estimands: Estimands, observed: Observed, test: FamilyTest, power: float
) -> np.ndarray:
    """Return the smallest gap of each pair that would be found with this power; NaN where none below 1 would.

    Args:
        data: counts by speaker.
        estimands: what is compared.
        observed: the estimands as they are, on the scale of differences.
        test: of the family; its critical values are those of one step.
        power: chance of finding it.

    Returns:
        Shares of words [shape=(groups, estimands)].
    """
    from scipy.special import ndtri

    sums = group_sums(data.counts, data.codes, data.starts, data.members, len(data.groups))
    rest = np.maximum(observed.variance - observed.own_variance, 0.0)
    args = (sums, len(data.groups), estimands.starts, estimands.columns)
    floor, slope2 = _grown(*args, np.zeros(observed.value.shape))
    critical = from_normal(test.all_high, observed.df)
    # the chance of passing is that of a noncentral t; Johnson and Welch's (1940) normal approximation
    factor = critical * (1 - 1 / (4 * observed.df)) + ndtri(power) * np.sqrt(1 + critical**2 / (2 * observed.df))
    spread = np.maximum(observed.own_variance - floor, 0.0)
    size = np.zeros(observed.value.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        for _ in range(_ROUNDS):
            now_floor, now_slope2 = _grown(*args, size)
            grown = now_floor + spread * now_slope2 / slope2
            size = np.minimum(factor * np.sqrt(np.maximum(grown, observed.own_variance) + rest), 2.0)
        return np.where((size < 1) & np.isfinite(size), size, np.nan)


def speakers_times(size: np.ndarray | float, smallest: float) -> np.ndarray:
    """Return how many times as many speakers show a gap of the smallest size that matters: standard errors fall with the root.

    Args:
        size: what these data would show, on the scale of `smallest`.
        smallest: the gap that matters.
    """
    return np.maximum(1.0, (np.asarray(size) / smallest) ** 2)
