"""What a manifest part may hold: bounds that are checked in its footer, before a value is read.

A part of a stranger's is a few kilobytes on disk and may mean gigabytes: a column of one long text, repeated. Rows are read in small
batches, so that what a batch can become is bounded too.

The footer is read without Arrow: `RowGroupMetaData.column` of pyarrow ends the whole process where a footer contradicts itself. It is a Thrift
struct in the compact protocol (Apache Parquet format, `FileMetaData`; Thrift compact protocol specification).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from typing import IO, Any

from roomtone.core.bounded.parquet_texts import check_expansion
from roomtone.core.errors import RoomtoneError

#: Rows and columns of a part, characters of a cell, and of the recipe, which is the longest by far.
MAX_ROWS = 5_000_000
MAX_COLUMNS = 2_000
MAX_CELL = 100_000
MAX_RECIPE = 1_000_000
#: Bytes of an encoded recording: two hours and more at any rate that a set has.
MAX_RECORDING = 256_000_000
_MOST = {"recipe": MAX_RECIPE, "audio": MAX_RECORDING}
#: Bytes that one column of one row group may take in memory.
MAX_COLUMN_BYTES = 256_000_000
#: Bytes of a footer: two thousand columns in some hundred row groups.
MAX_FOOTER_BYTES = 32_000_000
_DEEPEST = 20
#: Rows that are held at once while a part is streamed.
BATCH_ROWS = 32


def check_footer(file: IO[bytes], where: str, *, without: Collection[str] = ()) -> None:
    """Refuse a part that means more than a manifest holds, in its footer or once its texts are written out.

    Args:
        file: of the part, open for reading bytes; it is left at its beginning.
        where: its name, for the message.
        without: columns that the caller does not read, or not whole.

    Raises:
        RoomtoneError: no Parquet file, too many rows or columns, or a column whose cells are megabytes.
    """
    import pyarrow as pa

    try:
        groups = read_footer(file)
        file.seek(0)
    except (OSError, ValueError) as error:
        raise RoomtoneError(f"{where}: not a readable Parquet file ({_first_line(error)})") from error
    rows, columns = sum(count for count, _ in groups), max((len(found) for _, found in groups), default=0)
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        raise RoomtoneError(
            f"{where}: {rows:,} rows of {columns:,} columns; a part holds at most {MAX_ROWS:,} of {MAX_COLUMNS:,}"
        )
    for count, found in groups:
        for name, size in found:
            if name in without:
                continue
            most = count * _MOST.get(name, MAX_CELL)
            if size > min(MAX_COLUMN_BYTES, max(most, 1_000_000)):
                raise RoomtoneError(f"{where}: column {name!r} takes {size:,} bytes for {count:,} rows: refused unread")
    try:
        check_expansion(file, groups, where, without=without)
        file.seek(0)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RoomtoneError(f"{where}: not a readable Parquet file ({_first_line(error)})") from error


def stream_rows(file: Any, where: str, *, without: str | None = None) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a part, a few at a time.

    Args:
        file: open for reading bytes.
        where: its name, for messages.
        without: a column that is left out.

    Raises:
        RoomtoneError: no Parquet file, or beyond the bounds.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        check_footer(file, where, without=() if without is None else (without,))
        parquet = pq.ParquetFile(file)
        columns = [name for name in parquet.schema_arrow.names if name != without]
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS, columns=columns):
            _check_cells(batch, where)
            yield batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RoomtoneError(f"{where}: not a readable Parquet file ({_first_line(error)})") from error


def column_values(file: Any, name: str, where: str) -> list[Any]:
    """Return one column of a part.

    Args:
        file: open for reading bytes.
        name: of the column.
        where: the part's name, for messages.

    Raises:
        RoomtoneError: no Parquet file, no such column, or beyond the bounds.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        check_footer(file, where)
        parquet = pq.ParquetFile(file)
        if name not in parquet.schema_arrow.names:
            raise RoomtoneError(f"{where}: not a manifest part, it has no column {name!r}")
        values: list[Any] = parquet.read(columns=[name])[name].to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RoomtoneError(f"{where}: not a readable Parquet file ({_first_line(error)})") from error
    return values


def _check_cells(batch: Any, where: str) -> None:
    """Refuse long texts before they become Python's: a dictionary repeats one as often as it likes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            column = column.dictionary
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or pa.types.is_binary(column.type):
            longest = pc.max(pc.binary_length(column)).as_py() or 0
            if longest > _MOST.get(name, MAX_CELL):
                raise RoomtoneError(f"{where}: a cell of column {name!r} holds {longest:,} bytes")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


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
