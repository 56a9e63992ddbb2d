"""An evaluation as layers of the matrix component: words lost and invented, intervals, the cost against clean, verdicts.

The figures are those of the comparison's tables. A margin is that of the comparison where it has one (groups over all conditions, conditions,
factor levels); else the mean over its cells, each weighing the same, so that a design that dealt conditions unequally confounds nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from roomtone.coverage.views.matrix_view import Factor, Layer, Table
from roomtone.coverage.views.matrix_view.coverage_layers import nice_top
from roomtone.fairness.comparison.verdicts import GAP

if TYPE_CHECKING:
    import pandas as pd

#: Speakers below which a rate stands for persons rather than for a group.
THIN_SPEAKERS = 3
_MEANS = "are means over their cells, each weighing the same"
#: Of rates whose margins are the comparison's, which holds no text that nobody spoke; the cells hold all errors.
_COMPARED_MEANS = f"{_MEANS}, without the inserted words of samples that hallucinate"
#: "Worst first" among verdicts.
_ORDER = {"worse": 3.0, "saturated": 2.0, "not_enough_data": 1.0, "no_gap": 0.0, "better": -1.0}


class Compared(Protocol):
    """What a comparison offers: its cells, its gaps, and what was chosen.

    A comparison may also have `accents` (one row a group), `conditions` (one row a condition) and `levels` (one row a group, factor and
    level); their figures are the margins then.
    """

    @property
    def cells(self) -> pd.DataFrame:
        """Return one row a group and condition."""

    @property
    def gaps(self) -> pd.DataFrame:
        """Return one row a comparison."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Return what was chosen."""


@dataclass(frozen=True)
class Sheet:
    """Rows, columns and header of the matrix that a comparison is laid out on."""

    comparison: Compared
    rows: Sequence[str]
    columns: Sequence[str]
    factors: Sequence[Factor]

    def cells(self, frame: pd.DataFrame, column: str) -> np.ndarray:
        """Return a column of a frame of cells, None where there is no row [dtype=object, shape=(rows, columns)].

        Args:
            frame: one row a cell.
            column: of that frame.
        """
        settings = self.comparison.settings
        return self._placed(frame, [(settings["group"], self.rows), (settings["condition"], self.columns)], column)

    def numbers(self, column: str) -> np.ndarray:
        """Return a column of the comparison's cells as numbers, NaN where there is none [shape=(rows, columns)]."""
        return _floats(self.cells(self.comparison.cells, column))

    def margin(self, where: str, column: str) -> np.ndarray | list[np.ndarray] | None:
        """Return a column of the comparison's own margins, or None where it has no such table or column.

        Args:
            where: `accents` [shape=(rows,)], `conditions` [shape=(columns,)] or `levels` [one shape=(rows, levels) a factor].
            column: of that table.
        """
        frame = getattr(self.comparison, where, None)
        settings = self.comparison.settings
        if frame is None or column not in frame or not len(frame):
            return None
        if where == "accents":
            return self._placed(frame, [(settings["group"], self.rows)], column)
        if where == "conditions":
            return self._placed(frame, [(settings["condition"], self.columns)], column)
        if not {"factor", "level"} <= set(frame):
            return None
        parts = [(frame[frame["factor"] == f.name], f) for f in self.factors]
        return [self._placed(part, [(settings["group"], self.rows), ("level", f.levels)], column) for part, f in parts]

    @staticmethod
    def _placed(frame: pd.DataFrame, keys: Sequence[tuple[str, Sequence[str]]], column: str) -> np.ndarray:
        found = np.full([len(names) for _, names in keys], None, dtype=object)
        if column not in frame:
            return found
        places = [{name: i for i, name in enumerate(names)} for _, names in keys]
        for *labels, value in zip(*(frame[key].map(str) for key, _ in keys), frame[column]):
            at = tuple(place.get(label, -1) for place, label in zip(places, labels))
            if -1 not in at:
                found[at] = value
        return found


def evaluation_layers(
    comparison: Compared, rows: Sequence[str], columns: Sequence[str], factors: Sequence[Factor]
) -> list[Layer]:
    """Return the layers of a comparison on the rows, columns and factors of a matrix.

    Args:
        comparison: of the set's groups and conditions.
        rows: names of the groups.
        columns: names of the conditions.
        factors: of the matrix's header.
    """
    sheet = Sheet(comparison, rows, columns, factors)
    speakers = sheet.numbers("speakers")
    people = sheet.margin("accents", "speakers")
    whole = None if people is None else _floats(people) < THIN_SPEAKERS  # NaN is not
    thin = Table(np.isfinite(speakers) & (speakers < THIN_SPEAKERS), rows=whole)
    layers = [layer for layer in (_lost(sheet, thin), _invented(sheet, thin)) if layer is not None]
    layers += [_wer(sheet, thin), _width(sheet)]
    baseline = comparison.settings["baseline"]
    if baseline in columns:
        layers.append(_cost(sheet, list(columns).index(baseline), baseline, thin))
    if len(comparison.gaps):
        layers.append(_verdicts(sheet))
    return layers


def _lost(sheet: Sheet, thin: Table) -> Layer | None:
    cells = _share(sheet, "lost", "substitutions", "deletions")
    if cells is None:
        return None
    text = "The number is how many of a hundred spoken words were heard wrongly or not at all."
    return _rate(
        "lost", "words lost", text, _with_margins(sheet, cells, rows=sheet.margin("accents", "lost")), sheet, thin
    )


def _invented(sheet: Sheet, thin: Table) -> Layer | None:
    cells = _share(sheet, "invented", "insertions")
    if cells is None:
        return None
    text = "The number is how many words were heard that nobody said, for each hundred that were said."
    return _rate("invented", "words invented", text, _with_margins(sheet, cells), sheet, thin)


def _share(sheet: Sheet, name: str, *counts: str) -> np.ndarray | None:
    """Return a rate of the cells: the comparison's own, or the counts over the words."""
    frame = sheet.comparison.cells
    if name in frame:
        return sheet.numbers(name)
    if not set(counts) <= set(frame):
        return None
    words = sheet.numbers("words")
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = np.where(words > 0, sum(sheet.numbers(kind) for kind in counts) / words, np.nan)
    return found


def _wer(sheet: Sheet, thin: Table) -> Layer:
    table = _with_margins(
        sheet, sheet.numbers("wer"), rows=sheet.margin("accents", "wer"), columns=sheet.margin("conditions", "wer"),
        levels=sheet.margin("levels", "wer"),
    )  # fmt: skip
    text = "The number is the word error rate in per cent: words lost and words invented together."
    return replace(_rate("wer", "word error rate", text, table, sheet, thin), margin_help=_means_of(sheet, "wer"))


def _means_of(sheet: Sheet, name: str) -> str:
    """Return what the margins of a figure are: the comparison's, or means over the cells as they are."""
    known = sheet.margin("accents", name)
    return _MEANS if known is None or not np.isfinite(_floats(known)).any() else _COMPARED_MEANS


def _rate(name: str, label: str, text: str, table: Table, sheet: Sheet, thin: Table) -> Layer:
    fields = {"value": table, "thin": thin}
    if f"{name}_low" in sheet.comparison.cells:
        for end in ("low", "high"):
            rows, columns = (sheet.margin(where, f"{name}_{end}") for where in ("accents", "conditions"))
            fields[end] = Table(
                sheet.numbers(f"{name}_{end}"),
                rows=None if rows is None else _floats(rows),
                columns=None if columns is None else _floats(columns),
            )
    return Layer(
        id=name, family="evaluation", label=label, help=text, fields=fields, format="percent", colour="ramp",
        domain=(0.0, nice_top(_top(table.cells))), better="low", margin_help=_MEANS,
    )  # fmt: skip


def _width(sheet: Sheet) -> Layer:
    width = sheet.numbers("wer_high") - sheet.numbers("wer_low")
    text = (
        "The number is the width of the 95 % interval of the word error rate, in points: the darker, the less is known."
    )
    return Layer(
        id="width", family="evaluation", label="width of the interval", help=text, fields={"value": Table(width)}, format="points",
        colour="ramp", domain=(0.0, nice_top(_top(width))), better="low", margin_help="stay empty",
    )  # fmt: skip


def _cost(sheet: Sheet, baseline: int, name: str, thin: Table) -> Layer:
    wer = sheet.numbers("wer")
    cost = wer - wer[:, [baseline]]
    cost[:, baseline] = np.nan
    table = _with_margins(sheet, cost, rows=sheet.margin("accents", "cost"), columns=sheet.margin("conditions", "cost"))
    text = f"The number is how many more words of a hundred go wrong than in {name}, in points, for the same accent."
    return Layer(
        id="cost", family="evaluation", label=f"cost against {name}", help=text, fields={"value": table, "thin": thin}, format="points",
        colour="diverging", domain=(0.0, nice_top(_top(np.abs(cost)))), better="low", margin_help=_means_of(sheet, "cost"),
    )  # fmt: skip


def _verdicts(sheet: Sheet) -> Layer:
    gaps = sheet.comparison.gaps
    cells = _judged(sheet.cells(gaps, "verdict"), _size(sheet.cells(gaps, "gap"), sheet.cells(gaps, "did")))
    margins = {
        name: _judged_margin(sheet, where)
        for name, where in (("rows", "accents"), ("columns", "conditions"), ("levels", "levels"))
    }
    known = {name: pair for name, pair in margins.items() if pair is not None}
    text = (
        "The sign is the verdict on this accent against the others in this condition, beyond what divides them in clean; the number is by"
        " how many points."
    )
    fields = {
        field: Table(cells[i], **{name: pair[i] for name, pair in known.items()}) for i, field in enumerate(("value", "size", "sort"))
    }  # fmt: skip
    told = "are the verdicts over all of them" if known else "stay empty"
    return Layer(
        id="verdict", family="evaluation", label="verdict", help=text, fields=fields, format="verdict", colour="verdict", better="low",
        margin_help=told,
    )  # fmt: skip


def _judged_margin(sheet: Sheet, where: str) -> Any | None:
    """Return verdict, size and order of a margin that the comparison has; of factor levels one array a factor each."""
    verdict, gap, did = (sheet.margin(where, name) for name in ("verdict", "gap", "did"))
    if verdict is None:
        return None
    if isinstance(verdict, np.ndarray):
        return _judged(verdict, _size(gap, did) if where == "conditions" else _floats(gap))
    parts = [_judged(v, _size(g, d)) for v, g, d in zip(verdict, gap or (), did or ())]
    return tuple([part[i] for part in parts] for i in range(3))


def _size(gap: Any, did: Any) -> np.ndarray:
    """Return the difference that a verdict is on: the cost beyond that of the others, in the baseline the gap itself."""
    beyond, plain = _floats(did), _floats(gap)
    found: np.ndarray = np.where(np.isfinite(beyond), beyond, plain)
    return found


def _judged(verdicts: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return verdicts with a gap told apart by who is worse off, the sizes, and the order of "worst first"."""
    named = verdicts.copy()
    named[verdicts == GAP] = np.where(size[verdicts == GAP] > 0, "worse", "better")
    order = np.array([_ORDER.get(name, np.nan) for name in named.ravel()], dtype=float).reshape(named.shape)
    return named, size, order


def _with_margins(sheet: Sheet, cells: np.ndarray, rows: Any = None, columns: Any = None, levels: Any = None) -> Table:
    """Return a table whose margins are those given, or the means over their cells."""
    over = [[np.flatnonzero(np.asarray(f.at) == level) for level in range(len(f.levels))] for f in sheet.factors]
    means = [np.stack([_mean(cells[:, at], 1) for at in places], axis=1) for places in over]
    by_row = _known_or(rows, _mean(cells, 1))
    given = [None] * len(over) if levels is None else levels
    by_level = [_known_or(own, mean) for own, mean in zip(given, means)]
    return Table(
        cells=cells,
        rows=by_row,
        columns=_known_or(columns, _mean(cells, 0)),
        levels=by_level,
        level_totals=[_mean(part, 0) for part in by_level],
        all=float(_mean(by_row, 0)),
    )


def _known_or(own: Any, means: np.ndarray) -> np.ndarray:
    """Return the comparison's own figures, and the means where it has none, as of the group that others are compared with."""
    if own is None:
        return means
    known = _floats(own)
    found: np.ndarray = np.where(np.isfinite(known), known, means)
    return found


def _mean(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the mean of what is known, NaN where nothing is."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    found: np.ndarray = np.where(count > 0, np.where(known, values, 0).sum(axis=axis) / np.maximum(count, 1), np.nan)
    return found


def _top(values: np.ndarray) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else 0.0


def _floats(values: Any) -> np.ndarray:
    """Return numbers, NaN for what is missing."""
    array = np.asarray(values, dtype=object)
    flat = [np.nan if value is None or value != value else float(value) for value in array.ravel()]
    return np.array(flat, dtype=float).reshape(array.shape)
