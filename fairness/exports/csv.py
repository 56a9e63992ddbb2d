"""One CSV for people. A text that a spreadsheet would run as a formula gets an apostrophe before it, which is the one change.

Null is an empty cell and an empty text is `""`, so that a recogniser that heard nothing differs from one that failed. Readers that keep
them apart: DuckDB with `read_csv(…, allow_quoted_nulls=false)`, and `pyarrow.csv` with
`ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)`. pandas cannot: with
`pd.read_csv(path, keep_default_na=False, na_values={"substitutions": [""]})` both are `""`, and a sample that failed has no `substitutions`.
Parquet (the manifest itself) and JSON Lines are the faithful forms; texts come back from this one with `str.removeprefix("'")`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from roomtone.coverage.views.csv_tables import neutral
from roomtone.fairness.exports.job import ExportJob, write_lines


def write(job: ExportJob) -> list[Path]:
    """Write `samples.csv`: every column of the manifest, and the counts where the set has been evaluated.

    Args:
        job: what is exported.
    """
    head = [[neutral(str(name)) for name in job.rows.columns]]
    lines = (row.values() for row in job.records())
    return [write_lines(job.to / "samples.csv", (",".join(map(_cell, cells)) for cells in (*head, *lines)))]


def _cell(value: Any) -> str:
    """Return a cell as RFC 4180 has it; null is nothing at all."""
    if value is None:
        return ""
    text = str(neutral(value))
    return '"' + text.replace('"', '""') + '"' if not text or set(text) & set(',"\r\n') else text
