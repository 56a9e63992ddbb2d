"""Time maps: when in one signal is what was at a time in another, where no single delay holds.

A map is `[[time before, time after], …]` in s, ascending in both, to be read with straight lines between; before its first and behind its
last point time runs on as it does everywhere else. Times may be negative, or behind the end of the file: that part is not heard.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["TimeMap", "added_and_removed_s", "mapped", "then"]

TimeMap = Sequence[Sequence[float]]


def mapped(time_map: TimeMap, times_s: np.ndarray) -> np.ndarray:
    """Return where the given times are behind a map, s [shape=(times,)].

    Args:
        time_map: see above.
        times_s: before it, in s.

    >>> mapped([[0.0, 0.0], [1.0, 1.2]], np.array([0.5, 2.0])).round(3).tolist()
    [0.6, 2.2]
    """
    before, after = np.asarray(time_map, dtype=np.float64).T
    outside = np.minimum(times_s - before[0], 0.0) + np.maximum(times_s - before[-1], 0.0)
    found: np.ndarray = np.interp(times_s, before, after) + outside
    return found


#: Points are rounded to a microsecond, so that a change of less is none.
_ROUNDING_S = 2.5e-6


def added_and_removed_s(time_map: TimeMap) -> tuple[float, float]:
    """Return how much time a map adds where it stretches, and removes where it shortens, s; their difference is what it changes in all.

    Args:
        time_map: see above.

    >>> added_and_removed_s([[0.0, 0.0], [1.0, 1.5], [2.0, 2.25]])
    (0.5, 0.25)
    """
    changes = np.diff(np.diff(np.asarray(time_map, dtype=np.float64), axis=1)[:, 0])
    changes[np.abs(changes) < _ROUNDING_S] = 0.0
    added, removed = changes[changes > 0.0].sum(), changes[changes < 0.0].sum()
    return round(float(added), 6), round(float(-removed), 6) + 0.0


def then(first: TimeMap, second: TimeMap) -> list[list[float]]:
    """Return the map of two stages, one after the other, with the points of both, rounded to a microsecond.

    Args:
        first, second: their maps; the times behind the first are those before the second.

    >>> then([[0.0, 0.0], [2.0, 2.1]], [[0.0, 0.0], [1.0, 1.5], [3.0, 3.5]])
    [[0.0, 0.0], [0.952381, 1.5], [2.0, 2.6]]
    """
    lowest, highest = first[0][0], first[-1][0]
    turned = [[after, before] for before, after in first]
    bends = mapped(turned, np.asarray(second, dtype=np.float64)[:, 0])
    times = np.unique(np.concatenate([np.asarray(first)[:, 0], bends[(bends > lowest) & (bends < highest)]]))
    heard = mapped(second, mapped(first, times))
    return [[round(float(b), 6), round(float(a), 6)] for b, a in zip(times, heard)]
