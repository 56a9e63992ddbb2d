"""The smallest array of equal levels that algebra gives: which construction, of what size, and its rows.

Sizes are known before anything is built, so that only the best few are. Free places are -1; what post-optimisation then makes of
them is not counted here. Sources of each construction stand in the files that have them.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from roomtone.coverage.combinatorics import products
from roomtone.coverage.combinatorics.galois_field import prime_power
from roomtone.coverage.combinatorics.orthogonal_arrays import most_factors, orthogonal_array, subset_array
from roomtone.coverage.combinatorics.starters import Starter, read_starters

#: Constructions of more rows than this are no start for a search.
MAX_ROWS = 20_000
#: How far above the levels a prime power may lie whose array is cut down to them.
_REACH = 8


@dataclass(frozen=True)
class Construction:
    """A way to an array: its name, how many rows it has at most, and the rows."""

    name: str
    size: int
    build: Callable[[], np.ndarray]


def smallest(strength: int, factors: int, levels: int) -> Construction | None:
    """Return the construction with fewest rows, or None where there is none.

    Args:
        strength: t.
        factors: k, at least t.
        levels: v of every factor.

    >>> smallest(3, 8, 4).name, smallest(3, 8, 4).size, smallest(2, 9, 8).size
    ('starter', 88, 64)
    """
    known = constructions(strength, factors, levels)
    return known[0] if known else None


@functools.lru_cache(maxsize=4096)
def constructions(strength: int, factors: int, levels: int) -> tuple[Construction, ...]:
    """Return every construction for this problem, the smallest first.

    Args:
        strength: t.
        factors: k, at least t.
        levels: v of every factor.
    """
    if levels == 1 or strength == 1 or factors <= most_factors(strength, levels):
        return tuple(_optimal(strength, factors, levels))
    if strength == 2 and levels == 2:
        return (_cut("subsets", len(subset_array(factors)), factors, lambda: subset_array(factors)),)
    found = itertools.chain(
        _starters(strength, factors, levels),
        _larger_fields(strength, factors, levels),
        _pairs(factors, levels) if strength == 2 else (),
        _triples(factors, levels) if strength == 3 else (),
    )
    return tuple(sorted((c for c in found if c.size <= MAX_ROWS), key=lambda c: c.size))


def _optimal(strength: int, factors: int, levels: int) -> Iterator[Construction]:
    if strength == 1 or levels == 1:
        yield Construction("one level a row", levels, lambda: np.repeat(np.arange(levels)[:, None], factors, axis=1))
    elif levels**strength <= MAX_ROWS:
        yield Construction("orthogonal array", levels**strength, lambda: _orthogonal(strength, factors, levels))


def _orthogonal(strength: int, factors: int, levels: int) -> np.ndarray:
    rows = orthogonal_array(strength, factors, levels)
    assert rows is not None
    return rows


def _cut(name: str, size: int, factors: int, build: Callable[[], np.ndarray]) -> Construction:
    """Return a construction that leaves out the factors it has too many of."""
    return Construction(name, size, lambda: np.unique(build()[:, :factors], axis=0))


def _starters(strength: int, factors: int, levels: int) -> Iterator[Construction]:
    for starter in read_starters():
        shape = starter.shape
        if (shape.strength, shape.levels) != (strength, levels) or shape.factors < factors:
            continue
        rest = smallest(strength, factors, shape.unmoved) if shape.unmoved else None
        size = shape.developed_rows() + (rest.size if rest else 0)
        yield _cut("starter", size, factors, functools.partial(_with_rest, starter, factors, rest))


def _with_rest(starter: Starter, factors: int, rest: Construction | None) -> np.ndarray:
    rows = starter.rows()[:, :factors]
    if rest is None:
        return rows
    below = rest.build()
    moved = starter.shape.levels - starter.shape.unmoved
    return np.concatenate([rows, np.where(below < 0, below, below + moved)])


def _larger_fields(strength: int, factors: int, levels: int) -> Iterator[Construction]:
    """Yield orthogonal arrays of more levels, those that are too many given up."""
    for order in range(levels + 1, levels + _REACH + 1):
        if prime_power(order) is None or order < strength:
            continue
        given_up = order - levels
        if factors <= most_factors(strength, order):
            build = functools.partial(_given_up, strength, factors, order, given_up)
            yield Construction("fusion", order**strength - given_up, build)
        elif strength == 2 and factors <= order + 1 + given_up:
            build = functools.partial(products.projected, order, given_up)
            yield _cut("projection", order**2 - given_up, factors, build)


def _given_up(strength: int, factors: int, order: int, count: int) -> np.ndarray:
    rows = _orthogonal(strength, factors, order)
    for _ in range(count):
        rows = products.fused(rows)
    return rows


def _pairs(factors: int, levels: int) -> Iterator[Construction]:
    """Yield products of strength 2: powers of the plane's array, and of two arrays whose factors multiply up."""
    if prime_power(levels) is not None:
        times, width, constant = 1, levels + 1, levels
        while width < factors:
            width, constant = constant * (levels + 1) + (width - constant) * levels, constant * levels
            times += 1
        size = levels * levels + (times - 1) * (levels * levels - levels)
        yield _cut("product of planes", size, factors, functools.partial(_power, levels, times))
    for left in sorted({2, 3, levels, levels + 1, int(factors**0.5)}):
        right = -(-factors // left) if left >= 2 else factors
        if left >= 2 and 2 <= right < factors and left < factors:
            one, other = smallest(2, left, levels), smallest(2, right, levels)
            if one is not None and other is not None:
                build = functools.partial(_direct, one, other)
                yield _cut("product", one.size + other.size - 1, factors, build)


def _power(order: int, times: int) -> np.ndarray:
    plane = products.pair_array(order)
    result = plane
    for _ in range(times - 1):
        result = products.pair_product(result, plane)
    return result.rows


def _direct(one: Construction, other: Construction) -> np.ndarray:
    return products.direct_product(filled(one.build()), filled(other.build()))


def _triples(factors: int, levels: int) -> Iterator[Construction]:
    if prime_power(levels) is not None and factors <= levels * levels + levels + 1 and levels**3 <= 729:
        yield _cut("two planes", 2 * levels**3 - 1, factors, functools.partial(products.two_planes, levels))
    half = -(-factors // 2)
    if half >= 3:
        triple, pair = smallest(3, half, levels), smallest(2, half, levels)
        if triple is not None and pair is not None:
            size = triple.size + (levels - 1) * pair.size
            yield _cut("doubling", size, factors, functools.partial(_double, triple, pair, levels))


def _double(triple: Construction, pair: Construction, levels: int) -> np.ndarray:
    return products.doubled(filled(triple.build()), filled(pair.build()), levels)


def filled(rows: np.ndarray) -> np.ndarray:
    """Return the rows with level 0 at every free place."""
    full: np.ndarray = np.maximum(rows, 0)
    return full
