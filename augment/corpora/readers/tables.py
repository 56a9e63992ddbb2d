"""Tables as streams of rows: CSV, TSV, JSON (lines or an array), all also gzipped, and Parquet, one dict a row.

Nothing is read whole: two million rows pass through the memory of one. Values of CSV and TSV are text; JSON and Parquet keep
their types.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from roomtone.augment.corpora.readers.json_rows import json_rows
from roomtone.core.bounded.lines import open_bounded_text
from roomtone.core.bounded.regular_files import check_regular
from roomtone.core.errors import RoomtoneError

JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
SUFFIXES = (".csv", ".tsv", ".txt", *JSON_SUFFIXES, ".parquet")
_BATCH_ROWS = 1024
_FIELD_BYTES = 1 << 20


def open_text(path: Path) -> TextIO:
    """Return a text file, open for reading, its lines bounded.

    Args:
        path: UTF-8; unzipped where it ends in `.gz`, a byte-order mark is skipped.
    """
    return open_bounded_text(path)


def read_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file.

    Args:
        path: UTF-8, as `open_text` takes it.

    Raises:
        RoomtoneError: it cannot be opened, or is not UTF-8.
    """
    try:
        with open_text(path) as file:
            yield from file
    except UnicodeDecodeError as error:
        raise RoomtoneError(_not_utf8(path, error)) from error
    except OSError as error:
        raise RoomtoneError(f"{path}: not readable as UTF-8 text ({error})") from error


def _not_utf8(path: Path, error: UnicodeDecodeError) -> str:
    """Return what a file that is not UTF-8 holds, and how it becomes so."""
    byte = error.object[error.start]
    if error.start == 0 and error.object[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return f"{path}: is UTF-16 text; save it as UTF-8: iconv -f UTF-16 -t UTF-8 {path.name} > utf8{path.suffix}"
    return (
        f"{path}: not UTF-8 text (a byte 0x{byte:02x}; a table saved as Latin-1 or Windows-1252?); save it as UTF-8: "
        f"iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8{path.suffix}"
    )


def table_kind(path: Path) -> str:
    """Return the ending that says how a table is written, in lower case and without `.gz`.

    Args:
        path: the table's file.

    Raises:
        RoomtoneError: the ending says nothing.
    """
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    if suffix.lower() not in SUFFIXES:
        raise RoomtoneError(
            f"{path}: not a table that can be read; endings: {', '.join(SUFFIXES)} (text also with .gz)"
        )
    return suffix.lower()


def read_rows(path: Path, *, quoting: bool = True, delimiter: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table.

    Args:
        path: its ending says its kind.
        quoting: False takes quotes as letters (tables with unbalanced quotes).
        delimiter: None is a comma for `.csv` and a tab for `.tsv` and `.txt`.

    Raises:
        RoomtoneError: the table does not parse; the message names the line.
    """
    kind = table_kind(path)
    try:
        if kind == ".parquet":
            yield from parquet_rows(path)
        elif kind in JSON_SUFFIXES:
            with open_text(path) as file:
                yield from json_rows(path, file)
        else:
            yield from _csv_rows(path, delimiter or ("," if kind == ".csv" else "\t"), quoting)
    except UnicodeDecodeError as error:
        raise RoomtoneError(_not_utf8(path, error)) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise RoomtoneError(f"{path}: not readable as UTF-8 text ({error})") from error
    except OSError as error:
        raise RoomtoneError(f"{path}: {error.strerror or error}") from error


def columns_of(path: Path, *, quoting: bool = True, delimiter: str | None = None) -> list[str]:
    """Return the names of a table's columns; for JSON, of its first row, whose keys need not be those of the others.

    Args:
        path: a table of any kind.
        quoting, delimiter: as for `read_rows`.

    Raises:
        RoomtoneError: the table does not parse, or is empty.
    """
    kind = table_kind(path)
    if kind in (".csv", ".tsv", ".txt"):
        with open_text(path) as file:
            try:
                header = next(_csv_reader(file, delimiter or ("," if kind == ".csv" else "\t"), quoting), None)
            except UnicodeDecodeError as error:
                raise RoomtoneError(_not_utf8(path, error)) from error
            except csv.Error as error:
                raise RoomtoneError(f"{path}: not readable as a table ({error})") from error
        if not header:
            raise RoomtoneError(f"{path}: is empty; a table needs a line of column names")
        return _checked_header(path, header)
    if kind == ".parquet":
        return list(_parquet_file(path).schema_arrow.names)
    first = next(read_rows(path), None)
    if first is None:
        raise RoomtoneError(f"{path}: is empty")
    return list(first)


def _csv_reader(file: TextIO, delimiter: str, quoting: bool) -> Iterator[list[str]]:
    csv.field_size_limit(_FIELD_BYTES)
    if quoting:
        return csv.reader(file, delimiter=delimiter, strict=True)
    return csv.reader(file, delimiter=delimiter, quoting=csv.QUOTE_NONE)


def _checked_header(path: Path, header: list[str]) -> list[str]:
    names = [name.strip() for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise RoomtoneError(f"{path}: two columns are called {twice[0]!r}")
    return names


def _csv_rows(path: Path, delimiter: str, quoting: bool) -> Iterator[dict[str, Any]]:
    with open_text(path) as file:
        reader = _csv_reader(file, delimiter, quoting)
        line = 1
        try:
            header = _checked_header(path, next(reader, []))
            for line, row in enumerate(reader, start=2):
                if not row:
                    continue
                if len(row) > len(header):
                    raise RoomtoneError(f"{path}, line {line}: {len(row)} values for {len(header)} columns")
                yield dict(zip(header, row + [""] * (len(header) - len(row))))
        except csv.Error as error:
            raise RoomtoneError(f"{path}, near line {line}: {error}") from error


def _parquet_file(path: Path) -> Any:
    import pyarrow.lib
    import pyarrow.parquet as pq

    try:
        check_regular(path)
        return pq.ParquetFile(path)
    except (pyarrow.lib.ArrowException, OSError) as error:
        raise RoomtoneError(f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})") from error


def parquet_rows(path: Path, rows_at_once: int = _BATCH_ROWS) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file.

    Args:
        path: the file.
        rows_at_once: how many are held in memory; few where they are large.

    Raises:
        RoomtoneError: not a readable Parquet file.
    """
    import pyarrow.lib

    try:
        for batch in _parquet_file(path).iter_batches(batch_size=rows_at_once):
            yield from batch.to_pylist()
    except (pyarrow.lib.ArrowException, OSError) as error:
        raise RoomtoneError(f"{path}: not a readable Parquet file ({str(error).splitlines()[0]})") from error
