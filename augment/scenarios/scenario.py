"""A scenario: the factors, levels, constraints and goals of one study, read from a checked mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roomtone.augment.scenarios.conditions import (
    ConditionLevels,
    PresetLookup,
    condition_name,
    parse_condition,
    preset_of,
    split_level,
)
from roomtone.augment.scenarios.presets import load_preset
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.vocabulary import CLEAN, FACTORS, NONE
from roomtone.coverage.counting.goal_parsing import parse_goals

_KEYS = ("name", "description", "factors", "constraints", "goals")


@dataclass(frozen=True)
class Scenario:
    """What a study varies and what it must hold.

    Attributes:
        factors: level names by factor, in the order given.
        constraints: combinations that make no sense together, as `coverage.designs` reads them.
        goals: what cells must hold, as `coverage.cells` reads it.
    """

    name: str
    factors: Mapping[str, tuple[str, ...]]
    description: str = ""
    constraints: tuple[Any, ...] = ()
    goals: Mapping[str, Any] = field(default_factory=dict)


def parse_scenario(mapping: Mapping[str, Any]) -> Scenario:
    """Return the scenario of a configuration.

    Raises:
        RoomtoneError: an unknown key or factor (with the nearest known), no levels, or a level given twice.
    """
    where = f"scenario {mapping.get('name', '')!r}"
    for key in mapping:
        if key not in _KEYS:
            raise RoomtoneError(f"{where}: unknown key {key!r}; {nearest(key, _KEYS)}")
    factors = mapping.get("factors")
    if not isinstance(factors, Mapping) or not factors:
        raise RoomtoneError(
            f"{where}: the key 'factors' must list levels by factor; known factors: {', '.join(FACTORS)}"
        )
    for factor in factors:
        if factor not in FACTORS:
            raise RoomtoneError(f"{where}: unknown factor {factor!r}; {nearest(factor, FACTORS)}")
    levels = {factor: _levels(factors[factor], f"{where}, {factor}") for factor in FACTORS if factor in factors}
    constraints = mapping.get("constraints") or ()
    if isinstance(constraints, str) or not isinstance(constraints, Sequence):
        raise RoomtoneError(f"{where}, constraints: expected a list, got {constraints!r}")
    goals = mapping.get("goals") or {}
    parse_goals(goals)  # what is wrong with them is told before anything is rendered
    return Scenario(
        str(mapping["name"]),
        levels,
        str(mapping.get("description", "")),
        tuple(constraints),
        goals,
    )


def name_by_levels(factors: Any) -> str:
    """Return what a scenario without a name is called: its levels, of many the first three.

    Args:
        factors: level names by factor; what is wrong with them `parse_scenario` says.

    >>> name_by_levels({"room": ["none", "ward"], "noise": ["none", "hall@5dB"]}), name_by_levels({"room": ["none"]})
    ('ward, hall@5dB', 'clean')
    """
    lists = factors.values() if isinstance(factors, Mapping) else ()
    levels = [
        str(level) for given in lists if isinstance(given, list | tuple) for level in given if level not in (None, NONE)
    ]
    more = f" and {len(levels) - 3} more" if len(levels) > 3 else ""
    return ", ".join(levels[:3]) + more or CLEAN


def _levels(names: Any, where: str) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, Sequence) or not names:
        raise RoomtoneError(f"{where}: expected a list of levels such as [none, …], got {names!r}")
    levels = tuple(NONE if name is None else str(name) for name in names)
    for level in levels:
        if levels.count(level) > 1:
            raise RoomtoneError(f"{where}: the level {level!r} is listed twice")
    return levels


def inline_presets(
    scenario: Scenario, given: Mapping[str, Mapping[str, Any]], search: Sequence[Path]
) -> dict[str, dict[str, Any]]:
    """Return the presets of all the scenario's levels by factor and name.

    Args:
        scenario: whose levels are meant.
        given: presets by factor and name that are used as they are, or single keys of them; the others are looked up.
        search: folders of the user's own, before the packaged ones.

    Raises:
        RoomtoneError: a level without a preset of that name.
    """
    presets: dict[str, dict[str, Any]] = {}
    for factor, levels in scenario.factors.items():
        for level in levels:
            if level == NONE:
                continue
            name = preset_of(factor, level)
            known = given.get(factor, {}).get(name, {})
            if known and "op" in known:
                presets.setdefault(factor, {})[name] = dict(known)
            else:  # single keys that were typed, such as a path, go over those of the preset
                loaded = load_preset(factor, name, search, typed=known or {})
                presets.setdefault(factor, {})[name] = loaded
            split_level(factor, level)  # an unknown preset is said before a missing SNR
    return presets


def lookup(presets: Mapping[str, Mapping[str, Any]]) -> PresetLookup:
    """Return the look-up of conditions in inlined presets."""

    def find(factor: str, name: str) -> Mapping[str, Any]:
        known = presets.get(factor, {})
        if name not in known:
            raise RoomtoneError(f"{factor}: unknown preset {name!r}; {nearest(name, known)}")
        return known[name]

    return find


def design_conditions(
    scenario: Scenario, design: Mapping[str, Any], presets: Mapping[str, Mapping[str, Any]], seed: int
) -> dict[str, ConditionLevels]:
    """Return the conditions that a design chooses, by name; `clean` is always among them and first.

    Args:
        scenario: whose levels are combined.
        design: the group `design`, see `coverage.conditions_for`.
        presets: by factor and name, those of all levels.
        seed: of a covering design.

    Raises:
        RoomtoneError: an unknown design, or constraints that nothing but clean obeys.
    """
    from roomtone.coverage.combinatorics.designs import conditions_for

    factors = {factor: list(levels) for factor, levels in scenario.factors.items()}
    rows = conditions_for(factors, dict(design), constraints=scenario.constraints, seed=seed)
    find = lookup(presets)
    conditions = {CLEAN: ConditionLevels(CLEAN, {})}
    for labels in rows:
        conditions.setdefault(condition_name(labels), parse_condition(labels, find))
    return conditions
