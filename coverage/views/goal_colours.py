"""The colours of goals in pictures: read from the style sheet of the matrix component, in its light theme, so that page and paper are alike."""

from __future__ import annotations

import math
import re

from roomtone.coverage.views.matrix_view.embed import component_style

# the light theme is stated first
_PALETTE: dict[str, str] = dict(reversed(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", component_style())))
#: A goal that is met, and what is short of one: under a quarter, a half, three quarters, the whole; and nothing at all.
MET = _PALETTE["met"]
SHORT = tuple(_PALETTE[f"short{i}"] for i in range(1, 5))
HOLE = _PALETTE["hole"]
NO_GOAL = _PALETTE["plain"]
#: Rules and crosses of what is left out, the frame of what must not be there, and text beside the cells.
OUT_LINE, BAD, SOFT = _PALETTE["out-line"], _PALETTE["bad"], _PALETTE["soft"]
_INKS = (_PALETTE["ink"], "#ffffff")


def goal_colour(share: float) -> str:
    """Return the colour of a share of a goal; NaN is no goal.

    >>> goal_colour(1.0), goal_colour(0.0)
    ('#cfe2f1', '#ad3210')
    """
    if math.isnan(share):
        return NO_GOAL
    if share >= 1:
        return MET
    return HOLE if share <= 0 else SHORT[min(3, int(share * 4))]


def ink_on(colour: str) -> str:
    """Return the ink that reads better on a colour: dark or white."""
    return max(_INKS, key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, 1 to 21 (WCAG 2.2, relative luminance).

    Args:
        one: a colour, `#rrggbb`.
        other: another.

    >>> round(contrast("#000000", "#ffffff"), 1)
    21.0
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
