"""Whether a sound that repeats is a steady one with sinusoidal amplitude modulation, by its sidebands.

Modulation by `1 + depth * cos` puts one line on either side of each partial, at the rate of the modulation, and no others; a gate puts many there.
No room adds lines to a spectrum. So the ratio of the further sidebands to the first ones decides, whatever the room.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from roomtone.measure.spectra.spectrogram import Partial

#: Rates of modulation in Hz.
_RATES_HZ = (0.4, 8.0)
#: Sidebands compared, and the partials that are used: those with this share of the strongest one's power.
_SIDEBANDS, _WEAKEST, _MOST = 4, 0.02, 12
#: Least power of the first sidebands re the partials, and most power of the further ones re the first.
_LEAST, _FURTHER = 0.01, 0.01


def is_amplitude_modulated(samples: np.ndarray, sample_rate_hz: int, rows_hz: np.ndarray, period_s: float) -> bool:
    """Return whether the sound at some frequencies is steady but for a sinusoidal modulation of its amplitude.

    Args:
        samples: the recording [shape=(samples,)].
        sample_rate_hz: its rate.
        rows_hz: frequencies at which it repeats [shape=(rows,)].
        period_s: after which it repeats.
    """
    from scipy import fft

    rate_hz, bin_hz = 1.0 / period_s, sample_rate_hz / samples.size
    if not max(_RATES_HZ[0], 6.0 * bin_hz) <= rate_hz <= _RATES_HZ[1]:
        return False
    power = np.abs(fft.rfft(samples * np.hanning(samples.size))) ** 2
    spacing = float(np.median(np.diff(np.unique(rows_hz)))) if rows_hz.size > 1 else 16.0
    hz = np.arange(power.size) * bin_hz
    near = np.zeros(power.size, dtype=bool)
    for row_hz in rows_hz:
        near |= np.abs(hz - row_hz) <= spacing
    sums = np.zeros(_SIDEBANDS + 1)
    for centre_hz in _partials(np.where(near, power, 0.0), bin_hz, rate_hz):
        for n in range(_SIDEBANDS + 1):
            sums[n] += sum(
                _line(power, bin_hz, centre_hz + side * n * rate_hz, rate_hz) for side in ((-1, 1) if n else (0,))
            )
    return bool(sums[1] > _LEAST * sums[0] and np.maximum(sums[2:], 0.0).sum() < _FURTHER * sums[1])


def with_sidebands(
    samples: np.ndarray, sample_rate_hz: int, partials: Sequence[Partial], rate_hz: float
) -> list[Partial]:
    """Return partials with the power of their sidebands included, strongest first: a room may cancel a tone and leave those.

    Args:
        samples: the recording [shape=(samples,)].
        sample_rate_hz: its rate.
        partials: of a steady machine.
        rate_hz: of its modulation.
    """
    from scipy import fft

    bin_hz = sample_rate_hz / samples.size
    power = np.abs(fft.rfft(samples * np.hanning(samples.size))) ** 2 * (8.0 / samples.size**2) / 1.5
    whole = [sum(_line(power, bin_hz, p.hz + n * rate_hz, rate_hz) for n in (-1, 0, 1)) for p in partials]
    levelled = [dataclasses.replace(p, power=max(p.power, one)) for p, one in zip(partials, whole)]
    return sorted(levelled, key=lambda p: -p.power)


def _partials(power: np.ndarray, bin_hz: float, rate_hz: float) -> list[float]:
    """Return the frequencies of the strongest lines, those within the sidebands of a stronger one left out.

    A room may make a sideband stronger than its partial, so of a line and its two neighbours the one counts that has most power with its own neighbours.
    """
    left = power.copy()
    found: list[float] = []
    top, step, reach = float(power.max()), rate_hz / bin_hz, round((_SIDEBANDS + 0.5) * rate_hz / bin_hz)
    while len(found) < _MOST and left.max() > _WEAKEST * top > 0.0:
        strongest = int(np.argmax(left))
        near_hz = [(strongest + side * step) * bin_hz for side in (0, -1, 1)]
        whole = [sum(_line(power, bin_hz, hz + n * rate_hz, rate_hz) for n in (-1, 0, 1)) for hz in near_hz]
        k = round(near_hz[int(np.argmax(whole))] / bin_hz)
        found.append(k * bin_hz)
        left[max(k - reach, 0) : k + reach + 1] = 0.0
    return found


def _line(power: np.ndarray, bin_hz: float, hz: float, rate_hz: float) -> float:
    """Return the power of a line, less that of as many bins half a sideband beside it: below 0 where noise happens to be stronger there."""
    k, reach, beside = round(hz / bin_hz), 2, round(0.5 * rate_hz / bin_hz)
    if k - beside - reach < 1 or k + beside + reach >= power.size:
        return 0.0
    own = float(power[k - reach : k + reach + 1].sum())
    around = [float(power[j - reach : j + reach + 1].sum()) for j in (k - beside, k + beside)]
    return own - 0.5 * sum(around)
