"""The layers that coverage itself fills: counts against goals, the share of the goals, and what the cells could show."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from roomtone.coverage.counting.grid import Grid
from roomtone.coverage.counting.source import OpenSource
from roomtone.coverage.power import minimum_detectable_gap
from roomtone.coverage.views.matrix_view.contract import STATUS_LETTERS, Layer, Table
from roomtone.coverage.views.matrix_view.layout import Layout
from roomtone.coverage.views.matrix_view.margins import count_tables

#: Units that every matrix shows; assets and words join them where a goal is set in them.
SHOWN_UNITS = ("utterances", "speakers", "renders", "minutes")
_LABELS = {
    "utterances": "distinct utterances",
    "speakers": "speakers",
    "renders": "renders",
    "minutes": "minutes",
    "assets": "recordings and rooms",
    "words": "words",
}
#: Speakers on both sides together, two at least on one, from which there are labellings enough.
_PLENTY = 20
#: Level at which a gap is tested.
_ALPHA = 0.05
_HELP = {
    "utterances": "The number counts distinct recordings; a second render of one does not raise it.",
    "speakers": "The number counts distinct speakers: what is said of an accent rests on them.",
    "renders": "The number counts files, copies of one utterance included.",
    "minutes": "The number is the length of all files, in minutes.",
    "assets": "The number counts distinct recordings of noise and machines and distinct realisations of rooms.",
    "words": "The number counts the words of all files.",
}
#: The WER about which groups are taken to lie when nothing has been measured yet.
PLANNED_WER = 0.10


def status_letters(grid: Grid) -> str:
    """Return the status of every cell as one letter, row by row."""
    return "".join(STATUS_LETTERS[status] for status in grid.frame["status"])


def coverage_layers(grid: Grid, layout: Layout, source: OpenSource) -> list[Layer]:
    """Return the layers of a counted grid; the first is the goal that is furthest behind.

    Args:
        grid: counted, with goals.
        layout: of that grid.
        source: open, from which margins are counted.
    """
    aimed = [unit for unit in _LABELS if (grid.frame[f"goal_{unit}"] > 0).any()]
    units = [unit for unit in _LABELS if unit in SHOWN_UNITS or unit in aimed]
    tables = count_tables(grid, layout, source, units)
    layers = [_count_layer(grid, layout, unit, tables[unit], aimed=unit in aimed) for unit in units]
    layers.append(_share_layer(grid, layout))
    power = _power_layer(grid, layout)
    return layers if power is None else [*layers, power]


def first_layer(grid: Grid, layers: Sequence[Layer]) -> str:
    """Return the id of the layer to begin with: the goal with the most missing, renders last.

    Args:
        grid: counted, with goals.
        layers: of that grid.
    """
    behind = {}
    for layer in layers:
        goal = grid.frame[f"goal_{layer.id}"].to_numpy(float) if f"goal_{layer.id}" in grid.frame else np.zeros(1)
        if (goal > 0).any():
            met = np.minimum(np.nan_to_num(grid.frame[layer.id].to_numpy(float)), goal).sum() / goal.sum()
            behind[layer.id] = (met, layer.id == "renders")
    return min(behind, key=lambda name: behind[name]) if behind else layers[0].id


def _count_layer(grid: Grid, layout: Layout, unit: str, counts: Table, *, aimed: bool) -> Layer:
    size = len(layout.row_names), len(layout.columns)
    fields = {"value": counts}
    if aimed:
        fields["goal"] = Table(grid.frame[f"goal_{unit}"].to_numpy(float).reshape(size))
    return Layer(
        id=unit, family="coverage", label=_LABELS[unit], help=_HELP[unit], fields=fields,
        format="minutes" if unit == "minutes" else "count", domain=(0.0, float(max(1.0, np.nan_to_num(counts.cells).max(initial=1)))),
        unit="" if unit in ("utterances", "assets") else unit,
    )  # fmt: skip


def _share_layer(grid: Grid, layout: Layout) -> Layer:
    """Return the share of the goals reached: the unit that is furthest behind decides, as in `covered_share`."""
    size = len(layout.row_names), len(layout.columns)
    share = grid.frame["covered_share"].to_numpy(float).reshape(size)
    weight = np.where(np.isfinite(share), grid.frame["weight"].to_numpy(float).reshape(size), 0.0)
    value = np.nan_to_num(share) * weight

    def over(sums: np.ndarray, weights: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(weights > 0, sums / weights, np.nan)

    member = [np.eye(len(h.factor.levels))[np.asarray(h.factor.at, dtype=int)] for h in layout.header]
    table = Table(
        cells=share,
        rows=over(value.sum(axis=1), weight.sum(axis=1)),
        columns=over(value.sum(axis=0), weight.sum(axis=0)),
        levels=[over(value @ m, weight @ m) for m in member],
        level_totals=[over(value.sum(axis=0) @ m, weight.sum(axis=0) @ m) for m in member],
        all=float(over(value.sum(keepdims=True), weight.sum(keepdims=True)).ravel()[0]),
    )
    goal = Table(np.where(np.isfinite(share), 1.0, 0.0))
    text = "The number is the share of its goal that the cell has reached, in per cent, of the goal that is furthest behind."
    return Layer(
        id="share", family="coverage", label="share of goal", help=text, fields={"value": table, "goal": goal}, format="percent",
        margin_help="are the mean share over their cells",
    )  # fmt: skip


def _power_layer(grid: Grid, layout: Layout) -> Layer | None:
    """Return the smallest gap that each cell could show against all other rows of its column; None with a single row."""
    size = len(layout.row_names), len(layout.columns)
    words = np.nan_to_num(grid.frame["words_effective"].to_numpy(float)).reshape(size)
    speakers = grid.frame["speakers"].to_numpy(float).reshape(size)
    if size[0] < 2 or not words.any():
        return None
    others = words.sum(axis=0, keepdims=True) - words
    gap = np.full(size, np.nan)
    against = np.nansum(speakers, axis=0, keepdims=True) - np.nan_to_num(speakers)
    for at in np.argwhere((words > 0) & (others > 0) & (speakers > 1)):
        if not _can_be_tested(int(speakers[tuple(at)]), int(against[tuple(at)])):
            continue
        gap[tuple(at)] = minimum_detectable_gap(PLANNED_WER, words[tuple(at)], others[tuple(at)])
    if not np.isfinite(gap).any():
        return None
    text = (
        "The number is the smallest difference in word error rate to all other accents that this cell could show, in points: found four"
        " times in five at the 5 % level, as the only question asked, where one word in ten is wrong and errors within a speaker"
        " correlate by 0.03. A cell shows nothing with one speaker, nor"
        " with so few here and elsewhere that exchanging them gives no p of 5 % (2 against 2, 3 against 3)."
    )
    return Layer(
        id="power", family="coverage", label="gap it can show", help=text, fields={"value": Table(gap)}, format="points", colour="ramp",
        domain=(0.0, nice_top(float(np.nanmax(gap)))), better="low", margin_help="stay empty: what they could show is another question",
        drawer_help="Against all other accents, found four times in five at the 5 % level, where one word in ten is wrong.",
    )  # fmt: skip


def _can_be_tested(speakers: int, others: int) -> bool:
    """Return whether exchanging speakers between two groups can give a p of 5 %: one labelling of all, and of equal groups its mirror image.

    >>> _can_be_tested(3, 3), _can_be_tested(4, 4), _can_be_tested(2, 6), _can_be_tested(2000, 3000)
    (False, True, True, True)
    """
    alike = 2 if speakers == others else 1
    return speakers + others > _PLENTY or alike <= _ALPHA * math.comb(speakers + others, speakers)


def nice_top(value: float) -> float:
    """Return a round number at or above a share, for the dark end of a ramp.

    >>> nice_top(0.31), nice_top(0.07), nice_top(1.4)
    (0.4, 0.08, 1.0)
    """
    tops = (0.04, 0.08, 0.16, 0.24, 0.4, 0.8)
    return next((top for top in tops if value <= top), 1.0)
