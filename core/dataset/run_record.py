"""`dataset.json`: what a set says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from roomtone.core.dataset.storage import DatasetStorage
from roomtone.core.errors import RoomtoneError

FORMAT_VERSION = 1


def read_record(storage: DatasetStorage) -> Any:
    """Return what `dataset.json` holds, None where there is none.

    Raises:
        RoomtoneError: not JSON, or of another format version.
    """
    text = storage.read_text("dataset.json")
    if text is None:
        return None
    try:
        state = json.loads(text)
        if state["format_version"] != FORMAT_VERSION:
            raise RoomtoneError(
                f"{storage}/dataset.json: format version {state['format_version']!r}; this version knows {FORMAT_VERSION}"
            )
    except (ValueError, KeyError, TypeError) as error:
        raise RoomtoneError(f"{storage}/dataset.json: not readable as JSON with a format_version: {error}") from error
    return state


def write_record(storage: DatasetStorage, state: Mapping[str, Any]) -> None:
    """Write `dataset.json`, whole or not at all.

    Args:
        storage: where the set lies.
        state: what `dataset.json` is to hold.
    """
    storage.write_text("dataset.json", json.dumps(state, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
