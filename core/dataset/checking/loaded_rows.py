"""Do the tables and shards that loaders read say what the manifest says? `verify` checks the manifest; `datasets` never opens it.

Row by row, in the order in which a set is written: `metadata.parquet`, the columns of Parquet shards, the `.json` and `.txt` of tar shards.
Rows are streamed, a few at a time. The recordings themselves are checked with the rows that name them.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import IO, Any

from roomtone.core.dataset.checking.reconcile import SetParts
from roomtone.core.dataset.columns import ROW_HASH
from roomtone.core.dataset.part_bounds import MAX_CELL, MAX_RECIPE, stream_rows
from roomtone.core.dataset.row_hash import is_null
from roomtone.core.dataset.tar_shards import members
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import open_binary

_METADATA = "metadata.parquet"
_MOST_JSON = 4 * MAX_RECIPE
#: Columns of the manifest that `metadata.parquet` does without.
_MANIFEST_ONLY = ("audio_path", "recipe", ROW_HASH)


def loaded_row_faults(parts: SetParts) -> Iterator[str]:
    """Yield what a loader would read otherwise than the manifest says, one line a file.

    Args:
        parts: as `read_parts` returns them.
    """
    if _METADATA in parts.storage.names():
        yield from _fault(_METADATA, _metadata(parts))
    for shard in sorted(parts.keys) if parts.storage.names("shards") else ():
        for name in {str(row.get("audio_path")).partition("#")[0] for row in _first(parts, shard)}:
            if name.startswith("shards/") and ".." not in name and PurePosixPath(name).suffix in (".tar", ".parquet"):
                compared = _tar_shard if name.endswith(".tar") else _parquet_shard
                yield from _fault(name, compared(parts, shard, name))


def _fault(name: str, differences: Iterator[str]) -> Iterator[str]:
    """Yield the first difference, or that the file cannot be read."""
    try:
        yield from (f"{name}: {found}" for found in [next(differences, None)] if found is not None)
    except (RoomtoneError, OSError) as error:
        yield f"{name}: cannot be compared with the manifest ({' '.join(str(error).split())[:200]})"


def _open(parts: SetParts, name: str) -> IO[bytes]:
    return open_binary(f"{parts.storage.url.rstrip('/')}/{name}")


def _rows(parts: SetParts, shard: int) -> Iterator[dict[str, Any]]:
    with parts.open(shard) as file:
        for rows in stream_rows(file, parts.parts[shard]):
            yield from rows


def _first(parts: SetParts, shard: int) -> list[dict[str, Any]]:
    try:
        return [row for row in [next(_rows(parts, shard), None)] if row is not None]
    except (RoomtoneError, OSError):
        return []  # said where the rows are checked


def _metadata(parts: SetParts) -> Iterator[str]:
    """Yield how `metadata.parquet` differs from the rows whose recordings are files of their own."""

    def wanted() -> Iterator[dict[str, Any]]:
        for shard in sorted(parts.keys):
            for row in _rows(parts, shard):
                if "#" not in str(row.get("audio_path")):
                    kept = {name: value for name, value in row.items() if name not in _MANIFEST_ONLY}
                    yield {"file_name": row.get("audio_path"), **kept}

    with _open(parts, _METADATA) as file:
        yield from _differences(wanted(), (row for rows in stream_rows(file, _METADATA) for row in rows))


def _parquet_shard(parts: SetParts, shard: int, name: str) -> Iterator[str]:
    with _open(parts, name) as file:
        labels = stream_rows(file, name, without="audio")
        yield from _differences(_rows(parts, shard), (row for rows in labels for row in rows))


def _differences(wanted: Iterator[dict[str, Any]], found: Iterator[dict[str, Any]]) -> Iterator[str]:
    for row in wanted:
        other = next(found, None)
        if other is None:
            yield f"ends before sample {row.get('sample_id')}, which the manifest has"
            return
        column = _different(row, other)
        if column is not None:
            yield (
                f"{column} of sample {row.get('sample_id')} is {_shown(other.get(column))}, "
                f"the manifest says {_shown(row.get(column))}"
            )
    if next(found, None) is not None:
        yield "holds more rows than the manifest has for it"


def _different(row: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """Return the first column in which two rows differ; null and absent are the same, and a number may stand as text."""
    for name in {**row, **other}:
        a, b = row.get(name), other.get(name)
        a, b = None if is_null(a) else a, None if is_null(b) else b
        if a != b and (a is None or b is None or type(a) is type(b) or str(a) != str(b)):
            return name
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _tar_shard(parts: SetParts, shard: int, name: str) -> Iterator[str]:
    """Yield how a WebDataset shard differs from its rows: other members, in another order, or with other labels."""
    with _open(parts, name) as file:
        found = members(file, name)
        for row in _rows(parts, shard):
            sample_id = str(row.get("sample_id"))
            suffix = PurePosixPath(str(row.get("audio_path"))).suffix.removeprefix(".")
            for ending in (suffix, "json", "txt"):
                tar, member = next(found, (None, None))
                if tar is None or member is None or member.name != f"{sample_id}.{ending}" or not member.isreg():
                    yield f"holds {_shown(member and member.name)} where {sample_id}.{ending} should be"
                    return
                yield from _label_fault(tar, member, row, ending)
        if next(found, None) is not None:
            yield "holds more files than the manifest has for it"


def _label_fault(tar: tarfile.TarFile, member: tarfile.TarInfo, row: Mapping[str, Any], ending: str) -> Iterator[str]:
    if ending not in ("json", "txt"):
        return
    if member.size > (_MOST_JSON if ending == "json" else 4 * MAX_CELL):
        yield f"{member.name} has {member.size:,} bytes"
        return
    file = tar.extractfile(member)
    data = file.read() if file is not None else b""
    if ending == "txt":
        if data != str(row.get("text") or "").encode("utf-8", "surrogatepass"):
            yield f"{member.name} is not the text of its row"
        return
    try:
        labels = json.loads(data, object_pairs_hook=_once)
        column = _different(row, labels)
    except (ValueError, RecursionError, AttributeError, TypeError) as error:
        yield f"{member.name} holds no row ({' '.join(str(error).split())[:100]})"
        return
    if column is not None:
        yield f"{column} in {member.name} is {_shown(labels.get(column))}, the manifest says {_shown(row.get(column))}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose keys are there once each: of two, readers take either."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found
