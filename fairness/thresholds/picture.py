"""The picture of thresholds: each group's rate over the steps, and beside it where each passes the limit, with its interval.

The group that passes the limit first and the one that passes it last are drawn in colour; the others grey, since a dozen colours are told apart by nobody.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.fairness.thresholds.answers import Thresholds
from roomtone.fairness.thresholds.wording import ALWAYS, AT, NEVER, UNKNOWN, Wording

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: First and last group, of Okabe and Ito's colours, which are told apart by the colour-blind too; the others.
_FIRST, _LAST, _OTHER = "#d55e00", "#0072b2", "#9a9a9a"
_INK, _RULE = "#222222", "#c8c8c8"


def draw(found: Thresholds) -> Figure:
    """Return the picture, made without pyplot.

    Args:
        found: the answers.
    """
    from matplotlib.figure import Figure

    count = len(found.accents)
    figure = Figure(figsize=(11, max(3.6, 1.7 + 0.3 * count)), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1))
    colours = _colours(found)
    _draw_rates(left, found, colours)
    _draw_thresholds(right, found, colours)
    for axes in (left, right):
        _draw_axis(axes, found)
    return figure


def _colours(found: Thresholds) -> dict[str, str]:
    names = [str(name) for name in found.accents[found.group]]
    known = [name for name in names if np.isfinite(found.curves[name].se).all()]
    return dict.fromkeys(names, _OTHER) | dict.fromkeys(known[-1:], _LAST) | dict.fromkeys(known[:1], _FIRST)


def _draw_axis(axes: Axes, found: Thresholds) -> None:
    """Draw the axis of the steps; it gets milder to the right."""
    steps = found.steps
    span = float(np.ptp(steps.values))
    ends = float(steps.values.min()) - 0.08 * span, float(steps.values.max()) + 0.08 * span
    axes.set_xlim(*(ends if steps.lower_is_worse else ends[::-1]))
    axes.set_xticks(steps.values, [f"{value:g}" for value in steps.values])
    axes.set_xlabel(f"{steps.source or steps.factor}, {steps.unit or 'value'} (milder to the right)")
    axes.spines[["top", "right"]].set_visible(False)


def _draw_rates(axes: Axes, found: Thresholds, colours: dict[str, str]) -> None:
    """Draw the curves with what was counted; a band of one interval for the two groups in colour."""
    from scipy.special import stdtrit

    asked, steps, rates = found.question, found.steps, found.rates
    others = [name for name in found.curves if colours[name] == _OTHER]
    for name, curve in found.curves.items():
        colour = colours[name]
        strong = colour != _OTHER
        places = [steps.value_of(float(s)) for s in curve.grid]
        axes.plot(
            places,
            100 * curve.as_shares(),
            color=colour,
            linewidth=2.2 if strong else 1,
            zorder=3 if strong else 1,
            label=name if strong else _others(others) if name == others[0] else None,
        )
        own = rates[rates[found.group] == name]
        counted = own[own["place"].notna()]
        base = own.loc[own["place"].isna(), "wer"].sum() if asked.is_cost else 0.0
        axes.plot(
            counted["place"],
            100 * (counted["wer"] - base),
            "o",
            color=colour,
            markersize=5 if strong else 3,
            zorder=3 if strong else 1,
        )
        if strong and np.isfinite(curve.se).all():
            reach = float(stdtrit(curve.speakers - 1, 1 - asked.alpha / 2))
            axes.fill_between(
                places,
                100 * curve.as_shares(-reach),
                100 * curve.as_shares(reach),
                color=colour,
                alpha=0.12,
                linewidth=0,
            )
    axes.axhline(100 * asked.share, color=_INK, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_ylabel("WER above that without it, points" if asked.is_cost else "word error rate, %")
    axes.set_ylim(top=min(axes.get_ylim()[1], 110), bottom=max(axes.get_ylim()[0], -30) if asked.is_cost else 0)
    axes.legend(
        frameon=False,
        title=f"band: {100 * (1 - asked.alpha):g} % of one place",
        title_fontsize="small",
        alignment="left",
    )


def _others(names: list[str]) -> str:
    """Return what the legend says of the groups in grey."""
    return ", ".join(names) if len(names) < 3 else f"{len(names)} others"


def _draw_thresholds(axes: Axes, found: Thresholds, colours: dict[str, str]) -> None:
    """Draw one row a group: the threshold with its interval, an arrow where it goes on beyond the steps, or the answer in words."""
    rows = found.accents.to_dict("records")
    values = found.steps.values
    low, high = float(values.min()), float(values.max())
    for k, row in enumerate(rows):
        colour = colours[str(row[found.group])]
        colour = _INK if colour == _OTHER else colour
        if row["answer"] in (NEVER, ALWAYS):
            _write(
                axes, (low + high) / 2, k, f"{'below' if row['answer'] == NEVER else 'above'} it at every step", colour
            )
            continue
        if row["answer"] == UNKNOWN and math.isnan(row["low"]) and math.isnan(row["high"]):
            _write(axes, (low + high) / 2, k, "not enough data", colour)
            continue
        _draw_interval(axes, row, k, (low, high), colour, db=found.steps.is_in_db)
    axes.set_yticks(range(len(rows)), [str(row[found.group]) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=_RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    said = Wording(found.steps, found.question)
    axes.set_title(
        f"where {said.cause} costs {said.limit}" if found.question.is_cost else f"where it passes {said.limit}",
        loc="left",
        fontsize="medium",
    )


def _draw_interval(
    axes: Axes, row: dict[Any, Any], k: int, ends: tuple[float, float], colour: str, *, db: bool
) -> None:
    low, high = (end if math.isnan(row[key]) else row[key] for key, end in zip(("low", "high"), ends))
    axes.plot([low, high], [k, k], color=colour, linewidth=2, solid_capstyle="butt")
    for key, end, marker in (("low", ends[0], "<"), ("high", ends[1], ">")):
        if math.isnan(row[key]):
            axes.plot([end], [k], marker, color=colour, markersize=7)
    if row["answer"] == AT:
        axes.plot([row["threshold"]], [k], "o", color=colour, markersize=8, markeredgecolor="white")
        axes.annotate(
            f"{row['threshold']:{'.1f' if db else '.3g'}}",
            (row["threshold"], k),
            (0, 6),
            textcoords="offset points",
            ha="center",
            fontsize="small",
            color=colour,
        )
    else:
        _write(axes, (low + high) / 2, k - 0.28, "cannot be told", colour)


def _write(axes: Axes, x: float, y: float, text: str, colour: str) -> None:
    axes.text(
        x,
        y,
        text,
        ha="center",
        va="center",
        color=colour,
        fontsize="small",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )
