"""The inner loop of `pass_by`: a signal read between its samples. Compiled without fast-math: the same bits on every run."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def interpolate(samples: np.ndarray, position: np.ndarray, filters: np.ndarray) -> np.ndarray:
    """Return the signal at positions between its samples, float64 [shape=(n,)]; silence beyond its ends.

    Args:
        samples: float64 [shape=(samples,)].
        position: in samples, float64 [shape=(n,)].
        filters: taps for positions from 0 to 1 [shape=(positions + 1, taps)]; straight lines between the rows.
    """
    out = np.zeros(position.size)
    rows, taps = filters.shape[0] - 1, filters.shape[1]
    for i in range(position.size):
        whole = math.floor(position[i])
        row = (position[i] - whole) * rows
        low = min(int(row), rows - 1)
        share = row - low
        first = int(whole) - taps // 2 + 1
        total = 0.0
        for n in range(max(0, -first), min(taps, samples.size - first)):
            total += samples[first + n] * ((1.0 - share) * filters[low, n] + share * filters[low + 1, n])
        out[i] = total
    return out
