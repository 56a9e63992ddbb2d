"""A history as files: tables, JSON, the picture, and a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from roomtone.core.bounded.regular_files import read_text
from roomtone.core.files import refuse_links, write_whole
from roomtone.coverage.views.figure_files import as_svg, save_figure
from roomtone.coverage.views.matrix_view.embed import CONTENT_POLICY, page_style
from roomtone.fairness.report.formatting import number, percent, points
from roomtone.fairness.results import write_table
from roomtone.fairness.versions.history import GROWS, SHRINKS, History

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Of Okabe and Ito's colours: a gap that grows, one that shrinks; the others.
_COLOURS = {GROWS: "#d55e00", SHRINKS: "#0072b2"}
_OTHER = "#9a9a9a"


def write_history(found: History, folder: Path) -> Path:
    """Write `index.html`, `versions.csv`, `trends.csv`, `history.json`, `history.png` and `history.svg`; return the page.

    Args:
        found: the history.
        folder: where; made if it is missing.

    Raises:
        RoomtoneError: a link lies where something would be written.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    folder.mkdir(parents=True, exist_ok=True)
    refuse_links(folder)
    write_table(found.versions, folder / "versions.csv")
    write_table(found.trends, folder / "trends.csv")
    summary = {
        "headline": found.headline(), "versions": list(found.names), "group": found.group, "samples": found.samples, "left_out": found.left_out,
        "trends": json.loads(found.trends.to_json(orient="records", double_precision=6)),
    }  # fmt: skip
    write_whole(folder / "history.json", (json.dumps(summary, indent=2, ensure_ascii=False) + "\n").encode())
    figure = draw(found)
    for ending in ("png", "svg"):
        save_figure(figure, folder / f"history.{ending}")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": percent, "points": points, "number": number, "count": lambda n: f"{int(n):,}"}
    here = Path(__file__)
    style = page_style() + read_text(here.parent.parent / "report" / "report.css")
    text = environment.from_string(read_text(here.with_name("history.html"))).render(
        style=Markup(style), policy=CONTENT_POLICY, found=found, picture=Markup(as_svg(figure)), trends=found.trends.to_dict("records"),
        versions=found.versions.to_dict("records"),
    )  # fmt: skip
    return write_whole(folder / "index.html", text.encode())


def draw(found: History) -> Figure:
    """Return the picture: WER and gap of each group over the versions; those whose gap has a trend in colour.

    Args:
        found: the history.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4), dpi=110, layout="constrained")
    panels = figure.subplots(1, 2)
    places = range(len(found.names))
    for row in found.trends.to_dict("records"):
        name, colour = str(row[found.group]), _COLOURS.get(row["verdict"], _OTHER)
        own = found.versions[found.versions[found.group] == row[found.group]]
        for axes, column in zip(panels, ("wer", "gap")):
            values = 100 * own[column].to_numpy(float)
            axes.plot(places, values, "o-", color=colour, linewidth=2.2 if colour != _OTHER else 1, markersize=5)
            axes.annotate(
                name,
                (len(found.names) - 1, values[-1]),
                (6, 0),
                textcoords="offset points",
                va="center",
                fontsize="small",
                color=colour,
            )
    panels[1].axhline(0, color="#222222", linewidth=1, linestyle=(0, (4, 3)))
    for axes, label in zip(panels, ("word error rate, %", "WER less that of all others, points")):
        axes.set_xticks(list(places), list(found.names), rotation=30 if len(found.names) > 5 else 0)
        axes.set_xlim(-0.2, len(found.names) - 1 + 0.25 * max(1, len(found.names) - 1))
        axes.set_ylabel(label)
        axes.spines[["top", "right"]].set_visible(False)
    return figure
