"""Weak harmonics of a steady pitch, demodulated with the phase of the strongest partial.

The speed of a motor drifts, which spreads the line of a weak harmonic over several bins. But it drifts like the strong one: demodulated with the
phase of that one, times the ratio of their numbers, its frequency is constant, and 20 s of it are a line of 0.05 Hz.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roomtone.measure.spectra.spectrogram import Partial, baseband

#: Half the bandwidth around a partial, and the sample rate in it.
_HALF_HZ, _RATE_HZ = 10.0, 50.0
#: Least amplitude of the strong partial re its mean, for its phase to be usable.
_CLEAR = 0.05
#: Half the width of a line of constant frequency, and how many times the background a harmonic must have in it.
_LINE_HZ = 0.2
_LEAST = 8.0
#: The highest harmonic considered, the largest divisor of a pitch (a shaft with nine blades), the lowest pitch, and the least power re the strongest (-45 dB).
_HIGHEST, _PARTS, _LOWEST_HZ = 8, 9, 40.0
_WEAKEST = 3e-5


def weak_multiples(
    samples: np.ndarray, sample_rate_hz: int, partials: Sequence[Partial], fundamental_hz: float
) -> list[Partial]:
    """Return harmonics of a steady fundamental, and one subharmonic (the shaft of a fan), that are not among its partials.

    Args:
        samples: the recording, six seconds or more; of a shorter one nothing is returned.
        sample_rate_hz: its rate.
        partials: known, strongest first.
        fundamental_hz: the pitch.
    """
    strong = partials[0]
    number = round(strong.hz / fundamental_hz)
    z = baseband(samples, sample_rate_hz, strong.hz, _HALF_HZ, _RATE_HZ)
    if number < 1 or abs(strong.hz / fundamental_hz - number) > 0.02 or z.size < 6.0 * _RATE_HZ:
        return []
    if np.abs(z).min() < _CLEAR * np.abs(z).mean():
        return []
    turns = np.unwrap(np.angle(z)) / (2.0 * np.pi)
    slow = np.convolve(np.pad(turns, 10, mode="edge"), np.hanning(21) / np.hanning(21).sum(), mode="valid")
    top = min(0.45 * sample_rate_hz, 0.5 * sample_rate_hz - 2.0 * _HALF_HZ)

    def heard(ratio: float) -> list[Partial]:
        hz = ratio * strong.hz / number
        if not _LOWEST_HZ < hz < top or any(abs(hz - p.hz) < max(4.0, 0.006 * hz) for p in partials):
            return []
        partial = _followed(samples, sample_rate_hz, hz, slow * ratio / number)
        return [partial] if partial is not None and partial.power > _WEAKEST * strong.power else []

    found = [p for n in range(1, _HIGHEST + 1) for p in heard(float(n))]
    if all(p.hz > 0.9 * fundamental_hz for p in partials):
        found += sorted((p for n in range(2, _PARTS + 1) for p in heard(1.0 / n)), key=lambda p: -p.power)[:1]
    return found


def _followed(samples: np.ndarray, rate: int, hz: float, turns: np.ndarray) -> Partial | None:
    """Return the partial that has a constant frequency after demodulation; None where there is no line."""
    z = baseband(samples, rate, hz, _HALF_HZ, _RATE_HZ) * np.exp(-2j * np.pi * turns)
    own, beside = _line(z)
    if own < _LEAST * beside:
        return None
    return Partial(hz, 2.0 * (own - beside), float(10.0 * np.log10(own / beside)))


def _line(z: np.ndarray) -> tuple[float, float]:
    """Return the power within 0.2 Hz of 0, and that of a band as wide beside it."""
    spectrum = np.abs(np.fft.fft(z)) ** 2 / z.size**2
    hz = np.abs(np.fft.fftfreq(z.size, 1.0 / _RATE_HZ))
    line, around = hz <= _LINE_HZ, (hz > 2.0 * _LINE_HZ) & (hz < 0.4 * _HALF_HZ)
    return float(spectrum[line].sum()), float(np.median(spectrum[around]) / np.log(2.0) * line.sum())
