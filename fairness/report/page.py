"""The report of an evaluation: one HTML page that needs nothing else, the same in Markdown, and a card for the recogniser.

Everything that comes from a set or a recogniser reaches the page escaped. The numbers on the page are those of `cells.csv` and
`gaps.csv`, which a test compares. Thin and saturated cells are grey: a colour would claim what the data cannot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from roomtone.coverage.views.matrix_view.embed import CONTENT_POLICY, page_style
from roomtone.coverage.views.set_name import set_name
from roomtone.fairness.comparison.verdicts import GAP, NO_GAP, NOT_ENOUGH, SATURATED
from roomtone.fairness.evaluation import Evaluation
from roomtone.fairness.report.charts import ranked_groups, snr_charts, speaker_points, ticks
from roomtone.fairness.report.formatting import detectable, number, percent, points
from roomtone.fairness.report.headline import headline, repeat_command
from roomtone.fairness.report.matrix import report_matrix
from roomtone.fairness.scoring.alignment import align
from roomtone.fairness.scoring.normalize import normalizer

if TYPE_CHECKING:
    import pandas as pd

VERDICT_NAMES = {GAP: "gap", NO_GAP: "no gap", NOT_ENOUGH: "not enough data", SATURATED: "saturated"}
_SIGNS = {GAP: "▲", NO_GAP: "≈", NOT_ENOUGH: "?", SATURATED: "■"}
#: What a search that names nothing has shown, and what it has not.
NO_SLICE = (
    "No slice stands out beyond what its speakers, conditions and sentences let expect; an excess smaller than the search can find may be there"
    " all the same."
)
_WORST = 12
_STATEMENTS = 20
#: Speakers below which a cell is thin: its interval is wide and its spread little known.
THIN_SPEAKERS = 3


def write_report(result: Evaluation) -> list[Path]:
    """Write `report.html`, `report.md` and `card.md` below `evaluation/` and return their paths.

    The samples of the matrix' cells go into `report-files/` beside the page.
    """
    from roomtone.fairness.report.markdown import LIMITS, METHOD, card, markdown

    content = gather(result) | {"method": METHOD, "limits": LIMITS}
    result.folder.mkdir(parents=True, exist_ok=True)
    target = result.folder / "report.html"
    written = []
    for name, text in (
        ("report.html", _html(content | _pictures(result) | {"component": report_matrix(result, target)})),
        ("report.md", markdown(content)),
        ("card.md", card(content)),
    ):
        path = result.folder / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def _html(content: Mapping[str, Any]) -> str:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "percent": percent,
        "points": points,
        "number": number,
        "detectable": detectable,
        "count": lambda n: f"{int(n):,}",
        "ticks": ticks,
    }
    here = Path(__file__)
    style = page_style() + here.with_name("report.css").read_text(encoding="utf-8")
    template = environment.from_string(here.with_name("report.html").read_text(encoding="utf-8"))
    return template.render(content, style=Markup(style), policy=CONTENT_POLICY)


def _pictures(result: Evaluation) -> dict[str, Any]:
    """Return what the page's pictures are drawn from."""
    comparison, scores = result.comparison, result.scores
    settings = comparison.settings
    ranked, top = ranked_groups(comparison.cells, getattr(comparison, "accents", None), settings)
    order = [row.name for row in ranked]
    people, people_top = speaker_points(scores, settings, order)
    factors = [name for name in ("noise", "equipment") if name in scores]
    labels = scores[[settings["condition"], *factors]].drop_duplicates(settings["condition"])
    return {
        "ranked": ranked, "ranked_top": top, "ranked_intervals": any(row.average.low is not None for row in ranked),
        "people": people, "people_top": people_top, "snr_charts": snr_charts(comparison.cells, labels, settings, order),
    }  # fmt: skip


def gather(result: Evaluation) -> dict[str, Any]:
    """Return all that the page shows, in plain Python types."""
    cells, gaps = result.comparison.cells, result.comparison.gaps
    settings = result.comparison.settings
    group, condition = settings["group"], settings["condition"]
    found = gaps["verdict"].value_counts().to_dict() if len(gaps) else {}
    return {
        "title": f"Evaluation of {result.settings.asr.get('recogniser')} on {set_name(result.dataset)}",
        "name": set_name(result.dataset), "headline": headline(gaps, settings),
        "repeat": repeat_command(result.dataset.resolve().name, result.settings.asr, settings),
        "recogniser": {k: v for k, v in result.settings.asr.items() if v is not None},
        "normalizer": str(result.scores["normalizer"].iloc[0]), "normalizer_text": normalizer(result.settings.normalizer).description,
        "settings": settings, "group": group, "condition": condition, "notes": result.notes,
        "samples": len(result.scores), "failed": result.failed,
        "speakers": int(result.scores[result.settings.speaker].dropna().nunique()),
        "groups": sorted(cells[group].unique()), "conditions": _ordered(cells[condition], settings["baseline"]),
        "verdicts": [(VERDICT_NAMES[v], _SIGNS[v], int(found.get(v, 0)), v) for v in VERDICT_NAMES],
        "overall": _overall(cells, condition, settings["baseline"]),
        "matrix": _matrix(cells, group, condition),
        "statements": _statements(gaps, condition), "gaps": _records(gaps), "cells": _records(cells),
        "model": None if result.model is None else vars(result.model) | {"terms": _records(result.model.terms)},
        "model_note": result.model_note, "pairs": _records(result.pairs[result.pairs[group] == "all"]) if len(result.pairs) else [],
        "slices": _records(result.subgroups[result.subgroups["named"].astype(bool)]), "slices_note": result.subgroups_note,
        "no_slice": NO_SLICE,
        "effect_name": "ratio of WERs" if result.settings.subgroups.outcome == "errors" else "odds ratio",
        "loops": _loops(cells), "worst": worst_samples(result), "reasons": _reasons(result.scores),
        "certificates": [path.name for path in result.certificates],
        "groups_of_people": _people(result.scores, group, result.settings.speaker), "signs": _SIGNS, "names": VERDICT_NAMES,
    }  # fmt: skip


def _ordered(labels: pd.Series, baseline: str) -> list[str]:
    return [baseline, *sorted(set(labels) - {baseline})]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    from roomtone.fairness.exports.job import plain

    return [{str(key): plain(value) for key, value in row.items()} for row in frame.to_dict("records")]


def _overall(cells: pd.DataFrame, condition: str, baseline: str) -> list[dict[str, Any]]:
    """Return WER by condition over all groups, worst first, the baseline on top."""
    kinds = [name for name in ("substitutions", "deletions", "insertions") if name in cells]
    sums = cells.groupby(condition)[["errors", "words", "samples", "failed", *kinds]].sum()
    rows: list[dict[str, Any]] = []
    for name, row in sums.to_dict("index").items():
        counts = {str(key): int(value) for key, value in row.items()}
        known = (
            {"lost": counts["substitutions"] + counts["deletions"], "invented": counts["insertions"]}
            if len(kinds) == 3
            else {}
        )
        rates = {key: known.get(key) for key in ("lost", "invented")} | {"wer": counts["errors"]}
        words = counts["words"]
        shares = {key: None if value is None or not words else value / words for key, value in rates.items()}
        rows.append({"condition": str(name)} | shares | counts)
    return sorted(rows, key=lambda row: (row["condition"] != baseline, -(row["wer"] or 0)))


def _matrix(cells: pd.DataFrame, group: str, condition: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return each cell; it is grey where it is thin or saturated."""
    found = {}
    for row in _records(cells):
        thin = row["speakers"] < THIN_SPEAKERS
        grey = thin or row["saturated"] or row["wer"] is None
        found[row[group], row[condition]] = row | {"thin": thin, "grey": grey}
    return found


def _statements(gaps: pd.DataFrame, condition: str) -> list[tuple[str, str]]:
    """Return a sentence for each gap, largest first, then for each no gap, then one for each lost condition and for the rest."""
    if not len(gaps):
        return []
    size = gaps["did"].where(gaps["did"].notna(), gaps["gap"]).abs()
    ranked = gaps.assign(_size=size).sort_values("_size", ascending=False)
    said = [
        (kind, text)
        for kind in (GAP, NO_GAP)
        for text in ranked.loc[ranked["verdict"] == kind, "statement"].head(_STATEMENTS)
    ]
    for name, part in gaps[gaps["verdict"] == SATURATED].groupby(condition):
        said.append((SATURATED, _lost(str(name), part)))
    open_ = gaps[gaps["verdict"] == NOT_ENOUGH].sort_values("speakers_needed")
    if len(open_) == 1:
        said.append((NOT_ENOUGH, str(open_["statement"].iloc[0])))
    elif len(open_):
        text = f"{len(open_)} comparisons cannot be decided with these data. The one that the least would settle: "
        said.append((NOT_ENOUGH, text + str(open_["statement"].iloc[0])))
    return said


def _lost(condition: str, part: pd.DataFrame) -> str:
    rates = [*part["wer"], *part["reference_wer"]]
    return (
        f"In {condition} {100 * min(rates):.0f} to {100 * max(rates):.0f} % of the words are lost ({len(part)} comparison{'s' * (len(part) > 1)}): so"
        " near the top a difference shrinks or cannot show. A milder level of this condition would tell."
    )


def _loops(cells: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the cells with the most inserted words for their words, if any has many: what a hallucinating recogniser shows."""
    if "insertions" not in cells:
        return []
    rate = cells["insertions"] / cells["words"].where(cells["words"] > 0)
    ranked = cells.assign(insertion_rate=rate).sort_values("insertion_rate", ascending=False)
    return _records(ranked[ranked["insertion_rate"] > 0.05].head(5))


def _reasons(scores: pd.DataFrame) -> list[tuple[str, int]]:
    return [(str(reason), int(count)) for reason, count in scores["reason"].dropna().value_counts().head(10).items()]


def _people(scores: pd.DataFrame, group: str, speaker: str) -> list[dict[str, Any]]:
    grouped = scores.groupby(group, dropna=False)
    return [
        {"group": "unknown" if not isinstance(name, str) else name, "speakers": int(part[speaker].dropna().nunique()), "samples": len(part),
         "words": int(part["words"].sum())}
        for name, part in grouped
    ]  # fmt: skip


def worst_samples(result: Evaluation, most: int = _WORST) -> list[dict[str, Any]]:
    """Return the samples with the highest WER, one a cell, cells with a gap first, with the words side by side."""
    scores, settings = result.scores, result.comparison.settings
    group, condition = settings["group"], settings["condition"]
    usable = scores[scores["hits"].notna() & (scores["words"] > 0)]
    if usable.empty:
        return []
    errors = usable[["substitutions", "deletions", "insertions"]].astype(int).sum(axis=1)
    gaps = {(r[group], r[condition]) for r in _records(result.comparison.gaps) if r["verdict"] == GAP}
    keys = list(zip(usable[group], usable[condition]))
    ranked = usable.assign(
        _wer=errors / usable["words"].astype(int), _errors=errors, _first=[key not in gaps for key in keys]
    )
    # an empty answer is bad and says nothing to the ear; what was heard wrongly does
    ranked = ranked.assign(_empty=ranked["hypothesis_words"] == 0).sort_values(
        ["_first", "_empty", "_wer"], ascending=[True, True, False]
    )
    chosen = ranked.drop_duplicates([group, condition]).head(most)
    return [_worst(row, result, group, condition) for row in _records(chosen)]


def _worst(row: Mapping[str, Any], result: Evaluation, group: str, condition: str) -> dict[str, Any]:
    words = normalizer(result.settings.normalizer).words
    found = align(words(str(row["text"])), words(str(row["hypothesis"] or "")))
    return {
        "sample_id": row["sample_id"], "group": row[group] or "unknown", "condition": row[condition], "wer": row["_wer"], "errors": row["_errors"],
        "audio": _player(row.get("audio_path")),
        "columns": list(zip(found.ops, found.reference, found.hypothesis)),
    }  # fmt: skip


def _player(audio_path: Any) -> str | None:
    """Return the address of a recording beside the page; one inside a shard has none."""
    return "../" + quote(str(audio_path)) if audio_path and "#" not in str(audio_path) else None


def summary_lines(result: Evaluation) -> Iterable[str]:
    """Yield what the command prints when it is done."""
    content = gather(result)
    yield from content["notes"]
    for name, _, count, _ in content["verdicts"]:
        if count:
            yield f"{count} of {len(content['gaps'])} comparisons: {name}"
    yield from (f"  {statement}" for verdict, statement in content["statements"] if verdict in (GAP, NOT_ENOUGH))
    lost = Counter(row[content["condition"]] for row in content["gaps"] if row["verdict"] == SATURATED)
    if lost:
        yield "  so much is lost that a difference cannot show: " + ", ".join(
            f"{c} ({n} times)" for c, n in sorted(lost.items())
        )
    named = content["slices"]
    if named:
        yield "slices that fare worse than their speakers, conditions and sentences let expect:"
        yield from (
            f"  {row['slice']}: {row['errors']} errors, {number(row['expected'])} expected ({row['speakers']} speakers)"
            for row in named
        )
    elif not content["slices_note"]:
        yield f"{content['no_slice'][0].lower()}{content['no_slice'][1:]}"
