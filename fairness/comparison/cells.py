"""The table of cells: counts and rates of each group in each condition, with intervals over speakers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.vocabulary import ACCENT_SEPARATOR
from roomtone.fairness.comparison.verdicts import SATURATED_LOST
from roomtone.fairness.inference.bootstrap import Bootstrap
from roomtone.fairness.inference.counts import Layout, SpeakerCounts
from roomtone.fairness.inference.estimands import Estimand, Estimands
from roomtone.fairness.inference.intervals import FEW_ERRORS, garwood, t_quantile
from roomtone.fairness.inference.permutation import observe

if TYPE_CHECKING:
    import pandas as pd

#: Outcomes that are shares, of words or of samples: none can be above 1.
_SHARES = ("lost", "hallucinated")


@dataclass(frozen=True)
class Rates:
    """One outcome in every cell: counts, the rate and its interval; all [shape=(groups, conditions)]."""

    events: np.ndarray
    trials: np.ndarray
    rate: np.ndarray
    low: np.ndarray
    high: np.ndarray


def rates_of(data: SpeakerCounts, alpha: float) -> Rates:
    """Return the rates of an outcome with intervals on the scale of logs, from the spread between speakers.

    Args:
        data: counts by speaker.
        alpha: level of the intervals.
    """
    conditions = len(data.conditions)
    estimands = Estimands(tuple(Estimand(None, name, (c,)) for c, name in enumerate(data.conditions)))
    seen = observe(data, estimands, -1, log_scale=True)
    events, trials = data.sums(0), data.sums(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.where(trials > 0, events / trials, np.nan)
        half = t_quantile(1 - alpha / 2, seen.own_df) * np.sqrt(seen.own_variance)
        low, high = (np.where(data.speakers > 1, rate * np.exp(sign * half), np.nan) for sign in (-1, 1))
    for g in range(len(data.groups)):
        for c in range(conditions):
            if events[g, c] == 0 and trials[g, c] > 0 and data.speakers[g, c] > 1:
                low[g, c], high[g, c] = garwood(
                    0, float(trials[g, c])
                )  # no spread to measure: the least that chance alone allows
    return Rates(events, trials, rate, low, high)


def cell_table(
    layout: Layout, scores: pd.DataFrame, rows: pd.DataFrame, alpha: float, bootstrap: Bootstrap | None
) -> pd.DataFrame:
    """Return one row for each group and condition that any sample is in.

    Args:
        layout: who is where.
        scores: as they came in; kinds of errors are summed over all samples of a cell.
        rows: of `prepare`, in the order of the scores.
        alpha: level of the intervals.
        bootstrap: of all errors, or None.
    """
    import pandas as pd

    outcomes = {name: rates_of(layout.count(*columns), alpha) for name, columns in _outcomes(rows).items()}
    each = layout.count("all_errors")
    totals = _totals(layout, scores, rows)
    found = []
    for g, group in enumerate(layout.groups):
        for c, condition in enumerate(layout.conditions):
            if (group, condition) not in totals:
                continue
            row = {"group": group, "condition": condition} | _wer(outcomes["wer"], each, g, c, bootstrap)
            for name in ("lost", "invented", "hallucinated"):
                row |= _rate(name, outcomes.get(name), g, c)
            row["saturated"] = bool(row["lost"] > SATURATED_LOST)
            found.append(row | totals[group, condition])
    return pd.DataFrame({key: [row[key] for row in found] for key in found[0]}) if found else pd.DataFrame()


def _outcomes(rows: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return the outcomes that are known: their columns in the rows."""
    found: dict[str, tuple[str, ...]] = {"wer": ("all_errors",), "lost": ("lost",)}
    if rows["invented"].notna().any():
        found |= {"invented": ("invented",), "hallucinated": ("hallucinated", "samples")}
    return found


def _wer(rates: Rates, data: SpeakerCounts, g: int, c: int, bootstrap: Bootstrap | None) -> dict[str, Any]:
    inside = data.is_in(g) & (data.counts[1][:, c] > 0)
    each = data.counts[0][inside, c] / data.counts[1][inside, c]
    known = bool(data.known[g])
    low, high = bootstrap.rate_bounds(g, c) if bootstrap is not None and known else (math.nan, math.nan)
    return {
        "errors": int(rates.events[g, c]), "words": int(rates.trials[g, c]), "speakers": int(data.speakers[g, c]), "wer": rates.rate[g, c],
        "wer_low": rates.low[g, c], "wer_high": rates.high[g, c],
        "wer_speaker_mean": float(each.mean()) if known and len(each) else math.nan, "wer_bootstrap_low": low, "wer_bootstrap_high": high,
        "few_errors": bool(rates.events[g, c] < FEW_ERRORS),
    }  # fmt: skip


def _rate(name: str, rates: Rates | None, g: int, c: int) -> dict[str, float]:
    values = (math.nan,) * 3 if rates is None else (rates.rate[g, c], rates.low[g, c], rates.high[g, c])
    if name in _SHARES:
        values = (*values[:2], np.minimum(values[2], 1.0))  # NaN stays
    return dict(zip((name, f"{name}_low", f"{name}_high"), map(float, values)))


def _totals(layout: Layout, scores: pd.DataFrame, rows: pd.DataFrame) -> dict[tuple[str, str], dict[str, int]]:
    """Return samples, failures, samples of unknown speakers, and sums of every kind of error, by group and condition."""
    kinds = [
        k for k in ("substitutions", "deletions", "insertions", "repeated_words", "looped", "too_long") if k in scores
    ]
    counted = {
        "samples": np.ones(len(rows)), "failed": rows["failed"].to_numpy(float), "speaker_unknown": rows["speaker"].isna().to_numpy(float),
    } | {k: np.nan_to_num(scores[k].to_numpy(dtype=float, na_value=np.nan)) for k in kinds}  # fmt: skip
    group, groups = np.unique(rows["group"].to_numpy(str), return_inverse=True)[::-1]
    condition, conditions = np.unique(rows["condition"].to_numpy(str), return_inverse=True)[::-1]
    at = group * len(conditions) + condition
    sums = {name: np.bincount(at, values, len(groups) * len(conditions)) for name, values in counted.items()}
    found: dict[tuple[str, str], dict[str, int]] = {}
    for cell in np.flatnonzero(sums["samples"]):
        name = str(groups[cell // len(conditions)])
        for one in [name] if name in layout.groups else name.split(ACCENT_SEPARATOR):
            own = found.setdefault((one, str(conditions[cell % len(conditions)])), dict.fromkeys(sums, 0))
            for key, values in sums.items():
                own[key] += int(values[cell])
    return found
