"""The level of a partial at the microphone: its energy in a narrow band over the whole recording, reverberation included, less that of the background.

In a room the level of a partial varies while it sounds: it builds up, fluctuates and decays. A preset holds its energy divided by the
time for which the machine sounds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from roomtone.measure.spectra.cycle import Cycle, Pulse
from roomtone.measure.spectra.harmonics import fundamental
from roomtone.measure.spectra.spectrogram import Partial

#: Half the bandwidth around a partial: a share of its frequency, and at least so many Hz.
BAND = 0.012
BAND_HZ = 12.0
#: Share of a cycle, around its start, from which the background is estimated.
_QUIET = 0.12
#: The highest harmonic considered.
_HIGHEST = 12
#: A partial is continuous where its power in the quiet part is more than this share of that while the machine sounds ...
_STEADY = 0.5
#: ... and more than so many times that of the bands beside it.
_LINE = 2.5


class PartialEnergies:
    """Energies of narrow bands of a recording.

    Args:
        samples: the recording.
        sample_rate_hz: its rate.
    """

    def __init__(self, samples: np.ndarray, sample_rate_hz: int) -> None:
        from scipy import fft

        self._spectrum = fft.rfft(samples)
        self._size = samples.size
        self._rate = sample_rate_hz

    def power(self, hz: float, half_band_hz: float) -> tuple[np.ndarray, float]:
        """Return the power of a band over time, mean square of what is real, and the time between its values in seconds.

        A band beyond half the rate is moved to the last bins below it.

        Args:
            hz: the middle of the band.
            half_band_hz: half its width.
        """
        from scipy import fft

        bin_hz = self._rate / self._size
        low = min(max(round((hz - half_band_hz) / bin_hz), 1), self._spectrum.size - 2)
        high = max(min(round((hz + half_band_hz) / bin_hz), self._spectrum.size - 1), low + 1)
        size = fft.next_fast_len(2 * (high - low + 1))
        band = np.zeros(size, dtype=complex)
        band[: high - low + 1] = self._spectrum[low : high + 1]
        envelope = fft.ifft(band) * (size / self._size)
        return 2.0 * np.abs(envelope) ** 2, self._size / self._rate / size


def half_bands(hz: Sequence[float]) -> list[float]:
    """Return half the bandwidth in Hz for each partial, without that of its neighbours.

    >>> half_bands([440.0, 452.0, 2000.0])
    [6.0, 6.0, 24.0]
    """
    out = []
    for one in hz:
        apart = min((abs(one - other) for other in hz if other != one), default=np.inf)
        out.append(float(min(max(BAND_HZ, BAND * one), 0.5 * apart)))
    return out


def partial_levels(
    samples: np.ndarray, rate: int, cycle: Cycle, partials: Sequence[Partial]
) -> tuple[list[Partial], list[float]]:
    """Return the partials of a cycle with their power while it sounds, strongest first, and the frequencies of continuous ones.

    Args:
        samples: the recording.
        rate: its rate in Hz.
        cycle: when the machine sounds.
        partials: its partials, each frequency once.
    """
    bands = PartialEnergies(samples, rate)
    duration_s = samples.size / rate
    cycles = duration_s / cycle.span_s if cycle.clock else float(cycle.starts_s.size)
    sounding_s = cycles * (sum(pulse.length_s for pulse in cycle.pulses) or cycle.span_s)
    kept, steady = [], []
    for partial, half_hz in zip(partials, half_bands([p.hz for p in partials])):
        power, hop_s = bands.power(partial.hz, half_hz)
        quiet, loud = _phases(power, hop_s, cycle)
        beside = min(_phases(*bands.power(partial.hz + d * half_hz, half_hz), cycle)[0] for d in (-2.5, 2.5))
        if cycle.silent and quiet > _STEADY * loud and quiet > _LINE * beside:
            steady.append(partial.hz)
            continue
        background = quiet if cycle.silent else 0.0
        energy = max(float(power.mean()) - background, 0.02 * float(power.mean())) * duration_s
        kept.append(Partial(partial.hz, energy / sounding_s, partial.excess_db))
    return sorted(kept, key=lambda p: -p.power), steady


def add_weak_harmonics(samples: np.ndarray, rate: int, cycle: Cycle) -> list[Pulse]:
    """Return the pulses with weak harmonics added, where all pulses have one pitch.

    A harmonic is there if the power in its band, while the machine sounds, is three times that half a fundamental beside it.

    Args:
        samples: the recording.
        rate: its rate in Hz.
        cycle: of the machine.
    """
    pulses = cycle.pulses
    tonal = [pulse for pulse in pulses if pulse.partials]
    if not tonal or any(pulse.glide != 1.0 for pulse in tonal):
        return list(pulses)
    pitches = [fundamental(pulse.partials, tolerance_hz=2.0) for pulse in tonal]
    numbers = [np.round(p.hz / f0) for pulse, f0 in zip(tonal, pitches) for p in pulse.partials]
    off = [abs(p.hz / f0 - np.round(p.hz / f0)) for pulse, f0 in zip(tonal, pitches) for p in pulse.partials]
    f0 = float(np.median(pitches))
    if max(abs(one / f0 - 1.0) for one in pitches) > 0.01 or max(off) > 0.05 or min(numbers) > 1:
        return list(pulses)
    bands = PartialEnergies(samples, rate)
    top = max(p.power for pulse in tonal for p in pulse.partials)
    added = []
    for n in range(2, min(_HIGHEST, int(0.45 * rate / f0)) + 1):
        if n not in numbers:
            half_hz = min(max(BAND_HZ, BAND * n * f0), 0.2 * f0)
            inside = [d for d in (0.0, -0.5, 0.5) if (n + d) * f0 + half_hz < 0.5 * rate]
            own, *beside = (_phases(*bands.power((n + d) * f0, half_hz), cycle)[1] for d in inside)
            around = float(np.exp(np.mean(np.log(beside))))  # geometric, because noise falls with frequency
            if own > 3.0 * around:
                added.append(Partial(n * f0, 1e-4 * top, float(10.0 * np.log10(own / around))))
    return [
        dataclasses.replace(pulse, partials=(*pulse.partials, *added)) if pulse.partials else pulse for pulse in pulses
    ]


def _phases(power: np.ndarray, hop_s: float, cycle: Cycle) -> tuple[float, float]:
    """Return the mean power where the cycle is quietest and where it sounds."""
    times = np.arange(power.size) * hop_s
    since = times - cycle.starts_s[np.maximum(np.searchsorted(cycle.starts_s, times, side="right") - 1, 0)]
    quiet = (since < 0.5 * _QUIET * cycle.span_s) | (since > (1.0 - 0.5 * _QUIET) * cycle.span_s)
    loud = np.zeros(power.size, dtype=bool)
    for pulse in cycle.pulses:
        loud |= (since >= pulse.onset_s) & (since < pulse.onset_s + pulse.length_s)
    return float(power[quiet].mean()) if quiet.any() else 0.0, float(power[loud].mean()) if loud.any() else np.inf


def distribute_levels(pulses: Sequence[Pulse], partials: Sequence[Partial], steady_hz: Sequence[float]) -> list[Pulse]:
    """Return pulses whose partials add up to the levels of the machine; continuous partials are left out.

    Args:
        pulses: each with the partials of its own spectrum.
        partials: as from `partial_levels`.
        steady_hz: frequencies of continuous partials.
    """
    total_s = sum(pulse.length_s for pulse in pulses) or 1.0
    mine = [
        [next((k for k, p in enumerate(partials) if is_same_partial(p.hz, q.hz)), -1) for q in pulse.partials]
        for pulse in pulses
    ]
    had = [0.0] * len(partials)
    for pulse, keys in zip(pulses, mine):
        for partial, k in zip(pulse.partials, keys):
            if k >= 0:
                had[k] += partial.power * pulse.length_s / total_s
    out = []
    for pulse, keys in zip(pulses, mine):
        own = [
            Partial(q.hz, q.power * partials[k].power / max(had[k], 1e-30), q.excess_db)
            for q, k in zip(pulse.partials, keys)
            if k >= 0 and not any(is_same_partial(q.hz, hz) for hz in steady_hz)
        ]
        out.append(dataclasses.replace(pulse, partials=tuple(sorted(own, key=lambda p: -p.power))))
    return out


def is_same_partial(one_hz: float, other_hz: float) -> bool:
    """Return whether two frequencies in Hz are those of one partial.

    Args:
        one_hz, other_hz: the two.
    """
    return abs(one_hz - other_hz) < max(4.0, 0.006 * other_hz)
