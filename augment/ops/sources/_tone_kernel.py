"""The inner loop of `periodic_tone`: many partials, many pulses, few trigonometric calls.

Each partial is computed in blocks of `BLOCK` samples. The phase at the start of a block comes from a closed form, so
errors do not add up over a long file; inside a block a table of rotations is multiplied by that start phasor. The
table is rebuilt only when the frequency has changed since the last block, so a steady tone costs two multiplications
a sample. Compiled without fast-math: the same bits on every run. Times are seconds, frequencies Hz, phases turns.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

BLOCK = 64
#: Columns of a pulse row: onset, length, pitch in Hz, amplitude, end/start ratio of the pitch.
ONSET, LENGTH, PITCH, AMPLITUDE, GLIDE = range(5)


@njit(cache=True)
def drift_at(time_s: float, drift: np.ndarray) -> float:
    """Return the relative deviation of the pitch at `time_s`: two slow sines, so bounded by +-drift[0].

    Args:
        time_s: the time in the file, s.
        drift: the bound, two periods in s and two phases in turns [shape=(5,)].
    """
    first = math.sin(2.0 * math.pi * (time_s / drift[1] + drift[3]))
    second = math.sin(2.0 * math.pi * (time_s / drift[2] + drift[4]))
    return 0.5 * drift[0] * (first + second)


@njit(cache=True)
def drift_integral(time_s: float, drift: np.ndarray) -> float:
    """Return the integral of `drift_at` from 0 to `time_s`, in seconds.

    Args:
        time_s: the time in the file, s.
        drift: as in `drift_at`.
    """
    total = 0.0
    for k in range(2):
        period, phase = drift[1 + k], drift[3 + k]
        turn = 2.0 * math.pi * phase
        total += period / (2.0 * math.pi) * (math.cos(turn) - math.cos(2.0 * math.pi * time_s / period + turn))
    return 0.5 * drift[0] * total


@njit(cache=True)
def fill_envelope(gain: np.ndarray, local_s: float, step_s: float, length_s: float, edges: np.ndarray) -> None:
    """Fill `gain` with raised-cosine edges and, if edges[2] > 0, an exponential decay of that time constant."""
    rise, fall, decay = edges[0], edges[1], edges[2]
    if rise + fall > length_s:  # a short pulse keeps its length and its smooth edges
        scale = length_s / (rise + fall)
        rise, fall = rise * scale, fall * scale
    for i in range(gain.size):
        t = local_s + i * step_s
        value = 1.0
        if t < rise:
            value = 0.5 - 0.5 * math.cos(math.pi * t / rise)
        if length_s - t < fall:
            value *= 0.5 - 0.5 * math.cos(math.pi * (length_s - t) / fall)
        if decay > 0.0:
            value *= math.exp(-t / decay)
        gain[i] = value


@njit(cache=True)
def _fill_table(real: np.ndarray, imag: np.ndarray, step_turns: float, chirp_turns: float, gain: float) -> None:
    """Write `gain * exp(j 2 pi (step n + chirp n^2 / 2))` for n = 0, 1, …: a rotation that itself rotates."""
    angle = 2.0 * math.pi * (step_turns + 0.5 * chirp_turns)
    wr, wi = math.cos(angle), math.sin(angle)
    cr, ci = math.cos(2.0 * math.pi * chirp_turns), math.sin(2.0 * math.pi * chirp_turns)
    zr, zi = gain, 0.0
    for n in range(real.size):
        real[n] = zr
        imag[n] = zi
        zr, zi = zr * wr - zi * wi, zr * wi + zi * wr
        wr, wi = wr * cr - wi * ci, wr * ci + wi * cr


@njit(cache=True)
def _carrier(
    tone: np.ndarray,
    first_s: float,
    step_s: float,
    pulse: np.ndarray,
    partials: np.ndarray,
    drift: np.ndarray,
    restart: bool,
    ceiling_hz: float,
) -> None:
    """Add the partials of one pulse to `tone`, whose sample 0 is at file time `first_s`."""
    onset, length, pitch, glide = pulse[ONSET], pulse[LENGTH], pulse[PITCH], pulse[GLIDE]
    table = np.empty((2, partials.shape[0], BLOCK))
    steps = np.full(partials.shape[0], -1.0)
    highest = pitch * max(1.0, glide) * (1.0 + abs(drift[0]))
    origin = onset if restart or glide != 1.0 else 0.0
    base = drift_integral(origin, drift)
    slope = (glide - 1.0) / length if glide != 1.0 else 0.0
    held = 1.0 + drift_at(onset, drift)
    for begin in range(0, tone.size, BLOCK):
        count = min(BLOCK, tone.size - begin)
        t = first_s + begin * step_s
        if slope != 0.0:  # a glide is linear in Hz; the slow drift is held meanwhile
            tau = t - onset
            cycles = pitch * held * (tau + 0.5 * slope * tau * tau)
            hertz = pitch * held * (1.0 + slope * tau)
            change = pitch * held * slope
        else:
            cycles = pitch * (t - origin + drift_integral(t, drift) - base)
            hertz = pitch
            change = 0.0
            if drift[0] != 0.0:
                hertz = pitch * (1.0 + drift_at(t, drift))
                change = pitch * (drift_at(t + BLOCK * step_s, drift) - drift_at(t, drift)) / (BLOCK * step_s)
        for k in range(partials.shape[0]):
            ratio = partials[k, 0]
            if ratio * highest > ceiling_hz:
                continue
            step, chirp = ratio * hertz * step_s, ratio * change * step_s * step_s
            if chirp != 0.0 or steps[k] != step:
                _fill_table(table[0, k], table[1, k], step, chirp, partials[k, 1])
                steps[k] = step
            turns = ratio * cycles + partials[k, 2]
            turns = 2.0 * math.pi * (turns - math.floor(turns))
            zr, zi = math.cos(turns), math.sin(turns)
            real, imag = table[0, k], table[1, k]
            for n in range(count):
                tone[begin + n] += zr * real[n] - zi * imag[n]


@njit(cache=True)
def render_pulses(
    num_samples: int,
    start_s: float,
    sample_rate_hz: float,
    pulses: np.ndarray,
    partials: np.ndarray,
    edges: np.ndarray,
    drift: np.ndarray,
    restart: bool,
    ceiling_hz: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the summed pulses and their envelope, float64 [shape=(num_samples,)] each.

    Args:
        num_samples: length; sample 0 is at file time `start_s`.
        start_s: file time of sample 0, negative for a pre-roll.
        sample_rate_hz: sampling rate.
        pulses: [shape=(pulses, 5)]: onset_s, length_s, pitch_hz, amplitude, glide.
        partials: [shape=(partials, 3)]: ratio to the pitch, amplitude, start phase in turns.
        edges: rise_s, fall_s, decay_s.
        drift: relative size, two periods in s, two phases in turns.
        restart: whether the phases start anew with each pulse; otherwise the oscillators run through the gaps.
        ceiling_hz: partials that reach above this frequency are left out of the pulse.
    """
    out, gate = np.zeros(num_samples), np.zeros(num_samples)
    step_s = 1.0 / sample_rate_hz
    for p in range(pulses.shape[0]):
        pulse = pulses[p]
        begin = max(0, math.ceil((pulse[ONSET] - start_s) * sample_rate_hz))
        end = min(num_samples, math.floor((pulse[ONSET] + pulse[LENGTH] - start_s) * sample_rate_hz) + 1)
        if end <= begin:
            continue
        first_s = start_s + begin * step_s
        gain, tone = np.empty(end - begin), np.zeros(end - begin)
        fill_envelope(gain, first_s - pulse[ONSET], step_s, pulse[LENGTH], edges)
        _carrier(tone, first_s, step_s, pulse, partials, drift, restart, ceiling_hz)
        for i in range(end - begin):
            out[begin + i] += pulse[AMPLITUDE] * gain[i] * tone[i]
            gate[begin + i] = max(gate[begin + i], pulse[AMPLITUDE] * gain[i])
    return out, gate
