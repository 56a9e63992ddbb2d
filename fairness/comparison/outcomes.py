"""Comparisons beside that of errors, each a family with an alpha of its own: hallucination, lost answers, critical terms, any outcome, intersections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.fairness.comparison.tables import Comparisons
from roomtone.fairness.inference.counts import lay_out
from roomtone.fairness.inference.estimands import make_estimands
from roomtone.fairness.inference.study import work_out
from roomtone.fairness.settings import CompareSettings

if TYPE_CHECKING:
    import pandas as pd

#: Values of an attribute above which it is not crossed with the group by itself.
_MOST_VALUES = 20
HALLUCINATION = "samples with text that nobody spoke"
TERMS = "critical terms lost"
OUTCOME = "shortfall of the outcome"
FAILURES = "samples without a hypothesis"


def outcome_rows(
    rows: pd.DataFrame,
    conditions: Sequence[str],
    settings: CompareSettings,
    *,
    events: str,
    trials: str,
    measure: str,
    several: bool,
) -> list[dict[str, Any]]:
    """Return the comparisons of another outcome: each group over all conditions, then its cells; none where it never happens.

    Args:
        rows: of `prepare`, with the columns `events` and `trials`.
        conditions: their names, the baseline first.
        settings: the choices; verdicts rest on differences.
        events: what is counted, null where it is not known.
        trials: what it is a share of; `samples` counts each sample once.
        measure: what the rates are of, in words.
        several: whether a group's name may hold several groups joined by `|`.
    """
    known = rows[events].notna().to_numpy(bool) & ~rows["failed"].to_numpy(bool)
    if (
        not known.any()
        or not rows.loc[known, events].any()
        or rows.loc[known, "group"].nunique() < 2
        or not (rows.loc[known, "condition"] == conditions[0]).any()
    ):
        return []
    layout = lay_out(rows[known], conditions, several=several)
    chosen = replace(settings, scale="difference", declared=None)
    study = work_out(layout, make_estimands(conditions, {}), chosen, events=events, trials=trials)
    made = Comparisons(study, measure=measure)
    tested = [k for k, item in enumerate(study.estimands.items) if item.kind]
    return [row | {"family": measure} for row in made.rows(tested)]


def failure_rows(
    rows: pd.DataFrame, conditions: Sequence[str], settings: CompareSettings, *, several: bool
) -> list[dict[str, Any]]:
    """Return the comparisons by the share of samples that the recogniser did not answer; samples without a transcript are no such.

    Args:
        rows: of `prepare`.
        conditions: their names, the baseline first.
        settings: the choices; verdicts rest on differences.
        several: as in `outcome_rows`.
    """
    asked = rows[rows["words"].notna()]
    asked = asked.assign(unanswered=asked["errors"].isna().astype(float), failed=False)
    return outcome_rows(
        asked, conditions, settings, events="unanswered", trials="samples", measure=FAILURES, several=several
    )


def intersection_rows(
    rows: pd.DataFrame, scores: pd.DataFrame, conditions: Sequence[str], settings: CompareSettings
) -> list[dict[str, Any]]:
    """Return the comparisons of group x attribute with all others, over all conditions; attributes share one alpha equally (Bonferroni).

    Args:
        rows: of `prepare`, in the order of the scores.
        scores: with the columns `attr_*`.
        conditions: their names, the baseline first.
        settings: the choices; `intersections` names the columns.

    Raises:
        RoomtoneError: a column does not exist.
    """
    names = intersection_columns(scores, settings)
    found: list[dict[str, Any]] = []
    for name in names:
        value = scores[name].astype(object).to_numpy()
        stated = scores[name].notna().to_numpy(bool) & ~rows["failed"].to_numpy(bool)
        part = rows.assign(group=rows["group"] + " & " + np.where(stated, value, "").astype(str))[stated]
        if part["group"].nunique() < 2 or not (part["condition"] == conditions[0]).any():
            continue
        layout = lay_out(part, conditions)
        chosen = replace(settings, reference=None, declared=None, alpha=settings.alpha / len(names))
        study = work_out(layout, make_estimands(conditions, {}, cells=False), chosen)
        made = Comparisons(study, layout.count("lost"))
        for row in made.rows([0]):
            row["p_adjusted"] = min(len(names) * row["p_adjusted"], 1.0)  # NaN stays
            group, _, level = row["group"].rpartition(" & ")
            found.append(
                row | {"intersection": row["group"], "group": group, "attribute": name, "value": level, "family": name}
            )
    return found


def intersection_columns(scores: pd.DataFrame, settings: CompareSettings) -> list[str]:
    """Return the attributes that are crossed with the group.

    Args:
        scores: with the columns `attr_*`.
        settings: names them, or null for all attributes with 2 to 20 values.

    Raises:
        RoomtoneError: a column does not exist.
    """
    if settings.intersections is None:
        every = [str(c) for c in scores.columns if str(c).startswith("attr_") and str(c) != settings.group]
        return [name for name in every if 2 <= scores[name].nunique() <= _MOST_VALUES]
    for name in settings.intersections:
        if name not in scores:
            raise RoomtoneError(
                f"intersections: there is no column {name!r}; {nearest(name, map(str, scores.columns))}"
            )
    return list(settings.intersections)
