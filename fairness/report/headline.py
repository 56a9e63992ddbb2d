"""The report's first sentences: who is worse off, what cannot be decided; and the command that gives the same report again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from roomtone.fairness.comparison.verdicts import GAP, NO_GAP, NOT_ENOUGH, SATURATED

if TYPE_CHECKING:
    import pandas as pd

#: Groups that the headline names.
MAX_NAMED = 3


def headline(gaps: pd.DataFrame, settings: Mapping[str, Any]) -> str:
    """Return what the comparison says, in a sentence or two; who is worse off comes first.

    Args:
        gaps: of `Comparison.gaps`.
        settings: of the comparison.
    """
    group = settings["group"]
    if not len(gaps):
        return f"There is nothing to compare: fewer than two {group}s."
    size = gaps["did"].where(gaps["did"].notna(), gaps["gap"])
    worse = gaps[(gaps["verdict"] == GAP) & (size > 0)]
    total = len(gaps)
    said = _worse(worse, group, total) if len(worse) else f"No {group} is shown to be worse off than the others."
    counts = gaps["verdict"].value_counts()
    parts = [
        f"{counts.get(verdict, 0):,} of {total:,} comparisons {text}"
        for verdict, text in (
            (NOT_ENOUGH, "cannot be decided with these data"),
            (SATURATED, "are saturated"),
            (NO_GAP, "show no gap"),
        )
        if counts.get(verdict, 0)
    ]
    return f"{said} {'; '.join(parts)}." if parts else said


def _worse(worse: pd.DataFrame, group: str, total: int) -> str:
    """Return e.g. `scottish is worse off in 2 of 24 comparisons.`"""
    counts = worse.groupby(group, sort=False).size().sort_values(ascending=False, kind="stable")
    named = [str(name) for name in counts.index[:MAX_NAMED]]
    rest = len(counts) - len(named)
    who = ", ".join(named) + (f" and {rest} more" if rest else "")
    return f"{who} {'is' if len(counts) == 1 else 'are'} worse off in {len(worse):,} of {total:,} comparisons."


def repeat_command(dataset_name: str, asr: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Return the command that evaluates the set again; a path of the machine is left as a name to fill in.

    Args:
        dataset_name: name of the set's folder.
        asr: the recogniser's settings.
        settings: of the comparison.
    """
    words = ["roomtone", "evaluate", f"dataset={dataset_name}", f"asr={asr.get('recogniser')}"]
    words += ["path=FILE"] if asr.get("recogniser") == "hypotheses" else []
    words += [f"{key}={settings[key]}" for key in ("seed", "scale", "smallest_gap", "alpha") if key in settings]
    return shlex.join(words)
