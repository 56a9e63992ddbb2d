"""A plan grown render by render: the target furthest behind goes first, and in it the render that brings most for what it costs.

How far behind a target is, is its share (the unit least fulfilled) divided by its weight. Where the goals weigh the values of an axis,
all targets of one value are a group, and groups grow in proportion to their weights, rounded as seats are by Sainte-Laguë: of ten
renders at weights 9 and 1 nine go to the first (weighted fair queueing). A render brings the sum, over all targets it counts for, of
what it adds in shares of their goals; it costs one render, or two where its utterance has no clean one yet. Equals are told
apart by the speaker least heard there, then the one least used, then the seeded order.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from roomtone.coverage.fill.limits import Limits
from roomtone.coverage.fill.tally import Tally

#: Candidates whose exact gain is worked out, and as many rich ones.
_SHORTLIST = 8
#: Targets equally far behind that are compared before one is taken, where there are few targets in all.
_COMPARED, _FEW_TARGETS = 24, 400


@dataclass(frozen=True)
class Render:
    """One planned render: utterance and condition as numbers, and the target it was planned for, -1 for a clean pair."""

    utterance: int
    condition: int
    replicate: int
    target: int


class _Queue:
    """Targets in the order of need: groups in a heap, and the targets of each in one of its own.

    Shares only grow while a plan does, so that a key that has changed is found out when its turn comes.
    """

    def __init__(self, growth: Growth, targets: Sequence[int]) -> None:
        self._growth = growth
        self._targets: dict[int, list[tuple[tuple[float, float, int], int]]] = {}
        for target in targets:
            self._targets.setdefault(growth.group[target], []).append((growth.order(target), target))
        for heap in self._targets.values():
            heapq.heapify(heap)
        self._groups = [(growth.group_order(g, heap[0][1]), g) for g, heap in self._targets.items()]
        heapq.heapify(self._groups)

    def pop(self, most: int = 1) -> list[int]:
        """Return the targets that are next and equally far behind, `most` of them at most; none where every one is met or dropped.

        Args:
            most: targets that are compared before one is taken.
        """
        found: list[tuple[tuple[int, float, float, int], int]] = []
        targets: list[int] = []
        while self._groups and len(found) < most:
            order, group = self._groups[0]
            target = self._next_of(group)
            if target is None:
                heapq.heappop(self._groups)
            elif order != (now := self._growth.group_order(group, target)):
                heapq.heapreplace(self._groups, (now, group))
            elif found and order[:3] != found[0][0][:3]:
                break
            else:
                found.append(heapq.heappop(self._groups))
                targets.append(target)
        for entry in found:
            heapq.heappush(self._groups, entry)
        return targets

    def _next_of(self, group: int) -> int | None:
        heap, growth = self._targets[group], self._growth
        while heap:
            order, target = heap[0]
            if not growth.tally.missing(target).any():
                heapq.heappop(heap)
            elif order != (now := growth.order(target)):
                heapq.heapreplace(heap, (now, target))
            else:
                return target
        return None

    def drop(self, target: int) -> None:
        """Leave out a target that was next."""
        heapq.heappop(self._targets[self._growth.group[target]])


@dataclass
class Growth:
    """A plan while it grows.

    Attributes:
        tally: goals and counts.
        limits: caps and what exists.
        conditions_of: conditions that lie in each target.
        weight, phase, tie: of each target; a lower phase goes first whatever its share.
        rich: utterances that count for more targets than others do, such as those of two accents.
        group: number of the group of each target; those of one grow in proportion to the weights of their targets together.
        renders: what is planned, in order.
    """

    tally: Tally
    limits: Limits
    conditions_of: Sequence[Sequence[int]]
    weight: np.ndarray
    phase: np.ndarray
    tie: Sequence[int]
    rich: np.ndarray
    group: Sequence[int]
    renders: dict[tuple[int, int, int], Render] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._members: dict[int, list[int]] = {}
        self._group_weight: dict[int, float] = {}
        for target, group in enumerate(self.group):
            self._members.setdefault(group, []).append(target)
            self._group_weight[group] = self._group_weight.get(group, 0.0) + float(self.weight[target])

    def order(self, target: int) -> tuple[float, float, int]:
        """Return the key by which the target of a group that is next comes first."""
        weight = float(self.weight[target])
        share = self.tally.share(target)
        return share / weight if weight > 0 else np.inf, -weight, self.tie[target]

    def group_order(self, group: int, target: int) -> tuple[int, float, float, int]:
        """Return the key by which the group that is next comes first, given its next target.

        Args:
            group: number of a group of targets with one weight.
            target: the target of that group that would be served next.
        """
        weight = self._group_weight[group]
        reached = sum(self.tally.share(t) for t in self._members[group]) if len(self._members[group]) > 1 else None
        if reached is None:
            share, minus_weight, rank = self.order(target)
            return int(self.phase[target]), share, minus_weight, rank
        step = self.tally.step(target)
        return (
            int(self.phase[target]),
            (reached + step / 2) / weight if weight > 0 else np.inf,
            -weight,
            self.tie[target],
        )

    def run(
        self, targets: Iterable[int], may_go_on: Callable[[int, int], bool] = lambda utterance, condition: True
    ) -> list[int]:
        """Plan until every target is met or out of reach; return those out of reach.

        Args:
            targets: which to fill.
            may_go_on: whether the budget has room for a render (its clean pair included); the first one without ends the plan.
        """
        queue = _Queue(self, [t for t in targets if self.tally.missing(t).any()])
        compared = _COMPARED if len(self.group) <= _FEW_TARGETS else 1
        stuck: list[int] = []
        while next_ones := queue.pop(compared):
            choices = [(choice, target) for target in next_ones if (choice := self.choose(target)) is not None]
            for target in set(next_ones) - {target for _, target in choices}:
                stuck.append(target)
                queue.drop(target)
            if not choices:
                continue
            # of targets equally far behind, the one that a render brings nearest; of equals the first
            (worth, utterance, condition), target = max(choices, key=lambda choice: choice[0][0])
            del worth
            if not may_go_on(utterance, condition):
                break
            self.add(utterance, condition, target)
        return stuck

    def choose(self, target: int, *, paired_only: bool = False) -> tuple[float, int, int] | None:
        """Return the next render that a target gains by, as (worth, utterance, condition), or None; copies come last.

        Args:
            target: the target.
            paired_only: whether utterances that need a clean render first are left out.
        """
        for copies in (False, True) if self.limits.replicates > 1 else (False,):
            for most in (_SHORTLIST, len(self.limits.voices)):
                found = self._candidates(target, most, copies=copies, paired_only=paired_only)
                for worth, utterance, condition in found:
                    if self.limits.replicate(utterance, condition) is not None:
                        return worth, utterance, condition
                if self.limits.per_asset is None:
                    break  # the best of the short list can be had
        return None

    def _candidates(self, target: int, most: int, *, copies: bool, paired_only: bool) -> list[tuple[float, int, int]]:
        """Return the most promising renders of each condition, the best of all first."""
        pool, gains = self.tally.pools[target], self.tally.gains_within(target)
        load, heard = self.limits.speaker_load(pool), self.tally.speaker_uses[target]
        rich, several = self.rich[pool.members], len(self.tally.tables) > 1
        found: list[tuple[tuple[float, ...], int, int]] = []
        for condition in self.conditions_of[target]:
            usable = (gains > 1e-12) & self.limits.free(pool.members, condition, copies=copies)
            pairless = self.limits.pairless[pool.members] & (condition != self.limits.clean)
            places = np.flatnonzero(usable & ~pairless if paired_only else usable)
            if not len(places):
                continue
            worth = np.round(gains[places] / (1 + pairless[places]), 9)
            keys = (self.tally.voices.order[pool.members[places]], load[places], heard[places], -worth)
            ranked = places[np.lexsort(keys)]
            short = dict.fromkeys([*ranked[:most].tolist(), *ranked[rich[ranked]][:most].tolist()])
            for rank, place in enumerate(short):
                u = int(pool.members[place])
                plain = not several and not rich[place] and not pairless[place]
                exact = float(gains[place]) if plain else self._worth(u, condition)
                key = (-round(exact, 9), heard[place], load[place], self.limits.of_condition[condition], rank)
                found.append((key, u, condition))
        return [(-key[0], u, c) for key, u, c in sorted(found)]

    def _worth(self, utterance: int, condition: int) -> float:
        """Return what a render and the clean one it needs bring, for each render."""
        gain = self.tally.gain(utterance, condition)
        if not self.limits.needs_pair(utterance, condition):
            return gain
        assert self.limits.clean is not None
        return (gain + self.tally.gain(utterance, self.limits.clean)) / 2

    def add(self, utterance: int, condition: int, target: int) -> None:
        """Plan one render, its clean pair first, and count both wherever they count.

        Args:
            utterance: number of the utterance among the speech at hand.
            condition: number of the condition.
            target: number of the target that it is planned for; -1 for a clean pair.
        """
        if self.limits.needs_pair(utterance, condition):
            assert self.limits.clean is not None
            self.add(utterance, self.limits.clean, -1)
        number = self.limits.replicate(utterance, condition)
        assert number is not None
        self.limits.add(utterance, condition, number)
        self.tally.count(utterance, condition)
        self.renders[utterance, condition, number] = Render(utterance, condition, number, target)

    def put_back(self, render: Render) -> None:
        """Plan a render that was taken out, under its old number."""
        self.limits.add(render.utterance, render.condition, render.replicate)
        self.tally.count(render.utterance, render.condition)
        self.renders[render.utterance, render.condition, render.replicate] = render

    def remove(self, render: Render) -> None:
        """Take one render out again."""
        del self.renders[render.utterance, render.condition, render.replicate]
        self.limits.remove(render.utterance, render.condition, render.replicate)
        self.tally.count(render.utterance, render.condition, -1)
