"""When a tone was switched on and off, told from a recording in which a room has blurred both.

A partial moved to 0 Hz is `z(t) = sum over u of g(t - u) h(u)`: its gate g (on, off, or struck) heard through the room's response h around
that frequency. Nothing is known of h but its statistics: a dense response is complex Gaussian, its variance falling exponentially
(Schroeder 1965; Polack 1988), with a share in the direct sound. So z is Gaussian too, its covariance

    C = a G diag(d) G' + r N + n K,    d(u) = direct at u = 0, else exp(-2 u / tau),

G the gate shifted along time, N what still rings from before (`exp(-2 max(t, t') / tau)`), K that of filtered noise. Gates in a row each have a
response of their own, for nothing is known of the phases at which they begin. The gate is the one under
which z is most likely (marginal likelihood, scale profiled; Rasmussen & Williams 2006, 2.30). The room drops out: it is integrated over.

Conventions: times are seconds from the first sample of a stretch; edges count at half height.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: Grid on which gates are drawn before they are filtered as the recording was.
_FINE_S = 0.0005
#: Delays of a room are drawn about so densely.
_DELAY_S = 0.002
#: What no model of a room explains, as a share of the power.
_MISFIT = 1e-3


@dataclass(frozen=True)
class Room:
    """What is assumed of the room and of the edges: time constant, share of direct sound, length of an edge from foot to foot."""

    tau_s: float = 0.09
    direct: float = 0.3
    edge_s: float = 0.012


@dataclass(frozen=True)
class Stretch:
    """Partials around a pulse, at 0 Hz and of unit power, complex [shape=(samples, columns)].

    Attributes:
        z: one column for each partial (and each cycle, where cycles do not add up).
        step_s: time between samples.
        kernel_s: half length of the Hann kernel that all passed.
        noise: power of the background in it.
        before: power at its first sample: what rings from before.
        columns: which partial each column is.
        offsets_hz: how far off 0 Hz each may lie, in steps [shape=(columns, tries)]; empty for not at all.
        together: all take the same step, as harmonics do; else each partial its own.
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
class Gates:
    """Gates in a row, `(on, length)` of each; of struck ones, which die away, `(on, time constant)`."""

    rows: tuple[tuple[float, float], ...]
    struck: bool = False

    def lengths_s(self) -> tuple[float, ...]:
        """Return how long each lasts; struck ones to half their height."""
        return tuple(value * float(np.log(2.0)) if self.struck else value for _, value in self.rows)


def gate(
    on_s: float, value_s: float, struck: bool, edge_s: float, kernel_s: float, times_s: np.ndarray, off_hz: float = 0.0
) -> np.ndarray:
    """Return a gate after the Hann kernel, at times on a grid [shape=(times,)]; complex where what it switches lies off 0 Hz.

    Args:
        on_s: half height of the rise.
        value_s: length of a held gate, or time constant of a struck one.
        struck: which of the two.
        edge_s: raised-cosine edges, foot to foot.
        kernel_s: half length of the kernel; 0 for none.
        times_s: in rising order.
        off_hz: of what is switched: the kernel lets less of it pass than of what lies at 0 Hz.
    """
    margin = kernel_s + 2 * _FINE_S
    fine = np.arange(times_s[0] - margin, times_s[-1] + margin + _FINE_S, _FINE_S)
    since = fine - on_s
    edge = max(edge_s, _FINE_S)
    value = 0.5 - 0.5 * np.cos(np.pi * np.clip(since / edge + 0.5, 0.0, 1.0))
    if struck:
        value = value * np.exp(-np.maximum(since, 0.0) / value_s)
    else:
        value = value - (0.5 - 0.5 * np.cos(np.pi * np.clip((since - value_s) / edge + 0.5, 0.0, 1.0)))
    if off_hz:
        value = value * np.exp(2j * np.pi * off_hz * since)
    if kernel_s >= 2 * _FINE_S:
        kernel = np.hanning(2 * round(kernel_s / _FINE_S) + 1)
        value = np.convolve(value, kernel / kernel.sum(), mode="same")
    return np.asarray(np.interp(times_s, fine, value))


def through_room(heard: np.ndarray, room: Room, step_s: float, size: int, finer: int = 1) -> np.ndarray:
    """Return the covariance of a gate heard through a random room [shape=(size, size)].

    Args:
        heard: the gate from some delays before the first sample on, `finer` values a step [shape=(delays + size * finer,)].
        room: the statistics of the room.
        step_s: between the samples of the result.
        size: samples.
        finer: delays of the room a step: what it sends back comes at any time, not on a grid of samples.
    """
    delays = heard.size - size * finer
    shifted = np.lib.stride_tricks.sliding_window_view(heard, delays)[
        1::finer, ::-1
    ]  # row t: the gate at t and at each delay before
    weight = np.exp(-2.0 * np.arange(delays) * step_s / finer / room.tau_s)
    weight *= (1.0 - room.direct) / weight.sum()
    weight[0] += room.direct
    return np.asarray((shifted * weight) @ shifted.conj().T)


def noise_covariance(kernel_s: float, step_s: float, size: int) -> np.ndarray:
    """Return the covariance of white noise after the kernel, 1 on the diagonal [shape=(size, size)]."""
    from scipy.linalg import toeplitz

    kernel = np.hanning(2 * round(kernel_s / _FINE_S) + 1)
    row = np.correlate(kernel, kernel, mode="full")[kernel.size - 1 :]
    row = np.interp(np.arange(size) * step_s, np.arange(row.size) * _FINE_S, row / row[0], right=0.0)
    return np.asarray(toeplitz(row))


def likelihood(z: np.ndarray, covariance: np.ndarray) -> float:
    """Return the log-likelihood of complex Gaussian columns, each with its own scale at its best."""
    from scipy.linalg import solve_triangular

    root = np.linalg.cholesky(covariance)
    white = solve_triangular(root, z, lower=True, check_finite=False)
    size = z.shape[0]
    power = (np.abs(white) ** 2).sum(axis=0) / size
    return float(-size * np.log(power).sum() - 2.0 * z.shape[1] * np.log(np.diag(root).real).sum())


def turned(z: np.ndarray, times_s: np.ndarray, offsets_hz: np.ndarray) -> np.ndarray:
    """Return columns turned back by each of their offsets, as pairs of real columns [shape=(samples, columns * tries * 2)]."""
    turns = np.exp(-2j * np.pi * times_s[:, None, None] * offsets_hz)
    return np.ascontiguousarray((z[:, :, None] * turns).reshape(z.shape[0], -1)).view(float)


class Switching:
    """The likelihood of gates for one stretch.

    Args:
        stretch: what was heard.
        period_s: after which every gate comes again, and came before; 0 for none.
    """

    def __init__(self, stretch: Stretch, period_s: float = 0.0) -> None:
        self.stretch = stretch
        self.period_s = period_s
        self.times_s = np.arange(stretch.z.shape[0]) * stretch.step_s
        self.earliest_s = min(stretch.kernel_s + stretch.step_s, 0.3 * float(self.times_s[-1]))
        self._still = np.maximum.outer(self.times_s, self.times_s)
        noise = noise_covariance(stretch.kernel_s, stretch.step_s, self.times_s.size)
        self._noise = (stretch.noise + _MISFIT) * noise + 1e-7 * np.eye(self.times_s.size)
        self._ringing: dict[float, np.ndarray] = {}
        self._kept: dict[tuple[float, float, bool, Room, float], np.ndarray] = {}
        offsets = stretch.offsets_hz if stretch.offsets_hz.size else np.zeros((stretch.z.shape[1], 1))
        self._turned, self._tries = turned(stretch.z, self.times_s, offsets), offsets.shape[1]
        owners = [0] * len(offsets) if stretch.together or not stretch.columns else list(stretch.columns)
        self._owned = np.equal.outer(np.unique(owners), owners).astype(float)

    def covariance(self, gates: Gates, room: Room) -> np.ndarray:
        """Return the covariance under gates."""
        return self._with_noise(gates, room, 0.0)

    def _with_noise(self, gates: Gates, room: Room, off_hz: float) -> np.ndarray:
        total = self._noise + sum(self._one(on, value, gates.struck, room, off_hz) for on, value in gates.rows)
        if self.stretch.before > 0.0:
            total = total + self._before(room.tau_s)
        return np.asarray(total)

    def _before(self, tau_s: float) -> np.ndarray:
        if tau_s not in self._ringing:
            self._ringing[tau_s] = self.stretch.before * np.exp(-2.0 * self._still / tau_s)
        return self._ringing[tau_s]

    def score(self, gates: Gates, room: Room) -> float:
        """Return the log-likelihood of gates, each column with its own scale, and each partial with its offset, at their best."""
        scores = self._likelihoods(gates, room, self._turned, self._tries)
        return float((self._owned @ scores).max(axis=1).sum())

    def pitch_likelihood(self, gates: Gates, room: Room, offsets_hz: np.ndarray) -> np.ndarray:
        """Return how likely it is that a column's partial lies some Hz off 0 [shape=(columns, tries)].

        Args:
            gates, room: taken as given.
            offsets_hz: tried for each column [shape=(columns, tries)].
        """
        return self._likelihoods(gates, room, turned(self.stretch.z, self.times_s, offsets_hz), offsets_hz.shape[1])

    def offset_likelihood(self, gates: Gates, room: Room, offsets_hz: np.ndarray) -> np.ndarray:
        """Return what `pitch_likelihood` does, but exactly: the kernel stays at 0 Hz while the partial moves. That takes a covariance for each.

        A short pulse is as wide as the kernel, and seems to lie nearer to 0 Hz than it does.
        """
        out = np.zeros(offsets_hz.shape)
        for k, (column, offsets) in enumerate(zip(self.stretch.z.T, offsets_hz)):
            for j, off_hz in enumerate(offsets.tolist()):
                out[k, j] = likelihood(column[:, None], self._with_noise(gates, room, off_hz))
        return out

    def _likelihoods(self, gates: Gates, room: Room, columns: np.ndarray, tries: int) -> np.ndarray:
        from scipy.linalg import solve_triangular

        root = np.linalg.cholesky(self.covariance(gates, room))
        white = solve_triangular(root, columns, lower=True, check_finite=False)
        size = self.times_s.size
        power = (white**2).sum(axis=0).reshape(-1, tries, 2).sum(axis=2) / size
        return np.asarray(-size * np.log(power) - 2.0 * np.log(np.diag(root)).sum())

    def _one(self, on_s: float, value_s: float, struck: bool, room: Room, off_hz: float) -> np.ndarray:
        key = (round(on_s, 5), round(value_s, 5), struck, room, round(off_hz, 3))
        if key not in self._kept:
            if len(self._kept) > 200:
                self._kept.clear()
            self._kept[key] = self._heard(on_s, value_s, struck, room, off_hz)
        return self._kept[key]

    def _heard(self, on_s: float, value_s: float, struck: bool, room: Room, off_hz: float) -> np.ndarray:
        stretch, size = self.stretch, self.times_s.size
        finer = max(1, round(stretch.step_s / _DELAY_S))
        delays = max(2, round(4.0 * room.tau_s / stretch.step_s)) * finer
        times = np.arange(-delays, size * finer) * stretch.step_s / finer
        total = np.zeros((size, size), dtype=complex if off_hz else float)
        for k in self._repeats(on_s, room):
            heard = gate(on_s + k * self.period_s, value_s, struck, room.edge_s, stretch.kernel_s, times, off_hz)
            total += through_room(heard, room, stretch.step_s, size, finer)
        return total

    def _repeats(self, on_s: float, room: Room) -> range:
        if not self.period_s:
            return range(1)
        return range(-int((on_s + 3.0 * room.tau_s) / self.period_s) - 1, 2)
