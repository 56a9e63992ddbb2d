"""A matrix in a notebook: the component where scripts run, a picture where they do not, as on sites that show notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from roomtone.coverage.views.figure_files import as_image
from roomtone.coverage.views.matrix_view import coverage_data, embed
from roomtone.coverage.views.matrix_view.embed import escaped
from roomtone.coverage.views.set_name import set_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from roomtone.coverage.counting.grid import Grid

#: A larger matrix makes a notebook heavy; its holes are listed instead.
MAX_CELLS = 8_000
_MAX_LINES = 30


class Matrix(Protocol):
    """What a counted matrix offers to whoever shows it."""

    source: Any
    grid: Grid

    def holes(self) -> pd.DataFrame:
        """Return one row a cell that misses a goal."""

    def patterns(self) -> list[str]:
        """Return the regions of holes in words."""

    def plot(self) -> Figure:
        """Return the heat map."""


def matrix_html(matrix: Matrix) -> str:
    """Return a matrix as HTML for a notebook."""
    head = f"<p>{escaped(repr(matrix))}</p>"
    if len(matrix.grid.frame) > MAX_CELLS:
        return head + "".join(f"<div>{escaped(line)}</div>" for line in matrix.patterns()[:_MAX_LINES])
    names = matrix.grid.names
    hint = f"matrix.drill_down({names[0]}={{row}}, {names[1]}={{column}})" if len(names) == 2 else None
    data = coverage_data(matrix.grid, matrix.source, name=set_name(matrix.source), holes=matrix.holes(), hint=hint)
    picture = as_image(matrix.plot(), escaped(repr(matrix))) if len(names) <= 3 else ""
    return embed(data, head + picture)
