"""Coverage in one number, three ways, because they differ.

* `progress`: the share of all goals that is reached, sum min(count, goal) / sum goal (OSVVM's GetCov);
* `covered`: the weighted share of cells whose goals are met in full (cocotb-coverage; a half-filled cell counts nothing);
* `all_covered`: whether every cell is covered (OSVVM's IsCovered).

On counts 10, 0, 5, 20 against goals of 10 these are 0.625, 0.5 and False. Shares are exact fractions of whole numbers, so
that a gate at 90 % is not passed by 89.5 % through rounding. A share of nothing is None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from roomtone.coverage.counting.goals import UNITS

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Figures:
    """The figures of a matrix.

    Attributes:
        cells: cells that have a goal.
        covered_cells: those that meet every goal they have.
        covered: weighted share of covered cells, exact; None where no cell has a goal or all weights are 0.
        progress: weighted mean over cells of the smallest min(count / goal, 1) over the units.
        units: unit -> (cells with a goal in it, cells that meet it, sum min(count, goal) / sum goal).
        margins: margins with a goal, and those that meet it.
        illegal: samples in illegal cells.
    """

    cells: int
    covered_cells: int
    covered: Fraction | None
    progress: float | None
    units: dict[str, tuple[int, int, float]] = field(default_factory=dict)
    margins: tuple[int, int] = (0, 0)
    illegal: int = 0

    @property
    def all_covered(self) -> bool:
        """Whether there are goals and every cell and margin meets its own."""
        some = self.cells + self.margins[0] > 0
        return some and self.covered_cells == self.cells and self.margins[0] == self.margins[1]


def matrix_figures(
    frame: pd.DataFrame, *, rest: pd.DataFrame | None = None, margins: tuple[int, int] = (0, 0), illegal: int = 0
) -> Figures:
    """Return the figures of a frame of `CoverageMatrix.to_frame`.

    Args:
        frame: one row a cell, with counts, goals, `covered_share` and `weight`.
        rest: cells without samples that are no rows, in groups of `cells` that have goals and weight in common.
        margins: margins that have a goal, and those that meet it.
        illegal: samples in illegal cells.
    """
    aimed = frame[frame["covered_share"].notna()]
    empty = None if rest is None or rest.empty else rest[rest["status"] == "empty"]
    weights = aimed["weight"].to_numpy(float)
    shares = aimed["covered_share"].to_numpy(float)
    times = [] if empty is None else [int(n) for n in empty["cells"]]
    rest_weights = [] if empty is None else empty["weight"].tolist()
    units = {}
    for unit in UNITS:
        goals = aimed[f"goal_{unit}"].to_numpy(float)
        counts = np.nan_to_num(aimed[unit].to_numpy(float))
        rest_goals = [] if empty is None else empty[f"goal_{unit}"].tolist()
        found = _unit_figures(counts[goals > 0], goals[goals > 0], rest_goals, times)
        if found is not None:
            units[unit] = found
    total = float(weights.sum()) + sum(n * w for n, w in zip(times, rest_weights))
    return Figures(
        cells=len(aimed) + sum(times),
        covered_cells=int((shares >= 1).sum()),
        covered=covered_share(shares >= 1, weights, uncovered=list(zip(times, rest_weights))),
        progress=float((weights * shares).sum()) / total if total > 0 else None,
        units=units,
        margins=margins,
        illegal=illegal,
    )


def _unit_figures(
    counts: np.ndarray, goals: np.ndarray, rest_goals: Sequence[float], times: Sequence[int]
) -> tuple[int, int, float] | None:
    """Return (cells with a goal in a unit, those that meet it, share of the goals reached), or None where none has one."""
    further = [(goal, n) for goal, n in zip(rest_goals, times) if goal > 0]
    cells = len(goals) + sum(n for _, n in further)
    if not cells:
        return None
    if not further:
        return cells, int((counts >= goals).sum()), goal_progress(counts, goals)
    asked = float(goals.sum()) + sum(goal * n for goal, n in further)
    return cells, int((counts >= goals).sum()), float(np.minimum(counts, goals).sum()) / asked


def percent_of_goal(count: float, goal: float) -> float:
    """Return 100 count / goal; a goal of 0 is met by anything, a negative one infinitely (OSVVM's PercentCov).

    Args:
        count: what there is.
        goal: what there should be.
    """
    if goal > 0:
        return 100.0 * count / goal
    return 100.0 if goal == 0 else math.inf


def goal_progress(
    counts: Sequence[float] | np.ndarray, goals: Sequence[float] | np.ndarray, target: float = 100.0
) -> float:
    """Return sum min(count, goal') / sum goal' with goal' = ceil(target goal / 100): OSVVM's GetCov as a share.

    Args:
        counts: what each cell holds.
        goals: what each should hold.
        target: share of the goals that is asked, in per cent.

    >>> goal_progress([10, 0, 5, 20], [10, 10, 10, 10])
    0.625
    """
    aims = np.asarray(goals, dtype=np.float64)
    if target != 100.0:
        aims = np.ceil(target * aims / 100.0)
    total = float(aims.sum())
    return float(np.minimum(np.asarray(counts, dtype=np.float64), aims).sum()) / total if total > 0 else 0.0


def covered_share(
    covered: Sequence[bool] | np.ndarray,
    weights: Sequence[float] | np.ndarray,
    *,
    uncovered: Sequence[tuple[int, float]] = (),
) -> Fraction | None:
    """Return the weighted share of covered cells as an exact fraction, None where there is no weight.

    Args:
        covered: which cells meet their goals.
        weights: weight of each cell, none negative.
        uncovered: further cells that are not covered, as (number of cells, their weight).

    >>> covered_share([True, False, False, True], [1, 1, 1, 1])
    Fraction(1, 2)
    """
    met = np.asarray(covered, dtype=bool)
    values, group = np.unique(np.asarray(weights, dtype=np.float64), return_inverse=True)
    exact = [exact_fraction(value) for value in values]
    total = sum((w * int((group == i).sum()) for i, w in enumerate(exact)), Fraction(0))
    reached = sum((w * int((met & (group == i)).sum()) for i, w in enumerate(exact)), Fraction(0))
    total += sum((n * exact_fraction(weight) for n, weight in uncovered), Fraction(0))
    return reached / total if total > 0 else None


def exact_fraction(value: float | int | str | Fraction) -> Fraction:
    """Return the number that was written, not its nearest binary one: 0.1 is one tenth."""
    return value if isinstance(value, Fraction) else Fraction(str(value))
