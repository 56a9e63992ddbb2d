"""`design=fill` and designs under a budget: which utterance in which condition, planned before anything is rendered.

Without a budget: few renders that bring a set to its goals. The target furthest behind for its weight goes first, so that all grow
evenly (OSVVM's coverage-driven choice of the next stimulus, and weighted fair queueing); the render that brings most for what it costs is
taken, a clean render counted in, without which its copies could not be compared with anything. What is planned so is pruned, and
made smaller: exactly where it is small (`exact.py`), else by planning parts of it anew (`improve.py`).

With a budget the plan is in the order in which stopping at any moment loses least, and is cut where the budget ends. Where nobody
stated goals, the budget is spread over all cells in proportion to their weights.

What stays out of reach is named with its reason: no speech, too few speakers, a cap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import CLEAN, FACTORS
from roomtone.coverage.counting.goals import Goals
from roomtone.coverage.fill import budget as budgets
from roomtone.coverage.fill.budget import Budget
from roomtone.coverage.fill.exact import fewest_renders
from roomtone.coverage.fill.greedy import Growth, Render
from roomtone.coverage.fill.improve import prune, replan
from roomtone.coverage.fill.inputs import AssetsOf, Inputs, Pools, draws_of, existing_rows, hold, matrix_of, read_inputs
from roomtone.coverage.fill.limits import Limits
from roomtone.coverage.fill.reasons import out_of_reach
from roomtone.coverage.fill.tally import Tally
from roomtone.coverage.fill.targets import Drafts, Targets, cell_targets, combination_targets, kept_out

if TYPE_CHECKING:
    import pandas as pd

    from roomtone.coverage.matrix import CoverageMatrix

#: Plans of so many renders are made smaller by planning parts anew; larger ones are pruned alone.
_REPLANNED, _STEPS = 3_000, 150


@dataclass(frozen=True)
class FillPlan:
    """What to render, and what that brings.

    Attributes:
        assignments: `utterance_id, condition, replicate` in the order of planning, and `why`: the target served, or `clean pair`.
        before: the coverage of what exists.
        after: the coverage as it will be; its counts of assets are an upper bound, since recipes draw assets later.
        infeasible: goals out of reach: `goal, unit, missing, reason`.
        hours: length of the planned renders.
        milestones: what is reached after 10, 50 and 100 % of the renders.
        first: whether cells or combinations of levels go first.
    """

    assignments: pd.DataFrame
    before: CoverageMatrix
    after: CoverageMatrix
    infeasible: pd.DataFrame
    hours: float
    milestones: pd.DataFrame
    first: str = "cells"

    def lines(self) -> list[str]:
        """Return the milestones as text, a line each."""
        order = "combinations of levels first" if self.first == "t_way" else "cells first"
        return [
            f"after {100 * row['share']:.0f} % ({row['renders']:,} renders, {row['hours']:.2f} h; {order}): "
            f"{row['cells_met']:,} of {row['cells']:,} cells meet their goals, {100 * row['goals_reached']:.0f} % of the goals, "
            f"{100 * row['combinations']:.0f} % of the combinations"
            for row in self.milestones.to_dict("records")
        ]


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
    assets: Pools | AssetsOf | None = None,
    seed: int = 0,
    budget: Budget | None = None,
    utterances_per_condition: int | None = None,
    first: Literal["cells", "t_way"] = "cells",
    strength: int = 2,
) -> FillPlan:
    """Return the renders that close what can be closed, or as much of it as a budget allows.

    Args:
        existing: the set as it is: a dataset folder, a manifest DataFrame, or None.
        clean: the available speech, one row an utterance: `utterance_id, speaker, words, duration_s`, and a column for every
            speech axis (`accent`, `attr_*`).
        conditions: names of the conditions that can be rendered; `clean` among them for clean pairs.
        goals: see `counting/goal_parsing.py`.
        axes: the axes of the cells; a factor as an axis needs `labels`.
        labels: condition -> its level of each factor.
        max_replicates: renders of one utterance in one condition; clean is rendered once whatever it says.
        max_per_speaker: renders of one speaker in the whole set.
        max_per_asset: renders of one recording or realisation, over all conditions that use it.
        assets: what conditions draw from: condition -> number of assets, or condition -> {pool: number} where conditions share a
            pool; or a function that names what each render will draw.
        seed: breaks ties.
        budget: renders or hours at most.
        utterances_per_condition: distinct utterances of each condition at most, clean aside.
        first: `cells`, or `t_way`: combinations of the factors' levels before cells.
        strength: of those combinations.

    Raises:
        RoomtoneError: an axis along which nothing can be planned, a column that `clean` lacks, or a cap or budget below 1.
    """
    caps = {"max_replicates": max_replicates, "max_per_speaker": max_per_speaker, "max_per_asset": max_per_asset}
    _check_caps({**caps, "utterances_per_condition": utterances_per_condition}, first)
    limit = budget or Budget()
    inputs = read_inputs(clean, conditions, goals, axes, labels, seed)
    held = existing_rows(existing, inputs)
    before = matrix_of(held, inputs)
    weighed = tuple({axis for rule in inputs.goals.weights for axis in rule.where})
    drafts = Drafts(seed, weighed)
    if first == "t_way":
        combination_targets(held[list(FACTORS)].to_dict("records"), inputs.conditions, inputs.labels, strength, drafts)  # type: ignore[arg-type]
    spread = not inputs.goals.stated and (limit.limited or utterances_per_condition is not None)
    cell_targets(
        before, drafts, {"renders": float(max(1, len(inputs.speech.ids)) * max_replicates)} if spread else None
    )
    targets = drafts.finished(inputs.speech, inputs.conditions, inputs.labels)
    limits = Limits(
        inputs.speech.voices,
        len(inputs.conditions),
        inputs.conditions.index(CLEAN) if CLEAN in inputs.conditions else None,
        max_replicates,
        max_per_speaker,
        max_per_asset,
        utterances_per_condition,
        *draws_of(assets, inputs),
        rules=kept_out(inputs.goals, inputs.speech, inputs.conditions, inputs.labels),
    )
    growth = _growth(targets, limits)
    hold(held, growth, targets, inputs, named_assets=callable(assets))
    _plan(growth, targets, limit, seed, spread=spread)
    return _result(growth, targets, inputs, held, before, first, strength, spread=spread)


def _check_caps(caps: Mapping[str, int | None], first: str) -> None:
    for name, cap in caps.items():
        if cap is not None and (not isinstance(cap, int) or isinstance(cap, bool) or cap < 1):
            raise RoomtoneError(f"{name}: expected a whole number from 1 up, got {cap!r}")
    if first not in ("cells", "t_way"):
        raise RoomtoneError(f"design.first: expected cells or t_way, got {first!r}")


def _growth(targets: Targets, limits: Limits) -> Growth:
    richness = np.array([sum(len(table.speech[u]) for table in targets.tables) for u in range(len(limits.voices))])
    rich = richness > richness.min() if len(richness) else richness > 0
    tally = Tally(limits.voices, targets.tables, targets.goal, targets.have, targets.pools)
    return Growth(tally, limits, targets.conditions, targets.weight, targets.phase, targets.tie, rich, targets.group)


def _plan(growth: Growth, targets: Targets, limit: Budget, seed: int, *, spread: bool) -> None:
    """Plan, make smaller, put in order and cut."""
    every = range(len(targets.keys))
    ns = growth.limits.voices.ns
    if spread:
        spent = [0, 0.0]

        def has_room(utterance: int, condition: int) -> bool:
            renders = 1 + growth.limits.needs_pair(utterance, condition)
            spent[0], spent[1] = spent[0] + renders, spent[1] + renders * float(ns[utterance])
            return limit.has_room(int(spent[0]), spent[1])

        growth.run(every, has_room)
        budgets.use_the_rest(growth, every, limit)
        return
    best = fewest_renders(growth)
    growth.run(every)
    prune(growth)
    if best is None and len(growth.renders) <= _REPLANNED:
        replan(growth, _STEPS, seed)
    if best is not None:
        _take_over(growth, best, every)
    budgets.put_in_order(growth, every)
    if limit.limited:
        budgets.cut(growth, limit)


def _take_over(growth: Growth, best: Sequence[tuple[int, int, int]], every: Sequence[int]) -> None:
    """Put another plan in the place of this one, where it lacks less, or as little with fewer renders."""
    own, lacked = list(growth.renders.values()), growth.tally.deficit(every)
    for render in reversed(own):
        growth.remove(render)
    for u, c, n in best:
        growth.put_back(Render(u, c, n, -1))
    lacks = growth.tally.deficit(every)
    if lacks > lacked + 1e-9 or (lacks > lacked - 1e-9 and len(best) >= len(own)):
        for render in list(growth.renders.values())[::-1]:
            growth.remove(render)
        for render in own:
            growth.put_back(render)


def _result(
    growth: Growth,
    targets: Targets,
    inputs: Inputs,
    held: pd.DataFrame,
    before: CoverageMatrix,
    first: str,
    strength: int,
    *,
    spread: bool,
) -> FillPlan:
    import pandas as pd

    planned = list(growth.renders.values())
    rows = [
        (inputs.speech.ids[r.utterance], inputs.conditions[r.condition], r.replicate, _why(r, targets)) for r in planned
    ]
    columns = ["utterance_id", "condition", "replicate", "why"]
    assignments = pd.DataFrame(rows, columns=columns).astype({"replicate": "int64"})
    missing = [] if spread else out_of_reach(growth, targets)
    infeasible = pd.DataFrame(missing, columns=["goal", "unit", "missing", "reason"])
    cells = np.flatnonzero(targets.phase == 0).tolist()
    figures = before.figures
    before_cells = (figures.cells, figures.covered_cells)
    labels = [inputs.labels[name] for name in inputs.conditions]
    reached = budgets.milestones(growth, cells, before_cells, labels, strength, spread=spread)
    after = before
    if planned:
        new = _planned_rows(planned, inputs).reindex(columns=held.columns)
        after = matrix_of(pd.concat([held, new], ignore_index=True) if len(held) else new, inputs)
    hours = float(inputs.speech.voices.ns[[r.utterance for r in planned]].sum()) / 3.6e12 if planned else 0.0
    return FillPlan(assignments, before, after, infeasible, hours, reached, first)


def _why(render: Render, targets: Targets) -> str:
    return targets.name(render.target) if render.target >= 0 else "clean pair"


def _planned_rows(planned: Sequence[Render], inputs: Inputs) -> pd.DataFrame:
    """Return the planned renders as manifest rows; each may draw an asset of its own."""
    import pandas as pd

    speech = inputs.speech.rows.iloc[[r.utterance for r in planned]].reset_index(drop=True)
    names = [inputs.conditions[r.condition] for r in planned]
    own: dict[str, Any] = {
        "sample_id": [f"planned-{n}" for n in range(len(planned))],
        "condition": names,
        "replicate": [r.replicate for r in planned],
        "noise_asset": [None if name == CLEAN else f"planned-{n}" for n, name in enumerate(names)],
    }
    for factor in FACTORS:
        own[factor] = [inputs.labels[name].get(factor) for name in names]
    kept = speech.drop(columns=[name for name in own if name in speech])
    return pd.concat([kept, pd.DataFrame(own)], axis=1)
