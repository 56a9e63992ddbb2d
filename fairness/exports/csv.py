"""One CSV for people. A text that a spreadsheet would run as a formula gets an apostrophe before it, which is the one change.

Parquet (the manifest itself) and JSON Lines are the faithful forms; read this one back with `str.removeprefix("'")` on such cells.
"""

from __future__ import annotations

from pathlib import Path

from roomtone.fairness.exports.job import ExportJob
from roomtone.fairness.results import write_table


def write(job: ExportJob) -> list[Path]:
    """Write `samples.csv`: every column of the manifest, and the counts where the set has been evaluated.

    Args:
        job: what is exported.
    """
    return [write_table(job.rows, job.to / "samples.csv")]
