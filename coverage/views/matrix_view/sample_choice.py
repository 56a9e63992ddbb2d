"""Which samples of each cell a page shows: a seeded choice that takes turns over the speakers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from roomtone.coverage.counting.axes import Axis, identifier, literal
from roomtone.coverage.counting.cells import axis_columns, has_several_accents
from roomtone.coverage.counting.source import OpenSource
from roomtone.coverage.sources.relations import PART

if TYPE_CHECKING:
    import pandas as pd

#: Columns that say what a sample is; what a source lacks is null.
IDENTITY = ("sample_id", "utterance_id", "speaker", "text", "duration_s", "audio_path")
_NUMBERS = ("duration_s",)


def chosen_samples(
    source: OpenSource, axes: Sequence[Axis], columns: Sequence[str], *, per_cell: int, seed: int = 0
) -> pd.DataFrame:
    """Return at most `per_cell` samples of every cell: `axis_0 …`, the columns, and `part`, the file that a row came from.

    The first of every speaker come first, then the second of every speaker; which speaker and which of their samples is
    drawn by a hash of seed and name, so that another machine shows the same ones and a longer list keeps the shorter.

    Args:
        source: an open source.
        axes: of the matrix.
        columns: further columns beside IDENTITY.
        per_cell: most samples of a cell.
        seed: of the choice.
    """
    keys = ", ".join(f"axis_{i}" for i in range(len(axes)))
    wanted = ", ".join(f"{_column(source, name)} AS {identifier(name)}" for name in [*IDENTITY, *columns])
    listed = axis_columns(source, axes, multi=has_several_accents(source, axes))
    part = identifier(PART) if source.where != "the DataFrame" else "''"
    salt = literal(f"{seed}/")
    return source.connection.execute(
        f"""SELECT * EXCLUDE (turn, draw, voice) FROM (
            SELECT *, row_number() OVER (PARTITION BY {keys}, speaker ORDER BY draw, sample_id) AS turn
            FROM (SELECT {listed}, {wanted}, {part} AS part, md5({salt} || coalesce(sample_id, '')) AS draw,
                         md5({salt} || coalesce(speaker, '')) AS voice FROM {source.relation}))
        QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY turn, voice, draw, sample_id) <= {int(per_cell)}
        ORDER BY {keys}, turn, voice, draw, sample_id"""
    ).df()


def clean_recordings(source: OpenSource, utterances: Sequence[str], baseline: str) -> pd.DataFrame:
    """Return the baseline's recording of each utterance, one row each: `utterance_id, audio_path, part`.

    Args:
        source: an open source.
        utterances: ids.
        baseline: name of the condition.
    """
    import pandas as pd

    if "condition" not in source.columns or "utterance_id" not in source.columns or source.where == "the DataFrame":
        return pd.DataFrame(columns=["utterance_id", "audio_path", "part"])
    source.connection.register("wanted_utterances", pd.DataFrame({"utterance_id": list(utterances)}, dtype=object))
    return source.connection.execute(
        f"""SELECT CAST(utterance_id AS VARCHAR) AS utterance_id, arg_min({_column(source, "audio_path")}, sample_id) AS audio_path,
            arg_min({identifier(PART)}, sample_id) AS part
        FROM {source.relation} WHERE condition = {literal(baseline)}
            AND CAST(utterance_id AS VARCHAR) IN (SELECT utterance_id FROM wanted_utterances) GROUP BY ALL ORDER BY 1"""
    ).df()


def _column(source: OpenSource, name: str) -> str:
    if name in IDENTITY and name not in _NUMBERS:
        return f"CAST({source.column(name)} AS VARCHAR)"
    return source.column(name)
