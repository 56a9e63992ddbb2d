"""The spread of a measured number within each cell: quantiles and a small histogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.coverage.counting.axes import Axis, identifier
from roomtone.coverage.counting.cells import axis_columns, has_several_accents
from roomtone.coverage.counting.source import OpenSource

if TYPE_CHECKING:
    import pandas as pd

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def cell_distributions(
    source: OpenSource, axes: Sequence[Axis], column: str, *, quantiles: Sequence[float] = QUANTILES, bins: int = 16
) -> pd.DataFrame:
    """Return one row a cell that has numbers in a column: how many, their quantiles and their histogram.

    Args:
        source: an open source.
        axes: the axes of the matrix.
        column: a column of numbers, e.g. `measured_snr_db`.
        quantiles: shares from 0 to 1; interpolated between neighbours.
        bins: bars of the histogram, from the smallest to the largest number of the whole source.

    Returns:
        the axes; `count`, `unstated` (samples without a number), `min`, `q05 …`, `max`, `mean`; `histogram` (a list of counts) and, the
        same in every row, `edges`.

    Raises:
        RoomtoneError: no such column, or none of its cells is a number.
    """

    if column not in source.columns:
        raise RoomtoneError(f"distributions: no column {column!r}; {nearest(column, source.columns)}")
    number = f"TRY_CAST({identifier(column)} AS DOUBLE)"
    finite = f"CASE WHEN isfinite({number}) THEN {number} END"
    low, high = source.connection.execute(f"SELECT min({finite}), max({finite}) FROM {source.relation}").fetchall()[0]
    if low is None:
        raise RoomtoneError(f"distributions: column {column!r} holds no number")
    edges = np.linspace(low, high if high > low else low + 1.0, bins + 1)
    listed = axis_columns(source, axes, multi=has_several_accents(source, axes))
    keys = ", ".join(f"axis_{i}" for i in range(len(axes)))
    shares = ", ".join(f"quantile_cont(x, {float(q)!r}) AS {_name(q)}" for q in quantiles)
    bucket = f"least({bins - 1}, greatest(0, CAST(floor((x - {low!r}) / {float(edges[1] - edges[0])!r}) AS INTEGER)))"
    rows = f"(SELECT {listed}, {finite} AS x FROM {source.relation})"
    frame = source.connection.execute(
        f"""SELECT {keys}, count(x) AS count, count(*) - count(x) AS unstated, min(x) AS min, {shares}, max(x) AS max,
            avg(x) AS mean FROM {rows} GROUP BY {keys} HAVING count(x) > 0 ORDER BY {keys}"""
    ).df()
    bars = source.connection.execute(
        f"SELECT {keys}, {bucket} AS bar, count(*) AS n FROM {rows} WHERE x IS NOT NULL GROUP BY ALL"
    ).df()
    names = [f"axis_{i}" for i in range(len(axes))]
    wide = bars.pivot_table(index=names, columns="bar", values="n", fill_value=0).reindex(
        columns=range(bins), fill_value=0
    )
    histograms = {
        key if isinstance(key, tuple) else (key,): list(map(int, row)) for key, row in zip(wide.index, wide.to_numpy())
    }
    frame["histogram"] = [histograms[tuple(row)] for row in frame[names].to_numpy()]
    frame["edges"] = [edges.tolist()] * len(frame)
    renamed: pd.DataFrame = frame.rename(columns={f"axis_{i}": axis.column for i, axis in enumerate(axes)})
    return renamed


def _name(quantile: float) -> str:
    """Return the name of a quantile's column, e.g. q05 or q2_5."""
    return f"q{100 * quantile:04.1f}".replace(".0", "").replace(".", "_") if quantile < 1 else "q100"
