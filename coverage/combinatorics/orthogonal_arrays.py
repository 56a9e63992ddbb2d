"""Covering arrays that none can be smaller than: orthogonal arrays, in which every combination occurs once, and those of subsets.

* Bush (1952): polynomials of degree below t over GF(q), evaluated at every element, and their leading coefficient; q + 1 factors, for
  t = 2 the array of Bose (1938). For t = 3 and even q one factor more (the coefficient of x: a hyperoval).
* Zero-sum: all rows whose levels add up to 0 modulo v; t + 1 factors, for any v.
* Subsets of one size (Katona 1973; Kleitman and Spencer 1973): two levels, t = 2; the fewest rows there can be.
* Product: an array for u v levels out of one for u and one for v (MacNeish 1922); as many factors as the smaller has.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from roomtone.coverage.combinatorics.galois_field import field, prime_power


def most_factors(strength: int, levels: int) -> int:
    """Return for how many factors `orthogonal_array` has an array without a combination twice.

    Args:
        strength: t, from 1 up.
        levels: v, from 1 up.

    >>> most_factors(2, 8), most_factors(3, 8), most_factors(2, 6), most_factors(2, 12)
    (9, 10, 3, 4)
    """
    if levels == 1:
        return 1_000_000
    if prime_power(levels) is not None and levels >= strength:
        return levels + (2 if strength == 3 and levels % 2 == 0 else 1)
    if prime_power(levels) is not None:
        return strength + 1
    return max(strength + 1, min(most_factors(strength, part) for part in _coprime_parts(levels)))


def orthogonal_array(strength: int, factors: int, levels: int) -> np.ndarray | None:
    """Return an orthogonal array of `levels` ** `strength` rows, or None where there is none here.

    Args:
        strength: t, from 1 up.
        factors: k.
        levels: v of every factor, from 1 up.

    Returns:
        int64 levels [shape=(v^t, k)].

    >>> orthogonal_array(2, 4, 3).shape, orthogonal_array(2, 4, 6)
    ((9, 4), None)
    """
    if factors > most_factors(strength, levels):
        return None
    if levels == 1:
        return np.zeros((1, factors), dtype=np.int64)
    if factors <= strength + 1:
        return _zero_sum(strength, levels)[:, :factors]
    if prime_power(levels) is not None:
        return _bush(strength, levels)[:, :factors]
    parts = [orthogonal_array(strength, factors, part) for part in _coprime_parts(levels)]
    whole = parts[0]
    assert whole is not None
    for part in parts[1:]:
        assert part is not None
        whole = (whole[:, None, :] * (part.max() + 1) + part[None, :, :]).reshape(-1, factors)
    return whole


def _coprime_parts(levels: int) -> list[int]:
    """Return the prime powers whose product a number of levels is, e.g. 12 = 3 * 4."""
    parts = []
    for prime in range(2, levels + 1):
        part = 1
        while levels % prime == 0:
            part *= prime
            levels //= prime
        if part > 1:
            parts.append(part)
    return parts


def _zero_sum(strength: int, levels: int) -> np.ndarray:
    rows = np.array(list(itertools.product(range(levels), repeat=strength)), dtype=np.int64)
    return np.column_stack([rows, -rows.sum(axis=1) % levels])


def _bush(strength: int, order: int) -> np.ndarray:
    gf = field(order)
    coefficients = np.array(list(itertools.product(range(order), repeat=strength)), dtype=np.int64)
    values = np.zeros((len(coefficients), order), dtype=np.int64)
    for x in range(order):
        for c in coefficients.T:  # Horner: the highest coefficient first
            values[:, x] = gf.add[gf.multiply[values[:, x], x], c]
    columns = [values, coefficients[:, :1]]
    if strength == 3 and order % 2 == 0:
        # in characteristic 2, a x^2 + b x + c at two points and b determine a: (x^2 + y^2) = (x + y)^2 != 0
        columns.append(coefficients[:, 1:2])
    return np.column_stack(columns)


def subset_array(factors: int) -> np.ndarray:
    """Return the smallest array of strength 2 for factors of two levels [shape=(rows, factors)].

    A row of zeros, and below it each factor is another subset of one size, more than half of the rows: any two meet, and
    neither holds the other.

    >>> subset_array(10).shape, subset_array(100).shape
    ((6, 10), (10, 100))
    """
    rows = next(n for n in itertools.count(4) if math.comb(n - 1, -(-n // 2)) >= factors)
    array = np.zeros((rows, factors), dtype=np.int64)
    subsets = itertools.combinations(range(1, rows), -(-rows // 2))
    for factor, subset in zip(range(factors), subsets):
        array[list(subset), factor] = 1
    return array
