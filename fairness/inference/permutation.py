"""The test: speakers' labels permuted, the largest statistic over the whole family, step-down (Westfall and Young 1993).

Under the null hypothesis that groups do not differ, a speaker with all conditions of theirs might have been of any group. So the labels are
permuted among speakers, everything is computed anew, and the chance that any statistic of the family gets as large as the one seen is its
adjusted p. Statistics are studentised, which keeps the level where variances differ and groups are large enough (Chung and Romano 2013,
Ann. Statist. 41). Statistics of few speakers have heavier tails: each is brought to the normal scale by its degrees of freedom, then
by its own permutation distribution, so that none rules the maximum.

A cell that a group lacks it lacks under every labelling: otherwise a statistic would be compared with those of other groups and of other
pairings with the baseline than its own (the test of any interaction rejected 9 % of nulls in which whole groups lack clean).

Where groups read different texts, speakers say nothing about how hard texts are. That variance comes in from `texts`, beside
the speakers', in the statistic that was observed; permutations only tell how such a statistic scatters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from roomtone.core.workers.executors import usable_cores
from roomtone.fairness.inference.counts import SpeakerCounts
from roomtone.fairness.inference.estimands import WEIGHTS, Estimands
from roomtone.fairness.inference.normal_scale import log_two_sided, to_normal, two_sided_z, upper_tail
from roomtone.fairness.inference.statistics import gap_statistics, permuted_statistics, prior_df
from roomtone.fairness.inference.sums import available_columns, group_sums

#: Two statistics are tied, as those of one labelling and its mirror image are, if their log p differ by less.
_TIE = 1e-9
#: Counts of speakers by condition from which labellings are shared by the processors.
_LARGE = 50_000
#: A group is small that has fewer than this share of the other groups' mean number of speakers.
_SMALL = 0.5
#: Speakers of the smallest group from which a pointwise quantile may be nearer than a normal's: by this power of its permuted scale.
_KNOWN_TAILS, _BELIEVED = 6, 0.25
#: Tail from which the scale of a statistic is taken, and the normal quantile there.
_TAIL, _TAIL_Z = 0.05, 1.6448536269514722


@dataclass(frozen=True)
class Observed:
    """The estimands of the labels as they are; all arrays [shape=(groups, estimands)], undefined is NaN.

    Attributes:
        value: gap or difference of gaps, or its log on the ratio scale.
        variance, df: of the gap, by speakers; `texts` adds to both.
        own_variance, own_df, speakers: variance of the group's own estimand, its degrees of freedom, and its speakers.
    """

    value: np.ndarray
    variance: np.ndarray
    df: np.ndarray
    own_variance: np.ndarray
    own_df: np.ndarray
    speakers: np.ndarray

    @property
    def se(self) -> np.ndarray:
        """Return the standard error of each gap."""
        root: np.ndarray = np.sqrt(self.variance)
        return root


@dataclass(frozen=True)
class FamilyTest:
    """The outcome of the test; arrays over pairs are [shape=(groups, estimands)].

    Attributes:
        z: the statistic on the normal scale, before its permutation scale.
        p: two-sided, of each comparison alone.
        p_adjusted: of the family; NaN where not tested.
        low, high: pointwise quantiles of the statistic on the normal scale, at alpha / 2 and 1 - alpha / 2.
        all_low, all_high: critical values of the whole family, on the normal scale; NaN where not tested.
        condition_p, condition_p_adjusted: that groups differ in a condition at all [shape=(conditions,)]; NaN where not tested.
        interaction_p: that groups differ in any condition beyond the baseline; NaN with one condition.
        tests: number of tests in the family.
        permutations: labellings drawn.
    """

    z: np.ndarray
    p: np.ndarray
    p_adjusted: np.ndarray
    low: np.ndarray
    high: np.ndarray
    all_low: np.ndarray
    all_high: np.ndarray
    condition_p: np.ndarray
    condition_p_adjusted: np.ndarray
    interaction_p: float
    tests: int
    permutations: int


def observe(data: SpeakerCounts, estimands: Estimands, other: int, *, log_scale: bool = False) -> Observed:
    """Return the estimands of the labels as they are.

    Args:
        data: counts by speaker.
        estimands: what is compared.
        other: number of the group that all are compared with; negative for all others together.
        log_scale: differences of log rates.
    """
    shape = (len(data.groups), len(estimands.items))
    theta, variance, df, own, present = (np.empty(shape) for _ in range(5))
    prior = prior_df(int(data.known.sum()))
    gap_statistics(
        data.counts, data.codes, data.starts, data.members, every_column(data), other, estimands.starts, estimands.columns, log_scale, prior,
        theta, variance, df, own, present,
    )  # fmt: skip
    return Observed(theta, variance, df, own, present - 1 + prior, present)


def permute_family(
    data: SpeakerCounts,
    estimands: Estimands,
    observed: Observed,
    other: int,
    *,
    alpha: float,
    permutations: int,
    seed: int,
    log_scale: bool = False,
    tested: np.ndarray | None = None,
) -> FamilyTest:
    """Return the test of every gap, of every condition and of the interaction.

    Args:
        data: counts by speaker.
        estimands: what is compared; those with a kind are tested.
        observed: of `observe`, the variance of texts added where there is one.
        other: as in `observe`.
        alpha: level of the family, and of the intervals.
        permutations: labellings to draw.
        seed: of the drawing.
        log_scale: as in `observe`.
        tested: which pairs are in the family [shape=(groups, estimands), bool]; default all of the estimands that are tested.
    """
    labellings = np.empty((permutations + 1, len(data.codes)), dtype=np.int64)
    labellings[0] = data.codes
    # a stream of its own: a caller who made data with default_rng(seed) must not have them permuted by the same numbers
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    labellings[1:] = rng.permuted(np.broadcast_to(data.codes, (permutations, len(data.codes))), axis=1)
    sums = group_sums(data.counts, data.codes, data.starts, data.members, every_column(data))
    has = available_columns(sums)[:-1]
    prior = prior_df(int(data.known.sum()))

    def permuted(some: np.ndarray) -> np.ndarray:
        t, df = permuted_statistics(
            data.counts, some, data.starts, data.members, has, other, estimands.starts, estimands.columns, log_scale, prior
        )  # fmt: skip
        return to_normal(t, df)

    z = _in_threads(permuted, labellings, data.counts[0].size)
    z[0] = to_normal(observed.value / observed.se, observed.df)
    sizes = np.array([data.is_in(g).sum() for g in range(len(data.groups))])[data.known]
    return _Permuted(z, estimands, tested, has_small_group(sizes), min(sizes.tolist(), default=0)).test(alpha)


def _in_threads(work: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, size: int) -> np.ndarray:
    """Return the work on all rows, shared by the processors where a row is large; each row's answer is its own."""
    count = usable_cores() if size > _LARGE else 1
    if count == 1:
        return work(rows)
    with ThreadPoolExecutor(count) as pool:
        return np.concatenate(list(pool.map(work, np.array_split(rows, count))))


def every_column(data: SpeakerCounts) -> np.ndarray:
    """Return the columns to sum where all are, as `group_sums` takes them [shape=(groups, 2, conditions), bool]."""
    return np.ones((len(data.groups), 2, len(data.conditions)), dtype=np.bool_)


@dataclass(frozen=True)
class _Permuted:
    """Statistics on the normal scale of the labels as they are (first) and permuted [shape=(labellings, groups, estimands)]."""

    z: np.ndarray
    estimands: Estimands
    tested: np.ndarray | None
    uneven: bool
    fewest: int

    def test(self, alpha: float) -> FamilyTest:
        from scipy.special import ndtri

        kinds = self.estimands.kinds
        usable = np.isfinite(self.z[0])
        family = usable & (kinds != "")[None, :] if self.tested is None else usable & self.tested
        z = np.nan_to_num(self.z)
        up, down = self._scales(z)
        scaled = z / np.where(z > 0, up, down)
        if self.uneven:  # sums of squares over conditions weigh heavier still where speakers differ more, so their scale is never below 1
            scaled[0] = z[0] / np.maximum(1.0, np.where(z[0] > 0, up, down))
        interaction = self._interaction(scaled, usable)
        if self.uneven:
            up, down = _halfway_to_one(up), _halfway_to_one(down)
            scaled[0] = z[0] / np.where(z[0] > 0, up, down)
        conditions = self._conditions(scaled, usable)
        log_p, critical, constants = _family_p(scaled, family, kinds, conditions, alpha)
        size = family.sum()
        adjusted = np.full(family.shape, np.nan)
        adjusted[family] = log_p[:size]
        bounds = np.quantile(z, [alpha / 2, 1 - alpha / 2], axis=0)
        # few labellings have no tail of their own, and those of few speakers in whom a gap is are others than the permuted
        normal = float(ndtri(1 - alpha / 2))
        nearer = self.fewest >= _KNOWN_TAILS and not self.uneven
        least = [np.minimum(1.0, scale) ** (_BELIEVED * nearer) for scale in (down, up)]
        bounds = np.minimum(bounds[0], -normal * least[0]), np.maximum(bounds[1], normal * least[1])
        limit = np.array([two_sided_z(critical - constants[kind]) if kind in constants else np.nan for kind in kinds])
        each = np.minimum(1.0, 2.0 * upper_tail(np.abs(scaled[0])))
        out = [np.where(usable, values, np.nan) for values in (self.z[0], each, bounds[0], bounds[1])]
        condition_p, condition_adjusted = self._condition_p(conditions, log_p[size:])
        return FamilyTest(
            out[0], out[1], adjusted, out[2], out[3],
            np.where(family, np.minimum(-limit * down, bounds[0]), np.nan), np.where(family, np.maximum(limit * up, bounds[1]), np.nan),
            condition_p, condition_adjusted, interaction, int(size) + len(conditions), len(self.z) - 1,
        )  # fmt: skip

    def _scales(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how far each statistic reaches up and down, in units of a standard normal's [both shape=(groups, estimands)]."""
        low, high = np.quantile(z, [_TAIL, 1 - _TAIL], axis=0)
        return np.maximum(high / _TAIL_Z, 0.2), np.maximum(-low / _TAIL_Z, 0.2)

    def _conditions(self, scaled: np.ndarray, usable: np.ndarray) -> dict[int, np.ndarray]:
        """Return log p of "groups differ" of each condition, by its number [shape=(labellings,)]; of three groups or more."""
        found = {}
        cells = [k for k, item in enumerate(self.estimands.items) if item.kind == "cell"]
        for number, k in enumerate(cells):
            if usable[:, k].sum() > 2 and self.tested is None:
                found[number] = _spread_log_p((scaled[:, usable[:, k], k] ** 2).sum(axis=1))
        return found

    def _condition_p(self, conditions: Mapping[int, np.ndarray], adjusted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cells = sum(item.kind == "cell" for item in self.estimands.items)
        p, p_adjusted = np.full(cells, np.nan), np.full(cells, np.nan)
        for at, (number, values) in enumerate(conditions.items()):
            p[number], p_adjusted[number] = math.exp(values[0]), adjusted[at]
        return p, p_adjusted

    def _interaction(self, scaled: np.ndarray, usable: np.ndarray) -> float:
        """Return the p of no difference of gaps at all: the share of labellings with as large a sum of squares."""
        cells = [k for k, item in enumerate(self.estimands.items) if item.kind == "cell"][1:]
        inside = usable[:, cells]
        if not inside.any():
            return math.nan
        sums = (scaled[:, :, cells] ** 2 * inside).sum(axis=(1, 2))
        return float((sums >= sums[0] * (1 - _TIE)).mean())


def has_small_group(sizes: np.ndarray) -> bool:
    """Return whether a group has fewer than half the speakers that the others have on average.

    Args:
        sizes: speakers of each group.

    >>> has_small_group(np.array([6, 60])), has_small_group(np.array([12, 20, 20]))
    (True, False)
    """
    others = (sizes.sum() - sizes) / max(1, len(sizes) - 1)
    return bool((sizes < _SMALL * others).any())


def _halfway_to_one(scale: np.ndarray) -> np.ndarray:
    """Return the scales, those below 1 replaced by their root.

    A permuted small group is drawn from everybody. Where its own speakers differ more than others do, its statistic has heavier tails than the permuted
    ones, whose scale below 1 then makes it look larger than it is; where they differ as others do, that scale is right. Few speakers do not tell which.
    """
    found: np.ndarray = np.where(scale < 1, np.sqrt(scale), scale)
    return found


def _family_p(
    scaled: np.ndarray, family: np.ndarray, kinds: np.ndarray, conditions: Mapping[int, np.ndarray], alpha: float
) -> tuple[np.ndarray, float, dict[str, float]]:
    """Return adjusted p of the family's pairs, then of its conditions; the family's critical log p; and what each kind adds to its log p."""
    pairs = log_two_sided(scaled[:, family])
    labels = np.concatenate([np.broadcast_to(kinds, family.shape)[family], np.full(len(conditions), "condition")])
    log_p = np.concatenate([pairs, *(values[:, None] for values in conditions.values())], axis=1)
    present = [kind for kind in WEIGHTS if (labels == kind).any()]
    total = sum(WEIGHTS[kind] for kind in present)
    constants = {kind: math.log((labels == kind).sum() * total / WEIGHTS[kind]) for kind in present}
    if "" in labels:  # a pair that was asked for although its kind is not tested
        constants[""] = math.log(max(1, (labels == "").sum()))
    weighted = log_p + np.array([constants[label] for label in labels])
    if not weighted.shape[1]:
        return np.zeros(0), math.nan, constants
    return step_down(weighted), float(np.quantile(weighted.min(axis=1), alpha)), constants


def step_down(log_p: np.ndarray) -> np.ndarray:
    """Return the adjusted p of each test by the step-down minimum [shape=(tests,)].

    Args:
        log_p: log p of each labelling, the labels as they are first [shape=(labellings, tests)].
    """
    order = np.argsort(log_p[0], kind="stable")
    least = np.minimum.accumulate(log_p[:, order[::-1]], axis=1)[:, ::-1]
    found = (least <= log_p[0, order] + _TIE).mean(axis=0)
    adjusted = np.empty(len(order))
    adjusted[order] = np.maximum.accumulate(found)
    return adjusted


def _spread_log_p(sums: np.ndarray) -> np.ndarray:
    """Return log p of sums of squares by the scaled chi-square of their mean and variance (Satterthwaite 1946)."""
    from scipy.special import gammaincc

    mean, variance = float(sums.mean()), float(sums.var())
    if variance <= 0:
        return np.zeros(len(sums))
    scale, df = variance / (2 * mean), 2 * mean**2 / variance
    found: np.ndarray = np.log(np.maximum(gammaincc(df / 2, sums / (2 * scale)), 1e-300))
    return found


def smallest_p(sizes: list[int], other: int) -> float:
    """Return the smallest p that permuting labels can give a family: 1 / the number of labellings that differ in their largest statistic.

    Args:
        sizes: speakers of each group.
        other: number of the group that all are compared with; negative for all others together.

    >>> round(smallest_p([3, 3], -1), 3), round(smallest_p([4, 4], -1), 3), round(smallest_p([2, 2, 2], -1), 3)
    (0.1, 0.029, 0.067)
    """
    if len(sizes) < 2 or min(sizes) < 1:
        return 1.0
    log_ways = math.lgamma(sum(sizes) + 1) - sum(math.lgamma(size + 1) for size in sizes)
    free = [size for k, size in enumerate(sizes) if k != other or len(sizes) == 2]
    log_alike = sum(math.lgamma(free.count(size) + 1) for size in set(free))
    return min(1.0, math.exp(log_alike - log_ways))
