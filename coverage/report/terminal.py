"""The coverage matrix in a terminal: the matrix where it fits, and always a summary of what is missing and what closes it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.printable import printable
from roomtone.coverage.counting.goals import UNITS
from roomtone.coverage.holes.patterns import hole_regions
from roomtone.coverage.report.next_commands import fill_command, further_steps, set_folder
from roomtone.coverage.views.matrix_view.next_steps import next_steps
from roomtone.coverage.views.set_name import set_name
from roomtone.coverage.views.speech_note import speech_notes

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from roomtone.coverage.counting.figures import Figures
    from roomtone.coverage.counting.grid import Grid
    from roomtone.coverage.matrix import CoverageMatrix
    from roomtone.coverage.views.matrix_view import Step

_STYLES = {
    "covered": "green",
    "partial": "yellow",
    "empty": "bold red",
    "illegal": "reverse red",
    "ignored": "dim",
    "no goal": "",
}
_LETTERS = {"renders": "r", "utterances": "u", "speakers": "s", "assets": "a", "minutes": "m", "words": "w"}
#: A matrix with more rows is not printed unless it is asked for in full.
MAX_ROWS = 40
#: Values of an axis, regions of holes and next steps that the summary lists.
MAX_LISTED, MAX_REGIONS, MAX_STEPS = 5, 6, 5
_MORE = "  … and "
_HOLES = ("empty", "partial")


def print_matrix(
    source: Any,
    goals: Mapping[str, Any] | None = None,
    console: Console | None = None,
    *,
    axes: Any = ("accent", "condition"),
    levels: Mapping[str, Sequence[str]] | None = None,
    full: bool = False,
    with_steps: bool = True,
) -> CoverageMatrix:
    """Print the matrix of a dataset folder or DataFrame against goals, and return it.

    Args:
        source: a dataset folder, several, or a DataFrame.
        goals: as `CoverageMatrix` takes them.
        console: to print on; default the terminal.
        axes: of the matrix.
        levels: values that an axis has beside those that occur, by axis.
        full: print the cells whatever room they take.
        with_steps: say what closes the holes.
    """
    from rich.console import Console

    from roomtone.coverage.matrix import CoverageMatrix

    matrix = CoverageMatrix(source, axes=axes, goals=goals, levels=levels)
    show_matrix(matrix, console or Console(), full=full, with_steps=with_steps)
    return matrix


def show_matrix(matrix: CoverageMatrix, console: Console, *, full: bool = False, with_steps: bool = True) -> None:
    """Print a matrix: the cells where they fit the console's width, what all of it comes to, what is missing, what closes it.

    Args:
        matrix: counted.
        console: to print on.
        full: print the cells whatever room they take, and every region of holes and step.
        with_steps: say what closes the holes.
    """
    grid = matrix.grid
    size = " x ".join(
        f"{len(values):,} {name}{'s' * (len(values) != 1)}" for name, values in zip(grid.names, grid.levels)
    )
    _say(console, f"{set_name(matrix.source)}: {size}")
    drawn = len(grid.axes) == 2 and grid.dense
    tables, key = _tables(grid, console.width, full=full) if drawn else ([], [])
    for table in tables:
        console.print(table)
    _say(console, *key, *figure_lines(matrix.figures), *matrix.goals.assumed, *speech_notes(matrix.source))
    in_full = _in_full(matrix)
    if not tables and drawn:
        where = (
            f": {in_full} prints it, the page and matrix.csv hold it" if in_full else f" into {console.width} columns"
        )
        _say(console, f"The matrix does not fit here{where}.")
    if matrix.figures.cells > matrix.figures.covered_cells:
        lines = _missing(matrix, full=full, with_steps=with_steps)
        cut = any(line.startswith(_MORE) for line in lines)
        _say(console, *lines, *([f"all of them: {in_full}"] if cut and in_full else []))


def _say(console: Console, *lines: str) -> None:
    if lines:  # at once: a notebook makes an output of its own of every print
        console.print("\n".join(map(printable, lines)), markup=False, highlight=False, soft_wrap=True)


def _missing(matrix: CoverageMatrix, *, full: bool, with_steps: bool) -> list[str]:
    """Return what is missing, by axis and by region, and what closes it."""
    grid = matrix.grid
    lines: list[str] = []
    for i, name in enumerate(grid.names if grid.dense else ()):
        found = _most_missing(grid, i)
        most = len(found) if full else MAX_LISTED
        lines += ["", f"{name}s with the most missing", *found[:most], *_more(found, most)]
    lines += ["", "missing regions", *_regions(matrix, full=full)]
    if not with_steps:
        return lines
    speech = [axis.column for axis in grid.axes if not axis.rendered]
    steps = next_steps(matrix.holes(), grid.names, speech, fill_command(matrix.source, matrix.goals))
    return lines + _step_lines("what closes them", steps, most=len(steps) if full else MAX_STEPS)


def _step_lines(title: str, steps: Sequence[Step], *, most: int = MAX_STEPS) -> list[str]:
    lines = ["", title] if steps else []
    for step in steps[:most]:
        lines += [f"  {step.kind:<7} {step.text}", *([f"          {step.command}"] if step.command else [])]
    return lines + _more(steps, most)


def further_lines(matrix: CoverageMatrix, *, to_record: bool = False) -> list[str]:
    """Return what can be done with the set besides, e.g. once it is full, as lines of text.

    Args:
        matrix: counted.
        to_record: whether there are holes that only more speech closes.
    """
    steps = further_steps(matrix.source, matrix.goals, raised=bool(matrix.goals.assumed), to_record=to_record)
    return _step_lines("what to do next", steps)


def _regions(matrix: CoverageMatrix, *, full: bool) -> list[str]:
    """Return the regions in which everything is missing, the largest first; single cells as a number unless all are asked for."""
    lines = [f"  {line}" for line in matrix.patterns()]
    if full:
        return lines
    if not matrix.grid.dense:
        return [*lines[:MAX_REGIONS], *_more(lines, MAX_REGIONS)]
    regions = hole_regions(matrix.grid)
    wide = [line for line, region in zip(lines, regions) if region.cells > 1]
    single = _single_cells(matrix.grid, [region.pattern for region in regions if region.cells == 1])
    return [*wide[:MAX_REGIONS], *_more(wide, MAX_REGIONS), *[f"  {line}" for line in single]]


def _single_cells(grid: Grid, places: Sequence[Any]) -> list[str]:
    """Return what the cells in no larger region come to: the rows that lack the same cells, the empty cells, the partly filled."""
    status = grid.array("status")
    empty = np.zeros(status.shape, dtype=bool)
    for place in places:
        empty[place] = status[place] == "empty"
    lines = list(_alike(grid, empty)) if empty.ndim == 2 else []
    counts = (("empty", int(empty.sum())), ("partly filled", len(places) - int(empty.sum())))
    told = " and ".join(f"{count:,} {word}" for word, count in counts if count)
    return [*lines[:MAX_REGIONS], *([f"{told} cell{'s' * (len(places) != 1)} in no larger region"] if places else [])]


def _alike(grid: Grid, empty: np.ndarray) -> Iterator[str]:
    """Yield the sets of rows that lack the very same two or more columns, e.g. `accent a, b: the same 22 conditions are empty (44 cells)`."""
    kinds, of, rows = np.unique(empty, axis=0, return_inverse=True, return_counts=True)
    sizes = kinds.sum(axis=1)
    for kind in np.argsort(-sizes * rows, kind="stable"):
        if rows[kind] > 1 and sizes[kind] > 1:
            names = [grid.levels[0][i] for i in np.flatnonzero(of.ravel() == kind)]
            more = f" and {len(names) - MAX_LISTED:,} more" if len(names) > MAX_LISTED else ""
            cells = f"{sizes[kind] * rows[kind]:,} cells"
            yield f"{grid.names[0]} {', '.join(names[:MAX_LISTED])}{more}: the same {sizes[kind]:,} {grid.names[1]}s are empty ({cells})"


def _more(listed: Sequence[Any], most: int) -> list[str]:
    """Return that a list goes on."""
    return [f"{_MORE}{len(listed) - most:,} more"] if len(listed) > most else []


def _in_full(matrix: CoverageMatrix) -> str | None:
    """Return the command that leaves nothing out, e.g. `roomtone coverage dataset=stress-set full=true`; None without a set's folder."""
    folder = set_folder(matrix.source)
    return None if folder is None else shlex.join(["roomtone", "coverage", f"dataset={folder.name}", "full=true"])


def _most_missing(grid: Grid, axis: int) -> list[str]:
    """Return the values of an axis that have holes, those with the largest share of missing cells first."""
    status = np.moveaxis(grid.array("status"), axis, 0).reshape(len(grid.levels[axis]), -1)
    holes = np.isin(status, _HOLES).sum(axis=1)
    aimed = holes + (status == "covered").sum(axis=1)
    order = sorted(np.flatnonzero(holes), key=lambda i: (-holes[i] / aimed[i], -holes[i], i))
    width = len(f"{aimed.max():,}")
    return [
        f"  {_bar(holes[i] / aimed[i])}  {holes[i]:>{width},} of {aimed[i]:>{width},} cells  {grid.levels[axis][i]}"
        for i in order
    ]


def _bar(share: float) -> str:
    """Return a share as ten signs; whatever is more than nothing shows."""
    return f"{'■' * max(1, round(10 * share)):·<10}"


def _tables(grid: Grid, width: int, *, full: bool) -> tuple[list[Table], list[str]]:
    """Return the matrix as one table where it fits, as several one below the other if it is asked for, else as none.

    Long names across, such as conditions have, are numbers with a key below.
    """
    from rich.table import Table
    from rich.text import Text

    unit = _unit(grid)
    texts, styles = _cell_texts(grid, unit), grid.array("status")
    names, columns = (list(map(printable, values)) for values in grid.levels)
    numbered = _longest(columns) > 8
    heads = [str(i + 1) for i in range(len(columns))] if numbered else list(columns)
    widths = [max(len(head), *map(len, texts[:, i])) + 1 for i, head in enumerate(heads)]
    chunks = _chunks(widths, max(8, width - max(_longest(names), len(grid.names[0])) - 1))
    if not full and (len(chunks) > 1 or len(names) > MAX_ROWS):
        return [], []
    tables = []
    for chunk in chunks:
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        table.add_column(Text(grid.names[0]), no_wrap=True)
        for i in chunk:
            table.add_column(Text(heads[i]), justify="right", no_wrap=True)
        for r, name in enumerate(names):
            table.add_row(Text(name), *[Text(texts[r, i], style=_STYLES[styles[r, i]]) for i in chunk])
        tables.append(table)
    key = [f"  {i + 1:>3}  {name}" for i, name in enumerate(columns)] if numbered else []
    return tables, [*key, _legend(unit)]


def _longest(names: Sequence[str]) -> int:
    return max(map(len, names), default=0)


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


def _unit(grid: Grid) -> str:
    """Return the unit that full cells are counted in: the first with a goal, renders last."""
    aimed = [unit for unit in UNITS if (grid.frame[f"goal_{unit}"] > 0).any()]
    return next((unit for unit in aimed if unit != "renders"), "renders")


def _cell_texts(grid: Grid, unit: str) -> np.ndarray:
    """Return what stands in each cell: the count, or where a goal is missed the unit furthest behind, e.g. `2/3s`."""
    frame = grid.frame
    aimed = [u for u in UNITS if (frame[f"goal_{u}"] > 0).any()]
    texts = []
    for row in frame.to_dict("records"):
        if row["status"] in _HOLES:
            worst = min(
                (u for u in aimed if row[f"goal_{u}"] > 0), key=lambda u: np.nan_to_num(row[u]) / row[f"goal_{u}"]
            )
            texts.append(f"{_number(row[worst])}/{_number(row[f'goal_{worst}'])}{_LETTERS[worst]}")
        else:
            texts.append(_number(row[unit]) if row["renders"] else "-")
    return np.array(texts, dtype=object).reshape([len(values) for values in grid.levels])


def _number(count: float) -> str:
    """Return a count as text; what nobody states is `?`."""
    if math.isnan(count):
        return "?"
    return f"{count:.0f}" if float(count).is_integer() else f"{count:.1f}"


def _legend(unit: str) -> str:
    letters = ", ".join(
        f"{letter} {'recordings and rooms' if name == 'assets' else name}" for name, letter in _LETTERS.items()
    )
    return f"in the cells: {unit}; where a goal is missed count/goal of what is furthest behind ({letters})"


def figure_lines(figures: Figures) -> list[str]:
    """Return the figures as lines of text."""
    if figures.covered is None or figures.progress is None:
        return ["no cell has a goal"]
    weighted = figures.covered != Fraction(figures.covered_cells, figures.cells)
    share = (
        f"{figures.covered_cells:,} of {figures.cells:,} cells meet their goals "
        f"({percent(figures.covered)}{' by weight' if weighted else ''})"
    )
    lines = [f"{share}; cells reach {percent(figures.progress)} of their goals on average"]
    for unit, (cells, met, progress) in figures.units.items():
        lines.append(f"  {unit:<10}  {met:,} of {cells:,} cells ({percent(progress)} of the goal)")
    if figures.margins[0]:
        lines.append(f"  margins     {figures.margins[1]:,} of {figures.margins[0]:,}")
    if figures.illegal:
        lines.append(f"  illegal     {figures.illegal:,} samples in cells that must be empty")
    return lines


def percent(share: Any) -> str:
    """Return a share in per cent; what is not full never reads 100 %.

    >>> percent(4 / 6), percent(0.99999), percent(1)
    ('66.7 %', '99.9 %', '100.0 %')
    """
    return f"{min(100 * float(share), 99.9) if share < 1 else 100 * float(share):.1f} %"
