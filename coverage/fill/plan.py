"""`design=fill`: few renders that bring a set to its goals, planned before anything is rendered.

The cell furthest behind goes first, so that all grow evenly (the idea of OSVVM's coverage-driven choice of the next stimulus);
in it the speaker goes first whom the cell has least of, then the one least used so far; ties are broken by a hash of the seed.
Cells before margins. Nothing is planned that no goal needs, but for the clean render of an utterance that has none, without
which its other renders could not be compared with anything.

What stays out of reach is named with its reason: no speech, too few speakers, a cap.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import FACTORS
from roomtone.coverage.counting.axes import Axis, identifier, parse_axes
from roomtone.coverage.counting.goals import UNITS, Goals, parse_goals
from roomtone.coverage.fill.search import Target, Work
from roomtone.coverage.fill.speech import Caps, Held, Speech, tie

if TYPE_CHECKING:
    import pandas as pd

    from roomtone.coverage.matrix import CoverageMatrix

_ASSETS = ("noise_asset", "room_asset", "equipment_asset")


@dataclass(frozen=True)
class FillPlan:
    """What to render, and what that brings.

    Attributes:
        assignments: `utterance_id, condition, replicate` in the order of planning, and `why`: the goal served, or `clean pair`.
        before: the coverage of what exists.
        after: the coverage as it will be; its counts of assets are an upper bound, since recipes draw assets later.
        infeasible: goals out of reach: `goal, unit, missing, reason`.
        hours: length of the planned renders.
    """

    assignments: pd.DataFrame
    before: CoverageMatrix
    after: CoverageMatrix
    infeasible: pd.DataFrame
    hours: float


def fill_plan(
    existing: Any,
    clean: pd.DataFrame,
    conditions: Sequence[str],
    goals: Mapping[str, Any] | Goals | None,
    *,
    axes: Any = ("accent", "condition"),
    labels: Mapping[str, Mapping[str, str]] | None = None,
    max_replicates: int = 1,
    max_per_speaker: int | None = None,
    max_per_asset: int | None = None,
    assets: Mapping[str, int] | None = None,
    seed: int = 0,
) -> FillPlan:
    """Return the renders that close what can be closed.

    Args:
        existing: the set as it is: a dataset folder, a manifest DataFrame, or None.
        clean: the speech at hand, one row an utterance: `utterance_id, speaker, words, duration_s`, and a column for every
            speech axis (`accent`, `attr_*`).
        conditions: names of the conditions that can be rendered; `clean` among them for clean pairs.
        goals: see `goals.py`.
        axes: the axes of the cells; a factor as an axis needs `labels`.
        labels: condition -> its level of each factor.
        max_replicates: renders of one utterance in one condition; clean is rendered once whatever it says.
        max_per_speaker: renders of one speaker in the whole set.
        max_per_asset: renders of one recording or realisation.
        assets: condition -> how many recordings or realisations it can draw from.
        seed: breaks ties.

    Raises:
        RoomtoneError: an axis along which nothing can be planned, a column that `clean` lacks, or a cap below 1.
    """
    caps = Caps(max_replicates, max_per_speaker, max_per_asset, dict(assets or {}))
    caps.check()
    parsed, wanted = parse_axes(axes), parse_goals(goals)
    every = _every_axis(parsed, wanted)
    named = list(dict.fromkeys(map(str, conditions)))
    work = Work(
        speech=Speech(clean, [axis for axis in every if not axis.rendered], seed),
        conditions=named,
        labels={name: dict((labels or {}).get(name, {})) for name in named},
        caps=caps,
        seed=seed,
    )
    _check_axes(every, work)
    held = _existing_rows(existing, every, wanted)
    before = _matrix(held, parsed, wanted, work)
    work.start(Held.from_frame(held, every), before.axes, _targets(before, seed), _kept_out(before))
    work.run()
    return _result(work, held, before, parsed, wanted)


def _every_axis(axes: Sequence[Axis], goals: Goals) -> list[Axis]:
    known = {axis.column: axis for axis in axes}
    names = [*known, *(name for rule in goals.margins for name in rule.axes)]
    return [known.get(name, Axis(name)) for name in dict.fromkeys(names)]


def _check_axes(axes: Sequence[Axis], work: Work) -> None:
    for axis in axes:
        labelled = axis.column == "condition" or all(axis.column in work.labels[name] for name in work.conditions)
        if axis.rendered and not labelled:
            raise RoomtoneError(
                f"design=fill: cannot plan along {axis.column!r}, which only a render shows; use condition or a factor"
            )


def _existing_rows(existing: Any, axes: Sequence[Axis], goals: Goals) -> pd.DataFrame:
    """Return what is there already, with the columns that counting uses."""
    import pandas as pd

    from roomtone.coverage.counting.source import open_source

    named = [
        "sample_id",
        "utterance_id",
        "speaker",
        "accent",
        "condition",
        "replicate",
        "words",
        "duration_s",
        *FACTORS,
        *_ASSETS,
    ]
    rules = [*goals.illegal, *goals.ignore, *goals.cells, *goals.weights]
    wanted = list(dict.fromkeys([*named, *(axis.column for axis in axes), *(n for rule in rules for n in rule.where)]))
    if existing is None or (hasattr(existing, "columns") and len(existing) == 0):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in wanted})
    with open_source(existing) as opened:
        columns = ", ".join(identifier(name) for name in wanted if name in opened.columns)
        frame = opened.connection.execute(f"SELECT {columns} FROM {opened.relation}").df()
    frame = frame.reindex(columns=wanted)
    if frame["sample_id"].isna().all():  # a table without ids: every row is a sample
        frame["sample_id"] = [f"held-{i}" for i in range(len(frame))]
    return frame


def _matrix(rows: pd.DataFrame, axes: Sequence[Axis], goals: Goals, work: Work) -> CoverageMatrix:
    from roomtone.coverage.matrix import CoverageMatrix

    levels: dict[str, list[str]] = {}
    for axis in axes:
        if axis.column == "condition":
            levels["condition"] = work.conditions
        elif axis.rendered:
            levels[axis.column] = [work.labels[name][axis.column] for name in work.conditions]
        else:
            levels[axis.column] = sorted({value for keys in work.speech.keys for value in keys[axis.column]})
    # an empty column does not say what it would hold
    typed = rows.astype({"words": "Int64", "duration_s": "float64"})
    return CoverageMatrix(typed, axes=axes, goals=goals, levels=levels)


def _targets(before: CoverageMatrix, seed: int) -> list[Target]:
    """Return the goals that something is missing of: first the cells, then the margins."""
    frame = before.to_frame()
    short = frame[frame["status"].isin(["empty", "partial"])]
    targets = [_target(row, before.axes, seed, phase=0) for row in short.to_dict("records")]
    margins = before.margins()
    for row in margins[margins["covered_share"].astype(float) < 1].to_dict("records"):
        names = row["margin"].split(" x ")
        values = dict(zip(names, row["value"].split(" x ")))
        targets.append(_target({**row, **values}, names, seed, phase=1))
    return targets


def _target(row: Mapping[Any, Any], axes: Sequence[str], seed: int, *, phase: int) -> Target:
    where = tuple((axis, str(row[axis])) for axis in axes)
    return Target(
        where=where,
        goal={unit: float(row[f"goal_{unit}"]) for unit in UNITS},
        counts={unit: float(row[unit]) for unit in UNITS},
        phase=phase,
        tie=tie(seed, *(value for _, value in where)),
        weight=float(row.get("weight", 1.0)),
    )


def _kept_out(before: CoverageMatrix) -> dict[tuple[tuple[str, str], ...], str]:
    """Return the illegal and ignored cells, by their values."""
    frame = before.to_frame()
    out = frame[frame["status"].isin(["illegal", "ignored"])]
    return {tuple((axis, row[axis]) for axis in before.axes): row["status"] for row in out.to_dict("records")}


def _result(work: Work, held: pd.DataFrame, before: CoverageMatrix, axes: Sequence[Axis], goals: Goals) -> FillPlan:
    import pandas as pd

    columns = ["utterance_id", "condition", "replicate", "why"]
    plan = [(work.speech.ids[u], condition, replicate, why) for u, condition, replicate, why in work.planned]
    assignments = pd.DataFrame(plan, columns=columns).astype({"replicate": "int64"})
    infeasible = pd.DataFrame(work.infeasible, columns=["goal", "unit", "missing", "reason"])
    new = _planned_rows(work)
    rows = (
        pd.concat([held, new.reindex(columns=held.columns)], ignore_index=True)
        if len(held)
        else new.reindex(columns=held.columns)
    )
    hours = sum(work.speech.minutes[u] for u, *_ in work.planned) / 60
    return FillPlan(assignments, before, _matrix(rows, axes, goals, work) if len(new) else before, infeasible, hours)


def _planned_rows(work: Work) -> pd.DataFrame:
    """Return the planned renders as manifest rows; each may draw an asset of its own."""
    import pandas as pd

    speech = work.speech.rows.to_dict("records")
    rows = []
    for n, (u, condition, replicate, _) in enumerate(work.planned):
        assets = work.caps.assets.get(condition, len(work.planned))
        asset = None if condition == "clean" else f"planned-{n % max(assets, 1)}"
        own: dict[Hashable, Any] = {
            "sample_id": f"planned-{n}",
            "condition": condition,
            "replicate": replicate,
            "noise_asset": asset,
        }
        labels: dict[Hashable, Any] = dict(work.labels[condition].items())
        rows.append({**speech[u], **labels, **own})
    return pd.DataFrame(rows)
