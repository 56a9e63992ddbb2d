"""Designs under a budget, and rows of a design dealt over the utterances: which utterance is rendered in which of its conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.scenarios.conditions import ConditionLevels
from roomtone.augment.scenarios.design_keys import LIMITS, limits_of
from roomtone.augment.scenarios.plan import Item
from roomtone.augment.scenarios.scenario import Scenario
from roomtone.augment.settings import GenerateSettings
from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import CLEAN

#: What goals say of a plan in which every cell is wanted: what is not, and what is worth more.
_SPREAD_KEYS = ("weights", "ignore", "illegal", "levels")

Planned = tuple[dict[str, tuple[Item, ...]], tuple[str, ...]]


def spread_items(
    settings: GenerateSettings,
    scenario: Scenario,
    conditions: Mapping[str, ConditionLevels],
    utterances: Sequence[Utterance],
) -> Planned | None:
    """Return the planned samples of each utterance and what is to be said of them; None where every utterance gets everything.

    Args:
        settings: of the run.
        scenario: whose goals weigh cells, or leave them out; amounts are what `design=fill` works towards.
        conditions: those that the design chose.
        utterances: the speech at hand.

    Raises:
        RoomtoneError: a limit of the wrong kind, or one beside `rows_per_utterance`.
    """
    design = settings.design
    limited = [key for key in LIMITS[:3] if design.get(key) is not None]
    dealt = design.get("rows_per_utterance")
    if dealt is not None and limited:
        raise RoomtoneError(
            f"design: rows_per_utterance and {limited[0]} both say how much is rendered; a plan under a budget deals rows by itself"
        )
    if dealt is not None:
        return _dealt(settings, conditions, utterances, dealt)
    return _within_budget(settings, scenario, conditions, utterances) if limited else None


def _dealt(
    settings: GenerateSettings, conditions: Mapping[str, ConditionLevels], utterances: Sequence[Utterance], each: Any
) -> Planned:
    from roomtone.coverage.fill.deal import deal

    rows = deal(
        {u.utterance_id: (u.accents, u.speaker) for u in utterances},
        list(conditions),
        rows_per_utterance=each,
        seed=settings.seed,
    )
    items = {
        utterance: tuple((name, k) for name in names for k in range(1 if name == CLEAN else settings.replicates))
        for utterance, names in rows.assigned.items()
    }
    return items, rows.lines()


def _within_budget(
    settings: GenerateSettings,
    scenario: Scenario,
    conditions: Mapping[str, ConditionLevels],
    utterances: Sequence[Utterance],
) -> Planned:
    from roomtone.augment.scenarios.fill import items_of, speech_at_hand
    from roomtone.coverage import fill_plan

    plan = fill_plan(
        None,
        speech_at_hand(tuple(utterances)),
        list(conditions),
        {key: scenario.goals[key] for key in _SPREAD_KEYS if key in scenario.goals},
        labels={name: condition.labels for name, condition in conditions.items()},
        max_replicates=settings.replicates,
        seed=settings.seed,
        strength=int(settings.design.get("strength") or 2),
        **limits_of(settings.design),
    )
    return items_of(plan, conditions), tuple(plan.lines())
