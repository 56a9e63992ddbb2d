"""A counted matrix as the component shows it, with an evaluation's layers where there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError
from roomtone.coverage.counting.grid import Grid
from roomtone.coverage.counting.source import dataset_folder, open_source
from roomtone.coverage.views.matrix_view.cell_facts import hole_notes, rejections, spreads
from roomtone.coverage.views.matrix_view.contract import MAX_STEPS, Layer, MatrixData, Spread, Step
from roomtone.coverage.views.matrix_view.coverage_layers import coverage_layers, first_layer, status_letters
from roomtone.coverage.views.matrix_view.layout import Layout, lay_out
from roomtone.coverage.views.matrix_view.next_steps import next_steps, shortened
from roomtone.coverage.views.matrix_view.sample_files import Answers, SampleBudget, sample_measures, write_sample_files

if TYPE_CHECKING:
    import pandas as pd

#: Cells that the component draws; a larger matrix is for `to_frame()`, or for fewer axes.
MAX_CELLS = 40_000


@dataclass(frozen=True)
class EvaluationView:
    """What an evaluation adds to a matrix.

    Attributes:
        layers: makes the layers for the rows, columns and factors of a layout.
        sentences: makes one sentence a cell, row by row, or None where nothing was compared.
        answers: the alignments of some samples.
        first: id of the layer to show first; empty leaves it to coverage.
        steps: what would decide what is undecided.
    """

    layers: Callable[[Layout], Sequence[Layer]]
    sentences: Callable[[Layout], Sequence[str | None]] | None = None
    answers: Answers | None = None
    first: str = ""
    steps: Sequence[Step] = ()


def coverage_data(
    grid: Grid, source: Any, *, name: str, holes: pd.DataFrame, page: Path | None = None, evaluation: EvaluationView | None = None,
    render_command: str = "", hint: str | None = None, nothing_to_do: str = "",
    further_steps: Sequence[Step] = (), distributions: Sequence[str] = (), budget: SampleBudget | None = None, seed: int = 0,
) -> MatrixData:  # fmt: skip
    """Return what the component shows of a counted grid.

    Args:
        grid: counted, with goals.
        source: where it was counted.
        name: of the set, as a reader knows it.
        holes: of `CoverageMatrix.holes`, for what to do next; with `owner` and `note` where somebody looks after them.
        page: where the page will lie; then the samples' files are written beside it.
        evaluation: further layers.
        render_command: what renders the cells that rendering can close.
        hint: a command for a cell's samples where there is no page, with {row} and {column}.
        nothing_to_do: the sentence for a matrix without holes.
        further_steps: what can be done besides, e.g. once nothing is missing.
        distributions: columns of numbers whose spread the drawer shows, beside those that were measured.
        budget: of the samples' files.
        seed: of the choice of samples.

    Raises:
        RoomtoneError: more cells than the component draws.
    """
    if grid.size > MAX_CELLS:
        raise RoomtoneError(f"{grid.size:,} cells do not fit a page of {MAX_CELLS:,}; name fewer axes, or bin a number")
    drawers = None
    heads: list[Spread] = []
    with open_source(source) as opened:
        layout = lay_out(grid, opened)
        layers = coverage_layers(grid, layout, opened)
        sentences = evaluation.sentences(layout) if evaluation and evaluation.sentences else None
        if page is not None:
            renders = grid.frame["renders"].astype(int).tolist()
            heads, spread = spreads(opened, grid.axes, layout, distributions)
            folder = dataset_folder(source)
            drawers = write_sample_files(
                opened, grid.axes, layout, page, renders, answers=evaluation.answers if evaluation else None, sentences=sentences,
                spreads=spread, rejected=rejections(opened, grid.axes, layout, folder) if folder else None, budget=budget, seed=seed,
            )  # fmt: skip
        measures = sample_measures(opened.columns)
    first = first_layer(grid, layers)
    speech = [axis.column for axis in grid.axes if not axis.rendered]
    if evaluation:
        layers = [*layers, *evaluation.layers(layout)]
        first = evaluation.first or first
    other = [*(evaluation.steps if evaluation else ()), *further_steps][: MAX_STEPS // 2]
    return MatrixData(
        name=name, row_axis=layout.row_axis.column, row_names=layout.row_names, column_axis=layout.column_axis,
        column_names=layout.column_names, factors=layout.factors, layers=layers, baseline=layout.baseline,
        statuses=status_letters(grid), first=first, measures=measures, spreads=heads,
        notes=hole_notes(holes, grid.names, layout), drawers=drawers, hint=hint, nothing_to_do=nothing_to_do,
        steps=[*shortened(next_steps(holes, grid.names, speech, render_command), MAX_STEPS - len(other)), *other],
        sentences=sentences if drawers is None else None,
    )  # fmt: skip
