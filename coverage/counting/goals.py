"""Goals: what a cell must hold, in six units, and which cells do not count.

In YAML (a scenario's `goals`, or `goals` of `roomtone coverage`), every key optional:

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
words_per_speaker`. Without any goals every cell must hold one render. Cells of `(not stated)` have no goal:
nobody can record or render what nobody stated.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.vocabulary import NOT_STATED
from roomtone.coverage.counting.axes import Axis

#: The units in which cells are counted and goals are set, in the order of `coverage/matrix.csv`.
UNITS = ("renders", "utterances", "speakers", "assets", "minutes", "words")
#: Units that are whole numbers.
WHOLE = ("renders", "utterances", "speakers", "assets", "words")
_DETECT = ("detect", "power", "alpha", "wer", "speaker_sd", "words_per_speaker")
_KEYS = ("default", "cells", "margins", "weights", "ignore", "illegal", "levels", "rho")

#: Default intra-speaker correlation of word errors: a between-speaker sd of 5 points around a WER of 10 %.
DEFAULT_RHO = 0.03

Where = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Rule:
    """Amounts for the cells that match `where` (axis -> any of these patterns)."""

    where: Where
    amounts: Mapping[str, float] = field(default_factory=dict)
    weight: float | None = None
    axes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Goals:
    """Parsed goals; `parse_goals` makes them."""

    default: Mapping[str, float]
    cells: tuple[Rule, ...] = ()
    margins: tuple[Rule, ...] = ()
    weights: tuple[Rule, ...] = ()
    ignore: tuple[Rule, ...] = ()
    illegal: tuple[Rule, ...] = ()
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rho: float = DEFAULT_RHO

    def declared(self, axis: str) -> list[str]:
        """Return the values of an axis that the goals name in full."""
        rules = [*self.cells, *self.margins]
        named = [value for rule in rules for value in rule.where.get(axis, ()) if not _is_wild(value)]
        return list(dict.fromkeys([*self.levels.get(axis, ()), *named]))


def parse_goals(goals: Mapping[str, Any] | Goals | None) -> Goals:
    """Return the goals of a YAML mapping (see above), or one render a cell where there are none.

    Raises:
        RoomtoneError: unknown key or unit (with the nearest known one), or an amount that is no positive number.
    """
    if isinstance(goals, Goals):
        return goals
    if not goals:
        return Goals(default={"renders": 1})
    if not isinstance(goals, Mapping):
        raise RoomtoneError(f"goals: expected a mapping, got {goals!r}")
    for key in goals:
        if key not in _KEYS:
            raise RoomtoneError(f"goals: unknown key {key!r}; {nearest(str(key), _KEYS)}")
    return Goals(
        default=_amounts(goals.get("default") or {}, where="goals.default"),
        cells=tuple(_rule(item, f"goals.cells[{i}]") for i, item in enumerate(_list(goals, "cells"))),
        margins=tuple(_margin(item, f"goals.margins[{i}]") for i, item in enumerate(_list(goals, "margins"))),
        weights=tuple(_weights(goals.get("weights") or {})),
        ignore=tuple(Rule(_where(item, f"goals.ignore[{i}]")) for i, item in enumerate(_list(goals, "ignore"))),
        illegal=tuple(Rule(_where(item, f"goals.illegal[{i}]")) for i, item in enumerate(_list(goals, "illegal"))),
        levels={str(axis): tuple(map(str, values)) for axis, values in (goals.get("levels") or {}).items()},
        rho=_rho(goals.get("rho", DEFAULT_RHO)),
    )


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
        raise RoomtoneError(f"goals.rho: an intra-speaker correlation is from 0 to 1, got {value!r}")
    return float(value)


def _is_wild(pattern: str) -> bool:
    return any(sign in pattern for sign in "*?[")


def matches(value: str, patterns: Sequence[str]) -> bool:
    """Return whether a value is one of the patterns; `*` and `?` are wildcards.

    Args:
        value: a value, as text.
        patterns: patterns, any of which may fit.
    """
    return any(value == pattern or fnmatch.fnmatchcase(value, pattern) for pattern in patterns)


def rule_mask(rule: Rule, axes: Sequence[Axis], levels: Sequence[Sequence[str]]) -> np.ndarray:
    """Return which cells a rule names, bool [shape=(levels of axis 0, levels of axis 1, …)].

    A rule that names a column which is no axis here says nothing about whole cells: its mask is empty.

    Args:
        rule: what is named.
        axes: the axes of the grid.
        levels: the values of each axis.
    """
    shape = tuple(len(values) for values in levels)
    if not set(rule.where) <= {axis.column for axis in axes}:
        return np.zeros(shape, dtype=bool)
    mask = np.ones(shape, dtype=bool)
    for i, (axis, values) in enumerate(zip(axes, levels)):
        if axis.column in rule.where:
            along = np.array([matches(value, rule.where[axis.column]) for value in values], dtype=bool)
            mask &= along.reshape([-1 if j == i else 1 for j in range(len(shape))])
    return mask


@dataclass(frozen=True)
class CellGoals:
    """Goals of every cell of the grid; every array has [shape=(levels of axis 0, …)], amounts are 0 where none is set."""

    amounts: Mapping[str, np.ndarray]
    weight: np.ndarray
    ignored: np.ndarray
    illegal: np.ndarray


def cell_goals(goals: Goals, axes: Sequence[Axis], levels: Sequence[Sequence[str]]) -> CellGoals:
    """Return the goals of every cell of the grid; ignored, illegal and not-stated cells have none.

    Args:
        goals: parsed goals.
        axes: the axes of the grid.
        levels: the values of each axis.
    """
    shape = tuple(len(values) for values in levels)
    amounts = {unit: np.full(shape, float(goals.default.get(unit, 0))) for unit in UNITS}
    weight = np.ones(shape)
    for rule in goals.cells:
        mask = rule_mask(rule, axes, levels)
        for unit, amount in rule.amounts.items():
            amounts[unit][mask] = amount
        if rule.weight is not None:
            weight[mask] = rule.weight
    weight = weight * _mix(goals.weights, axes, levels)
    ignored = _any(goals.ignore, axes, levels)
    illegal = _any(goals.illegal, axes, levels)
    unstated = _any([Rule({axis.column: (NOT_STATED,)}) for axis in axes], axes, levels)
    for values in amounts.values():
        values[ignored | illegal | unstated] = 0
    return CellGoals(amounts, weight, ignored, illegal)


def margin_amounts(rule: Rule, axes: Sequence[Axis], levels: Sequence[Sequence[str]]) -> dict[str, np.ndarray]:
    """Return the amounts of one margin rule on the margin's own grid, 0 where it does not apply.

    Args:
        rule: the margin.
        axes: the margin's own axes.
        levels: the values of each.
    """
    mask = rule_mask(rule, axes, levels) & ~_any([Rule({a.column: (NOT_STATED,)}) for a in axes], axes, levels)
    return {unit: np.where(mask, float(rule.amounts.get(unit, 0)), 0.0) for unit in UNITS}


def _mix(rules: Sequence[Rule], axes: Sequence[Axis], levels: Sequence[Sequence[str]]) -> np.ndarray:
    """Return the product over axes of each value's weight; per axis the last matching entry but an exact name wins."""
    product = np.ones(tuple(len(values) for values in levels))
    for i, (axis, values) in enumerate(zip(axes, levels)):
        entries = {rule.where[axis.column][0]: rule.weight for rule in rules if axis.column in rule.where}
        along = []
        for value in values:
            wild = [w for pattern, w in entries.items() if matches(value, (pattern,))]
            along.append(entries.get(value, wild[-1] if wild else 1.0))
        product = product * np.array(along, dtype=float).reshape([-1 if j == i else 1 for j in range(product.ndim)])
    return product


def _any(rules: Sequence[Rule], axes: Sequence[Axis], levels: Sequence[Sequence[str]]) -> np.ndarray:
    mask = np.zeros(tuple(len(values) for values in levels), dtype=bool)
    for rule in rules:
        mask |= rule_mask(rule, axes, levels)
    return mask
