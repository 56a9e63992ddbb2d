"""The footer of a Parquet file, read without Arrow: `RowGroupMetaData.column` of pyarrow ends the whole process where a footer contradicts itself.

The footer is a Thrift struct in the compact protocol (Apache Parquet format, `FileMetaData`; Thrift compact protocol specification).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, Any

#: Bytes of a footer: two thousand columns in some hundred row groups.
MAX_FOOTER_BYTES = 32_000_000
_DEEPEST = 20


class FooterError(ValueError):
    """No footer of a Parquet file."""


def read_footer(file: IO[bytes]) -> list[tuple[int, list[tuple[str, int]]]]:
    """Return of each row group its rows, and of each of its columns the name of its field and the bytes it takes uncompressed.

    Args:
        file: open for reading bytes, at any place.

    Raises:
        FooterError: it is none.
        OSError: it cannot be read.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 8, 0))
    tail = file.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or not 0 < length <= min(size - 8, MAX_FOOTER_BYTES):
        raise FooterError("no footer of a Parquet file, or one of unusual size")
    file.seek(size - 8 - length)
    try:
        return list(_row_groups(_Compact(file.read(length)).struct()))
    except (IndexError, KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise FooterError("the footer is damaged") from error


def _row_groups(footer: dict[int, Any]) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    for group in footer[4]:
        columns = [chunk[3] for chunk in group[1]]
        yield int(group[3]), [(column[3][0].decode(), int(column[6])) for column in columns]


class _Compact:
    """Reads values of Thrift's compact protocol; of structs a mapping from field numbers."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._depth = 0

    def struct(self) -> dict[int, Any]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise FooterError("the footer is nested too deep")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            fields[number] = head & 15 == 1 if head & 15 in (1, 2) else self._value(head & 15)
        self._depth -= 1
        return fields

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _bytes(self, count: int) -> bytes:
        if count > len(self._data) - self._at:
            raise FooterError("the footer is cut short")
        self._at += count
        return self._data[self._at - count : self._at]

    def _length(self) -> int:
        value = shift = 0
        while shift < 64:
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
        raise FooterError("a number of the footer has no end")

    def _integer(self) -> int:
        value = self._length()
        return value >> 1 ^ -(value & 1)

    def _value(self, kind: int) -> Any:
        if kind in (4, 5, 6):
            return self._integer()
        if kind in (1, 2, 3):  # in a list a truth is a byte
            return self._byte()
        if kind == 8:
            return self._bytes(self._length())
        if kind in (9, 10):
            return self._list()
        if kind == 12:
            return self.struct()
        if kind in (7, 13):
            return self._bytes(8 if kind == 7 else 16)
        raise FooterError(f"the footer holds a value of the unknown kind {kind}")

    def _list(self) -> list[Any]:
        head = self._byte()
        count = head >> 4 if head >> 4 < 15 else self._length()
        if count > len(self._data) - self._at:
            raise FooterError("the footer is cut short")
        self._depth += 1
        if self._depth > _DEEPEST:
            raise FooterError("the footer is nested too deep")
        values = [self._value(head & 15) for _ in range(count)]
        self._depth -= 1
        return values
