"""How large the texts of a Parquet file become in memory: a dictionary stores one long value once and repeats it a million times.

A footer states what is stored, so it bounds what is stored. A column chunk of `n` rows and `s` stored bytes can mean `n * s`
bytes. Where a file could mean too much, its widest chunks are read as dictionaries, which takes what is stored, and counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import IO, Any

from roomtone.core.errors import RoomtoneError

#: Bytes that the texts of a file may take in memory, and those of one of its columns in one row group.
MAX_EXPANDED_BYTES = 2_000_000_000
MAX_EXPANDED_COLUMN = 256_000_000


def check_expansion(
    file: IO[bytes],
    groups: Sequence[tuple[int, Sequence[tuple[str, int]]]],
    where: str,
    *,
    without: Collection[str] = (),
) -> None:
    """Refuse a file that means more than it may, without expanding it.

    Args:
        file: open for reading bytes.
        groups: as `part_bounds.read_footer` returns them.
        where: the file's name, for messages.
        without: columns that the caller does not read whole.

    Raises:
        RoomtoneError: names the column.
        OSError: it cannot be read. What Arrow raises goes through.
    """
    worst: dict[tuple[int, str], int] = {}
    for number, (rows, columns) in enumerate(groups):
        for name, stored in columns:
            if name not in without:
                worst[number, name] = worst.get((number, name), 0) + max(rows, 1) * stored
    total = sum(worst.values())
    opened: tuple[Any, Any] | None = None
    for (number, name), most in sorted(worst.items(), key=lambda item: -item[1]):
        if total <= MAX_EXPANDED_BYTES and most <= MAX_EXPANDED_COLUMN:
            return
        opened = opened or _openers(file)
        found = _expanded(opened, number, name)
        if found > MAX_EXPANDED_COLUMN:
            raise RoomtoneError(f"{where}: column {name!r} means {found:,} bytes where few are stored: refused unread")
        total += found - most
    if total > MAX_EXPANDED_BYTES:
        raise RoomtoneError(f"{where}: means {total:,} bytes, more than {MAX_EXPANDED_BYTES:,}: refused unread")


def _openers(file: IO[bytes]) -> tuple[Any, Any]:
    """Return the file opened as it is, and with its texts as dictionaries; once, for a footer of many row groups is large."""
    import pyarrow.parquet as pq

    file.seek(0)
    plain = pq.ParquetFile(file)
    leaves = [plain.schema.column(place) for place in range(len(plain.schema.names))]
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
    file.seek(0)
    return plain, pq.ParquetFile(file, read_dictionary=texts)


def _expanded(opened: tuple[Any, Any], group: int, name: str) -> int:
    plain, dictionaries = opened
    leaves = [plain.schema.column(place) for place in range(len(plain.schema.names))]
    mine = [leaf for leaf in leaves if leaf.path.split(".")[0] == name]
    texts = [leaf.path for leaf in mine if leaf.physical_type == "BYTE_ARRAY"]
    rows = plain.metadata.row_group(group).num_rows
    total: int = sum(rows * max(leaf.length, 16) for leaf in mine if leaf.physical_type != "BYTE_ARRAY")
    if texts:
        table = dictionaries.read_row_group(group, columns=texts)
        total += sum(_size(chunk) for column in table.columns for chunk in column.chunks)
    return total


def _size(array: Any) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(array.type):
        if not _is_text(array.dictionary.type):
            return int(array.nbytes)
        lengths = pc.cast(pc.binary_length(array.dictionary), pa.int64())
        return int(pc.sum(pc.take(lengths, array.indices)).as_py() or 0) + 8 * len(array)
    return int(array.nbytes) if not pa.types.is_nested(array.type) else sum(map(_size, _below(array)))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in tests)


def _below(array: Any) -> Iterator[Any]:
    """Yield the arrays of which a struct, a list or a map consists."""
    import pyarrow as pa

    if pa.types.is_struct(array.type):
        yield from array.flatten()
    elif pa.types.is_map(array.type):
        yield from (array.keys, array.items)
    else:
        yield array.flatten()
