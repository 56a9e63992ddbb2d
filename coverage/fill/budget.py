"""A plan under a budget: put in the order in which stopping loses least, cut where the budget ends, and what is reached on the way."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.coverage.fill.greedy import Growth, Render
from roomtone.coverage.fill.improve import is_needed
from roomtone.coverage.fill.tally import NS_PER_MINUTE, RENDERS

if TYPE_CHECKING:
    import pandas as pd

#: Shares of a plan at which it says what is reached.
SHARES = (0.1, 0.5, 1.0)


@dataclass(frozen=True)
class Budget:
    """What may be rendered at most; None is no limit.

    Attributes:
        renders: number of renders, clean ones included.
        hours: their length.
    """

    renders: int | None = None
    hours: float | None = None

    def __post_init__(self) -> None:
        whole = isinstance(self.renders, int) and not isinstance(self.renders, bool) and self.renders >= 1
        if self.renders is not None and not whole:
            raise RoomtoneError(f"design.renders: expected a whole number from 1 up, got {self.renders!r}")
        number = isinstance(self.hours, int | float) and not isinstance(self.hours, bool) and self.hours > 0
        if self.hours is not None and not number:
            raise RoomtoneError(f"design.hours: expected a positive number, got {self.hours!r}")

    @property
    def limited(self) -> bool:
        """Whether there is a limit at all."""
        return self.renders is not None or self.hours is not None

    def has_room(self, renders: int, ns: float) -> bool:
        """Return whether so many renders of so much speech are within the budget.

        Args:
            renders: number of renders.
            ns: their length in nanoseconds.
        """
        hours = ns / NS_PER_MINUTE / 60
        return (self.renders is None or renders <= self.renders) and (self.hours is None or hours <= self.hours + 1e-12)


def put_in_order(growth: Growth, targets: Sequence[int]) -> None:
    """Plan the same renders again in the order of need: the target furthest behind first, each clean pair before its copy.

    Args:
        growth: a finished plan.
        targets: every target.
    """
    chosen = list(growth.renders.values())
    for render in reversed(chosen):
        growth.remove(render)
    limits = growth.limits
    limits.only = {c: limits.times_in(c).copy() for c in range(limits.conditions)}
    for render in chosen:
        limits.only[render.condition][render.utterance] += 1
    growth.run(targets)
    limits.only = None
    for render in chosen:  # whatever no target asks for by itself
        if (render.utterance, render.condition, render.replicate) not in growth.renders:
            growth.put_back(render)


def cut(growth: Growth, budget: Budget) -> None:
    """Take out what comes after the budget's end; a clean render without a copy goes too, unless some target needs it.

    Args:
        growth: a plan in order.
        budget: the limit.
    """
    ns = growth.limits.voices.ns
    renders = list(growth.renders.values())
    spent, kept = 0.0, 0
    for render in renders:
        if not budget.has_room(kept + 1, spent + float(ns[render.utterance])):
            break
        spent, kept = spent + float(ns[render.utterance]), kept + 1
    for render in reversed(renders[kept:]):
        growth.remove(render)
    # a pair whose copy is cut
    if 0 < kept < len(renders) and renders[kept - 1].target < 0 and not is_needed(growth, renders[kept - 1]):
        growth.remove(renders[kept - 1])


def use_the_rest(growth: Growth, targets: Sequence[int], budget: Budget) -> None:
    """Plan single renders with what a budget leaves when the next render and its clean pair no longer fit.

    Args:
        growth: a plan at the end of its budget.
        targets: every target.
        budget: the limit.
    """
    ns = growth.limits.voices.ns
    spent = float(sum(ns[render.utterance] for render in growth.renders.values()))
    behind = sorted(
        (t for t in targets if growth.tally.missing(t).any()), key=lambda t: growth.group_order(growth.group[t], t)
    )
    for target in behind:
        if not len(ns) or not budget.has_room(len(growth.renders) + 1, spent + float(ns.min())):
            return
        choice = growth.choose(target, paired_only=True)
        if choice is None:
            continue
        _, utterance, condition = choice
        if budget.has_room(len(growth.renders) + 1, spent + float(ns[utterance])):
            growth.add(utterance, condition, target)
            spent += float(ns[utterance])


def milestones(
    growth: Growth,
    cells: Sequence[int],
    before: tuple[int, int],
    labels: Sequence[Mapping[str, str]],
    strength: int,
    *,
    spread: bool,
) -> pd.DataFrame:
    """Return what is reached after 10, 50 and 100 % of a plan; the plan is left as it is.

    Args:
        growth: a plan in order.
        cells: the targets that are cells.
        before: cells that have a goal, and those of them that met it before anything was planned.
        labels: level of every factor of each condition.
        strength: of the combinations of levels that are counted.
        spread: whether nobody stated goals, so that a cell with a render is one that meets its goal.

    Returns:
        one row a milestone: `share` of the renders, `renders`, `hours`, `cells_met`, `cells`, `goals_reached` (of the cells that
        missed a goal, the mean share of the unit least fulfilled), `combinations` of levels (a share of those the plan comes to).
    """
    import pandas as pd

    renders = list(growth.renders.values())
    for render in reversed(renders):
        growth.remove(render)
    total = len(_combinations(renders, labels, strength))
    rows: list[dict[str, Any]] = []
    done = 0
    for share in SHARES:
        upto = int(np.ceil(share * len(renders)))
        for render in renders[done:upto]:
            growth.put_back(render)
        done = upto
        held = growth.tally.have[list(cells), RENDERS] if spread else [growth.tally.share(target) for target in cells]
        reached = np.clip(np.asarray(held, dtype=float), 0, 1)
        seconds = float(growth.limits.voices.ns[[r.utterance for r in renders[:upto]]].sum()) / 1e9 if upto else 0.0
        rows.append(
            {
                "share": share,
                "renders": upto,
                "hours": seconds / 3600,
                "cells_met": (0 if spread else before[1]) + int((reached >= 1).sum()),
                "cells": before[0],
                "goals_reached": float(reached.mean()) if len(reached) else 1.0,
                "combinations": len(_combinations(renders[:upto], labels, strength)) / total if total else 1.0,
            }
        )
    return pd.DataFrame(rows)


def _combinations(
    renders: Sequence[Render], labels: Sequence[Mapping[str, str]], strength: int
) -> set[tuple[Any, ...]]:
    found: set[tuple[Any, ...]] = set()
    for condition in {render.condition for render in renders}:
        items = sorted(labels[condition].items())
        found.update(itertools.combinations(items, min(strength, len(items))) if items else [])
    return found
