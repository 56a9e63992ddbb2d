"""The coverage page: what a set holds in one picture, what is missing, what to do about it, and samples to hear.

`index.html` holds the matrix itself and needs no other file; the samples of its cells lie in `index-files/` beside it and are loaded
when a cell is opened. No network. Audio is played from the set by relative path, so the page works wherever the set lies, as long as it
stays inside it. Names and transcripts reach the page as text only, and no path of the machine does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from roomtone.core.files import write_whole
from roomtone.coverage.report.next_commands import fill_command, further_steps, needs_speech
from roomtone.coverage.report.terminal import figure_lines
from roomtone.coverage.views.matrix_view import (
    EvaluationView,
    MatrixData,
    SampleBudget,
    coverage_data,
    embed,
    static_tables,
)
from roomtone.coverage.views.matrix_view.embed import CONTENT_POLICY, page_style
from roomtone.coverage.views.set_name import set_name
from roomtone.coverage.views.speech_note import speech_notes

if TYPE_CHECKING:
    import pandas as pd

    from roomtone.coverage.matrix import CoverageMatrix

#: Regions of holes that the page lists in words; `holes.csv` has every cell.
MAX_REGIONS = 40
_NOTHING = "Every cell meets its goals."


def write_page(
    matrix: CoverageMatrix, path: str | os.PathLike[str], *, extra: Sequence[str] = (), evaluation: EvaluationView | None = None,
    holes: pd.DataFrame | None = None, tables: Mapping[str, pd.DataFrame] | None = None, distributions: Sequence[str] = (),
    budget: SampleBudget | None = None, seed: int = 0,
) -> Path:  # fmt: skip
    """Write the page of a matrix and the files of its samples; return the page's path.

    Args:
        matrix: counted.
        path: of the page; the samples' files go into a folder beside it.
        extra: further lines of text, e.g. t-way figures and gates.
        evaluation: what a recogniser did, as further layers.
        holes: those of the matrix with owner and note; None takes them without.
        tables: title -> a small table, shown below the matrix.
        distributions: columns of numbers whose spread the drawer shows, beside those that were measured.
        budget: how many samples the files hold.
        seed: of the choice of samples.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    target = Path(path)
    name = set_name(matrix.source)
    holes = matrix.holes() if holes is None else holes
    data = coverage_data(
        matrix.grid, matrix.source, name=name, holes=holes, page=target, evaluation=evaluation,
        render_command=fill_command(matrix.source, matrix.goals), nothing_to_do=_NOTHING, budget=budget, seed=seed,
        further_steps=further_steps(
            matrix.source, matrix.goals, evaluated=evaluation is not None, raised=bool(matrix.goals.assumed),
            to_record=needs_speech(holes),
        ), distributions=distributions,
    )  # fmt: skip
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    regions = matrix.patterns()
    text = environment.from_string(Path(__file__).with_name("page.html").read_text(encoding="utf-8")).render(
        name=name,
        headline=headline(matrix),
        facts=facts(data),
        notes=speech_notes(matrix.source),
        lines=[*figure_lines(matrix.figures), *extra],
        holes=regions[:MAX_REGIONS],
        tables={
            title: [list(map(str, row)) for row in [table.columns, *table.to_numpy()]]
            for title, table in (tables or {}).items()
        },
        more_holes=max(0, len(regions) - MAX_REGIONS),
        policy=CONTENT_POLICY,
        style=Markup(page_style()),
        component=Markup(embed(data, static_tables(data))),
    )
    return write_whole(target, text.encode())


def headline(matrix: CoverageMatrix) -> str:
    """Return what the matrix says, in a sentence."""
    figures = matrix.figures
    if not figures.cells:
        return "No cell has a goal, so nothing can be missing."
    if figures.covered_cells == figures.cells:
        return (
            f"All {figures.cells:,} cells meet their goals." if figures.cells > 1 else "The one cell meets its goals."
        )
    status = matrix.grid.frame["status"]
    empty, partial = int((status == "empty").sum()), int((status == "partial").sum())
    parts = [f"{count:,} {word}" for count, word in ((empty, "are empty"), (partial, "are partly filled")) if count]
    return f"{figures.covered_cells:,} of {figures.cells:,} cells meet their goals; {' and '.join(parts)}."


def facts(data: MatrixData) -> str:
    """Return how much there is, in a line."""
    total = {layer.id: layer.fields["value"].all for layer in data.layers if layer.family == "coverage"}
    amounts = (
        f"{total['renders']:,.0f} renders of {total['utterances']:,.0f} utterances by {total['speakers']:,.0f} speakers"
    )
    size = f"{len(data.row_names):,} {data.row_axis}{'s' * (len(data.row_names) != 1)}"
    across = f" in {len(data.column_names):,} {data.column_axis}{'s' * (len(data.column_names) != 1)}"
    return f"{amounts}, {total['minutes']:,.1f} minutes: {size}{across}."
