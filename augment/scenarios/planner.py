"""From settings to a plan; nothing is rendered and no audio is decoded."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.ops.vocal_effort import effort_notes
from roomtone.augment.scenarios.conditions import ConditionLevels
from roomtone.augment.scenarios.design_keys import check_design
from roomtone.augment.scenarios.own_material import shared_names
from roomtone.augment.scenarios.plan import Item, Plan
from roomtone.augment.scenarios.scenario import design_conditions, inline_presets, parse_scenario
from roomtone.augment.scenarios.spread import spread_items
from roomtone.augment.settings import GenerateSettings, generate_settings
from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import CLEAN

_LOG = logging.getLogger("roomtone")
#: Recordings whose headers are read before anything is rendered.
_LOOKED_AT = 100


def make_plan(cfg: Mapping[str, Any] | GenerateSettings) -> Plan:
    """Return the plan of a configuration; nothing is rendered and no audio is decoded.

    Args:
        cfg: the keys of `conf/generate.yaml`, or settings that were read from them.

    Raises:
        RoomtoneError: anything the user should mend, in one line.
    """
    settings = generate_settings(cfg)
    scenario = parse_scenario(settings.scenario)
    presets = inline_presets(scenario, settings.presets, settings.search)
    check_design(settings.design)
    for note in shared_names(presets, settings.search):
        _LOG.warning(note)
    utterances = read_utterances(settings)
    if settings.design.get("name") == "fill":
        from roomtone.augment.scenarios.fill import fill_items

        conditions, items, notes = fill_items(settings, scenario, presets, utterances)
        _note_efforts(conditions, settings.effort)
        return Plan(scenario, presets, conditions, utterances, (), items, notes)
    conditions = design_conditions(scenario, settings.design, presets, settings.seed)
    if settings.design.get("clean") is False and len(conditions) > 1:
        del conditions[CLEAN]  # of a bounty, which sends one condition
    _note_efforts(conditions, settings.effort)
    spread = spread_items(settings, scenario, conditions, utterances)
    if spread is not None:
        return Plan(scenario, presets, conditions, utterances, (), *spread)
    return Plan(scenario, presets, conditions, utterances, every_item(conditions, settings.replicates))


def _note_efforts(conditions: Mapping[str, ConditionLevels], effort: str | None) -> None:
    levels = itertools.chain.from_iterable(condition.levels.values() for condition in conditions.values())
    for note in effort_notes({level.name: level.env_dba for level in levels if level.env_dba is not None}, effort):
        _LOG.warning(note)


def every_item(conditions: Mapping[str, ConditionLevels], replicates: int) -> tuple[Item, ...]:
    """Return (condition, replicate) pairs; clean has no second replicate, since it would be a copy.

    Args:
        conditions: by name.
        replicates: renders of each utterance in each condition.
    """
    return tuple((name, k) for name in conditions for k in range(1 if name == CLEAN else replicates))


def read_utterances(settings: GenerateSettings) -> tuple[Utterance, ...]:
    """Return the utterances of the corpus, its accent map applied, sorted by id.

    Raises:
        RoomtoneError: an empty corpus, one of which no recording is there, or two utterances of one id.
    """
    from roomtone.augment.corpora import open_corpus
    from roomtone.augment.corpora.corpus_warnings import accent_notes, narrow_note, skipped_note, unusable_note

    corpus = open_corpus(settings.corpus_keys, search=settings.search)
    utterances = tuple(sorted(corpus, key=lambda utterance: utterance.utterance_id))
    reader = settings.corpus.get("reader")
    if not utterances:
        raise RoomtoneError(f"corpus {reader!r}: it holds no utterance")
    unusable = [f"{u.utterance_id}: {u.problem}" for u in utterances if u.problem]
    if len(unusable) == len(utterances):
        raise RoomtoneError(f"none of the {len(utterances):,} recordings can be read; the first: {unusable[0]}")
    notes = skipped_note(corpus.skipped()) + accent_notes(utterances) + unusable_note(unusable, len(utterances))
    for note in notes + narrow_note(_rates_hz(utterances), settings.sample_rate_hz):
        _LOG.warning(note)
    for before, after in itertools.pairwise(utterances):
        if before.utterance_id == after.utterance_id:
            raise RoomtoneError(f"corpus {reader!r}: two utterances have the id {after.utterance_id!r}")
    return utterances


def _rates_hz(utterances: Sequence[Utterance]) -> list[int]:
    """Return the sample rates of some utterances, spread over the corpus, as their headers state them."""
    from roomtone.core.audio.reading import inspect

    found = []
    for utterance in utterances[:: max(1, len(utterances) // _LOOKED_AT)][:_LOOKED_AT]:
        with contextlib.suppress(RoomtoneError, OSError):
            found.append(inspect(utterance.audio.path).sample_rate_hz)
    return found
