"""The coverage matrix in a terminal: a table where it fits, its holes in words where it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from roomtone.coverage.figures import Figures
    from roomtone.coverage.grid import Grid
    from roomtone.coverage.matrix import CoverageMatrix

_STYLES = {
    "covered": "green",
    "partial": "yellow",
    "empty": "bold red",
    "illegal": "reverse red",
    "ignored": "dim",
    "no goal": "",
}
#: Beyond this many conditions a table is no longer read; the holes and the margins are.
MAX_ROWS = 60
#: Lines of holes that are printed.
MAX_HOLES = 15


def print_matrix(
    source: Any,
    goals: Mapping[str, Any] | None = None,
    console: Console | None = None,
    *,
    axes: Any = ("accent", "condition"),
    levels: Mapping[str, Sequence[str]] | None = None,
) -> CoverageMatrix:
    """Print the matrix of a dataset folder or DataFrame against goals, and return it."""
    from rich.console import Console

    from roomtone.coverage.matrix import CoverageMatrix

    matrix = CoverageMatrix(source, axes=axes, goals=goals, levels=levels)
    show_matrix(matrix, console or Console())
    return matrix


def show_matrix(matrix: CoverageMatrix, console: Console) -> None:
    """Print a matrix: the table, what all of it comes to, and its holes."""
    grid = matrix.grid
    if len(grid.axes) == 2 and min(len(v) for v in grid.levels) <= MAX_ROWS:
        for table in _tables(grid, console.width):
            console.print(table)
        console.print(_legend(grid), markup=False, highlight=False)
    console.print("\n".join(figure_lines(matrix.figures)), markup=False, highlight=False, soft_wrap=True)
    lines = matrix.patterns()
    if lines:
        console.print(
            f"holes ({matrix.figures.cells - matrix.figures.covered_cells} cells below their goals):", markup=False
        )
    for line in lines[:MAX_HOLES]:
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
    if len(lines) > MAX_HOLES:
        console.print(f"  … and {len(lines) - MAX_HOLES} more", markup=False)


def _tables(grid: Grid, width: int) -> list[Table]:
    """Return the table with the longer axis downwards, broken into several where it is too wide."""
    from rich.table import Table
    from rich.text import Text

    down = 0 if len(grid.levels[0]) > len(grid.levels[1]) else 1
    across = 1 - down
    head = max([len(grid.names[down]), *map(len, grid.levels[down])])
    cells, styles = _cell_texts(grid)
    if down == 1:
        cells, styles = cells.T, styles.T
    columns = grid.levels[across]
    room = max(12, width - head - 4)
    widths = [max(len(name), *(len(text) for text in cells[:, i])) + 3 for i, name in enumerate(columns)]
    tables = []
    rows = _shown_rows(styles)
    for chunk in _chunks(widths, room):
        table = Table(header_style="bold", show_lines=False, pad_edge=False)
        table.add_column(grid.names[down], no_wrap=True)
        for i in chunk:
            table.add_column(Text(columns[i]), justify="right", no_wrap=True)
        for r in rows:
            table.add_row(Text(grid.levels[down][r]), *[Text(cells[r, i], style=_STYLES[styles[r, i]]) for i in chunk])
        tables.append(table)
    return tables


def _shown_rows(styles: np.ndarray) -> list[int]:
    """Return all rows, or where they are too many those with holes first."""
    if len(styles) <= MAX_ROWS:
        return list(range(len(styles)))
    holes = np.isin(styles, ["empty", "partial", "illegal"]).sum(axis=1)
    return sorted(np.argsort(-holes, kind="stable")[:MAX_ROWS].tolist())


def _chunks(widths: Sequence[int], room: int) -> list[list[int]]:
    chunks: list[list[int]] = [[]]
    used = 0
    for i, width in enumerate(widths):
        if chunks[-1] and used + width > room:
            chunks.append([])
            used = 0
        chunks[-1].append(i)
        used += width
    return chunks


def _cell_texts(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return what stands in each cell: distinct utterances/speakers, and renders where they are more."""
    renders, utterances, speakers = (grid.array(unit) for unit in ("renders", "utterances", "speakers"))
    texts = np.empty(renders.shape, dtype=object)
    for index in np.ndindex(renders.shape):
        more = f" x{renders[index]}" if renders[index] > utterances[index] else ""
        texts[index] = f"{utterances[index]}/{speakers[index]}{more}" if renders[index] else "-"
    return texts, grid.array("status")


def _legend(grid: Grid) -> str:
    text = "cell: distinct utterances/speakers, xN renders where there are copies; - nothing"
    hidden = max(len(v) for v in grid.levels) - MAX_ROWS
    return f"{text}; {hidden} rows without more holes are not shown" if hidden > 0 else text


def figure_lines(figures: Figures) -> list[str]:
    """Return the figures as lines of text."""
    if figures.covered is None or figures.progress is None:
        return ["no cell has a goal"]
    share = (
        f"{figures.covered_cells:,} of {figures.cells:,} cells meet their goals ({percent(figures.covered)} by weight)"
    )
    lines = [f"{share}, {percent(figures.progress)} of the way, all covered: {'yes' if figures.all_covered else 'no'}"]
    for unit, (cells, met, progress) in figures.units.items():
        lines.append(f"  {unit:<10} {met:,} of {cells:,} cells, {percent(progress)} of the way")
    if figures.margins[0]:
        lines.append(f"  margins    {figures.margins[1]:,} of {figures.margins[0]:,}")
    if figures.illegal:
        lines.append(f"  illegal    {figures.illegal:,} samples in cells that must be empty")
    return lines


def percent(share: Any) -> str:
    """Return a share in per cent, rounded down, so that what is not full never reads 100 %.

    >>> percent(0.99999), percent(1)
    ('99.9 %', '100.0 %')
    """
    import math

    return f"{math.floor(share * 1000) / 10:.1f} %"
