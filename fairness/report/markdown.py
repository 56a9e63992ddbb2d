"""The report in Markdown, and the recogniser's card: who was tested, on what, with which results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from roomtone.fairness.report.formatting import cell, detectable, number, percent, points, table

METHOD = (
    "WER is the sum of errors over the sum of reference words, aligned with sclite's weights (4/3/3).",
    "Intervals leave out one speaker at a time (jackknife, Student's t with Satterthwaite's degrees of freedom): speakers, not samples,"
    " are what is repeated.",
    "The difference of a condition is taken against the same utterances of the same speakers in the baseline.",
    "p is adjusted over all declared comparisons by Holm's method, over others by Benjamini and Hochberg's.",
    "`detectable` is the smallest true difference that data like these would show with the stated power after that correction.",
    "A ratio shrinks when everybody fails; where more than 80 % of the words are lost, the verdict is `saturated`.",
    "The search names a slice whose errors pass what its speakers and conditions let expect, on a scale whose bend is estimated (nobody can lose"
    " more than all), by more than its sentences and slices of its kind scatter: one-sided t tests, Benjamini and Hochberg's correction. In"
    " simulated sets without any planted excess it named a slice in about one of twenty, and in one of twelve where every accent differed a little"
    " in every condition.",
)
LIMITS = (
    "The search finds what is large: with four speakers an accent, 33 % WER raised to 85 % in one condition was named in nine of ten simulated"
    " sets, 65 % raised to 85 % in one of three. No named slice does not mean no excess.",
    "Voices or rooms that several speakers share without a column that says so look like many where they are few, and slices of them are named"
    " too easily.",
    "Accents and attributes are what speakers or the corpus stated; none was inferred.",
    "The figures hold for these speakers, texts and conditions. A condition is a model of a place, not the place.",
    "Verdicts are on differences between groups; none of them says that a recogniser is good enough for anyone.",
)


def markdown(content: Mapping[str, Any]) -> str:
    """Return the report as Markdown."""
    group, condition = content["group"], content["condition"]
    lines = [f"# {cell(content['title'])}", "", *(f"> {cell(note)}\n" for note in content["notes"]), ""]
    lines += [
        f"{content['samples']:,} samples, {content['speakers']} speakers, normaliser {cell(content['normalizer'])}.",
        "",
        "## Verdicts",
        "",
    ]
    lines += table(["verdict", "comparisons"], [(name, count) for name, _, count, _ in content["verdicts"]])
    lines += [
        "",
        *(f"- {cell(statement)}" for _, statement in content["statements"]),
        "",
        f"## WER by {cell(group)} and {cell(condition)}, %",
        "",
    ]
    lines += table(
        ["", *content["groups"]],
        ([c, *(_wer(content, g, c) for g in content["groups"])] for c in content["conditions"]),
    )
    lines += ["", "In parentheses: thin (fewer than three speakers) or saturated.", "", "## Gaps", ""]
    lines += table([group, condition, *_GAP_HEAD], (_gap(row, content) for row in content["gaps"]))
    for title, part in (("Slices", _slices(content)), ("The whole grid", _model(content))):
        lines += ["", f"## {title}", "", *part]
    for title, texts in (("Method", METHOD), ("Limits", LIMITS)):
        lines += ["", f"## {title}", "", *(f"- {text}" for text in texts)]
    return "\n".join(lines) + "\n"


_GAP_HEAD = (
    "against", "gap (points)", "did (points)", "95 %", "ratio", "ratio of ratios", "p adjusted", "detectable", "verdict"
)  # fmt: skip


def _wer(content: Mapping[str, Any], group: str, condition: str) -> str:
    found = content["matrix"].get((group, condition))
    if found is None:
        return "–"
    return f"({percent(found['wer'])})" if found["grey"] else percent(found["wer"])


def _gap(row: Mapping[str, Any], content: Mapping[str, Any]) -> list[str]:
    low, high = (row["gap_low"], row["gap_high"]) if row["did"] is None else (row["did_low"], row["did_high"])
    return [
        row[content["group"]], row[content["condition"]], row["reference"], points(row["gap"]), points(row["did"]),
        f"{points(low)} to {points(high)}", number(row["ratio"]), number(row["ror"]), number(row["p_adjusted"]),
        detectable(row["detectable"], content["settings"]["scale"]), content["names"][row["verdict"]],
    ]  # fmt: skip


def _slices(content: Mapping[str, Any]) -> list[str]:
    if content["slices_note"]:
        return [cell(content["slices_note"])]
    if not content["slices"]:
        return [content["no_slice"]]
    head = ["slice", "errors", "expected", "ratio", content["effect_name"], "95 %", "speakers", "p adjusted"]
    return table(head, (
        (r["slice"], r["errors"], number(r["expected"]), number(r["ratio"]), number(r["effect"]),
         f"{number(r['effect_low'])} to {number(r['effect_high'])}",
         r["speakers"], number(r["p_adjusted"])) for r in content["slices"]
    ))  # fmt: skip


def _model(content: Mapping[str, Any]) -> list[str]:
    model = content["model"]
    if model is None:
        return [f"No Poisson model: {cell(content['model_note'])}."]
    p = (
        "not estimable with so few speakers"
        if model["interaction_p"] is None
        else f"p = {number(model['interaction_p'])}"
    )
    left = f" Left out, for want of errors: {cell(', '.join(model['left_out']))}." if model["left_out"] else ""
    return [
        f"Poisson model with interaction, errors clustered by {model['speakers']} speakers: any interaction at all, {p}; dispersion"
        f" {number(model['dispersion'])} (1 is Poisson's; above it, errors come together).{left}"
    ]


def card(content: Mapping[str, Any]) -> str:
    """Return the recogniser's card."""
    lines = [
        f"# Card: {cell(content['recogniser'].get('recogniser'))}",
        "",
        *(f"> {cell(note)}\n" for note in content["notes"]),
        "",
    ]
    lines += ["## What was tested", "", f"    {json.dumps(content['recogniser'], ensure_ascii=False, default=str)}", ""]
    lines += [f"Normaliser {cell(content['normalizer'])}: {cell(content['normalizer_text'])}.", "", "## On whom", ""]
    lines += table(
        [content["group"], "speakers", "samples", "words"],
        ((p["group"], p["speakers"], p["samples"], p["words"]) for p in content["groups_of_people"]),
    )
    lines += ["", "## In which conditions, with which results", ""]
    lines += table([content["condition"], "samples", "failed", "words", "WER %"], (
        (row["condition"], row["samples"], row["failed"], row["words"], percent(row["wer"])) for row in content["overall"]
    ))  # fmt: skip
    lines += ["", f"## {str(content['group']).capitalize()}s against each other", ""]
    lines += table(["verdict", "comparisons"], [(name, count) for name, _, count, _ in content["verdicts"]])
    lines += ["", *(f"- {cell(text)}" for verdict, text in content["statements"] if verdict == "gap")]
    lines += ["", "## Limits", "", *(f"- {text}" for text in LIMITS)]
    return "\n".join(lines) + "\n"
