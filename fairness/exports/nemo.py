"""NeMo manifest: one JSON a line with `audio_filepath`, `text`, `duration`; labels beside them, for its evaluator's groups."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from roomtone.fairness.exports.job import ExportJob, write_json_lines


def write(job: ExportJob) -> list[Path]:
    """Write `manifest.json`; audio paths are relative to it, as NeMo reads them. `pred_text` is the hypothesis."""
    return [write_json_lines(job.to / "manifest.json", (_entry(job, row) for row in job.records()))]


def _entry(job: ExportJob, row: dict[str, Any]) -> dict[str, Any]:
    path = os.path.relpath(job.audio(row), job.to.resolve())
    entry = {"audio_filepath": Path(path).as_posix(), "text": row["text"] or "", "duration": row["duration_s"]}
    optional = {"lang": row.get("language"), "speaker": row.get("speaker"), "pred_text": row.get("hypothesis")}
    named = {"sample_id": row["sample_id"]} | {k: v for k, v in optional.items() if v is not None}
    return entry | named | job.labels(row)
