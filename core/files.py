"""Files written whole or not at all, and flushed to disk."""

from __future__ import annotations

import os
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, cast

from roomtone.core.bounded.regular_files import open_regular
from roomtone.core.bounded.yaml_text import parse_bounded_yaml, read_bounded_text
from roomtone.core.errors import RoomtoneError


def write_whole(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file so that it appears whole or not at all.

    Args:
        path: where it goes; folders are made.
        content: all of it.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def refuse_links(folder: str | os.PathLike[str]) -> None:
    """Refuse a folder of a set to write into that is a link or holds one: whoever made the set would choose what is overwritten.

    Args:
        folder: it need not be there.

    Raises:
        RoomtoneError: names the link.
    """
    for path in (Path(folder), *Path(folder).rglob("*")):
        if path.is_symlink():
            raise RoomtoneError(f"{path}: is a link, and nothing in a set is written through links; remove it")


#: Flushes at once: a journal commits those that wait together.
_AT_ONCE = 8


def user_id() -> int:
    """Return this user's number; 0 on a system without such numbers, where files have none either."""
    return os.getuid() if hasattr(os, "getuid") else 0


def fsync_path(path: Path) -> None:
    """Flush a file or a folder to the disk; a folder only where the system can."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)  # Windows flushes what may be written to
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_all(paths: list[Path]) -> None:
    """Flush files to the disk, several at once."""
    with ThreadPoolExecutor(min(_AT_ONCE, max(len(paths), 1))) as pool:
        list(pool.map(fsync_path, paths))


def is_remote(path: str) -> bool:
    """Return whether a path is a URL of an object store rather than a path of this machine.

    >>> is_remote("s3://bucket/set"), is_remote("stress-set")
    (True, False)
    """
    return "://" in path


def open_binary(path: str) -> IO[bytes]:
    """Open a file of this machine, or one at an fsspec URL, for reading bytes.

    Raises:
        OSError: there is no such file, or it cannot be read.
    """
    if not is_remote(path):
        return open_regular(path)
    import fsspec

    return cast(IO[bytes], fsspec.open(path, "rb").open())


def read_yaml(path: str | os.PathLike[str], *, expected: str) -> dict[str, Any]:
    """Return the mapping that a YAML file holds; only plain values of bounded size, no tags that make objects.

    Args:
        path: the file.
        expected: what the mapping should hold, for the message, e.g. `the key 'op'`.

    Raises:
        RoomtoneError: no such file, not YAML, or not a mapping.
    """
    content = parse_bounded_yaml(read_bounded_text(path), where=str(path))
    if not isinstance(content, dict):
        raise RoomtoneError(f"{path}: expected a mapping with {expected}")
    return content
