"""What the matrix component is given: a plain structure that becomes one JSON block.

Whoever has figures for accent x condition (coverage counts, an evaluation) fills these dataclasses; the script in `js/` reads what
`MatrixData.to_json` returns, and knows nothing else. The JSON, format 1:

    format      1
    name        of the set
    rows        {axis, names}                       e.g. accent; one row of the grid each
    columns     {axis, names, factors}              e.g. condition; `factors` are the header's rows:
                [{name, levels, at}]                `at` holds for each column the index of its level
    baseline    index of the column that others are compared with, or null
    statuses    one letter a cell, row by row: c covered, p partial, e empty, n no goal, i ignored, x illegal; or null
    first       id of the layer that is shown first
    layers      [{id, family, label, unit, help, format, colour, domain, better, fields}], see `Layer`
    steps       [{kind, text, command, words}]      what to do next, at most ten; see `Step`
    nothing_to_do   the sentence that stands there when there is no step
    measures    [{label, unit, digits}]             names of what was measured on each sample
    spreads     [{label, unit, digits, low, high}]  numbers whose spread over a cell's samples the drawer shows, with the ends of its histograms
    notes       {texts, of} or null                 owner and note of holes: [owner, note] each, and cell -> index of its text
    drawers     {id, base, parts, of} or null       script files beside the page with the samples of cells; see `sample_files.py`
    hint        a command for a cell's samples where there are no drawers, with {row} and {column}; or null
    sentences   one sentence a cell, or null, or null for all

Every field of a layer (`value`, `goal`, `low`, `high`, `thin`, `size`, `sort`) is a table with the cells and all their margins:

    cells         row by row                        [rows * columns]
    rows          over all columns                  [rows]
    columns       over all rows                     [columns]
    levels        for each factor, over the columns of each of its levels, row by row [rows * levels]
    level_totals  for each factor, over all rows too                                  [levels]
    all           over everything

A margin is given, never added up here: distinct speakers of two cells are not their sum. What is not known is null; a margin
that nobody knows is left out. Numbers are those of `matrix.csv` and `cells.csv`, rounded to six digits behind the point.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FORMAT = 1
#: Letters of `statuses`, by the status of `CoverageMatrix.to_frame`.
STATUS_LETTERS = {"covered": "c", "partial": "p", "empty": "e", "no goal": "n", "ignored": "i", "illegal": "x"}
#: Steps that are shown; a longer list is not read.
MAX_STEPS = 10


@dataclass(frozen=True)
class Factor:
    """One row of the header: `at` holds for each column the index of its level."""

    name: str
    levels: Sequence[str]
    at: Sequence[int]


@dataclass(frozen=True)
class Table:
    """Values of cells and their margins; see the module's head for the shapes. Not-known numbers are NaN, texts None."""

    cells: np.ndarray
    rows: np.ndarray | None = None
    columns: np.ndarray | None = None
    levels: Sequence[np.ndarray] | None = None
    level_totals: Sequence[np.ndarray] | None = None
    all: Any = None

    def to_json(self) -> dict[str, Any]:
        """Return the table with lists for arrays and null for what is not known."""
        found: dict[str, Any] = {"cells": values(self.cells)}
        for name in ("rows", "columns"):
            array = getattr(self, name)
            if array is not None:
                found[name] = values(array)
        for name in ("levels", "level_totals"):
            arrays = getattr(self, name)
            if arrays is not None:
                found[name] = [values(array) for array in arrays]
        if self.all is not None:
            found["all"] = values(np.array([self.all]))[0]
        return found


@dataclass(frozen=True)
class Layer:
    """One thing that the cells can show.

    Attributes:
        id: unique among the layers.
        family: `coverage` or `evaluation`: under which heading it can be chosen.
        label: its name as a reader sees it; lower case.
        help: sentences for the legend: what the number is and what it cannot say.
        fields: `value` always; `goal` beside counts; `low`, `high` of a 95 % interval; `thin` where it rests on fewer than three
            speakers; `size` beside verdicts (points as a share); `sort` where the order is another than that of `value`.
        format: `count`, `minutes`, `percent` (a share), `points` (a share), `verdict` (`worse`, `better`, `no_gap`,
            `not_enough_data`, `saturated`).
        colour: `goal` (against the goals), `ramp` (the more the darker), `diverging` (about zero), `verdict`.
        domain: where the colours begin and end, in the unit of `value`; needed by `ramp` and `diverging`.
        unit: written behind a number.
        better: `high` or `low`: which end is good, for "worst first".
        margin_help: what the margins are, where they are not the same figure over more data.
        drawer_help: a shorter `help` for the drawer of one cell.
    """

    id: str
    family: str
    label: str
    help: str
    fields: Mapping[str, Table]
    format: str = "count"
    colour: str = "goal"
    domain: tuple[float, float] | None = None
    unit: str = ""
    better: str = "high"
    margin_help: str = ""
    drawer_help: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the layer as the contract has it."""
        told = {k: v for k, v in vars(self).items() if k != "fields"}
        return told | {"fields": {name: table.to_json() for name, table in self.fields.items()}}


@dataclass(frozen=True)
class Step:
    """One thing to do next: `kind` is `render`, `record`, `measure` or `raise`; `words` filter the matrix to what it is about."""

    kind: str
    text: str
    command: str = ""
    words: str = ""


@dataclass(frozen=True)
class Measure:
    """What a number beside a sample is."""

    label: str
    unit: str
    digits: int


@dataclass(frozen=True)
class Spread:
    """A number whose spread over the samples of each cell is shown; all histograms of it go from `low` to `high`."""

    label: str
    unit: str
    digits: int
    low: float
    high: float


@dataclass(frozen=True)
class MatrixData:
    """All that the component shows; see the module's head."""

    name: str
    row_axis: str
    row_names: Sequence[str]
    column_axis: str
    column_names: Sequence[str]
    factors: Sequence[Factor]
    layers: Sequence[Layer]
    baseline: int | None = None
    statuses: str | None = None
    first: str = ""
    steps: Sequence[Step] = ()
    nothing_to_do: str = ""
    measures: Sequence[Measure] = ()
    spreads: Sequence[Spread] = ()
    notes: Mapping[str, Any] | None = None
    drawers: Mapping[str, Any] | None = None
    hint: str | None = None
    sentences: Sequence[str | None] | None = field(default=None)

    def to_json(self) -> dict[str, Any]:
        """Return the contract's JSON as Python values."""
        return {
            "format": FORMAT,
            "name": self.name,
            "rows": {"axis": self.row_axis, "names": list(self.row_names)},
            "columns": {
                "axis": self.column_axis,
                "names": list(self.column_names),
                "factors": [{"name": f.name, "levels": list(f.levels), "at": list(map(int, f.at))} for f in self.factors],
            },
            "baseline": self.baseline,
            "statuses": self.statuses,
            "first": self.first or self.layers[0].id,
            "layers": [layer.to_json() for layer in self.layers],
            "steps": [vars(step) for step in self.steps[:MAX_STEPS]],
            "nothing_to_do": self.nothing_to_do,
            "measures": [vars(measure) for measure in self.measures],
            "spreads": [vars(spread) for spread in self.spreads],
            "notes": None if self.notes is None else dict(self.notes),
            "drawers": None if self.drawers is None else dict(self.drawers),
            "hint": self.hint,
            "sentences": None if self.sentences is None else list(self.sentences),
        }  # fmt: skip


def values(array: np.ndarray) -> list[Any]:
    """Return an array, flattened, as JSON values: whole numbers whole, six digits, null for what is not known."""
    return [_value(value) for value in np.asarray(array).ravel().tolist()]


def _value(value: Any) -> Any:
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return int(value) if value.is_integer() else round(value, 6)
    return value
