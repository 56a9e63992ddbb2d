"""Counts of cells and of all their margins, each counted for itself: distinct speakers do not add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from roomtone.coverage.counting.cells import has_several_accents, named_rows
from roomtone.coverage.counting.grid import Grid
from roomtone.coverage.counting.source import OpenSource
from roomtone.coverage.views.matrix_view.contract import Table
from roomtone.coverage.views.matrix_view.layout import Layout

if TYPE_CHECKING:
    import pandas as pd

#: As in `counting/cells.py`: what nobody states is null.
_COUNTS = """count(*) AS renders, {utterances} AS utterances, {speakers} AS speakers,
    count(DISTINCT noise_asset) + count(DISTINCT room_asset) + count(DISTINCT equipment_asset) AS assets,
    CAST(sum(ns) AS DOUBLE) / 6e10 AS minutes, CAST(sum(words) AS BIGINT) AS words"""


def count_tables(grid: Grid, layout: Layout, source: OpenSource, units: Sequence[str]) -> dict[str, Table]:
    """Return unit -> its counts on the grid with every margin.

    Args:
        grid: the cells, counted already.
        layout: of the same grid.
        source: where the grid was counted.
        units: columns of the grid's frame to be returned.
    """
    size = len(layout.row_names), len(layout.columns)
    rows = _grouped(source, layout, with_rows=True)
    totals = _grouped(source, layout, with_rows=False)
    tables = {}
    for unit in units:
        tables[unit] = Table(
            cells=grid.frame[unit].to_numpy(float).reshape(size),
            rows=_placed(rows["rows"], unit, [layout.row_names]),
            columns=_placed(totals["columns"], unit, [tuple(axis) for axis in _across_levels(grid)]).ravel(),
            levels=[_placed(rows[f"level_{f}"], unit, [layout.row_names, h.factor.levels]) for f, h in enumerate(layout.header)],
            level_totals=[_placed(totals[f"level_{f}"], unit, [h.factor.levels]) for f, h in enumerate(layout.header)],
            all=float(totals["all"][unit].iloc[0]) if len(totals["all"]) else 0.0,
        )  # fmt: skip
    return tables


def _across_levels(grid: Grid) -> list[Sequence[str]]:
    return list(grid.levels[1:]) or [["all"]]


def _grouped(source: OpenSource, layout: Layout, *, with_rows: bool) -> Mapping[str, pd.DataFrame]:
    """Return the counts by row, by row and factor level (`with_rows`), or by column, factor level and over everything.

    A recording of two accents stands in both of their rows and once in what is summed over all rows.
    """
    axes = [layout.row_axis, *layout.across, *(row.axis for row in layout.header if row.axis.column != "set")]
    multi = with_rows and has_several_accents(source, axes)
    rows = named_rows(source, source.relation, axes, multi=multi)
    first = 1 + len(layout.across)
    across = [f"axis_{i}" for i in range(1, first)]
    levels = [[f"axis_{first + f}"] for f in range(len(layout.header))] if layout.across else [[]]
    if with_rows:
        sets = {"rows": ["axis_0"]} | {f"level_{f}": ["axis_0", *keys] for f, keys in enumerate(levels)}
    else:
        sets = {"columns": across, "all": []} | {f"level_{f}": keys for f, keys in enumerate(levels)}
    return {name: _counts(source, rows, keys) for name, keys in sets.items()}


def _counts(source: OpenSource, rows: str, keys: Sequence[str]) -> pd.DataFrame:
    """Return the units by the keys' values, as floats: NaN where nobody states it."""
    listed = "".join(f"{key}, " for key in keys)
    grouping = f"GROUP BY {', '.join(keys)}" if keys else ""
    ((named,),) = source.connection.execute(f"SELECT count(speaker) FROM {rows}").fetchall()
    utterances = "count(DISTINCT utterance_id)"
    counts = _COUNTS.format(
        utterances=f"nullif({utterances}, 0)" if source.unnamed else utterances,
        speakers="count(DISTINCT speaker)" if named else "CAST(NULL AS BIGINT)",
    )
    frame = source.connection.execute(f"SELECT {listed}{counts} FROM {rows} {grouping}").df()
    for name in frame.columns.difference(list(keys)):
        frame[name] = frame[name].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    return frame


def _placed(frame: pd.DataFrame, unit: str, levels: Sequence[Sequence[str]]) -> np.ndarray:
    """Return a unit on the grid of the levels, 0 where nothing was counted, NaN where nobody states it [shape=(levels of key 0, …)]."""
    keys = [name for name in frame.columns if name.startswith("axis_")]
    shape = [len(values) for values in levels]
    found = np.zeros(shape)
    places = [{value: i for i, value in enumerate(values)} for values in levels]
    if not keys:
        found[...] = frame[unit].iloc[0] if len(frame) else 0
        return found
    for row in frame[[*keys, unit]].itertuples(index=False):
        if len(keys) < len(shape):  # one axis only: the single column holds it all
            found[places[0][row[0]], 0] = row[1]
        else:
            at = tuple(place.get(value, -1) for place, value in zip(places, row[:-1]))
            if -1 not in at:
                found[at] = row[-1]
    return found
