"""The smallest true gap that data like these would show, under the multiplicity that the report uses.

A gap is shown when its statistic passes the family's critical value. Where a group loses more words its speakers also differ more, so the
standard error grows with the gap. How much is worked out on the speakers at hand: their rates are raised as the gap would raise them, each in
proportion, and their spread is taken anew. In proportion to W on the scale of rates, to W (1 - W) on that of odds: what is taken lies between the two.
Without this, of gaps called detectable with 80 %, 37 % were found. A group's own spread is averaged with that of all groups first: of few
skewed speakers most samples show too little of it.
"""

from __future__ import annotations

import numba
import numpy as np

from roomtone.fairness.inference.counts import SpeakerCounts
from roomtone.fairness.inference.estimands import Estimands
from roomtone.fairness.inference.normal_scale import from_normal
from roomtone.fairness.inference.permutation import FamilyTest, Observed, every_column
from roomtone.fairness.inference.statistics import at_common_level
from roomtone.fairness.inference.sums import TOP_RATE, available_columns, group_floors, group_sums

_ROUNDS = 25
#: Change of a size, a share of words, from which it is worked out no further.
_SETTLED = 1e-7
#: Where between the scale of rates (0) and that of odds (1) the spread of speakers grows.
_BETWEEN = 0.6
#: Speakers that the spread of all groups counts for beside a group's own.
_POOLED = 20.0


@numba.njit(cache=True, nogil=True)
def _raised(rate: float, gap: float) -> tuple[float, float]:  # pragma: no cover - compiled
    """Return a rate with the gap added, and the factor by which the speakers' spread around it grows."""
    more = min(rate + gap, max(rate, TOP_RATE + 0.2))
    return more, more / rate * (max(0.02, 1 - more) / max(0.02, 1 - rate)) ** _BETWEEN


@numba.njit(cache=True, nogil=True)
def _variance_at(
    counts: np.ndarray, codes: np.ndarray, starts: np.ndarray, members: np.ndarray, sums: np.ndarray, est_starts: np.ndarray,
    est_columns: np.ndarray, gap: np.ndarray,
) -> np.ndarray:  # fmt: skip  # pragma: no cover - compiled
    """Return the variance of each group's own estimand, by its speakers, were its rates higher by `gap` [shape=(G, K)]."""
    conditions, groups = counts.shape[2], gap.shape[0]
    found, binomial, present = np.zeros(gap.shape), np.zeros(gap.shape), np.zeros(gap.shape)
    for s in range(counts.shape[1]):
        for m in range(starts[codes[s]], starts[codes[s] + 1]):
            g = members[m]
            for k in range(gap.shape[1]):
                total, count, there = 0.0, 0, False
                for i in range(est_starts[k], est_starts[k + 1]):
                    kind, c = est_columns[i] // conditions, est_columns[i] % conditions
                    words = sums[2 * kind + 1, g, c]
                    if words <= 0 or (kind and sums[5, g, c] <= 0):
                        continue
                    count += 1
                    there = there or counts[2 * kind + 1, s, c] > 0
                    rate = max(sums[2 * kind, g, c], 1.0) / words
                    factor = _raised(rate, gap[g, k])[1]
                    total += (
                        factor
                        * (counts[2 * kind, s, c] - sums[2 * kind, g, c] / words * counts[2 * kind + 1, s, c])
                        / words
                    )
                    if kind:
                        base = sums[5, g, c]
                        total -= (counts[4, s, c] - sums[4, g, c] / base * counts[5, s, c]) / base
                if there:
                    found[g, k] += (total / count) ** 2
                    present[g, k] += 1
    for g in range(groups):
        for k in range(gap.shape[1]):
            n = present[g, k]
            count = 0
            for i in range(est_starts[k], est_starts[k + 1]):
                kind, c = est_columns[i] // conditions, est_columns[i] % conditions
                words = sums[2 * kind + 1, g, c]
                if words > 0 and not (kind and sums[5, g, c] <= 0):
                    count += 1
                    rate = min(max(sums[2 * kind, g, c], 1.0) / words, 1.0)
                    more, factor = _raised(rate, gap[g, k])
                    # chance of single words does not grow with the speakers' spread
                    binomial[g, k] += (max(0.0, more * (1 - more)) - factor**2 * rate * (1 - rate)) / words
            found[g, k] = found[g, k] * n / (n - 1) + binomial[g, k] / count**2 if n > 1 else np.nan
    return found


class Sizes:
    """What gaps these data would show.

    Args:
        data: counts by speaker.
        estimands: what is compared.
        observed: the estimands as they are, on the scale of differences.
        texts: the variance that texts add, which `observed` holds too [shape=(G, K)].
        test: of the family; its critical values are those of one step.
        power: chance of finding a gap.
    """

    def __init__(
        self,
        data: SpeakerCounts,
        estimands: Estimands,
        observed: Observed,
        texts: np.ndarray,
        test: FamilyTest,
        power: float,
    ) -> None:
        from scipy.special import ndtri

        sums = group_sums(data.counts, data.codes, data.starts, data.members, every_column(data))
        self._args = (data.counts, data.codes, data.starts, data.members, sums, estimands.starts, estimands.columns)
        available = available_columns(sums)
        floor, slope2 = group_floors(sums, estimands.starts, estimands.columns, available, False)
        speakers = observed.variance - texts
        with np.errstate(invalid="ignore", divide="ignore"):
            self._own_texts = texts * np.clip(observed.own_variance / speakers, 0.0, 1.0)
        self._own = _with_all_groups(observed, floor, slope2)
        level = group_floors(sums, estimands.starts, estimands.columns, available, False, True)
        in_gap = at_common_level(observed.own_variance, floor, slope2, *level)
        self._rest = np.maximum(speakers - in_gap, 0.0) + texts - self._own_texts
        critical = from_normal(test.all_high, observed.df)
        # the chance of passing is that of a noncentral t; Johnson and Welch's (1940) normal approximation
        self._critical = critical * (1 - 1 / (4 * observed.df))
        self._margin = ndtri(power) * np.sqrt(1 + critical**2 / (2 * observed.df))
        self._now = _variance_at(*self._args, np.zeros(observed.value.shape))

    def at(self, gap: np.ndarray) -> np.ndarray:
        """Return the gap that would be shown if speakers differed as they do where a gap of this size is [shape=(G, K)].

        Args:
            gap: shares of words [shape=(G, K)].
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            grown = np.maximum(1.0, _variance_at(*self._args, np.nan_to_num(gap)) / self._now)
            speakers = self._own * grown + self._rest
            # who loses more words loses more of them to hard texts too; the test sees the texts' variance averaged over groups
            seen = speakers + self._own_texts * (1 + (grown - 1) / len(gap))
            real = speakers + self._own_texts * grown
            found: np.ndarray = np.minimum(self._critical * np.sqrt(seen) + self._margin * np.sqrt(real), 2.0)
        return found

    def detectable(self) -> np.ndarray:
        """Return the smallest gap of each pair that would be found; NaN where none below 1 would [shape=(G, K)]."""
        size = np.zeros(self._own.shape)
        for _ in range(_ROUNDS):
            before, size = size, self.at(size)
            if np.allclose(size, before, rtol=0.0, atol=_SETTLED, equal_nan=True):
                break
        return np.where((size < 1) & np.isfinite(size), size, np.nan)


def _with_all_groups(observed: Observed, floor: np.ndarray, slope2: np.ndarray) -> np.ndarray:
    """Return each group's own variance averaged with what all groups' spread makes of its size and level [shape=(G, K)]."""
    n = observed.speakers
    freedom = np.where(np.isfinite(observed.own_variance), np.maximum(n - 1, 0.0), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.nan_to_num((observed.own_variance - floor) * n / slope2)
        spread = np.maximum(0.0, (freedom * each).sum(axis=0) / freedom.sum(axis=0))
        expected = floor + spread * slope2 / n
        found: np.ndarray = (freedom * observed.own_variance + _POOLED * expected) / (freedom + _POOLED)
    return found


def speakers_times(size: float, smallest: float) -> float:
    """Return how many times as many speakers show a gap of the smallest size that matters: standard errors fall with the root.

    Args:
        size: what these data would show where a gap of the smallest size is, on its scale.
        smallest: the gap that matters.
    """
    return max(1.0, (size / smallest) ** 2)
