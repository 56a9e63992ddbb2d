"""Where samples come from: dataset folders, tables of recordings, DataFrames, all read through SQL.

A source is read in place, in batches of parts, by DuckDB in bounded memory; it is never loaded whole. Rows are
united by `sample_id`, so a set that is named twice, or a part that is in two folders, changes nothing.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.dataset.columns import COLUMNS
from roomtone.core.dataset.manifest import manifest_parts, register_remote
from roomtone.core.errors import RoomtoneError
from roomtone.core.words import words_sql
from roomtone.coverage.counting.axes import identifier, literal

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

#: Rows of Parquet that are aggregated at once.
BATCH_ROWS = 4_000_000
#: What DuckDB may hold in memory before it spills to disk.
MEMORY_LIMIT = "1GB"
#: Column with the file that a row came from; audio paths are relative to its set.
PART = "roomtone_part"
_TABLE_READERS = {".csv": "read_csv", ".tsv": "read_csv", ".jsonl": "read_json", ".parquet": "read_parquet"}


@dataclass(frozen=True)
class Batch:
    """One piece of a source: a SQL relation with every column in `columns`."""

    relation: str


@dataclass
class OpenSource:
    """A source opened for queries."""

    connection: duckdb.DuckDBPyConnection
    batches: list[Batch]
    columns: list[str]
    where: str

    @property
    def relation(self) -> str:
        """Return SQL for all rows at once."""
        return "(" + " UNION ALL BY NAME ".join(f"SELECT * FROM {batch.relation}" for batch in self.batches) + ")"

    def column(self, name: str, kind: str = "VARCHAR") -> str:
        """Return a column in SQL, or a typed null where this source has none.

        Args:
            name: the column.
            kind: SQL type of the null.
        """
        return identifier(name) if name in self.columns else f"CAST(NULL AS {kind})"


@contextlib.contextmanager
def open_source(source: Any, *, memory_limit: str = MEMORY_LIMIT) -> Iterator[OpenSource]:
    """Open a dataset folder, a table of recordings, a list of either, or a DataFrame, for SQL.

    Args:
        source: see the module's head. A table of recordings (CSV, TSV, JSONL, Parquet) needs no more than `audio` and
            `accent`; its condition is `recorded` where it does not say.
        memory_limit: for DuckDB, which spills to a temporary folder beyond it.

    Raises:
        RoomtoneError: nothing there, or nothing readable.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="roomtone-coverage-") as spill, duckdb.connect() as connection:
        connection.execute(f"SET memory_limit={literal(memory_limit)}")
        connection.execute(f"SET temp_directory={literal(spill)}")
        connection.execute("SET preserve_insertion_order=false")
        with contextlib.suppress(duckdb.Error):  # in a notebook without ipywidgets there is no bar to switch off
            connection.execute("SET enable_progress_bar=false")
        try:
            yield _open(connection, source)
        except duckdb.Error as error:
            raise RoomtoneError(f"{_name(source)}: {str(error).splitlines()[0]}") from error


def _open(connection: duckdb.DuckDBPyConnection, source: Any) -> OpenSource:
    if hasattr(source, "columns") and hasattr(source, "iloc"):
        return _open_frame(connection, source)
    named = [source] if isinstance(source, str | os.PathLike) else list(source)
    tables = [name for name in named if _is_table(name)]
    folders = [name for name in named if not _is_table(name)]
    relations = [_recordings(connection, str(path)) for path in dict.fromkeys(tables)]
    if folders:
        parts = manifest_parts(folders)
        register_remote(connection, parts)
        if not relations and len({part.rpartition("/")[0] for part in parts}) == 1:
            batches = _batches(connection, parts)
            return OpenSource(connection, batches, _columns(connection, batches), _name(source))
        relations.append(_parquet(parts))
    if not relations:
        raise RoomtoneError("dataset: no folder was given")
    union = " UNION ALL BY NAME ".join(f"(SELECT * FROM {relation})" for relation in relations)
    batch = Batch(f"(SELECT DISTINCT ON (sample_id) * FROM ({union}))")
    return OpenSource(connection, [batch], _columns(connection, [batch]), _name(source))


def _open_frame(connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame) -> OpenSource:
    import pyarrow as pa

    # from_pandas makes NaN null; an index is no column
    table = pa.Table.from_pandas(frame.rename(columns=str), preserve_index=False)
    connection.register("frame", table)
    relation = "frame"
    if "sample_id" in table.column_names:
        relation = "(SELECT DISTINCT ON (sample_id) * FROM frame)"
    columns = [name for name in table.column_names if name != PART]
    return OpenSource(connection, [Batch(relation)], columns, "the DataFrame")


def _batches(connection: duckdb.DuckDBPyConnection, parts: Sequence[str]) -> list[Batch]:
    """Return the parts in groups of about BATCH_ROWS rows, so that memory does not grow with the set."""
    rows = dict(
        connection.execute(
            "SELECT file_name, num_rows FROM parquet_file_metadata([" + ", ".join(map(literal, parts)) + "])"
        ).fetchall()
    )
    groups: list[list[str]] = [[]]
    held = 0
    for part in parts:
        if groups[-1] and held + rows[part] > BATCH_ROWS:
            groups.append([])
            held = 0
        groups[-1].append(part)
        held += rows[part]
    columns = _columns(connection, [Batch(_parquet(parts))])
    return [Batch(_same_columns(connection, group, columns)) for group in groups]


def _same_columns(connection: duckdb.DuckDBPyConnection, parts: Sequence[str], columns: Sequence[str]) -> str:
    """Return a relation with all columns of the set: a group of parts may lack what others brought."""
    relation = _parquet(parts)
    lacking = [c for c in columns if c not in set(_columns(connection, [Batch(relation)]))]
    if not lacking:
        return relation
    nulls = ", ".join(f"NULL AS {identifier(c)}" for c in lacking)
    return f"(SELECT *, {nulls} FROM {relation})"


def _parquet(parts: Sequence[str]) -> str:
    listed = ", ".join(map(literal, parts))
    return f"read_parquet([{listed}], union_by_name=true, hive_partitioning=false, filename={literal(PART)})"


def _columns(connection: duckdb.DuckDBPyConnection, batches: Sequence[Batch]) -> list[str]:
    described = connection.execute(f"DESCRIBE SELECT * FROM {batches[0].relation}").fetchall()
    return [row[0] for row in described if row[0] != PART]


def _is_table(name: Any) -> bool:
    return Path(str(name)).suffix.lower() in _TABLE_READERS and not Path(str(name)).is_dir()


def _recordings(connection: duckdb.DuckDBPyConnection, path: str) -> str:
    """Return a table of recordings under the manifest's column names; what it does not say is null."""
    if not Path(path).is_file():
        raise RoomtoneError(f"{path}: there is no such file")
    reader = f"{_TABLE_READERS[Path(path).suffix.lower()]}({literal(path)})"
    have = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()]
    if "accent" not in have:
        raise RoomtoneError(f"{path}: a table of recordings needs a column 'accent', it has {', '.join(have)}")
    audio = "audio" if "audio" in have else "audio_path"
    if audio not in have and "sample_id" not in have:
        raise RoomtoneError(f"{path}: a table of recordings needs a column 'audio', it has {', '.join(have)}")
    extra = {
        "audio_path": identifier(audio),
        "sample_id": f"CAST({identifier(audio)} AS VARCHAR)",
        "utterance_id": f"CAST({identifier('sample_id' if 'sample_id' in have else audio)} AS VARCHAR)",
        "condition": "'recorded'",
        "words": words_sql("text") if "text" in have else "NULL",
    }
    added = [f"{sql} AS {identifier(name)}" for name, sql in extra.items() if name not in have]
    added.append(f"{literal(path)} AS {identifier(PART)}")
    # ids and labels are text whatever a CSV reader took them for
    texts = [name for name in have if COLUMNS.get(name) == "string"]
    kept = ", ".join(
        f"CAST({identifier(n)} AS VARCHAR) AS {identifier(n)}" if n in texts else identifier(n) for n in have
    )
    return f"(SELECT {', '.join([kept, *added])} FROM {reader})"


def audio_root(part: str) -> str:
    """Return the folder that the audio paths of a manifest part, or of a table of recordings, are relative to."""
    folder = os.path.dirname(part)
    return os.path.dirname(folder) if os.path.basename(folder) == "manifest" else folder


def _name(source: Any) -> str:
    if hasattr(source, "columns"):
        return "the DataFrame"
    named = [source] if isinstance(source, str | os.PathLike) else list(source)
    return ", ".join(str(name) for name in named)
