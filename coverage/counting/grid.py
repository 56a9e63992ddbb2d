"""The grid: every combination of the axes' values with its counts and goals, samples or none.

A combination that nobody has rendered is a row like any other, with zeros: what is missing can only be seen against what
could be there. An axis' values are those seen and those the goals name. Where there are more combinations than anybody lists, only
those that hold samples are rows, and the others are counted by what they have in common: their goals and their weight.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.counting.cells import count_cells
from roomtone.coverage.counting.goals import UNITS, WHOLE, CellGoals, Cells, Goals, cell_goals
from roomtone.coverage.counting.source import OpenSource

if TYPE_CHECKING:
    import pandas as pd

#: Up to so many cells each of them is a row; beyond, those that hold samples.
DENSE_CELLS = 1_000_000
#: Kinds of cells (values that the same rules name) beyond which the goals are too many to be counted so.
_MAX_KINDS = 1_000_000


@dataclass(frozen=True)
class Grid:
    """Axes, their values in order, and one row a cell in row-major order of the values.

    Attributes:
        axes: the axes.
        levels: the values of each.
        frame: the cells: all of them, or those that hold samples.
        codes: number of each cell's value on every axis [shape=(rows of frame, axes)].
        rest: cells that are no rows, in groups: `cells`, `weight`, `goal_*`, `status`; None where all are rows.
    """

    axes: tuple[Axis, ...]
    levels: tuple[tuple[str, ...], ...]
    frame: pd.DataFrame
    codes: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    rest: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        if not self.codes.size and len(self.frame) == self.size:  # every cell is a row, in row-major order
            shape = [len(values) for values in self.levels]
            every = np.stack(np.unravel_index(np.arange(self.size), shape), axis=1).astype(np.int64)
            object.__setattr__(self, "codes", every)

    @property
    def names(self) -> list[str]:
        """Return the axes' column names."""
        return [axis.column for axis in self.axes]

    @property
    def size(self) -> int:
        """Return the number of combinations."""
        return math.prod(len(values) for values in self.levels)

    @property
    def dense(self) -> bool:
        """Whether every combination is a row."""
        return len(self.frame) == self.size

    @property
    def cells(self) -> Cells:
        """Return the rows as cells of the axes."""
        return Cells(self.axes, self.levels, self.codes)

    def array(self, column: str) -> np.ndarray:
        """Return a column of the frame on the grid [shape=(values of axis 0, values of axis 1, …)].

        Raises:
            RoomtoneError: the grid has too many combinations for that.
        """
        if not self.dense:
            raise RoomtoneError(
                f"axes: {self.shape_text()}; only those that hold samples are listed; drop an axis or bin it"
            )
        return self.frame[column].to_numpy().reshape([len(values) for values in self.levels])

    def shape_text(self) -> str:
        """Return the size of the grid as text, e.g. `3 accent x 4 condition make 12 cells`."""
        sizes = " x ".join(f"{len(values):,} {name}" for name, values in zip(self.names, self.levels))
        return f"{sizes} make {self.size:,} cells"

    def empty_cells(self) -> int:
        """Return how many cells that have a goal are no rows, since they hold no sample; 0 where every cell is a row."""
        return 0 if self.rest is None else sum(int(n) for n in self.rest["cells"][self.rest["status"] == "empty"])

    def slice_of(self, axis: str, value: str) -> Grid:
        """Return the part of a grid that has one value of an axis, over the other axes.

        Args:
            axis: the axis' column.
            value: one of its values.
        """
        along = self.names.index(axis)
        rest = [i for i in range(len(self.axes)) if i != along]
        kept = self.codes[:, along] == self.levels[along].index(value)
        return Grid(
            tuple(self.axes[i] for i in rest),
            tuple(self.levels[i] for i in rest),
            self.frame[kept],
            self.codes[kept][:, rest],
        )


def count_grid(
    source: OpenSource, axes: Sequence[Axis], goals: Goals, extra: Mapping[str, Sequence[str]] | None = None
) -> Grid:
    """Return the grid of a source, counted; `extra` names further values of an axis.

    Args:
        source: an open source.
        axes: 1 to 6 axes.
        goals: values that they name are on the grid too.
        extra: further values of an axis, by its column.
    """
    counts = count_cells(source, axes)
    levels = []
    for i, axis in enumerate(axes):
        declared = [*goals.declared(axis.column), *map(str, (extra or {}).get(axis.column, ())), *axis.bins()]
        levels.append(tuple(axis.order([*counts[f"axis_{i}"], *declared])))
    return _grid(counts, tuple(axes), tuple(levels))


def _grid(counts: pd.DataFrame, axes: tuple[Axis, ...], levels: tuple[tuple[str, ...], ...]) -> Grid:
    import pandas as pd

    shape = [len(values) for values in levels]
    size = math.prod(shape)
    seen = [pd.Index(values).get_indexer(pd.Index(counts[f"axis_{i}"])) for i, values in enumerate(levels)]
    # whole numbers of any size: products of six axes may be beyond 64 bits
    if size <= DENSE_CELLS:
        flat = np.ravel_multi_index(seen, shape) if size else np.zeros(0, dtype=np.int64)
        codes = np.stack(np.unravel_index(np.arange(size), shape), axis=1).astype(np.int64)
    else:
        order = np.lexsort(seen[::-1])
        codes = np.stack(seen, axis=1)[order].astype(np.int64)
        flat = np.argsort(order)
    columns: dict[str, np.ndarray] = {}
    for i, (axis, values) in enumerate(zip(axes, levels)):
        columns[axis.column] = np.array(values, dtype=object)[codes[:, i]]
    for unit in [*UNITS, "distinct_words"]:
        values_seen = counts[unit].to_numpy(float)
        whole = unit != "minutes" and not np.isnan(values_seen).any()
        column = np.zeros(len(codes), dtype=np.int64 if whole else np.float64)
        column[flat] = counts[unit].to_numpy(np.int64) if whole else values_seen
        columns[unit] = column
    for name in ("kish_speakers", "cluster_words"):
        column = np.full(len(codes), np.nan)
        column[flat] = counts[name].to_numpy(float)
        columns[name] = column
    return Grid(axes, levels, pd.DataFrame(columns), codes)


def with_goals(grid: Grid, goals: Goals) -> Grid:
    """Return the grid with `goal_*`, `status`, `covered_share`, effective sizes and `weight` beside the counts.

    Status: `covered`, `partial`, `empty` (of a cell with a goal), `no goal`, `ignored`, `illegal`. `covered_share` is
    the smallest min(count / goal, 1) over the units, and null where there is no goal.

    Args:
        grid: the counts.
        goals: what cells must hold.

    Raises:
        RoomtoneError: the grid is too large for these goals.
    """
    laid = cell_goals(goals, grid.cells)
    frame = goal_columns(grid.frame[grid.names + list(UNITS)].copy(), laid.amounts)
    frame.loc[laid.ignored, "status"] = "ignored"
    frame.loc[laid.illegal, "status"] = "illegal"
    # design effect 1 + (m~ - 1) rho, never below 1
    deff = 1 + np.maximum(grid.frame["cluster_words"].to_numpy() - 1, 0) * goals.rho
    frame["speakers_effective"] = grid.frame["kish_speakers"]
    frame["words_effective"] = grid.frame["distinct_words"] / deff
    frame["weight"] = laid.weight
    return Grid(grid.axes, grid.levels, frame, grid.codes, _rest(grid, goals))


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
        counts = np.nan_to_num(frame[unit].to_numpy(float))  # what is not stated reaches no goal
        # count >= goal is decided on the numbers themselves, not on their rounded quotient
        reached = np.where(counts >= goal, 1.0, np.minimum(counts / np.where(goal > 0, goal, 1), np.nextafter(1, 0)))
        share = np.minimum(share, np.where(goal > 0, reached, np.inf))
    aimed = np.isfinite(share)
    partial = np.where(frame["renders"].to_numpy() > 0, "partial", "empty")
    status = np.where(share >= 1, "covered", partial).astype(object)
    status[~aimed] = "no goal"
    frame["status"] = status
    frame["covered_share"] = np.where(aimed, share, np.nan)
    return frame


def _rest(grid: Grid, goals: Goals) -> pd.DataFrame | None:
    """Return the cells that are no rows, grouped by the kinds of their values: those that the same rules name alike."""
    if grid.dense:
        return None
    kinds = [_kinds(goals, grid, i) for i in range(len(grid.axes))]
    if math.prod(int(kind.max()) + 1 for kind in kinds) > _MAX_KINDS:
        raise RoomtoneError(f"axes: {grid.shape_text()}, too many for goals of so many rules; drop an axis")
    combined = np.array(list(itertools.product(*(range(int(kind.max()) + 1) for kind in kinds))), dtype=np.int64)
    sizes = [np.bincount(kind) for kind in kinds]
    counts = [math.prod(int(sizes[i][k]) for i, k in enumerate(row)) for row in combined.tolist()]
    own = np.stack([kind[grid.codes[:, i]] for i, kind in enumerate(kinds)], axis=1)
    shape = [len(size) for size in sizes]
    listed = np.bincount(np.ravel_multi_index(tuple(own.T), shape), minlength=len(combined))
    first = np.stack([np.unique(kind, return_index=True)[1][combined[:, i]] for i, kind in enumerate(kinds)], axis=1)
    laid = cell_goals(goals, Cells(grid.axes, grid.levels, first))
    return _grouped([n - int(m) for n, m in zip(counts, listed)], laid)


def _grouped(counts: list[int], laid: CellGoals) -> pd.DataFrame:
    import pandas as pd

    aimed = np.any([laid.amounts[unit] > 0 for unit in UNITS], axis=0)
    status = np.where(laid.illegal, "illegal", np.where(laid.ignored, "ignored", np.where(aimed, "empty", "no goal")))
    frame = pd.DataFrame({"cells": pd.Series(counts, dtype=object), "weight": laid.weight})
    for unit in UNITS:
        frame[f"goal_{unit}"] = laid.amounts[unit]
    frame["status"] = status
    return frame[frame["cells"] > 0].reset_index(drop=True)


def _kinds(goals: Goals, grid: Grid, axis: int) -> np.ndarray:
    """Return for each value of an axis a number that values have in common where every rule treats them alike."""
    column = grid.axes[axis].column
    rules = [*goals.cells, *goals.weights, *goals.ignore, *goals.illegal]
    every = Cells((grid.axes[axis],), (grid.levels[axis],), np.arange(len(grid.levels[axis]), dtype=np.int64)[:, None])
    named = [every.named_by(type(rule)({column: rule.where[column]})) for rule in rules if column in rule.where]
    # an exact name wins over a wildcard among weights, so each value that has one is a kind of its own
    exact = {rule.where[column][0]: i for i, rule in enumerate(goals.weights, 1) if column in rule.where}
    own = np.array([exact.get(value, 0) for value in grid.levels[axis]])
    signature = np.stack([*named, every.unstated(), own], axis=1)
    found: np.ndarray = np.unique(signature, axis=0, return_inverse=True)[1].reshape(-1)
    return found
