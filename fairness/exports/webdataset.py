"""WebDataset tar shards: the files of a sample are adjacent and share its key, which holds no dot."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.exports.job import ExportJob

_SAMPLES_A_SHARD = 1000


def write(job: ExportJob) -> list[Path]:
    """Write `shard-000000.tar` and on; each sample is `KEY.flac` (or wav), `KEY.json` (its row) and `KEY.txt` (its words)."""
    records = list(job.records())
    written = []
    for start in range(0, len(records), _SAMPLES_A_SHARD):
        path = job.to / f"shard-{start // _SAMPLES_A_SHARD:06d}.tar"
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            for row in records[start : start + _SAMPLES_A_SHARD]:
                _add(tar, job, row)
        written.append(path)
    return written


def _add(tar: tarfile.TarFile, job: ExportJob, row: Mapping[str, Any]) -> None:
    key = str(row["sample_id"])
    if "." in key or "/" in key:
        raise RoomtoneError(f"sample {key!r}: a WebDataset key holds no dot and no slash")
    parts = {
        Path(job.audio_name(row)).suffix.lstrip("."): job.audio_bytes(row),
        "json": json.dumps(dict(row), ensure_ascii=False, allow_nan=False).encode(),
        "txt": str(row["text"] or "").encode(),
    }
    for extension, content in parts.items():
        info = tarfile.TarInfo(
            f"{key}.{extension}"
        )  # owner, mode and time stay at their defaults: two exports are equal
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
