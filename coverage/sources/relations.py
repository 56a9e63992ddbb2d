"""One source as a SQL relation under the manifest's column names, whoever made it.

What a set does not state is null. Which recording a row is a copy of follows, in this order, from a column, from
`utterance_pattern`, or from there being no sign of processing, so that every row is a recording of its own; else it is unknown, and null.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.dataset.columns import COLUMNS
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.files import is_remote
from roomtone.core.printable import storable_text
from roomtone.core.vocabulary import FACTORS
from roomtone.core.words import words_sql
from roomtone.coverage.counting.axes import file_literal, identifier, literal
from roomtone.coverage.sources.hugging_face import read_hugging_face
from roomtone.coverage.sources.kaldi import read_kaldi
from roomtone.coverage.sources.layout import TABLE_READERS, Kind, check_table
from roomtone.coverage.sources.lhotse_cuts import read_lhotse
from roomtone.coverage.sources.nemo import read_nemo
from roomtone.coverage.sources.options import ReadOptions
from roomtone.coverage.sources.rows import Row
from roomtone.coverage.sources.web_dataset import read_web_dataset

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import pyarrow as pa

#: Column with the file that a row came from; audio paths are relative to its set.
PART = "roomtone_part"
#: Column with the whole path of a row's audio, and with the segment of it that is meant.
LOCATION, SEGMENT = "roomtone_location", "roomtone_segment"
#: Column with the audio path of a row whose original is not stated, under which a copy in another table may name it.
OWN_NAME = "roomtone_own_name"
#: The same for a row whose id is not a key of its content, as this project's own ids are.
OWN_PLACE = "roomtone_own_place"
#: Names under which tables hold the audio's path.
_AUDIO_NAMES = ("audio_path", "audio", "audio_filepath", "path", "file_name", "filename", "wav")
_PLAIN = ("clean", "recorded", "none", "")
_READERS: dict[Kind, Callable[[Path], Any]] = {
    "nemo": read_nemo,
    "kaldi": read_kaldi,
    "lhotse": read_lhotse,
    "hugging_face": read_hugging_face,
    "webdataset": read_web_dataset,
}


@dataclass(frozen=True)
class Relation:
    """Rows of one source in SQL.

    Attributes:
        sql: the relation.
        unnamed: whether it does not say what its rows are copies of, where some are copies.
        name: the source, for messages.
        names: its own columns.
    """

    sql: str
    unnamed: bool
    name: str
    names: tuple[str, ...] = ()


def described(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Return column -> SQL type of a relation.

    Args:
        connection: the database.
        relation: SQL.
    """
    return {row[0]: row[1] for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}


def frame_relation(connection: duckdb.DuckDBPyConnection, frame: pd.DataFrame, options: ReadOptions) -> Relation:
    """Return a DataFrame with the manifest's columns as a relation; one row a `sample_id`, where it has one.

    Args:
        connection: the database.
        frame: the rows.
        options: which columns mean what.
    """
    import pyarrow as pa

    # from_pandas makes NaN null; an index is no column
    table = pa.Table.from_pandas(frame.rename(columns=str), preserve_index=False)
    connection.register("frame", table)
    have = {name: name for name in table.column_names if name != PART}
    sql = f"(SELECT {_mapped(have, options)} FROM frame)"
    names = described(connection, sql)
    if "sample_id" in names:
        sql = f"(SELECT DISTINCT ON (sample_id) * FROM {sql})"
    relation = Relation(sql, "utterance_id" not in names, "the DataFrame", tuple(have))
    check_columns_named([relation], options)
    return relation


def relation_of(
    connection: duckdb.DuckDBPyConnection, name: str, kind: Kind, options: ReadOptions, read: dict[str, Any]
) -> Relation:
    """Return one source as a relation.

    Args:
        connection: the database.
        name: a path; of a dataset folder the SQL that reads its parts.
        kind: what it is.
        options: which columns mean what.
        read: foreign sets that were read before, by path; this one is added.

    Raises:
        RoomtoneError: it cannot be read, or lacks what every row needs.
    """
    if kind == "roomtone":
        names = described(connection, name)
        listed = _mapped(names, options)
        root = f"regexp_replace({PART}, '(/manifest)?/[^/]*$', '')"
        sql = f"(SELECT {listed}, {root} || '/' || {_or_null('audio_path', names)} AS {LOCATION} FROM {name})"
        return Relation(sql, False, "the dataset", tuple(names))
    part, raw = _raw(connection, name, kind, read)
    have = described(connection, raw)
    mapped = f"(SELECT {_mapped(have, options)} FROM {raw})"
    unmapped = described(connection, mapped)
    texts = f"(SELECT {', '.join(_typed(column, kind) for column, kind in unmapped.items())} FROM {mapped})"
    return _standard(texts, list(unmapped), part, options, Relation("", False, name, tuple(have)), connection)


def _raw(connection: duckdb.DuckDBPyConnection, name: str, kind: Kind, read: dict[str, Any]) -> tuple[str, str]:
    """Return the file that a foreign set's audio paths are relative to the folder of, and SQL of its raw rows."""
    path = Path(name)
    if kind == "table":
        if not is_remote(name):
            check_table(path)
        ending = Path(path.stem).suffix if path.suffix.lower() == ".gz" else path.suffix
        reader = TABLE_READERS.get(ending.lower(), "read_json")
        # ids with leading zeros stay what they are
        more = ", all_varchar=true" if reader == "read_csv" else ""
        return name, f"{reader}({file_literal(name)}{more})"
    if name not in read:
        found = _READERS[kind](path)
        read[name] = _table(found, name) if isinstance(found, list) else found
    view = f"foreign_{list(read).index(name)}"
    connection.register(view, read[name])
    inside = path if path.is_dir() else path.parent
    return str(
        inside / "wav.scp" if kind == "kaldi" else inside / path.name if path.is_file() else inside / "metadata"
    ), view


def _table(rows: list[Row], name: str) -> pa.Table:
    """Return rows as an Arrow table: columns of the manifest in their types, others in one of their own."""
    import pyarrow as pa

    if not rows:
        raise RoomtoneError(f"{name}: it holds no sample")
    columns = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        values = [row.get(key) for row in rows]
        try:
            columns[key] = pa.array(values)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            texts = [None if value is None else storable_text(str(value)) for value in values]
            columns[key] = pa.array(texts, pa.string())
        if pa.types.is_null(columns[key].type):
            columns[key] = pa.array(values, pa.string())
    return pa.table(columns)


def check_columns_named(relations: Sequence[Relation], options: ReadOptions) -> None:
    """Refuse a name in `columns=` that none of the sources has; originals and copies often have different ones.

    Args:
        relations: all sources.
        options: the names.

    Raises:
        RoomtoneError: such a name, with the nearest that there is.
    """
    have = list(dict.fromkeys(name for relation in relations for name in relation.names))
    where = ", ".join(relation.name for relation in relations)
    for ours, theirs in options.columns.items():
        if theirs not in have:
            raise RoomtoneError(f"columns.{ours}: {where} has no column {theirs!r}; {nearest(theirs, have)}")


def _mapped(have: dict[str, str], options: ReadOptions) -> str:
    """Return a select list in which columns have the names that `columns=` gives them, as far as they are there."""
    given = {ours: theirs for ours, theirs in options.columns.items() if theirs in have}
    kept = [identifier(name) for name in have if name not in given]
    # a column keeps its own name too, so that it can still be an axis
    return ", ".join([*kept, *(f"{identifier(t)} AS {identifier(o)}" for o, t in given.items())])


def _typed(column: str, sql_type: str) -> str:
    """Return a column in the manifest's type: ids and labels are text, numbers are numbers whatever a CSV holds."""
    name = identifier(column)
    kind = COLUMNS.get(column)
    if kind == "string":
        return f"CAST({name} AS VARCHAR) AS {name}"
    if kind is None or sql_type != "VARCHAR":
        return name
    # snr_db may be an axis, which names a text that is no number
    return name if column in ("snr_db", "equipment_snr_db", "t60_s") else f"TRY_CAST({name} AS DOUBLE) AS {name}"


def _standard(
    relation: str,
    have: Sequence[str],
    part: str,
    options: ReadOptions,
    raw: Relation,
    connection: duckdb.DuckDBPyConnection,
) -> Relation:
    audio = next((column for column in _AUDIO_NAMES if column in have), None)
    if audio is None and "sample_id" not in have:
        raise RoomtoneError(
            f"{raw.name}: a table of recordings needs a column 'audio' or 'sample_id' "
            f"(columns.audio=COLUMN names it); it has {', '.join(have)}"
        )
    place = os.path.dirname(part) if "://" in part else os.path.realpath(os.path.dirname(part) or ".")
    path = "CAST(NULL AS VARCHAR)" if audio is None else f"CAST({identifier(audio)} AS VARCHAR)"
    absolute = f"({path} LIKE '/%' OR contains({path}, '://'))"
    location = f"CASE WHEN {absolute} THEN {path} ELSE {literal(place)} || '/' || {path} END"
    segment = f"coalesce(CAST({SEGMENT} AS VARCHAR), '')" if SEGMENT in have else "''"
    own_id = "CAST(sample_id AS VARCHAR)" if "sample_id" in have else f"({location}) || {segment}"
    utterance, unnamed = _utterance(have, own_id, path, segment, options, relation, connection)
    added = {
        "audio_path": path,
        "sample_id": own_id,
        "utterance_id": utterance,
        "condition": _condition(have),
        "words": words_sql("CAST(text AS VARCHAR)") if "text" in have else "CAST(NULL AS BIGINT)",
        "accent": "CAST(NULL AS VARCHAR)",
        LOCATION: location,
        OWN_PLACE: location,
        OWN_NAME: "CAST(NULL AS VARCHAR)" if "utterance_id" in have else path,
        SEGMENT: "CAST(NULL AS VARCHAR)",
    }
    replaced = {"utterance_id"} if options.utterance_pattern else set()
    listed = [identifier(c) for c in have if c not in replaced and not (c == "accent" and options.accents)]
    if options.accents:
        stated = "accent" if "accent" in have else "NULL"
        added["accent"] = f"coalesce(nullif(CAST({stated} AS VARCHAR), ''), {_looked_up(connection, options)})"
    listed += [f"{sql} AS {identifier(c)}" for c, sql in added.items() if c not in have or c in replaced]
    if "accent" in have and options.accents:
        listed.append(f"{added['accent']} AS accent")
    listed.append(f"{literal(part)} AS {PART}")
    return Relation(f"(SELECT {', '.join(listed)} FROM {relation})", unnamed, raw.name, raw.names)


def _looked_up(connection: duckdb.DuckDBPyConnection, options: ReadOptions) -> str:
    """Return SQL for the accent that the map of the options gives a speaker."""
    import pyarrow as pa

    pairs = {"speaker_name": list(options.accents), "accent_name": list(options.accents.values())}
    connection.register("accents_of_speakers", pa.table(pairs))
    return "(SELECT accent_name FROM accents_of_speakers WHERE speaker_name = CAST(speaker AS VARCHAR) LIMIT 1)"


def _condition(have: Sequence[str]) -> str:
    """Return SQL for the condition of a table that has no such column: its labels joined, or `recorded` where it has none."""
    factors = [identifier(factor) for factor in FACTORS if factor in have]
    if not factors:
        return "'recorded'"
    labels = ", ".join(f"nullif(nullif(CAST({factor} AS VARCHAR), 'none'), '')" for factor in factors)
    return f"coalesce(nullif(concat_ws('+', {labels}), ''), 'clean')"


def _utterance(
    have: Sequence[str],
    own_id: str,
    path: str,
    segment: str,
    options: ReadOptions,
    relation: str,
    connection: duckdb.DuckDBPyConnection,
) -> tuple[str, bool]:
    """Return SQL for what a row is a copy of, and whether that is unknown of some rows."""
    if options.utterance_pattern is not None:
        group = re.compile(options.utterance_pattern).groupindex.get("utterance", 1)
        stem = f"regexp_replace(regexp_replace({path}, '^.*/', ''), '\\.[^.]*$', '') || {segment}"
        text = own_id if "sample_id" in have else stem
        found = f"coalesce(nullif(regexp_extract({text}, {literal(options.utterance_pattern)}, {group}), ''), {text})"
        return (f"coalesce(CAST(utterance_id AS VARCHAR), {found})" if "utterance_id" in have else found), False
    if "utterance_id" in have:
        missing = f"SELECT count(*) FROM {relation} WHERE utterance_id IS NULL"
        return "utterance_id", bool(connection.execute(missing).fetchall()[0][0])
    signs = [
        f"coalesce(CAST({identifier(c)} AS VARCHAR), '') NOT IN {_PLAIN}" for c in ("condition", *FACTORS) if c in have
    ]
    signs += [f"{identifier(c)} IS NOT NULL" for c in ("snr_db", "equipment_snr_db") if c in have]
    if not signs:
        return own_id, False
    processed = " OR ".join(signs)
    some = connection.execute(f"SELECT count(*) FROM {relation} WHERE {processed}").fetchall()[0][0]
    return (f"CASE WHEN {processed} THEN NULL ELSE {own_id} END", True) if some else (own_id, False)


def _or_null(column: str, have: dict[str, str]) -> str:
    return identifier(column) if column in have else "CAST(NULL AS VARCHAR)"
