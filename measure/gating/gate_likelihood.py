"""When a tone was switched on and off, estimated from a reverberant recording.

A partial shifted to 0 Hz is `z(t) = sum over u of g(t - u) h(u)`: its gate g (constant or decaying) convolved with the room response h around
that frequency. Only the statistics of h are known: a dense response is complex Gaussian with an exponentially decaying variance
(Schroeder 1965; Polack 1988), and a share of its energy is the direct sound. So z is Gaussian too, with the covariance

    C = a G diag(d) G' + r N + n K,    d(u) = direct at u = 0, else exp(-2 u / tau),

with G the gate shifted along time, N the reverberation of earlier sound (`exp(-2 max(t, t') / tau)`), and K the covariance of filtered noise.
Successive gates have independent responses, because their start phases are unknown. The estimated gate is the one that maximises the
likelihood of z (marginal likelihood with the scale profiled out; Rasmussen & Williams 2006, 2.30). The room response is integrated out.

Conventions: times are seconds from the first sample of a segment; gates begin and end at half height.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: Time grid of a gate before it is filtered like the recording.
_FINE_S = 0.0005
#: Time grid of the room response.
_DELAY_S = 0.002
#: Share of the power that the model of the room does not explain.
_MISFIT = 1e-3


@dataclass(frozen=True)
class RoomStatistics:
    """The statistics of a room response, and the edges of gates.

    Attributes:
        tau_s: time constant of the amplitude (T60 / 6.91).
        direct: share of the energy in the direct sound, 0 to 1.
        edge_s: length of a raised-cosine edge, 0 to 100 %.
    """

    tau_s: float = 0.09
    direct: float = 0.3
    edge_s: float = 0.012


@dataclass(frozen=True)
class PulseSegment:
    """The partials around a pulse, at 0 Hz and of unit power.

    Attributes:
        z: complex, one column for each partial (and cycle, where cycles are not coherent) [shape=(samples, columns)].
        step_s: time between samples.
        kernel_s: half length of the Hann kernel by which they were filtered.
        noise: power of the background.
        before: power at the first sample: the reverberation of earlier sound.
        columns: index of the partial of each column.
        offsets_hz: frequency offsets to be tried for each column [shape=(columns, tries)]; empty for none.
        together: whether all columns have the same index of offset, as harmonics do; else each partial has its own.
    """

    z: np.ndarray
    step_s: float
    kernel_s: float
    noise: float
    before: float = 0.0
    columns: tuple[int, ...] = ()
    offsets_hz: np.ndarray = field(default_factory=lambda: np.zeros((0, 1)))
    together: bool = False


@dataclass(frozen=True)
class GateSequence:
    """Successive gates: `(on, length)` in seconds of each; of decaying ones `(on, time constant)`."""

    rows: tuple[tuple[float, float], ...]
    decaying: bool = False

    def lengths_s(self) -> tuple[float, ...]:
        """Return the length of each in seconds; of decaying ones to half their height."""
        return tuple(value * float(np.log(2.0)) if self.decaying else value for _, value in self.rows)


def gate_envelope(
    on_s: float,
    value_s: float,
    decaying: bool,
    edge_s: float,
    kernel_s: float,
    times_s: np.ndarray,
    off_hz: float = 0.0,
) -> np.ndarray:
    """Return a gate after the Hann kernel [shape=(times,)]; complex where the tone is off 0 Hz.

    Args:
        on_s: half height of the rise.
        value_s: length of a held gate, or time constant of a decaying one.
        decaying: which of the two.
        edge_s: length of the raised-cosine edges, 0 to 100 %.
        kernel_s: half length of the kernel; 0 for none.
        times_s: ascending [shape=(times,)].
        off_hz: frequency of the tone; the kernel attenuates it.
    """
    margin = kernel_s + 2 * _FINE_S
    fine = np.arange(times_s[0] - margin, times_s[-1] + margin + _FINE_S, _FINE_S)
    since = fine - on_s
    edge = max(edge_s, _FINE_S)
    value = 0.5 - 0.5 * np.cos(np.pi * np.clip(since / edge + 0.5, 0.0, 1.0))
    if decaying:
        value = value * np.exp(-np.maximum(since, 0.0) / value_s)
    else:
        value = value - (0.5 - 0.5 * np.cos(np.pi * np.clip((since - value_s) / edge + 0.5, 0.0, 1.0)))
    if off_hz:
        value = value * np.exp(2j * np.pi * off_hz * since)
    if kernel_s >= 2 * _FINE_S:
        kernel = np.hanning(2 * round(kernel_s / _FINE_S) + 1)
        value = np.convolve(value, kernel / kernel.sum(), mode="same")
    return np.asarray(np.interp(times_s, fine, value))


def room_covariance(heard: np.ndarray, room: RoomStatistics, step_s: float, size: int, finer: int = 1) -> np.ndarray:
    """Return the covariance of a gated tone in a random room [shape=(size, size)].

    Args:
        heard: the gate from some delays before the first sample on, `finer` values a step [shape=(delays + size * finer,)].
        room: the statistics of the room.
        step_s: between the samples of the result.
        size: samples.
        finer: delays of the room response in a step: reflections arrive at any time, not on the grid of samples.
    """
    delays = heard.size - size * finer
    shifted = np.lib.stride_tricks.sliding_window_view(heard, delays)[
        1::finer, ::-1
    ]  # row t: the gate at t and at all delays before
    weight = np.exp(-2.0 * np.arange(delays) * step_s / finer / room.tau_s)
    weight *= (1.0 - room.direct) / weight.sum()
    weight[0] += room.direct
    return np.asarray((shifted * weight) @ shifted.conj().T)


def noise_covariance(kernel_s: float, step_s: float, size: int) -> np.ndarray:
    """Return the covariance of white noise after the kernel, 1 on the diagonal [shape=(size, size)].

    Args:
        kernel_s: half length of the Hann kernel.
        step_s: time between samples.
        size: samples.
    """
    from scipy.linalg import toeplitz

    kernel = np.hanning(2 * round(kernel_s / _FINE_S) + 1)
    row = np.correlate(kernel, kernel, mode="full")[kernel.size - 1 :]
    row = np.interp(np.arange(size) * step_s, np.arange(row.size) * _FINE_S, row / row[0], right=0.0)
    return np.asarray(toeplitz(row))


def log_likelihood(z: np.ndarray, covariance: np.ndarray) -> float:
    """Return the log-likelihood of complex Gaussian columns, each with its most likely scale.

    Args:
        z: [shape=(samples, columns)].
        covariance: [shape=(samples, samples)].
    """
    from scipy.linalg import solve_triangular

    root = np.linalg.cholesky(covariance)
    white = solve_triangular(root, z, lower=True, check_finite=False)
    size = z.shape[0]
    power = (np.abs(white) ** 2).sum(axis=0) / size
    return float(-size * np.log(power).sum() - 2.0 * z.shape[1] * np.log(np.diag(root).real).sum())


def demodulated(z: np.ndarray, times_s: np.ndarray, offsets_hz: np.ndarray) -> np.ndarray:
    """Return columns demodulated by each of their offsets, as pairs of real columns [shape=(samples, columns * tries * 2)].

    Args:
        z: complex basebands [shape=(samples, columns)].
        times_s: of the samples [shape=(samples,)].
        offsets_hz: to try [shape=(columns, tries)].
    """
    turns = np.exp(-2j * np.pi * times_s[:, None, None] * offsets_hz)
    return np.ascontiguousarray((z[:, :, None] * turns).reshape(z.shape[0], -1)).view(float)


class GateLikelihood:
    """The likelihood of gates for one segment.

    Args:
        segment: the partials around a pulse.
        period_s: after which every gate repeats; 0 for a single pulse.
    """

    def __init__(self, segment: PulseSegment, period_s: float = 0.0) -> None:
        self.segment = segment
        self.period_s = period_s
        self.times_s = np.arange(segment.z.shape[0]) * segment.step_s
        self.earliest_s = min(segment.kernel_s + segment.step_s, 0.3 * float(self.times_s[-1]))
        self._still = np.maximum.outer(self.times_s, self.times_s)
        noise = noise_covariance(segment.kernel_s, segment.step_s, self.times_s.size)
        self._noise = (segment.noise + _MISFIT) * noise + 1e-7 * np.eye(self.times_s.size)
        self._ringing: dict[float, np.ndarray] = {}
        self._kept: dict[tuple[float, float, bool, RoomStatistics, float], np.ndarray] = {}
        self._scored: dict[tuple[GateSequence, RoomStatistics], float] = {}
        offsets = segment.offsets_hz if segment.offsets_hz.size else np.zeros((segment.z.shape[1], 1))
        self._turned, self._tries = demodulated(segment.z, self.times_s, offsets), offsets.shape[1]
        owners = [0] * len(offsets) if segment.together or not segment.columns else list(segment.columns)
        self._owned = np.equal.outer(np.unique(owners), owners).astype(float)

    def covariance(self, gates: GateSequence, room: RoomStatistics) -> np.ndarray:
        """Return the covariance under some gates [shape=(samples, samples)].

        Args:
            gates: when the source is on.
            room: what the room sends back.
        """
        return self._with_noise(gates, room, 0.0)

    def _with_noise(self, gates: GateSequence, room: RoomStatistics, off_hz: float) -> np.ndarray:
        total = self._noise + sum(self._one(on, value, gates.decaying, room, off_hz) for on, value in gates.rows)
        if self.segment.before > 0.0:
            total = total + self._before(room.tau_s)
        return np.asarray(total)

    def _before(self, tau_s: float) -> np.ndarray:
        if tau_s not in self._ringing:
            self._ringing[tau_s] = self.segment.before * np.exp(-2.0 * self._still / tau_s)
        return self._ringing[tau_s]

    def score(self, gates: GateSequence, room: RoomStatistics) -> float:
        """Return the log-likelihood of gates, with the most likely scale of each column and offset of each partial.

        Args:
            gates: when the source is on.
            room: what the room sends back.
        """
        if (gates, room) not in self._scored:
            scores = self._likelihoods(gates, room, self._turned, self._tries)
            self._scored[gates, room] = float((self._owned @ scores).max(axis=1).sum())
        return self._scored[gates, room]

    def pitch_likelihood(self, gates: GateSequence, room: RoomStatistics, offsets_hz: np.ndarray) -> np.ndarray:
        """Return the log-likelihood of frequency offsets, by demodulating the columns [shape=(columns, tries)].

        Args:
            gates, room: given.
            offsets_hz: tried for each column [shape=(columns, tries)].
        """
        return self._likelihoods(
            gates, room, demodulated(self.segment.z, self.times_s, offsets_hz), offsets_hz.shape[1]
        )

    def offset_likelihood(self, gates: GateSequence, room: RoomStatistics, offsets_hz: np.ndarray) -> np.ndarray:
        """Return what `pitch_likelihood` does, but exactly, with a covariance for each offset: the kernel stays at 0 Hz.

        The spectrum of a short pulse is as wide as the kernel, and the approximation moves it towards 0 Hz.

        Args:
            gates: when the source is on.
            room: what the room sends back.
            offsets_hz: to try.
        """
        out = np.zeros(offsets_hz.shape)
        for k, (column, offsets) in enumerate(zip(self.segment.z.T, offsets_hz)):
            for j, off_hz in enumerate(offsets.tolist()):
                out[k, j] = log_likelihood(column[:, None], self._with_noise(gates, room, off_hz))
        return out

    def _likelihoods(self, gates: GateSequence, room: RoomStatistics, columns: np.ndarray, tries: int) -> np.ndarray:
        from scipy.linalg import solve_triangular

        root = np.linalg.cholesky(self.covariance(gates, room))
        white = solve_triangular(root, columns, lower=True, check_finite=False)
        size = self.times_s.size
        power = (white**2).sum(axis=0).reshape(-1, tries, 2).sum(axis=2) / size
        return np.asarray(-size * np.log(power) - 2.0 * np.log(np.diag(root)).sum())

    def _one(self, on_s: float, value_s: float, decaying: bool, room: RoomStatistics, off_hz: float) -> np.ndarray:
        key = (round(on_s, 5), round(value_s, 5), decaying, room, round(off_hz, 3))
        if key not in self._kept:
            if len(self._kept) > 200:
                self._kept.clear()
            self._kept[key] = self._heard(on_s, value_s, decaying, room, off_hz)
        return self._kept[key]

    def _heard(self, on_s: float, value_s: float, decaying: bool, room: RoomStatistics, off_hz: float) -> np.ndarray:
        segment, size = self.segment, self.times_s.size
        finer = max(1, round(segment.step_s / _DELAY_S))
        delays = max(2, round(4.0 * room.tau_s / segment.step_s)) * finer
        times = np.arange(-delays, size * finer) * segment.step_s / finer
        total = np.zeros((size, size), dtype=complex if off_hz else float)
        for k in self._repeats(on_s, room):
            heard = gate_envelope(
                on_s + k * self.period_s, value_s, decaying, room.edge_s, segment.kernel_s, times, off_hz
            )
            total += room_covariance(heard, room, segment.step_s, size, finer)
        return total

    def _repeats(self, on_s: float, room: RoomStatistics) -> range:
        if not self.period_s:
            return range(1)
        return range(-int((on_s + 3.0 * room.tau_s) / self.period_s) - 1, 2)
