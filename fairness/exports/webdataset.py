"""WebDataset tar shards: the files of a sample are adjacent and share its key, which holds no dot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from roomtone.core.dataset.tar_shards import add_sample, open_shard
from roomtone.fairness.exports.job import ExportJob

_SAMPLES_A_SHARD = 1000


def write(job: ExportJob) -> list[Path]:
    """Write `shard-000000.tar` and on; each sample is `KEY.flac` (or wav), `KEY.json` (its row) and `KEY.txt` (its words)."""
    records = list(job.records())
    written = []
    for start in range(0, len(records), _SAMPLES_A_SHARD):
        path = job.to / f"shard-{start // _SAMPLES_A_SHARD:06d}.tar"
        with open_shard(path) as tar:
            for row in records[start : start + _SAMPLES_A_SHARD]:
                add_sample(tar, str(row["sample_id"]), _members(job, row))
        written.append(path)
    return written


def _members(job: ExportJob, row: Mapping[str, Any]) -> dict[str, bytes]:
    return {
        Path(job.audio_name(row)).suffix.lstrip("."): job.audio_bytes(row),
        "json": json.dumps(dict(row), ensure_ascii=False, allow_nan=False).encode(),
        "txt": str(row["text"] or "").encode(),
    }
