"""The gate of a fast machine, estimated from its line spectrum.

Pulses with a constant phase increment from each to the next have lines `1 / period` apart, and the line `v` Hz beside a partial is

    c(v) = G(v) H(v),    G the spectrum of the gate of one pulse, H the room response there.

So all pulses have one room response. Only its statistics are known (as in `gate_likelihood`): lines `d` Hz apart
share `direct + (1 - direct) / (1 + i pi d tau)` of their variance. c is then complex Gaussian, its covariance `diag(G) R diag(G)' + noise`, and
the gate is the one under which the lines of all partials are most likely.

With independent responses, as in `gate_likelihood`, a gate cannot be distinguished from its gap where the period is nearly a whole number of turns:
both have the same lines, except for the one at the partial itself, where G is the length of the gate or of the gap, and for the sign, which
the direct sound decides. The likelihood above includes both.

Conventions: frequencies in Hz; times from the first sample of a cycle, in seconds; arrays of scores are [pitch, length, onset].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roomtone.measure.gating.basebands import BASE_HZ, Basebands, coherent_mean
from roomtone.measure.gating.gate_likelihood import RoomStatistics

#: Share of the band of a partial in which lines are used: beyond it the kernel attenuates too much.
_PASSED = 0.85
#: Block length for line amplitudes: a drifting pitch changes their phases between blocks, not within.
_STRETCH_S = 0.5
#: Share of the mean power of the lines that the model of the room does not explain.
MISFIT = 1e-3


@dataclass(frozen=True)
class LineSpectrum:
    """The lines around one partial.

    Attributes:
        number: of the partial, counted from the fundamental.
        hz: their frequencies, 1 / period apart [shape=(lines,)].
        values: their complex amplitudes, of unit power together [shape=(lines,)].
        noise: variance of each value.
        held: share of the power around the partial that is on the lines, 0 to 1.
    """

    number: int
    hz: np.ndarray
    values: np.ndarray
    noise: float
    held: float


def line_spectrum(
    bands: Basebands, number: int, f0_hz: float, half_band_hz: float, start_s: float, period_s: float
) -> LineSpectrum | None:
    """Return the lines around a partial; None where the recording is too short for three blocks of cycles.

    Args:
        bands: of the recording.
        number: harmonic number of the partial.
        f0_hz: estimate of the fundamental.
        half_band_hz: half the bandwidth kept around the partial.
        start_s: of any cycle.
        period_s: from cycle to cycle.
    """
    centre_hz = round(20.0 * number * f0_hz) / 20.0  # the grid of `Basebands`
    z = bands.at(centre_hz, half_band_hz)
    stretch_s = max(1, round(_STRETCH_S / period_s)) * period_s
    if z.size < 3.0 * stretch_s * BASE_HZ + 1:
        return None
    lag = round(period_s * BASE_HZ)
    first_hz = float(np.angle(np.vdot(z[:-lag], z[lag:]))) * BASE_HZ / (2.0 * np.pi * lag)
    most = int(half_band_hz * period_s) + 1
    beside_hz = first_hz + np.arange(-most, most + 1) / period_s
    beside_hz = beside_hz[np.abs(beside_hz) < _PASSED * half_band_hz]
    values = _amplitudes(z, beside_hz, start_s, stretch_s)
    turn = np.vdot(values[:, :-1], values[:, 1:])
    beside_hz = beside_hz + float(np.angle(turn)) / (2.0 * np.pi * stretch_s)
    values = _amplitudes(z, beside_hz, start_s, stretch_s)
    mean, share = coherent_mean(values)
    held = float((np.abs(mean) ** 2).sum() / max(float((np.abs(z) ** 2).mean()), 1e-30))
    passed = _passed(beside_hz, half_band_hz)
    noise = (1.0 - share) * float((np.abs(values) ** 2).mean()) / (values.shape[1] - 1)
    scale = max(float((np.abs(mean / passed) ** 2).sum()), 1e-30)
    noise /= scale * float((passed**2).mean())
    return LineSpectrum(number, centre_hz + beside_hz, mean / passed / np.sqrt(scale), noise, held)


def _amplitudes(z: np.ndarray, hz: np.ndarray, start_s: float, stretch_s: float) -> np.ndarray:
    """Return the amplitudes of lines in each block of a recording, with phases at `start_s` [shape=(lines, blocks)]."""
    offset_s = start_s % stretch_s
    count = int((z.size / BASE_HZ - offset_s) / stretch_s)
    firsts = np.ceil((offset_s + stretch_s * np.arange(count)) * BASE_HZ).astype(int)
    size = int(stretch_s * BASE_HZ)
    columns = z[firsts[None, :] + np.arange(size)[:, None]]
    waves = np.exp(-2j * np.pi * np.outer(hz, np.arange(size) / BASE_HZ))
    since_s = firsts / BASE_HZ - start_s
    return np.asarray((waves @ columns) / size * np.exp(-2j * np.pi * np.outer(hz, since_s)))


def line_scores(
    lines: Sequence[LineSpectrum],
    pitches_hz: np.ndarray,
    lengths_s: np.ndarray,
    ons_s: np.ndarray,
    room: RoomStatistics,
    misfit: float = MISFIT,
) -> np.ndarray:
    """Return the log-likelihood of gates, with the most likely scale of each partial [shape=(pitches, lengths, onsets)].

    Args:
        lines: of each partial.
        pitches_hz: fundamentals to be tried.
        lengths_s: of the gate between half heights.
        ons_s: when it opens, at half height.
        room: given.
        misfit: share of the power of the lines that neither room nor gate explains.
    """
    return np.asarray(sum(_partial_scores(one, pitches_hz, lengths_s, ons_s, room, misfit) for one in lines))


def gate_spectrum(hz: np.ndarray, length_s: np.ndarray, edge_s: float) -> np.ndarray:
    """Return the real spectrum of a gate about its middle, with raised-cosine edges of length `edge_s`.

    Args:
        hz: frequencies.
        length_s: of the gate, between the middles of its edges.
        edge_s: length of each edge.

    >>> float(gate_spectrum(np.array(0.0), np.array(0.05), 0.008))
    0.05
    """
    turns = 2.0 * hz * edge_s
    near = np.abs(np.abs(turns) - 1.0) < 1e-6  # there both halves of the fraction are 0, and it is pi / 4
    edge = np.where(near, np.pi / 4.0, np.cos(0.5 * np.pi * turns) / np.where(near, 1.0, 1.0 - turns**2))
    return np.asarray(length_s * np.sinc(hz * length_s) * edge)


def _partial_scores(
    lines: LineSpectrum,
    pitches_hz: np.ndarray,
    lengths_s: np.ndarray,
    ons_s: np.ndarray,
    room: RoomStatistics,
    misfit: float,
) -> np.ndarray:
    """Return the scores of one partial: an onset only rotates the lines, so one Cholesky factor serves all onsets."""
    beside = lines.hz[None, None, :] - lines.number * pitches_hz[:, None, None]
    spectrum = gate_spectrum(beside, lengths_s[None, :, None], room.edge_s)
    spectrum = spectrum / np.sqrt((spectrum**2).sum(axis=2, keepdims=True))
    middle = ons_s[None, :] + 0.5 * lengths_s[:, None]
    turned = lines.values * np.exp(2j * np.pi * beside[:, :, None, :] * middle[None, :, :, None])
    return spectrum_scores(lines, spectrum, np.swapaxes(turned, 2, 3), room, misfit)


def spectrum_scores(
    lines: LineSpectrum, spectrum: np.ndarray, turned: np.ndarray, room: RoomStatistics, misfit: float = MISFIT
) -> np.ndarray:
    """Return the log-likelihood of the lines of one partial under the spectrum of a source [shape=(..., turns)].

    Args:
        lines: of the partial.
        spectrum: of the source at the lines, of unit power each [shape=(..., lines)].
        turned: values of the lines, with the phases of the source's start taken from them [shape=(..., lines, turns)].
        room: given.
        misfit: share of the power of the lines that neither room nor source explains.
    """
    size = lines.hz.size
    apart = lines.hz[:, None] - lines.hz[None, :]
    shared = room.direct + (1.0 - room.direct) / (1.0 + 1j * np.pi * apart * room.tau_s)
    covariance = spectrum[..., :, None] * shared * spectrum[..., None, :].conj()
    root = np.linalg.cholesky(covariance + (lines.noise + misfit / size) * np.eye(size))
    white = np.linalg.solve(root, turned)
    power = (np.abs(white) ** 2).sum(axis=-2) / size
    volume = np.log(np.diagonal(root, axis1=-2, axis2=-1).real).sum(axis=-1)
    return np.asarray(-size * np.log(power) - 2.0 * volume[..., None])


def _passed(hz: np.ndarray, half_band_hz: float) -> np.ndarray:
    """Return the gain of a Hann kernel of `1 / half_band_hz` seconds [shape=(frequencies,)]."""
    turns = hz / half_band_hz
    return np.asarray(np.sinc(turns) / (1.0 - turns**2 + 1e-12))
