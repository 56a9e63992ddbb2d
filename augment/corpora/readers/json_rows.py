"""JSON as a stream of rows: one object a line (JSON Lines), or the objects of one array, however it is laid out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from roomtone.core.bounded_lines import open_bounded_text
from roomtone.core.errors import RoomtoneError

_CHUNK = 1 << 20
_BETWEEN_ITEMS = re.compile(r"[\s,]*")


def json_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file one by one; a large array is never held whole.

    Args:
        path: UTF-8, unzipped where it ends in `.gz`; its lines are bounded.

    Raises:
        RoomtoneError: a line or an item is not JSON, or not an object; the message says which.
        OSError: it cannot be opened, or has a line that is too long.
    """
    is_array = _first_letter(path) == "["
    with open_bounded_text(path) as file:
        for where, row in _items(path, file) if is_array else _lines(path, file):
            if not isinstance(row, dict):
                raise RoomtoneError(f"{path}, {where}: expected one JSON object, got {json.dumps(row)[:40]}")
            yield row


def _first_letter(path: Path) -> str:
    """Return the first character of a file that is not white space."""
    letter = " "
    with open_bounded_text(path) as file:
        while letter.isspace():
            letter = file.read(1)
    return letter


def _lines(path: Path, file: TextIO) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                raise RoomtoneError(f"{path}, line {number}: not JSON ({error})") from error
            yield f"line {number}", row


def _items(path: Path, file: TextIO) -> Iterator[tuple[str, Any]]:
    decoder = json.JSONDecoder()
    text = file.read(_CHUNK)
    at, count = text.index("[") + 1, 1
    while True:
        found = _BETWEEN_ITEMS.match(text, at)
        at = at if found is None else found.end()
        if text[at : at + 1] == "]":
            return
        try:
            row, at = decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError) as error:
            # an item that the text read so far cuts in two is not wrong yet
            more = file.read(max(_CHUNK, len(text) - at))
            if not more or isinstance(error, RecursionError):
                raise RoomtoneError(f"{path}, item {count} of the array: not JSON ({error})") from error
            text, at = text[at:] + more, 0
            continue
        yield f"item {count} of the array", row
        count += 1
