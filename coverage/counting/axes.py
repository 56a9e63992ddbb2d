"""Axes: the manifest columns that span the cells, text as it is or numbers in bins.

Conventions: bins are half-open, `[low, high)`, and the last one holds its upper edge too, as in `numpy.histogram`; they are
written `low..high`, values outside them `<low` and `>high`. A text that is missing is `(not stated)`, a factor or
number that is missing is `none`. An accent such as `scottish|irish` counts in both of its parts, once each; white space and
empty parts around the separator are no accents.
"""

from __future__ import annotations

import itertools
import math
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roomtone.core.bounded.regular_files import one_file
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.vocabulary import ACCENT_SEPARATOR, FACTORS, NONE, NOT_STATED

MAX_AXES = 6

#: Axes that rendering decides; every other axis belongs to the speech and can only be recorded.
RENDERED = frozenset(
    {"condition", *FACTORS, "snr_db", "equipment_snr_db", "t60_s", "replicate", "seed", "active_level_dbov"}
)
#: Names of a cell's counts and of what follows from them; a column of such a name cannot be an axis beside them.
RESERVED = frozenset(
    {"renders", "utterances", "speakers", "assets", "minutes", "words", "status", "covered_share", "weight"}
    | {"speakers_effective", "words_effective", "margin", "value"}
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
        """Return the names of the bins between the edges, in order; none for a text axis.

        >>> Axis("duration_s", (0, 0.5, 1234567, math.inf)).bins()
        ['0..0.5', '0.5..1234567', '1234567..inf']
        """
        return [f"{number_text(low)}..{number_text(high)}" for low, high in itertools.pairwise(self.edges)]

    def values_of(self, cell: Any) -> frozenset[str]:
        """Return the values of a cell of this column: one, or for an accent as many as it has parts.

        Args:
            cell: what the table holds; None, NaN and the empty text are missing.

        >>> sorted(Axis("accent").values_of("irish | welsh|"))
        ['irish', 'welsh']
        """
        if cell is None or cell != cell or str(cell) in ("", "<NA>", "NaT"):
            return frozenset([self.missing])
        if self.edges:
            return frozenset([self._bin(float(cell))])
        if self.column != "accent":
            return frozenset([str(cell)])
        parts = [part.strip() for part in str(cell).split(ACCENT_SEPARATOR)]
        return frozenset(part for part in parts if part) or frozenset([self.missing])

    def _bin(self, number: float) -> str:
        names = [f"<{number_text(self.edges[0])}", *self.bins(), f">{number_text(self.edges[-1])}"]
        place = bisect_right(self.edges, number)
        return names[place - 1 if number == self.edges[-1] else place]

    def sql(self) -> str:
        """Return the SQL expression that gives this axis' value as text, never null; of several accents all, as they are."""
        column = identifier(self.column)
        if not self.edges:
            text = f"CAST({column} AS VARCHAR)"
            text = f"trim({text})" if self.column == "accent" else text
            return f"coalesce(nullif({text}, ''), {literal(self.missing)})"
        number = f"TRY_CAST({column} AS DOUBLE)"
        first, last = self.edges[0], self.edges[-1]
        cases = [f"WHEN {number} IS NULL OR isnan({number}) THEN {literal(self.missing)}"]
        cases.append(f"WHEN {number} < {_sql_number(first)} THEN {literal('<' + number_text(first))}")
        for name, high in zip(self.bins(), self.edges[1:]):
            sign = "<=" if high == last else "<"
            cases.append(f"WHEN {number} {sign} {_sql_number(high)} THEN {literal(name)}")
        return f"CASE {' '.join(cases)} ELSE {literal('>' + number_text(last))} END"

    def parts_sql(self) -> str:
        """Return the SQL list of this axis' values: of several accents each."""
        if self.column != "accent":
            return f"[{self.sql()}]"
        split = f"string_split({self.sql()}, {literal(ACCENT_SEPARATOR)})"
        parts = f"list_distinct(list_filter(list_transform({split}, lambda p: trim(p)), lambda p: p <> ''))"
        return f"CASE WHEN len({parts}) = 0 THEN [{literal(self.missing)}] ELSE {parts} END"

    def not_numbers_sql(self) -> str | None:
        """Return the SQL condition that a cell of this axis should be a number and is not; None for a text axis."""
        if not self.edges:
            return None
        text = f"CAST({identifier(self.column)} AS VARCHAR)"
        return f"trim({text}) <> '' AND TRY_CAST({identifier(self.column)} AS DOUBLE) IS NULL"

    def order(self, values: Iterable[str]) -> list[str]:
        """Return the values in the order in which a reader looks for them: clean and none first, not stated last."""
        bins: list[str] = []
        if self.edges:
            bins = [f"<{number_text(self.edges[0])}", *self.bins(), f">{number_text(self.edges[-1])}"]
        rank = {name: i for i, name in enumerate(bins)}
        first = {"clean": 0, NONE: 1, "recorded": 2}

        def key(value: str) -> tuple[Any, ...]:
            return (value == NOT_STATED, first.get(value, 9), rank.get(value, 0), _natural(value), value)

        return sorted(set(values), key=key)


def parse_axes(axes: Any) -> tuple[Axis, ...]:
    """Return the axes that `axes` names: a column, `{column: [edges]}`, an `Axis`, or a list of such, 1 to 6 of them.

    Raises:
        RoomtoneError: none or too many, one repeated, one named like a count, or edges that do not rise.

    >>> [axis.column for axis in parse_axes(["accent", {"snr_db": [0, 10, 20]}])]
    ['accent', 'snr_db']
    """
    if not isinstance(axes, str | Axis | Mapping | Sequence):
        raise RoomtoneError(f"axes: expected a column, {{column: [edges]}} or a list of these, got {axes!r}")
    listed = [axes] if isinstance(axes, str | Axis | Mapping) else list(axes)
    parsed = tuple(axis for item in listed for axis in _parse(item))
    if not 1 <= len(parsed) <= MAX_AXES:
        raise RoomtoneError(f"axes: expected 1 to {MAX_AXES} axes, got {len(parsed)}")
    names = [axis.column for axis in parsed]
    if len(set(names)) < len(names):
        raise RoomtoneError(f"axes: {', '.join(names)}: an axis is named twice")
    for name in names:
        if name in RESERVED or name.startswith("goal_"):
            raise RoomtoneError(
                f"axes: {name!r} is the name of a count in every cell; give the column another name, "
                f"e.g. columns={{own_{name}: {name}}} axes=[own_{name}]"
            )
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
        if len(numbers) < 2 or not all(low < high for low, high in itertools.pairwise(numbers)):
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


def check_named_levels(levels: Mapping[str, Sequence[str]] | None, columns: Collection[str]) -> None:
    """Raise a RoomtoneError if levels are stated of a column that is not there: a misspelt name would say nothing in silence.

    Args:
        levels: column -> values, or None.
        columns: the columns that there are.

    Raises:
        RoomtoneError: a name is none of the columns, or the values are no list.
    """
    for name, values in (levels or {}).items():
        if name not in columns:
            raise RoomtoneError(f"levels: no column {name!r}; {nearest(str(name), columns)}")
        if isinstance(values, str):
            raise RoomtoneError(f"levels: expected a list of the values of {name!r}, got {values!r}")


def identifier(name: str) -> str:
    """Return a column name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"


def file_literal(path: str) -> str:
    """Return a file's name quoted for SQL, as DuckDB reads names: `*`, `?` and `[` mean themselves and no other files.

    >>> file_literal("part-*.parquet")
    "'part-[*].parquet'"
    """
    return literal(one_file(path))


def number_text(value: float) -> str:
    """Return a number as short as tells it from every other one.

    >>> number_text(20.0), number_text(0.1), number_text(16000.25), number_text(-math.inf)
    ('20', '0.1', '16000.25', '-inf')
    """
    short = f"{value:.12g}"
    return short if float(short) == value else repr(float(value))


def _sql_number(value: float) -> str:
    return (
        f"CAST('{'-' if value < 0 else ''}Infinity' AS DOUBLE)" if math.isinf(value) else f"CAST({value!r} AS DOUBLE)"
    )


def _natural(text: str) -> list[tuple[int, float, str]]:
    """Return a sort key in which 5dB comes before 10dB, and babble@-5dB before babble@0dB."""
    parts = (p for p in re.split(r"((?<=@)-\d+|\d+)", text) if p)
    return [(0, float(p), "") if p.removeprefix("-").isdecimal() else (1, 0.0, p) for p in parts]
