"""The manifest: one row a sample, in Parquet parts of which each stands for one finished shard.

A part's presence is the commit of its shard, so a part appears whole or not at all: it is written under a temporary name
that no other attempt uses, flushed to disk, and renamed. Columns beyond those of `columns.py` are kept; parts may differ in
them, and reading brings them together.
"""

from __future__ import annotations

import functools
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.regular_files import one_file
from roomtone.core.dataset.columns import COLUMNS, manifest_schema
from roomtone.core.dataset.part_bounds import check_footer
from roomtone.core.dataset.part_names import part_number
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.files import fsync_path, is_remote, open_binary

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

#: A dataset folder, or several: a set is read once however often it is named.
Dataset = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def write_part(rows: Sequence[Mapping[str, Any]], path: str | os.PathLike[str]) -> Path:
    """Write one manifest part so that it appears under `path` whole or not at all; return the path.

    Args:
        rows: one mapping a sample. A missing key is null; further keys become columns, in alphabetical order.
        path: `…/manifest/part-00000.parquet`; the folder is made, an earlier file is replaced.

    Raises:
        RoomtoneError: a row lacks its identity, or a value does not fit its column.
    """
    import pyarrow.parquet as pq

    target = Path(path)
    table = _table(rows, where=str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{uuid.uuid4().hex}.tmp")
    try:
        with open(temporary, "wb") as file:
            pq.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    fsync_path(target.parent)  # without it a power cut can lose the name of a file whose bytes are safe
    return target


def _table(rows: Sequence[Mapping[str, Any]], *, where: str) -> pa.Table:
    import pyarrow as pa

    schema = manifest_schema()
    extras = sorted({key for row in rows for key in row} - set(COLUMNS))
    arrays, fields = [], []
    for field in schema:
        values = [row.get(field.name) for row in rows]
        if not field.nullable and any(value is None for value in values):
            raise RoomtoneError(f"{where}: row {values.index(None)} has no {field.name!r}, which every row needs")
        arrays.append(_array(values, field.type, field.name, where=where))
        fields.append(field)
    for name in extras:
        values = [row.get(name) for row in rows]
        array = _array(_as_one_kind(values), None, name, where=where)
        arrays.append(array)
        fields.append(pa.field(name, array.type))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _array(values: list[Any], kind: pa.DataType | None, name: str, *, where: str) -> pa.Array:
    import pyarrow as pa

    # from_pandas: a missing number arrives as NaN as often as None, and both are null
    try:
        return pa.array(values, type=kind, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        example = next((v for v in values if v is not None and not _fits(v, kind)), None)
        raise RoomtoneError(f"{where}: column {name!r} holds {kind}, got {example!r}") from error


def _fits(value: Any, kind: pa.DataType | None) -> bool:
    import pyarrow as pa

    try:
        pa.array([value], type=kind, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return False
    return True


def _as_one_kind(values: list[Any]) -> list[Any]:
    """Return values of one type: as they are where they agree, as text where they do not."""
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1 or kinds == {int, float}:
        return values
    return [None if value is None else str(value) for value in values]


def manifest_parts(dataset: Dataset) -> list[str]:
    """Return the finished parts of one or more dataset folders, sorted; temporary files are none.

    Raises:
        RoomtoneError: a folder is missing, or holds no part, or a part that is none.
    """
    parts = []
    for folder in dataset_folders(dataset):
        found = _remote_parts(folder) if is_remote(folder) else _local_parts(Path(folder))
        if not found:
            raise RoomtoneError(
                f"{folder}: no manifest/part-*.parquet in it; is it a set that `roomtone generate` wrote?"
            )
        parts += found
    for part in parts:
        _part_schema(part)  # refuses what no manifest holds, whoever reads it then
    return parts


def _local_parts(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise RoomtoneError(f"{folder}: {_not_there(folder)}")
    return _canonical(str(path) for path in (folder / "manifest").glob("part-*.parquet"))


def _remote_parts(folder: str) -> list[str]:
    import fsspec

    try:
        filesystem, path = fsspec.core.url_to_fs(folder)
        found = filesystem.glob(f"{path.rstrip('/')}/manifest/part-*.parquet")
    except (ImportError, ValueError, OSError) as error:
        raise RoomtoneError(f"{folder}: cannot be listed ({str(error).splitlines()[0]})") from error
    return _canonical(filesystem.unstrip_protocol(path) for path in found)


def _canonical(parts: Iterable[str]) -> list[str]:
    """Return the parts, sorted; one whose number is spelt otherwise is refused, because loaders of the pattern would read it.

    Raises:
        RoomtoneError: names it.
    """
    found = sorted(parts)
    for part in found:
        if part_number(part.replace(os.sep, "/").rpartition("/")[2], "parquet") is None:
            raise RoomtoneError(
                f"{part!a}: is no part of a manifest, whose parts are named part-00000.parquet and so on; remove it"
            )
    return found


def dataset_folders(dataset: Dataset) -> list[str]:
    """Return the folders or URLs named by `dataset`, each once, in the order given.

    Raises:
        RoomtoneError: no folder was given, or what was given is none.
    """
    if not isinstance(dataset, str | os.PathLike | Iterable):
        raise RoomtoneError(f"dataset: expected a folder, or a list of folders, got {dataset!r}")
    named: Iterable[Any] = [dataset] if isinstance(dataset, str | os.PathLike) else dataset
    folders: dict[str, str] = {}
    for name in map(str, named):
        folders.setdefault(name.rstrip("/") if is_remote(name) else str(Path(name).resolve()), name)
    if not folders:
        raise RoomtoneError("dataset: no folder was given")
    return list(folders.values())


def _not_there(folder: Path) -> str:
    """Return why there is no set: no such folder, or a file, with the set that it is in or how a table becomes one."""
    if folder.is_file():
        table = f"roomtone generate corpus=table corpus.path={folder} room=none noise=none equipment=none handset=none makes one of a table, as recorded"
        inside = [f"the set is {one}" for one in folder.parents if (one / "manifest").is_dir()]
        return f"is a file, and a set is a folder; {[*inside, table][0]}"
    said = "there is no such dataset folder"
    try:
        beside = [p.name for p in folder.resolve().parent.iterdir() if (p / "manifest").is_dir()]
    except OSError:
        return said
    return f"{said}; {nearest(folder.name, beside)}" if beside else said


def read_manifest(dataset: Dataset, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the manifest of a dataset folder, or the union by `sample_id` of several, as a DataFrame.

    Args:
        dataset: a folder, or a list of folders; of rows with one `sample_id` the first is kept.
        columns: only these, which saves memory; default all, further columns after the contract's.

    Raises:
        RoomtoneError: missing folder, no parts, a damaged part, or a column that no part has.
    """
    import pyarrow as pa

    parts = manifest_parts(dataset)
    schema = common_schema(parts)
    wanted = list(schema.names) if columns is None else list(columns)
    for name in wanted:
        if name not in schema.names:
            raise RoomtoneError(f"{Path(parts[0]).parent}: there is no column {name!r}; {nearest(name, schema.names)}")
    read = list(dict.fromkeys([*wanted, "sample_id"]))
    table = pa.concat_tables(read_part(part, schema, read) for part in parts)
    frame: pd.DataFrame = table.to_pandas()
    return frame.drop_duplicates("sample_id", ignore_index=True)[wanted]


def common_schema(parts: Sequence[str]) -> pa.Schema:
    """Return the columns of all parts: the contract's first, then the others, mixed kinds brought to one; nulls are text.

    Args:
        parts: as `manifest_parts` returns them.

    Raises:
        RoomtoneError: a part is damaged.
    """
    import pyarrow as pa

    kinds: dict[str, set[pa.DataType]] = {}
    for part in parts:
        for field in _part_schema(part):
            kinds.setdefault(field.name, set()).add(field.type)
    known = manifest_schema()
    names = [name for name in COLUMNS if name in kinds] + [name for name in kinds if name not in COLUMNS]
    return pa.schema([(n, known.field(n).type if n in COLUMNS else _widest(kinds[n])) for n in names])


def _part_schema(part: str) -> pa.Schema:
    """Return the columns of a part that holds what a manifest may; of one that has not changed since, they are known."""
    if is_remote(part):
        return _checked_schema(part)
    try:
        state = os.stat(part)
    except OSError as error:
        raise RoomtoneError(f"{part}: not a readable Parquet file ({error})") from error
    return _known_schema(part, state.st_ino, state.st_size, state.st_mtime_ns)


@functools.lru_cache(maxsize=1024)
def _known_schema(part: str, *_state: int) -> pa.Schema:
    return _checked_schema(part)


def _checked_schema(part: str) -> pa.Schema:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open_binary(part) as file:
            check_footer(file, part)
            schema = pq.read_schema(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise RoomtoneError(f"{part}: not a readable Parquet file ({str(error).splitlines()[0]})") from error
    if "sample_id" not in schema.names:
        raise RoomtoneError(f"{part}: not a manifest part, it has no column 'sample_id'")
    nested = next((f for f in schema if f.name not in COLUMNS and pa.types.is_nested(f.type)), None)
    if nested is not None:
        raise RoomtoneError(f"{part}: column {nested.name!r} holds {nested.type}; a manifest's cells are single values")
    if len(set(schema.names)) < len(schema.names):
        twice = next(name for name in schema.names if schema.names.count(name) > 1)
        raise RoomtoneError(f"{part}: not a manifest part, it has two columns {twice!r}")
    return schema


def _widest(kinds: set[pa.DataType]) -> pa.DataType:
    import pyarrow as pa

    some = {kind for kind in kinds if not pa.types.is_null(kind)}
    if len(some) <= 1:
        return some.pop() if some else pa.string()
    numbers = all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in some)
    return pa.float64() if numbers else pa.string()


def read_part(part: str, schema: pa.Schema, columns: Sequence[str]) -> pa.Table:
    """Return columns of one part, in the types of a schema; those that it lacks are null.

    Args:
        part: as `manifest_parts` returns it.
        schema: as `common_schema` returns it.
        columns: names in the schema.

    Raises:
        RoomtoneError: the part is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = set(_part_schema(part).names)
    try:
        with open_binary(part) as file:
            table = pq.ParquetFile(file).read(columns=[c for c in columns if c in names])
    except (pa.ArrowException, OSError) as error:
        raise RoomtoneError(f"{part}: not a readable Parquet file ({str(error).splitlines()[0]})") from error
    arrays = []
    for name in columns:
        kind = schema.field(name).type
        try:
            arrays.append(table[name].cast(kind) if name in names else pa.nulls(len(table), kind))
        except pa.ArrowException as error:
            raise RoomtoneError(f"{part}: column {name!r} holds no {kind} ({str(error).splitlines()[0]})") from error
    return pa.table(arrays, schema=pa.schema([schema.field(name) for name in columns]))


def scan_manifest(dataset: Dataset, *, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
    """Return the parts as a DuckDB relation, read where they lie and when asked; not deduplicated.

    Args:
        dataset: a folder or a list of folders.
        connection: the relation belongs to it; default a new in-memory database.

    Raises:
        RoomtoneError: as `manifest_parts`.
    """
    import duckdb

    parts = manifest_parts(dataset)
    connection = connection or duckdb.connect()
    register_remote(connection, parts)
    return connection.read_parquet([one_file(part) for part in parts], union_by_name=True)


def register_remote(connection: duckdb.DuckDBPyConnection, parts: Sequence[str]) -> None:
    """Let DuckDB read the object stores that these parts lie in, through fsspec.

    Args:
        connection: the database.
        parts: paths and URLs of manifest parts.
    """
    import fsspec

    for protocol in {part.partition("://")[0] for part in parts if is_remote(part)}:
        connection.register_filesystem(fsspec.filesystem(protocol))


def existing_rows(dataset: Path) -> pd.DataFrame | None:
    """Return the manifest of the set that a folder already holds, or None where it holds none."""
    if not dataset.is_dir() or not _local_parts(dataset):
        return None
    return read_manifest(dataset)
