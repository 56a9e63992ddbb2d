"""Text files whose lines are bounded: a few megabytes of gzip may mean one line of gigabytes."""

from __future__ import annotations

import gzip
import io
import os
from typing import BinaryIO, TextIO, cast

from roomtone.core.bounded.regular_files import open_regular

#: Bytes without a line end that a table may hold.
MAX_LINE_BYTES = 64_000_000
_BLOCK = 1 << 16


class LineTooLongError(OSError):
    """A line of more than `MAX_LINE_BYTES`."""


class _BoundedLines(io.RawIOBase):
    """Passes bytes on and counts those since the last line end."""

    def __init__(self, inner: BinaryIO, file: BinaryIO) -> None:
        self._inner = inner
        self._file = file
        self._since_line_end = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._inner.read(min(len(buffer), _BLOCK))
        last = max(data.rfind(b"\n"), data.rfind(b"\r"))
        self._since_line_end = len(data) - last - 1 if last >= 0 else self._since_line_end + len(data)
        if self._since_line_end > MAX_LINE_BYTES:
            raise LineTooLongError(f"a line of more than {MAX_LINE_BYTES:,} bytes, which no table has")
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._inner.close()
        self._file.close()  # gzip leaves it open
        super().close()


def open_bounded_text(path: str | os.PathLike[str], *, errors: str = "strict") -> TextIO:
    """Return a text file, unzipped where it ends in `.gz`; a byte-order mark is skipped, and line ends are left as they are.

    Args:
        path: the file.
        errors: what becomes of bytes that are no UTF-8, as `open` takes it.

    Raises:
        OSError: it cannot be opened; `LineTooLongError` while reading.
    """
    name = os.fspath(path)
    file = open_regular(name)  # the caller closes it
    inner = cast(BinaryIO, gzip.GzipFile(fileobj=file) if name.endswith(".gz") else file)
    return io.TextIOWrapper(
        io.BufferedReader(_BoundedLines(inner, file), _BLOCK), encoding="utf-8-sig", errors=errors, newline=""
    )
