"""The goals that a plan works towards, from a matrix: which are short of something, and which renders count for them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import CLEAN, NONE
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.counting.goals import UNITS, Goals, Rule, matches
from roomtone.coverage.fill.limits import Rule as KeptOut
from roomtone.coverage.fill.speech import Speech, tie
from roomtone.coverage.fill.tally import MINUTES, NS_PER_MINUTE, Pool, Table

if TYPE_CHECKING:
    from roomtone.coverage.matrix import CoverageMatrix

#: The values that a target fixes, as ((axis, value), …).
Key = tuple[tuple[str, str], ...]
#: Combinations of levels beyond which `t_way` is no order of planning.
_MAX_COMBINATIONS = 50_000


@dataclass(frozen=True)
class Targets:
    """Everything that a plan is to reach; arrays have one entry a target.

    Attributes:
        keys: the values that each fixes.
        goal, have: amounts [shape=(targets, units)]; what is there of durations in nanoseconds.
        weight: of each.
        phase: -1 for a combination of levels, 0 for a cell, 1 for a margin; lower ones go first.
        tie: orders equals.
        pools: the utterances that count for each.
        conditions: numbers of the conditions that lie in each.
        tables: what a render counts for.
        group: number of the group of each: cells with the same values of the axes that goals weigh; each other one is alone.
    """

    keys: list[Key]
    goal: np.ndarray
    have: np.ndarray
    weight: np.ndarray
    phase: np.ndarray
    tie: list[int]
    pools: list[Pool]
    conditions: list[list[int]]
    tables: list[Table]
    group: list[int]

    def name(self, target: int) -> str:
        """Return a target's place in words."""
        return ", ".join(f"{axis} {value}" for axis, value in self.keys[target])


@dataclass
class Drafts:
    """Targets while they are collected; `weighed` are the axes whose values goals give a weight."""

    seed: int
    weighed: tuple[str, ...] = ()
    keys: list[Key] = field(default_factory=list)
    goal: list[list[float]] = field(default_factory=list)
    have: list[list[float]] = field(default_factory=list)
    weight: list[float] = field(default_factory=list)
    phase: list[int] = field(default_factory=list)

    def add(
        self, row: Mapping[Any, Any], axes: Sequence[str], phase: int, goal: Mapping[str, float] | None = None
    ) -> None:
        """Add a row of counts as a target.

        Args:
            row: the axes' values, the counts, `goal_*` and perhaps `weight`.
            axes: the axes that it fixes.
            phase: see `Targets`.
            goal: amounts that stand in for those of the row.
        """
        self.keys.append(tuple((axis, str(row[axis])) for axis in axes))
        asked = {unit: float(row[f"goal_{unit}"]) for unit in UNITS} if goal is None else goal
        self.goal.append([float(asked.get(unit, 0.0)) for unit in UNITS])
        counts = [0.0 if row[unit] != row[unit] else float(row[unit]) for unit in UNITS]
        counts[MINUTES] = round(counts[MINUTES] * NS_PER_MINUTE)
        self.have.append(counts)
        self.weight.append(float(row.get("weight", 1.0)))
        self.phase.append(phase)

    def finished(self, speech: Speech, conditions: Sequence[str], labels: Mapping[str, Mapping[str, str]]) -> Targets:
        """Return the targets with the utterances and conditions that count for them.

        Args:
            speech: the available speech.
            conditions: names of the conditions.
            labels: level of every factor of each condition.
        """
        spoken = set(speech.keys[0]) if speech.keys else set()
        pools = _pools(self.keys, speech, spoken)
        by_labels: dict[Key, list[int]] = {}
        listed = []
        for key in self.keys:
            rendered = tuple((axis, value) for axis, value in key if axis not in spoken)
            if rendered not in by_labels:
                every = enumerate(conditions)
                by_labels[rendered] = [i for i, c in every if all(_label(c, a, labels) == v for a, v in rendered)]
            listed.append(by_labels[rendered])
        shape = (len(self.keys), len(UNITS))
        return Targets(
            self.keys,
            np.array(self.goal, dtype=np.float64).reshape(shape),
            np.array(self.have, dtype=np.float64).reshape(shape),
            np.array(self.weight, dtype=np.float64),
            np.array(self.phase, dtype=np.int64),
            # of equals the clean cell goes first: the others' renders need its own beside them
            [-1 if ("condition", CLEAN) in key else tie(self.seed, *(value for _, value in key)) for key in self.keys],
            pools,
            listed,
            _tables(self.keys, speech, spoken, conditions, labels),
            self._groups(),
        )

    def _groups(self) -> list[int]:
        """Return the group of each target; cells of one weighed value are together."""
        numbers: dict[object, int] = {}
        found = []
        for i, (key, phase) in enumerate(zip(self.keys, self.phase)):
            values = tuple((axis, value) for axis, value in key if axis in self.weighed)
            found.append(numbers.setdefault(values if values and phase == 0 else i, len(numbers)))
        return found


def cell_targets(before: CoverageMatrix, drafts: Drafts, open_ended: Mapping[str, float] | None) -> None:
    """Add every cell that misses a goal, then every margin that does.

    Args:
        before: the matrix of what exists.
        drafts: where they are added.
        open_ended: amounts of every cell where nobody stated a goal and a budget is to be spread.
    """
    frame = before.to_frame()
    wanted = ["empty", "partial"] if open_ended is None else ["empty", "partial", "covered"]
    for row in frame[frame["status"].isin(wanted)].to_dict("records"):
        drafts.add(row, before.axes, 0, open_ended)
    for axes, row in before.margin_rows():
        if row["covered_share"] < 1:
            drafts.add(row, axes, 1)


def combination_targets(
    rows: Sequence[Mapping[str, str]], conditions: Sequence[str], labels: Mapping[str, Mapping[str, str]], strength: int,
    drafts: Drafts,
) -> None:  # fmt: skip
    """Add every combination of any `strength` factors' levels that the conditions have, as a target of one render.

    Args:
        rows: labels of what exists.
        conditions: names of the conditions.
        labels: level of every factor of each condition.
        strength: t.
        drafts: where they are added.

    Raises:
        RoomtoneError: there are no labels, or too many combinations.
    """
    factors = sorted({factor for condition in conditions for factor in labels.get(condition, {})})
    if not factors:
        raise RoomtoneError("design.first=t_way: the conditions have no labels, so there are no combinations to cover")
    strength = min(strength, len(factors))
    for chosen in itertools.combinations(factors, strength):
        held = {tuple(str(row.get(f)) for f in chosen) for row in rows}
        seen = {tuple(_label(c, f, labels) for f in chosen) for c in conditions}
        if len(drafts.keys) + len(seen) > _MAX_COMBINATIONS:
            raise RoomtoneError(f"design.first=t_way: more than {_MAX_COMBINATIONS:,} combinations; use first=cells")
        for values in sorted(seen - held):
            drafts.add({**dict(zip(chosen, values)), **dict.fromkeys(UNITS, 0)}, chosen, -1, {"renders": 1.0})


def kept_out(
    goals: Goals, speech: Speech, conditions: Sequence[str], labels: Mapping[str, Mapping[str, str]]
) -> list[KeptOut]:
    """Return what must not be planned: illegal combinations, whatever columns they name, and ignored cells.

    Args:
        goals: parsed goals.
        speech: the available speech.
        conditions: names of the conditions.
        labels: level of every factor of each condition.

    Raises:
        RoomtoneError: an illegal rule names a column that is known only once something is rendered.
    """
    rules = [(rule, True) for rule in goals.illegal] + [(rule, False) for rule in goals.ignore]
    return [_kept_out(rule, speech, conditions, labels, pairs=pairs) for rule, pairs in rules if rule.where]


def _kept_out(
    rule: Rule, speech: Speech, conditions: Sequence[str], labels: Mapping[str, Mapping[str, str]], *, pairs: bool
) -> KeptOut:
    spoken = np.ones(len(speech.ids), dtype=bool)
    rendered = np.ones(len(conditions), dtype=bool)
    for column, patterns in rule.where.items():
        if column in speech.rows:
            cells = [Axis(column).values_of(cell) for cell in speech.rows[column]]
            spoken &= np.array([any(matches(value, patterns) for value in cell) for cell in cells], dtype=bool)
        elif column == "condition" or any(column in labels.get(c, {}) for c in conditions):
            rendered &= np.array([matches(_label(c, column, labels), patterns) for c in conditions], dtype=bool)
        else:
            raise RoomtoneError(
                f"design=fill: an illegal or ignored combination names {column!r}, which is neither a column of the speech "
                "nor a factor of the conditions"
            )
    return KeptOut(spoken, rendered, pairs)


def _label(condition: str, axis: str, labels: Mapping[str, Mapping[str, str]]) -> str:
    return condition if axis == "condition" else labels.get(condition, {}).get(axis, NONE)


def _pools(keys: Sequence[Key], speech: Speech, spoken: set[str]) -> list[Pool]:
    found: dict[Key, Pool] = {}
    pools = []
    for key in keys:
        own = tuple((axis, value) for axis, value in key if axis in spoken)
        if own not in found:
            members = [u for u, values in enumerate(speech.keys) if all(value in values[axis] for axis, value in own)]
            found[own] = Pool.of(members, speech.voices)
        pools.append(found[own])
    return pools


def _tables(
    keys: Sequence[Key],
    speech: Speech,
    spoken: set[str],
    conditions: Sequence[str],
    labels: Mapping[str, Mapping[str, str]],
) -> list[Table]:
    number = {key: i for i, key in enumerate(keys)}
    tables = []
    for axes in dict.fromkeys(tuple(axis for axis, _ in key) for key in keys):
        said = [axis for axis in axes if axis in spoken]
        made = [axis for axis in axes if axis not in spoken]
        values: dict[tuple[str, ...], int] = {}
        of_speech = [
            tuple(
                values.setdefault(row, len(values)) for row in itertools.product(*(sorted(own[axis]) for axis in said))
            )
            for own in speech.keys
        ]
        names: dict[tuple[str, ...], int] = {}
        of_condition = [
            names.setdefault(tuple(_label(condition, axis, labels) for axis in made), len(names))
            for condition in conditions
        ]
        target = [[-1] * len(names) for _ in values]
        for row, i in values.items():
            for column, j in names.items():
                fixed = {**dict(zip(said, row)), **dict(zip(made, column))}
                target[i][j] = number.get(tuple((axis, fixed[axis]) for axis in axes), -1)
        tables.append(Table(of_speech, of_condition, target))
    return tables
