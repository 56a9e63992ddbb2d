"""NeMo manifests: one JSON object a line with `audio_filepath`, `duration`, `text`, perhaps `offset`, and any further keys."""

from __future__ import annotations

from pathlib import Path

from roomtone.core.errors import RoomtoneError
from roomtone.coverage.sources.layout import json_lines
from roomtone.coverage.sources.rows import Row

_NAMES = {"audio_filepath": "audio_path", "duration": "duration_s", "lang": "language", "speaker_id": "speaker"}


def read_nemo(path: Path) -> list[Row]:
    """Return the rows of a manifest; a recording's segments have ids of their own, `PATH#OFFSET`.

    Args:
        path: the manifest.

    Raises:
        RoomtoneError: not JSON lines, or one without `audio_filepath`.
    """
    rows: list[Row] = []
    for number, entry in enumerate(json_lines(path), 1):
        if not isinstance(entry.get("audio_filepath"), str):
            raise RoomtoneError(f"{path}, line {number}: no 'audio_filepath'")
        row: Row = {_NAMES.get(key, key): value for key, value in entry.items() if not isinstance(value, dict | list)}
        offset = row.pop("offset", None)
        if offset:
            row["roomtone_segment"] = f"#{offset}"
        rows.append(row)
    return rows
