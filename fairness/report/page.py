"""The report of an evaluation: one HTML page that needs nothing else, the same in Markdown, and a card for the recogniser.

Everything that comes from a set or a recogniser reaches the page escaped. The numbers on the page are those of the CSV tables, which a
test compares. Thin and saturated cells are grey: a colour would claim what the data cannot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from roomtone.core.bounded.regular_files import read_text
from roomtone.core.files import write_whole
from roomtone.coverage.views.matrix_view.embed import CONTENT_POLICY, page_style
from roomtone.coverage.views.matrix_view.static_table import breakable
from roomtone.fairness.comparison.verdicts import GAP
from roomtone.fairness.evaluation import Evaluation
from roomtone.fairness.report.charts import ranked_groups, snr_charts, speaker_points, ticks
from roomtone.fairness.report.content import gather
from roomtone.fairness.report.formatting import between, detectable, number, percent, points, sign
from roomtone.fairness.report.headline import headline
from roomtone.fairness.report.markdown import card, markdown
from roomtone.fairness.report.matrix import report_matrix
from roomtone.fairness.report.samples import page_samples
from roomtone.fairness.report.wording import CONTEXT, wer_lines

__all__ = ["summary_lines", "write_report"]


def write_report(result: Evaluation) -> list[Path]:
    """Write `report.html`, `report.md` and `card.md` below `evaluation/` and return their paths.

    The samples of the matrix' cells go into `report-files/` beside the page.

    Args:
        result: of the evaluation.
    """
    content = gather(result) | page_samples(result)
    content["headline"] = headline(content)
    page = content | _pictures(result) | {"component": report_matrix(result, result.folder / "report.html")}
    texts = {"report.html": _html(page), "report.md": markdown(content), "card.md": card(content)}
    return [write_whole(result.folder / name, text.encode()) for name, text in texts.items()]


def _html(content: Mapping[str, Any]) -> str:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "percent": percent, "points": points, "number": number, "detectable": detectable, "count": lambda n: f"{int(n):,}", "ticks": ticks, "sign": sign,
        "between": between, "between_shares": partial(between, form=percent),
        "breakable": lambda name: Markup(breakable(str(name))),
    }  # fmt: skip
    here = Path(__file__)
    style = page_style() + read_text(here.with_name("report.css"))
    template = environment.from_string(read_text(here.with_name("report.html")))
    return template.render(content, style=Markup(style), policy=CONTENT_POLICY)


def _pictures(result: Evaluation) -> dict[str, Any]:
    """Return what the page's pictures are drawn from."""
    comparison, scores = result.comparison, result.scores
    settings = comparison.settings
    ranked, top = ranked_groups(comparison.cells, comparison.accents, settings)
    order = [row.name for row in ranked]
    people, people_top = speaker_points(scores, settings, order)
    factors = [name for name in ("noise", "equipment") if name in scores]
    labels = scores[[settings["condition"], *factors]].drop_duplicates(settings["condition"])
    return {
        "ranked": ranked, "ranked_top": top, "people": people, "people_top": people_top,
        "snr_charts": snr_charts(comparison.cells, labels, settings, order),
    }  # fmt: skip


def summary_lines(result: Evaluation) -> Iterable[str]:
    """Yield what the command prints when it is done.

    Args:
        result: of the evaluation.
    """
    content = gather(result)
    yield from content["notes"]
    ranked, _ = ranked_groups(result.comparison.cells, result.comparison.accents, result.comparison.settings)
    yield from wer_lines([(row.name, row.average.rate) for row in ranked], content)
    yield headline(content)
    yield from (f"  {text}" for _, text in content["findings"][1:])
    yield from (f"  {text}" for text in content["other_findings"][0 if content["findings"] else 1 :])
    if content["context"]:
        yield f"context, {CONTEXT}:"
    yield from (f"  context: {text}" for text in content["context"])
    for name, _, count, _ in content["verdicts"]:
        if count:
            yield f"{count} of {len(content['gaps'])} cells: {name}"
    yield from (f"  {text}" for verdict, text in content["statements"] if verdict not in (GAP, "no_gap"))
    if content["slices"]:
        yield "slices with more errors than their speakers, conditions and sentences predict:"
        yield from (
            f"  {row['slice']}: {row['errors']} errors, {number(row['expected'])} expected ({row['speakers']} speakers)"
            for row in content["slices"]
        )
    elif not content["slices_note"]:
        yield f"{content['no_slice'][0].lower()}{content['no_slice'][1:]}"
