"""When a sweep was switched on and off.

A tone that sweeps by `slope` Hz a second, demodulated along its line, is a constant tone again, except for the room: a reflection that arrives u
seconds late is lower by `slope * u`. So its covariance is that of `gate_likelihood` with a rotation for each delay,

    C(t, t') = sum over u of d(u) g(t - u) g(t' - u) exp(-2 pi i slope u (t - t')),

and the gate is again the most likely one. The reverberation after the end moves away from 0 Hz too, so both ends are sharp.

Conventions: seconds from the start of a cycle; edges at half height; a sweep is linear in Hz.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from roomtone.measure.gating.basebands import coherent_mean
from roomtone.measure.gating.gate_likelihood import RoomStatistics, gate_envelope, log_likelihood, noise_covariance
from roomtone.measure.gating.gate_search import DIRECT, TAU_S

#: Time step of the demodulated sweep, and half the bandwidth around its line.
_STEP_S, _HALF_HZ = 0.008, 50.0
#: Time step of the room response: a sweep across 500 Hz resolves delays of 2 ms.
_LATE_S = 0.002


@dataclass(frozen=True)
class SweepLine:
    """A straight line through the spectrogram of a cycle.

    Attributes:
        begin_s, end_s: from the start of the cycle.
        first_hz, last_hz: pitch at both.
        share: mean share of the power on the line, 0 to 1.
    """

    begin_s: float
    end_s: float
    first_hz: float
    last_hz: float
    share: float

    @property
    def slope(self) -> float:
        """Return the slope of the pitch in Hz a second."""
        return (self.last_hz - self.first_hz) / (self.end_s - self.begin_s)


def fit_sweep_gate(
    samples: np.ndarray, rate: int, starts_s: np.ndarray, line: SweepLine, lead_s: float
) -> tuple[SweepLine, float, float]:
    """Return the most likely line near one, the time in seconds when the sweep was switched on, and its length in seconds.

    Line and gate are estimated alternately: reverberation biases the line of a rising sweep downwards, and a gate along a wrong line is too short.

    Args:
        samples, rate: the recording.
        starts_s: of the cycles.
        line: of the sweep, about as long as the sweep is heard.
        lead_s: time before it that is used too.
    """
    length_s = line.end_s - line.begin_s
    z = demodulate_along(samples, rate, starts_s, line, 1.0, lead_s, length_s + lead_s + 0.15)
    if not z.size:
        return line, line.begin_s, length_s
    z, noise = _unit(z)
    size = z.shape[0]
    times = np.arange(size) * _STEP_S - lead_s
    still = (noise + 1e-3) * noise_covariance(0.5 / _HALF_HZ, _STEP_S, size) + 1e-7 * np.eye(size)

    def score(ends_hz: tuple[float, float], ons_s: tuple[float, float], room: RoomStatistics) -> float:
        bend = (ends_hz[1] - ends_hz[0]) / length_s
        turned = z * np.exp(-2j * np.pi * (ends_hz[0] * times + 0.5 * bend * times**2))[:, None]
        return log_likelihood(
            turned, swept_covariance(ons_s[0], ons_s[1] - ons_s[0], room, line.slope + bend, size) + still
        )

    def moved(pair: tuple[float, float], reach: float) -> list[tuple[float, float]]:
        return [(pair[0] + a * reach, pair[1] + b * reach) for a, b in itertools.product(range(-2, 3), repeat=2)]

    ends_hz, ons_s, room = (0.0, 0.0), (lead_s - 0.02, lead_s + length_s - 0.06), RoomStatistics(0.09, 0.1)
    for hz, seconds in ((10.0, 0.02), (6.0, 0.014), (4.0, 0.01), (2.0, 0.007), (1.0, 0.004), (0.5, 0.002)):
        ends_hz = max(moved(ends_hz, hz), key=lambda pair: score(pair, ons_s, room))
        pairs = [pair for pair in moved(ons_s, seconds) if pair[0] > 0.01 and pair[1] - pair[0] > 0.05]
        ons_s = max(pairs, key=lambda pair: score(ends_hz, pair, room), default=ons_s)
        # line and gate shifted in time together
        both = [
            ((ends_hz[0] - line.slope * d, ends_hz[1] - line.slope * d), (ons_s[0] + d, ons_s[1] + d))
            for d in 0.5 * seconds * np.arange(-3.0, 4.0)
        ]
        ends_hz, ons_s = max(both, key=lambda pair: score(pair[0], pair[1], room))
        rooms = [RoomStatistics(tau, direct) for tau, direct in itertools.product(TAU_S, DIRECT)]
        room = max(rooms, key=lambda one: score(ends_hz, ons_s, one))
    line = SweepLine(
        line.begin_s, line.end_s, line.first_hz + float(ends_hz[0]), line.last_hz + float(ends_hz[1]), line.share
    )
    return line, line.begin_s - lead_s + float(ons_s[0]), float(ons_s[1] - ons_s[0])


def demodulate_along(
    samples: np.ndarray,
    rate: int,
    starts_s: np.ndarray,
    line: SweepLine,
    number: float,
    lead_s: float,
    duration_s: float,
) -> np.ndarray:
    """Return a harmonic of a sweep, demodulated along its line, for each cycle inside the recording [shape=(times, cycles)].

    Args:
        samples, rate: the recording.
        starts_s: of the cycles.
        line: of the sweep.
        number: of the harmonic; may be fractional, for what lies between harmonics.
        lead_s: time before the line.
        duration_s: from there on.
    """
    from scipy.signal import oaconvolve, windows

    kernel = windows.hann(2 * round(rate / _HALF_HZ) // 2 + 1, sym=True)
    kernel /= kernel.sum()
    count, margin = round(duration_s * rate), kernel.size // 2
    times = np.arange(-margin, count + margin) / rate - lead_s
    turn = np.exp(-2j * np.pi * number * (line.first_hz * times + 0.5 * line.slope * times**2))
    columns = []
    for start in np.round((starts_s + line.begin_s - lead_s) * rate).astype(int):
        part = samples[max(start - margin, 0) : start + count + margin]
        if start - margin >= 0 and part.size == turn.size:
            columns.append(oaconvolve(part * turn, kernel, mode="valid")[:: round(_STEP_S * rate)])
    return np.stack(columns, axis=1) if columns else np.zeros((0, 0))


def _unit(z: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean of cycles, or the strongest where they are not coherent, scaled to about unit power, and its noise power."""
    mean, share = coherent_mean(z)
    power = float((np.abs(z) ** 2).mean())
    if share > max(0.5, 1.5 / z.shape[1]):
        noise, z = (1.0 - share) * power / max(z.shape[1] - 1, 1), mean[:, None]
    else:
        z = z[:, np.argsort(-(np.abs(z) ** 2).sum(axis=0))[:4]]
        noise = float(np.quantile(np.abs(z) ** 2, 0.05))
    top = float(np.quantile(np.abs(z) ** 2, 0.7))
    return z / np.sqrt(top), noise / top


def swept_covariance(on_s: float, length_s: float, room: RoomStatistics, slope: float, size: int) -> np.ndarray:
    """Return the covariance of a gated sweep in a random room, demodulated along its line [shape=(size, size)].

    Args:
        on_s, length_s: of the gate.
        room: its statistics.
        slope: of the sweep, Hz a second.
        size: samples.
    """
    late = np.arange(0.0, 3.0 * room.tau_s, _LATE_S)
    times = np.arange(size) * _STEP_S
    grid = np.arange(-late[-1], times[-1] + _LATE_S, _LATE_S)
    heard = gate_envelope(on_s, length_s, False, room.edge_s, 0.5 / _HALF_HZ, grid)
    steps = round(_STEP_S / _LATE_S)
    shifted = np.lib.stride_tricks.sliding_window_view(heard, late.size)[::steps, ::-1][
        :size
    ]  # row t: the gate at t - u
    weight = np.exp(-2.0 * late / room.tau_s)
    weight *= (1.0 - room.direct) / weight.sum()
    weight[0] += room.direct
    passed = 0.5 + 0.5 * np.cos(np.pi * np.clip(slope * late / (2.0 * _HALF_HZ), -1.0, 1.0))
    turned = shifted * np.sqrt(weight) * passed * np.exp(-2j * np.pi * slope * np.outer(times, late))
    return np.asarray(turned @ turned.conj().T)
