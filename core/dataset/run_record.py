"""`dataset.json`: what a set says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from roomtone.core.dataset.storage import Place
from roomtone.core.errors import RoomtoneError

FORMAT_VERSION = 1


def _read(place: Place) -> Any:
    text = place.read_text("dataset.json")
    if text is None:
        return None
    try:
        state = json.loads(text)
        if state["format_version"] != FORMAT_VERSION:
            raise RoomtoneError(
                f"{place}/dataset.json: format version {state['format_version']!r}; this version knows {FORMAT_VERSION}"
            )
    except (ValueError, KeyError, TypeError) as error:
        raise RoomtoneError(f"{place}/dataset.json: not readable as JSON with a format_version: {error}") from error
    return state


def _write(place: Place, state: Mapping[str, Any]) -> None:
    place.write_text("dataset.json", json.dumps(state, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
