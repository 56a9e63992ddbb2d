"""`design=fill`: from the set that is there and the corpus at hand to the few samples that close what can be closed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.ops.table import Op
from roomtone.augment.recordings.layouts import scan_noise
from roomtone.augment.scenarios.conditions import ConditionLevels
from roomtone.augment.scenarios.scenario import Scenario, design_conditions
from roomtone.augment.scenarios.speech_table import speech_table
from roomtone.augment.settings import GenerateSettings
from roomtone.core.errors import RoomtoneError, nearest

if TYPE_CHECKING:
    import pandas as pd

    from roomtone.coverage.fill.plan import FillPlan

_KEYS = ("name", "axes", "max_per_speaker", "max_per_asset")


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
    for key in design:
        if key not in _KEYS:
            raise RoomtoneError(f"design: unknown key {key!r}; {nearest(key, _KEYS)}")
    if not scenario.goals:
        raise RoomtoneError(f"design=fill: scenario {scenario.name!r} has no goals to fill towards")
    conditions = design_conditions(scenario, {"name": "fill"}, presets, settings.seed)
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
        assets=_assets(conditions),
        seed=settings.seed,
    )
    return conditions, plan


def _assets(conditions: Mapping[str, ConditionLevels]) -> dict[str, int]:
    """Return how many recordings or realisations each condition draws from: of its factors, the one that has fewest."""
    found: dict[str, int] = {}
    for name, condition in conditions.items():
        counts = [count for level in condition.levels.values() if (count := _count(level.op)) is not None]
        if counts:
            found[name] = min(counts)
    return found


def _count(op: Op) -> int | None:
    """Return how many assets an op draws from; None where each draw is one of its own."""
    needed = op.recordings_needed()
    if needed is None or needed.path is None:
        return op.num_realisations
    return len(scan_noise(needed.path, needed.layout))


def fill_items(
    settings: GenerateSettings,
    scenario: Scenario,
    presets: Mapping[str, Mapping[str, Any]],
    utterances: tuple[Utterance, ...],
) -> tuple[dict[str, ConditionLevels], dict[str, tuple[tuple[str, int], ...]]]:
    """Return the conditions and the planned samples by utterance id.

    Args:
        settings: of the run, whose `output.dir` holds the set.
        scenario: with the goals to fill towards.
        presets: by factor and name.
        utterances: the speech at hand.

    Raises:
        RoomtoneError: as `fill`.
    """
    conditions, plan = fill(settings, scenario, presets, utterances)
    items: dict[str, list[tuple[str, int]]] = {}
    order = {name: place for place, name in enumerate(conditions)}
    for row in plan.assignments.itertuples(index=False):
        items.setdefault(str(row.utterance_id), []).append((str(row.condition), int(str(row.replicate))))
    return conditions, {
        utterance: tuple(sorted(planned, key=lambda item: (order[item[0]], item[1])))
        for utterance, planned in items.items()
    }
