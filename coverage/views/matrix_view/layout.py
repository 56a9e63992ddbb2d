"""Rows, columns and the header's factors of a matrix, found from its grid and its source.

The first axis runs downwards, all others across: a column is one combination of their values. Where an axis is `condition`,
the factors that the manifest states for each condition are rows of the header; any other axis is a row of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roomtone.core.vocabulary import FACTORS, NONE
from roomtone.coverage.counting.axes import Axis, identifier
from roomtone.coverage.counting.grid import Grid
from roomtone.coverage.counting.source import OpenSource
from roomtone.coverage.views.matrix_view.contract import Factor

#: The condition that every other one is compared with.
BASELINE = "clean"
UNKNOWN_LEVEL = "(not known)"


@dataclass(frozen=True)
class HeaderFactor:
    """A row of the header and the axis whose values it shows."""

    axis: Axis
    factor: Factor


@dataclass(frozen=True)
class Layout:
    """Rows and columns of a matrix: `columns` holds the values of the axes across, one tuple a column."""

    row_axis: Axis
    row_names: tuple[str, ...]
    across: tuple[Axis, ...]
    columns: tuple[tuple[str, ...], ...]
    header: tuple[HeaderFactor, ...]

    @property
    def column_names(self) -> list[str]:
        """Return the columns' names; the values of several axes are joined."""
        return [" × ".join(values) for values in self.columns]

    @property
    def column_axis(self) -> str:
        """Return the name of what runs across."""
        return " × ".join(axis.column for axis in self.across) or "set"

    @property
    def factors(self) -> list[Factor]:
        """Return the header's rows."""
        return [row.factor for row in self.header]

    @property
    def baseline(self) -> int | None:
        """Return the index of the clean column, where conditions are all that runs across."""
        named = self.columns.index((BASELINE,)) if (BASELINE,) in self.columns else None
        return named if [axis.column for axis in self.across] == ["condition"] else None


def lay_out(grid: Grid, source: OpenSource) -> Layout:
    """Return the layout of a grid; the source says which factor levels each condition has.

    Args:
        grid: counted.
        source: open, from which the grid was counted.
    """
    across = grid.axes[1:]
    columns = tuple(itertools.product(*grid.levels[1:])) if across else (("all",),)
    header: list[HeaderFactor] = []
    for i, axis in enumerate(across):
        values = [column[i] for column in columns]
        known = [name for name in FACTORS if name in source.columns]
        if axis.column == "condition" and known:
            header += _condition_factors(values, known, source)
        else:
            header.append(_factor(axis, values, grid.levels[i + 1]))
    if not across:
        header.append(_factor(Axis("set"), ["all"], ["all"]))
    return Layout(grid.axes[0], grid.levels[0], across, columns, tuple(header))


def _factor(axis: Axis, values: Sequence[str], levels: Sequence[str]) -> HeaderFactor:
    place = {level: i for i, level in enumerate(levels)}
    return HeaderFactor(axis, Factor(axis.column, list(levels), [place[value] for value in values]))


def _condition_factors(conditions: Sequence[str], factors: Sequence[str], source: OpenSource) -> list[HeaderFactor]:
    """Return a row for each factor that has another level than `none`; a plain row of names where the factors say nothing."""
    levels_of = condition_levels(source, factors)
    seen = {f: [levels[i] for levels in levels_of.values()] for i, f in enumerate(factors)}
    known = {f: set(levels) for f, levels in seen.items()}
    rows = [levels_of.get(c) or levels_in_name(c, factors, known) for c in conditions]
    header = []
    for i, name in enumerate(factors):
        axis = Axis(name)
        values = [row[i] for row in rows]
        if set(values) != {NONE}:
            header.append(_factor(axis, values, axis.order(values)))
    if not header or len(set(rows)) < len(set(conditions)):  # the factors do not tell the conditions apart
        axis = Axis("condition")
        header.append(_factor(axis, conditions, list(dict.fromkeys(conditions))))
    return header


def condition_levels(source: OpenSource, factors: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return condition -> level of each factor, for the conditions whose rows agree on it.

    Args:
        source: an open source.
        factors: columns of the source.
    """
    listed = ", ".join(f"{Axis(name).sql()} AS {identifier(name)}" for name in factors)
    rows = source.connection.execute(
        f"SELECT DISTINCT {Axis('condition').sql()} AS named, {listed} FROM {source.relation} ORDER BY ALL"
    ).fetchall()
    found: dict[str, tuple[str, ...]] = {}
    twice = set()
    for condition, *levels in rows:
        if condition in found:
            twice.add(condition)
        found[condition] = tuple(map(str, levels))
    return {condition: levels for condition, levels in found.items() if condition not in twice}


def levels_in_name(name: str, factors: Sequence[str], known: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Return the levels that a condition's name states, for a condition that no sample has.

    Args:
        name: of the condition, levels joined by `+`.
        factors: in the order in which a name has them.
        known: factor -> its levels.

    >>> levels_in_name("ward+gsm", ["room", "handset"], {"room": {"ward"}, "handset": {"gsm"}})
    ('ward', 'gsm')
    """
    if name == BASELINE:
        return tuple(NONE for _ in factors)
    left = name.split("+")
    levels = []
    for factor in factors:
        named = next((part for part in left if part in known.get(factor, ())), None)
        if named is not None:
            left.remove(named)
        levels.append(named or NONE)
    return tuple(levels) if not left else tuple(UNKNOWN_LEVEL for _ in factors)


def cell_numbers(layout: Layout) -> Callable[[Mapping[Any, Any]], int]:
    """Return a function from a row with `axis_0 …` to its cell's number, row by row."""
    down = {name: i for i, name in enumerate(layout.row_names)}
    across = {values: i for i, values in enumerate(layout.columns)}

    def number(row: Mapping[Any, Any]) -> int:
        values = tuple(row[f"axis_{i + 1}"] for i in range(len(layout.across))) or ("all",)
        return down[row["axis_0"]] * len(across) + across[values]

    return number
