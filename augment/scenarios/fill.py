"""`design=fill`: from the set that is there and the corpus at hand to the few samples that close what can be closed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.scenarios.conditions import ConditionLevels
from roomtone.augment.scenarios.design_keys import limits_of
from roomtone.augment.scenarios.plan import Item
from roomtone.augment.scenarios.planned_assets import PlannedAssets
from roomtone.augment.scenarios.scenario import Scenario, design_conditions
from roomtone.augment.scenarios.speech_table import speech_table
from roomtone.augment.settings import GenerateSettings
from roomtone.core.errors import RoomtoneError

if TYPE_CHECKING:
    import pandas as pd

    from roomtone.coverage.fill.plan import FillPlan


def speech_at_hand(
    utterances: tuple[Utterance, ...], seconds: Mapping[str, float | None] | None = None
) -> pd.DataFrame:
    """Return the corpus as coverage sees it, see `speech_table`.

    Args:
        utterances: those of the corpus.
        seconds: length of each by id, where it is known already; None reads the headers of their files.

    Raises:
        RoomtoneError: none of them can be read.
    """
    from roomtone.augment.corpora.durations import durations_s

    table = speech_table(utterances, durations_s(utterances) if seconds is None else seconds)
    if table.empty:
        raise RoomtoneError("design=fill: no utterance of the corpus can be read")
    return table


def fill(
    settings: GenerateSettings,
    scenario: Scenario,
    presets: Mapping[str, Mapping[str, Any]],
    utterances: tuple[Utterance, ...],
) -> tuple[dict[str, ConditionLevels], FillPlan]:
    """Return the conditions that may be rendered and the plan that fills the set in `output.dir`.

    Args:
        settings: of the run, whose `output.dir` holds the set.
        scenario: with the goals to fill towards.
        presets: by factor and name.
        utterances: the speech at hand.

    Raises:
        RoomtoneError: an unknown key of the design, or no goals to fill towards.
    """
    from roomtone.core.dataset.manifest import existing_rows
    from roomtone.coverage.fill.plan import fill_plan

    design = dict(settings.design)
    limits = limits_of(design)
    if not scenario.goals and not limits["budget"].limited and limits["utterances_per_condition"] is None:
        raise RoomtoneError(
            f"design=fill: scenario {scenario.name!r} has no goals to fill towards; design.hours or design.renders spreads a budget"
        )
    conditions = design_conditions(scenario, {"name": "fill"}, presets, settings.seed)
    assets = None
    if design.get("max_per_asset") is not None:
        common = settings.common_draws
        assets = PlannedAssets(conditions, utterances, settings.seed, settings.sample_rate_hz, common_draws=common)
    plan = fill_plan(
        existing_rows(Path(settings.output.dir)),
        speech_at_hand(utterances),
        list(conditions),
        scenario.goals,
        axes=design.get("axes") or ("accent", "condition"),
        labels={name: condition.labels for name, condition in conditions.items()},
        max_replicates=settings.replicates,
        max_per_speaker=design.get("max_per_speaker"),
        max_per_asset=design.get("max_per_asset"),
        assets=assets,
        seed=settings.seed,
        **limits,
    )
    return conditions, plan


def items_of(plan: FillPlan, conditions: Mapping[str, ConditionLevels]) -> dict[str, tuple[Item, ...]]:
    """Return the planned samples by utterance id, each utterance's in the order of the conditions.

    Args:
        plan: what is to be rendered.
        conditions: by name, in order.
    """
    items: dict[str, list[Item]] = {}
    order = {name: place for place, name in enumerate(conditions)}
    for row in plan.assignments.itertuples(index=False):
        items.setdefault(str(row.utterance_id), []).append((str(row.condition), int(str(row.replicate))))
    return {
        utterance: tuple(sorted(planned, key=lambda item: (order[item[0]], item[1])))
        for utterance, planned in items.items()
    }


def fill_items(
    settings: GenerateSettings,
    scenario: Scenario,
    presets: Mapping[str, Mapping[str, Any]],
    utterances: tuple[Utterance, ...],
) -> tuple[dict[str, ConditionLevels], dict[str, tuple[Item, ...]], tuple[str, ...]]:
    """Return the conditions, the planned samples by utterance id, and what is reached on the way.

    Args:
        settings: of the run, whose `output.dir` holds the set.
        scenario: with the goals to fill towards.
        presets: by factor and name.
        utterances: the speech at hand.

    Raises:
        RoomtoneError: as `fill`.
    """
    conditions, plan = fill(settings, scenario, presets, utterances)
    return conditions, items_of(plan, conditions), tuple(plan.lines())
