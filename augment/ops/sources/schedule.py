"""Times of pulses: starts drawn so that a machine sounds in the file, and how the bursts after that one follow each other."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np

from roomtone.augment.ops.table import Drawn
from roomtone.core.errors import RoomtoneError

#: How bursts follow each other: on a `grid` of whole periods, each a little early or late; each a period after the last one, so that what is early or
#: late adds up (`accumulate`); or at random, a period apart on average (`poisson`).
Timing = Literal["grid", "accumulate", "poisson"]
#: The shortest mean distance of random bursts, s.
SHORTEST_POISSON_S = 0.002


def check_poisson(op: str, period_s: Drawn, jitter_s: Drawn) -> None:
    """Check the figures of random bursts.

    Args:
        op: names them in the message.
        period_s, jitter_s: as the preset gives them, s.

    Raises:
        RoomtoneError: the mean distance is missing or too short, or there is a deviation from a grid that there is not.
    """
    if np.max(jitter_s) > 0.0:
        raise RoomtoneError(f"{op}: timing poisson takes no jitter_s, got {jitter_s!r}; its bursts are random already")
    if np.min(period_s) < SHORTEST_POISSON_S:
        raise RoomtoneError(
            f"{op}: timing poisson needs period_s, its mean distance, of at least {SHORTEST_POISSON_S:g} s, got {period_s!r}"
        )


def uniform_of(index: np.ndarray, seed: int) -> np.ndarray:
    """Return a number in [0, 1) for each integer, the same for the same index and seed (splitmix64).

    Args:
        index: integers [shape=(n,)].
        seed: selects the sequence.

    Returns:
        float64 [shape=(n,)].
    """
    with np.errstate(over="ignore"):
        z = index.astype(np.int64).astype(np.uint64) + np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15)
        z = (z + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53


def burst_starts(
    timing: Timing, start_s: float, period_s: float, jitter_s: float, seed: int, begin_s: float, end_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return number and start of every burst that may start between two file times, and of burst 0 [shape=(bursts,)] each.

    The start of a burst depends on its number and the seed alone, whichever times are asked for.

    Args:
        timing: how they follow each other.
        start_s: start of burst 0, which stays there.
        period_s: from one burst to the next, on average; above 0.
        jitter_s: by how much a burst is early or late at most, uniformly: re the grid, or re one period after the last burst.
        seed: of what is random.
        begin_s, end_s: the file times.
    """
    if timing == "grid":
        first = math.floor((begin_s - jitter_s - start_s) / period_s)
        index = np.arange(first, math.ceil((end_s + jitter_s - start_s) / period_s) + 1)
        wobble = jitter_s * (2.0 * uniform_of(index, seed) - 1.0)
        wobble[index == 0] = 0.0  # the burst that the draw placed inside the file stays there
        return index, start_s + index * period_s + wobble

    def interval_s(number: np.ndarray) -> np.ndarray:
        share = uniform_of(number, seed)
        return -period_s * np.log1p(-share) if timing == "poisson" else period_s + jitter_s * (2.0 * share - 1.0)

    after = _sums_within(interval_s, end_s - start_s)
    before = _sums_within(lambda number: interval_s(-number), start_s - begin_s)
    index = np.arange(-before.size, after.size + 1)
    return index, start_s + np.concatenate([-before[::-1], [0.0], after])


def _sums_within(interval_s: Callable[[np.ndarray], np.ndarray], reach_s: float) -> np.ndarray:
    """Return the sums of the first, the first two, the first three intervals and so on that are at most `reach_s`."""
    count = 16
    while True:
        sums = np.cumsum(interval_s(np.arange(1, count + 1)))
        if sums[-1] > reach_s:
            return sums[: np.searchsorted(sums, reach_s, side="right")]
        count *= 2


def draw_start(pulses: np.ndarray, period_s: float, duration_s: float, share: float) -> float:
    """Return a start of burst 0 with a whole pulse in the file; if none fits, with the whole file in a pulse.

    Args:
        pulses: onset_s and length_s within the burst [shape=(pulses, at least 2)].
        period_s: time between bursts; 0 for a single one.
        duration_s: length of the file.
        share: a uniform number in [0, 1): where among all starts that hold the condition, each equally likely.
    """
    spans = [(-float(onset), duration_s - float(length) - float(onset)) for onset, length, *_ in pulses]
    fitting = [(low, high) for low, high in spans if high >= low]
    if not fitting:
        fitting = [(high, low) for low, high in spans]
    merged = _merge(fitting, period_s)
    reach = share * sum(high - low for low, high in merged)
    for low, high in merged:
        if reach <= high - low:
            return _unwrap(low + reach, fitting, period_s)
        reach -= high - low
    return _unwrap(merged[-1][1], fitting, period_s)


def _merge(spans: list[tuple[float, float]], period_s: float) -> list[tuple[float, float]]:
    """Return the union of spans as disjoint ones; with a period, the union of what they cover modulo it."""
    pieces = list(spans)
    if period_s:
        pieces = []
        for low, high in spans:
            if high - low >= period_s:
                return [(0.0, period_s)]
            base = low % period_s
            top = base + high - low
            pieces += [(base, min(top, period_s))] + ([(0.0, top - period_s)] if top > period_s else [])
    merged: list[tuple[float, float]] = []
    for low, high in sorted(pieces):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def _unwrap(start_s: float, spans: list[tuple[float, float]], period_s: float) -> float:
    """Return the earliest start, whole periods away, that lies in one of the spans itself."""
    if not period_s:
        return start_s
    moved = [low + (start_s - low) % period_s for low, _ in spans]
    # The tolerance covers the rounding of the modulo; clamping afterwards keeps the pulse inside.
    held = [min(s, high) for s, (_, high) in zip(moved, spans) if s <= high + 1e-9]
    if held:
        return float(min(held))
    return float(min(min(max(s - period_s, low), high) for s, (low, high) in zip(moved, spans)))
