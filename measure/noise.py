"""Background noise: third-octave levels, level distribution, modulation. IEC 61260-1 band edges (base 2), levels in dB re full scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

#: Centres of third-octave bands from 25 Hz to 16 kHz, 1000 * 2^(n / 3).
CENTRES_HZ = tuple(1000.0 * 2.0 ** (n / 3.0) for n in range(-16, 13))
#: Averaging time of the levels in the distribution ("fast" is 125 ms, IEC 61672-1, recalled).
_BLOCK_S = 0.125
#: Bands of the modulation spectrum, Hz.
MODULATION_HZ = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
#: A modulation shallower than this (about 1 dB up and down) is left out of a preset.
LEAST_DEPTH = 0.12


@dataclass(frozen=True)
class NoiseFound:
    """A background noise.

    Attributes:
        bands: `(centre in Hz, level in dB re full scale)`.
        level_db: RMS of the whole.
        l10_db, l50_db, l90_db: levels exceeded in 10, 50 and 90 % of all eighths of a second.
        modulation: `{rate in Hz: depth}`, octave bands; 0 for a level as steady as Gaussian noise of this bandwidth.
    """

    bands: tuple[tuple[float, float], ...]
    level_db: float
    l10_db: float
    l50_db: float
    l90_db: float
    modulation: dict[float, float]

    @property
    def steady(self) -> bool:
        """Return whether the level stays within 6 dB between its tenth and ninetieth percentile."""
        return self.l10_db - self.l90_db < 6.0


def third_octaves(samples: np.ndarray, sample_rate_hz: int) -> tuple[tuple[float, float], ...]:
    """Return `(centre in Hz, level in dB re full scale)` of each third-octave band below 0.49 of the rate.

    Args:
        samples: [shape=(samples,)].
        sample_rate_hz: their rate in Hz.
    """
    from scipy import signal

    size = min(samples.size, round(0.5 * sample_rate_hz))
    hz, density = signal.welch(samples, sample_rate_hz, window="hann", nperseg=size)
    found = []
    for centre in CENTRES_HZ:
        low, high = centre * 2.0 ** (-1 / 6), centre * 2.0 ** (1 / 6)
        if high > 0.5 * sample_rate_hz * 0.98:
            break
        found.append((round(centre, 2), float(10.0 * np.log10(_between(hz, density, low, high) + 1e-30))))
    return tuple(found)


def _between(hz: np.ndarray, density: np.ndarray, low: float, high: float) -> float:
    """Return the power between two frequencies; bins are cut at the edges in proportion."""
    step = hz[1] - hz[0]
    cover = np.clip((np.minimum(hz + step / 2, high) - np.maximum(hz - step / 2, low)) / step, 0.0, 1.0)
    return float((density * cover).sum() * step)


def measure_noise(samples: np.ndarray, sample_rate_hz: int) -> NoiseFound:
    """Return spectrum, level distribution and modulation of a noise.

    Args:
        samples: float [shape=(samples,)], full scale +-1; at least a second.
        sample_rate_hz: their rate in Hz.
    """
    block = round(_BLOCK_S * sample_rate_hz)
    power = (samples[: samples.size // block * block].reshape(-1, block) ** 2).mean(axis=1)
    levels = 10.0 * np.log10(power + 1e-30)
    l10, l50, l90 = (float(np.quantile(levels, q)) for q in (0.9, 0.5, 0.1))
    level = float(10.0 * np.log10((samples**2).mean()))
    return NoiseFound(
        third_octaves(samples, sample_rate_hz), level, l10, l50, l90, _modulation(samples, sample_rate_hz)
    )


def _modulation(samples: np.ndarray, rate: int) -> dict[float, float]:
    """Return the modulation depth of the envelope in octave bands, less that of Gaussian noise."""
    from scipy import fft

    step = round(rate / 50)
    power = (samples[: samples.size // step * step].reshape(-1, step) ** 2).mean(axis=1)
    envelope = np.sqrt(power)
    envelope = envelope / envelope.mean() - 1.0
    spectrum = np.abs(fft.rfft(envelope)) ** 2 * 2.0 / envelope.size**2
    hz = np.arange(spectrum.size) * 50.0 / envelope.size
    chance = float(np.median(spectrum[hz > 10.0])) / np.log(2.0)  # above all rates of interest: what Gaussian noise has
    found = {}
    for centre in MODULATION_HZ:
        inside = (hz >= centre / 2**0.5) & (hz < centre * 2**0.5)
        excess = float(spectrum[inside].sum() - inside.sum() * chance)
        found[centre] = round(float(np.sqrt(max(2.0 * excess, 0.0))), 3)
    return found


def noise_op(found: NoiseFound) -> dict[str, Any]:
    """Return the `shaped_noise` op with the measured spectrum and modulation; the SNR of a scenario sets its level."""
    moving = [[rate_hz, depth] for rate_hz, depth in found.modulation.items() if depth >= LEAST_DEPTH]
    bands = [[hz, round(db - found.level_db, 2)] for hz, db in found.bands]
    low, high = bands[0][0] * 2.0 ** (-1 / 6), bands[-1][0] * 2.0 ** (1 / 6)
    return {
        "op": "shaped_noise",
        "levels": "third_octave",
        "spectrum": bands,
        "low_hz": round(low, 2),
        "high_hz": round(high, 1),
        **({"modulation": moving} if moving else {}),
    }
