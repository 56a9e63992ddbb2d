"""What is compared: accents over all conditions, conditions, factor levels, cells; together they are one family of tests.

An estimand is the equally weighted mean of columns; column c is the gap in condition c, column C + c the difference of gaps between
condition c and the baseline. Accents are compared by their gap over all conditions, conditions and levels by differences of gaps (what they
cost one group beyond what they cost the others), and the baseline's cell by its gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

ACCENT, LEVEL, CELL, CONDITION = "accent", "level", "cell", "condition"
ALL_CONDITIONS = "all conditions"
#: Share of the family's alpha that each kind of test gets; those of kinds that a study lacks go to the others. A large grid would
#: otherwise take nearly all of it from the accents, although theirs is the first question.
WEIGHTS: Mapping[str, float] = {ACCENT: 0.4, CONDITION: 0.08, LEVEL: 0.15, CELL: 0.37}


@dataclass(frozen=True)
class Estimand:
    """One comparison: its kind, its label (a condition, or a factor's level), its columns, and whether it is tested.

    `kind` is null for what is only estimated.
    """

    kind: str | None
    label: str
    columns: tuple[int, ...]
    factor: str | None = None


@dataclass(frozen=True)
class Estimands:
    """All estimands of a study in one order, with the arrays that the compiled statistics take."""

    items: tuple[Estimand, ...]

    @property
    def starts(self) -> np.ndarray:
        """Return where the columns of each estimand begin [shape=(estimands + 1,)]."""
        return np.cumsum([0, *(len(item.columns) for item in self.items)]).astype(np.int64)

    @property
    def columns(self) -> np.ndarray:
        """Return the columns of all estimands, one after the other [shape=(sum of sizes,)]."""
        return np.array([column for item in self.items for column in item.columns], dtype=np.int64)

    @property
    def kinds(self) -> np.ndarray:
        """Return the kind of each estimand, the empty text where it is not tested [shape=(estimands,)]."""
        return np.array([item.kind or "" for item in self.items])

    @property
    def numbers(self) -> dict[tuple[int, ...], int]:
        """Return the number of each estimand by its columns."""
        return {item.columns: k for k, item in enumerate(self.items)}

    def means(self, rates: np.ndarray) -> np.ndarray:
        """Return the mean of each group's known rates over the conditions of each estimand; NaN where it has none [shape=(groups, estimands)].

        Args:
            rates: of each condition, NaN where there is none [shape=(groups, conditions)].
        """
        known = np.isfinite(rates)
        filled = np.where(known, rates, 0.0)
        columns = [[c % rates.shape[1] for c in item.columns] for item in self.items]
        with np.errstate(invalid="ignore"):
            return np.array([filled[:, c].sum(axis=1) / known[:, c].sum(axis=1) for c in columns]).T


def make_estimands(
    conditions: Sequence[str], levels: Mapping[tuple[str, str], Sequence[int]], *, cells: bool = True
) -> Estimands:
    """Return the estimands of a study.

    The first is that over all conditions, then one a condition in their order.

    Args:
        conditions: names, the baseline first.
        levels: (factor, level) -> the conditions that have it, by number; without the baseline.
        cells: test cells and levels too, not accents alone.
    """
    count = len(conditions)
    every, beyond = tuple(range(count)), tuple(range(count + 1, 2 * count))
    kind = CELL if cells else None
    found: dict[tuple[int, ...], Estimand] = {every: Estimand(ACCENT, ALL_CONDITIONS, every)}
    for c, name in enumerate(conditions):
        columns: tuple[int, ...] = (count + c,) if c else (0,)
        found.setdefault(columns, Estimand(kind, name, columns))
    found.setdefault(beyond, Estimand(None, ALL_CONDITIONS, beyond))
    for (factor, level), members in levels.items():
        columns = tuple(count + c for c in members)
        found.setdefault(columns, Estimand(LEVEL if cells else None, level, columns, factor))
    for columns in list(found):  # the gap beside each difference of gaps
        own = tuple(c - count if c >= count else c for c in columns)
        found.setdefault(own, Estimand(None, found[columns].label, own, found[columns].factor))
    found.pop((), None)
    return Estimands(tuple(found.values()))
