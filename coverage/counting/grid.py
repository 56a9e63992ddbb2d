"""The grid: every combination of the axes' values with its counts and goals, samples or none.

A combination that nobody has rendered is a row like any other, with zeros: what is missing can only be seen against what
could be there. An axis' values are those seen and those the goals name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.counting.cells import count_cells
from roomtone.coverage.counting.goals import UNITS, WHOLE, Goals, cell_goals
from roomtone.coverage.counting.source import OpenSource

if TYPE_CHECKING:
    import pandas as pd

#: More cells than this are a mistake in the axes (an id column, a number without bins).
MAX_CELLS = 5_000_000


@dataclass(frozen=True)
class Grid:
    """Axes, their values in order, and one row a cell in row-major order of the values."""

    axes: tuple[Axis, ...]
    levels: tuple[tuple[str, ...], ...]
    frame: pd.DataFrame

    @property
    def names(self) -> list[str]:
        """Return the axes' column names."""
        return [axis.column for axis in self.axes]

    def array(self, column: str) -> np.ndarray:
        """Return a column of the frame on the grid [shape=(values of axis 0, values of axis 1, …)]."""
        return self.frame[column].to_numpy().reshape([len(values) for values in self.levels])


def count_grid(
    source: OpenSource, axes: Sequence[Axis], goals: Goals, extra: Mapping[str, Sequence[str]] | None = None
) -> Grid:
    """Return the grid of a source, counted; `extra` names further values of an axis.

    Args:
        source: an open source.
        axes: 1 to 6 axes.
        goals: values that they name are on the grid too.
        extra: further values of an axis, by its column.

    Raises:
        RoomtoneError: more than `MAX_CELLS` cells.
    """
    counts = count_cells(source, axes)
    levels = []
    for i, axis in enumerate(axes):
        declared = [*goals.declared(axis.column), *map(str, (extra or {}).get(axis.column, ())), *axis.bins()]
        levels.append(tuple(axis.order([*counts[f"axis_{i}"], *declared])))
    cells = int(np.prod([len(values) for values in levels], dtype=np.int64))
    if cells > MAX_CELLS:
        sizes = " x ".join(f"{len(values)} {axis.column}" for axis, values in zip(axes, levels))
        raise RoomtoneError(
            f"axes: {sizes} make {cells:,} cells, more than {MAX_CELLS:,}; bin a number or drop an axis"
        )
    return Grid(tuple(axes), tuple(levels), _dense(counts, axes, levels))


def _dense(counts: pd.DataFrame, axes: Sequence[Axis], levels: Sequence[Sequence[str]]) -> pd.DataFrame:
    import pandas as pd

    shape = [len(values) for values in levels]
    size = int(np.prod(shape, dtype=np.int64))
    codes = [pd.Index(values).get_indexer(pd.Index(counts[f"axis_{i}"])) for i, values in enumerate(levels)]
    flat = np.ravel_multi_index(codes, shape) if size else np.zeros(0, dtype=np.int64)
    columns: dict[str, np.ndarray] = {}
    places = np.unravel_index(np.arange(size), shape)
    for axis, values, place in zip(axes, levels, places):
        columns[axis.column] = np.array(values, dtype=object)[place]
    for unit in [*UNITS, "distinct_words"]:
        column = np.zeros(size, dtype=np.float64 if unit == "minutes" else np.int64)
        column[flat] = counts[unit].to_numpy()
        columns[unit] = column
    for name in ("kish_speakers", "cluster_words"):
        column = np.full(size, np.nan)
        column[flat] = counts[name].to_numpy(float)
        columns[name] = column
    return pd.DataFrame(columns)


def with_goals(grid: Grid, goals: Goals) -> Grid:
    """Return the grid with `goal_*`, `status`, `covered_share`, effective sizes and `weight` beside the counts.

    Status: `covered`, `partial`, `empty` (of a cell with a goal), `no goal`, `ignored`, `illegal`. `covered_share` is
    the smallest min(count / goal, 1) over the units, and null where there is no goal.

    Args:
        grid: the counts.
        goals: what cells must hold.
    """
    laid = cell_goals(goals, grid.axes, grid.levels)
    frame = goal_columns(grid.frame[grid.names + list(UNITS)].copy(), {u: a.ravel() for u, a in laid.amounts.items()})
    ignored, illegal = laid.ignored.ravel(), laid.illegal.ravel()
    frame.loc[ignored, "status"] = "ignored"
    frame.loc[illegal, "status"] = "illegal"
    # design effect 1 + (m~ - 1) rho, never below 1
    deff = 1 + np.maximum(grid.frame["cluster_words"].to_numpy() - 1, 0) * goals.rho
    frame["speakers_effective"] = grid.frame["kish_speakers"]
    frame["words_effective"] = grid.frame["distinct_words"] / deff
    frame["weight"] = laid.weight.ravel()
    return Grid(grid.axes, grid.levels, frame)


def goal_columns(frame: pd.DataFrame, amounts: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return the frame with `goal_*`, `status` and `covered_share` beside its counts.

    Args:
        frame: counts, one row a cell.
        amounts: for each unit what each row must hold, 0 where nothing [shape=(rows,)].
    """
    share = np.full(len(frame), np.inf)
    for unit in UNITS:
        goal = amounts[unit]
        frame[f"goal_{unit}"] = goal.astype(np.int64) if unit in WHOLE else goal
        counts = frame[unit].to_numpy(float)
        # count >= goal is decided on the numbers themselves, not on their rounded quotient
        reached = np.where(counts >= goal, 1.0, np.minimum(counts / np.where(goal > 0, goal, 1), np.nextafter(1, 0)))
        share = np.minimum(share, np.where(goal > 0, reached, np.inf))
    aimed = np.isfinite(share)
    status = np.where(share >= 1, "covered", np.where(frame["renders"].to_numpy() > 0, "partial", "empty")).astype(
        object
    )
    status[~aimed] = "no goal"
    frame["status"] = status
    frame["covered_share"] = np.where(aimed, share, np.nan)
    return frame
