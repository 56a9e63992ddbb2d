"""Speakers whom two parts of a set share: between cells, and between splits, where it is leakage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.counting.cells import axis_columns, has_several_accents
from roomtone.coverage.counting.source import OpenSource

if TYPE_CHECKING:
    import pandas as pd

#: Parts beyond which a square of all pairs is no table to read.
MAX_PARTS = 400


def shared(source: OpenSource, axes: Sequence[Axis], *, unit: str = "speaker") -> pd.DataFrame:
    """Return how many speakers (or utterances) each pair of parts shares; the diagonal is how many each part has.

    Args:
        source: an open source.
        axes: what makes the parts: the axes of a matrix, or the one column of the splits.
        unit: `speaker` or `utterance_id`; nulls are nobody.

    Returns:
        a square frame, rows and columns named by the parts' values.

    Raises:
        RoomtoneError: a column that is not there, or more than `MAX_PARTS` parts.
    """

    for name in [*(axis.column for axis in axes), unit]:
        if name not in source.columns:
            raise RoomtoneError(f"shared: no column {name!r}; {nearest(name, source.columns)}")
    listed = axis_columns(source, axes, multi=has_several_accents(source, axes))
    part = "concat_ws(' x ', " + ", ".join(f"axis_{i}" for i in range(len(axes))) + ")"
    members = f"""(SELECT DISTINCT {part} AS part, who FROM
        (SELECT {listed}, {source.column(unit)} AS who FROM {source.relation}) WHERE who IS NOT NULL)"""
    pairs = source.connection.execute(
        f"""SELECT a.part AS a, b.part AS b, count(*) AS n FROM {members} a JOIN {members} b USING (who) GROUP BY ALL"""
    ).df()
    parts = axes[0].order(pairs["a"]) if len(axes) == 1 else sorted(set(pairs["a"]))
    if len(parts) > MAX_PARTS:
        raise RoomtoneError(f"shared: {len(parts):,} parts make more pairs than anybody reads; at most {MAX_PARTS}")
    square = pairs.pivot_table(index="a", columns="b", values="n", fill_value=0)
    found: pd.DataFrame = square.reindex(index=parts, columns=parts, fill_value=0).astype(int)
    return found.rename_axis(index=None, columns=None)


def leaked(square: pd.DataFrame) -> list[tuple[str, str, int]]:
    """Return the pairs of different parts that share somebody, most first.

    Args:
        square: what `shared` returned.
    """
    names = list(square.index)
    pairs = [(a, b, int(square.loc[a, b])) for i, a in enumerate(names) for b in names[i + 1 :]]
    return sorted((pair for pair in pairs if pair[2]), key=lambda pair: -pair[2])
