"""The start that algebra gives for any factors: an array of equal levels, laid over those factors that have most of them.

What is not covered by it is free (-1): levels that a factor has not, and factors with fewer levels that the array has no room for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roomtone.coverage.combinatorics.constructions import smallest


def algebraic_rows(strength: int, sizes: Sequence[int]) -> np.ndarray | None:
    """Return rows for these factors, -1 where free, or None where algebra has nothing to offer.

    Args:
        strength: t.
        sizes: number of levels of each factor.

    Returns:
        int64 levels [shape=(rows, factors)].

    >>> algebraic_rows(2, [3, 2, 3, 3]).shape
    (9, 4)
    """
    most = max(sizes)
    order = sorted(range(len(sizes)), key=lambda f: -sizes[f])
    equal = sum(size == most for size in sizes)
    if equal < strength or most == 1:
        return None
    found = smallest(strength, equal, most)
    if found is None:
        return None
    width = equal
    while width < len(sizes):  # further factors that the same number of rows has room for
        wider = smallest(strength, width + 1, most)
        if wider is None or wider.size > found.size:
            break
        found, width = wider, width + 1
    built = found.build()
    rows = np.full((len(built), len(sizes)), -1, dtype=np.int64)
    rows[:, order[:width]] = built[:, :width]
    rows[rows >= np.asarray(sizes)] = -1
    return rows


def aligned(rows: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the rows with levels renamed so that one of them is `wanted`, and without that one.

    Args:
        rows: levels, -1 where free [shape=(rows, factors)].
        wanted: a full row [shape=(factors,)].
    """
    chosen = int(np.argmin((rows < 0).sum(axis=1)))
    renamed = rows.copy()
    for factor, level in enumerate(wanted):
        own = rows[chosen, factor]
        if own >= 0 and own != level:
            renamed[rows[:, factor] == own, factor] = level
            renamed[rows[:, factor] == level, factor] = own
    return np.delete(renamed, chosen, axis=0)
