"""Which matrices fit a picture: a heat map beyond this is a smear that takes minutes to draw and that nobody reads."""

from __future__ import annotations

from roomtone.core.errors import RoomtoneError
from roomtone.coverage.counting.grid import Grid

#: Values along the longer and the shorter side of one panel.
MAX_LONG, MAX_SHORT = 200, 100
#: Cells of all panels together.
MAX_CELLS = 20_000


def check_readable(grid: Grid) -> None:
    """Refuse a matrix that no picture could show.

    Args:
        grid: the matrix, of at most three axes.

    Raises:
        RoomtoneError: too many values on an axis or cells in all; the message says what to do instead.
    """
    sizes = sorted((len(values) for values in grid.levels[:2]), reverse=True)
    limits = (MAX_LONG, MAX_SHORT)[: len(sizes)]
    if grid.size > MAX_CELLS or any(size > limit for size, limit in zip(sizes, limits)):
        raise RoomtoneError(
            f"picture: {grid.shape_text()}, more than can be read (at most {MAX_LONG} x {MAX_SHORT}, {MAX_CELLS:,} in all); "
            "bin an axis, use a part of the set, or read matrix.csv and holes.csv"
        )
