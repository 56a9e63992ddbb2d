"""The loop of the high-pass, compiled by numba. Imported only where it runs, because importing numba takes time."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def high_pass_both_ways(samples: np.ndarray, gain: float, a1: float, a2: float) -> None:
    """Filter float64 samples in place, forwards and then backwards, by a high-pass of second order.

    Args:
        samples: float64 [shape=(samples,)]; each way begins as if its first sample had been there for ever.
        gain: the coefficients of the input are `gain * (1, -2, 1)`.
        a1, a2: the coefficients of the output.

    Transposed direct form II; after an endless constant c its state is (-gain c, gain c), and its output 0.
    """
    last = samples.size - 1
    for way in range(2):
        at, step = (0, 1) if way == 0 else (last, -1)
        s0, s1 = -gain * samples[at], gain * samples[at]
        for _ in range(samples.size):
            x = gain * samples[at]
            y = x + s0
            s0 = s1 - 2.0 * x - a1 * y
            s1 = x - a2 * y
            if abs(s0) + abs(s1) < 1e-100:  # numbers that small are slow, and long silence is made of them
                s0, s1 = 0.0, 0.0
            samples[at] = y
            at += step
