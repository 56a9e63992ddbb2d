"""What a manifest part may hold: bounds that are checked in its footer, before a value is read.

A part of a stranger's is a few kilobytes on disk and may mean gigabytes: a column of one long text, repeated. Rows are read in small
batches, so that what a batch can become is bounded too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from roomtone.core.errors import RoomtoneError
from roomtone.core.parquet_footer import read_footer

#: Rows and columns of a part, characters of a cell, and of the recipe, which is the longest by far.
MAX_ROWS = 5_000_000
MAX_COLUMNS = 2_000
MAX_CELL = 100_000
MAX_RECIPE = 1_000_000
#: Bytes that one column of one row group may take in memory.
MAX_COLUMN_BYTES = 256_000_000
#: Rows that are held at once while a part is streamed.
BATCH_ROWS = 32


def check_footer(file: IO[bytes], where: str) -> None:
    """Refuse a part whose footer promises more than a manifest holds.

    Args:
        file: of the part, open for reading bytes; it is left at its beginning.
        where: its name, for the message.

    Raises:
        RoomtoneError: no Parquet file, too many rows or columns, or a column whose cells are megabytes.
    """
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
            most = count * (MAX_RECIPE if name == "recipe" else MAX_CELL)
            if size > min(MAX_COLUMN_BYTES, max(most, 1_000_000)):
                raise RoomtoneError(f"{where}: column {name!r} takes {size:,} bytes for {count:,} rows: refused unread")


def stream_rows(file: Any, where: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of a part, a few at a time.

    Args:
        file: open for reading bytes.
        where: its name, for messages.

    Raises:
        RoomtoneError: no Parquet file, or beyond the bounds.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        check_footer(file, where)
        parquet = pq.ParquetFile(file)
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
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
            if longest > (MAX_RECIPE if name == "recipe" else MAX_CELL):
                raise RoomtoneError(f"{where}: a cell of column {name!r} holds {longest:,} bytes")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
