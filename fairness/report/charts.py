"""The report's pictures: accents ranked, speakers as points, word error rate over SNR.

Rows of a table with marks placed in per cent, so that they fit a phone as well as a sheet of paper and can be read without seeing the marks;
lines over SNR are small SVG pictures. Everything is returned as plain values for the template, which escapes it.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

#: Speakers that are drawn; of more a part is drawn, the same one in every run.
MAX_POINTS = 2_000
#: Size of one small picture, in px.
WIDTH, HEIGHT = 190, 120


@dataclass(frozen=True)
class Mark:
    """A rate with its interval, in per cent of the axis: `at`, `low`, `high` are None where not known; `beyond` is an interval that goes on past its end."""

    rate: float | None
    low: float | None
    high: float | None
    at: float | None
    left: float | None
    width: float | None
    beyond: bool = False


@dataclass(frozen=True)
class RankedGroup:
    """One line of the ranking: the rate in the baseline, the mean over all conditions, and the row of the latter's verdict, where there is one."""

    name: str
    baseline: Mark
    average: Mark
    verdict: Mapping[str, Any] | None


def axis_top(rates: Sequence[float]) -> float:
    """Return the end of an axis that holds all rates, near above the highest: a number of per cent that four divides.

    >>> axis_top([0.12, 0.31]), axis_top([1.3])
    (0.32, 1.6)
    """
    most = max([rate for rate in rates if math.isfinite(rate)], default=0.0)
    ends = (0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.36, 0.4, 0.48, 0.6, 0.8, 1.0, 1.2, 1.6, 2.0)
    return next((top for top in ends if most <= top), math.ceil(most))


def ticks(top: float) -> list[tuple[float, str]]:
    """Return (place in per cent, label) of the axis' marks."""
    return [(25.0 * i, f"{25 * i * top:g} %") for i in range(5)]


def ranked_groups(
    cells: pd.DataFrame, accents: pd.DataFrame, settings: Mapping[str, Any]
) -> tuple[list[RankedGroup], float]:
    """Return the groups, the highest mean over all conditions first, and the end of their axis: it holds all rates, and intervals up to 100 %.

    Args:
        cells: of `Comparison.cells`.
        accents: of `Comparison.accents`. A group that is in none of its rows has no interval: the one that others are compared with has
            the mean that they are compared with, any other the mean of its cells.
        settings: of the comparison.
    """
    group, condition = settings["group"], settings["condition"]
    clean = cells[cells[condition] == settings["baseline"]].set_index(group)
    mean = cells.groupby(group)["wer"].mean()
    known = accents.set_index(group)
    rows = []
    for name in sorted(set(cells[group])):
        average = _figures(known, name) if name in known.index else (float(mean[name]), math.nan, math.nan)
        if (
            name == settings.get("reference")
            and name not in known.index
            and "reference_wer" in accents
            and len(accents)
        ):
            average = float(accents["reference_wer"].iloc[0]), math.nan, math.nan
        verdict = known.loc[name].to_dict() if name in known.index else None
        rows.append((str(name), _figures(clean, name), average, verdict))
    figures = [figure for _, first, second, _ in rows for figure in (first, second)]
    most = max([rate for rate, _, _ in figures if math.isfinite(rate)], default=0.0)
    ends = [min(high, max(1.0, most)) for _, _, high in figures if math.isfinite(high)]
    top = axis_top([most, *ends])
    found = [RankedGroup(name, _mark(*first, top), _mark(*second, top), said) for name, first, second, said in rows]
    return sorted(found, key=lambda row: -(row.average.rate if row.average.rate is not None else -1.0)), top


def _figures(frame: pd.DataFrame, name: Any) -> tuple[float, float, float]:
    """Return rate and interval of a group, NaN where there is no row or no such column."""
    if name not in frame.index:
        return math.nan, math.nan, math.nan
    row = frame.loc[name]
    low, high = (float(row.get(column, math.nan)) for column in ("wer_low", "wer_high"))
    return float(row["wer"]), low, high


def _mark(rate: float, low: float, high: float, top: float) -> Mark:
    if not math.isfinite(rate):
        return Mark(None, None, None, None, None, None)
    if not (math.isfinite(low) and math.isfinite(high)):
        return Mark(rate, None, None, _place(rate, top), None, None)
    left = _place(low, top)
    return Mark(rate, low, high, _place(rate, top), left, _place(high, top) - left, beyond=high > top)


def _place(rate: float, top: float) -> float:
    return round(100 * min(1.0, max(0.0, rate / top)), 2)


@dataclass(frozen=True)
class SpeakerPoints:
    """The speakers of one group as places on the axis, with how many there are and the highest and lowest rate."""

    name: str
    places: tuple[float, ...]
    count: int
    lowest: float
    highest: float


def speaker_points(
    scores: pd.DataFrame, settings: Mapping[str, Any], order: Sequence[str]
) -> tuple[list[SpeakerPoints], float]:
    """Return each group's speakers by their word error rate, pooled over all that they said with all errors, and the end of the axis.

    Args:
        scores: one row a sample, with the counts of `score`.
        settings: of the comparison.
        order: names of the groups in the order in which they are shown.
    """
    group, speaker = settings["group"], settings["speaker"]
    usable = scores[scores["hits"].notna() & scores[speaker].notna() & (scores["words"] > 0)]
    errors = usable[["substitutions", "deletions", "insertions"]].astype(int).sum(axis=1)
    sums = (
        usable.assign(_errors=errors, _words=usable["words"].astype(int))
        .groupby([group, speaker])[["_errors", "_words"]]
        .sum()
    )
    rates = sums["_errors"] / sums["_words"]
    share = MAX_POINTS / max(len(rates), MAX_POINTS)
    top = axis_top(rates.tolist())
    found = []
    for name in order:
        if name not in rates.index.get_level_values(0):
            continue
        own = rates.loc[name].sort_values()
        drawn = [rate for who, rate in own.items() if share == 1 or _draw(f"{name}/{who}") < share]
        found.append(
            SpeakerPoints(str(name), tuple(_place(r, top) for r in drawn), len(own), float(own.min()), float(own.max()))
        )
    return found, top


def _draw(text: str) -> float:
    """Return a number from 0 to 1 that depends on a text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4]) / 2**32


@dataclass(frozen=True)
class SnrPanel:
    """One small picture: a group's rate at each SNR of one noise or machine, over the lines of all groups."""

    name: str
    line: str
    others: tuple[str, ...]
    points: tuple[tuple[float, float, str], ...]


@dataclass(frozen=True)
class SnrChart:
    """The panels of one noise or machine that the set holds at several SNRs."""

    source: str
    snrs: tuple[float, ...]
    top: float
    panels: tuple[SnrPanel, ...]


def snr_charts(
    cells: pd.DataFrame, labels: pd.DataFrame, settings: Mapping[str, Any], order: Sequence[str]
) -> list[SnrChart]:
    """Return a chart for each noise or machine that conditions hold at two SNRs or more.

    A point is the mean of the group's cells at that SNR, so that conditions weigh equally.

    Args:
        cells: of `Comparison.cells`.
        labels: one row a condition: its name in the comparison's column, `noise` and `equipment`.
        settings: of the comparison.
        order: names of the groups in the order in which they are shown.
    """
    group, condition = settings["group"], settings["condition"]
    charts = []
    for factor in ("noise", "equipment"):
        if factor not in labels:
            continue
        parts = labels[factor].map(_level_and_snr)
        for source in sorted({part[0] for part in parts if part is not None}):
            snr_of = {
                name: part[1] for name, part in zip(labels[condition], parts) if part is not None and part[0] == source
            }
            table = cells[cells[condition].isin(list(snr_of))].copy()
            table["_snr"] = table[condition].map(snr_of)
            rates = table.groupby([group, "_snr"])["wer"].mean().unstack("_snr")
            if rates.shape[1] >= 2:
                charts.append(_snr_chart(source, rates, [name for name in order if name in rates.index]))
    return charts


def _level_and_snr(level: Any) -> tuple[str, float] | None:
    """Return the preset and SNR that a level names, e.g. `babble@5dB`; a drawn range names none.

    >>> _level_and_snr("babble@-5dB"), _level_and_snr("babble@0..10dB")
    (('babble', -5.0), None)
    """
    match = re.fullmatch(r"(.+)@(-?\d+(?:\.\d+)?)dB", str(level))
    return (match[1], float(match[2])) if match else None


def _snr_chart(source: str, rates: pd.DataFrame, order: Sequence[str]) -> SnrChart:
    snrs = tuple(float(snr) for snr in rates.columns)
    top = axis_top(rates.to_numpy().ravel().tolist())
    places = {name: _points(np.asarray(rates.loc[name], dtype=float).tolist(), snrs, top) for name in order}
    lines = {name: " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points) for name, points in places.items()}
    panels = [
        SnrPanel(str(name), lines[name], tuple(line for other, line in lines.items() if other != name), places[name])
        for name in order
    ]
    return SnrChart(source, snrs, top, tuple(panels))


def _points(rates: Sequence[float], snrs: Sequence[float], top: float) -> tuple[tuple[float, float, str], ...]:
    """Return (x, y, label) in px of the rates that are known; the axis runs from the lowest SNR to the highest."""
    low, span = snrs[0], snrs[-1] - snrs[0]
    found = []
    for rate, snr in zip(rates, snrs):
        if math.isfinite(rate):
            x = 14 + (WIDTH - 28) * (snr - low) / span
            y = 22 + (HEIGHT - 44) * (1 - min(1.0, rate / top))
            found.append((x, y, f"{snr:g} dB: {100 * rate:.1f} %"))
    return tuple(found)
