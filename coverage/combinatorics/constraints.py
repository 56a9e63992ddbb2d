"""Constraints between factors: which combinations of levels cannot be, as forbidden conjunctions.

In YAML, over names (`*` and `?` are wildcards, a list means any of them, `mri_epi` also means `mri_epi@10dB`):

    constraints:
      - {if: {room: car_cabin}, then_not: {equipment: [mri_epi, mri_tse]}}
      - {if: {handset: gsm}, then: {room: [ward, car_cabin]}}
      - {not: {noise: "babble@*", equipment: "mri_*"}}

Over indices, as `covering_array` and `t_way_coverage` take them, the same mappings hold factor and level numbers:
`{"if": {0: 2}, "then_not": {3: [0, 1]}}`. There a pair `(factors, predicate)` works too, where `predicate(*levels of these
factors)` is true for what is allowed, and so does a bare `predicate(row)` over all factors where these are few.

All forms become the same thing: a list of conjunctions `{factor: set of levels}`, each of which no row may match in full.
"""

from __future__ import annotations

import fnmatch
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest

#: The largest t: how many factors a combination has at most.
MAX_STRENGTH = 4
#: A conjunction that no row may match: factor -> levels.
Forbidden = dict[int, frozenset[int]]
#: A callable constraint is tried on every combination of its factors; more than this many is a slip.
MAX_TRIED = 1_000_000


def parse_constraints(constraints: Sequence[Any], sizes: Sequence[int]) -> list[Forbidden]:
    """Return index-level constraints as forbidden conjunctions.

    Args:
        constraints: mappings, `(factors, predicate)` pairs or callables, see the module's head.
        sizes: number of levels of each factor.

    Raises:
        RoomtoneError: a form, factor or level that does not exist, or a callable over too many combinations.
    """
    listed: list[Forbidden] = []
    for i, constraint in enumerate(constraints):
        where = f"constraints[{i}]"
        if isinstance(constraint, Mapping):
            listed += _from_mapping(constraint, sizes, where)
        elif callable(constraint):
            listed += _from_predicate(range(len(sizes)), lambda *row, check=constraint: check(row), sizes, where)
        elif isinstance(constraint, Sequence) and len(constraint) == 2 and callable(constraint[1]):
            listed += _from_predicate(constraint[0], constraint[1], sizes, where)
        else:
            raise RoomtoneError(
                f"{where}: expected a mapping, a (factors, predicate) pair or a callable, got {constraint!r}"
            )
    return listed


def name_constraints(constraints: Sequence[Mapping[str, Any]], factors: Mapping[str, Sequence[str]]) -> list[Forbidden]:
    """Return constraints over names as forbidden conjunctions over indices.

    Args:
        constraints: mappings over names, see the module's head; None and an empty list are none.
        factors: the levels of each factor, by its name.

    Raises:
        RoomtoneError: unknown key or factor, with the nearest known one. A pattern that fits no level forbids nothing.
    """
    names = list(factors)

    def translate(part: Any, where: str) -> dict[int, list[int]]:
        if not isinstance(part, Mapping):
            raise RoomtoneError(f"{where}: expected {{factor: level}}, got {part!r}")
        for factor in part:
            if factor not in names:
                raise RoomtoneError(f"{where}: unknown factor {factor!r}; {nearest(str(factor), names)}")
        return {
            names.index(f): [i for i, level in enumerate(factors[f]) if level_matches(level, p)]
            for f, p in part.items()
        }

    listed: list[Forbidden] = []
    sizes = [len(levels) for levels in factors.values()]
    for i, constraint in enumerate(constraints or ()):
        where = f"constraints[{i}]"
        if not isinstance(constraint, Mapping):
            raise RoomtoneError(f"{where}: expected a mapping, got {constraint!r}")
        indices = {key: translate(part, f"{where}.{key}") for key, part in constraint.items()}
        listed += _from_mapping(indices, sizes, where)
    return listed


def level_matches(level: str, patterns: Any) -> bool:
    """Return whether a level is one of the patterns; a preset's name stands for it at any SNR.

    Args:
        level: a level's name, e.g. `mri_epi@10dB`.
        patterns: one pattern or a list of them.

    >>> level_matches("mri_epi@10dB", "mri_epi"), level_matches("mri_epi@10dB", ["gsm", "mri_*"])
    (True, True)
    """
    listed = [patterns] if isinstance(patterns, str) or not isinstance(patterns, Sequence) else patterns
    return any(p in (level, level.split("@")[0]) or fnmatch.fnmatchcase(level, p) for p in map(str, listed))


def _from_mapping(constraint: Mapping[Any, Any], sizes: Sequence[int], where: str) -> list[Forbidden]:
    keys = set(constraint)
    if keys == {"not"}:
        return _drop_empty([_conjunction(constraint["not"], sizes, where)])
    if keys == {"if", "then_not"}:
        left, right = (_conjunction(constraint[key], sizes, where) for key in ("if", "then_not"))
        return _drop_empty([_both(left, right)])
    if keys == {"if", "then"}:
        left, right = (_conjunction(constraint[key], sizes, where) for key in ("if", "then"))
        # A -> (B and C) forbids A with not-B, and A with not-C
        return _drop_empty([_both(left, {f: frozenset(range(sizes[f])) - ok}) for f, ok in right.items()])
    raise RoomtoneError(f"{where}: expected the keys if + then_not, if + then, or not; got {sorted(map(str, keys))}")


def _conjunction(part: Any, sizes: Sequence[int], where: str) -> Forbidden:
    if not isinstance(part, Mapping) or not part:
        raise RoomtoneError(f"{where}: expected {{factor: level}}, got {part!r}")
    conjunction: Forbidden = {}
    for factor, levels in part.items():
        listed = (
            list(levels) if isinstance(levels, Sequence | set | frozenset) and not isinstance(levels, str) else [levels]
        )
        if not isinstance(factor, int) or not 0 <= factor < len(sizes):
            raise RoomtoneError(f"{where}: there is no factor {factor!r}, they are numbered 0 to {len(sizes) - 1}")
        for level in listed:
            if not isinstance(level, int) or not 0 <= level < sizes[factor]:
                raise RoomtoneError(
                    f"{where}: factor {factor} has no level {level!r}, they are numbered 0 to {sizes[factor] - 1}"
                )
        conjunction[int(factor)] = frozenset(map(int, listed))
    return conjunction


def _both(left: Forbidden, right: Forbidden) -> Forbidden:
    """Return the conjunction of two, which is empty where they name disjoint levels of one factor."""
    return {
        f: left.get(f, right.get(f, frozenset())) & right.get(f, left.get(f, frozenset())) for f in {**left, **right}
    }


def _drop_empty(conjunctions: list[Forbidden]) -> list[Forbidden]:
    return [c for c in conjunctions if all(c.values())]


def _from_predicate(factors: Any, predicate: Callable[..., bool], sizes: Sequence[int], where: str) -> list[Forbidden]:
    involved = [int(f) for f in factors]
    if any(not 0 <= f < len(sizes) for f in involved):
        raise RoomtoneError(f"{where}: factors are numbered 0 to {len(sizes) - 1}, got {involved}")
    tried = math.prod(sizes[f] for f in involved)
    if tried > MAX_TRIED:
        raise RoomtoneError(
            f"{where}: a predicate over {tried:,} combinations; write (factors, predicate) with the factors it looks at"
        )
    combinations = itertools.product(*(range(sizes[f]) for f in involved))
    return [{f: frozenset([v]) for f, v in zip(involved, row)} for row in combinations if not predicate(*row)]


class Rules:
    """Answers whether a row, or the start of one, can obey every constraint."""

    def __init__(self, forbidden: Sequence[Forbidden], sizes: Sequence[int]) -> None:
        self.forbidden = list(forbidden)
        self.sizes = tuple(sizes)
        self.involved = sorted({factor for conjunction in self.forbidden for factor in conjunction})
        self._known: dict[tuple[tuple[int, int], ...], bool] = {}

    def violated(self, rows: np.ndarray) -> np.ndarray:
        """Return which rows [shape=(rows, factors), -1 = not set] match a forbidden conjunction, bool [shape=(rows,)]."""
        bad = np.zeros(len(rows), dtype=bool)
        for conjunction in self.forbidden:
            match = np.ones(len(rows), dtype=bool)
            for factor, levels in conjunction.items():
                match &= np.isin(rows[:, factor], list(levels))
            bad |= match
        return bad

    def possible(self, values: Mapping[int, int]) -> bool:
        """Return whether some full row that obeys every constraint has these values."""
        if not self.forbidden:
            return True
        known = tuple(sorted((f, v) for f, v in values.items() if f in self.involved))
        if known not in self._known:
            self._known[known] = self._extend(dict(known))
        return self._known[known]

    def _extend(self, values: dict[int, int]) -> bool:
        """Depth-first over the factors that constraints name; a broken start is cut at once."""
        for conjunction in self.forbidden:
            if all(f in values and values[f] in levels for f, levels in conjunction.items()):
                return False
        free = next((f for f in self.involved if f not in values), None)
        if free is None:
            return True
        return any(self._extend({**values, free: level}) for level in range(self.sizes[free]))


def check_levels(levels: Sequence[Any]) -> list[int]:
    """Return the number of levels of each factor, given as numbers or as sequences of names.

    Raises:
        RoomtoneError: no factor, or one without levels.
    """
    sizes = [int(v) if isinstance(v, int | np.integer) else len(v) for v in levels]
    if not sizes or min(sizes) < 1:
        raise RoomtoneError(f"levels: expected at least one factor of at least one level each, got {sizes}")
    return sizes


def check_strength(strength: int, factors: int) -> int:
    """Return the strength, 1 to `MAX_STRENGTH` and no more than there are factors.

    Args:
        strength: t.
        factors: number of factors.

    Raises:
        RoomtoneError: it is not.
    """
    if not isinstance(strength, int | np.integer) or not 1 <= strength <= MAX_STRENGTH:
        raise RoomtoneError(f"strength: expected 1 to {MAX_STRENGTH}, got {strength!r}")
    if strength > factors:
        raise RoomtoneError(f"strength: {strength} factors cannot meet where there are {factors}")
    return int(strength)
