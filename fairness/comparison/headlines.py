"""The rows that come first: each group over all conditions, and each condition over all groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from roomtone.fairness.comparison.tables import Comparisons
from roomtone.fairness.comparison.verdicts import GAP, NO_GAP, NOT_ENOUGH, SATURATED
from roomtone.fairness.inference.intervals import t_quantile
from roomtone.fairness.inference.study import Study

#: Columns that these rows have beside those of a gap.
HEADLINE = ("wer_low", "wer_high", "cost", "cost_low", "cost_high")


def accent_rows(made: Comparisons) -> list[dict[str, Any]]:
    """Return one row a group over all conditions, largest gap first: who is worse off is what is asked.

    `wer` is the mean over the conditions that both sides have, each weighing the same; `cost` that of the conditions over the baseline.

    Args:
        made: of the study.
    """
    study = made.study
    rows = made.rows([0])
    for row in rows:
        g = study.data.groups.index(row["group"])
        every = tuple(range(len(study.data.conditions)))
        row |= _interval("wer", row["wer"], _own(study, g, every), study.settings.alpha)
        row |= _cost(study, g)
    return sorted(rows, key=_worse_first)


def _cost(study: Study, g: int) -> dict[str, float]:
    count = len(study.data.conditions)
    own = study.data.sums(2)[g], study.data.sums(3)[g], study.data.sums(4)[g], study.data.sums(5)[g]
    with np.errstate(invalid="ignore", divide="ignore"):
        each = (own[0] / own[1] - own[2] / own[3])[1:]
    value = float(np.nanmean(each)) if np.isfinite(each).any() else math.nan
    bounds = _interval("cost", value, _own(study, g, tuple(range(count + 1, 2 * count))), study.settings.alpha)
    return {"cost": value} | bounds


def _own(study: Study, g: int, columns: tuple[int, ...]) -> tuple[float, float]:
    """Return the variance of a group's own estimand, and its degrees of freedom."""
    numbers = study.estimands.numbers
    if columns not in numbers:
        return math.nan, math.nan
    k = numbers[columns]
    return float(study.observed.own_variance[g, k]), float(study.observed.own_df[g, k])


def _interval(name: str, value: float, spread: tuple[float, float], alpha: float) -> dict[str, float]:
    variance, df = spread
    half = float(t_quantile(1 - alpha / 2, np.array(df))) * math.sqrt(variance) if variance >= 0 else math.nan
    low = value - half  # NaN stays NaN: it comes first in max
    return {f"{name}_low": max(low, 0.0) if name == "wer" else low, f"{name}_high": value + half}


def condition_rows(made: Comparisons, gaps: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row a condition: its WER and cost over all groups, each weighing the same, and the group that is worst off in it.

    `p` is that groups differ in it at all; intervals are those of the worst group, and the simultaneous ones allow for its having been picked.

    Args:
        made: of the study.
        gaps: the rows of cells.
    """
    study, found = made.study, []
    for c, name in enumerate(study.data.conditions):
        rows = [row for row in gaps if row["condition"] == name]
        if not rows:
            continue
        worst = min(rows, key=_worse_first)
        if len(rows) == 1 and worst["reference"] in study.data.groups and worst[worst["estimand"]] < _even(worst):
            # of two groups the one that falls behind may not be the one that is compared
            worst = _from_the_other_side(worst)
        p, adjusted = (
            float(values[c]) if c < len(values) else math.nan
            for values in (study.test.condition_p, study.test.condition_p_adjusted)
        )
        least = [value for value in (adjusted, *(row["p_adjusted"] for row in rows)) if math.isfinite(value)]
        row = worst | {
            "p": max(p, study.smallest_p) if math.isfinite(p) else worst["p"],
            "p_adjusted": max(min(least), study.smallest_p) if least else math.nan,
        }
        row["verdict"] = _condition_verdict(rows, row["p_adjusted"], study.settings.alpha)
        row["statement"] = _condition_statement(row, name, study, rows, worst["verdict"])
        found.append(row | _condition_figures(study, c))
    return found


def _condition_figures(study: Study, c: int) -> dict[str, float]:
    """Return WER and cost over all groups with intervals."""
    data, alpha = study.data, study.settings.alpha
    sums = [data.sums(kind)[:, c] for kind in range(6)]
    found: dict[str, float] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        values = {"wer": sums[0] / sums[1], "cost": sums[2] / sums[3] - sums[4] / sums[5]}
    for name, each in values.items():
        column = (c,) if name == "wer" else (len(data.conditions) + c,)
        spreads = [_own(study, g, column) for g in range(len(data.groups)) if np.isfinite(each[g])]
        known = [value for value in each if np.isfinite(value)]
        if (name == "cost" and c == 0) or not known:
            found |= {key: math.nan for key in (name, f"{name}_low", f"{name}_high")}
            continue
        variance = sum(v for v, _ in spreads) / len(known) ** 2
        parts = sum((v / len(known) ** 2) ** 2 / df for v, df in spreads if v > 0 and df > 0)
        df = variance**2 / parts if parts > 0 else math.nan
        found |= {name: float(np.mean(known))} | _interval(name, float(np.mean(known)), (variance, df), alpha)
    return found


def _condition_verdict(rows: Sequence[dict[str, Any]], p_adjusted: float, alpha: float) -> str:
    verdicts = {row["verdict"] for row in rows}
    if verdicts == {SATURATED} or verdicts == {NO_GAP}:
        return str(verdicts.pop())
    if any(row["units_differ"] for row in rows):  # what tests all groups at once compares units too
        return GAP if GAP in verdicts else NOT_ENOUGH
    return GAP if GAP in verdicts or (p_adjusted <= alpha and SATURATED not in verdicts) else NOT_ENOUGH


def _condition_statement(
    row: dict[str, Any], name: str, study: Study, rows: Sequence[dict[str, Any]], of_worst: str
) -> str:
    """Return the sentence of a condition's verdict: that of the worst off where it has this verdict, else of the first group that has."""
    same = next((one for one in rows if one["verdict"] == row["verdict"]), None)
    said = str(row["statement"] if of_worst == row["verdict"] or same is None else same["statement"])
    if row["verdict"] != GAP or len(rows) < 2:
        return said
    beyond = "" if row["estimand"] in ("gap", "ratio") else f" beyond what they differ in {study.settings.baseline}"
    differ = f"The groups differ in {name}{beyond} (p = {row['p']:.2g})."
    if of_worst != GAP:
        return f"{differ} Which is worst off is not shown." + (f" {said}" if same is not None else "")
    return f"{differ} The worst off: {said[:1].lower()}{said[1:]}"


def _from_the_other_side(row: dict[str, Any]) -> dict[str, Any]:
    """Return a comparison of two groups as one of the other group with this one; test and verdict are the same."""
    turned = row | {"group": row["reference"], "reference": row["group"], "logit_did": -row["logit_did"]}
    for name in ("wer", "lost", "speakers", "words"):
        turned |= {name: row[f"reference_{name}"], f"reference_{name}": row[name]}
    ratios = ["ratio", "ror"]
    differences = ["gap", "did", "gap_bootstrap", "did_bootstrap"]
    (ratios if row["estimand"] in ratios else differences).append("simultaneous")
    for name in differences + ratios:
        for key, source in ((name, name), (f"{name}_low", f"{name}_high"), (f"{name}_high", f"{name}_low")):
            if source in row:
                turned[key] = -row[source] if name in differences else _inverse(row[source])
    return turned


def _inverse(ratio: float) -> float:
    return 1.0 / ratio if ratio else math.inf


def _even(row: dict[str, Any]) -> float:
    """Return the value of an estimand where two groups are alike."""
    return 1.0 if row["estimand"] in ("ratio", "ror") else 0.0


def _worse_first(row: dict[str, Any]) -> tuple[float, str]:
    value = row[row["estimand"]]
    return (-value if math.isfinite(value) else math.inf), row["group"]
