"""Noise by its spectrum: power density curves, band levels, and Gaussian or Poisson noise shaped to them.

A spectrum is a tuple of `(hz, dB)` points, read on a logarithmic frequency axis with straight lines between them and
held beyond the ends. Two readings of the dB exist, and mixing them up tilts a spectrum by 10 dB per decade:

* density: power per hertz;
* band levels: power in a band, e.g. a third octave, whose width grows with its frequency. `density_from_bands`
  converts, and holds every band's power, not only the level at its centre.

All noise made here has an expected RMS of 1 (the expectation, not the sample: short files differ as real noise does).
Sources: D. Byrne et al., J. Acoust. Soc. Am. 96, 2108 (1994) for `BYRNE_1994_DB`; band edges after IEC 61260-1 (base 2).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

Points = tuple[tuple[float, float], ...]

#: Long-term average speech spectrum at 70 dB SPL: third-octave band levels, male and female talkers of many languages.
BYRNE_1994_DB: Points = (
    (63.0, 38.6), (80.0, 43.5), (100.0, 54.4), (125.0, 57.7), (160.0, 56.8), (200.0, 60.2), (250.0, 60.3), (315.0, 59.0),
    (400.0, 62.1), (500.0, 62.1), (630.0, 60.5), (800.0, 56.8), (1000.0, 53.7), (1250.0, 53.0), (1600.0, 52.0),
    (2000.0, 48.7), (2500.0, 48.1), (3150.0, 46.8), (4000.0, 45.6), (5000.0, 44.5), (6300.0, 44.3), (8000.0, 43.7),
    (10000.0, 43.4), (12500.0, 41.3), (16000.0, 40.7),
)  # fmt: skip
#: The least length of a synthesis, so that a 0.3 s file still resolves low frequencies.
SHORTEST_S = 2.0


@dataclass(frozen=True)
class Spectrum:
    """A power density in dB per hertz [points], cut off sharply below `low_hz` and above `high_hz`."""

    points: Points
    low_hz: float = 20.0
    high_hz: float = 24000.0

    def density_db(self, frequency_hz: np.ndarray) -> np.ndarray:
        """Return the density at `frequency_hz` [shape=(n,)], dB re an arbitrary power per hertz [shape=(n,)]; -inf outside the limits."""
        hz, db = np.array(self.points, dtype=np.float64).T
        inside = (frequency_hz >= self.low_hz) & (frequency_hz <= self.high_hz)
        level = np.interp(np.log2(np.maximum(frequency_hz, 1e-3)), np.log2(hz), db)
        return np.where(inside, level, -np.inf)


def slope_spectrum(slope_db_per_octave: float, low_hz: float, high_hz: float) -> Spectrum:
    """Return a straight density from `low_hz` to `high_hz`.

    Args:
        slope_db_per_octave: 0 is white, -3.01 pink, -6.02 brown.
        low_hz, high_hz: limits in Hz; nothing lies outside.
    """
    octaves = float(np.log2(high_hz / low_hz))
    return Spectrum(((low_hz, 0.0), (high_hz, slope_db_per_octave * octaves)), low_hz, high_hz)


@functools.lru_cache(maxsize=64)
def density_from_bands(bands: Points, octave_fraction: int = 3) -> Points:
    """Return density points whose integral over each band gives the band's level, within 0.01 dB.

    Args:
        bands: `(centre_hz, level_db)`, neighbouring bands of one width, ascending.
        octave_fraction: 3 for third-octave, 1 for octave bands.
    """
    centre, target = np.array(bands, dtype=np.float64).T
    half = 2.0 ** (0.5 / octave_fraction)
    level = target - 10.0 * np.log10(centre * (half - 1.0 / half))  # IEC 61260-1: f2 - f1
    # A straight line through the centres misses a band where the curve bends: correct the points until bands are met.
    offset = np.linspace(-0.5, 0.5, 129)[:-1] + 0.5 / 128
    grid = centre[:, None] * 2.0 ** (offset / octave_fraction)
    for _ in range(200):
        power = 10.0 ** (np.interp(np.log2(grid), np.log2(centre), level) / 10.0)
        error = target - 10.0 * np.log10((power * grid).mean(axis=1) * np.log(2.0) / octave_fraction)
        level = level + 0.7 * error
        if np.abs(error).max() < 0.01:
            break
    return tuple((float(f), float(v)) for f, v in zip(centre, level))


@functools.lru_cache(maxsize=1)
def ltass_spectrum() -> Spectrum:
    """Return the density of the long-term average speech spectrum (Byrne et al. 1994), 56 Hz to 18 kHz."""
    return Spectrum(density_from_bands(BYRNE_1994_DB, 3), 56.0, 18000.0)


@functools.lru_cache(maxsize=16)
def _bin_magnitudes(spectrum: Spectrum, num_samples: int, sample_rate_hz: int) -> np.ndarray:
    """Return real-FFT magnitudes whose noise has an expected RMS of 1 after the inverse transform."""
    frequency = np.arange(num_samples // 2 + 1) * (sample_rate_hz / num_samples)
    power = 10.0 ** (spectrum.density_db(frequency) / 10.0)
    power[0] = 0.0
    if num_samples % 2 == 0:
        power[-1] = 0.0
    total = power.sum()
    if total <= 0.0:
        return np.zeros(frequency.size, dtype=np.float32)
    # each bin holds a complex normal of variance 2; irfft divides by n and counts each bin with its mirror image
    magnitudes = (num_samples * np.sqrt(power / total) / 2.0).astype(np.float32)
    magnitudes.flags.writeable = False
    return magnitudes


def _fft_length(num_samples: int, sample_rate_hz: int) -> int:
    from scipy.fft import next_fast_len

    return int(next_fast_len(max(num_samples, int(SHORTEST_S * sample_rate_hz)), real=True))


def gaussian_noise(rng: np.random.Generator, num_samples: int, sample_rate_hz: int, spectrum: Spectrum) -> np.ndarray:
    """Return Gaussian noise of a spectrum, float32 [shape=(num_samples,)], expected RMS 1; zeros if nothing is in band.

    Args:
        rng: the generator of this render.
        num_samples, sample_rate_hz: length and rate of the noise.
        spectrum: its density.
    """
    from scipy.fft import irfft

    length = _fft_length(num_samples, sample_rate_hz)
    magnitudes = _bin_magnitudes(spectrum, length, sample_rate_hz)
    normal = rng.standard_normal(2 * magnitudes.size, dtype=np.float32).view(np.complex64)
    return irfft(normal * magnitudes, n=length)[:num_samples]


def random_swell(rng: np.random.Generator, num_samples: int, sample_rate_hz: int, modulation: Points) -> np.ndarray:
    """Return a random slow gain, float32 [shape=(num_samples,)], expected mean square 1.

    Its logarithm is Gaussian noise of octave bands around the rates. A log-normal envelope exp(x) has the relative variance
    exp(var x) - 1, that of a sine of depth d is d^2 / 2, and depths of several rates add up as powers.

    Args:
        rng: the generator of this render.
        num_samples, sample_rate_hz: length and rate of the gain.
        modulation: `(rate in Hz, depth)`.
    """
    powers = np.array([depth**2 / 2.0 for _, depth in modulation])
    variance = float(np.log1p(powers.sum()))
    slow_hz = int(np.ceil(16 * max(rate_hz for rate_hz, _ in modulation)))
    slow = np.arange(num_samples * slow_hz // sample_rate_hz + 2)
    level = np.zeros(slow.size)
    for (rate_hz, _), share in zip(modulation, powers / max(powers.sum(), 1e-30)):
        band = Spectrum(((rate_hz, 0.0),), rate_hz / 2.0**0.5, rate_hz * 2.0**0.5)
        level += np.sqrt(share * variance) * gaussian_noise(rng, slow.size, slow_hz, band)
    gain = np.exp(level - variance)
    return np.interp(np.arange(num_samples) * (slow_hz / sample_rate_hz), slow, gain).astype(np.float32)


@functools.lru_cache(maxsize=64)
def mean_power(spread_db: float, highest: float) -> float:
    """Return the mean square of a gain of `spread_db * min(g, highest)` dB, g standard normal.

    Args:
        spread_db: of the gain, dB a standard deviation.
        highest: at which g is cut.
    """
    g = np.linspace(-8.0, 8.0, 4001)
    weight = np.exp(-0.5 * g * g)
    return float((weight * 10.0 ** (spread_db * np.minimum(g, highest) / 10.0)).sum() / weight.sum())


def event_noise(
    rng: np.random.Generator,
    num_samples: int,
    sample_rate_hz: int,
    spectrum: Spectrum,
    events_per_s: float,
    spread_db: float,
    decay_s: float,
) -> np.ndarray:
    """Return Poisson-distributed short bursts: drops, crackle. Expected RMS 1.

    All events share one burst of noise that dies away, so that a drop is not a bare impulse of enormous height. Only
    the phases of the burst are used: they spread it in time and leave the spectrum as it was asked for.

    Args:
        rng: the generator of this render.
        num_samples: length of the result [shape=(num_samples,), float32].
        sample_rate_hz: sampling rate.
        spectrum: the density of the sum, and on average of each event.
        events_per_s: mean rate of the events; many thousands sound like Gaussian noise.
        spread_db: standard deviation of the events' levels, cut off at twice that above the mean.
        decay_s: time constant of the burst; 0 for bare impulses.
    """
    from scipy.fft import irfft, rfft

    length = _fft_length(num_samples, sample_rate_hz)
    count = max(1, int(rng.poisson(events_per_s * length / sample_rate_hz)))
    heights = 10.0 ** (spread_db * np.minimum(rng.standard_normal(count), 2.0) / 20.0)
    impulses = np.zeros(length, dtype=np.float64)
    np.add.at(impulses, rng.integers(0, length, size=count), heights * rng.choice((-1.0, 1.0), size=count))
    mean = events_per_s / sample_rate_hz * mean_power(spread_db, 2.0)
    response = _bin_magnitudes(spectrum, length, sample_rate_hz) * np.sqrt(2.0 / (length * mean))
    if decay_s:
        burst_s = min(8.0 * decay_s, 0.5 * length / sample_rate_hz)
        time_s = np.arange(max(1, int(burst_s * sample_rate_hz))) / sample_rate_hz
        burst = rng.standard_normal(time_s.size) * np.exp(-time_s / decay_s)
        spread = rfft(burst, n=length)
        response = response * (spread / np.maximum(np.abs(spread), 1e-12))
    return irfft(rfft(impulses) * response, n=length)[:num_samples].astype(np.float32)
