"""From a configuration to a plan; nothing is rendered and no audio is decoded."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.scenarios.conditions import CLEAN, ConditionLevels
from roomtone.augment.scenarios.plan import Item, Plan
from roomtone.augment.scenarios.scenario import design_conditions, inline_presets, parse_scenario
from roomtone.core.errors import RoomtoneError, nearest


def make_plan(cfg: Mapping[str, Any]) -> Plan:
    """Return the plan of a configuration; nothing is rendered and no audio is decoded.

    Raises:
        RoomtoneError: anything the user should mend, in one line.
    """
    _common_draws(cfg)
    scenario = parse_scenario(cfg["scenario"])
    presets = inline_presets(scenario, cfg.get("presets") or {}, cfg.get("config_dir"))
    utterances = read_utterances(cfg)
    design = dict(cfg["design"])
    seed = _whole(cfg, "seed", 0)
    if design.get("name") == "fill":
        from roomtone.augment.scenarios.fill import fill_items

        conditions, items = fill_items(cfg, scenario, presets, utterances)
        return Plan(scenario, presets, conditions, utterances, (), items)
    conditions = design_conditions(scenario, design, presets, seed)
    return Plan(scenario, presets, conditions, utterances, every_item(conditions, _whole(cfg, "replicates", 1)))


def every_item(conditions: Mapping[str, ConditionLevels], replicates: int) -> tuple[Item, ...]:
    """Return (condition, replicate) pairs; clean has no second replicate, since it would be a copy."""
    return tuple((name, k) for name in conditions for k in range(1 if name == CLEAN else replicates))


def read_utterances(cfg: Mapping[str, Any]) -> tuple[Utterance, ...]:
    """Return the utterances of a configuration's corpus, its accent map applied, sorted by id.

    Raises:
        RoomtoneError: an empty corpus, or an id that stands there twice.
    """
    from roomtone.augment.corpora import corpus_keys, open_corpus

    corpus = corpus_keys(cfg)
    search = [Path(cfg["config_dir"])] if cfg.get("config_dir") else []
    utterances = tuple(sorted(open_corpus(corpus, search=search), key=lambda utterance: utterance.utterance_id))
    if not utterances:
        raise RoomtoneError(f"corpus {corpus.get('reader')!r}: it holds no utterance")
    for before, after in itertools.pairwise(utterances):
        if before.utterance_id == after.utterance_id:
            raise RoomtoneError(
                f"corpus {corpus.get('reader')!r}: the utterance id {after.utterance_id!r} stands there twice"
            )
    return utterances


def _whole(cfg: Mapping[str, Any], key: str, least: int) -> int:
    value = cfg[key]
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise RoomtoneError(f"{key}: expected a whole number from {least} up, got {value!r}")
    return value


def _common_draws(cfg: Mapping[str, Any]) -> bool:
    """Return whether conditions share their draws."""
    value = cfg.get("draws", _DRAWS[0])
    if value not in _DRAWS:
        raise RoomtoneError(f"draws: unknown {value!r}; {nearest(str(value), _DRAWS)}")
    return bool(value == "common")


#: What `draws=…` may say; a set that was begun before there was a choice says nothing.
_DRAWS = ("independent", "common")
