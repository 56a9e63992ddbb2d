"""Thresholds as files: a page, tables, JSON and the picture."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from roomtone.core.bounded.regular_files import read_text
from roomtone.core.files import refuse_links, write_whole
from roomtone.coverage.views.figure_files import as_svg, save_figure
from roomtone.coverage.views.matrix_view.embed import CONTENT_POLICY, page_style
from roomtone.fairness.report.formatting import number, percent
from roomtone.fairness.results import write_table
from roomtone.fairness.thresholds.answers import Thresholds
from roomtone.fairness.thresholds.picture import draw
from roomtone.fairness.thresholds.steps import as_json
from roomtone.fairness.thresholds.wording import NAMES, Wording


def folder_name(found: Thresholds) -> str:
    """Return the name of the folder for the answers to one question.

    Args:
        found: the answers.
    """
    asked = found.question
    limit = f"cost-{asked.share:g}" if asked.is_cost else f"wer-{asked.share:g}"
    return "-".join(part for part in (found.steps.factor, found.steps.source, limit) if part).replace("/", "_")


def write_thresholds(found: Thresholds, folder: Path) -> Path:
    """Write `index.html`, `thresholds.csv`, `rates.csv`, `thresholds.json`, `thresholds.png` and `thresholds.svg`; return the page.

    Args:
        found: the answers.
        folder: where; made if it is missing.

    Raises:
        RoomtoneError: a link lies where something would be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    refuse_links(folder)
    write_table(found.accents, folder / "thresholds.csv")
    write_table(found.rates, folder / "rates.csv")
    summary = {
        "headline": found.headline(), "question": dataclasses.asdict(found.question), "steps": as_json(found.steps), "group": found.group,
        "accents": json.loads(found.accents.to_json(orient="records", double_precision=6)),
    }  # fmt: skip
    write_whole(folder / "thresholds.json", (json.dumps(summary, indent=2, ensure_ascii=False) + "\n").encode())
    figure = draw(found)
    for ending in ("png", "svg"):
        save_figure(figure, folder / f"thresholds.{ending}")
    return write_whole(folder / "index.html", _page(found, as_svg(figure)).encode())


def _page(found: Thresholds, picture: str) -> str:
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": percent, "number": number, "count": lambda n: f"{int(n):,}"}
    here = Path(__file__)
    style = page_style() + read_text(here.parent.parent / "report" / "report.css")
    template = environment.from_string(read_text(here.with_name("thresholds.html")))
    said = Wording(found.steps, found.question)
    return template.render(
        style=Markup(style), policy=CONTENT_POLICY, found=found, title=said.title(found.group), said=said, names=NAMES, picture=Markup(picture),
        rows=found.accents.to_dict("records"), rates=found.rates.to_dict("records"), alpha=found.question.alpha,
    )  # fmt: skip
