"""Why a target stays short of its goal: what must be recorded, and what a cap or a rule forbids."""

from __future__ import annotations

from typing import Any

import numpy as np

from roomtone.coverage.counting.goals import UNITS
from roomtone.coverage.fill.greedy import Growth
from roomtone.coverage.fill.tally import MINUTES, NS_PER_MINUTE
from roomtone.coverage.fill.targets import Targets


def out_of_reach(growth: Growth, targets: Targets) -> list[dict[str, Any]]:
    """Return what every target still lacks after a plan: `goal, unit, missing, reason`.

    Args:
        growth: the finished plan.
        targets: its targets.
    """
    found = []
    for target in range(len(targets.keys)):
        missing = growth.tally.missing(target)
        for unit in np.flatnonzero(missing > 0).tolist():
            amount = float(missing[unit]) / (NS_PER_MINUTE if unit == MINUTES else 1.0)
            reason = _reason(growth, targets, target, UNITS[unit])
            found.append({"goal": targets.name(target), "unit": UNITS[unit], "missing": amount, "reason": reason})
    return found


def _reason(growth: Growth, targets: Targets, target: int, unit: str) -> str:
    limits, members = growth.limits, targets.pools[target].members
    goal = float(growth.tally.goal[target, UNITS.index(unit)])
    speakers = {int(s) for s in limits.voices.speaker[members] if s >= 0}
    if not targets.conditions[target]:
        return "this plan has no such condition"
    if not len(members):
        return "no clean speech of it: record"
    if unit == "speakers" and len(speakers) < goal:
        return f"only {len(speakers)} speakers at hand: record"
    if unit == "utterances" and len(members) < goal:
        return f"only {len(members)} utterances at hand: record"
    for condition in targets.conditions[target]:
        often = limits.times_in(condition)[members] >= limits.most(condition)
        if not (often | limits.free(members, condition, copies=True)).all():
            return "a cap, or an illegal or ignored cell of the same speech"
        free = members[limits.free(members, condition, copies=True)].tolist()
        if any(limits.replicate(u, condition) is None for u in free):
            return "max_per_asset"
    if any(limits.free(members, condition, copies=True).any() for condition in targets.conditions[target]):
        return "beyond the budget"
    return f"all {len(members)} utterances are rendered as often as max_replicates allows: record, or raise it"
