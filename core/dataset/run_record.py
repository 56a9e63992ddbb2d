"""`dataset.json`: what a set records of the runs that made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from roomtone.core.dataset.storage import DatasetStorage
from roomtone.core.errors import RoomtoneError

FORMAT_VERSION = 1
#: Bytes of a record: some ten kilobytes a run.
MAX_RECORD_BYTES = 32_000_000


def read_record(storage: DatasetStorage) -> Any:
    """Return the mapping that `dataset.json` holds, None where the set has none yet.

    Raises:
        RoomtoneError: not JSON, or of a format version that is not known here.
    """
    data = storage.read("dataset.json", most_bytes=MAX_RECORD_BYTES)
    if data is None:
        return None
    try:
        record = json.loads(data)
        if record["format_version"] != FORMAT_VERSION:
            raise RoomtoneError(
                f"{storage}/dataset.json: format version {record['format_version']!r}; "
                f"this version knows {FORMAT_VERSION}"
            )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RoomtoneError(f"{storage}/dataset.json: not readable as JSON with a format_version: {error}") from error
    return record


def write_record(storage: DatasetStorage, record: Mapping[str, Any]) -> None:
    """Write `dataset.json`, whole or not at all.

    Args:
        storage: where the set is kept.
        record: what it records; plain JSON values.
    """
    storage.write_text("dataset.json", json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
