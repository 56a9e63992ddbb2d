"""Coherent averages of cycles: each partial shifted to 0 Hz, cut into cycles, and rotated so that all cycles agree in phase.

The start phase of a tone may differ from cycle to cycle, but within a cycle its course is the same. One complex factor of modulus 1 for each
cycle makes them equal, and the noise power of their mean is that of one cycle divided by their number.
"""

from __future__ import annotations

import numpy as np

from roomtone.measure.gating.gate_likelihood import PulseSegment
from roomtone.measure.spectra.spectrogram import LOWER_QUARTILE, baseband

#: Rate of the basebands that are kept.
BASE_HZ = 1000.0
#: With a smaller share of their power in the mean, cycles are not coherent, and the strongest few are used instead.
_COHERENT = 0.5
_MOST_SINGLE = 4
#: A cycle with less than this share of the energy of the strongest does not hold the sound: a signal of five beeps is over.
_SOUNDS = 0.1


class Basebands:
    """The partials of one recording at 0 Hz, cached by frequency and bandwidth.

    Args:
        samples: the recording [shape=(samples,)].
        sample_rate_hz: its rate in Hz.
    """

    def __init__(self, samples: np.ndarray, sample_rate_hz: int) -> None:
        self.samples = samples
        self.sample_rate_hz = sample_rate_hz
        self._kept: dict[tuple[int, int], np.ndarray] = {}

    def at(self, hz: float, half_band_hz: float) -> np.ndarray:
        """Return one partial at 0 Hz, complex, at a sample rate of 1 kHz [shape=(about 1000 * seconds,)].

        Args:
            hz: of the partial.
            half_band_hz: kept on each side of it.
        """
        key = (round(20.0 * hz), round(half_band_hz))
        if key not in self._kept:
            if len(self._kept) > 64:
                self._kept.clear()
            self._kept[key] = baseband(self.samples, self.sample_rate_hz, key[0] / 20.0, float(key[1]), BASE_HZ)
        return self._kept[key]


def cut_cycles(z: np.ndarray, starts_s: np.ndarray, step_s: float, size: int) -> np.ndarray:
    """Return the cycles of a baseband that are inside the recording [shape=(size, cycles)].

    Args:
        z: baseband at 1 kHz.
        starts_s: of the cycles.
        step_s: between the samples wanted.
        size: samples of a cycle.
    """
    step = round(step_s * BASE_HZ)
    firsts = np.round(starts_s * BASE_HZ).astype(int)
    firsts = firsts[(firsts >= 0) & (firsts + step * size <= z.size)]
    return np.asarray(z[firsts[None, :] + step * np.arange(size)[:, None]])


def coherent_mean(columns: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean of columns, each rotated to agree with the others [shape=(rows,)], and its share of their power.

    >>> one = np.exp(1j * np.arange(8.0))
    >>> mean, share = coherent_mean(np.stack([one, one * 1j, -one], axis=1))
    >>> round(share, 6)
    1.0
    """
    mean = columns[:, int(np.argmax((np.abs(columns) ** 2).sum(axis=0)))]
    for _ in range(4):
        turn = columns.T @ mean.conj()
        mean = (columns * (turn.conj() / np.maximum(np.abs(turn), 1e-30))).mean(axis=1)
    power = float((np.abs(columns) ** 2).mean())
    return mean, float((np.abs(mean) ** 2).mean()) / max(power, 1e-30)


def segment_of(
    bands: Basebands, partials_hz: list[float], half_band_hz: float, starts_s: np.ndarray, duration_s: float
) -> PulseSegment | None:
    """Return the partials around a pulse, averaged over all cycles; None where no cycle is inside the recording.

    Args:
        bands: of the recording.
        partials_hz: their frequencies, strongest first.
        half_band_hz: half the bandwidth kept around each.
        starts_s: where the segment begins, for each cycle.
        duration_s: of the segment.
    """
    step_s = next((s for s in (0.001, 0.002, 0.004) if duration_s / s <= 140), 0.008)
    half_band_hz = min(half_band_hz, 0.4 / step_s)
    size = round(duration_s / step_s)
    columns, noises, owners = [], [], []
    for index, hz in enumerate(partials_hz):
        z = bands.at(hz, half_band_hz)
        cycles = cut_cycles(z, starts_s, step_s, size)
        if not cycles.shape[1]:
            return None
        floor = float(np.quantile(np.abs(z) ** 2, 0.25)) / LOWER_QUARTILE
        mean, share = coherent_mean(cycles)
        count = cycles.shape[1]
        if share < max(_COHERENT, 1.5 / count):
            energy = (np.abs(cycles) ** 2).sum(axis=0)
            strongest = np.argsort(-energy)[:_MOST_SINGLE]
            cycles = cycles[:, strongest[energy[strongest] > _SOUNDS * energy.max()]]
        else:
            spread = (1.0 - share) * float((np.abs(cycles) ** 2).mean()) / max(count - 1, 1)
            floor = spread if count > 3 else max(spread, floor / count)
            cycles = mean[:, None]
        top = np.quantile(np.abs(cycles) ** 2, 0.9, axis=0)
        columns.append(cycles / np.sqrt(np.maximum(top, 1e-30)))
        owners.append(index)
        noises.append(floor / max(float(top.mean()), 1e-30))
    clear = [i for i, noise in enumerate(noises) if noise <= 20.0 * min(noises) + 0.003]
    z = np.concatenate([columns[i] for i in clear], axis=1)
    before = float((np.abs(z[: max(2, round(0.01 / step_s))]) ** 2).mean())
    owned = tuple(owners[i] for i in clear for _ in range(columns[i].shape[1]))
    return PulseSegment(z, step_s, 0.5 / half_band_hz, float(np.mean([noises[i] for i in clear])), before, owned)
