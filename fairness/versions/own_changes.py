"""For whom a recogniser got better: the change of each group's own WER, tested by its speakers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomtone.fairness.inference.intervals import holm, t_quantile
from roomtone.fairness.inference.study import Study
from roomtone.fairness.settings import CompareSettings

BETTER, WORSE, SAME, UNKNOWN = "better", "worse", "no_change", "not_enough_data"


@dataclass(frozen=True)
class OwnChange:
    """The change of one group: a difference of shares or a log ratio, its interval, and p over all groups (Holm)."""

    value: float
    low: float
    high: float
    p_adjusted: float
    verdict: str

    def columns(self) -> dict[str, Any]:
        """Return the columns of a row."""
        return {
            "change": self.value, "change_low": self.low, "change_high": self.high, "change_p_adjusted": self.p_adjusted,
            "change_verdict": self.verdict,
        }  # fmt: skip

    def statement(self, rates: dict[str, float], settings: CompareSettings) -> str:
        """Return the sentence of a group that is compared with nobody.

        Args:
            rates: its WER before and after.
            settings: of the comparison.
        """
        return f"{100 * rates['wer_before']:.1f} % of words before and {100 * rates['wer_after']:.1f} % after; the others are compared with it."


@dataclass(frozen=True)
class OwnChanges:
    """The changes of all groups and estimands [each shape=(groups, estimands)]."""

    study: Study
    value: np.ndarray
    se: np.ndarray
    df: np.ndarray
    p_adjusted: np.ndarray

    def of(self, g: int, k: int) -> OwnChange:
        """Return one change.

        Args:
            g: number of the group.
            k: number of the estimand.
        """
        s = self.study.settings
        value, p = float(self.value[g, k]), float(self.p_adjusted[g, k])
        half = float(t_quantile(1 - s.alpha / 2, np.array(self.df[g, k]))) * float(self.se[g, k])
        return OwnChange(value, value - half, value + half, p, _verdict(value, half, p, s))

    def overall(self) -> dict[str, float]:
        """Return the mean over the groups, each weighing the same, with its interval."""
        known = np.isfinite(self.value[:, 0]) & np.isfinite(self.se[:, 0])
        if not known.any():
            return {"change": math.nan, "change_low": math.nan, "change_high": math.nan}
        parts = self.se[known, 0] ** 2 / known.sum() ** 2
        df = parts.sum() ** 2 / (parts**2 / self.df[known, 0]).sum() if parts.sum() > 0 else math.nan
        half = float(t_quantile(1 - self.study.settings.alpha / 2, np.array(df))) * math.sqrt(parts.sum())
        value = float(self.value[known, 0].mean())
        return {"change": value, "change_low": value - half, "change_high": value + half}


def own_changes(study: Study) -> OwnChanges:
    """Return the change of each group in each estimand; p are adjusted over the groups of an estimand's kind.

    Args:
        study: of changes: the baseline is the earlier evaluation.
    """
    from scipy.special import stdtr

    data, seen = study.data, study.logs if study.is_ratio else study.observed
    count = len(data.conditions)
    sums = np.array([data.sums(kind) for kind in range(6)])
    with np.errstate(invalid="ignore", divide="ignore"):
        after, before = sums[2] / sums[3], sums[4] / sums[5]
        if study.is_ratio:
            after, before = (np.log(np.maximum(sums[q], 0.5) / sums[q + 1]) for q in (2, 4))
        each = after - before
    value = np.full(seen.value.shape, np.nan)
    for k, item in enumerate(study.estimands.items):
        columns = [column - count for column in item.columns]
        there = np.isfinite(each[:, columns]).any(axis=1)
        value[there, k] = np.nanmean(each[there][:, columns], axis=1)
    se, df = np.sqrt(seen.own_variance), seen.own_df
    with np.errstate(invalid="ignore", divide="ignore"):
        p = 2 * stdtr(df, -np.abs(value / se))
    adjusted = np.full(p.shape, np.nan)
    for kind in set(study.estimands.kinds):
        part = study.estimands.kinds == kind
        adjusted[:, part] = holm(p[:, part].ravel()).reshape(p[:, part].shape)
    return OwnChanges(study, value, se, df, adjusted)


def _verdict(value: float, half: float, p: float, s: CompareSettings) -> str:
    smallest = math.log(s.smallest_ratio) if s.scale == "ratio" else s.smallest_gap
    if p <= s.alpha:
        return WORSE if value > 0 else BETTER
    if math.isfinite(half) and abs(value) + half < smallest:
        return SAME
    return UNKNOWN
