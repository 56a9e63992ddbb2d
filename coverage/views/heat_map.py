"""Pictures of coverage: heat map, small multiples over a third axis, t-way triangle.

Colour is how far a cell's goals have come, on `cividis`, which reads alike with and without colour vision; the count stands in
the cell; holes are hatched; what has no goal is white; illegal cells that hold samples carry a red frame. Rows and
columns are sorted by coverage, so that holes lie together. Figures are made without pyplot: no global state.
"""

from __future__ import annotations

import base64
import io
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.files import write_whole
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.counting.goals import UNITS
from roomtone.coverage.counting.grid import Grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from roomtone.coverage.combinatorics.t_way import TWayCoverage

#: More small multiples than this are no longer compared by eye.
MAX_PANELS = 24
_COLOURS = "cividis"
_DPI = 110


def heat_map(grid: Grid, *, unit: str | None = None, by: str | None = None) -> Figure:
    """Return a heat map of one or two axes, or small multiples of it over a third.

    Args:
        grid: counts and goals.
        unit: what stands in the cells; default the first unit that has a goal, renders aside.
        by: the axis of the small multiples; default the third.

    Raises:
        RoomtoneError: an unknown unit or axis, four or more axes, or too many panels.
    """
    from matplotlib.figure import Figure

    shown = _unit(grid, unit)
    panels = _panels(grid, by)
    longest, across = _shape(panels[0][1])
    columns = min(len(panels), 3 if across <= 30 else 1)
    rows = -(-len(panels) // columns)
    wide = columns * (1.2 + 0.09 * _longest_label(panels[0][1], 0) + 0.36 * across) + 1.0
    high = rows * (0.9 + 0.075 * _longest_label(panels[0][1], 1) + 0.2 * longest) + 0.3
    figure = Figure(figsize=(min(wide, 60), min(high, 90)), dpi=_DPI, layout="constrained")
    drawn = figure.subplots(rows, columns, squeeze=False)
    order = _order([panel for _, panel in panels])
    for axes, (title, panel) in zip(drawn.flat, panels):
        image = _panel(axes, panel, shown, order)
        axes.set_title(title, fontsize=9, parse_math=False)
    for axes in drawn.flat[len(panels) :]:
        axes.set_visible(False)
    bar = figure.colorbar(image, ax=drawn, aspect=30, shrink=0.6, fraction=0.03, pad=0.01)
    bar.set_label("share of the cell's goals; hatched: missing", fontsize=8)
    return figure


def _unit(grid: Grid, unit: str | None) -> str:
    if unit is not None and unit not in UNITS:
        raise RoomtoneError(f"unit: {unit!r} is none; {nearest(unit, UNITS)}")
    aimed = [u for u in UNITS if (grid.frame[f"goal_{u}"] > 0).any()]
    return unit or next((u for u in aimed if u != "renders"), "renders")


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


def _shape(grid: Grid) -> tuple[int, int]:
    """Return the numbers of rows and columns drawn: the longer axis runs downwards."""
    sizes = [len(values) for values in grid.levels]
    return (sizes[0], 1) if len(sizes) == 1 else (max(sizes), min(sizes))


def _longest_label(grid: Grid, which: int) -> int:
    """Return the longest label downwards (0) or across (1)."""
    order = sorted(range(len(grid.levels)), key=lambda i: -len(grid.levels[i]))
    return max((len(v) for v in grid.levels[order[min(which, len(order) - 1)]]), default=0) if which < len(order) else 1


def _panel(axes: Axes, grid: Grid, unit: str, order: tuple[np.ndarray, np.ndarray]) -> Any:
    import matplotlib

    share, counts, status = (_oriented(grid, column) for column in ("covered_share", unit, "status"))
    down, across, down_name, across_name = _labels(grid)
    rows, columns = order
    share, counts, status = (a[np.ix_(rows, columns)] for a in (share, counts, status))
    colours = matplotlib.colormaps[_COLOURS].with_extremes(bad="white")
    image = axes.pcolormesh(
        np.ma.masked_invalid(share), cmap=colours, vmin=0, vmax=1, edgecolors="white", linewidth=0.5
    )
    _hatch(axes, np.isin(status, ["empty", "partial"]), "////", "#b0b0b0")
    _hatch(axes, np.isin(status, ["ignored", "illegal"]), "xx", "#808080")
    _hatch(axes, (status == "illegal") & (counts > 0), "", "#d00000")
    size = 7.0 if len(columns) <= 40 else 5.0
    for (r, c), count in np.ndenumerate(counts):
        if status[r, c] == "no goal" and count == 0:
            continue
        dark = np.isfinite(share[r, c]) and share[r, c] < 0.55
        axes.text(
            c + 0.5,
            r + 0.5,
            _count_text(count),
            ha="center",
            va="center",
            fontsize=size,
            color="white" if dark else "black",
        )
    axes.set_yticks(np.arange(len(rows)) + 0.5, [down[r] for r in rows], fontsize=7, parse_math=False)
    axes.set_xticks(
        np.arange(len(columns)) + 0.5, [across[c] for c in columns], fontsize=7, rotation=90, parse_math=False
    )
    axes.set_ylabel(down_name, fontsize=8, parse_math=False)
    axes.set_xlabel(f"{across_name}   (in the cells: {unit})".strip(), fontsize=8, parse_math=False)
    axes.invert_yaxis()
    axes.tick_params(length=0)
    axes.set_frame_on(False)
    return image


def _count_text(count: float) -> str:
    if float(count).is_integer():
        return f"{int(count)}" if count < 10_000 else f"{count / 1000:.0f}k"
    return f"{count:.1f}"


def _oriented(grid: Grid, column: str) -> np.ndarray:
    array = grid.array(column)
    if array.ndim == 1:
        return array[:, None]
    return array if array.shape[0] >= array.shape[1] else array.T


def _labels(grid: Grid) -> tuple[Sequence[str], Sequence[str], str, str]:
    if len(grid.axes) == 1:
        return grid.levels[0], [""], grid.names[0], ""
    first, second = (0, 1) if len(grid.levels[0]) >= len(grid.levels[1]) else (1, 0)
    return grid.levels[first], grid.levels[second], grid.names[first], grid.names[second]


def _order(panels: Sequence[Grid]) -> tuple[np.ndarray, np.ndarray]:
    """Return one order of rows and columns for all panels, so that they can be compared."""
    shares = np.stack([_oriented(grid, "covered_share") for grid in panels])
    known = np.isfinite(shares)
    total = np.where(known, shares, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    share = np.where(known.any(axis=0), total, np.nan)
    _, _, down, across = _labels(panels[0])
    return _sorted(share, panels[0], down), _sorted(share.T, panels[0], across)


def _sorted(share: np.ndarray, grid: Grid, name: str) -> np.ndarray:
    """Return the rows by falling coverage; bins keep their order, and so do rows that are equal."""
    axis = next((a for a in grid.axes if a.column == name), Axis(""))
    if axis.edges:
        return np.arange(len(share))
    known = np.isfinite(share)
    mean = np.where(known.any(axis=1), np.where(known, share, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1), -1.0)
    return np.argsort(-np.round(mean, 9), kind="stable")


def _hatch(axes: Axes, mask: np.ndarray, hatch: str, colour: str) -> None:
    if not mask.any():
        return
    from matplotlib.collections import PolyCollection

    squares = [[(c, r), (c + 1, r), (c + 1, r + 1), (c, r + 1)] for r, c in np.argwhere(mask)]
    width = 0.0 if hatch else 1.6
    axes.add_collection(
        PolyCollection(squares, facecolor="none", edgecolor=colour, hatch=hatch, linewidth=width), autolim=False
    )


def tway_triangle(coverage: TWayCoverage) -> Figure:
    """Return the 2-way coverage of each pair of factors as a triangle.

    Raises:
        RoomtoneError: the coverage is of another strength.
    """
    from matplotlib.figure import Figure

    if coverage.strength != 2:
        raise RoomtoneError(f"tway_triangle: needs strength 2, got {coverage.strength}")
    factors = sorted({f for s in coverage.subsets for f in s.factors})
    names = [coverage.names[f] if coverage.names else f"factor {f}" for f in factors]
    table = np.full((len(factors), len(factors)), np.nan)
    figure = Figure(figsize=(2.2 + 0.8 * len(factors), 1.4 + 0.6 * len(factors)), dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    for subset in coverage.subsets:
        a, b = subset.factors
        table[b, a] = subset.seen / subset.possible if subset.possible else np.nan
        dark = table[b, a] < 0.55
        axes.text(
            a,
            b,
            f"{subset.seen}/{subset.possible}",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if dark else "black",
        )
    image = axes.imshow(np.ma.masked_invalid(table), cmap=_COLOURS, vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", fontsize=8, parse_math=False)
    axes.set_yticks(range(len(names)), names, fontsize=8, parse_math=False)
    axes.set_frame_on(False)
    axes.set_title(f"pairs of levels held: {coverage.seen} of {coverage.possible}", fontsize=9)
    figure.colorbar(image, ax=axes, shrink=0.7)
    return figure


@contextmanager
def _quiet() -> Iterator[None]:
    """An accent's name may be in a script that the font lacks; a box in the picture is no reason to stop."""
    import matplotlib

    with warnings.catch_warnings(), matplotlib.rc_context({"hatch.linewidth": 0.4, "svg.hashsalt": "roomtone"}):
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        warnings.filterwarnings("ignore", message=".*font does not support.*")
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        yield


def as_svg(figure: Figure) -> str:
    """Return a figure as an inline `<svg>` element, the same for the same figure."""
    buffer = io.StringIO()
    with _quiet():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def as_html(figure: Figure, cells: int) -> str:
    """Return a figure for a notebook: SVG while that is small, an inline PNG beyond."""
    if cells <= 600:
        return as_svg(figure)
    data = base64.b64encode(_png(figure)).decode()
    return f'<img alt="coverage heat map" style="max-width:100%" src="data:image/png;base64,{data}">'


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    with _quiet():
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure as PNG or SVG, by the file's ending, so that it appears whole."""
    if str(path).lower().endswith(".svg"):
        write_whole(path, as_svg(figure).encode())
        return
    write_whole(path, _png(figure))
