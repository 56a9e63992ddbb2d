"""Axes: the manifest columns that span the cells, text as it is or numbers in bins.

Conventions: bins are half-open, `[low, high)`, and the last one holds its upper edge too, as in `numpy.histogram`; they are
written `low..high`, values outside them `<low` and `>high`. A text that is missing is `(not stated)`, a factor or
number that is missing is `none`. An accent such as `scottish|irish` counts in both of its parts, once each.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.vocabulary import FACTORS, NONE, NOT_STATED

MAX_AXES = 6

#: Axes that rendering decides; every other axis belongs to the speech and can only be recorded.
RENDERED = frozenset(
    {"condition", *FACTORS, "snr_db", "equipment_snr_db", "t60_s", "replicate", "seed", "active_level_dbov"}
)


@dataclass(frozen=True)
class Axis:
    """One axis: a manifest column, and edges in the column's unit where it is a number to be binned."""

    column: str
    edges: tuple[float, ...] = ()

    @property
    def rendered(self) -> bool:
        """Whether rendering can fill a gap along this axis."""
        return self.column in RENDERED or self.column.startswith("measured_") or self.column.endswith("_asset")

    @property
    def missing(self) -> str:
        """The value shown for a null in this column."""
        return NONE if self.edges or self.column in FACTORS else NOT_STATED

    def bins(self) -> list[str]:
        """Return the names of the bins between the edges, in order; none for a text axis."""
        return [f"{_number(low)}..{_number(high)}" for low, high in zip(self.edges, self.edges[1:])]

    def sql(self) -> str:
        """Return the SQL expression that gives this axis' value as text, never null."""
        column = identifier(self.column)
        if not self.edges:
            return f"coalesce(nullif(CAST({column} AS VARCHAR), ''), {literal(self.missing)})"
        first, last = self.edges[0], self.edges[-1]
        cases = [f"WHEN {column} IS NULL OR isnan({column}) THEN {literal(self.missing)}"]
        cases.append(f"WHEN {column} < {first!r} THEN {literal('<' + _number(first))}")
        for name, high in zip(self.bins(), self.edges[1:]):
            cases.append(f"WHEN {column} {'<=' if high == last else '<'} {high!r} THEN {literal(name)}")
        return f"CASE {' '.join(cases)} ELSE {literal('>' + _number(last))} END"

    def order(self, values: Iterable[str]) -> list[str]:
        """Return the values in the order in which a reader looks for them: clean and none first, not stated last."""
        bins = [f"<{_number(self.edges[0])}", *self.bins(), f">{_number(self.edges[-1])}"] if self.edges else []
        rank = {name: i for i, name in enumerate(bins)}
        first = {"clean": 0, NONE: 1, "recorded": 2}

        def key(value: str) -> tuple[Any, ...]:
            return (value == NOT_STATED, first.get(value, 9), rank.get(value, 0), _natural(value), value)

        return sorted(set(values), key=key)


def parse_axes(axes: Any) -> tuple[Axis, ...]:
    """Return the axes that `axes` names: a column, `{column: [edges]}`, an `Axis`, or a list of such, 1 to 6 of them.

    Raises:
        RoomtoneError: none or too many, one repeated, or edges that do not rise.
    """
    listed = [axes] if isinstance(axes, str | Axis | Mapping) else list(axes)
    parsed = tuple(axis for item in listed for axis in _parse(item))
    if not 1 <= len(parsed) <= MAX_AXES:
        raise RoomtoneError(f"axes: expected 1 to {MAX_AXES} axes, got {len(parsed)}")
    names = [axis.column for axis in parsed]
    if len(set(names)) < len(names):
        raise RoomtoneError(f"axes: {', '.join(names)}: an axis is repeated")
    return parsed


def _parse(item: Any) -> list[Axis]:
    if isinstance(item, Axis):
        return [item]
    if isinstance(item, str):
        return [Axis(item)]
    if not isinstance(item, Mapping):
        raise RoomtoneError(f"axes: expected a column or {{column: [edges]}}, got {item!r}")
    axes = []
    for column, edges in item.items():
        try:
            numbers = tuple(float(edge) for edge in edges)
        except (TypeError, ValueError) as error:
            raise RoomtoneError(f"axes, {column}: expected a list of numbers as bin edges, got {edges!r}") from error
        if len(numbers) < 2 or any(low >= high for low, high in itertools.pairwise(numbers)):
            raise RoomtoneError(f"axes, {column}: bin edges must be at least two and rise, got {list(numbers)}")
        axes.append(Axis(str(column), numbers))
    return axes


def check_columns(axes: Sequence[Axis], columns: Sequence[str], *, where: str) -> None:
    """Raise a RoomtoneError that names the nearest column if an axis is not a column.

    Args:
        axes: the axes.
        columns: the columns that there are.
        where: the source, for the message.

    Raises:
        RoomtoneError: an axis is none of the columns.
    """
    for axis in axes:
        if axis.column not in columns:
            raise RoomtoneError(f"{where}: no column {axis.column!r} for an axis; {nearest(axis.column, columns)}")


def identifier(name: str) -> str:
    """Return a column name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"


def _number(value: float) -> str:
    return f"{value:g}"


def _natural(text: str) -> list[tuple[int, float, str]]:
    """Return a sort key in which 5dB comes before 10dB."""
    return [(0, float(p), "") if p.isdigit() else (1, 0.0, p) for p in re.split(r"(\d+)", text) if p]
