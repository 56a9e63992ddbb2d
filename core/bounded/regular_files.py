"""Files of this machine, opened for reading: regular ones, and no pipe, device, socket or folder in their place.

A pipe is waited for without end, a device may never end or act when it is opened. Every reader of the project opens what a user or a
stranger's file names through this module (`tests/test_readers.py` looks for one that does not). Libraries that open by name
(DuckDB, libsndfile) are given names that `check_regular` has seen.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import stat
from typing import Any

#: Bytes of a JSON file that describes a set or an evaluation.
MAX_JSON_BYTES = 256_000_000
#: Bytes of any file that is read whole, unless its reader says otherwise.
MAX_BYTES = 256_000_000
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


class FileTooLargeError(OSError):
    """A file of more bytes than its reader takes."""


def file_kind(mode: int) -> str:
    """Return what a file is that is not regular, in words.

    Args:
        mode: of `os.stat`.
    """
    return next((name for test, name in _KINDS if test(mode)), "something else")


def check_regular(path: str | os.PathLike[str]) -> None:
    """Refuse what is no regular file.

    Args:
        path: a file of this machine; a link is followed.

    Raises:
        OSError: there is no such file, or it is a pipe, a device, a socket or a folder.
    """
    _check_mode(os.stat(path).st_mode, path)


def open_regular(path: str | os.PathLike[str]) -> io.BufferedReader:
    """Return a file, open for reading bytes.

    Args:
        path: a file of this machine; a link is followed.

    Raises:
        OSError: as `check_regular`, or it cannot be read.
    """
    check_regular(path)  # opening a device may act
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        _check_mode(os.fstat(descriptor).st_mode, path)  # it may have been replaced since
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def _check_mode(mode: int, path: str | os.PathLike[str]) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, f"is {file_kind(mode)}, not a regular file", os.fspath(path))


def one_file(path: str) -> str:
    """Return a path as DuckDB reads the file of exactly this name: in its patterns `[*]` means `*`.

    >>> one_file("sets/a[1]/part-*.parquet")
    'sets/a[[]1]/part-[*].parquet'
    """
    return re.sub(r"[*?\[]", r"[\g<0>]", path)


def read_bytes(path: str | os.PathLike[str], *, most_bytes: int = MAX_BYTES) -> bytes:
    """Return a file's bytes.

    Args:
        path: a file of this machine.
        most_bytes: a larger file is refused unread; one without content on the disk may state any size.

    Raises:
        OSError: as `open_regular`, or `FileTooLargeError`.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(most_bytes + 1) if size <= most_bytes else b""
    if max(size, len(data)) > most_bytes:
        raise FileTooLargeError(errno.EFBIG, f"has more than {most_bytes:,} bytes", os.fspath(path))
    return data


def read_text(path: str | os.PathLike[str], *, errors: str = "strict") -> str:
    """Return the text of a UTF-8 file, line ends as `\\n`.

    Args:
        path: a file of this machine.
        errors: what becomes of bytes that are no UTF-8, as `open` takes it.

    Raises:
        OSError: as `open_regular`.
        UnicodeDecodeError: not UTF-8.
    """
    return read_bytes(path).decode("utf-8", errors).replace("\r\n", "\n").replace("\r", "\n")


def read_json(path: str | os.PathLike[str], *, most_bytes: int = MAX_JSON_BYTES) -> Any:
    """Return what a JSON file holds.

    Args:
        path: a file of this machine.
        most_bytes: a larger file is refused unread.

    Raises:
        OSError: as `open_regular`.
        ValueError: not JSON, nested too deep, or too large.
    """
    try:
        data = read_bytes(path, most_bytes=most_bytes)
    except FileTooLargeError as error:
        raise ValueError(f"more than {most_bytes:,} bytes") from error
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError("JSON that nests too deep") from error
