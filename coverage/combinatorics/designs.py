"""Designs: which conditions the utterances of a study get.

A condition is one level a factor, as `{factor: level}`; `none` is a level. The clean condition, nothing but `none`, is always
the first, so that every comparison is paired, whatever the levels and constraints say.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.vocabulary import NONE
from roomtone.coverage.combinatorics.constraints import MAX_STRENGTH, Rules, name_constraints

Labels = dict[str, str]
DESIGNS = ("full", "covering", "one_at_a_time", "fill")
#: More conditions than this are a mistake in the levels.
MAX_CONDITIONS = 100_000


def conditions_for(
    factors: Mapping[str, Sequence[str]],
    design: Mapping[str, Any],
    constraints: Sequence[Mapping[str, Any]] = (),
    seed: int = 0,
    *,
    existing: Sequence[Mapping[str, str]] = (),
) -> list[Labels]:
    """Return the conditions of a design, the clean one first, each once.

    Args:
        factors: the levels of each factor, `none` among them where it is wanted.
        design: `{name: full}`, `{name: one_at_a_time}`, `{name: covering, strength: 2}`; `fill` chooses among `full`.
        constraints: see `constraints.py`; a condition that breaks one is left out.
        seed: of the covering array.
        existing: conditions that are there already and that a covering design builds on; they follow the clean one.

    Raises:
        RoomtoneError: an unknown design or factor, a factor without levels, or constraints that nothing obeys.
    """
    name = str(design.get("name", ""))
    if name not in DESIGNS:
        raise RoomtoneError(f"design.name: unknown design {name!r}; {nearest(name, DESIGNS)}")
    levels = {str(f): list(dict.fromkeys(map(str, values))) for f, values in factors.items()}
    for factor, values in levels.items():
        if not values:
            raise RoomtoneError(f"factors.{factor}: there is no level; write [none] for a factor that stays out")
    clean = dict.fromkeys(levels, NONE)
    if not levels:
        return [clean]
    forbidden = name_constraints(constraints, levels)
    if name == "one_at_a_time":
        rows = _one_at_a_time(levels)
    elif name == "covering":
        rows = _covering(levels, design, forbidden, seed, [clean, *existing])
    else:
        rows = _full(levels)
    table = _indices(rows, levels)
    bad = Rules(forbidden, [len(v) for v in levels.values()]).violated(table)
    kept = [row for row, broken in zip(rows, bad) if not broken and row != clean]
    if not kept and len(rows) > 1:
        raise RoomtoneError("constraints: no condition but clean obeys them all")
    return [clean, *kept]


def _full(levels: Mapping[str, Sequence[str]]) -> list[Labels]:
    count = math.prod(len(values) for values in levels.values())
    if count > MAX_CONDITIONS:
        raise RoomtoneError(f"design full: {count:,} conditions, more than {MAX_CONDITIONS:,}; use design=covering")
    return [dict(zip(levels, values)) for values in itertools.product(*levels.values())]


def _one_at_a_time(levels: Mapping[str, Sequence[str]]) -> list[Labels]:
    clean = dict.fromkeys(levels, NONE)
    return [
        clean,
        *({**clean, factor: value} for factor, values in levels.items() for value in values if value != NONE),
    ]


def _covering(
    levels: Mapping[str, Sequence[str]],
    design: Mapping[str, Any],
    forbidden: Any,
    seed: int,
    existing: Sequence[Mapping[str, str]],
) -> list[Labels]:
    from roomtone.coverage.combinatorics.covering_arrays import covering_array

    sizes = [len(values) for values in levels.values()]
    strength = design.get("strength", 2)
    if strength not in range(1, MAX_STRENGTH + 1):
        raise RoomtoneError(f"design.strength: expected 1 to {MAX_STRENGTH}, got {strength!r}")
    array = covering_array(
        sizes,
        min(strength, len(sizes)),
        constraints=[{"not": {f: sorted(v) for f, v in conjunction.items()}} for conjunction in forbidden],
        seed_rows=_indices(existing, levels),
        seed=seed,
    )
    rows = [{f: levels[f][int(i)] for f, i in zip(levels, row)} for row in array]
    return list({tuple(row.items()): row for row in rows}.values())


def _indices(rows: Sequence[Mapping[str, str]], levels: Mapping[str, Sequence[str]]) -> np.ndarray:
    """Return rows of labels as level numbers [shape=(rows, factors)], -1 for a label that is no level."""
    place = {factor: {value: i for i, value in enumerate(values)} for factor, values in levels.items()}
    table = [[place[f].get(row.get(f, NONE), -1) for f in levels] for row in rows]
    return np.array(table, dtype=np.int64).reshape(len(rows), len(levels))
