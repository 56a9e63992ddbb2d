"""Counting cells: four counts apart, so that copies cannot inflate one by raising another.

Of each cell: renders (files), distinct utterances, distinct speakers, distinct assets (recordings of noise and realisations
of rooms and equipment), minutes and words of all renders; and the sums that effective sizes need. Durations are summed
in whole nanoseconds, so that the order in which threads add them cannot change a digit. What no sample of a cell states is
null and not 0: minutes without any duration, words without a transcript, utterances where no row says of which recording it
is a copy, and speakers where the whole set names none. An asset column that names several, `a|b`, counts as each of them.

The set is walked batch by batch. Distinct speakers and assets of a batch go into small tables that are merged at the end.
Distinct utterances add up over batches where no utterance is in two of them, as in every set that `roomtone generate`
writes; this is checked, and where it does not hold they are counted in one pass over everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from roomtone.core.dataset.columns import ASSETS
from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import ACCENT_SEPARATOR, ASSET_SEPARATOR
from roomtone.coverage.counting.axes import Axis, check_columns, identifier, literal
from roomtone.coverage.counting.source import Batch, OpenSource, audio_root
from roomtone.coverage.sources.relations import PART

if TYPE_CHECKING:
    import pandas as pd

#: Rows that the tables merged over batches may grow to before they are merged.
_LOOSE_ROWS = 6_000_000
#: Keys are cell * _SPAN + speaker, utterance of a batch, or asset; none of these reaches this number.
_SPAN = 2**31


def count_cells(source: OpenSource, axes: Sequence[Axis]) -> pd.DataFrame:
    """Return one row for each cell that holds samples, in no particular order.

    Columns: `axis_0 …` (text), `renders, utterances, speakers, assets, minutes, words`; `kish_speakers`, and
    `cluster_words` (sum m^2 / sum m over the words m of each speaker's distinct utterances) with `distinct_words`.

    Args:
        source: an open source.
        axes: 1 to 6 axes.

    Raises:
        RoomtoneError: an axis is no column of the source, or one with bins holds a text that is no number.
    """
    check_columns(axes, source.columns, where=source.where)
    _check_numbers(source, axes)
    keys = [f"axis_{i}" for i in range(len(axes))]
    run = source.connection.execute
    multi = has_several_accents(source, axes)
    rows = named_rows(source, source.relation, axes, multi=multi)
    run(f"CREATE OR REPLACE TEMP TABLE cell AS {_numbered('c', ', '.join(keys), rows)}")
    run(f"CREATE OR REPLACE TEMP TABLE person AS {_numbered('s', 'speaker', rows)}")
    for name in ASSETS:
        run(f"CREATE OR REPLACE TEMP TABLE {name} AS {_numbered('a', name, rows)}")
        run(
            f"""CREATE OR REPLACE TEMP TABLE {name}_parts AS SELECT a, dense_rank() OVER (ORDER BY part) - 1 AS p
            FROM (SELECT DISTINCT a, unnest(string_split({name}, {literal(ASSET_SEPARATOR)})) AS part FROM {name} WHERE {name} IS NOT NULL)"""
        )
    run(_EMPTY)
    for batch in source.batches:
        _count_batch(source, batch, axes, ", ".join(keys), multi=multi)
    _compact(source, at_most=0)
    pairs, utterances = run("SELECT count(*), count(DISTINCT utterance_id) FROM home").fetchall()[0]
    utterances_sql = "CAST(sum(utterances) AS BIGINT)"
    named = run("SELECT count(speaker) FROM person").fetchall()[0][0]
    speakers = "count(speaker)" if named else "CAST(NULL AS BIGINT)"
    merge = _MERGE.format(keys=", ".join(keys), utterances=_stated(source, utterances_sql), speakers=speakers)
    result = run(merge).df()
    if pairs != utterances:  # an utterance in two batches, or of two speakers
        distinct = _stated(source, "count(DISTINCT utterance_id)")
        exact = f"SELECT {', '.join(keys)}, {distinct} AS utterances FROM {rows} GROUP BY ALL"
        result = result.drop(columns="utterances").merge(run(exact).df(), on=keys)
    return result


def _stated(source: OpenSource, count: str) -> str:
    """Return a count of utterances in SQL; it is null where it is 0 because a table does not say what its rows are copies of."""
    return f"nullif({count}, 0)" if source.unnamed else count


def cell_rows(
    source: OpenSource,
    axes: Sequence[Axis],
    cell: Sequence[str],
    columns: Sequence[str],
    limit: int,
    *,
    with_root: bool = False,
) -> pd.DataFrame:
    """Return the samples of one cell, at most `limit` of them, ordered by `sample_id`; absent columns are null.

    Args:
        source: an open source.
        axes: the axes of the matrix.
        cell: the cell's value on each axis.
        columns: columns to return.
        limit: rows at most.
        with_root: whether `root` is added, the folder that audio paths are relative to.
    """
    wanted = ", ".join(f"{source.column(name)} AS {identifier(name)}" for name in columns)
    where = " AND ".join(membership(source, axis, value) for axis, value in zip(axes, cell))
    order = source.column("sample_id")
    part = _part(source) + " AS root" if with_root else ""
    frame = source.connection.execute(
        f"SELECT {wanted}{', ' * with_root}{part} FROM {source.relation} WHERE {where} ORDER BY {order} LIMIT {int(limit)}"
    ).df()
    if with_root:
        frame["root"] = [audio_root(str(name)) for name in frame["root"]]
    return frame


def _part(source: OpenSource) -> str:
    """Return the column with the file that a row came from, in SQL; a DataFrame came from none."""
    return identifier(PART) if source.where != "the DataFrame" else "''"


def sample_rows(source: OpenSource, axes: Sequence[Axis], columns: Sequence[str], per_cell: int) -> pd.DataFrame:
    """Return the first samples of every cell, `per_cell` at most: `axis_0 …`, the columns, and the file they came from.

    Args:
        source: an open source.
        axes: the axes of the matrix.
        columns: columns to return.
        per_cell: rows of a cell at most.
    """
    keys = ", ".join(f"axis_{i}" for i in range(len(axes)))
    wanted = ", ".join(f"{source.column(name)} AS {identifier(name)}" for name in columns)
    listed = axis_columns(source, axes, multi=has_several_accents(source, axes))
    return source.connection.execute(
        f"""SELECT * FROM (SELECT {listed}, {wanted}, {_part(source)} AS part FROM {source.relation})
        QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY sample_id) <= {int(per_cell)} ORDER BY {keys}, sample_id"""
    ).df()


def membership(source: OpenSource, axis: Axis, value: str) -> str:
    """Return the SQL condition that a row has this value of an axis.

    Args:
        source: an open source.
        axis: the axis.
        value: one of its values.
    """
    if axis.column != "accent":
        return f"{source.axis_sql(axis)} = {literal(value)}"
    return f"list_contains({axis.parts_sql()}, {literal(value)})"


def _check_numbers(source: OpenSource, axes: Sequence[Axis]) -> None:
    """Refuse a column with bins that holds texts which are no numbers: they would be lost among the missing."""
    for axis in axes:
        condition = axis.not_numbers_sql()
        if condition is None:
            continue
        column = identifier(axis.column)
        query = f"SELECT count(*), min(CAST({column} AS VARCHAR)) FROM {source.relation} WHERE {condition}"
        ((count, example),) = source.connection.execute(query).fetchall()
        if count:
            raise RoomtoneError(
                f"{source.where}: axis {axis.column!r} has bins, and {count:,} of its cells are no numbers, e.g. {example!r}"
            )


def has_several_accents(source: OpenSource, axes: Sequence[Axis]) -> bool:
    """Return whether accent is an axis and some sample has several of them, such as `scottish|irish`.

    Args:
        source: an open source.
        axes: of the matrix.
    """
    if all(axis.column != "accent" for axis in axes):
        return False
    found = source.connection.execute(
        f"SELECT bool_or(contains(CAST(accent AS VARCHAR), {literal(ACCENT_SEPARATOR)})) FROM {source.relation}"
    ).fetchall()
    return bool(found[0][0])


def axis_columns(source: OpenSource, axes: Sequence[Axis], *, multi: bool) -> str:
    """Return the select list `… AS axis_0, …`; where `multi`, a row is repeated for each of its accents.

    Args:
        source: an open source.
        axes: the axes.
        multi: whether some sample has several accents.
    """
    listed = []
    for i, axis in enumerate(axes):
        sql = source.axis_sql(axis)
        if multi and axis.column == "accent":
            sql = f"unnest({axis.parts_sql()})"
        listed.append(f"{sql} AS axis_{i}")
    return ", ".join(listed)


def _numbered(code: str, columns: str, rows: str) -> str:
    return f"SELECT CAST(row_number() OVER () - 1 AS BIGINT) AS {code}, * FROM (SELECT DISTINCT {columns} FROM {rows})"


#: `home`: which speaker an utterance belongs to; `voices`: sums by cell and speaker; `used`: assets by cell.
_EMPTY = """
CREATE OR REPLACE TEMP TABLE home (utterance_id VARCHAR, s BIGINT);
CREATE OR REPLACE TEMP TABLE voices
    (voice BIGINT, utterances BIGINT, renders BIGINT, timed BIGINT, ns BIGINT, words BIGINT, once BIGINT);
CREATE OR REPLACE TEMP TABLE used (kind TINYINT, key BIGINT);
"""


def _count_batch(source: OpenSource, batch: Batch, axes: Sequence[Axis], keys: str, *, multi: bool) -> None:
    """Add one batch to the temporary tables.

    Cells, utterances, speakers and assets are whole numbers here: one integer key groups three times faster than texts.
    """
    run = source.connection.execute
    rows = named_rows(source, batch.relation, axes, multi=multi)
    run(
        f"""CREATE OR REPLACE TEMP TABLE utt AS SELECT CAST(row_number() OVER () - 1 AS BIGINT) AS u, s, x.*
        FROM (SELECT utterance_id, speaker, max(words) AS once FROM {rows} GROUP BY ALL) x
        JOIN person ON {_same("x", "person", "speaker")}"""
    )
    run("INSERT INTO home SELECT utterance_id, s FROM utt")
    codes = "".join(f" LEFT JOIN {name} ON r.{name} = {name}.{name}" for name in ASSETS)
    run(
        f"""CREATE OR REPLACE TEMP TABLE coded AS
        SELECT c * {_SPAN} + s AS voice, c * {_SPAN} + u AS copy, c, r.utterance_id IS NULL AS nameless, ns, words,
               {", ".join(f"{name}.a AS {name}" for name in ASSETS)}
        FROM {rows} r JOIN cell USING ({keys})
        JOIN utt ON {_same("r", "utt", "utterance_id")} AND {_same("r", "utt", "speaker")} {codes}"""
    )
    _count_voices(source)
    for i, name in enumerate(ASSETS):
        run(
            f"""INSERT INTO used SELECT DISTINCT {i}, c * {_SPAN} + p
            FROM (SELECT DISTINCT c, {name} AS a FROM coded WHERE {name} IS NOT NULL) JOIN {name}_parts USING (a)"""
        )
    run("DROP TABLE coded")
    _compact(source, at_most=_LOOSE_ROWS)


def _count_voices(source: OpenSource) -> None:
    """Add the coded batch to `voices`; where no utterance is twice in a cell, its rows are its utterances."""
    run = source.connection.execute
    rows, distinct, nameless = run("SELECT count(*), count(DISTINCT copy), bool_or(nameless) FROM coded").fetchall()[0]
    sums = "voice, count(*) AS renders, count(ns) AS timed, sum(ns) AS ns, sum(words) AS words"
    if rows == distinct and not nameless:
        run(
            f"INSERT INTO voices SELECT voice, renders, renders, timed, ns, words, words FROM (SELECT {sums} FROM coded GROUP BY voice)"
        )
        return
    run(
        f"""INSERT INTO voices SELECT voice, utterances, renders, timed, ns, words, once
        FROM (SELECT {sums} FROM coded GROUP BY voice) JOIN (
            SELECT copy // {_SPAN} * {_SPAN} + s AS voice, count(utterance_id) AS utterances,
                   sum(once) FILTER (WHERE utterance_id IS NOT NULL) AS once
            FROM (SELECT DISTINCT copy FROM coded) JOIN utt ON copy % {_SPAN} = u GROUP BY voice) USING (voice)"""
    )


def _same(left: str, right: str, column: str) -> str:
    """Return a join condition under which two nulls are equal."""
    return f"{left}.{column} IS NOT DISTINCT FROM {right}.{column}"


def _compact(source: OpenSource, *, at_most: int) -> None:
    """Merge what several batches said of one cell and speaker, once a table has grown beyond `at_most` rows."""
    run = source.connection.execute
    for table, query in _COMPACTIONS.items():
        ((rows,),) = run(f"SELECT count(*) FROM {table}").fetchall()
        if rows > at_most:
            run(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")


def named_rows(source: OpenSource, relation: str, axes: Sequence[Axis], *, multi: bool) -> str:
    """Return a relation under the names that counting uses; what the source lacks is null.

    Args:
        source: an open source.
        relation: SQL of the rows.
        axes: the axes, which become `axis_0 …`.
        multi: whether some sample has several accents; it is then a row of each.
    """
    assets = ", ".join(f"CAST({source.column(name)} AS VARCHAR) AS {name}" for name in ASSETS)
    listed = axis_columns(source, axes, multi=multi) + ", " * bool(axes)
    return f"""(SELECT {listed}CAST({source.column("speaker")} AS VARCHAR) AS speaker,
        CAST({source.column("utterance_id")} AS VARCHAR) AS utterance_id,
        CAST(round({source.column("duration_s", "DOUBLE")} * 1e9) AS BIGINT) AS ns,
        CAST({source.column("words", "BIGINT")} AS BIGINT) AS words, {assets} FROM {relation})"""


_COMPACTIONS = {
    "voices": """SELECT voice, CAST(sum(utterances) AS BIGINT) AS utterances, CAST(sum(renders) AS BIGINT) AS renders,
        CAST(sum(timed) AS BIGINT) AS timed, CAST(sum(ns) AS BIGINT) AS ns, CAST(sum(words) AS BIGINT) AS words, CAST(sum(once) AS BIGINT) AS once
        FROM voices GROUP BY voice""",
    "used": "SELECT DISTINCT kind, key FROM used",
}

# Speakers are distinct in `voices` by now, so sums over it give the distinct speakers and the sums of squares at once.
_MERGE = f"""
WITH sums AS (
    SELECT c, CAST(sum(renders) AS BIGINT) AS renders, {{utterances}} AS utterances,
           {{speakers}} AS speakers,
           CASE WHEN sum(timed) > 0 THEN CAST(coalesce(sum(ns), 0) AS DOUBLE) / 6e10 END AS minutes,
           CAST(sum(words) AS BIGINT) AS words, CAST(coalesce(sum(m), 0) AS BIGINT) AS distinct_words,
           CASE WHEN sum(m * m) > 0 THEN sum(m) * sum(m) / sum(m * m) END AS kish_speakers,
           CASE WHEN sum(m) > 0 THEN sum(m * m) / sum(m) END AS cluster_words
    FROM (SELECT *, voice // {_SPAN} AS c, CASE WHEN speaker IS NOT NULL THEN CAST(once AS DOUBLE) END AS m
          FROM voices JOIN person ON voice % {_SPAN} = s)
    GROUP BY c
), held AS (
    SELECT key // {_SPAN} AS c, count(*) AS assets FROM used GROUP BY ALL
)
SELECT {{keys}}, renders, utterances, speakers, coalesce(assets, 0) AS assets, minutes, words, distinct_words,
       kish_speakers, cluster_words
FROM sums JOIN cell USING (c) LEFT JOIN held USING (c)
"""
