"""A file as its decoder should see it: without the tag before it, and with the sizes that its header should have had."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import BinaryIO

#: MPEG decoders look for an ID3v1 tag in so many bytes at the end.
_TAIL_BYTES = 128


class FileView(io.RawIOBase):
    """A read-only file that begins late, in which some bytes are replaced.

    Args:
        file: the file itself; closed with the view.
        start: the view's byte 0 in the file.
        overlay: position in the view -> the bytes that are read there instead.
        claimed_size: size in bytes that the view states where that is more than it has. libsndfile stops at the length that it
            estimates from the size of an MPEG file; with a larger size it decodes to the end.
    """

    def __init__(
        self, file: BinaryIO, *, start: int = 0, overlay: Mapping[int, bytes] | None = None, claimed_size: int = 0
    ) -> None:
        self._file = file
        self._start = start
        self._overlay = dict(overlay or {})
        self._size = os.fstat(file.fileno()).st_size - start
        self._claimed = max(claimed_size, self._size)
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in the view, bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position in the view and return it."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._claimed}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer from the position on; return how many bytes were there."""
        content = self._bytes(len(buffer))
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def _bytes(self, count: int) -> bytes:
        if self._position >= self._size:
            in_tail = self._position >= self._claimed - _TAIL_BYTES
            return bytes(min(count, self._claimed - self._position)) if in_tail else b""
        self._file.seek(self._start + self._position)
        content = bytearray(self._file.read(count))
        for at, replacement in self._overlay.items():
            for index, value in enumerate(replacement, start=at - self._position):
                if 0 <= index < len(content):
                    content[index] = value
        return bytes(content)

    def close(self) -> None:
        """Close the view and the file."""
        self._file.close()
        super().close()
