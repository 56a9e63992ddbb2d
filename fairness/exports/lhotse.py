"""Lhotse manifests: recordings, supervisions and cuts; accent, condition and all labels in `custom`."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from roomtone.core.words import one_line
from roomtone.fairness.exports.job import ExportJob


def write(job: ExportJob) -> list[Path]:
    """Write `recordings.jsonl.gz`, `supervisions.jsonl.gz` and `cuts.jsonl.gz`; audio paths are absolute."""
    rows = [(_recording(job, row), _supervision(job, row)) for row in job.records()]
    return [
        _write(job.to / "recordings.jsonl.gz", (recording for recording, _ in rows)),
        _write(job.to / "supervisions.jsonl.gz", (supervision for _, supervision in rows)),
        _write(job.to / "cuts.jsonl.gz", (_cut(recording, supervision) for recording, supervision in rows)),
    ]


def _recording(job: ExportJob, row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": row["sample_id"],
        "sources": [{"type": "file", "channels": [0], "source": str(job.audio(row))}],
        "sampling_rate": row["sample_rate_hz"],
        "num_samples": row["num_samples"],
        # Lhotse checks that this is the samples over the rate
        "duration": row["num_samples"] / row["sample_rate_hz"],
        "channel_ids": [0],
    }


def _supervision(job: ExportJob, row: Mapping[str, Any]) -> dict[str, Any]:
    supervision = {
        "id": row["sample_id"], "recording_id": row["sample_id"], "start": 0.0,
        "duration": row["num_samples"] / row["sample_rate_hz"], "channel": 0, "text": one_line(row["text"]),
    }  # fmt: skip
    optional = {"language": row.get("language"), "speaker": row.get("speaker"), "gender": row.get("attr_gender")}
    return supervision | {k: v for k, v in optional.items() if v is not None} | {"custom": job.labels(row)}


def _cut(recording: dict[str, Any], supervision: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": recording["id"], "start": 0.0, "duration": recording["duration"], "channel": 0,
        "supervisions": [supervision], "recording": recording, "custom": supervision["custom"], "type": "MonoCut",
    }  # fmt: skip


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    # a time stamp in the header would make two exports of one set differ
    with gzip.GzipFile(path, "wb", mtime=0) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n")
    return path
