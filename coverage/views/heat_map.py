"""A heat map for papers: one or two axes, or small multiples over a third.

The count stands in the cell; colour is how far the cell's goals have come, in the colours of the page; holes are hatched; what has no
goal is grey; ignored and illegal cells are crossed, and illegal ones that hold samples carry a red frame. Conditions run downwards and
are grouped by their factors, which stand beside them as columns with merged levels. Figures are made without pyplot: no global state.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.vocabulary import NONE
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.counting.goals import UNITS
from roomtone.coverage.counting.grid import Grid
from roomtone.coverage.views.goal_colours import BAD, HOLE, MET, OUT_LINE, SHORT, SOFT, goal_colour, ink_on
from roomtone.coverage.views.readable import check_readable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from roomtone.coverage.views.matrix_view.contract import Factor

#: More small multiples than this are no longer compared by eye.
MAX_PANELS = 24
_DPI = 110
_HOLES, _OUT = ("empty", "partial"), ("ignored", "illegal")


@dataclass(frozen=True)
class _Sheet:
    """A grid turned the way it is drawn: `down` and `across` are its axes' places, the order is that of the drawn rows and columns."""

    grid: Grid
    down: int
    across: int | None
    rows: np.ndarray
    columns: np.ndarray
    factors: Sequence[Factor]

    def array(self, column: str) -> np.ndarray:
        """Return a column of the frame as it is drawn [shape=(rows, columns)]."""
        array = self.grid.array(column)
        if self.across is None:
            array = array[:, None]
        elif self.down == 1:
            array = array.T
        drawn: np.ndarray = array[np.ix_(self.rows, self.columns)]
        return drawn

    @property
    def row_names(self) -> list[str]:
        """Return the names downwards."""
        return [self.grid.levels[self.down][r] for r in self.rows]

    @property
    def column_names(self) -> list[str]:
        """Return the names across."""
        return [""] if self.across is None else [self.grid.levels[self.across][c] for c in self.columns]


def heat_map(
    grid: Grid,
    *,
    unit: str | None = None,
    by: str | None = None,
    name: str = "",
    note: str = "",
    factors: Sequence[Factor] = (),
) -> Figure:
    """Return a heat map of one or two axes, or small multiples of it over a third.

    Args:
        grid: counts and goals.
        unit: what stands in the cells; default the first unit that has a goal, renders aside.
        by: the axis of the small multiples; default the third.
        name: of the set, for the title.
        note: a sentence below the title.
        factors: of the second axis' values, by which they are grouped.

    Raises:
        RoomtoneError: an unknown unit or axis, four or more axes, or more panels or cells than can be read.
    """
    from matplotlib.figure import Figure

    shown = _unit(grid, unit)
    check_readable(grid)
    panels = _panels(grid, by)
    sheets = _sheets([panel for _, panel in panels], factors if len(panels) == 1 else ())
    first = sheets[0]
    columns = min(len(panels), 3 if len(first.column_names) <= 30 else 1)
    rows = -(-len(panels) // columns)
    beside = sum(map(_column_inches, first.factors)) if len(first.factors) > 1 else 0.09 * _longest(first.row_names)
    wide = columns * (0.6 + beside + 0.36 * len(first.column_names)) + 1.6
    high = rows * (0.9 + 0.08 * _longest(first.column_names) + 0.21 * len(first.row_names)) + 0.6
    figure = Figure(figsize=(min(wide, 60), min(high, 90)), dpi=_DPI, layout="constrained")
    drawn = figure.subplots(rows, columns, squeeze=False)
    for axes, (title, _), sheet in zip(drawn.flat, panels, sheets):
        _panel(axes, sheet, shown)
        axes.set_title(title, fontsize=9, parse_math=False)
    for axes in drawn.flat[len(panels) :]:
        axes.set_visible(False)
    # about 14 signs of this size an inch
    title = "\n".join([_title(grid, shown, name), *textwrap.wrap(note, max(40, int(14 * wide)))])
    figure.suptitle(title, fontsize=10, x=0.01, ha="left", parse_math=False)
    _colour_bar(figure, drawn)
    return figure


def _unit(grid: Grid, unit: str | None) -> str:
    if unit is not None and unit not in UNITS:
        raise RoomtoneError(f"unit: {unit!r} is none; {nearest(unit, UNITS)}")
    aimed = [u for u in UNITS if (grid.frame[f"goal_{u}"] > 0).any()]
    return unit or next((u for u in aimed if u != "renders"), "renders")


def _title(grid: Grid, unit: str, name: str) -> str:
    """Return e.g. `stress-set: utterances in each cell of accent x condition, goal 6; 190 of 192 cells meet their goals`."""
    goals = sorted({float(goal) for goal in grid.frame[f"goal_{unit}"] if goal > 0})
    goal = "" if not goals else f", goal {goals[0]:g}" if len(goals) == 1 else f", goals {goals[0]:g} to {goals[-1]:g}"
    aimed = grid.frame["covered_share"].notna()
    met = (
        f"; {int((grid.frame['status'] == 'covered').sum()):,} of {int(aimed.sum()):,} cells meet their goals"
        if aimed.any()
        else ""
    )
    return f"{name}{': ' if name else ''}{unit} in each cell of {' x '.join(grid.names)}{goal}{met}"


def _panels(grid: Grid, by: str | None) -> list[tuple[str, Grid]]:
    """Return the grid cut along one axis, each panel with its title."""
    names = grid.names
    if by is not None and by not in names:
        raise RoomtoneError(f"by: {by!r} is not an axis of this matrix; {nearest(by, names)}")
    if len(names) > 3:
        raise RoomtoneError(f"plot: {len(names)} axes do not fit a picture; use to_xarray(), or a matrix of three axes")
    if len(names) <= 2 and by is None:
        return [("", grid)]
    along = names.index(by) if by is not None else 2
    values = grid.levels[along]
    if len(values) > MAX_PANELS:
        raise RoomtoneError(f"by: {len(values)} values of {names[along]} are more than {MAX_PANELS} panels")
    rest = [i for i in range(len(names)) if i != along]
    axes, levels = tuple(grid.axes[i] for i in rest), tuple(grid.levels[i] for i in rest)
    return [
        (f"{names[along]} {value}", Grid(axes, levels, grid.frame[grid.frame[names[along]] == value]))
        for value in values
    ]


def _sheets(panels: Sequence[Grid], factors: Sequence[Factor]) -> list[_Sheet]:
    """Return all panels turned and ordered alike, so that they can be compared.

    Conditions with factors run downwards, grouped by them; else the longer axis does, and rows and columns are sorted by
    coverage so that holes lie together. Bins keep their order.
    """
    grid = panels[0]
    sizes = [len(values) for values in grid.levels]
    down = 0 if len(sizes) == 1 else 1 if factors or sizes[1] > sizes[0] else 0
    across = None if len(sizes) == 1 else 1 - down
    shares = np.stack([_turned(panel, down, across) for panel in panels])
    known = np.isfinite(shares)
    mean = np.where(
        known.any(axis=0), np.where(known, shares, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.nan
    )
    rows = _grouped(factors) if factors else _by_coverage(mean, grid.axes[down])
    columns = np.zeros(1, dtype=int) if across is None else _by_coverage(mean.T, grid.axes[across])
    return [_Sheet(panel, down, across, rows, columns, factors) for panel in panels]


def _turned(grid: Grid, down: int, across: int | None) -> np.ndarray:
    share = grid.array("covered_share").astype(float)
    return share[:, None] if across is None else share if down == 0 else share.T


def _grouped(factors: Sequence[Factor]) -> np.ndarray:
    """Return the rows sorted by the levels of the factors, the first factor first."""
    return np.lexsort([np.asarray(factor.at) for factor in reversed(factors)])


def _by_coverage(share: np.ndarray, axis: Axis) -> np.ndarray:
    if axis.edges:
        return np.arange(len(share))
    known = np.isfinite(share)
    mean = np.where(known.any(axis=1), np.where(known, share, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1), -1.0)
    return np.argsort(-np.round(mean, 9), kind="stable")


def _longest(names: Sequence[str]) -> int:
    return max(map(len, names), default=0)


def _panel(axes: Axes, sheet: _Sheet, unit: str) -> None:
    counts, status, share = sheet.array(unit), sheet.array("status"), sheet.array("covered_share").astype(float)
    _squares(axes, counts, status, share)
    size = 7.0 if counts.shape[1] <= 40 else 5.0
    for (r, c), count in np.ndenumerate(counts):
        if status[r, c] == "no goal" and count == 0:
            continue
        ink = "black" if status[r, c] in _OUT else ink_on(goal_colour(float(share[r, c])))
        axes.text(c + 0.5, r + 0.5, _count_text(count), ha="center", va="center", fontsize=size, color=ink)
    axes.set_xlim(0, counts.shape[1])
    axes.set_ylim(counts.shape[0], 0)
    axes.set_xticks(np.arange(counts.shape[1]) + 0.5, sheet.column_names, fontsize=7, rotation=90, parse_math=False)
    axes.set_xlabel("" if sheet.across is None else sheet.grid.names[sheet.across], fontsize=8, parse_math=False)
    axes.tick_params(length=0)
    axes.set_frame_on(False)
    if len(sheet.factors) > 1:
        _factor_columns(axes, sheet)
    else:
        axes.set_yticks(np.arange(counts.shape[0]) + 0.5, sheet.row_names, fontsize=7, parse_math=False)
        axes.set_ylabel(sheet.grid.names[sheet.down], fontsize=8, parse_math=False)


def _squares(axes: Axes, counts: np.ndarray, status: np.ndarray, share: np.ndarray) -> None:
    """Draw the cells: filled, holes hatched, ignored and illegal ones crossed, illegal ones with samples framed."""
    from matplotlib.collections import PolyCollection

    out = np.isin(status, _OUT)
    places = list(np.ndindex(status.shape))
    colours = ["white" if out[at] else goal_colour(float(share[at])) for at in places]
    axes.add_collection(
        PolyCollection([_square(at) for at in places], facecolors=colours, edgecolors="white", linewidths=1.0),
        autolim=False,
    )
    holes, filled = np.isin(status, _HOLES), (status == "illegal") & (counts > 0)
    marks = ((holes, "///", "#c47a45", 0.0), (out, "xx", OUT_LINE, 0.0), (filled, "", BAD, 1.6))
    for mask, hatch, colour, width in marks:
        if mask.any():
            squares = [_square(tuple(at)) for at in np.argwhere(mask)]
            axes.add_collection(
                PolyCollection(squares, facecolor="none", edgecolor=colour, hatch=hatch, linewidth=width), autolim=False
            )


def _square(at: Sequence[int]) -> list[tuple[float, float]]:
    r, c = at
    return [(c + 0.02, r + 0.03), (c + 0.98, r + 0.03), (c + 0.98, r + 0.97), (c + 0.02, r + 0.97)]


def _factor_columns(axes: Axes, sheet: _Sheet) -> None:
    """Write the factors' levels beside the rows, one column a factor, each run of equal levels once with a rule above it."""
    from matplotlib.transforms import ScaledTranslation, blended_transform_factory

    axes.set_yticks([])
    # across: inches from the left edge of the cells, whatever the layout makes of their width; downwards: rows
    figure: Any = axes.get_figure()
    corner: Any = axes.transAxes
    inches = figure.dpi_scale_trans + ScaledTranslation(0, 0, corner)
    place: dict[str, Any] = {"transform": blended_transform_factory(inches, axes.transData), "clip_on": False}
    text: dict[str, Any] = {"fontsize": 7, "ha": "left", "parse_math": False, **place}
    x = -sum(map(_column_inches, sheet.factors))
    plain = np.all(
        [[factor.levels[at] == NONE for at in np.asarray(factor.at)[sheet.rows]] for factor in sheet.factors], axis=0
    )
    starts = (np.arange(len(sheet.rows)) == 0) | np.concatenate([[False], plain[:-1]])
    for i, factor in enumerate(sheet.factors):
        levels = np.asarray(factor.at)[sheet.rows]
        starts[1:] |= levels[1:] != levels[:-1]
        axes.text(x, -0.3, factor.name, va="bottom", color=SOFT, **text)
        for start in np.flatnonzero(starts):
            axes.plot([x, -0.06], [start, start], color=OUT_LINE, linewidth=0.6, **place)
            # a condition without a level in any factor has a name of its own, and that says more
            label = factor.levels[levels[start]] if not plain[start] else sheet.row_names[start] if i == 0 else ""
            axes.text(x, start + 0.5, label, va="center", color=SOFT if label == NONE else "black", **text)
        x += _column_inches(factor)


def _column_inches(factor: Factor) -> float:
    return 0.072 * max(_longest(factor.levels), len(factor.name)) + 0.1


def _count_text(count: float) -> str:
    """Return a count as text; what nobody states is `?`."""
    if np.isnan(count):
        return "?"
    if float(count).is_integer():
        return f"{int(count)}" if count < 10_000 else f"{count / 1000:.0f}k"
    return f"{count:.1f}"


def _colour_bar(figure: Figure, drawn: Any) -> None:
    """Add the bar: its steps and what they mean."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm, ListedColormap

    colours = ListedColormap([HOLE, *SHORT, MET])
    bar = figure.colorbar(
        ScalarMappable(BoundaryNorm(range(7), 6), colours), ax=drawn, aspect=18, shrink=0.7, fraction=0.03, pad=0.02
    )
    bar.set_ticks(
        [i + 0.5 for i in range(6)],
        labels=["nothing", "under 25 %", "25 to 50 %", "50 to 75 %", "75 to 100 %", "met"],
        fontsize=7,
    )
    bar.ax.tick_params(length=0)
    bar.set_label("share of the cell's goals reached; hatched: something is missing", fontsize=8)
