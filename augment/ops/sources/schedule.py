"""Times of pulses: starts drawn so that a machine sounds in the file, and jitter as a function of the number of a burst."""

from __future__ import annotations

import numpy as np


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
