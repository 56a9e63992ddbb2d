"""A finished plan made smaller: renders that nothing needs go, and parts of it are taken out and planned anew.

A step is kept where the targets lack no more than before and the plan is no longer; it is undone otherwise (large neighbourhood search,
Shaw 1998). The steps are counted, not timed, so that a seed gives one plan everywhere.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from roomtone.coverage.fill.greedy import Growth, Render


def is_needed(growth: Growth, render: Render) -> bool:
    """Return whether some target would lack more without a render, or another render needs it for comparison.

    Args:
        growth: the plan.
        render: one of its renders.
    """
    u, c = render.utterance, render.condition
    limits, tally = growth.limits, growth.tally
    if c == limits.clean and any(limits.times_in(other)[u] for other in range(limits.conditions) if other != c):
        return True
    before = tally.touched(u, c)
    lacked = tally.deficit(before)
    tally.count(u, c, -1)
    more = tally.deficit(before) > lacked + 1e-12
    tally.count(u, c, 1)
    return more


def prune(growth: Growth) -> int:
    """Take out every render that is not needed, the last first and clean ones after the others; return how many."""
    gone = 0
    renders = list(growth.renders.values())[::-1]
    clean = growth.limits.clean
    for render in [r for r in renders if r.condition != clean] + [r for r in renders if r.condition == clean]:
        if _is_last(growth, render) and not is_needed(growth, render):
            growth.remove(render)
            gone += 1
    return gone


def _is_last(growth: Growth, render: Render) -> bool:
    """Return whether no later replicate of the same render is planned, so that numbers stay without gaps."""
    return (render.utterance, render.condition, render.replicate + 1) not in growth.renders


def replan(growth: Growth, steps: int, seed: int) -> None:
    """Take the renders of one to three utterances out and plan what then lacks anew, `steps` times.

    Args:
        growth: the plan; it is changed where that lacks less, or as little with fewer renders.
        steps: how often.
        seed: of the choice of utterances.
    """
    rng = np.random.default_rng(seed)
    prune(growth)
    for _ in range(steps):
        by_utterance: dict[int, list[Render]] = defaultdict(list)
        for render in growth.renders.values():
            by_utterance[render.utterance].append(render)
        if not by_utterance:
            return
        _try_without(growth, by_utterance, rng)


def _try_without(growth: Growth, by_utterance: dict[int, list[Render]], rng: np.random.Generator) -> None:
    planned = sorted(by_utterance)
    # utterances with few renders are the likelier to be spared altogether
    chance = np.array([1.0 / len(by_utterance[u]) for u in planned])
    count = min(len(planned), int(rng.integers(1, 4)))
    chosen = rng.choice(len(planned), size=count, replace=False, p=chance / chance.sum())
    out = [render for i in chosen for render in by_utterance[planned[i]]]
    touched = sorted({t for r in out for t in growth.tally.touched(r.utterance, r.condition)})
    lacked, before = growth.tally.deficit(touched), len(growth.renders)
    kept = dict(growth.renders)
    for render in out:
        growth.remove(render)
    growth.run(touched, lambda u, c: len(growth.renders) + 1 + growth.limits.needs_pair(u, c) <= before)
    if growth.tally.deficit(touched) > lacked + 1e-9:
        _restore(growth, kept)
        return
    prune(growth)
    if len(growth.renders) > before:
        _restore(growth, kept)


def _restore(growth: Growth, kept: dict[tuple[int, int, int], Render]) -> None:
    for key, render in list(growth.renders.items()):
        if key not in kept:
            growth.remove(render)
    for key, render in kept.items():
        if key not in growth.renders:
            growth.put_back(render)
