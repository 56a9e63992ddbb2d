"""One study worked through: counts, estimands, the test over speakers, what texts add, intervals and detectable sizes, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.fairness.inference.counts import Layout, SpeakerCounts
from roomtone.fairness.inference.detectable import Sizes
from roomtone.fairness.inference.estimands import CELL, Estimands
from roomtone.fairness.inference.intervals import benjamini_hochberg, growing_ends, t_quantile
from roomtone.fairness.inference.normal_scale import from_normal
from roomtone.fairness.inference.permutation import (
    FamilyTest,
    Observed,
    observe,
    permute_family,
    smallest_p,
)
from roomtone.fairness.inference.texts import TextVariance, text_variance
from roomtone.fairness.settings import CompareSettings

REST = "all others"
_MOST_SPEAKERS = 200
#: Numbers that the permuted statistics may hold at most; a larger grid gets fewer permutations, but no fewer than 199.
_MOST_NUMBERS = 40_000_000


@dataclass(frozen=True)
class Study:
    """A study and its results; arrays over pairs are [shape=(groups, estimands)], undefined is NaN.

    `data` are the known speakers, whose labels can be permuted; `everybody` holds groups without known speakers too, of which gaps are shown
    and nothing is claimed.
    """

    layout: Layout
    everybody: SpeakerCounts
    data: SpeakerCounts
    estimands: Estimands
    settings: CompareSettings
    other: int
    compared: tuple[int, ...]
    observed: Observed
    logs: Observed
    texts: TextVariance
    test: FamilyTest

    @property
    def is_ratio(self) -> bool:
        """Return whether verdicts rest on ratios."""
        return self.settings.scale == "ratio"

    def interval(self, *, simultaneous: bool = False, growing: bool = True) -> tuple[np.ndarray, np.ndarray]:
        """Return the intervals of gaps and differences of gaps, on the scale of differences.

        Args:
            simultaneous: over the whole family, rather than each alone.
            growing: whether speakers and sentences of the side that loses more words differ more, as `growing_ends` has it.
        """
        if self.is_ratio:
            return _t_interval(self.observed, self.settings.alpha)
        seen = self.observed
        low, high = self._permuted(seen, simultaneous)
        if not growing:
            return low, high
        down, up = (np.abs(end - seen.value) / seen.se for end in (low, high))
        speakers = seen.variance - self.texts.variance
        return growing_ends(seen.value, seen.variance, speakers + self.texts.in_proportion, down, up, self._growing)

    @cached_property
    def _growing(self) -> tuple[np.ndarray, np.ndarray]:
        """Return, of the side of each gap that loses more words, its share of the variance and its rate [both shape=(groups, estimands)]."""
        more = self.observed.value > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            share = self.observed.own_variance / (self.observed.variance - self.texts.variance)
            rates = [side[0] / side[1] for side in self.everybody.sides(self.other)]
        own, other = (self.estimands.means(rate) for rate in rates)
        return np.where(more, share, 1 - share), np.where(more, own, other)

    def log_interval(self, *, simultaneous: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Return the intervals of ratios and ratios of ratios, as logs.

        Args:
            simultaneous: as in `interval`.
        """
        if self.is_ratio:
            return self._permuted(self.logs, simultaneous)
        return _t_interval(self.logs, self.settings.alpha)

    def _permuted(self, seen: Observed, simultaneous: bool) -> tuple[np.ndarray, np.ndarray]:
        low, high = (self.test.all_low, self.test.all_high) if simultaneous else (self.test.low, self.test.high)
        return seen.value - from_normal(high, seen.df) * seen.se, seen.value - from_normal(low, seen.df) * seen.se

    @cached_property
    def detectable(self) -> np.ndarray:
        """Return the smallest gap that these data would show, a share or a log ratio."""
        if not self.is_ratio:
            return self._sizes_of_gaps.detectable()
        from scipy.special import ndtri

        critical = from_normal(self.test.all_high, self.logs.df)
        spread = np.sqrt(1 + critical**2 / (2 * self.logs.df))
        size: np.ndarray = (
            critical * (1 - 1 / (4 * self.logs.df)) + ndtri(self.settings.power) * spread
        ) * self.logs.se
        return size

    @cached_property
    def shown_at_smallest(self) -> np.ndarray:
        """Return what these data would show where speakers differ as they do at the smallest gap that matters, a share or a log ratio."""
        if self.is_ratio:
            return self.detectable
        return self._sizes_of_gaps.at(np.full(self.observed.value.shape, self.settings.smallest_gap))

    @cached_property
    def _sizes_of_gaps(self) -> Sizes:
        return Sizes(self.data, self.estimands, self.observed, self.texts.variance, self.test, self.settings.power)

    @cached_property
    def smallest_p(self) -> float:
        """Return the smallest p that permuting these speakers can give."""
        return smallest_p(self._sizes, self.other)

    @cached_property
    def _sizes(self) -> list[int]:
        own = [int(self.data.is_in(g).sum()) for g in range(len(self.data.groups))]
        kept = [size for size, known in zip(own, self.data.known) if known]
        return kept

    @cached_property
    def speakers_for_p(self) -> int:
        """Return the speakers in each group from which permuting them can give a p of alpha."""
        groups = max(2, len(self._sizes))
        other = -1 if self.other < 0 else 0
        return next(
            (n for n in range(2, _MOST_SPEAKERS) if smallest_p([n] * groups, other) <= self.settings.alpha),
            _MOST_SPEAKERS,
        )


def work_out(
    layout: Layout, estimands: Estimands, settings: CompareSettings, *, events: str = "errors", trials: str = "words"
) -> Study:
    """Return a study with everything that its tables need.

    Args:
        layout: who is where.
        estimands: what is compared.
        settings: the choices.
        events, trials: the outcome, as in `Layout.count`.

    Raises:
        RoomtoneError: the reference, or a declared pair, does not exist.
    """
    everybody = layout.count(events, trials)
    data = everybody.of_known()
    other = reference_of(data.groups, settings.reference)
    compared = tuple(g for g in range(len(data.groups)) if g != other) if len(data.groups) > 1 else ()
    texts = text_variance(layout, estimands, other, events=events, trials=trials)
    observed = with_texts(_observe(everybody, data, estimands, other, log_scale=False), texts)
    logs = with_log_texts(_observe(everybody, data, estimands, other, log_scale=True), texts, data, estimands)
    ratio = settings.scale == "ratio"
    tested = declared_pairs(settings.declared, data, estimands, compared)
    pairs = len(data.groups) * len(estimands.items)
    test = permute_family(
        data, estimands, logs if ratio else observed, other, alpha=settings.alpha, seed=settings.seed, log_scale=ratio, tested=tested,
        permutations=max(199, min(settings.permutations, _MOST_NUMBERS // max(1, pairs))),
    )  # fmt: skip
    if tested is not None:
        test = _with_explored(test, estimands, tested, compared)
    return Study(layout, everybody, data, estimands, settings, other, compared, observed, logs, texts, test)


def _observe(
    everybody: SpeakerCounts, data: SpeakerCounts, estimands: Estimands, other: int, *, log_scale: bool
) -> Observed:
    """Return the estimands of known speakers, and of groups without any the value alone."""
    seen = observe(data, estimands, other, log_scale=log_scale)
    if data.known.all():
        return seen
    value = np.where(data.known[:, None], seen.value, observe(everybody, estimands, other, log_scale=log_scale).value)
    return replace(seen, value=value)


def _with_explored(test: FamilyTest, estimands: Estimands, tested: np.ndarray, compared: Sequence[int]) -> FamilyTest:
    """Return the test with the cells that were not declared adjusted by Benjamini and Hochberg, and judged each alone."""
    rest = (
        ~tested
        & (estimands.kinds == CELL)[None, :]
        & np.isin(np.arange(len(tested)), compared)[:, None]
        & np.isfinite(test.p)
    )
    adjusted, low, high = test.p_adjusted.copy(), test.all_low.copy(), test.all_high.copy()
    adjusted[rest] = benjamini_hochberg(test.p[rest])
    alone = ~np.isfinite(high)
    low[alone], high[alone] = test.low[alone], test.high[alone]
    return replace(test, p_adjusted=adjusted, all_low=low, all_high=high)


def reference_of(groups: Sequence[str], reference: str | None) -> int:
    """Return the number of the group that the others are compared with, negative for all others together.

    Args:
        groups: names.
        reference: name, or null; with two groups the first by name, since each against the other would be one comparison twice.

    Raises:
        RoomtoneError: no group has that name.
    """
    if reference is not None and reference not in groups:
        raise RoomtoneError(f"reference: no group is called {reference!r}; {nearest(reference, groups)}")
    if reference is not None:
        return list(groups).index(reference)
    return 0 if len(groups) == 2 else -1


def with_texts(seen: Observed, texts: TextVariance) -> Observed:
    """Return the estimands with the variance of texts beside that of speakers; degrees of freedom by Satterthwaite.

    Args:
        seen: by speakers.
        texts: what texts add.
    """
    variance = seen.variance + texts.variance
    with np.errstate(invalid="ignore", divide="ignore"):
        df = variance**2 / (seen.variance**2 / seen.df + texts.variance**2 / texts.df)
    return replace(seen, variance=variance, df=df)


def with_log_texts(seen: Observed, texts: TextVariance, data: SpeakerCounts, estimands: Estimands) -> Observed:
    """Return logs with the variance of texts, by the derivative of the log at each group's mean rate.

    Args:
        seen: by speakers, on the scale of logs.
        texts: what texts add, on the scale of rates.
        data: counts by speaker.
        estimands: what is compared.
    """
    if not texts.variance.any():
        return seen
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.maximum(data.sums(0), 0.5) / data.sums(1)  # as in the logs themselves
        mean = estimands.means(rate)
        return with_texts(seen, replace(texts, variance=np.nan_to_num(texts.variance / mean**2)))


def declared_pairs(
    declared: Sequence[tuple[str, str]] | None, data: SpeakerCounts, estimands: Estimands, compared: Sequence[int]
) -> np.ndarray | None:
    """Return which pairs were asked for before looking, or None where all are.

    Args:
        declared: (group, condition) pairs, or null.
        data: counts by speaker.
        estimands: what is compared.
        compared: numbers of the groups that are compared with something.

    Raises:
        RoomtoneError: there is no such comparison.
    """
    if declared is None:
        return None
    cells = {item.label: k for k, item in enumerate(estimands.items) if item.kind == CELL}
    names = [data.groups[g] for g in compared]
    found = np.zeros((len(data.groups), len(estimands.items)), dtype=bool)
    for group, condition in declared:
        if group not in names or condition not in cells:
            hint = nearest(str(group), names) if group not in names else nearest(str(condition), cells)
            raise RoomtoneError(f"declared: there is no comparison of {group!r} in {condition!r}; {hint}")
        found[data.groups.index(group), cells[condition]] = True
    return found


def _t_interval(seen: Observed, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    half = t_quantile(1 - alpha / 2, seen.df) * seen.se
    return seen.value - half, seen.value + half
