"""All that the report shows, in plain Python types: the page, its Markdown and the card are written from this and nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from roomtone.coverage.views.set_name import set_name
from roomtone.fairness.comparison.compare import Comparison
from roomtone.fairness.comparison.findings import sort_by_lacking
from roomtone.fairness.comparison.verdicts import GAP, NO_GAP, NOT_ENOUGH, SATURATED
from roomtone.fairness.evaluation import Evaluation
from roomtone.fairness.inference.estimands import ALL_CONDITIONS
from roomtone.fairness.inference.outcomes import as_many_inserted
from roomtone.fairness.recognisers import public_identity
from roomtone.fairness.report.caveats import formatting_note, mostly_of, unanswered
from roomtone.fairness.report.formatting import SIGNS, counted, percent, records
from roomtone.fairness.report.method import LIMITS, METHOD, family_text
from roomtone.fairness.report.repeat import repeat_command
from roomtone.fairness.report.wording import (
    CONTEXT,
    column_notes,
    condition_columns,
    invented_text,
    shared_level,
    wer_names,
)
from roomtone.fairness.scoring.edits import ALL
from roomtone.fairness.scoring.normalize import AUTO, NORMALIZERS

if TYPE_CHECKING:
    import pandas as pd

VERDICT_NAMES = {GAP: "gap", NO_GAP: "no gap", NOT_ENOUGH: "not enough data", SATURATED: "saturated"}
#: What a search that names nothing has shown, and what it has not.
NO_SLICE = (
    "No slice stands out beyond what its speakers, conditions and sentences predict; an excess smaller than the search can find may be there"
    " all the same."
)
_FINDINGS = 20
_WORDS_SHOWN = 8
_OTHER_FINDINGS = 3
#: Share of inserted words from which a cell is named, and how many are.
_INVENTED, _INVENTED_SHOWN = 0.05, 6
#: Speakers below which a cell is thin: its interval is wide and its spread little known.
THIN_SPEAKERS = 3


def gather(result: Evaluation) -> dict[str, Any]:
    """Return all that the page shows, without its pictures and single samples.

    Args:
        result: of the evaluation.
    """
    c = result.comparison
    settings = c.settings
    group, condition = settings["group"], settings["condition"]
    found = c.gaps["verdict"].value_counts().to_dict() if len(c.gaps) else {}
    recogniser = public_identity(result.settings.asr)
    kind = result.settings.asr.get("recogniser")
    called = (
        "given hypotheses" if kind == "hypotheses" else " ".join(str(v) for v in (kind, recogniser.get("model")) if v)
    )
    overall = _overall(c.cells, condition, settings["baseline"])
    people = _people(result.scores, group, result.settings.speaker)
    return {
        "title": f"Evaluation of {called} on {set_name(result.dataset)}", "called": called, "name": set_name(result.dataset),
        "repeat": _repeat(result, recogniser), "recogniser": {k: v for k, v in recogniser.items() if v is not None}, "decoding": result.decoding,
        "normalizers": _normalizers(result), "settings": settings, "group": group, "condition": condition, "notes": result.notes,
        "samples": len(result.scores), "failed": result.failed,
        "speakers": int(result.scores[result.settings.speaker].dropna().nunique()),
        "groups": sorted(c.cells[group].unique()), "conditions": _ordered(c.cells[condition], settings["baseline"]),
        "verdicts": [(counted(c.gaps, v, VERDICT_NAMES[v]), SIGNS[v], int(found.get(v, 0)), v) for v in VERDICT_NAMES],
        "findings": _findings(c), "context": _context(c), "context_is": CONTEXT, "other_findings": _other_findings(c),
        "statements": statements(c.gaps, condition),
        "accents": records(c.accents), "condition_rows": _condition_rows(c, group, condition), "levels": records(c.levels),
        "facts": c.facts, **wer_names(settings, compared=len(c.accents) > 0),
        "family": family_text(c.facts, settings), "overall": overall, "overall_table": condition_columns(overall),
        **column_notes(c.facts["tests"], settings), "shared_level": shared_level(c.facts["tests"], int(found.get(NOT_ENOUGH, 0)), settings),
        "matrix": _matrix(c.cells, group, condition),
        "gaps": records(c.gaps), "cells": records(c.cells), **_hallucination(c, result.scores), **_words(result),
        "intersections": records(c.intersections), "term_cells": records(c.terms), "terms": records(result.terms),
        "outcome_rows": [] if result.settings.outcome is None else records(c.outcome),
        **_failures(c, result.scores),
        "speed": _speed(result.scores), **_model(result), "slices_note": result.subgroups_note,
        "no_slice": no_slice(people, group, result.settings.subgroups.min_speakers),
        "slices": records(result.subgroups[result.subgroups["named"].astype(bool)]), "not_searched": result.subgroups.attrs.get("not_searched", []),
        "effect_name": "ratio of WERs" if result.settings.subgroups.outcome == "errors" else "odds ratio",
        "reasons": _reasons(result.scores),
        "certificates": [path.name for path in result.certificates],
        "groups_of_people": people, "signs": SIGNS, "names": VERDICT_NAMES,
        "method": METHOD, "limits": LIMITS,
    }  # fmt: skip


def _repeat(result: Evaluation, recogniser: Mapping[str, Any]) -> str:
    asked = result.settings
    terms, outcome = (None if path is None else "FILE" for path in (asked.terms, asked.outcome))
    normalizer = None if asked.normalizer == AUTO else asked.normalizer
    return repeat_command(
        result.dataset.resolve().name,
        recogniser,
        result.comparison.settings,
        normalizer=normalizer,
        terms=terms,
        outcome=outcome,
    )


def _ordered(labels: pd.Series, baseline: str) -> list[str]:
    return [baseline, *sorted(set(labels) - {baseline})]


def _normalizers(result: Evaluation) -> list[dict[str, Any]]:
    """Return the normalisers that were used, then what the others would count."""
    labels: dict[Any, int] = result.scores.groupby(["normalizer", "unit"]).size().to_dict()
    used = [
        {
            "label": label,
            "unit": unit,
            "samples": int(count),
            "description": NORMALIZERS[str(label).split("/")[0]].description,
        }
        for (label, unit), count in labels.items()
    ]
    f = result.formatting
    own = f.errors[f.chosen]
    others = (
        [{"name": name, "more": f.errors[name] - own} for name in NORMALIZERS if name != f.chosen] if f.samples else []
    )
    return [
        {
            "used": used,
            "others": others,
            "samples": f.samples,
            "errors": own,
            "auto": f.chosen == AUTO,
            "written": formatting_note(f, result.settings.group),
        }
    ]


def _findings(c: Comparison) -> list[tuple[str, str]]:
    """Return a sentence for each gap that no earlier one says, who is worse off first; those with less WER are context."""
    found = c.findings
    own = found[found["worse_off"].astype(bool) & found["part_of"].isna()] if len(found) else found
    return [(GAP, text) for text in own["statement"].head(_FINDINGS)]


def _context(c: Comparison) -> list[str]:
    found = c.findings
    return (
        list(found.loc[~found["worse_off"].astype(bool) & found["part_of"].isna(), "statement"].head(_FINDINGS))
        if len(found)
        else []
    )


def _other_findings(c: Comparison) -> list[str]:
    """Return who is worse off by another outcome than WER, or as a part of a group: the largest of each table first, its cells only where no row says more."""
    said: list[str] = []
    for table in (c.failures, c.intersections, c.terms, c.outcome, c.hallucination):
        if not len(table):
            continue
        worse = table[(table["verdict"] == GAP) & (table["gap"] > 0)].sort_values("gap", ascending=False, kind="stable")
        everywhere = (
            worse[worse[c.settings["condition"]] == ALL_CONDITIONS] if c.settings["condition"] in worse else worse
        )
        cells = worse[~worse[c.settings["group"]].isin(everywhere[c.settings["group"]])]
        said += [*everywhere["statement"].head(_OTHER_FINDINGS), *cells["statement"].head(_OTHER_FINDINGS)]
    return said


def statements(gaps: pd.DataFrame, condition: str) -> list[tuple[str, str]]:
    """Return a sentence for each cell that surely has no gap (the first 20), one for each condition with saturated comparisons, and one for what
    is undecided.

    Args:
        gaps: of the comparison.
        condition: name of its column.
    """
    if not len(gaps):
        return []
    said = [(NO_GAP, text) for text in gaps.loc[gaps["verdict"] == NO_GAP, "statement"].head(_FINDINGS)]
    for name, part in gaps[gaps["verdict"] == SATURATED].groupby(condition):
        said.append((SATURATED, _lost(str(name), part)))
    apart = gaps["units_differ"].astype(bool)
    if apart.any():
        alike = f" So it is with {apart.sum() - 1} comparisons more." if apart.sum() > 1 else ""
        said.append((NOT_ENOUGH, str(gaps.loc[apart, "statement"].iloc[0]) + alike))
    undecided = sort_by_lacking(gaps[(gaps["verdict"] == NOT_ENOUGH) & ~apart])
    if len(undecided) == 1:
        said.append((NOT_ENOUGH, str(undecided["statement"].iloc[0])))
    elif len(undecided):
        text = f"{len(undecided)} comparisons cannot be decided with these data. The one that needs the fewest speakers more: "
        said.append((NOT_ENOUGH, text + str(undecided["statement"].iloc[0])))
    return said


def _lost(condition: str, part: pd.DataFrame) -> str:
    rates = part[["lost", "reference_lost"]].max(axis=1)
    ends = dict.fromkeys(f"{100 * rate:.0f}" for rate in (rates.min(), rates.max()))
    return (
        f"In {condition}, {len(part)} comparison{'s are' if len(part) > 1 else ' is'} saturated: the side that is heard worse loses"
        f" {' to '.join(ends)} % of its words, and so near the top a difference shrinks or cannot show. A milder level of this condition would tell."
    )


def _overall(cells: pd.DataFrame, condition: str, baseline: str) -> list[dict[str, Any]]:
    """Return counts by condition over all groups, worst first, the baseline on top."""
    kinds = [name for name in ("substitutions", "deletions", "insertions") if name in cells]
    sums = cells.groupby(condition)[["errors", "words", "samples", "failed", *kinds]].sum()
    rows: list[dict[str, Any]] = []
    for name, row in sums.to_dict("index").items():
        counts = {str(key): int(value) for key, value in row.items()}
        gone = counts["substitutions"] + counts["deletions"] if len(kinds) == 3 else None
        events = {"wer": counts["errors"], "lost": gone, "invented": counts.get("insertions")}
        words = counts["words"]
        rates = {key: None if value is None or not words else value / words for key, value in events.items()}
        rows.append({"condition": str(name)} | rates | counts)
    return sorted(rows, key=lambda row: (row["condition"] != baseline, -(row["wer"] or 0)))


def _condition_rows(c: Comparison, group: str, condition: str) -> list[dict[str, Any]]:
    """Return the rows of conditions, the baseline first and the others by falling WER, each with the highest WER among the cells and whose it is."""
    best = c.cells.dropna(subset=["wer"]).sort_values("wer", ascending=False, kind="stable").drop_duplicates(condition)
    names = {str(row[condition]): f"{row[group]} ({percent(row['wer'])} %)" for row in best.to_dict("records")}
    rows = [row | {"highest": names.get(str(row[condition]), "–")} for row in records(c.conditions)]
    return sorted(rows, key=lambda row: (row[condition] != c.settings["baseline"], -(row["wer"] or 0)))


def _matrix(cells: pd.DataFrame, group: str, condition: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return each cell; it is grey where it is thin or saturated."""
    found = {}
    for row in records(cells):
        thin = row["speakers"] < THIN_SPEAKERS
        grey = thin or row["saturated"] or row["wer"] is None
        found[row[group], row[condition]] = row | {"thin": thin, "grey": grey}
    return found


def _hallucination(c: Comparison, scores: pd.DataFrame) -> dict[str, Any]:
    """Return cells with text that nobody spoke, the comparisons of groups, and the totals."""
    cells = c.cells[c.cells["hallucinated"].fillna(0) > 0].sort_values("hallucinated", ascending=False)
    several = (cells["hallucinated"] * (cells["samples"] - cells["failed"])).round() > 1
    looped, long = (scores[name].fillna(False).to_numpy(bool) for name in ("looped", "too_long"))
    inserted, words = (scores[name].to_numpy(float, na_value=math.nan) for name in ("insertions", "words"))
    as_many = as_many_inserted(inserted, words)
    any_sign = int((looped | long | as_many).sum())
    signs = int(looped.sum()), int(long.sum()), int(as_many.sum())
    found = c.hallucination[c.hallucination["verdict"] == GAP].sort_values("gap", ascending=False, kind="stable")
    invented = c.cells[c.cells["invented"].fillna(0) > _INVENTED].sort_values(
        "invented", ascending=False, kind="stable"
    )
    return {
        "hallucinated": records(cells[several]), "hallucination_gaps": found["statement"].tolist(), "invented": records(invented.head(_INVENTED_SHOWN)),
        "invented_more": max(0, len(invented) - _INVENTED_SHOWN),
        "invented_text": invented_text(len(scores), any_sign, *signs, single=int((~several).sum())),
    }  # fmt: skip


def _failures(c: Comparison, scores: pd.DataFrame) -> dict[str, Any]:
    """Return how many samples of each group have no hypothesis (no row where all have one), whose they mostly are, and the gaps in it."""
    group = c.settings["group"]
    lost = unanswered(scores)
    named = lost.groupby(scores[group].fillna("unknown").map(str))
    asked, failed = (dict(counts.astype(int)) for counts in (named.size(), named.sum()))
    rows = [
        {"group": name, "samples": int(of), "failed": int(failed[name]), "share": float(failed[name] / of)}
        for name, of in asked.items()
        if lost.any()
    ]
    found = c.failures[c.failures["verdict"] == GAP].sort_values("gap", ascending=False, kind="stable")
    return {
        "failures": sorted(rows, key=lambda row: -row["share"]), "failure_gaps": found["statement"].tolist(), "failed_of": mostly_of(scores, group),
    }  # fmt: skip


def _words(result: Evaluation) -> dict[str, Any]:
    """Return the words that each group loses most over all conditions, and what they were taken for."""
    group, condition = result.comparison.settings["group"], result.comparison.settings["condition"]
    words = result.words[result.words[condition] == ALL] if len(result.words) else result.words
    by_group = {name: records(part.head(_WORDS_SHOWN)) for name, part in words.groupby(group)} if len(words) else {}
    return {"lost_words": by_group}


def _speed(scores: pd.DataFrame) -> dict[str, float] | None:
    """Return median seconds a recording and the real-time factor, from what was stored while transcribing; None where nothing was."""
    if "seconds" not in scores or "duration_s" not in scores:
        return None
    timed = scores[scores["seconds"].notna() & (scores["duration_s"] > 0)]
    if timed.empty:
        return None
    seconds = timed["seconds"].astype(float)
    return {
        "median_s": float(seconds.median()), "p95_s": float(seconds.quantile(0.95)),
        "real_time_factor": float(seconds.sum() / timed["duration_s"].astype(float).sum()), "samples": len(timed),
    }  # fmt: skip


def _model(result: Evaluation) -> dict[str, Any]:
    group = result.comparison.settings["group"]
    return {
        "model": None if result.model is None else vars(result.model) | {"terms": records(result.model.terms)},
        "model_note": result.model_note, "pairs": records(result.pairs[result.pairs[group] == ALL]) if len(result.pairs) else [],
    }  # fmt: skip


def _reasons(scores: pd.DataFrame) -> list[tuple[str, int]]:
    return [(str(reason), int(count)) for reason, count in scores["reason"].dropna().value_counts().head(10).items()]


def _people(scores: pd.DataFrame, group: str, speaker: str) -> list[dict[str, Any]]:
    return [
        {"group": "unknown" if not isinstance(name, str) else name, "speakers": int(part[speaker].dropna().nunique()), "samples": len(part),
         "words": int(part["words"].sum())}
        for name, part in scores.groupby(group, dropna=False)
    ]  # fmt: skip


def no_slice(people: Sequence[Mapping[str, Any]], group: str, least: int) -> str:
    """Return what a search that names nothing has shown; groups that were too small for it are said not to have been searched.

    Args:
        people: `groups_of_people` of `gather`.
        group: what the groups are, e.g. `accent`.
        least: speakers that a slice needs inside and outside of it.
    """
    small = [row for row in people if row["speakers"] < least]
    if not small:
        return NO_SLICE
    which = "any" if len(small) == len(people) else f"{len(small)} of {len(people)}"
    return f"{NO_SLICE} Slices of {which} {group}s were not searched: they have under {least} speakers."


def interval(row: Mapping[str, Any], name: str) -> tuple[float | None, float | None]:
    """Return the bounds of a figure in a row.

    Args:
        row: of a table.
        name: of the figure.
    """
    return row[f"{name}_low"], row[f"{name}_high"]
