"""Numbers as text: shares as per cent, gaps as points, cells of a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share as per cent, or a dash."""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.{digits}f}"


def detectable(value: float | None, scale: str = "difference") -> str:
    """Return the smallest difference that could have shown; past 100 points there is none that could."""
    if value is None or not math.isfinite(value):
        return "–"
    if scale == "ratio":
        return f"{number(value)}×"
    return percent(value) if value < 1 else ">100"


def points(value: float | None) -> str:
    """Return a difference of shares in points with its sign, or a dash."""
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:+.1f}"


def number(value: float | None, digits: int = 3) -> str:
    """Return a number, or a dash."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}g}"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Return a Markdown table."""
    lines = [f"| {' | '.join(map(cell, head))} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(map(cell, row))} |" for row in rows]


_ESCAPES = str.maketrans(
    {c: f"\\{c}" for c in "\\`*_[]|#!"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;", "\n": " ", "\r": " "}
)


def cell(text: Any) -> str:
    """Return a text that Markdown shows as it is."""
    return str(text).translate(_ESCAPES)
