"""t-way coverage: how many of the combinations of any t factors' levels a set holds (NIST SP 800-142, NISTIR 7878).

For each choice c of t factors, V_c are the combinations that the constraints allow and S_c those the rows hold:

* total = sum |S_c & V_c| / sum |V_c|
* simple = share of the choices c whose every allowed combination is there
* (p, t)-completeness = share of the choices c of whose allowed combinations at least the share p is there

A combination is held at multiplicity (m, s) when at least m samples of at least s distinct speakers have it; with m = 1 and s = 0
this is the usual measure. Rows that break a constraint are listed apart and count for nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import FACTORS
from roomtone.coverage.combinatorics.constraints import (
    MAX_STRENGTH,
    Forbidden,
    Rules,
    check_levels,
    check_strength,
    name_constraints,
    parse_constraints,
)
from roomtone.coverage.counting.axes import Axis, check_columns, check_named_levels

if TYPE_CHECKING:
    from roomtone.coverage.counting.goals import Goals
    from roomtone.coverage.counting.source import OpenSource

#: A choice of t factors with more combinations than this is not enumerated.
MAX_COMBINATIONS = 20_000_000


@dataclass(frozen=True)
class SubsetCoverage:
    """One choice of t factors: how many allowed combinations there are, and how many the rows hold."""

    factors: tuple[int, ...]
    seen: int
    possible: int


@dataclass(frozen=True)
class TWayCoverage:
    """Counts of combinations, and the shares that follow from them.

    Attributes:
        strength: t.
        seen: allowed combinations that are held, over all choices of t factors.
        possible: allowed combinations, over all choices.
        subsets: the same for every choice of t factors.
        missing: allowed combinations that are not held, as `(factors, levels)`, at most `MAX_LISTED`.
        invalid: numbers of the rows that break a constraint.
        names: factor names, and `levels` their level names, where the caller had some.
    """

    strength: int
    seen: int
    possible: int
    subsets: tuple[SubsetCoverage, ...]
    missing: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = ()
    invalid: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    levels: tuple[tuple[str, ...], ...] = field(default=(), repr=False)

    @property
    def total(self) -> float:
        """Share of all allowed combinations that are held; NaN where none is allowed."""
        return self.seen / self.possible if self.possible else float("nan")

    @property
    def simple(self) -> float:
        """Share of the choices of t factors that are held in full."""
        return self.completeness(1.0)

    def completeness(self, p: float) -> float:
        """Return (p, t)-completeness: the share of the choices of t factors held to at least the share `p`.

        A choice without any allowed combination is held in full.

        Raises:
            RoomtoneError: p is no share from 0 to 1.
        """
        if not 0 <= p <= 1:
            raise RoomtoneError(f"completeness: p is a share from 0 to 1, got {p!r} (in per cent?)")
        # whole numbers, and p as it was written, so that 0.75 of 4 is 3
        from roomtone.coverage.counting.figures import exact_fraction

        share = exact_fraction(p)
        reached = sum(1 for s in self.subsets if s.seen >= share * s.possible)
        return reached / len(self.subsets) if self.subsets else float("nan")

    def missing_lines(self, limit: int = 20) -> list[str]:
        """Return missing combinations as text, with names where there are some."""
        lines = []
        for factors, values in self.missing[:limit]:
            parts = [
                f"{self.names[f]} {self.levels[f][v]}" if self.names else f"factor {f} = {v}"
                for f, v in zip(factors, values)
            ]
            lines.append(" with ".join(parts))
        return lines


#: Missing combinations that are listed by name; all are counted.
MAX_LISTED = 10_000


def t_way_coverage(
    rows: Any,
    levels: Sequence[Any],
    strength: int,
    *,
    constraints: Sequence[Any] = (),
    samples: Sequence[int] | np.ndarray | None = None,
    speakers: Sequence[Any] | np.ndarray | None = None,
    min_samples: int = 1,
    min_speakers: int = 0,
) -> TWayCoverage:
    """Return the t-way coverage of rows of level numbers.

    Args:
        rows: level numbers [shape=(rows, factors)]; -1 is an unknown level, which covers nothing.
        levels: for each factor its number of levels, or their names.
        strength: t, 1 to 4.
        constraints: see `constraints.py`.
        samples: how many samples each row represents, default 1 [shape=(rows,)].
        speakers: the speaker of each row [shape=(rows,)]; needed for `min_speakers`. None is nobody.
        min_samples: samples from which a combination counts.
        min_speakers: distinct speakers from which it counts.

    Raises:
        RoomtoneError: shapes, level numbers or constraints that do not fit.

    >>> rows = [[0, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 1, 1, 1]]
    >>> coverage = t_way_coverage(rows, [2, 2, 2, 2], 2)
    >>> coverage.seen, coverage.possible, coverage.simple, coverage.completeness(0.75)
    (19, 24, 0.3333333333333333, 0.8333333333333334)
    """
    sizes = check_levels(levels)
    strength = check_strength(strength, len(sizes))
    table = _check_rows(rows, sizes)
    rules = Rules(parse_constraints(constraints, sizes), sizes)
    bad = rules.violated(table)
    weight = np.ones(len(table), dtype=np.int64) if samples is None else np.asarray(samples, dtype=np.int64)
    if min_speakers > 0 and speakers is None:
        raise RoomtoneError(f"min_speakers={min_speakers}: no speakers were given")
    codes = None if speakers is None or min_speakers <= 0 else _codes(speakers)
    subsets: list[SubsetCoverage] = []
    missing: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    for factors in itertools.combinations(range(len(sizes)), strength):
        shape = [sizes[f] for f in factors]
        allowed = allowed_combinations(rules, factors, shape)
        held = _held(
            table[~bad][:, factors],
            shape,
            weight[~bad],
            None if codes is None else codes[~bad],
            min_samples,
            min_speakers,
        )
        subsets.append(SubsetCoverage(factors, int((held & allowed).sum()), int(allowed.sum())))
        if len(missing) < MAX_LISTED:
            gaps = np.flatnonzero(allowed & ~held)[: MAX_LISTED - len(missing)]
            missing += [(factors, tuple(map(int, np.unravel_index(gap, shape)))) for gap in gaps]
    return TWayCoverage(
        strength=strength,
        seen=sum(s.seen for s in subsets),
        possible=sum(s.possible for s in subsets),
        subsets=tuple(subsets),
        missing=tuple(missing),
        invalid=tuple(map(int, np.flatnonzero(bad))),
        levels=tuple(tuple(map(str, v)) if not isinstance(v, int | np.integer) else () for v in levels),
    )


def _check_rows(rows: Any, sizes: Sequence[int]) -> np.ndarray:
    table = np.asarray(rows)
    if table.size == 0:
        return np.zeros((0, len(sizes)), dtype=np.int64)
    if table.ndim != 2 or table.shape[1] != len(sizes) or not np.issubdtype(table.dtype, np.integer):
        raise RoomtoneError(
            f"rows: expected whole numbers [shape=(rows, {len(sizes)})], got {table.dtype} {table.shape}"
        )
    if (table < -1).any() or (table >= np.asarray(sizes)).any():
        row, factor = np.argwhere((table < -1) | (table >= np.asarray(sizes)))[0]
        raise RoomtoneError(
            f"rows: row {row}, factor {factor}: level {table[row, factor]} is not one of 0 to {sizes[factor] - 1}"
        )
    return table.astype(np.int64)


def allowed_combinations(rules: Rules, factors: Sequence[int], shape: Sequence[int]) -> np.ndarray:
    """Return which combinations of these factors' levels occur in some row that obeys the rules, bool, flat.

    Args:
        rules: the constraints.
        factors: numbers of the factors that are combined.
        shape: number of levels of each of them.

    Returns:
        one flag a combination, in row-major order [shape=(product of shape,)].

    Raises:
        RoomtoneError: more than `MAX_COMBINATIONS`.
    """
    size = int(np.prod(shape, dtype=np.int64))
    if size > MAX_COMBINATIONS:
        raise RoomtoneError(
            f"strength: {size:,} combinations of {len(shape)} factors are more than {MAX_COMBINATIONS:,}"
        )
    allowed = np.ones(size, dtype=bool)
    if not set(factors) & set(rules.involved):
        allowed[:] = rules.possible({})
        return allowed
    for i, values in enumerate(itertools.product(*map(range, shape))):
        allowed[i] = rules.possible(dict(zip(factors, values)))
    return allowed


def _held(
    columns: np.ndarray,
    shape: Sequence[int],
    weight: np.ndarray,
    codes: np.ndarray | None,
    min_samples: int,
    min_speakers: int,
) -> np.ndarray:
    """Return which combinations are held at the asked multiplicity, bool, flat."""
    size = int(np.prod(shape, dtype=np.int64))
    known = (columns >= 0).all(axis=1)
    flat = np.ravel_multi_index(tuple(columns[known].T), shape)
    held = np.bincount(flat, weights=weight[known], minlength=size) >= max(min_samples, 1)
    if codes is not None:
        stated = codes[known] >= 0
        pairs = np.unique(np.stack([flat[stated], codes[known][stated]]), axis=1)
        held &= np.bincount(pairs[0], minlength=size) >= min_speakers
    return held


def _codes(speakers: Any) -> np.ndarray:
    """Return a number for each speaker, -1 for nobody."""
    import pandas as pd

    return pd.factorize(np.asarray(speakers, dtype=object))[0].astype(np.int64)


def source_t_way(
    source: OpenSource,
    strength: int,
    factors: Sequence[str],
    goals: Goals,
    *,
    levels: Mapping[str, Sequence[str]] | None = None,
    constraints: Sequence[Mapping[str, Any]] = (),
    min_samples: int = 1,
    min_speakers: int = 0,
    where: str = "TRUE",
) -> TWayCoverage:
    """Return the t-way coverage of a source's samples, or of those that the SQL `where` keeps, over its factor columns.

    Levels are those seen, those in `levels` and those that `goals.levels` names. Constraints (over names) and illegal
    goals over factors alone say what is not possible; a constraint over a factor that is not looked at says nothing.

    Args:
        source: an open source.
        strength: t, 1 to 4.
        factors: columns that combine; none are the acoustic factors that the source has.
        goals: their `levels` and `illegal` say what there is and what cannot be.
        levels: further levels of each factor.
        constraints: over names, see `constraints.py`.
        min_samples: samples from which a combination counts.
        min_speakers: distinct speakers from which it counts.
        where: SQL condition on the samples.

    Raises:
        RoomtoneError: no factor is a column, another strength, or an unknown name in the constraints or the levels.
    """
    strength = check_strength(strength, MAX_STRENGTH)
    check_named_levels(levels, {*source.columns, *factors, *FACTORS})
    names = list(factors) or [name for name in FACTORS if name in source.columns]
    if not names:
        raise RoomtoneError(f"{source.where}: none of {', '.join(FACTORS)} is a column; name the factors")
    axes = [Axis(name) for name in names]
    check_columns(axes, source.columns, where=source.where)
    selected = ", ".join(f"{axis.sql()} AS f{i}" for i, axis in enumerate(axes))
    keys = ", ".join(f"f{i}" for i in range(len(axes)))
    counted = source.connection.execute(
        f"""SELECT {keys}, speaker, count(*) AS n FROM (
            SELECT {selected}, {source.column("speaker")} AS speaker FROM {source.relation} WHERE {where})
        GROUP BY ALL ORDER BY ALL"""
    ).df()
    known = {
        axis.column: axis.order([*counted[f"f{i}"], *goals.declared(axis.column), *(levels or {}).get(axis.column, ())])
        for i, axis in enumerate(axes)
    }
    rows = np.stack([_index(counted[f"f{i}"], values) for i, values in enumerate(known.values())], axis=1)
    own = [rule for rule in constraints if all(set(part) <= set(names) for part in rule.values())]
    forbidden = [*name_constraints(own, known), *_illegal_conjunctions(goals, known)]
    result = t_way_coverage(
        rows,
        list(known.values()),
        min(strength, len(names)),
        constraints=[{"not": {f: sorted(v) for f, v in conjunction.items()}} for conjunction in forbidden],
        samples=counted["n"].to_numpy(),
        speakers=counted["speaker"].to_numpy(object),
        min_samples=min_samples,
        min_speakers=min_speakers,
    )
    return replace(result, names=tuple(names))


def _index(column: Any, values: Sequence[str]) -> np.ndarray:
    import pandas as pd

    return pd.Index(values).get_indexer(column).astype(np.int64)


def _illegal_conjunctions(goals: Goals, levels: Mapping[str, Sequence[str]]) -> list[Forbidden]:
    from roomtone.coverage.counting.goals import matches

    names = list(levels)
    found = []
    for rule in goals.illegal:
        if rule.where and set(rule.where) <= set(names):
            places = {n: frozenset(i for i, v in enumerate(levels[n]) if matches(v, p)) for n, p in rule.where.items()}
            if all(places.values()):
                found.append({names.index(n): values for n, values in places.items()})
    return found
