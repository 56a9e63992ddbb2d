"""Several relations as one: rows united by `sample_id`, ids that mean two things kept apart, and notes of what is not known.

Two tables may call different recordings by one id, because each counts from 0000 in its own folder. Such ids get the name of their table
in front, and a note says so; what agrees in speaker, accent, condition, text and length is one row that is listed twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from roomtone.core.audio.segment import AudioRef
from roomtone.core.vocabulary import NONE
from roomtone.coverage.counting.axes import identifier
from roomtone.coverage.sources.measured import MEASURED, measure_all
from roomtone.coverage.sources.options import ReadOptions
from roomtone.coverage.sources.relations import LOCATION, OWN_NAME, OWN_PLACE, PART, SEGMENT, Relation, described

if TYPE_CHECKING:
    import duckdb

#: What two rows of one id must agree in to be one row.
_SIGNATURE = ("speaker", "accent", "condition", "text", "duration_s", "pcm_sha256")


@dataclass(frozen=True)
class United:
    """One relation of several, and what could not be known."""

    sql: str
    notes: list[str] = field(default_factory=list)


def unite(
    connection: duckdb.DuckDBPyConnection, relations: Sequence[Relation], options: ReadOptions, read: dict[str, Any]
) -> United:
    """Return the rows of all relations, each `sample_id` once.

    Args:
        connection: the database.
        relations: the sources.
        options: whether the audio is measured.
        read: what was read before; figures measured are kept here.
    """
    notes: list[str] = []
    union = "(" + " UNION ALL BY NAME ".join(f"SELECT * FROM {relation.sql}" for relation in relations) + ")"
    columns = described(connection, union)
    if OWN_NAME in columns:
        union = _by_path(connection, union)
    union = _samples_apart(connection, union, columns, notes)
    union = _utterances_apart(connection, union, columns, notes)
    union = f"(SELECT DISTINCT ON (sample_id) * FROM {union})"
    if options.measure:
        union = _with_measures(connection, union, columns, read, notes)
        columns = described(connection, union)
    if any(relation.name != "the dataset" for relation in relations):
        notes += _unknown(connection, union, columns, measured=options.measure)
    return United(union, notes)


def _by_path(connection: duckdb.DuckDBPyConnection, union: str) -> str:
    """Let copies that name their original by its audio path be of the utterance that the original's own table makes of it."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE original_by_path AS SELECT {OWN_NAME} AS path, min(utterance_id) AS id FROM {union}
        WHERE {OWN_NAME} IS NOT NULL AND utterance_id IS NOT NULL GROUP BY ALL HAVING count(DISTINCT utterance_id) = 1"""
    )
    named = f"SELECT id FROM original_by_path WHERE path = utterance_id AND {OWN_NAME} IS NULL"
    return f"(SELECT * REPLACE (coalesce(({named}), utterance_id) AS utterance_id) FROM {union})"


def _samples_apart(connection: duckdb.DuckDBPyConnection, union: str, columns: dict[str, str], notes: list[str]) -> str:
    """Keep rows of one `sample_id` apart where they are different recordings."""
    own = [f"coalesce(CAST({identifier(c)} AS VARCHAR), '')" for c in (*_SIGNATURE, OWN_PLACE) if c in columns]
    different = f"SELECT sample_id FROM {union} GROUP BY sample_id HAVING count(DISTINCT concat_ws(chr(31), {', '.join(own)})) > 1"
    connection.execute(f"CREATE OR REPLACE TEMP TABLE sample_clash AS {different}")
    ((count, example),) = connection.execute("SELECT count(*), min(sample_id) FROM sample_clash").fetchall()
    if not count:
        return union
    notes.append(
        f"identity: {count:,} sample ids name different recordings (e.g. {example!r}); they are counted apart, by the file they are in"
    )
    # rows of one file and one id are told apart by their recording
    apart = f"concat_ws(':', {PART}, sample_id, {LOCATION})"
    return f"""(SELECT * REPLACE (CASE WHEN sample_id IN (SELECT sample_id FROM sample_clash) THEN {apart}
        ELSE sample_id END AS sample_id) FROM {union})"""


def _utterances_apart(
    connection: duckdb.DuckDBPyConnection, union: str, columns: dict[str, str], notes: list[str]
) -> str:
    """Keep utterances of one id apart where two files give them different speakers or words."""
    facts = []
    if "speaker" in columns:
        facts.append("count(DISTINCT speaker) > 1")
    if "text" in columns:
        facts.append(r"count(DISTINCT regexp_replace(lower(CAST(text AS VARCHAR)), '[^\p{L}\p{N}]', '', 'g')) > 1")
    if not facts or "utterance_id" not in columns:
        return union
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE utterance_clash AS SELECT utterance_id FROM {union}
        WHERE utterance_id IS NOT NULL GROUP BY utterance_id HAVING count(DISTINCT {PART}) > 1 AND ({" OR ".join(facts)})"""
    )
    ((count, example),) = connection.execute("SELECT count(*), min(utterance_id) FROM utterance_clash").fetchall()
    if not count:
        return union
    notes.append(
        f"identity: {count:,} utterance ids have other speakers or words in another file (e.g. {example!r}); they are counted apart"
    )
    return f"""(SELECT * REPLACE (CASE WHEN utterance_id IN (SELECT utterance_id FROM utterance_clash)
        THEN concat_ws(':', {PART}, utterance_id) ELSE utterance_id END AS utterance_id) FROM {union})"""


def _with_measures(
    connection: duckdb.DuckDBPyConnection, union: str, columns: dict[str, str], read: dict[str, Any], notes: list[str]
) -> str:
    """Add what is measured on the audio; a duration that the set states stays."""
    import pyarrow as pa

    segment = f"coalesce(CAST({SEGMENT} AS VARCHAR), '')" if SEGMENT in columns else "''"
    if "measured" not in read:
        length = "duration_s" if "duration_s" in columns else "NULL"
        query = f"SELECT {LOCATION}, {segment}, max({length}) FROM {union} WHERE {LOCATION} IS NOT NULL GROUP BY ALL ORDER BY ALL"
        places = connection.execute(query).fetchall()
        figures, reasons = measure_all([_ref(*place) for place in places])
        read["measured"] = pa.table(
            {
                "at": [place[0] for place in places],
                "part_of": [place[1] for place in places],
                **{name: pa.array([row[name] for row in figures], pa.float64()) for name in MEASURED},
            }
        )
        read["measure_notes"] = reasons
    reasons = read["measure_notes"]
    if reasons:
        notes.append(f"measure: {len(reasons):,} recordings could not be measured, e.g. {reasons[0]}")
    connection.register("measured_figures", read["measured"])
    kept = [identifier(c) for c in columns if c not in MEASURED]
    filled = [
        f"coalesce(u.{identifier(name)}, m.{name}) AS {name}" if name in columns else f"m.{name} AS {name}"
        for name in MEASURED
    ]
    listed = ", ".join([*(f"u.{name}" for name in kept), *filled])
    return f"""(SELECT {listed} FROM {union} u LEFT JOIN measured_figures m
        ON u.{LOCATION} = m."at" AND {segment.replace(SEGMENT, f"u.{SEGMENT}")} = m.part_of)"""


def _ref(location: str, segment: str, duration_s: float | None) -> AudioRef | None:
    if "#" in location or "://" in location:
        return None  # inside a shard or an object store: not read here
    if not segment:
        return AudioRef(location)
    return AudioRef(location, float(segment.lstrip("#")), duration_s)


def _unknown(
    connection: duckdb.DuckDBPyConnection, union: str, columns: dict[str, str], *, measured: bool
) -> list[str]:
    """Return what the rows do not state, with their number, and what would tell it."""
    noisy = f"coalesce(nullif(CAST(noise AS VARCHAR), ''), '{NONE}') <> '{NONE}'" if "noise" in columns else "FALSE"
    asked = {
        "accent": ("TRUE", "accents are not stated", "columns.accent=COLUMN or accents=FILE (speaker and accent) tells"),
        "speaker": ("TRUE", "speakers are not stated", "columns.speaker=COLUMN tells"),
        "utterance_id": (
            "TRUE", "what the rows are copies of is unknown, so that utterances cannot be counted",
            "columns.utterance=COLUMN, utterance_pattern=REGEX or a Kaldi utt2uniq tells",
        ),
        "duration_s": (
            "TRUE", "durations are not stated, so that minutes are those of the others",
            "columns.duration=COLUMN tells" + ("" if measured else ", or measure=true reads them from the audio"),
        ),
        "snr_db": (noisy, "the SNR of rows with noise is not stated", "columns.snr=COLUMN tells; it cannot be measured on the mix"),
    }  # fmt: skip
    counts = ", ".join(
        f"count(*) FILTER (WHERE {among} AND {f'{name} IS NULL' if name in columns else 'TRUE'})"
        for name, (among, _, _) in asked.items()
    )
    found = connection.execute(f"SELECT count(*), {counts} FROM {union}").fetchall()[0]
    return [
        f"not stated: {what} ({missing:,} of {found[0]:,} rows); {how}"
        for missing, (_, what, how) in zip(found[1:], asked.values())
        if missing
    ]
