"""Holes: the cells that miss a goal, and who can close them.

Rendering can put a speaker's speech into another condition; it cannot make a speaker. A hole is closable where the
clean speech that is available, of the cell's own accent and other speech attributes, reaches every goal of the cell when all of it is
rendered there once. What it does not reach must be recorded, and the table says how much of what.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from roomtone.coverage.counting.axes import Axis, check_columns
from roomtone.coverage.counting.cells import has_several_accents, named_rows
from roomtone.coverage.counting.goals import UNITS
from roomtone.coverage.counting.source import OpenSource, open_source

if TYPE_CHECKING:
    import pandas as pd

#: What a recruiting list is written in.
RECORDED_UNITS = ("speakers", "utterances", "minutes", "words")


def list_holes(cells: pd.DataFrame, axes: Sequence[Axis], speech: object) -> pd.DataFrame:
    """Return one row a hole, the emptiest first.

    Args:
        cells: the matrix, one row a cell with its counts, goals, `status` and `covered_share`.
        axes: the axes of the matrix.
        speech: what could be rendered: a source that `open_source` takes (a set, a table, a frame).

    Columns: the axes; `status` (`empty` or `partial`); `missing_*` for every unit that some cell has a goal in; `closable`
    (by rendering alone); `record_speakers, record_utterances, record_minutes, record_words`: what must be recorded
    first, 0 where nothing must. A count that nobody states misses nobody knows what: null, not closable, nothing to record.
    """
    names = [axis.column for axis in axes]
    frame = cells[cells["status"].isin(["empty", "partial"])].reset_index(drop=True)
    holes = frame[[*names, "status", "covered_share", "weight"]].copy()
    for unit in UNITS:
        if (cells[f"goal_{unit}"] > 0).any():
            holes[f"missing_{unit}"] = (frame[f"goal_{unit}"] - frame[unit]).clip(lower=0)
    at_hand = available_speech(speech, axes)
    reach = _reach(frame, at_hand, [axis.column for axis in axes if not axis.rendered])
    only_speech = not any(axis.rendered for axis in axes)
    for unit in RECORDED_UNITS:
        # without a rendered axis the cell holds its speech already, and more renders of it bring nothing
        have = np.maximum(reach[unit], frame[unit]) if not only_speech else frame[unit].to_numpy()
        holes[f"record_{unit}"] = np.nan_to_num(np.maximum(frame[f"goal_{unit}"].to_numpy() - np.asarray(have), 0))
    recorded = holes[[f"record_{unit}" for unit in RECORDED_UNITS]].to_numpy()
    renders = np.maximum(frame["goal_renders"].to_numpy() - np.maximum(reach["utterances"], frame["renders"]), 0)
    holes["record_utterances"] = np.maximum(holes["record_utterances"], renders).astype(np.int64)
    holes["record_speakers"] = holes["record_speakers"].astype(np.int64)
    holes["record_words"] = holes["record_words"].astype(np.int64)
    unknown = np.any([(frame[f"goal_{u}"] > 0) & frame[u].isna() for u in UNITS], axis=0)
    speech_left = ~(recorded > 0).any(axis=1) & (renders == 0) & (reach["utterances"] > 0)
    holes.insert(len(names) + 1, "closable", speech_left & ~unknown)
    ordered = holes.sort_values(["covered_share", *names], kind="stable", ignore_index=True)
    return ordered.drop(columns=["covered_share", "weight"])


def available_speech(source: object, axes: Sequence[Axis]) -> pd.DataFrame:
    """Return the distinct speech available for each value of the speech axes: `utterances, speakers, minutes, words`.

    A longest duration and a largest word count stand for an utterance that has several.

    Args:
        source: what `open_source` takes, or an open source.
        axes: the axes of the matrix; those that rendering decides are left out.
    """
    speech = [axis for axis in axes if not axis.rendered]
    with open_source(source) as opened:
        check_columns(speech, opened.columns, where="the clean speech")
        return _speech(opened, speech)


def _speech(source: OpenSource, speech: Sequence[Axis]) -> pd.DataFrame:
    rows = named_rows(source, source.relation, speech, multi=has_several_accents(source, speech))
    keys = ", ".join(f"axis_{i}" for i in range(len(speech)))
    listed = f"{keys}, " * bool(keys)
    grouped = f" GROUP BY {keys}" * bool(keys)
    return source.connection.execute(
        f"""SELECT {listed}count(DISTINCT utterance_id) AS utterances, count(DISTINCT speaker) AS speakers,
            CAST(coalesce(sum(ns), 0) AS DOUBLE) / 6e10 AS minutes, CAST(coalesce(sum(words), 0) AS BIGINT) AS words
        FROM (SELECT {listed}utterance_id, speaker, max(ns) AS ns, max(words) AS words FROM {rows}
              WHERE utterance_id IS NOT NULL GROUP BY ALL){grouped}"""
    ).df()


def _reach(frame: pd.DataFrame, at_hand: pd.DataFrame, speech: Sequence[str]) -> dict[str, np.ndarray]:
    """Return for each hole what the available speech amounts to."""
    keys = [f"axis_{i}" for i in range(len(speech))]
    if not speech:
        return {unit: np.full(len(frame), at_hand[unit].sum()) for unit in RECORDED_UNITS}
    left = frame[list(speech)].set_axis(keys, axis=1)
    joined = left.merge(at_hand, on=keys, how="left")
    return {unit: joined[unit].fillna(0).to_numpy() for unit in RECORDED_UNITS}


def recruiting(holes: pd.DataFrame, axes: Sequence[Axis]) -> pd.DataFrame:
    """Return what to record, one row for each value of the speech axes that lacks something.

    Args:
        holes: what `list_holes` returned for these axes.
        axes: the axes of the matrix.

    Speech that is recorded once can be rendered into every condition, so the largest need of any cell is the need.
    """
    speech = [axis.column for axis in axes if not axis.rendered]
    needs = [f"record_{unit}" for unit in RECORDED_UNITS]
    short = holes[(holes[needs] > 0).any(axis=1)]
    if not speech:
        return short[needs].max().to_frame().T if len(short) else short[needs]
    return short.groupby(speech, as_index=False, sort=True)[needs].max()
