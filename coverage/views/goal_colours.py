"""The colours of goals in pictures: those of the matrix component in its light theme, so that page and paper read alike."""

from __future__ import annotations

import math

#: A goal that is met, and what is short of one: under a quarter, a half, three quarters, the whole; and nothing at all.
MET = "#cfe2f1"
SHORT = ("#f27c37", "#f8a461", "#fcca94", "#fce4c4")
HOLE = "#ad3210"
NO_GOAL = "#f3f5f7"
_INKS = ("#14161a", "#ffffff")


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

    >>> round(contrast("#000000", "#ffffff"), 1)
    21.0
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
