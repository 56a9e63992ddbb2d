"""Which partials of a short pulse are tones, and which are peaks of its noise: a tone is as strong in every repeat, noise is not.

In a band as wide as one over its length a burst of noise has about one degree of freedom: its energy is exponentially distributed over repeats, with a
standard deviation as large as its mean. A tone has the same energy each time, but for the background, whose share of the variance is known.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from roomtone.measure.gating.basebands import BASE_HZ, Basebands, cut_cycles
from roomtone.measure.spectra.cycle import Cycle, Pulse
from roomtone.measure.spectra.spectrogram import LOWER_QUARTILE

#: Pulses up to this length are asked, and the fewest repeats that tell.
_SHORT_S, _FEWEST = 0.08, 10
#: Standard deviation of the energy re its mean from which it is that of noise; background above this share of the energy hides it.
_VARIES, _HIDES = 0.5, 0.5
#: Half band around a partial: a share of one over the length, within limits in Hz; reverberation that is counted after the end.
_SHARE, _NARROWEST_HZ, _WIDEST_HZ, _AFTER_S = 0.5, 12.0, 40.0, 0.04


def without_noise_peaks(samples: np.ndarray, sample_rate_hz: int, cycle: Cycle) -> Cycle:
    """Return a cycle whose short pulses have no partials that vary from repeat to repeat as noise does.

    Args:
        samples: the recording [shape=(samples,)].
        sample_rate_hz: its rate.
        cycle: as measured.
    """
    bands = Basebands(samples, sample_rate_hz)
    pulses = tuple(_of_tones(bands, cycle.starts_s, pulse) for pulse in cycle.pulses)
    return dataclasses.replace(cycle, pulses=pulses)


def _of_tones(bands: Basebands, starts_s: np.ndarray, pulse: Pulse) -> Pulse:
    if pulse.length_s > _SHORT_S or len(pulse.partials) < 2:
        return pulse
    kept = tuple(p for p in pulse.partials if not varies_as_noise(bands, starts_s, pulse, p.hz))
    return dataclasses.replace(pulse, partials=kept)


def varies_as_noise(bands: Basebands, starts_s: np.ndarray, pulse: Pulse, hz: float) -> bool | None:
    """Return whether the energy around a frequency varies over repeats by more than that of a tone in this background.

    Args:
        bands: of the recording.
        starts_s: of the cycles.
        pulse: of a cycle.
        hz: the frequency.

    Returns:
        None where repeats are too few, or the background hides it.
    """
    half_hz = float(np.clip(_SHARE / pulse.length_s, _NARROWEST_HZ, _WIDEST_HZ))
    rings_s = 1.0 / half_hz  # half the length of the kernel
    z = bands.at(hz, half_hz)
    size = round((pulse.length_s + _AFTER_S + 2.0 * rings_s) * BASE_HZ)
    cycles = cut_cycles(z, starts_s + pulse.onset_s - rings_s, 1.0 / BASE_HZ, size)
    if cycles.shape[1] < _FEWEST:
        return None
    energy = (np.abs(cycles) ** 2).sum(axis=0)
    floor = size * float(np.quantile(np.abs(z) ** 2, 0.25)) / LOWER_QUARTILE
    own = float(energy.mean()) - floor
    if own < floor / _HIDES:
        return None
    most_independent = max(1.0, half_hz * size / BASE_HZ)
    background = 2.0 * own * floor / most_independent + floor**2 / most_independent
    return float(energy.var(ddof=1)) - background > (_VARIES * own) ** 2
