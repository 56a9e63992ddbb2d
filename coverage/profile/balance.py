"""The balance of another attribute inside each cell, such as gender or age as speakers state it, as a figure and as a goal.

Shares are those of distinct speakers among those who state the attribute; who states nothing is counted apart. A cell in which nobody
states it has no share, and meets no goal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.coverage.counting.axes import Axis, identifier
from roomtone.coverage.counting.cells import axis_columns, has_several_accents
from roomtone.coverage.counting.goals import matches
from roomtone.coverage.counting.source import OpenSource

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class BalanceGoal:
    """Of the speakers of every cell who state a column, at least the share `least` have one of the values."""

    column: str
    values: tuple[str, ...]
    least: float


def cell_balance(source: OpenSource, axes: Sequence[Axis], column: str) -> pd.DataFrame:
    """Return one row a cell and value of an attribute.

    Args:
        source: an open source.
        axes: the axes of the matrix.
        column: the attribute, e.g. `attr_gender`.

    Returns:
        the axes, `value`, `speakers` (distinct), `share` (of those who state it; NaN for `(not stated)`).

    Raises:
        RoomtoneError: no such column, or one of the axes.
    """
    if column not in source.columns:
        raise RoomtoneError(f"balance: no column {column!r}; {nearest(column, source.columns)}")
    if column in [axis.column for axis in axes]:
        raise RoomtoneError(f"balance: {column!r} is an axis, so that each cell has one value of it")
    listed = axis_columns(source, axes, multi=has_several_accents(source, axes))
    keys = ", ".join(f"axis_{i}" for i in range(len(axes)))
    frame = source.connection.execute(
        f"""SELECT {keys}, nullif(trim(CAST(value AS VARCHAR)), '') AS value, count(DISTINCT speaker) AS speakers
        FROM (SELECT {listed}, {identifier(column)} AS value, {source.column("speaker")} AS speaker FROM {source.relation})
        WHERE speaker IS NOT NULL GROUP BY ALL ORDER BY ALL"""
    ).df()
    names = [f"axis_{i}" for i in range(len(axes))]
    stated = frame[frame["value"].notna()].groupby(names)["speakers"].transform("sum")
    frame["share"] = frame["speakers"] / stated
    frame["value"] = frame["value"].fillna("(not stated)")
    renamed: pd.DataFrame = frame.rename(columns={f"axis_{i}": axis.column for i, axis in enumerate(axes)})
    return renamed


def check_balance(source: OpenSource, axes: Sequence[Axis], goal: BalanceGoal) -> pd.DataFrame:
    """Return one row a cell that holds samples: whether it meets a goal of balance.

    Args:
        source: an open source.
        axes: the axes of the matrix.
        goal: the goal.

    Returns:
        the axes, `column`, `values`, `share`, `least`, `met`.
    """
    frame = cell_balance(source, axes, goal.column)
    names = [axis.column for axis in axes]
    among = frame["value"].map(lambda value: matches(value, goal.values)) & frame["share"].notna()
    shares = frame.assign(part=frame["share"].where(among, 0.0), stated=frame["share"].notna()).groupby(
        names, as_index=False
    )
    found = shares.agg(share=("part", "sum"), stated=("stated", "any"))
    found["share"] = found["share"].where(found["stated"])
    found["column"], found["values"], found["least"] = goal.column, "|".join(goal.values), goal.least
    found["met"] = found["share"].fillna(-1.0) >= goal.least - 1e-12
    return found[[*names, "column", "values", "share", "least", "met"]]


def parse_balance(value: Any) -> tuple[BalanceGoal, ...]:
    """Return the goals of a list such as `[{attr_gender: female, least: 0.4}]`.

    Raises:
        RoomtoneError: not of this form, or a share beyond 0 to 1.
    """
    listed = value if isinstance(value, Sequence) and not isinstance(value, str) else None
    if listed is None or not all(isinstance(item, dict) for item in listed):
        raise RoomtoneError(f"balance: expected a list such as [{{attr_gender: female, least: 0.4}}], got {value!r}")
    goals = []
    for i, item in enumerate(listed):
        columns = [key for key in item if key != "least"]
        least = item.get("least")
        if len(columns) != 1 or isinstance(least, bool) or not isinstance(least, int | float) or not 0 <= least <= 1:
            raise RoomtoneError(
                f"balance[{i}]: expected one column with its values, and least from 0 to 1, got {item!r}"
            )
        wanted = item[columns[0]]
        values = tuple(map(str, wanted if isinstance(wanted, list | tuple) else [wanted]))
        goals.append(BalanceGoal(str(columns[0]), values, float(least)))
    return tuple(goals)
