"""Numbers as text: shares as per cent, gaps as points; rows as plain values; Markdown tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from roomtone.core.printable import markdown_text

if TYPE_CHECKING:
    import pandas as pd


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share as per cent, or a dash.

    Args:
        value: share, NaN or null where it is undefined.
        digits: after the point.
    """
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:.{digits}f}"


def detectable(value: float | None, scale: str = "difference") -> str:
    """Return the smallest difference that could have shown, in points or as a factor; a dash where none below 100 points could.

    Args:
        value: a share, or a ratio.
        scale: `difference` or `ratio`.
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{number(value)}×" if scale == "ratio" else percent(value)


def points(value: float | None) -> str:
    """Return a difference of shares in points with its sign, or a dash.

    Args:
        value: difference of shares.
    """
    return "–" if value is None or not math.isfinite(value) else f"{100 * value:+.1f}"


def between(row: Mapping[str, Any], name: str, form: Callable[[float | None], str] = points) -> str:
    """Return an interval as text, one dash where it is not defined.

    Args:
        row: with `NAME_low` and `NAME_high`.
        name: of the figure.
        form: writes one bound.
    """
    bounds = [form(row[f"{name}_{end}"]) for end in ("low", "high")]
    return "–" if set(bounds) == {"–"} else " to ".join(bounds)


#: Signs of the verdicts; a gap has two, since fewer errors are one as well.
SIGNS = {"gap": "▲", "no_gap": "≈", "not_enough_data": "?", "saturated": "■"}
BETTER = "▽"


def sign(row: Mapping[str, Any]) -> str:
    """Return the sign of a comparison's verdict: ▲ for a gap with more errors, ▽ for one with fewer.

    Args:
        row: of a table of comparisons: `verdict, estimand` and the column that the latter names.
    """
    verdict, estimand = str(row["verdict"]), str(row["estimand"])
    nothing = 1.0 if estimand in ("ratio", "ror") else 0.0
    return BETTER if verdict == "gap" and row[estimand] < nothing else SIGNS[verdict]


def counted(gaps: pd.DataFrame, verdict: str, name: str) -> str:
    """Return the name of a verdict beside its count; of gaps, in how many the compared group is worse off and in how many better.

    Args:
        gaps: of the comparison.
        verdict: as in their column.
        name: in words.
    """
    found = records(gaps[gaps["verdict"] == verdict]) if len(gaps) else []
    if verdict != "gap" or not found:
        return name
    less = sum(sign(row) == BETTER for row in found)
    return f"{name} (worse off in {len(found) - less}, better off in {less})"


def number(value: float | None, digits: int = 3) -> str:
    """Return a number, or a dash.

    Args:
        value: any number.
        digits: that matter.
    """
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}g}"


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table in plain Python values, null as None.

    Args:
        frame: any table.
    """
    from roomtone.fairness.exports.job import plain

    return [{str(key): plain(value) for key, value in row.items()} for row in frame.to_dict("records")]


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """Return the lines of a Markdown table.

    Args:
        head: names of the columns.
        rows: cells, as many a row.
    """
    lines = [f"| {' | '.join(map(markdown_text, head))} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(map(markdown_text, row))} |" for row in rows]
