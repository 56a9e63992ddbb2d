"""Speakers whom the recogniser fails wholly: few of them carry a gap, and few recordings may miss them."""

from __future__ import annotations

import numpy as np

from roomtone.fairness.inference.counts import SpeakerCounts

#: How far above the median of their group a speaker's WER must be to count as one that fails wholly.
FAILS = 0.5


class Failing:
    """Finds the speakers whose rate lies `FAILS` or more above the median of their group.

    Args:
        data: counts by speaker.
    """

    def __init__(self, data: SpeakerCounts) -> None:
        self._data = data
        with np.errstate(invalid="ignore", divide="ignore"):
            self._rates = np.where(data.counts[1] > 0, data.counts[0] / data.counts[1], np.nan)
        self._inside = np.array([data.is_in(g) for g in range(len(data.groups))])
        self._found: dict[tuple[int, ...], tuple[np.ndarray, np.ndarray]] = {}

    def sides(self, group: int, other: int, conditions: tuple[int, ...]) -> tuple[tuple[int, float], tuple[int, float]]:
        """Return, of a group and of what it is compared with, how many speakers fail and the rate of those that do not.

        Args:
            group: number of the group.
            other: number of the other group; negative for all who are not in the group.
            conditions: numbers; a speaker's rate is the mean over those that they have.
        """
        if conditions not in self._found:
            self._found[conditions] = self._of(conditions)
        rate, fails = self._found[conditions]
        own = self._inside[group]
        rest = self._inside[other] if other >= 0 else ~own
        return _summary(rate, fails, own), _summary(rate, fails, rest)

    def _of(self, conditions: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        part = self._rates[:, list(conditions)]
        known = np.isfinite(part)
        count = known.sum(axis=1)
        rate = np.where(count > 0, np.where(known, part, 0.0).sum(axis=1) / np.maximum(1, count), np.nan)
        fails = np.zeros(len(rate), dtype=bool)
        for inside in self._inside:
            there = inside & (count > 0)
            if there.any():
                fails |= there & (rate >= np.median(rate[there]) + FAILS)
        return rate, fails


def _summary(rate: np.ndarray, fails: np.ndarray, side: np.ndarray) -> tuple[int, float]:
    fine = side & ~fails & np.isfinite(rate)
    return int((side & fails).sum()), float(rate[fine].mean()) if fine.any() else float("nan")
