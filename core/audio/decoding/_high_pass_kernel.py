"""The loop of the high-pass, compiled by numba. Imported only where it runs, because importing numba takes time."""

from __future__ import annotations

import numpy as np
from numba import njit

#: Parts of a signal that are filtered side by side.
LANES = 4
#: Added to a state, so that it never runs out to numbers so small that they are slow; long silence is made of those.
_TINY = 1e-80


@njit(cache=True)
def high_passed(samples: np.ndarray, context: int, gain: float, a1: float, a2: float, least: float) -> np.ndarray:
    """Return a signal filtered forwards and backwards, its ends mirrored, float32 [shape=(samples,)].

    Args:
        samples: float32 [shape=(samples,)], at least one.
        context: samples on either side of a part that are filtered with it.
        gain, a1, a2: as `high_pass_both_ways` takes them.
        least: results that are smaller are 0.
    """
    size = samples.size
    part = (size + LANES - 1) // LANES
    lanes = np.empty((part + 2 * context, LANES), dtype=np.float64)
    for lane in range(LANES):
        begin = lane * part - context
        inside, end = min(max(-begin, 0), part + 2 * context), min(max(size - begin, 0), part + 2 * context)
        for n in range(inside, end):
            lanes[n, lane] = samples[begin + n]
        for n in range(inside):
            lanes[n, lane] = samples[_mirrored(begin + n, size)]
        for n in range(end, part + 2 * context):
            lanes[n, lane] = samples[_mirrored(begin + n, size)]
    high_pass_both_ways(lanes, gain, a1, a2)
    out = np.empty(size, dtype=np.float32)
    for lane in range(LANES):
        for n in range(min(part, size - lane * part)):
            value = lanes[context + n, lane]
            out[lane * part + n] = value if abs(value) >= least else 0.0
    return out


@njit(cache=True)
def _mirrored(at: int, size: int) -> int:
    """Return which sample stands at a place outside of a signal that is continued by its mirror image, again and again."""
    place = at % (2 * size)
    return place if place < size else 2 * size - 1 - place


@njit(cache=True)
def high_pass_both_ways(lanes: np.ndarray, gain: float, a1: float, a2: float) -> None:
    """Filter four signals in place, forwards and then backwards, by a high-pass of second order.

    A recursion waits for its own last sample; four at once do not wait for each other.

    Args:
        lanes: float64 [shape=(samples, 4)]; each way begins as if a lane's first sample had been there for ever.
        gain: the coefficients of the input are `gain * (1, -2, 1)`.
        a1, a2: the coefficients of the output.

    Transposed direct form II; after an endless constant c its state is (-gain c, gain c), and its output 0.
    """
    last = lanes.shape[0] - 1
    for way in range(2):
        at, step = (0, 1) if way == 0 else (last, -1)
        t0, t1, t2, t3 = gain * lanes[at, 0], gain * lanes[at, 1], gain * lanes[at, 2], gain * lanes[at, 3]
        s0, s1, s2, s3 = -t0, -t1, -t2, -t3
        for _ in range(lanes.shape[0]):
            x0, x1, x2, x3 = gain * lanes[at, 0], gain * lanes[at, 1], gain * lanes[at, 2], gain * lanes[at, 3]
            y0, y1, y2, y3 = x0 + s0, x1 + s1, x2 + s2, x3 + s3
            s0, s1 = (t0 - 2.0 * x0 + _TINY) - a1 * y0, (t1 - 2.0 * x1 + _TINY) - a1 * y1
            s2, s3 = (t2 - 2.0 * x2 + _TINY) - a1 * y2, (t3 - 2.0 * x3 + _TINY) - a1 * y3
            t0, t1, t2, t3 = x0 - a2 * y0, x1 - a2 * y1, x2 - a2 * y2, x3 - a2 * y3
            lanes[at, 0], lanes[at, 1], lanes[at, 2], lanes[at, 3] = y0, y1, y2, y3
            at += step
