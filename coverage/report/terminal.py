"""The coverage matrix in a terminal: a table where it fits, its holes in words where it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from roomtone.coverage.counting.figures import Figures
    from roomtone.coverage.counting.grid import Grid
    from roomtone.coverage.matrix import CoverageMatrix

_STYLES = {
    "covered": "green",
    "partial": "yellow",
    "empty": "bold red",
    "illegal": "reverse red",
    "ignored": "dim",
    "no goal": "",
}
#: A table beyond this is no longer read; the rows and columns with most holes are shown.
MAX_ROWS, MAX_COLUMNS = 40, 24
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
    if len(grid.axes) == 2:
        tables, key = _tables(grid, console.width)
        for table in tables:
            console.print(table)
        console.print("\n".join([*key, _legend(grid)]), markup=False, highlight=False, soft_wrap=True)
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


def _tables(grid: Grid, width: int) -> tuple[list[Table], list[str]]:
    """Return tables that fit the width, and the key to the columns where these are numbered.

    Accents run downwards; long names across, such as conditions have, are numbers with a key below.
    """
    from rich.table import Table
    from rich.text import Text

    down = 0 if _longest(grid.levels[0]) <= _longest(grid.levels[1]) else 1
    across = 1 - down
    cells, styles = _cell_texts(grid)
    if down == 1:
        cells, styles = cells.T, styles.T
    names, columns = grid.levels[down], list(grid.levels[across])
    numbered = _longest(columns) > 12
    heads = [str(i + 1) for i in range(len(columns))] if numbered else columns
    rows = _shown(styles, MAX_ROWS)
    head = max(len(grid.names[down]), *(len(names[r]) for r in rows))
    widths = [
        max(len(heads[i]), *(len(line) for text in cells[:, i] for line in text.split("\n"))) + 3
        for i in range(len(heads))
    ]
    chunks = _chunks([(i, widths[i]) for i in _shown(styles.T, MAX_COLUMNS)], max(12, width - head - 4))
    tables = []
    for chunk in chunks:
        table = Table(header_style="bold", show_lines=True, pad_edge=False)
        table.add_column(grid.names[down], no_wrap=True)
        for i in chunk:
            table.add_column(Text(heads[i]), justify="right", no_wrap=True)
        for r in rows:
            table.add_row(Text(names[r]), *[Text(cells[r, i], style=_STYLES[styles[r, i]]) for i in chunk])
        tables.append(table)
    shown = sorted(i for chunk in chunks for i in chunk)
    return tables, [f"  {i + 1:>3}  {columns[i]}" for i in shown] if numbered else []


def _longest(names: Sequence[str]) -> int:
    return max(map(len, names), default=0)


def _shown(styles: np.ndarray, most: int) -> list[int]:
    """Return all rows, or where they are too many those with most holes."""
    if len(styles) <= most:
        return list(range(len(styles)))
    holes = np.isin(styles, ["empty", "partial", "illegal"]).sum(axis=1)
    return sorted(np.argsort(-holes, kind="stable")[:most].tolist())


def _chunks(widths: Sequence[tuple[int, int]], room: int) -> list[list[int]]:
    chunks: list[list[int]] = [[]]
    used = 0
    for i, width in widths:
        if chunks[-1] and used + width > room:
            chunks.append([])
            used = 0
        chunks[-1].append(i)
        used += width
    return chunks


def _cell_texts(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return what stands in each cell in two lines, and its status.

    A count that misses its goal is written count/goal: `2/6u 1/3s`, then renders and minutes.
    """
    counts = {unit: grid.array(unit) for unit in ("renders", "utterances", "speakers", "minutes")}
    goals = {unit: grid.array(f"goal_{unit}") for unit in counts}
    texts = np.empty(grid.array("status").shape, dtype=object)
    for index in np.ndindex(texts.shape):
        r, u, s, m = (_against(counts[unit][index], goals[unit][index]) for unit in counts)
        aimed = any(goal[index] > 0 for goal in goals.values())
        texts[index] = f"{u}u {s}s\n{r}r {m}m" if counts["renders"][index] or aimed else "-"
    return texts, grid.array("status")


def _against(count: float, goal: float) -> str:
    digits = 0 if float(count).is_integer() and float(goal).is_integer() else 1
    return f"{count:.{digits}f}/{goal:.{digits}f}" if count < goal else f"{count:.{digits}f}"


def _legend(grid: Grid) -> str:
    text = "in the cells: u distinct utterances, s speakers, r renders, m minutes; count/goal where a goal is missed"
    cut = max(len(v) for v in grid.levels) > MAX_COLUMNS or min(len(v) for v in grid.levels) > MAX_ROWS
    return f"{text}; rows and columns with most holes only" if cut else text


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
