"""The inner loop of `periodic_tone` for pitches that curve or vibrate and partials that die away each at its own rate.

Every sample is computed from closed forms, one cosine a partial, where `_tone_kernel` advances in blocks: slower, and exact for any
pitch. Drift and vibrato bend time: the phase of a pulse is its sweep's, taken at the bent time. Compiled without fast-math: the same
bits on every run. Times are seconds, frequencies Hz, phases turns.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from roomtone.augment.ops.sources._tone_kernel import (
    AMPLITUDE,
    GLIDE,
    LENGTH,
    ONSET,
    PITCH,
    drift_integral,
    fill_envelope,
)

#: Column of a pulse row beyond those of `_tone_kernel`: how the sweep bends.
BEND = 5


@njit(cache=True)
def sweep_integral(x_s: float, length_s: float, glide: float, bend: float) -> float:
    """Return the integral of the relative pitch of a sweep from its start, in seconds.

    The pitch is 1 + (glide - 1) (1 - e^(-bend u)) / (1 - e^(-bend)), u = x_s / length_s: from 1 to `glide`.

    Args:
        x_s: from the start of the sweep.
        length_s: of the sweep.
        glide: end over start.
        bend: above 0 fast first, below 0 slow first, 0 a straight line; -ln(glide) is exponential.
    """
    if glide == 1.0:
        return x_s
    if abs(bend) < 1e-6:
        return x_s + 0.5 * (glide - 1.0) * x_s * x_s / length_s
    risen = x_s + length_s / bend * math.expm1(-bend * x_s / length_s)
    return x_s - (glide - 1.0) / math.expm1(-bend) * risen


@njit(cache=True)
def _bent(time_s: float, drift: np.ndarray, vibrato: np.ndarray) -> float:
    """Return by how much drift and vibrato have bent time since 0, in seconds."""
    late = drift_integral(time_s, drift)
    if vibrato[1] > 0.0:
        rate, depth, phase = vibrato[0], vibrato[1], 2.0 * math.pi * vibrato[2]
        late += depth / (2.0 * math.pi * rate) * (math.cos(phase) - math.cos(2.0 * math.pi * rate * time_s + phase))
    return late


@njit(cache=True)
def _carrier(
    tone: np.ndarray,
    first_s: float,
    step_s: float,
    pulse: np.ndarray,
    partials: np.ndarray,
    drift: np.ndarray,
    vibrato: np.ndarray,
    restart: bool,
    ceiling_hz: float,
) -> None:
    """Write the partials of one pulse to `tone`, whose sample 0 is at file time `first_s`."""
    onset, length, pitch, glide = pulse[ONSET], pulse[LENGTH], pulse[PITCH], pulse[GLIDE]
    highest = pitch * max(1.0, glide) * (1.0 + abs(drift[0]) + vibrato[1])
    own = restart or glide != 1.0
    origin = onset if own else 0.0
    swing = vibrato.copy()
    if restart:
        swing[2] -= vibrato[0] * onset  # each pulse meets the same phase of the vibrato
    base = _bent(origin, drift, swing)
    for i in range(tone.size):
        t = first_s + i * step_s
        cycles = pitch * sweep_integral(t - origin + _bent(t, drift, swing) - base, length, glide, pulse[BEND])
        total = 0.0
        for k in range(partials.shape[0]):
            if partials[k, 0] * highest > ceiling_hz:
                continue
            turns = partials[k, 0] * cycles + partials[k, 2]
            value = partials[k, 1] * math.cos(2.0 * math.pi * (turns - math.floor(turns)))
            if partials[k, 3] > 0.0:
                value *= math.exp(-(t - onset) / partials[k, 3])
            total += value
        tone[i] = total


@njit(cache=True)
def render_shaped(
    num_samples: int,
    start_s: float,
    sample_rate_hz: float,
    pulses: np.ndarray,
    partials: np.ndarray,
    edges: np.ndarray,
    drift: np.ndarray,
    vibrato: np.ndarray,
    restart: bool,
    ceiling_hz: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the summed pulses and their envelope, float64 [shape=(num_samples,)] each.

    Args:
        num_samples: length; sample 0 is at file time `start_s`.
        start_s: file time of sample 0, negative for a pre-roll.
        sample_rate_hz: sampling rate.
        pulses: [shape=(pulses, 6)]: onset_s, length_s, pitch_hz, amplitude, glide, bend.
        partials: [shape=(partials, 4)]: ratio to the pitch, amplitude, start phase in turns, time constant of its decay in s (0: none).
        edges: rise_s, fall_s, decay_s of the envelope; the decay is that of all partials where none has its own.
        drift: as `_tone_kernel.render_pulses`.
        vibrato: rate in Hz, depth as a share of the pitch, phase in turns.
        restart: whether phases start anew with each pulse; otherwise the oscillators run through the gaps.
        ceiling_hz: partials that reach above this frequency are left out of the pulse.
    """
    out, gate = np.zeros(num_samples), np.zeros(num_samples)
    step_s = 1.0 / sample_rate_hz
    of_tone = edges.copy()
    if partials.shape[0] and partials[:, 3].max() > 0.0:
        of_tone[2] = 0.0
    for p in range(pulses.shape[0]):
        pulse = pulses[p]
        begin = max(0, math.ceil((pulse[ONSET] - start_s) * sample_rate_hz))
        end = min(num_samples, math.floor((pulse[ONSET] + pulse[LENGTH] - start_s) * sample_rate_hz) + 1)
        if end <= begin:
            continue
        first_s = start_s + begin * step_s
        tone, gain, broad = np.empty(end - begin), np.empty(end - begin), np.empty(end - begin)
        fill_envelope(gain, first_s - pulse[ONSET], step_s, pulse[LENGTH], of_tone)
        fill_envelope(broad, first_s - pulse[ONSET], step_s, pulse[LENGTH], edges)
        _carrier(tone, first_s, step_s, pulse, partials, drift, vibrato, restart, ceiling_hz)
        for i in range(end - begin):
            out[begin + i] += pulse[AMPLITUDE] * gain[i] * tone[i]
            gate[begin + i] = max(gate[begin + i], pulse[AMPLITUDE] * broad[i])
    return out, gate
