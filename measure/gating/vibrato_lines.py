"""How likely the lines of a machine are under a pitch that swings, as they are under a gate by `line_spectrum`.

A tone whose frequency swings has lines one rate apart, as pulses have; in a room its level swings as well. But harmonic n turns n times as far as the
fundamental, so the lines of a higher one reach further, while a gate gives the same lines to each. The line k rates beside a partial has the amplitude of
the Fourier series of `exp(i n phase(t))`; of a sine swing that is the Bessel function J_k of the modulation index (Carson 1922).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from roomtone.measure.gating.gate_likelihood import RoomStatistics
from roomtone.measure.gating.gate_search import DIRECT, TAU_S
from roomtone.measure.gating.line_spectrum import LineSpectrum, spectrum_scores

#: Deviations of the pitch that are tried, as shares of it; phases of the swing; whole lines by which the pitch may be off, each way.
_DEPTHS, _PHASES, _OFF_LINES = np.geomspace(0.003, 0.08, 18), 24, 3
#: Points of one swing.
_POINTS = 256
_ROOM = RoomStatistics(0.06, 0.3)


def vibrato_likelihood(lines: Sequence[LineSpectrum], f0_hz: float, period_s: float) -> float:
    """Return the largest log-likelihood of lines under a pitch that swings like a sine or a triangle.

    Args:
        lines: of each partial.
        f0_hz: estimate of the fundamental.
        period_s: of the swing.
    """
    highest = max(one.number for one in lines)
    reach = _OFF_LINES * highest
    pitches = f0_hz + np.arange(-reach, reach + 1) / period_s / highest
    time = np.arange(_POINTS) / _POINTS
    triangle = 4.0 * np.abs((time + 0.25) % 1.0 - 0.5) - 1.0
    return max(_most_likely(lines, pitches, swing, period_s) for swing in (np.sin(2.0 * np.pi * time), triangle))


def _most_likely(lines: Sequence[LineSpectrum], pitches_hz: np.ndarray, swing: np.ndarray, period_s: float) -> float:
    """Return the largest log-likelihood over pitch, depth, phase and room: first the swing in one room, then in the others, finer."""
    phases = 2.0 * np.pi * np.arange(_PHASES) / _PHASES
    scores = _scores(lines, pitches_hz, _DEPTHS, phases, swing, period_s, _ROOM)
    i, j, k = np.unravel_index(int(np.argmax(scores)), scores.shape)
    pitch, depth, phase, room = pitches_hz[i : i + 1], float(_DEPTHS[j]), float(phases[k]), _ROOM
    best = float(scores[i, j, k])
    for share in (0.5, 0.25):
        depths = depth * (_DEPTHS[1] / _DEPTHS[0]) ** (share * np.arange(-1, 2))
        near = phase + share * (2.0 * np.pi / _PHASES) * np.arange(-1, 2)
        for one in (RoomStatistics(tau, direct) for tau, direct in itertools.product(TAU_S, DIRECT)):
            scores = _scores(lines, pitch, depths, near, swing, period_s, one)
            if scores.max() > best:
                best, room = float(scores.max()), one
                _, j, k = np.unravel_index(int(np.argmax(scores)), scores.shape)
        scores = _scores(lines, pitch, depths, near, swing, period_s, room)
        _, j, k = np.unravel_index(int(np.argmax(scores)), scores.shape)
        depth, phase = float(depths[j]), float(near[k])
    return best


def _scores(
    lines: Sequence[LineSpectrum],
    pitches_hz: np.ndarray,
    depths: np.ndarray,
    phases: np.ndarray,
    swing: np.ndarray,
    period_s: float,
    room: RoomStatistics,
) -> np.ndarray:
    """Return the log-likelihood of all partials [shape=(pitches, depths, phases)]."""
    turns = np.cumsum(swing - swing.mean()) / swing.size * period_s  # of the phase, for a deviation of 1 Hz
    total = np.zeros((pitches_hz.size, depths.size, phases.size))
    for one in lines:
        beside = np.round((one.hz[None, :] - one.number * pitches_hz[:, None]) * period_s).astype(int)
        deviation_hz = one.number * pitches_hz[:, None] * depths[None, :]
        series = np.fft.fft(np.exp(2j * np.pi * deviation_hz[..., None] * turns), axis=-1) / swing.size
        spectrum = np.take_along_axis(
            series, np.broadcast_to(beside[:, None, :], (*deviation_hz.shape, one.hz.size)) % swing.size, axis=-1
        )
        spectrum = spectrum / np.sqrt((np.abs(spectrum) ** 2).sum(axis=-1, keepdims=True) + 1e-12)
        turned = one.values[None, :, None] * np.exp(-1j * beside[:, :, None] * phases[None, None, :])
        total += spectrum_scores(one, spectrum, turned[:, None], room)
    return total
