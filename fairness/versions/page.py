"""The page of two evaluations: who got better, whose gap narrowed, and the matrix with what changed in each cell."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.bounded.regular_files import read_text
from roomtone.core.files import write_whole
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.views.matrix_view import Layer, MatrixData, Table, embed, static_tables
from roomtone.coverage.views.matrix_view.coverage_layers import nice_top
from roomtone.coverage.views.matrix_view.embed import CONTENT_POLICY, page_style
from roomtone.fairness.report.charts import axis_top, ticks
from roomtone.fairness.report.formatting import number, percent, points
from roomtone.fairness.report.matrix import header_factors
from roomtone.fairness.versions.comparison import VersionComparison
from roomtone.fairness.versions.verdicts import NARROWED, NOT_ENOUGH, SAME, TURNED, WIDENED

if TYPE_CHECKING:
    import pandas as pd

#: How a verdict on a gap reads, and its sign.
WORDS = {
    WIDENED: ("▲", "gap widened"), TURNED: ("↔", "gap turned round"), NARROWED: ("▽", "gap narrowed"), SAME: ("=", "no change that matters"),
    NOT_ENOUGH: ("?", "not enough data"), "": ("", "the others are compared with it"),
}  # fmt: skip
_OWN = {
    "better": "better",
    "worse": "worse",
    "no_change": "no change that matters",
    "not_enough_data": "cannot be told",
}


@dataclass(frozen=True)
class Arrow:
    """One group's WER before and after on the picture's axis, in per cent of its width."""

    name: str
    before: float
    after: float
    left: float
    width: float
    row: dict[Any, Any]


def write_page(found: VersionComparison, folder: Path) -> Path:
    """Write `index.html` and return its path.

    Args:
        found: what changed.
        folder: where.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "percent": percent,
        "points": points,
        "number": number,
        "ticks": ticks,
        "count": lambda n: f"{int(n):,}",
    }
    here = Path(__file__)
    report = here.parent.parent / "report" / "report.css"
    style = page_style() + read_text(report) + read_text(here.with_name("versions.css"))
    arrows, top = _arrows(found)
    data = matrix_data(found)
    template = environment.from_string(read_text(here.with_name("versions.html")))
    text = template.render(
        style=Markup(style), policy=CONTENT_POLICY, found=found, headline=found.headline(), group=found.group, arrows=arrows, top=top,
        words=WORDS, own=_OWN, settings=found.changes.settings, facts=found.changes.facts,
        component=Markup(embed(data, static_tables(data, ("change", "gap_change")))),
    )  # fmt: skip
    return write_whole(folder / "index.html", text.encode())


def _arrows(found: VersionComparison) -> tuple[list[Arrow], float]:
    rows = found.changes.accents.to_dict("records")
    top = axis_top([row[key] for row in rows for key in ("wer_before", "wer_after")])
    arrows = []
    for row in sorted(rows, key=lambda row: -row["wer_after"]):
        before, after = (min(100.0, 100 * row[key] / top) for key in ("wer_before", "wer_after"))
        arrows.append(Arrow(str(row[found.group]), before, after, min(before, after), abs(after - before), row))
    return arrows, top


def matrix_data(found: VersionComparison) -> MatrixData:
    """Return what the matrix component shows of two evaluations.

    Args:
        found: what changed.
    """
    cells, group, condition = found.changes.cells, found.group, str(found.changes.settings["condition"])
    rows = sorted(set(cells[group].map(str)))
    columns = Axis(condition).order(cells[condition].map(str))
    tables = ChangeTables(cells, found.changes.accents, group, condition)
    layers = [
        _rate("after", f"WER of {found.after.name}", tables.placed(rows, columns, "wer_after")),
        _rate("before", f"WER of {found.before.name}", tables.placed(rows, columns, "wer_before")),
    ]
    if found.changes.settings["scale"] != "ratio":
        layers = [*tables.layers(rows, columns), *layers]
    said = {(str(r[group]), str(r[condition])): str(r["statement"]) for r in cells.to_dict("records")}
    return MatrixData(
        name=f"{found.after.name} against {found.before.name}", row_axis=group, row_names=rows, column_axis=condition, column_names=columns,
        factors=header_factors(found.changes.levels, columns, condition), layers=layers, first=layers[0].id,
        sentences=[said.get((row, column)) for row in rows for column in columns], nothing_to_do="Both evaluations have every cell.",
    )  # fmt: skip


@dataclass(frozen=True)
class ChangeTables:
    """What changed by cell and by group, as layers of a matrix.

    Attributes:
        cells, accents: of `Changes`.
        group, condition: their columns of names.
        since: what the change is counted from, behind the layers' names; empty where the page says it.
    """

    cells: pd.DataFrame
    accents: pd.DataFrame
    group: str
    condition: str
    since: str = ""

    def layers(self, rows: Sequence[str], columns: Sequence[str]) -> list[Layer]:
        """Return the change of WER and that of the gap, for changes on the scale of differences.

        Args:
            rows: names of the groups.
            columns: names of the conditions.
        """
        text = "The number is the change of the word error rate in points: below zero is better."
        beside = "The number is by how many points more (or fewer) the word error rate of this group changed than that of what it is compared with."
        return [
            _change("change", f"change of WER{self.since}", text, self.placed(rows, columns, "change")),
            _change("gap_change", f"change of the gap{self.since}", beside, self.placed(rows, columns, "gap_change")),
        ]

    def placed(self, rows: Sequence[str], columns: Sequence[str], name: str) -> Table:
        """Return a column of the changes by cell, the groups' own figures over all conditions as the margin.

        Args:
            rows, columns: names of the matrix; what they lack is left out.
            name: of the column.
        """
        found = np.full((len(rows), len(columns)), math.nan)
        place = {label: i for i, label in enumerate(rows)}, {label: i for i, label in enumerate(columns)}
        for one, other, value in zip(self.cells[self.group], self.cells[self.condition], self.cells[name]):
            if str(one) in place[0] and str(other) in place[1]:
                found[place[0][str(one)], place[1][str(other)]] = value
        margin = _by_group(self.accents, self.group, name)
        own = np.array([margin.get(row, math.nan) for row in rows])
        return Table(found, rows=own, columns=_means(found), all=float(_means(own[:, None])[0]))


def _means(cells: np.ndarray) -> np.ndarray:
    """Return the mean of what is known in each column, NaN where nothing is [shape=(columns,)]."""
    known = np.isfinite(cells)
    count = known.sum(axis=0)
    found: np.ndarray = np.where(count > 0, np.where(known, cells, 0).sum(axis=0) / np.maximum(count, 1), math.nan)
    return found


def _by_group(frame: pd.DataFrame, group: str, name: str) -> dict[str, float]:
    return dict(zip(frame[group].map(str), frame[name].astype(float)))


def _rate(name: str, label: str, table: Table) -> Layer:
    text = "The number is the word error rate in per cent."
    return Layer(
        id=name, family="evaluation", label=label, help=text, fields={"value": table}, format="percent", colour="ramp",
        domain=(0.0, nice_top(_largest(table))), better="low", margin_help="are means over conditions and groups, each weighing the same",
    )  # fmt: skip


def _change(name: str, label: str, text: str, table: Table) -> Layer:
    return Layer(
        id=name, family="evaluation", label=label, help=text, fields={"value": table}, format="points", colour="diverging",
        domain=(0.0, nice_top(_largest(table))), better="low", margin_help="are means over conditions and groups, each weighing the same",
    )  # fmt: skip


def _largest(table: Table) -> float:
    values = np.abs(np.asarray(table.cells, dtype=float))
    return float(np.nanmax(values)) if np.isfinite(values).any() else 0.0
