"""When a burst without a constant pitch (noise, a glide) began and ended, from its mean power over cycles.

The power of a gated noise in a room is that of the gate and a tail: `(1 - r) s + r (s * exp(-2 t / tau) 2 / tau)`, with s the squared gate and
tau the time constant of the amplitude, plus the background. All of these, edges included, are fitted to the mean level in dB. So an end is
where the gate itself falls to half its height.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: First estimates of both edges: those of a valve, and of a breath.
_EDGES_S = ((0.02, 0.04), (0.15, 0.3))
_TAU_S = (0.03, 0.16)
#: The tail begins one mean free path after the direct sound: 4 V / S, or 2 to 3.5 m in rooms of 30 to 150 m3 (Kuttruff, Room Acoustics).
_FREE_PATH_S = 0.008


@dataclass(frozen=True)
class Burst:
    """One burst of noise.

    Attributes:
        on_s: half height of its rise.
        length_s: from there to half height of its fall.
        rise_s, fall_s: lengths of the edges, 0 to 100 %.
        power: mean square while it sounds.
    """

    on_s: float
    length_s: float
    rise_s: float
    fall_s: float
    power: float


def squared_gate(on_s: float, length_s: float, rise_s: float, fall_s: float, times_s: np.ndarray) -> np.ndarray:
    """Return the power of a gate with raised-cosine edges [shape=(times,)].

    Args:
        on_s: half height of its rise.
        length_s: from there to half height of its fall.
        rise_s, fall_s: lengths of the edges, 0 to 100 %.
        times_s: at which the power is wanted [shape=(times,)].
    """
    up = 0.5 - 0.5 * np.cos(np.pi * np.clip((times_s - on_s) / rise_s + 0.5, 0.0, 1.0))
    down = 0.5 + 0.5 * np.cos(np.pi * np.clip((times_s - on_s - length_s) / fall_s + 0.5, 0.0, 1.0))
    return np.asarray((up * down) ** 2)


def add_reverberant_tail(power: np.ndarray, hop_s: float, tau_s: float, share: float) -> np.ndarray:
    """Return the power of a repeating source in a reverberant room [shape=(frames,)].

    Args:
        power: of the source, over one cycle [shape=(frames,)].
        hop_s: time between frames.
        tau_s: time constant of the amplitude of the reverberation.
        share: of the power that is reverberant.
    """
    from scipy.signal import lfilter

    keep = np.exp(-2.0 * hop_s / tau_s)
    late = lfilter([1.0 - keep], [1.0, -keep], np.tile(power, 3))[-power.size :]
    return np.asarray((1.0 - share) * power + share * np.roll(late, round(_FREE_PATH_S / hop_s)))


def fit_bursts(
    level: np.ndarray, hop_s: float, spans_s: Sequence[tuple[float, float]], *, window_s: float = 0.016
) -> list[Burst]:
    """Return the bursts of a cycle.

    Args:
        level: mean power of each frame of one cycle, background included; the cycle begins where it is quiet [shape=(frames,)].
        hop_s: time between frames.
        spans_s: rough `(onset, length)` of each burst.
        window_s: length of the Hann window of each frame.
    """
    from scipy.optimize import least_squares

    times = np.arange(level.size) * hop_s
    window = np.hanning(round(window_s / hop_s) + 1) ** 2
    window /= window.sum()
    target = np.log(np.maximum(level, 1e-4 * level.max()))
    floor = float(np.quantile(level, 0.05))
    top = float(np.quantile(level, 0.9))

    def model(x: np.ndarray) -> np.ndarray:
        source = sum(
            (np.exp(row[4]) * squared_gate(row[0], row[1], row[2], row[3], times) for row in x[3:].reshape(-1, 5)),
            np.zeros(times.size),
        )
        return np.exp(x[2]) + np.convolve(add_reverberant_tail(source, hop_s, x[0], x[1]), window, mode="same")

    best = None
    for rise, fall in _EDGES_S:
        start, low, high = (
            [0.09, 0.6, np.log(max(floor, 1e-5 * top))],
            [_TAU_S[0], 0.05, np.log(1e-5 * top)],
            [_TAU_S[1], 0.98, np.log(top)],
        )
        for on, length in spans_s:
            first = min(fall, 0.6 * length)
            start += [on, max(length - 0.05, 0.03), min(rise, 0.4 * length), first, np.log(top)]
            low += [on - 0.3, 0.015, 0.002, 0.002, np.log(1e-3 * top)]
            high += [on + 0.3, length + 0.3, 0.5, 0.8, np.log(30.0 * top)]
        inside = np.clip(start, low, high)  # between bursts a recording may be all but silent
        found = least_squares(
            lambda x: np.log(model(x)) - target, inside, bounds=(low, high), loss="soft_l1", f_scale=0.5, max_nfev=300
        )
        if best is None or found.cost < best.cost:
            best = found
    assert best is not None
    return [
        Burst(float(row[0]), float(row[1]), float(row[2]), float(row[3]), float(np.exp(row[4])))
        for row in best.x[3:].reshape(-1, 5)
    ]


def combined_level(picture: np.ndarray, *, rows: int = 3) -> np.ndarray:
    """Return one level of many bins [shape=(frames,)]: the geometric mean of groups of rows, each scaled to its mean, so that none dominates.

    Args:
        picture: power [shape=(bins, frames)].
        rows: bins in a group.

    >>> combined_level(np.array([[1.0, 3.0], [10.0, 30.0]]), rows=1).round(6).tolist()
    [0.5, 1.5]
    """
    groups = np.array_split(picture, max(1, picture.shape[0] // rows))
    levels = [(group / np.maximum(group.mean(axis=1, keepdims=True), 1e-30)).mean(axis=0) for group in groups]
    return np.asarray(np.exp(np.mean(np.log(np.maximum(levels, 1e-12)), axis=0)))
