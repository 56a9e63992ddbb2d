"""How goals are written: in YAML (a scenario's `goals`, or `goals` of `roomtone coverage`), every key optional:

    goals:
      default: {utterances: 3, speakers: 3}        # every cell
      cells:                                       # later rules win, unit by unit; an axis left out is "*"
        - {accent: scottish, condition: "*", minutes: 2}
        - {condition: [gsm, "babble@*"], weight: 3}
        - {accent: us, detect: 0.02, power: 0.8, wer: 0.10}
      margins:                                     # what the values of one axis (or of several) must hold together
        - {axis: accent, speakers: 5}
        - {axis: accent, accent: scottish, speakers: 8}
      weights: {accent: {us: 6, "*": 1}}           # a deployment mix; the weights of a cell's values multiply
      ignore:  [{accent: us, condition: clean}]    # leave numerator and denominator, may hold samples
      illegal: [{room: car_cabin, equipment: "mri_*"}]   # must hold none; counted when they do
      levels:  {handset: [gsm]}                    # values that count as missing though nothing has them yet
      rho: 0.03                                    # intra-speaker correlation for effective words

Values are matched as text, `*` and `?` are wildcards, a list means any of them. `detect` is the WER gap that the cell must
be able to show and becomes words and speakers (`power.py`); its further keys are `power, alpha, wer, speaker_sd,
words_per_speaker`. Where neither `default` nor `cells` nor `margins` is given, every cell must hold one render.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.coverage.counting.goals import DEFAULT_RHO, UNITS, WHOLE, Goals, Rule, Where

_DETECT = ("detect", "power", "alpha", "wer", "speaker_sd", "words_per_speaker")
_KEYS = ("default", "cells", "margins", "weights", "ignore", "illegal", "levels", "rho")
_DEFAULT = {"renders": 1}


def parse_goals(goals: Mapping[str, Any] | Goals | None) -> Goals:
    """Return the goals of a YAML mapping (see above), or one render a cell where there are none.

    Raises:
        RoomtoneError: unknown key or unit (with the nearest known one), or an amount that is no positive number.
    """
    if isinstance(goals, Goals):
        return goals
    if not goals:
        return Goals(default=dict(_DEFAULT))
    if not isinstance(goals, Mapping):
        raise RoomtoneError(f"goals: expected a mapping, got {goals!r}")
    for key in goals:
        if key not in _KEYS:
            raise RoomtoneError(f"goals: unknown key {key!r}; {nearest(str(key), _KEYS)}")
    default = _amounts(goals.get("default") or {}, where="goals.default")
    cells = tuple(_rule(item, f"goals.cells[{i}]") for i, item in enumerate(_list(goals, "cells")))
    margins = tuple(_margin(item, f"goals.margins[{i}]") for i, item in enumerate(_list(goals, "margins")))
    # weights, levels or ignored cells alone leave the default as it is
    stated = bool(goals.get("default")) or any(rule.amounts for rule in (*cells, *margins))
    return Goals(
        default=default if stated else dict(_DEFAULT),
        cells=cells,
        margins=margins,
        weights=tuple(_weights(goals.get("weights") or {})),
        ignore=tuple(Rule(_where(item, f"goals.ignore[{i}]")) for i, item in enumerate(_list(goals, "ignore"))),
        illegal=tuple(Rule(_where(item, f"goals.illegal[{i}]")) for i, item in enumerate(_list(goals, "illegal"))),
        levels=_levels(goals.get("levels") or {}),
        rho=_rho(goals.get("rho", DEFAULT_RHO)),
        stated=stated,
        assumed=tuple(dict.fromkeys(_assumed(item) for item in _detecting(goals))),
    )


def _detecting(goals: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the rules that ask for a gap to be seen."""
    rules = [goals.get("default") or {}, *_list(goals, "cells"), *_list(goals, "margins")]
    return [rule for rule in rules if "detect" in rule]


def _assumed(rule: Mapping[str, Any]) -> str:
    """Return what the words and speakers of a `detect` take for granted."""
    from roomtone.coverage.power import ASSUMED

    said = {**ASSUMED, **{key: rule[key] for key in _DETECT if key in rule}}
    return (
        f"detect {100 * said['detect']:g} points: worked out before anything is heard, for {100 * said['wer']:g} % WER, speakers that differ by"
        f" {100 * said['speaker_sd']:g} points and one comparison alone (power {100 * said['power']:g} %, alpha {100 * said['alpha']:g} %). An evaluation"
        " that compares many cells at once needs more speakers, and says how many."
    )


def _levels(levels: Any) -> dict[str, tuple[str, ...]]:
    lists = isinstance(levels, Mapping) and all(
        isinstance(values, Sequence) and not isinstance(values, str) for values in levels.values()
    )
    if not lists:
        raise RoomtoneError(f"goals.levels: expected {{axis: [values]}}, got {levels!r}")
    return {str(axis): tuple(map(str, values)) for axis, values in levels.items()}


def _list(goals: Mapping[str, Any], key: str) -> Sequence[Any]:
    value = goals.get(key) or []
    if isinstance(value, str | Mapping) or not isinstance(value, Sequence):
        raise RoomtoneError(f"goals.{key}: expected a list of mappings, got {value!r}")
    for i, item in enumerate(value):
        if not isinstance(item, Mapping):
            raise RoomtoneError(f"goals.{key}[{i}]: expected a mapping of axes and units, got {item!r}")
    return value


def _rule(item: Mapping[str, Any], where: str) -> Rule:
    known = {k: v for k, v in item.items() if k in UNITS or k in _DETECT}
    axes = {k: v for k, v in item.items() if k not in known and k != "weight"}
    if not known and "weight" not in item:
        raise RoomtoneError(f"{where}: no unit in {dict(item)!r}; known: {', '.join(UNITS)}, detect, weight")
    weight = None if "weight" not in item else _positive(item["weight"], f"{where}, weight", zero=True)
    return Rule(_where(axes, where), _amounts(known, where=where), weight)


def _margin(item: Mapping[str, Any], where: str) -> Rule:
    if "axis" not in item:
        raise RoomtoneError(f"{where}: the key 'axis' is missing: which axis' values must hold this together?")
    named = [item["axis"]] if isinstance(item["axis"], str) else list(item["axis"])
    rule = _rule({k: v for k, v in item.items() if k != "axis"}, where)
    for axis in rule.where:
        if axis not in named:
            raise RoomtoneError(f"{where}: {axis!r} is not one of the margin's own axes ({', '.join(named)})")
    return Rule(rule.where, rule.amounts, rule.weight, axes=tuple(map(str, named)))


def _weights(weights: Mapping[str, Any]) -> list[Rule]:
    if not isinstance(weights, Mapping) or not all(isinstance(w, Mapping) for w in weights.values()):
        raise RoomtoneError(f"goals.weights: expected {{axis: {{value: weight}}}}, got {weights!r}")
    return [
        Rule({str(axis): (str(value),)}, weight=_positive(weight, f"goals.weights.{axis}.{value}", zero=True))
        for axis, values in weights.items()
        for value, weight in values.items()
    ]


def _where(mapping: Mapping[str, Any], where: str) -> Where:
    if not isinstance(mapping, Mapping):
        raise RoomtoneError(f"{where}: expected a mapping of axes to values, got {mapping!r}")
    return {
        str(k): tuple(map(str, v if isinstance(v, Sequence) and not isinstance(v, str) else [v]))
        for k, v in mapping.items()
    }


def _amounts(mapping: Mapping[str, Any], *, where: str) -> dict[str, float]:
    for key in mapping:
        if key not in UNITS and key not in _DETECT:
            raise RoomtoneError(f"{where}: unknown unit {key!r}; {nearest(str(key), [*UNITS, *_DETECT])}")
    amounts: dict[str, float] = {}
    if "detect" in mapping:
        from roomtone.coverage.power import words_and_speakers

        options = {k: _positive(mapping[k], f"{where}, {k}") for k in _DETECT if k in mapping}
        amounts.update(words_and_speakers(options.pop("detect"), **options))
    elif extra := [key for key in mapping if key in _DETECT]:
        raise RoomtoneError(f"{where}: {extra[0]!r} belongs to 'detect', which is missing")
    for unit in UNITS:
        if unit in mapping:
            amounts[unit] = _positive(mapping[unit], f"{where}, {unit}", zero=True)
            if unit in WHOLE and amounts[unit] != int(amounts[unit]):
                raise RoomtoneError(f"{where}, {unit}: expected a whole number, got {mapping[unit]!r}")
    return amounts


def _positive(value: Any, where: str, *, zero: bool = False) -> float:
    right = isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
    if not right or value < 0 or (value == 0 and not zero):
        raise RoomtoneError(f"{where}: expected a {'non-negative' if zero else 'positive'} number, got {value!r}")
    return float(value) if isinstance(value, float) else int(value)


def _rho(value: Any) -> float:
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise RoomtoneError(f"goals.rho: an intra-speaker correlation lies in 0 to 1, got {value!r}")
    return float(value)
