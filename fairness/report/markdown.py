"""The report in Markdown, and the recogniser's card: who was tested, on what, with which results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from roomtone.core.printable import markdown_text as shown
from roomtone.fairness.report.formatting import between, detectable, number, percent, points, table
from roomtone.fairness.report.wording import CONTEXT


def markdown(content: Mapping[str, Any]) -> str:
    """Return the report as Markdown.

    Args:
        content: of `gather`, with `headline`.
    """
    group, condition = content["group"], content["condition"]
    lines = [f"# {shown(content['title'])}", "", *(f"> {shown(note)}\n" for note in content["notes"]), ""]
    lines += [f"**{shown(content['headline'])}**", "", *(f"- {shown(text)}" for _, text in content["findings"][1:])]
    lines += [f"- {shown(text)}" for text in content["other_findings"][0 if content["findings"] else 1 :]]
    lines += ["", f"For context, {CONTEXT}:", ""] if content["context"] else []
    lines += [*(f"- (context) {shown(text)}" for text in content["context"]), ""]
    lines += [f"{content['samples']:,} samples, {content['speakers']} speakers. {shown(content['family'])}", ""]
    parts: list[tuple[str, list[str]]] = [
        (f"Each {shown(group)} over all conditions", _accents(content)),
        ("Each condition", _conditions(content)),
        ("Factor levels", table([group, "factor", "level", *_gap_head(content)], _rows(content, content["levels"], ("factor", "level")))),
        (f"WER by {shown(group)} and {shown(condition)}, %", _matrix(content)),
        ("Gaps", [*_verdicts(content), "", *_notes(content), *table([group, condition, *_gap_head(content)], _rows(content, content["gaps"], (condition,)))]),
        (f"Words lost and words invented by {shown(condition)}", _overall(content)),
        *([("Samples without a hypothesis", _failures(content))] if content["failures"] else []),
        ("Words that nobody spoke", _hallucination(content)), ("Words lost", _lost_words(content)), ("Critical terms", _terms(content)),
        *([("Shortfall of the outcome", [f"- {shown(r['statement'])}" for r in content["outcome_rows"]])] if content["outcome_rows"] else []),
        ("Intersections", _intersections(content)),
        ("How words were compared", normalizer_lines(content)), ("Slices", _slices(content)), ("The whole grid", _model(content)),
        ("Method", [f"- {text}" for text in content["method"]]), ("Limits", [f"- {text}" for text in content["limits"]]),
    ]  # fmt: skip
    for title, part in parts:
        lines += ["", f"## {title}", "", *part]
    return "\n".join(lines) + "\n"


def _intersections(content: Mapping[str, Any]) -> list[str]:
    if not content["intersections"]:
        return [
            f"No attribute was crossed with {shown(content['group'])}: there is none with 2 to 20 values, or none was asked for."
        ]
    head = [content["group"], "attribute", "value", *_gap_head(content)]
    return table(head, _rows(content, content["intersections"], ("attribute", "value")))


def _verdicts(content: Mapping[str, Any]) -> list[str]:
    counted = table(["verdict", "cells"], [(name, count) for name, _, count, _ in content["verdicts"]])
    shared = [content["shared_level"], ""] if content["shared_level"] else []
    return [*counted, "", *shared, *(f"- {shown(text)}" for _, text in content["statements"])]


def _notes(content: Mapping[str, Any]) -> list[str]:
    """Return what is easily misread in a table of gaps."""
    return [f"{shown(content['interval_note'])} {shown(content['detectable_note'])}", ""]


def _accents(content: Mapping[str, Any]) -> list[str]:
    head = [
        content["group"],
        "WER %",
        "95 %",
        "cost of conditions (points)",
        "95 %",
        "gap (points)",
        "95 %",
        "p adjusted",
        "detectable",
        "verdict",
    ]
    said = [f"WER: {shown(content['compared_wer'])}. {shown(content['cost_note'])}", "", *_notes(content)]
    return said + table(head, (
        (r[content["group"]], percent(r["wer"]), between(r, "wer", percent), points(r["cost"]),
         between(r, "cost"), points(r["gap"]), between(r, "gap"),
         number(r["p_adjusted"]), detectable(r["detectable"], content["settings"]["scale"]), content["names"][r["verdict"]])
        for r in content["accents"]
    ))  # fmt: skip


def _conditions(content: Mapping[str, Any]) -> list[str]:
    head = [
        content["condition"], "WER %", "95 %", "cost (points)", "95 %", "highest WER of a cell", f"largest gap: {content['group']}", "p adjusted", "verdict"
    ]  # fmt: skip
    said = [f"{shown(content['condition_wer'])} {shown(content['cost_note'])}", ""]
    return said + table(head, (
        (r[content["condition"]], percent(r["wer"]), between(r, "wer", percent), points(r["cost"]),
         between(r, "cost"), r["highest"], r[content["group"]], number(r["p_adjusted"]), content["names"][r["verdict"]])
        for r in content["condition_rows"]
    ))  # fmt: skip


def _gap_head(content: Mapping[str, Any]) -> tuple[str, ...]:
    beyond = f"beyond {shown(content['settings']['baseline'])} (points)"
    return (
        "against",
        "gap (points)",
        "95 %",
        beyond,
        "95 %",
        "ratio",
        "ratio of ratios",
        "p adjusted",
        "detectable",
        "verdict",
    )


def _rows(content: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], labels: Sequence[str]) -> list[list[str]]:
    return [
        [
            row[content["group"]], *(row[name] for name in labels), row["reference"], points(row["gap"]),
            between(row, "gap"), points(row["did"]), between(row, "did"),
            number(row["ratio"]), number(row["ror"]), number(row["p_adjusted"]),
            detectable(row["detectable"], content["settings"]["scale"]), content["names"][row["verdict"]],
        ]
        for row in rows
    ]  # fmt: skip


def _matrix(content: Mapping[str, Any]) -> list[str]:
    rows = ([c, *(_wer(content, g, c) for g in content["groups"])] for c in content["conditions"])
    return [
        *table(["", *content["groups"]], rows),
        "",
        "All errors, words that nobody spoke among them, pooled over the samples of a cell. In parentheses: thin (fewer than three speakers) or"
        " saturated.",
    ]


def _wer(content: Mapping[str, Any], group: str, condition: str) -> str:
    found = content["matrix"].get((group, condition))
    if found is None:
        return "–"
    return f"({percent(found['wer'])})" if found["grey"] else percent(found["wer"])


def _overall(content: Mapping[str, Any]) -> list[str]:
    head, rows, same = content["overall_table"]
    named = [[r["condition"], *row] for r, row in zip(content["overall"], rows)]
    return [shown(f"{content['pooled_wer']} {same}".strip()), "", *table([content["condition"], *head], named)]


def _hallucination(content: Mapping[str, Any]) -> list[str]:
    said = [content["invented_text"], "", *(f"- {shown(text)}" for text in content["hallucination_gaps"])]
    if not content["hallucinated"]:
        return said
    head = [content["group"], content["condition"], "samples %", "95 %", "words invented, % of those spoken"]
    rows = [
        (r[content["group"]], r[content["condition"]], percent(r["hallucinated"]), between(r, "hallucinated", percent),
         percent(r["invented"]))
        for r in content["hallucinated"]
    ]  # fmt: skip
    return [*said, "", *table(head, rows)]


def _failures(content: Mapping[str, Any]) -> list[str]:
    head = [content["group"], "samples", "without a hypothesis", "%"]
    rows = [(r["group"], r["samples"], r["failed"], percent(r["share"])) for r in content["failures"]]
    return [*(f"- {shown(text)}" for text in content["failure_gaps"]), "", *table(head, rows)]


def _lost_words(content: Mapping[str, Any]) -> list[str]:
    rows = [
        (group, r["lost"], r["heard_as"] or "(nothing)", r["count"], r["spoken"], r["speakers"])
        for group, words in content["lost_words"].items() for r in words
    ]  # fmt: skip
    return table([content["group"], "word", "heard as", "times", "of", "speakers"], rows)


def _terms(content: Mapping[str, Any]) -> list[str]:
    if not content["terms"]:
        return ["No list of critical terms was given (terms=FILE)."]
    head = [content["group"], content["condition"], "term", "spoken", "lost", "lost %", "speakers"]
    rows = [
        (r[content["group"]], r[content["condition"]], r["term"], r["spoken"], r["lost"], percent(r["rate"]), r["speakers"]) for r in content["terms"]
    ]  # fmt: skip
    gaps = [f"- {shown(r['statement'])}" for r in content["term_cells"] if r["verdict"] == "gap"]
    return [*table(head, rows), "", *gaps]


def normalizer_lines(content: Mapping[str, Any]) -> list[str]:
    """Return how words were made comparable, and what other normalisers would count.

    Args:
        content: of `gather`.
    """
    n = content["normalizers"][0]
    lines = [
        f"- {shown(u['label'])}, counted in {u['unit']}s ({u['samples']:,} samples): {shown(u['description'])}."
        for u in n["used"]
    ]
    if n["written"]:
        lines.append(f"- {shown(n['written'])}")
    if n["others"]:
        others = ", ".join(f"{shown(o['name'])} {o['more']:+,}" for o in n["others"])
        lines.append(
            f"- On {n['samples']:,} samples with {n['errors']:,} errors, other normalisers would count more or fewer: {others}."
        )
    return lines


def _slices(content: Mapping[str, Any]) -> list[str]:
    skipped = (
        [f"Not searched, for having too many values: {shown(', '.join(content['not_searched']))}.", ""]
        if content["not_searched"]
        else []
    )
    if content["slices_note"]:
        return [*skipped, shown(content["slices_note"])]
    if not content["slices"]:
        return [*skipped, content["no_slice"]]
    head = ["slice", "errors", "expected", "ratio", content["effect_name"], "95 %", "speakers", "p adjusted"]
    return skipped + table(head, (
        (r["slice"], r["errors"], number(r["expected"]), number(r["ratio"]), number(r["effect"]),
         between(r, "effect", number),
         r["speakers"], number(r["p_adjusted"])) for r in content["slices"]
    ))  # fmt: skip


def _model(content: Mapping[str, Any]) -> list[str]:
    model = content["model"]
    if model is None:
        return [f"No Poisson model: {shown(content['model_note'])}."]
    p = (
        "cannot be tested with these data"
        if model["interaction_p"] is None
        else f"p = {number(model['interaction_p'])}"
    )
    left = (
        f" Left out of the model, for want of errors: {shown(', '.join(model['left_out']))}."
        if model["left_out"]
        else ""
    )
    return [
        f"Does any condition cost one {content['group']} more than the others? {p} ({model['speakers']} speakers permuted). Poisson model with"
        f" interaction: dispersion {number(model['dispersion'])} (1 is Poisson's; above it, errors come together).{left}"
    ]


def card(content: Mapping[str, Any]) -> str:
    """Return the recogniser's card.

    Args:
        content: of `gather`, with `headline`.
    """
    lines = [
        f"# Card: {shown(content['called'])}",
        "",
        *(f"> {shown(note)}\n" for note in content["notes"]),
        "",
    ]
    lines += ["## What was tested", "", f"    {json.dumps(content['recogniser'], ensure_ascii=False, default=str)}", ""]
    lines += [f"Decoding: {shown(content['decoding'])}.", ""] if content["decoding"] else []
    lines += [*normalizer_lines(content), "", "## On whom", ""]
    lines += table(
        [content["group"], "speakers", "samples", "words"],
        ((p["group"], p["speakers"], p["samples"], p["words"]) for p in content["groups_of_people"]),
    )
    lines += ["", "## In which conditions, with which results", "", shown(content["pooled_wer"]), ""]
    lines += table([content["condition"], "samples", "failed", "words", "WER %"], (
        (row["condition"], row["samples"], row["failed"], row["words"], percent(row["wer"])) for row in content["overall"]
    ))  # fmt: skip
    lines += ["", f"## {shown(content['group']).capitalize()}s compared", "", f"**{shown(content['headline'])}**", ""]
    lines += table(["verdict", "cells"], [(name, count) for name, _, count, _ in content["verdicts"]])
    lines += ["", *(f"- {shown(text)}" for _, text in content["findings"][1:])]
    lines += ["", "## Limits", "", *(f"- {text}" for text in content["limits"])]
    return "\n".join(lines) + "\n"
