"""Holes compressed: the largest regions of the grid in which everything is missing.

A pattern fixes some axes and leaves the others open; its count is the sum over all it matches. A maximal uncovered pattern
(MUP; Asudeh, Jin and Jagadish 2019) is one below the threshold all of whose parents, with one fixed value opened, are not.

All counts of the patterns that fix the same axes are one sum over the table, so each of the 2^d choices of axes is one array
operation; the largest array is the grid itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from roomtone.coverage.counting.grid import Grid

#: A pattern: for each axis the index of a value, or None where it is open.
Pattern = tuple[int | None, ...]

#: A line "everything but …" names at most this many exceptions, and is used only where more is missing than that.
MAX_EXCEPTIONS = 2
#: Single cells that one line names at most.
MAX_NAMES = 8


def maximal_uncovered_patterns(counts: np.ndarray, threshold: float = 1) -> list[tuple[Pattern, float]]:
    """Return the maximal uncovered patterns of a table of counts, each with its count, the most open first.

    Args:
        counts: samples in each cell [shape=(values of axis 0, values of axis 1, …)], none negative.
        threshold: a pattern with fewer samples is uncovered.

    >>> maximal_uncovered_patterns(np.array([[2, 3], [0, 0]]))
    [((1, None), 0.0)]
    """
    table = np.asarray(counts, dtype=np.float64)
    axes = range(table.ndim)
    uncovered: dict[tuple[int, ...], np.ndarray] = {}
    found: list[tuple[Pattern, float]] = []
    for size in range(table.ndim + 1):
        for fixed in itertools.combinations(axes, size):
            sums = np.asarray(table.sum(axis=tuple(a for a in axes if a not in fixed)))
            uncovered[fixed] = sums < threshold
            maximal = uncovered[fixed].copy()
            for place, axis in enumerate(fixed):
                parent = uncovered[tuple(a for a in fixed if a != axis)]
                maximal &= ~np.expand_dims(parent, place)
            found += [(_pattern(fixed, index, table.ndim), float(sums[tuple(index)])) for index in np.argwhere(maximal)]
    return found


def _pattern(fixed: Sequence[int], index: Iterable[int], axes: int) -> Pattern:
    values = dict(zip(fixed, map(int, index)))
    return tuple(values.get(axis) for axis in range(axes))


@dataclass(frozen=True)
class HoleRegion:
    """One line of the hole report: fixed values, open axes, and for one open axis the values that are not missing."""

    pattern: Pattern
    cells: int
    but_axis: int | None = None
    but: tuple[int, ...] = ()


def hole_regions(grid: Grid) -> list[HoleRegion]:
    """Return regions that cover every hole and nothing that is no hole, the largest first.

    Cells without a goal, ignored and illegal ones neither hinder a region nor count in it.
    """
    hole = np.isin(grid.array("status"), ["empty", "partial"])
    aimed = np.isfinite(grid.array("covered_share").astype(float))
    if not hole.any():
        return []
    regions = [
        HoleRegion(pattern, int(hole[_slice(pattern)].sum()))
        for pattern, _ in maximal_uncovered_patterns(aimed & ~hole, 1)
        if hole[_slice(pattern)].any()
    ]
    single = [region for region in regions if None not in region.pattern]
    wide = [region for region in regions if None in region.pattern]
    left = np.zeros_like(hole)
    for region in single:
        left[_slice(region.pattern)] = True
    nearly = list(_nearly_open(hole, aimed, left))
    singles = [HoleRegion(tuple(map(int, index)), 1) for index in np.argwhere(left)]
    return sorted(_needed(wide, hole) + nearly + singles, key=lambda region: -region.cells)


def _needed(regions: list[HoleRegion], hole: np.ndarray) -> list[HoleRegion]:
    """Leave out regions whose holes others have already named; larger ones go first."""
    open_holes = hole.copy()
    kept = []
    for region in sorted(regions, key=lambda region: -region.cells):
        if open_holes[_slice(region.pattern)].any():
            kept.append(region)
            open_holes[_slice(region.pattern)] = False
    return kept


def _nearly_open(hole: np.ndarray, aimed: np.ndarray, left: np.ndarray) -> Iterator[HoleRegion]:
    """Yield lines in which all but one or two values of an axis are missing, and take their cells out of `left`."""
    for axis in range(hole.ndim):
        exceptions = (aimed & ~hole).sum(axis=axis)
        missing = hole.sum(axis=axis)
        worth = (
            (exceptions <= MAX_EXCEPTIONS) & (missing > 2 * exceptions) & (missing >= 3) & (left.sum(axis=axis) >= 3)
        )
        for index in np.argwhere(worth):
            pattern: Pattern = (*map(int, index[:axis]), None, *map(int, index[axis:]))
            if left[_slice(pattern)].sum() >= 3:
                but = np.flatnonzero((aimed & ~hole)[_slice(pattern)])
                yield HoleRegion(pattern, int(hole[_slice(pattern)].sum()), axis, tuple(map(int, but)))
                left[_slice(pattern)] = False


def _slice(pattern: Pattern) -> tuple[int | slice, ...]:
    return tuple(slice(None) if value is None else value for value in pattern)


def hole_lines(grid: Grid) -> list[str]:
    """Return the regions as text, e.g. `accent scottish, any condition but clean: 5 cells`.

    Single cells that differ in one axis alone share a line: `accent scottish, condition gsm, ward: 2 cells`. Of a grid too large
    to list, the values of each axis are named of which no cell meets its goal, with most cells first.
    """
    if not grid.dense:
        return _sparse_lines(grid)
    regions = hole_regions(grid)
    lines = [(region.cells, _line(grid, region)) for region in regions if None in region.pattern]
    lines += _single_cells(grid, [region.pattern for region in regions if None not in region.pattern])
    return [
        f"{text}: {cells} {'cell' if cells == 1 else 'cells'}"
        for cells, text in sorted(lines, key=lambda line: -line[0])
    ]


def _line(grid: Grid, region: HoleRegion) -> str:
    parts = []
    for i, (axis, values, place) in enumerate(zip(grid.names, grid.levels, region.pattern)):
        if place is not None:
            parts.append(f"{axis} {values[place]}")
        elif i == region.but_axis:
            parts.append(f"any {axis} but {', '.join(values[b] for b in region.but)}")
        else:
            parts.append(f"any {axis}")
    return ", ".join(parts)


def _single_cells(grid: Grid, cells: Sequence[Pattern]) -> list[tuple[int, str]]:
    """Return the lines of single cells with their sizes; the axis is listed within a line that leaves the fewest lines."""

    def along(axis: int) -> dict[Pattern, list[Pattern]]:
        lines: dict[Pattern, list[Pattern]] = {}
        for cell in cells:
            lines.setdefault((*cell[:axis], None, *cell[axis + 1 :]), []).append(cell)
        return lines

    axis = min(range(len(grid.names)), key=lambda axis: len(along(axis)))
    found = []
    for line in along(axis).values():
        for start in range(0, len(line), MAX_NAMES):
            named = line[start : start + MAX_NAMES]
            places = [
                ", ".join(dict.fromkeys(values[cell[i] or 0] for cell in named)) for i, values in enumerate(grid.levels)
            ]
            found.append((len(named), ", ".join(f"{name} {place}" for name, place in zip(grid.names, places))))
    return found


def _sparse_lines(grid: Grid) -> list[str]:
    """Return the values of each axis without a covered cell; how many cells have each follows from the other axes' sizes."""
    covered = grid.frame["status"].to_numpy() == "covered"
    found: list[tuple[int, str]] = []
    for i, (name, values) in enumerate(zip(grid.names, grid.levels)):
        met = np.bincount(grid.codes[covered][:, i], minlength=len(values))
        cells = grid.size // max(len(values), 1)
        found += [
            (cells, f"{name} {values[k]}, anything else: none of {cells:,} cells meets its goal")
            for k in np.flatnonzero(met == 0)
        ]
    ordered = [line for _, line in sorted(found, key=lambda pair: -pair[0])]
    return [*ordered, f"{grid.empty_cells():,} cells in all hold no sample"]
