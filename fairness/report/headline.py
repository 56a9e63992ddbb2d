"""The first sentence of a report: who is worse off, that nobody is found to be, or that nothing could be tested."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from roomtone.fairness.comparison.statements import is_reference_worse
from roomtone.fairness.comparison.verdicts import SATURATED
from roomtone.fairness.report.wording import too_little

#: What a gap must have to be named although it is not shown.
_MEASURED = ("gap", "gap_low", "gap_high", "p_adjusted")


def headline(content: Mapping[str, Any]) -> str:
    """Return the first sentence of the report: who is worse off, that nobody is found to be, or that nothing could be tested.

    Args:
        content: of `gather`.
    """
    if content["findings"]:
        return str(content["findings"][0][1])
    rows: Sequence[Mapping[str, Any]] = content["accents"]
    if not rows:
        return f"There is one {content['group']}, so nothing is compared."
    if content["other_findings"]:
        return f"By WER alone no {content['group']} is found to be worse off. {content['other_findings'][0]}"
    if content["failed_of"]:
        return (
            f"Among the samples that were answered no {content['group']} is found to be worse off, but without a hypothesis are those of"
            f" {content['failed_of']}."
        )
    if all(row["units_differ"] for row in rows):
        return f"No {content['group']} can be compared with the others: some are counted in characters and others in words. Evaluate each language apart."
    rows = [row for row in rows if not row["units_differ"]]
    if all(row["verdict"] == SATURATED for row in rows):
        return (
            f"So many words are lost that it cannot be told whether any {content['group']} is worse off: {_lost(rows)}."
        )
    little = too_little(content)
    if little is not None:
        return little
    said = f"No {content['group']} is found to be worse off.{_largest_gap(rows, content)}"
    sizes = [row["detectable"] for row in rows if row["detectable"] is not None and math.isfinite(row["detectable"])]
    if content["settings"]["scale"] == "ratio" or not sizes:
        return said
    shown = " to ".join(dict.fromkeys(f"{100 * size:.1f}" for size in (min(sizes), max(sizes))))
    return f"{said} Over all conditions these data would show {shown} points."


def _lost(rows: Sequence[Mapping[str, Any]]) -> str:
    rates = [max(row["lost"], row["reference_lost"]) for row in rows]
    ends = " to ".join(dict.fromkeys(f"{100 * rate:.0f}" for rate in (min(rates), max(rates))))
    return f"{ends} % over all conditions, and so near the top differences shrink or cannot show"


def _turned(row: Mapping[str, Any], group: str) -> Mapping[str, Any]:
    """Return a row as it reads for the named group that is compared with, where that one is worse off."""
    if not is_reference_worse(row["gap"], row["reference"]):
        return row
    return {
        **row,
        group: row["reference"],
        "reference": row[group],
        "gap": -row["gap"],
        "gap_low": -row["gap_high"],
        "gap_high": -row["gap_low"],
    }


def _largest_gap(rows: Sequence[Mapping[str, Any]], content: Mapping[str, Any]) -> str:
    """Return whose measured gap is the largest, as a sentence that claims nothing; empty where no gap has an interval."""
    known = [
        _turned(row, content["group"])
        for row in rows
        if all(row[name] is not None and math.isfinite(row[name]) for name in _MEASURED)
    ]
    worst = max(known, key=lambda row: row["gap"], default=None)
    if content["settings"]["scale"] == "ratio" or worst is None or worst["gap"] <= 0:
        return ""
    low, high = (100 * worst[name] for name in ("gap_low", "gap_high"))
    return (
        f" The largest measured gap over all conditions, that of {worst[content['group']]}, is not shown: {100 * worst['gap']:.1f} points more than"
        f" {worst['reference']} ({100 * (1 - content['settings']['alpha']):g} % interval alone {low:.1f} to {high:.1f} points;"
        f" p = {worst['p_adjusted']:.2g} beside all other tests)."
    )
