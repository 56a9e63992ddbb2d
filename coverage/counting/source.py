"""Where samples come from: dataset folders, tables of recordings, other tools' sets, DataFrames, all read through SQL.

A source is read in place by DuckDB in bounded memory; a dataset folder, however large, is never loaded whole. Rows are united by
`sample_id`, so a set that is named twice, or a part that is in two folders, changes nothing.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from roomtone.core.dataset.manifest import manifest_parts, register_remote
from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import NONE, NOT_STATED
from roomtone.coverage.counting.axes import Axis, file_literal, identifier, literal
from roomtone.coverage.sources.layout import kind_of
from roomtone.coverage.sources.options import ReadOptions
from roomtone.coverage.sources.relations import PART, check_columns_named, described, frame_relation, relation_of
from roomtone.coverage.sources.unite import unite

if TYPE_CHECKING:
    import duckdb

#: Rows of Parquet that are aggregated at once.
BATCH_ROWS = 4_000_000
#: What DuckDB may hold in memory before it spills to disk.
MEMORY_LIMIT = "1GB"
#: A number of a factor, and the factor whose label says that there should be one.
_NUMBER_OF = {"snr_db": "noise", "equipment_snr_db": "equipment", "t60_s": "room"}


@dataclass(frozen=True)
class Source:
    """What is to be read, and how.

    Attributes:
        value: a dataset folder, a table, another tool's set, a list of these, or a DataFrame.
        options: which columns mean what.
        read: what has been read already, by path; foreign sets are parsed once.
    """

    value: Any
    options: ReadOptions = field(default_factory=ReadOptions)
    read: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Batch:
    """One piece of a source: a SQL relation with every column in `columns`."""

    relation: str


@dataclass
class OpenSource:
    """A source opened for queries.

    Attributes:
        connection: the database.
        batches: the rows, in pieces.
        columns: the manifest's columns and others that the source has.
        where: the source's name, for messages.
        foreign: whether another tool made some of it.
        unnamed: whether some of its tables do not say what their rows are copies of.
        notes: what could not be known, and what would tell it, a line each.
    """

    connection: duckdb.DuckDBPyConnection
    batches: list[Batch]
    columns: list[str]
    where: str
    foreign: bool = False
    unnamed: bool = False
    notes: list[str] = field(default_factory=list)

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

    def axis_sql(self, axis: Axis) -> str:
        """Return an axis' value in SQL; a number that somebody else's set does not state of a noise is `(not stated)`."""
        factor = _NUMBER_OF.get(axis.column)
        if not self.foreign or not axis.edges or factor not in self.columns:
            return axis.sql()
        labelled = (
            f"coalesce(nullif(CAST({identifier(str(factor))} AS VARCHAR), ''), {literal(NONE)}) <> {literal(NONE)}"
        )
        unstated = f"{identifier(axis.column)} IS NULL AND {labelled}"
        return f"CASE WHEN {unstated} THEN {literal(NOT_STATED)} ELSE {axis.sql()} END"


@contextlib.contextmanager
def open_source(source: Any, *, memory_limit: str = MEMORY_LIMIT) -> Iterator[OpenSource]:
    """Open a source for SQL.

    Args:
        source: a `Source`, or what is its `value`. A table of recordings (CSV, TSV, JSONL, Parquet) names `audio` or `sample_id`;
            its condition is `recorded` where it does not say.
        memory_limit: for DuckDB, which spills to a temporary folder beyond it.

    Raises:
        RoomtoneError: nothing there, or nothing readable.
    """
    import duckdb

    asked = source if isinstance(source, Source) else Source(source)
    if not isinstance(asked.value, str | os.PathLike | Iterable):
        raise RoomtoneError(f"dataset: expected a folder, a table or a DataFrame, got {asked.value!r}")
    with tempfile.TemporaryDirectory(prefix="roomtone-coverage-") as spill, duckdb.connect() as connection:
        connection.execute(f"SET memory_limit={literal(memory_limit)}")
        connection.execute(f"SET temp_directory={literal(spill)}")
        connection.execute("SET preserve_insertion_order=false")
        with contextlib.suppress(duckdb.Error):  # in a notebook without ipywidgets there is no bar to switch off
            connection.execute("SET enable_progress_bar=false")
        try:
            yield _open(connection, asked)
        except duckdb.Error as error:
            raise RoomtoneError(f"{_name(asked.value)}: {str(error).splitlines()[0]}") from error


def _open(connection: duckdb.DuckDBPyConnection, source: Source) -> OpenSource:
    value, options, where = source.value, source.options, _name(source.value)
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        relation = frame_relation(connection, value, options)
        columns = [name for name in described(connection, relation.sql) if not name.startswith("roomtone_")]
        return OpenSource(connection, [Batch(relation.sql)], columns, where, unnamed=relation.unnamed)
    named = dict.fromkeys(map(str, [value] if isinstance(value, str | os.PathLike) else list(value)))
    if not named:
        raise RoomtoneError("dataset: no folder was given")
    kinds = {name: kind_of(name) for name in named}
    folders = [name for name, kind in kinds.items() if kind == "roomtone"]
    parts = manifest_parts(folders) if folders else []
    register_remote(connection, parts)
    alone = len(folders) == len(named) and not options.columns and not options.utterance_pattern and not options.measure
    if alone and len({part.rpartition("/")[0] for part in parts}) == 1:
        batches = _batches(connection, parts)
        return OpenSource(connection, batches, _columns(connection, batches[0].relation), where)
    foreign = {name: kind for name, kind in kinds.items() if kind != "roomtone"}
    relations = [relation_of(connection, name, kind, options, source.read) for name, kind in foreign.items()]
    if parts:
        relations.append(relation_of(connection, _parquet(parts), "roomtone", options, source.read))
    check_columns_named(relations, options)
    united = unite(connection, relations, options, source.read)
    columns = _columns(connection, united.sql)
    unnamed = any(relation.unnamed for relation in relations)
    return OpenSource(connection, [Batch(united.sql)], columns, where, bool(foreign), unnamed, united.notes)


def _batches(connection: duckdb.DuckDBPyConnection, parts: Sequence[str]) -> list[Batch]:
    """Return the parts in groups of about BATCH_ROWS rows, so that memory does not grow with the set."""
    rows = dict(
        connection.execute(
            "SELECT file_name, num_rows FROM parquet_file_metadata([" + ", ".join(map(file_literal, parts)) + "])"
        ).fetchall()
    )
    groups: list[list[str]] = [[]]
    size = 0
    for part in parts:
        if groups[-1] and size + rows[part] > BATCH_ROWS:
            groups.append([])
            size = 0
        groups[-1].append(part)
        size += rows[part]
    columns = _columns(connection, _parquet(parts))
    return [Batch(_same_columns(connection, group, columns)) for group in groups]


def _same_columns(connection: duckdb.DuckDBPyConnection, parts: Sequence[str], columns: Sequence[str]) -> str:
    """Return a relation with all columns of the set: a group of parts may lack what others brought."""
    relation = _parquet(parts)
    lacking = [c for c in columns if c not in set(_columns(connection, relation))]
    if not lacking:
        return relation
    nulls = ", ".join(f"NULL AS {identifier(c)}" for c in lacking)
    return f"(SELECT *, {nulls} FROM {relation})"


def _parquet(parts: Sequence[str]) -> str:
    listed = ", ".join(map(file_literal, parts))
    return f"read_parquet([{listed}], union_by_name=true, hive_partitioning=false, filename={literal(PART)})"


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> list[str]:
    return [name for name in described(connection, relation) if not name.startswith("roomtone_")]


def audio_root(part: str) -> str:
    """Return the folder that the audio paths of a manifest part, or of a table of recordings, are relative to."""
    folder = os.path.dirname(part)
    return os.path.dirname(folder) if os.path.basename(folder) == "manifest" else folder


def _name(value: Any) -> str:
    if hasattr(value, "columns"):
        return "the DataFrame"
    named = [value] if isinstance(value, str | os.PathLike) else list(value)
    return ", ".join(str(name) for name in named)


def dataset_folder(source: Any) -> str | None:
    """Return the one dataset folder that a source is; None where it is something else.

    Args:
        source: a Source, or what it may be made of.
    """
    value = source.value if isinstance(source, Source) else source
    named = [value] if isinstance(value, str | os.PathLike) else list(value) if isinstance(value, list | tuple) else []
    if len(named) != 1 or not os.path.isdir(os.path.join(str(named[0]), "manifest")):
        return None
    return str(named[0])
