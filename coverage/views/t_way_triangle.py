"""The 2-way coverage of each pair of factors as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.coverage.views.goal_colours import goal_colour, ink_on

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from roomtone.coverage.combinatorics.t_way import TWayCoverage

_DPI = 110


def tway_triangle(coverage: TWayCoverage) -> Figure:
    """Return the 2-way coverage of each pair of factors as a triangle: in each square the pairs of levels held, of those possible.

    Raises:
        RoomtoneError: the coverage is of another strength.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    if coverage.strength != 2:
        raise RoomtoneError(f"tway_triangle: needs strength 2, got {coverage.strength}")
    factors = sorted({f for s in coverage.subsets for f in s.factors})
    names = [coverage.names[f] if coverage.names else f"factor {f}" for f in factors]
    place = {factor: i for i, factor in enumerate(factors)}
    figure = Figure(figsize=(2.2 + 0.8 * len(factors), 1.4 + 0.6 * len(factors)), dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    for subset in coverage.subsets:
        a, b = (place[factor] for factor in subset.factors)
        share = subset.seen / subset.possible if subset.possible else np.nan
        colour = goal_colour(share)
        axes.add_patch(Rectangle((a - 0.5, b - 0.5), 1, 1, facecolor=colour, edgecolor="white", linewidth=1.5))
        axes.text(a, b, f"{subset.seen}/{subset.possible}", ha="center", va="center", fontsize=8, color=ink_on(colour))
    # the first factor has no square in its row, the last none in its column
    axes.set_xticks(range(len(names) - 1), names[:-1], rotation=30, ha="right", fontsize=8, parse_math=False)
    axes.set_yticks(range(1, len(names)), names[1:], fontsize=8, parse_math=False)
    axes.set_xlim(-0.5, max(0.5, len(names) - 1.5))
    axes.set_ylim(len(names) - 0.5, 0.5)
    axes.tick_params(length=0)
    axes.set_frame_on(False)
    axes.set_title(f"{coverage.seen} of {coverage.possible} pairs of levels are held", fontsize=9)
    return figure
