"""Recursive constructions: large covering arrays out of small ones.

* `pair_product`: t = 2; N + M - v rows for k1 l1 + k1 l2 + k2 l1 factors (the product of Colbourn, Martirosyan, Mullen, Shasha,
  Sherwood and Yucas 2006), of arrays in which v rows are constant on the first factors and 0 on the others.
* `direct_product`: t = 2; the same for any two arrays, N + M - d rows for k l factors, d rows of one being pairwise disjoint.
* `doubled`: t = 3; N + (v - 1) M rows for 2 k factors out of arrays of strength 3 and 2 (Roux 1987; Chateauneuf and Kreher 2002).
* `two_planes`: t = 3; 2 q^3 - 1 rows for q^2 + q + 1 factors (Raaphorst, Moura and Stevens 2014): points of a projective plane
  taken twice, so that three points on a line are none the other time.
* `projected`: t = 2; q^2 - x rows for q + 1 + x factors of q - x levels (Colbourn 2008): x levels given up become x factors.
* `fused`: any t; one level given up, whose places become free.

Free places are -1; post-optimisation makes use of them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from roomtone.coverage.combinatorics.galois_field import field
from roomtone.coverage.combinatorics.orthogonal_arrays import orthogonal_array


@dataclass(frozen=True)
class PairArray:
    """An array of strength 2 with a standard head: its first v rows are x on the first `constant` factors and 0 on the rest."""

    rows: np.ndarray
    constant: int
    levels: int


def pair_array(order: int) -> PairArray:
    """Return the orthogonal array of a prime power in this form: the polynomials x + 0 first, the leading coefficient last."""
    rows = orthogonal_array(2, order + 1, order)
    assert rows is not None
    return PairArray(rows[np.argsort(rows[:, -1], kind="stable")], order, order)


def pair_product(one: PairArray, other: PairArray) -> PairArray:
    """Return the product of two arrays over the same levels.

    Factors are pairs (i, j) but those of which neither is constant; a row of either array shows its i or its j throughout. Two
    factors with equal i differ in j, and the other way round; what both leave open is in the head.

    Args:
        one, other: arrays over the same number of levels.
    """
    v = one.levels
    wide, far = one.rows.shape[1], other.rows.shape[1]
    pairs = list(itertools.product(range(one.constant), range(other.constant)))
    mixed = list(itertools.product(range(one.constant), range(other.constant, far)))
    mixed += list(itertools.product(range(one.constant, wide), range(other.constant)))
    left, right = np.array([*pairs, *mixed]).T
    head = np.zeros((v, len(left)), dtype=np.int64)
    head[:, : len(pairs)] = np.arange(v)[:, None]
    return PairArray(np.concatenate([head, one.rows[v:, left], other.rows[v:, right]]), len(pairs), v)


def direct_product(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return an array of strength 2 for as many factors as the product of both; rows of `other` that are disjoint are spared.

    Factors with the same i agree in every row of `one`, so that equal levels are there; only unequal ones are needed of `other`.

    Args:
        one: rows of strength 2 for k factors [shape=(rows, k)].
        other: rows of strength 2 for l factors [shape=(rows, l)].
    """
    spare = disjoint_rows(other)
    relabelled = with_constant_rows(other, spare)
    kept = np.delete(relabelled, spare, axis=0)
    return np.concatenate([np.repeat(one, other.shape[1], axis=1), np.tile(kept, (1, one.shape[1]))])


def disjoint_rows(rows: np.ndarray) -> list[int]:
    """Return rows no two of which have a level in common at any factor, chosen greedily."""
    found: list[int] = []
    for i, row in enumerate(rows):
        if all((row != rows[j]).all() for j in found):
            found.append(i)
    return found


def with_constant_rows(rows: np.ndarray, chosen: list[int]) -> np.ndarray:
    """Return the array with the levels of each factor renamed so that the chosen, disjoint rows are 0, 1, 2, … throughout.

    Args:
        rows: levels [shape=(rows, factors)].
        chosen: row numbers no two of which share a level at any factor.
    """
    out = np.empty_like(rows)
    for factor in range(rows.shape[1]):
        first = [int(rows[i, factor]) for i in chosen]
        rest = [x for x in range(int(rows[:, factor].max()) + 1) if x not in first]
        name = np.argsort([*first, *rest])
        out[:, factor] = name[rows[:, factor]]
    return out


def doubled(triple: np.ndarray, pair: np.ndarray, levels: int) -> np.ndarray:
    """Return an array of strength 3 for twice the factors of `triple` (strength 3) and `pair` (strength 2).

    Below the array beside itself, the pairs stand beside themselves shifted by 1, 2, …, v - 1 levels.

    Args:
        triple: rows of strength 3 [shape=(rows, k)].
        pair: rows of strength 2 [shape=(rows, k)].
        levels: v of every factor.
    """
    shifted = [np.concatenate([pair, (pair + shift) % levels], axis=1) for shift in range(1, levels)]
    return np.concatenate([np.concatenate([triple, triple], axis=1), *shifted])


def two_planes(order: int) -> np.ndarray:
    """Return an array of strength 3 with 2 q^3 - 1 rows for the q^2 + q + 1 points of the plane over GF(q).

    Point i is the power w^i of a primitive element of GF(q^3); in the second half it is w^-i, which turns every line into an oval, so
    that three points of a line are independent there.
    """
    gf = field(order**3)
    points = order * order + order + 1
    powers = gf.powers(gf.order - 1)
    half = []
    for sign in (1, -1):
        place = powers[sign * np.arange(points) % (gf.order - 1)]
        products = gf.multiply[np.arange(gf.order)[:, None], place[None, :]]
        half.append(_trace(products, order))
    return np.concatenate([half[0], half[1][1:]])


def _trace(elements: np.ndarray, order: int) -> np.ndarray:
    """Return x + x^q + x^(q^2), an element of GF(q), as a number from 0 to q - 1."""
    gf = field(order**3)
    power = np.arange(gf.order)
    total = power.copy()
    for _ in range(2):
        power = _to_the(power, order, gf.multiply)
        total = gf.add[total, power]
    names = np.full(gf.order, -1, dtype=np.int64)
    names[np.unique(total)] = np.arange(order)
    found: np.ndarray = names[total][elements]
    return found


def _to_the(elements: np.ndarray, exponent: int, multiply: np.ndarray) -> np.ndarray:
    result = np.ones_like(elements)
    for _ in range(exponent):
        result = multiply[result, elements]
    return result


def projected(order: int, given_up: int) -> np.ndarray:
    """Return an array of strength 2 for q + 1 + x factors of q - x levels, out of the lines of the plane over GF(q); -1 is free.

    Rows are lines y = a x + b; factors are the q points x, the slope a, and one for each level m that is given up. A line that is not
    level takes m at exactly one x, and that x (renamed to a level) is what the new factor shows. Two lines meet in a point, so
    that all pairs are there but (i, i) of two new factors: these stand in the level lines, where the new factors are free.

    Args:
        order: q, a prime power.
        given_up: x, levels fewer and factors more.
    """
    levels = order - given_up
    lines = orthogonal_array(2, order + 1, order)
    assert lines is not None
    points, slope = lines[:, :order], lines[:, order]
    extra = np.empty((len(lines), given_up), dtype=np.int64)
    for m in range(given_up):
        extra[:, m] = np.argmax(points == levels + m, axis=1) % levels
    flat = slope == 0
    extra[flat] = points[flat, :1]
    rows: np.ndarray = np.column_stack([points, slope, extra])[~(flat & (points[:, 0] >= levels))]
    rows[:, : order + 1][rows[:, : order + 1] >= levels] = -1
    return rows


def fused(rows: np.ndarray) -> np.ndarray:
    """Return an array for one level less and one row less; -1 is free.

    Levels are renamed so that the first row holds the last level throughout; that row goes, and that level is free elsewhere.
    """
    levels = int(rows.max()) + 1
    renamed = rows.copy()
    for factor in range(rows.shape[1]):
        own = rows[0, factor]
        renamed[rows[:, factor] == own, factor] = levels - 1
        renamed[rows[:, factor] == levels - 1, factor] = own
    kept = np.delete(renamed, 0, axis=0)
    free: np.ndarray = np.where(kept == levels - 1, -1, kept)
    return free
