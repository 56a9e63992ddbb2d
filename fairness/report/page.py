"""The report of an evaluation: one HTML page that needs nothing else, the same in Markdown, and a card for the recogniser.

Everything that comes from a set or a recogniser reaches the page escaped. The numbers on the page are those of the CSV tables, which a
test compares. Thin and saturated cells are grey: a colour would claim what the data cannot.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from roomtone.fairness.comparison.verdicts import GAP
from roomtone.fairness.evaluation import Evaluation
from roomtone.fairness.report.content import gather, headline, shade
from roomtone.fairness.report.formatting import detectable, number, percent, points
from roomtone.fairness.report.markdown import card, markdown

__all__ = ["shade", "summary_lines", "write_report"]


def write_report(result: Evaluation) -> list[Path]:
    """Write `report.html`, `report.md` and `card.md` below `evaluation/` and return their paths.

    Args:
        result: of the evaluation.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "percent": percent, "points": points, "number": number, "detectable": detectable, "count": lambda n: f"{int(n):,}",
    }  # fmt: skip
    template = environment.from_string(Path(__file__).with_name("report.html").read_text(encoding="utf-8"))
    content = gather(result)
    content["headline"] = headline(content)
    result.folder.mkdir(parents=True, exist_ok=True)
    texts = {"report.html": template.render(content), "report.md": markdown(content), "card.md": card(content)}
    for name, text in texts.items():
        (result.folder / name).write_text(text, encoding="utf-8")
    return [result.folder / name for name in texts]


def summary_lines(result: Evaluation) -> Iterable[str]:
    """Yield what the command prints when it is done.

    Args:
        result: of the evaluation.
    """
    content = gather(result)
    yield from content["notes"]
    yield headline(content)
    yield from (f"  {text}" for _, text in content["findings"][1:])
    yield from (f"  context: {text}" for text in content["context"])
    yield from (f"  {text}" for text in content["hallucination_gaps"])
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
