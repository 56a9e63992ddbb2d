"""Losses of travelling sound per octave band (air, walls that differ between bands), applied to a response.

A response is split into octave bands by zero-phase masks that add up to one; each band decays by `exp(-loss * t)`, with t
counted from the direct sound, and the bands are summed. The direct sound itself is untouched. With the coefficient m of
air in 1/m (energy), `loss = m * c / 2` is what image sources and rays at distance c*t lose; walls whose absorption differs between
bands act alike in a diffuse field, where the number of reflections is proportional to the distance travelled.
"""

from __future__ import annotations

import numpy as np

from roomtone.augment.rooms.acoustics import OCTAVES_HZ

#: Centres of the octave bands in which losses are set: those in which rooms are described, and one above.
CENTRES_HZ = (*OCTAVES_HZ, 8000.0)
#: Energy loss of air per metre at 20 C, 50 to 70 % humidity and at 30 to 50 %, in the bands above
#: (M. Vorländer, Auralization, 2008, annex; as tabulated in pyroomacoustics).
_AIR_20C_MOIST = (1.0e-4, 3.0e-4, 6.0e-4, 1.0e-3, 1.7e-3, 4.1e-3, 1.35e-2)
_AIR_20C_DRY = (1.0e-4, 3.0e-4, 6.0e-4, 1.0e-3, 1.9e-3, 5.8e-3, 2.03e-2)


def centres_hz(sample_rate_hz: int) -> tuple[float, ...]:
    """Return the band centres in Hz that lie below half of `sample_rate_hz`."""
    return tuple(centre for centre in CENTRES_HZ if centre < 0.5 * sample_rate_hz)


def air_losses(centres: tuple[float, ...], humidity_percent: float, speed_m_s: float) -> np.ndarray:
    """Return the loss of amplitude in air, in neper per second of travel, float64 [shape=(bands,)].

    Args:
        centres: centres of the bands in Hz, the first ones of `CENTRES_HZ`.
        humidity_percent: relative humidity; from 50 on the table for moist air is used.
        speed_m_s: speed of sound.
    """
    table = _AIR_20C_MOIST if humidity_percent >= 50.0 else _AIR_20C_DRY
    return np.array(table[: len(centres)]) * speed_m_s / 2.0


def split_bands(rir: np.ndarray, sample_rate_hz: int, centres: tuple[float, ...]) -> np.ndarray:
    """Return the response in octave bands, float64 [shape=(bands, samples)]; the bands add up to the response.

    Args:
        rir: impulse response [shape=(samples,)].
        sample_rate_hz: its rate in Hz.
        centres: centres of the bands in Hz, an octave apart.

    Masks are raised cosines over log frequency, half way down at the band edges; the outer bands reach to 0 Hz and to
    the Nyquist frequency.
    """
    from scipy import fft

    pad = round(0.02 * sample_rate_hz)  # keeps the longest filter from wrapping the tail round onto the direct sound
    size = fft.next_fast_len(rir.size + pad, real=True)
    spectrum = fft.rfft(np.asarray(rir, dtype=np.float64), size)
    octave = np.log2(np.maximum(np.arange(spectrum.size) * sample_rate_hz / size, 1.0) / centres[0])
    octave = np.clip(octave, 0.0, len(centres) - 1.0)
    distance = np.minimum(np.abs(octave[None, :] - np.arange(len(centres))[:, None]), 1.0)
    masks = 0.5 + 0.5 * np.cos(np.pi * distance)
    return np.stack([fft.irfft(spectrum * mask, size)[: rir.size] for mask in masks])


def decays(losses: np.ndarray, num_samples: int, sample_rate_hz: int, direct_sample: int) -> np.ndarray:
    """Return the gain of each band over time, float64 [shape=(bands, samples)], 1 up to the direct sound.

    Args:
        losses: neper per second [shape=(bands,)].
        num_samples, sample_rate_hz: length and rate of the response.
        direct_sample: index of the direct sound.
    """
    times = np.maximum(np.arange(num_samples) - direct_sample, 0) / sample_rate_hz
    return np.exp(-np.asarray(losses)[:, None] * times[None, :])


def apply_losses(bands: np.ndarray, losses: np.ndarray, sample_rate_hz: int, direct_sample: int) -> np.ndarray:
    """Return the response of the split `bands` [shape=(bands, samples)] with the losses applied, float64 [shape=(samples,)].

    Args:
        bands: from `split_bands`.
        losses, sample_rate_hz, direct_sample: as `decays`.
    """
    return (bands * decays(losses, bands.shape[1], sample_rate_hz, direct_sample)).sum(axis=0)
