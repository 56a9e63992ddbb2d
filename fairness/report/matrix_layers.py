"""An evaluation as layers of the matrix component: words lost and invented, intervals, the cost against clean, verdicts.

The figures are those of `cells.csv` and `gaps.csv`. Margins are ratios of sums: all errors over all words of the row, column or level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.coverage.views.matrix_view import Factor, Layer, Table
from roomtone.coverage.views.matrix_view.coverage_layers import nice_top
from roomtone.fairness.comparison.verdicts import GAP

if TYPE_CHECKING:
    import pandas as pd

#: Speakers below which a rate stands for persons rather than for a group.
THIN_SPEAKERS = 3
_MARGINS = "are ratios of sums: all errors over all words"


class CellFrame:
    """A frame of one row a group and condition, laid out on the rows and columns of a matrix.

    Args:
        frame: of `Comparison.cells` or `.gaps`.
        settings: of the comparison: the names of its columns.
        rows: names of the rows, in order.
        columns: names of the columns, in order.
    """

    def __init__(
        self, frame: pd.DataFrame, settings: Mapping[str, Any], rows: Sequence[str], columns: Sequence[str]
    ) -> None:
        self.frame = frame
        self.shape = len(rows), len(columns)
        down = {name: i for i, name in enumerate(rows)}
        across = {name: i for i, name in enumerate(columns)}
        pairs = zip(frame[settings["group"]].map(str), frame[settings["condition"]].map(str))
        self._at = [(down.get(group, -1), across.get(condition, -1)) for group, condition in pairs]

    def numbers(self, column: str) -> np.ndarray:
        """Return a column as numbers, NaN where there is no row or no such column [shape=(rows, columns)]."""
        found = np.full(self.shape, np.nan)
        if column in self.frame:
            for at, value in zip(self._at, self.frame[column].astype(float)):
                if -1 not in at:
                    found[at] = value
        return found

    def texts(self, column: str) -> np.ndarray:
        """Return a column as texts, None where there is no row [dtype=object, shape=(rows, columns)]."""
        found = np.full(self.shape, None, dtype=object)
        for at, value in zip(self._at, self.frame[column]):
            if -1 not in at:
                found[at] = value
        return found


def evaluation_layers(
    cells: pd.DataFrame, gaps: pd.DataFrame, settings: Mapping[str, Any], rows: Sequence[str], columns: Sequence[str], factors: Sequence[Factor]
) -> list[Layer]:  # fmt: skip
    """Return the layers of a comparison on the rows, columns and factors of a matrix.

    Args:
        cells: of `Comparison.cells`.
        gaps: of `Comparison.gaps`.
        settings: of the comparison.
        rows: names of the groups.
        columns: names of the conditions.
        factors: of the matrix's header.
    """
    laid = CellFrame(cells, settings, rows, columns)
    thin = Table(np.where(np.isfinite(laid.numbers("speakers")), laid.numbers("speakers") < THIN_SPEAKERS, False))
    layers = _outcomes(laid, factors, thin)
    layers += [_wer(laid, factors, thin), _width(laid, thin)]
    if settings["baseline"] in columns:
        layers.append(_cost(laid, list(columns).index(settings["baseline"]), settings["baseline"], thin))
    if len(gaps):
        layers.append(_verdicts(CellFrame(gaps, settings, rows, columns)))
    return layers


def _outcomes(laid: CellFrame, factors: Sequence[Factor], thin: Table) -> list[Layer]:
    """Return words lost and words invented apart, where the cells tell them apart."""
    if not {"substitutions", "deletions", "insertions"} <= set(laid.frame):
        return []
    words = laid.numbers("words")
    lost = _ratios(laid.numbers("substitutions") + laid.numbers("deletions"), words, factors)
    invented = _ratios(laid.numbers("insertions"), words, factors)
    return [
        _rate("lost", "words lost", "The number is how many of a hundred spoken words were heard wrongly or not at all.", lost, thin),
        _rate("invented", "words invented", "The number is how many words were heard that nobody said, for each hundred that were said.",
              invented, thin),
    ]  # fmt: skip


def _wer(laid: CellFrame, factors: Sequence[Factor], thin: Table) -> Layer:
    fields = {"low": Table(laid.numbers("wer_low")), "high": Table(laid.numbers("wer_high"))}
    table = _ratios(laid.numbers("errors"), laid.numbers("words"), factors, cells=laid.numbers("wer"))
    text = "The number is the word error rate in per cent: words lost and words invented together."
    return _rate("wer", "word error rate", text, table, thin, fields)


def _width(laid: CellFrame, thin: Table) -> Layer:
    width = laid.numbers("wer_high") - laid.numbers("wer_low")
    text = (
        "The number is the width of the 95 % interval of the word error rate, in points: the darker, the less is known."
    )
    return Layer(
        id="width", family="evaluation", label="width of the interval", help=text, fields={"value": Table(width)}, format="points",
        colour="ramp", domain=(0.0, nice_top(_top(width))), better="low", margin_help="stay empty",
    )  # fmt: skip


def _cost(laid: CellFrame, baseline: int, name: str, thin: Table) -> Layer:
    wer = laid.numbers("wer")
    cost = wer - wer[:, [baseline]]
    cost[:, baseline] = np.nan
    text = f"The number is how many more words of a hundred go wrong than in {name}, in points, for the same accent."
    return Layer(
        id="cost", family="evaluation", label=f"cost against {name}", help=text, fields={"value": Table(cost), "thin": thin},
        format="points", colour="diverging", domain=(0.0, nice_top(_top(np.abs(cost)))), better="low", margin_help="stay empty",
    )  # fmt: skip


def _verdicts(laid: CellFrame) -> Layer:
    size = np.where(np.isfinite(laid.numbers("did")), laid.numbers("did"), laid.numbers("gap"))
    verdicts = laid.texts("verdict")
    for at in np.argwhere(verdicts == GAP):
        verdicts[tuple(at)] = "worse" if size[tuple(at)] > 0 else "better"
    order = {"worse": 3.0, "saturated": 2.0, "not_enough_data": 1.0, "no_gap": 0.0, "better": -1.0}
    rank = np.vectorize(lambda name: order.get(name, np.nan), otypes=[float])(verdicts)
    text = (
        "The sign is the verdict on this accent against the others in this condition, beyond what divides them in clean; the number is by"
        " how many points."
    )
    return Layer(
        id="verdict", family="evaluation", label="verdict", help=text, fields={"value": Table(verdicts), "size": Table(size), "sort": Table(rank)},
        format="verdict", colour="verdict", better="low", margin_help="stay empty",
    )  # fmt: skip


def _rate(
    name: str, label: str, text: str, table: Table, thin: Table, further: Mapping[str, Table] | None = None
) -> Layer:
    return Layer(
        id=name, family="evaluation", label=label, help=text, fields={"value": table, "thin": thin, **(further or {})}, format="percent",
        colour="ramp", domain=(0.0, nice_top(_top(table.cells))), better="low", margin_help=_MARGINS,
    )  # fmt: skip


def _top(values: np.ndarray) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else 0.0


def _ratios(errors: np.ndarray, words: np.ndarray, factors: Sequence[Factor], cells: np.ndarray | None = None) -> Table:
    """Return errors over words with every margin as a ratio of sums."""
    known = np.isfinite(errors) & np.isfinite(words)
    e, w = np.where(known, errors, 0.0), np.where(known, words, 0.0)
    member = [np.eye(len(f.levels))[np.asarray(f.at)] for f in factors]
    return Table(
        cells=_over(e, w) if cells is None else cells,
        rows=_over(e.sum(axis=1), w.sum(axis=1)),
        columns=_over(e.sum(axis=0), w.sum(axis=0)),
        levels=[_over(e @ m, w @ m) for m in member],
        level_totals=[_over(e.sum(axis=0) @ m, w.sum(axis=0) @ m) for m in member],
        all=float(_over(e.sum(keepdims=True), w.sum(keepdims=True)).ravel()[0]),
    )


def _over(errors: np.ndarray, words: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(words > 0, errors / words, np.nan)
