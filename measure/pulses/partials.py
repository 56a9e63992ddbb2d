"""The tonal components of a pulse, from its mean spectrum over all cycles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roomtone.measure.spectra.harmonics import fundamental, harmonic_numbers
from roomtone.measure.spectra.spectrogram import Partial, Spectrogram, interpolated_peaks

#: By how much a room may raise a part of the skirt of a line (8 dB).
_SPECKLE = 6.3


def partials_of(samples: np.ndarray, rate: int, times: np.ndarray, length_s: float, view: Spectrogram) -> list[Partial]:
    """Return the partials of a pulse, strongest first.

    Args:
        samples: the recording.
        rate: its rate in Hz.
        times: starts of the pulse in seconds [shape=(occurrences,)].
        length_s: of the pulse.
        view: spectrogram of the recording, for its background.
    """
    spectrum, bin_hz, noise, lobe_hz, count = _pulse_spectrum(samples, rate, times, length_s, view)
    # noise has peaks too: a tone must exceed the spectrum around it, by more the fewer cycles were averaged
    around = _continuum(spectrum, max(12, round(6.0 * lobe_hz / bin_hz)))
    noise = np.maximum(noise, around * (1.5 + 8.0 / np.sqrt(max(count, 1))) / 8.0)
    return _pulse_partials(spectrum, bin_hz, noise, lobe_hz)


def _pulse_spectrum(
    samples: np.ndarray, rate: int, times_s: np.ndarray, length_s: float, view: Spectrogram
) -> tuple[np.ndarray, float, np.ndarray, float, int]:
    """Return the mean power spectrum of a pulse over its occurrences, its bin width, its background, the width of a line, and the number of occurrences."""
    from scipy import fft

    edge = min(0.008, 0.15 * length_s)
    size = max(64, round((length_s - 2 * edge) * rate))
    padded = fft.next_fast_len(max(4 * size, round(0.5 * rate)), real=True)
    window = np.hanning(size)
    total, count = np.zeros(padded // 2 + 1), 0
    for time in times_s:
        begin = round((time + edge) * rate)
        if begin >= 0 and begin + size <= samples.size:
            total += np.abs(fft.rfft(samples[begin : begin + size] * window, padded)) ** 2
            count += 1
    scale = 2.0 / max(window.sum(), 1e-9) ** 2
    power = total * scale / max(count, 1)
    bin_hz = rate / padded
    hz = np.arange(power.size) * bin_hz
    density = np.interp(hz, np.arange(view.floor.size) * view.bin_hz, view.floor / (1.5 * view.bin_hz))
    return power, bin_hz, density * 1.5 * rate / size, 4.0 * rate / size, count


def _continuum(power: np.ndarray, half_width: int) -> np.ndarray:
    """Return the 40th percentile of a spectrum in half-overlapping blocks of 2 * half_width bins, interpolated [shape=(bins,)]."""
    centres = np.arange(half_width, max(power.size - half_width, half_width + 1), half_width)
    levels = [np.quantile(power[max(c - half_width, 0) : c + half_width], 0.4) for c in centres]
    return np.asarray(np.interp(np.arange(power.size), centres, levels))


def _pulse_partials(power: np.ndarray, bin_hz: float, noise: np.ndarray, lobe_hz: float) -> list[Partial]:
    """Return the tonal peaks of the spectrum of a pulse, those within 33 dB of the strongest, at least 8 dB above the noise."""
    least = np.maximum(8.0 * noise, 10**-3.3 * power.max())
    least[: round(40.0 / bin_hz)] = np.inf
    found = interpolated_peaks(power, bin_hz, least)
    kept: list[Partial] = []
    for partial in found:
        if all(_resolved(partial, other, lobe_hz) for other in kept):
            kept.append(partial)
    return kept[:24]


def without_skirts(partials: Sequence[Partial], length_s: float, *, decaying: bool = False) -> list[Partial]:
    """Return the partials that are not part of the skirt of a stronger one.

    The spectrum of a sine of finite length falls as `1 / (1 + (pi f length)^2)` beside its frequency (that of a decaying sine with time constant
    tau as `1 / (1 + (2 pi f tau)^2)`), and a room makes peaks of a few dB in it.

    Args:
        partials: strongest first.
        length_s: of the pulse; to half height where it decays.
        decaying: whether it decays.
    """
    width_hz = np.log(2.0) / (2.0 * np.pi * length_s) if decaying else 1.0 / (np.pi * length_s)
    kept: list[Partial] = []
    for partial in partials:
        skirts = [_SPECKLE * p.power / (1.0 + ((partial.hz - p.hz) / width_hz) ** 2) for p in kept]
        if partial.power > max(skirts, default=0.0):
            kept.append(partial)
    return kept


def without_close(partials: Sequence[Partial], length_s: float) -> list[Partial]:
    """Return the partials of which no two are closer than 2 / length: the spectrum of one pulse shows them as one.

    Two of them come from a span that held several pulses, whose spectrum has sidebands. The one that is a harmonic of the others is kept, else the
    stronger one.

    Args:
        partials: strongest first.
        length_s: of the pulse.
    """
    if len(partials) < 2:
        return list(partials)
    number = harmonic_numbers(np.array([p.hz for p in partials]), fundamental(partials), 1.0)
    kept: list[Partial] = []
    for k in np.argsort(number == 0, kind="stable").tolist():
        if all(abs(partials[k].hz - other.hz) >= 2.0 / length_s for other in kept):
            kept.append(partials[k])
    return sorted(kept, key=lambda partial: -partial.power)


def _resolved(weak: Partial, strong: Partial, lobe_hz: float) -> bool:
    """Return whether a peak is not a side lobe of a stronger one (Hann: -31 dB next to it, falling by 18 dB an octave)."""
    apart = abs(weak.hz - strong.hz)
    if apart < 0.55 * lobe_hz:
        return False
    limit_db = -20.0 - 15.0 * np.log2(max(2.0 * apart / lobe_hz, 1.0))
    return bool(10.0 * np.log10(weak.power / strong.power) > limit_db or apart > 8 * lobe_hz)
