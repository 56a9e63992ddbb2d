"""A profile for those who must show what was tested: groups, conditions, coverage, gaps with intervals, and what was not tested and why.

One file for machines and one page. Everything in it is a count, follows from counts, or is a sentence of the report; nothing is rated. `answers` names what it
can be laid beside: points of article 10 of Regulation (EU) 2024/1689, as far as their words ask for such figures. It is no legal advice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.bounded.regular_files import read_text
from roomtone.core.files import write_whole
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.views.matrix_view.embed import CONTENT_POLICY, page_style
from roomtone.coverage.views.set_name import set_name
from roomtone.fairness.comparison.verdicts import NOT_ENOUGH, SATURATED
from roomtone.fairness.evaluation import Evaluation
from roomtone.fairness.inference.outcomes import sample_outcomes
from roomtone.fairness.recognisers import public_identity
from roomtone.fairness.report.content import VERDICT_NAMES
from roomtone.fairness.report.formatting import between, percent, points
from roomtone.fairness.report.method import LIMITS, METHOD

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "roomtone-profile/1"
#: Parts of the profile by what asks for them.
ANSWERS = {
    "Regulation (EU) 2024/1689, article 10 (2) (f), examination in view of possible biases": ["gaps"],
    "Regulation (EU) 2024/1689, article 10 (2) (h), data gaps or shortcomings": ["coverage", "not_tested"],
    "Regulation (EU) 2024/1689, article 10 (3), representative data": ["groups", "coverage"],
    "Regulation (EU) 2024/1689, article 10 (4), the setting of use": ["conditions"],
    "service card: performance by group and condition": ["groups", "conditions", "gaps"],
    "service card: limitations": ["not_tested", "limits"],
}
_GAP = (
    "gap",
    "gap_low",
    "gap_high",
    "did",
    "did_low",
    "did_high",
    "p_adjusted",
    "detectable",
    "speakers",
    "reference_speakers",
    "words",
    "verdict",
)
_COUNTS = (
    "samples",
    "failed",
    "hallucinated",
    "utterances",
    "speakers",
    "minutes",
    "words",
    "errors",
    "wer",
    "wer_compared",
)
#: Headings of rates on the page.
_LABELS = {"wer": "WER, all errors, %", "wer_compared": "WER compared, %"}
_WHOLE = ("samples", "failed", "hallucinated", "utterances", "speakers", "words", "errors", "errors_compared")
#: The gaps compare the errors of a sample without the text that it invents.
_RATES = {"wer": "errors", "wer_compared": "errors_compared"}


def write_profile(result: Evaluation) -> list[Path]:
    """Write `profile.json` and `profile.html` beside the report and return their paths.

    Args:
        result: of the evaluation.
    """
    found = profile(result)
    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)
    return [
        write_whole(result.folder / "profile.json", (text + "\n").encode()),
        write_whole(result.folder / "profile.html", _page(found).encode()),
    ]


def profile(result: Evaluation) -> dict[str, Any]:
    """Return the profile in plain JSON types; rates and gaps are shares, what is not known is null.

    Args:
        result: of the evaluation.
    """
    c = result.comparison
    group, condition = c.settings["group"], c.settings["condition"]
    gaps = _gaps(c.accents, group, condition) + _gaps(c.gaps, group, condition)
    coverage = _counts(result, group, condition)
    found = {
        "format": FORMAT, "set": set_name(result.dataset), "recogniser": public_identity(result.settings.asr), "decoding": result.decoding,
        "normalizer": sorted(map(str, result.scores["normalizer"].dropna().unique())),
        "compared": {name: c.settings[name] for name in ("group", "condition", "baseline", "reference", "scale", "smallest_gap", "alpha", "power")},
        "all": _counts(result)[0],
        "groups": _counts(result, group), "conditions": _counts(result, condition), "coverage": coverage, "gaps": gaps,
        "not_tested": _not_tested(result, coverage, gaps), "notes": list(result.notes), "method": list(METHOD), "limits": list(LIMITS), "answers": ANSWERS,
    }  # fmt: skip
    plain: dict[str, Any] = _finite(found)
    return plain


def _counts(result: Evaluation, *columns: str) -> list[dict[str, Any]]:
    """Return the counts of the samples by some columns, every pair of values among them; rates are of samples that have a hypothesis."""
    import pandas as pd

    scores, speaker = result.scores, result.comparison.settings["speaker"]
    scored = scores["hits"].notna()
    counted = sample_outcomes(scores)
    errors, compared = (np.where(scored, np.nan_to_num(counted[name]), 0) for name in ("all_errors", "errors"))
    empty = pd.Series(float("nan"), index=scores.index)
    frame = pd.DataFrame({
        **{name: scores[name].map(str).where(scores[name].notna()) for name in columns},
        "failed": ~scored, "hallucinated": scored & (counted["hallucinated"] > 0), "utterance": scores.get("utterance_id", empty), "speaker": scores[speaker],
        "seconds": scores.get("duration_s", empty), "words": scores["words"].where(scored, 0), "errors": errors,
        "compared": compared,
    })  # fmt: skip
    groups = frame.groupby(list(columns) or (lambda _: ""), sort=True)
    table = groups.agg(
        samples=("failed", "size"), failed=("failed", "sum"), hallucinated=("hallucinated", "sum"), utterances=("utterance", "nunique"),
        speakers=("speaker", "nunique"), minutes=("seconds", "sum"), words=("words", "sum"), errors=("errors", "sum"), errors_compared=("compared", "sum"),
    )  # fmt: skip
    if isinstance(table.index, pd.MultiIndex):
        table = table.reindex(pd.MultiIndex.from_product(table.index.levels, names=columns), fill_value=0)
    if columns:
        places = {name: {v: k for k, v in enumerate(Axis(name).order(table.index.unique(name)))} for name in columns}
        table = table.sort_index(key=lambda level: level.map(places[str(level.name)]))
    found = []
    for row in table.reset_index(names=list(columns) or ["all"]).to_dict("records"):
        counts = {name: int(row[name]) for name in _WHOLE}
        rates = {to: counts[of] / counts["words"] if counts["words"] else None for to, of in _RATES.items()}
        found.append(
            {str(name): row[name] for name in columns}
            | counts
            | {"minutes": round(float(row["minutes"]) / 60, 2)}
            | rates
        )
    return found


def _gaps(table: pd.DataFrame, group: str, condition: str) -> list[dict[str, Any]]:
    return [
        {group: str(row[group]), condition: str(row[condition]), "than": str(row["reference"])}
        | {name: _plain(row[name]) for name in _GAP} | {"statement": str(row["statement"])}
        for row in table.to_dict("records")
    ]  # fmt: skip


def _not_tested(result: Evaluation, coverage: list[dict[str, Any]], gaps: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return what the evaluation cannot say, each with its reason."""
    c = result.comparison
    group, condition = c.settings["group"], c.settings["condition"]
    found = [
        {"what": f"{row[group]} in {row[condition]}", "why": "no sample"} for row in coverage if not row["samples"]
    ]
    unsaid = {NOT_ENOUGH: "not enough data", SATURATED: "saturated: most words are lost for everyone"}
    found += [
        {"what": f"{row[group]} against {row['than']}, {row[condition]}", "why": f"{unsaid[row['verdict']]}. {row['statement']}"}
        for row in gaps if row["verdict"] in unsaid
    ]  # fmt: skip
    missing = result.scores.loc[result.scores["reason"].notna(), "reason"].astype(str).value_counts()
    found += [{"what": f"{count} samples", "why": str(reason)} for reason, count in missing.items()]
    if c.accents.empty:
        found.append({"what": f"gaps between {group}s", "why": "fewer than two groups"})
    if result.subgroups_note:
        found.append({"what": "slices of several attributes", "why": result.subgroups_note})
    found += [
        {"what": f"slices by {name}", "why": "too many values, or too few speakers"}
        for name in result.subgroups.attrs.get("not_searched", [])
    ]
    unknown = int(result.scores[group].isna().sum())
    return found + (
        [{"what": f"{unknown} samples", "why": f"their {group} is not stated, and none is inferred"}] if unknown else []
    )


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _finite(node: Any) -> Any:
    """Return NaN and infinity as null: JSON has neither."""
    if isinstance(node, Mapping):
        return {str(key): _finite(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_finite(value) for value in node]
    if isinstance(node, float) and not math.isfinite(node):
        return None
    return node if node is None or isinstance(node, bool | int | float | str) else str(node)


def _page(found: Mapping[str, Any]) -> str:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "percent": percent,
        "points": points,
        "between": lambda row, name: between(_numbers(row), name),
    }
    here = Path(__file__)
    style = page_style() + read_text(here.with_name("report.css"))
    template = environment.from_string(read_text(here.with_name("profile.html")))
    group, condition = found["compared"]["group"], found["compared"]["condition"]
    unused = () if found["all"]["hallucinated"] else ("hallucinated", "wer_compared")
    labels = {"wer": "WER, %"} if unused else _LABELS
    return template.render(
        found, style=Markup(style), policy=CONTENT_POLICY, counts=tuple(name for name in _COUNTS if name not in unused),
        labels=labels, names=VERDICT_NAMES, group=group, condition=condition,
    )  # fmt: skip


def _numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: math.nan if value is None else value for key, value in row.items()}
