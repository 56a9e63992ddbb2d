"""One CSV for people. A text that a spreadsheet would run as a formula gets an apostrophe before it, which is the one change.

Parquet (the manifest itself) and JSON Lines are the faithful forms; read this one back with `str.removeprefix("'")` on such cells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from roomtone.core.printable import printable
from roomtone.fairness.exports.job import ExportJob

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def write(job: ExportJob) -> list[Path]:
    """Write `samples.csv`: every column of the manifest, and the counts where the set has been evaluated."""
    path = job.to / "samples.csv"
    neutral = job.rows.map(neutralise)
    neutral.columns = [neutralise(str(name)) for name in neutral.columns]
    neutral.to_csv(path, index=False)
    return [path]


def neutralise(cell: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula, its control characters shown; only texts change.

    >>> neutralise("=1+1"), neutralise(-1.5)
    ("'=1+1", -1.5)
    """
    if not isinstance(cell, str):
        return cell
    return f"'{printable(cell)}" if cell.startswith(_FORMULA) else printable(cell)
