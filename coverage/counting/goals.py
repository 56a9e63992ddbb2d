"""Goals as data: what a cell must hold, in six units, and which cells do not count; and their amounts cell by cell.

`goal_parsing.py` says how they are written. Later rules win, unit by unit. Values are matched as text, `*` and `?` are wildcards.
Cells of `(not stated)` have no goal: nobody can record or render what nobody stated.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.vocabulary import NOT_STATED
from roomtone.coverage.counting.axes import Axis

#: The units in which cells are counted and goals are set, in the order of `coverage/matrix.csv`.
UNITS = ("renders", "utterances", "speakers", "assets", "minutes", "words")
#: Units that are whole numbers.
WHOLE = ("renders", "utterances", "speakers", "assets", "words")
#: Default intra-speaker correlation of word errors: a between-speaker sd of 5 points around a WER of 10 %.
DEFAULT_RHO = 0.03

#: Axis -> any of these patterns.
Where = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Rule:
    """Amounts for the cells that match `where`; `axes` are those of a margin."""

    where: Where
    amounts: Mapping[str, float] = field(default_factory=dict)
    weight: float | None = None
    axes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Goals:
    """Parsed goals; `parse_goals` makes them.

    Attributes:
        default: amounts of every cell.
        cells: amounts and weights of some cells.
        margins: what the values of one axis, or of several, must hold together.
        weights: weight of each value of an axis; those of a cell multiply.
        ignore: cells that do not count.
        illegal: what must hold no sample.
        levels: values of an axis that there should be, seen or not.
        rho: intra-speaker correlation for effective words.
        stated: whether somebody stated an amount, so that the default is not ours.
        assumed: what each different `detect` takes for granted, a sentence each.
    """

    default: Mapping[str, float]
    cells: tuple[Rule, ...] = ()
    margins: tuple[Rule, ...] = ()
    weights: tuple[Rule, ...] = ()
    ignore: tuple[Rule, ...] = ()
    illegal: tuple[Rule, ...] = ()
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rho: float = DEFAULT_RHO
    stated: bool = False
    assumed: tuple[str, ...] = ()

    def declared(self, axis: str) -> list[str]:
        """Return the values of an axis that the goals name in full."""
        rules = [*self.cells, *self.margins]
        named = [value for rule in rules for value in rule.where.get(axis, ()) if not _is_wild(value)]
        return list(dict.fromkeys([*self.levels.get(axis, ()), *named]))

    def own_axes(self) -> list[tuple[str, str]]:
        """Return (key of the goals, axis) for every axis that rules about whole cells name."""
        kinds = {"cells": self.cells, "weights": self.weights, "ignore": self.ignore}
        return [(kind, axis) for kind, rules in kinds.items() for rule in rules for axis in rule.where]

    def about(self, axes: Sequence[str]) -> tuple[Goals, list[str]]:
        """Return the goals without the rules that name other axes, and those axes.

        Args:
            axes: the axes of a matrix.
        """
        others = sorted({axis for _, axis in self.own_axes() if axis not in axes})

        def kept(rules: Iterable[Rule]) -> tuple[Rule, ...]:
            return tuple(rule for rule in rules if set(rule.where) <= set(axes))

        if not others:
            return self, []
        return replace(self, cells=kept(self.cells), weights=kept(self.weights), ignore=kept(self.ignore)), others


def check_goal_axes(goals: Goals, axes: Sequence[Axis], columns: Sequence[str]) -> None:
    """Refuse goals that would never apply because they name something that is no axis of the matrix.

    Args:
        goals: parsed goals.
        axes: the axes of the matrix.
        columns: the columns of the source.

    Raises:
        RoomtoneError: cells, weights or ignored cells on what is no axis; illegal rules, levels or margins on what is
            neither an axis nor a column.
    """
    names = [axis.column for axis in axes]
    known = [*names, *columns]
    named = [*goals.own_axes(), *(("illegal", axis) for rule in goals.illegal for axis in rule.where)]
    for key, axis in [*named, *(("levels", axis) for axis in goals.levels)]:
        if axis not in known:
            raise RoomtoneError(f"goals.{key}: {axis!r} is neither an axis nor a column; {nearest(axis, known)}")
    for key, axis in goals.own_axes():
        if axis not in names:
            raise RoomtoneError(
                f"goals.{key}: {axis!r} is no axis of this matrix ({', '.join(names)}), so the goal would never apply; "
                f"add it: axes=[{','.join([*names, axis])}]"
            )


def _is_wild(pattern: str) -> bool:
    return any(sign in pattern for sign in "*?[")


def matches(value: str, patterns: Sequence[str]) -> bool:
    """Return whether a value is one of the patterns; `*` and `?` are wildcards.

    Args:
        value: a value, as text.
        patterns: patterns, any of which may fit.
    """
    return any(value == pattern or fnmatch.fnmatchcase(value, pattern) for pattern in patterns)


@dataclass(frozen=True)
class CellGoals:
    """Goals of some cells; every array has [shape=(cells,)], amounts are 0 where none is set."""

    amounts: Mapping[str, np.ndarray]
    weight: np.ndarray
    ignored: np.ndarray
    illegal: np.ndarray


@dataclass(frozen=True)
class Cells:
    """Some cells of a grid: the axes, their values, and for each cell the number of its value on every axis.

    Attributes:
        axes: the axes.
        levels: the values of each.
        codes: [shape=(cells, axes)].
    """

    axes: tuple[Axis, ...]
    levels: tuple[tuple[str, ...], ...]
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)

    def along(self, axis: int, of_value: Callable[[str], float]) -> np.ndarray:
        """Return a number of each cell that follows from its value on one axis [shape=(cells,)].

        Args:
            axis: number of the axis.
            of_value: the number of a value.
        """
        per_level = np.array([of_value(value) for value in self.levels[axis]])
        found: np.ndarray = per_level[self.codes[:, axis]] if len(self) else np.zeros(0)
        return found

    def named_by(self, rule: Rule) -> np.ndarray:
        """Return which cells a rule names, bool [shape=(cells,)]; a rule about other columns names none."""
        if not set(rule.where) <= {axis.column for axis in self.axes}:
            return np.zeros(len(self), dtype=bool)
        mask = np.ones(len(self), dtype=bool)
        for i, axis in enumerate(self.axes):
            if axis.column in rule.where:
                mask &= self.along(i, partial(matches, patterns=rule.where[axis.column])).astype(bool)
        return mask

    def unstated(self) -> np.ndarray:
        """Return which cells have a value that nobody stated, bool [shape=(cells,)]."""
        mask = np.zeros(len(self), dtype=bool)
        for i in range(len(self.axes)):
            mask |= self.along(i, lambda value: value == NOT_STATED).astype(bool)
        return mask


def cell_goals(goals: Goals, cells: Cells) -> CellGoals:
    """Return the goals of some cells; ignored, illegal and not-stated cells have none.

    Args:
        goals: parsed goals.
        cells: the cells.
    """
    amounts = {unit: np.full(len(cells), float(goals.default.get(unit, 0))) for unit in UNITS}
    weight = np.ones(len(cells))
    for rule in goals.cells:
        mask = cells.named_by(rule)
        for unit, amount in rule.amounts.items():
            amounts[unit][mask] = amount
        if rule.weight is not None:
            weight[mask] = rule.weight
    weight = weight * _mix(goals.weights, cells)
    ignored, illegal = _any(goals.ignore, cells), _any(goals.illegal, cells)
    for values in amounts.values():
        values[ignored | illegal | cells.unstated()] = 0
    return CellGoals(amounts, weight, ignored, illegal)


def margin_amounts(rule: Rule, cells: Cells) -> dict[str, np.ndarray]:
    """Return the amounts of one margin rule for the cells of the margin's own grid, 0 where it does not apply.

    Args:
        rule: the margin.
        cells: the cells over the margin's own axes.
    """
    mask = cells.named_by(rule) & ~cells.unstated()
    return {unit: np.where(mask, float(rule.amounts.get(unit, 0)), 0.0) for unit in UNITS}


def _mix(rules: Sequence[Rule], cells: Cells) -> np.ndarray:
    """Return the product over axes of each value's weight; per axis the last matching entry but an exact name wins."""
    product = np.ones(len(cells))
    for i, axis in enumerate(cells.axes):
        entries = {rule.where[axis.column][0]: float(rule.weight or 0) for rule in rules if axis.column in rule.where}
        if entries:
            product = product * cells.along(i, partial(_weight_of, entries=entries))
    return product


def _weight_of(value: str, entries: Mapping[str, float]) -> float:
    wild = [weight for pattern, weight in entries.items() if matches(value, (pattern,))]
    return entries.get(value, wild[-1] if wild else 1.0)


def _any(rules: Sequence[Rule], cells: Cells) -> np.ndarray:
    mask = np.zeros(len(cells), dtype=bool)
    for rule in rules:
        mask |= cells.named_by(rule)
    return mask
