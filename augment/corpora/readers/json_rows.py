"""JSON as a stream of rows: one object a line (JSON Lines), or the objects of one array, however it is laid out."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from roomtone.core.errors import RoomtoneError

_CHUNK = 1 << 20
_BETWEEN_ITEMS = re.compile(r"[\s,]*")


def json_rows(path: Path, file: TextIO) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file one by one; a large array is never held whole.

    Args:
        path: the file, for messages.
        file: open at its beginning.

    Raises:
        RoomtoneError: a line or an item is not JSON, or not an object; the message says which.
    """
    start = _up_to_first_letter(file)
    rows = _items(path, start, file) if start.endswith("[") else _lines(path, start, file)
    for where, row in rows:
        if not isinstance(row, dict):
            raise RoomtoneError(f"{path}, {where}: expected one JSON object, got {json.dumps(row)[:40]}")
        yield row


def _up_to_first_letter(file: TextIO) -> str:
    """Return what the file begins with, up to the first character that is not white space; a bounded file cannot be rewound."""
    start = ""
    while letter := file.read(1):
        start += letter
        if not letter.isspace():
            break
    return start


def _lines(path: Path, start: str, file: TextIO) -> Iterator[tuple[str, Any]]:
    first = io.StringIO(start + file.readline(), newline="")
    for number, line in enumerate(itertools.chain(first, file), start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                raise RoomtoneError(f"{path}, line {number}: not JSON ({error})") from error
            yield f"line {number}", row


def _items(path: Path, start: str, file: TextIO) -> Iterator[tuple[str, Any]]:
    decoder = json.JSONDecoder()
    text = start + file.read(_CHUNK)
    at, count = len(start), 1
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
