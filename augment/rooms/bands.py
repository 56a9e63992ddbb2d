"""Losses of travelling sound per octave band (air, walls that differ between bands), applied to a response.

A response is split into octave bands by zero-phase masks that add up to one; each band decays by `exp(-loss * t)`, with t
counted from the direct sound, and the bands are summed. The direct sound itself is untouched. With the coefficient m of
air in 1/m (energy), `loss = m * c / 2` is what image sources and rays at distance c*t lose; walls whose absorption differs between
bands act alike in a diffuse field, where the number of reflections is proportional to the distance travelled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from roomtone.augment.rooms.acoustics import MID_HZ, OCTAVES_HZ, octave_decay_s

#: Centres of the octave bands in which losses are set: those in which rooms are described, and one above.
CENTRES_HZ = (*OCTAVES_HZ, 8000.0)
#: The same for rooms of materials, which have one octave more where the rate holds it.
ALL_CENTRES_HZ = (*CENTRES_HZ, 16000.0)
#: Neper of amplitude in 60 dB.
NEPER_60_DB = math.log(1000.0)
#: Energy loss of air per metre at 20 C, 50 to 70 % humidity and at 30 to 50 %, in the bands above
#: (M. Vorländer, Auralization, 2008, annex; as tabulated in pyroomacoustics).
_AIR_20C_MOIST = (1.0e-4, 3.0e-4, 6.0e-4, 1.0e-3, 1.7e-3, 4.1e-3, 1.35e-2)
_AIR_20C_DRY = (1.0e-4, 3.0e-4, 6.0e-4, 1.0e-3, 1.9e-3, 5.8e-3, 2.03e-2)
#: Losses per band are corrected until every time is this near, and no more often than this.
_NEAR = 0.002
_STEPS = 40
#: So much of each correction is made after the first, and half as much each time it has overshot: neighbours overlap, and few modes fall in steps.
_DAMPED = 0.5
#: After so many steps a band that losing more does not shorten gets no more: its filter reads its neighbours, and would read them alone.
_FREE = 8
#: Width of the overlap of sharp bands, octaves.
_OVERLAP = 0.3


def centres_hz(sample_rate_hz: int, centres: Sequence[float] = CENTRES_HZ) -> tuple[float, ...]:
    """Return those of the `centres` of bands in Hz that lie below half of `sample_rate_hz`."""
    return tuple(centre for centre in centres if centre < 0.5 * sample_rate_hz)


def air_losses(centres: tuple[float, ...], humidity_percent: float, speed_m_s: float) -> np.ndarray:
    """Return the loss of amplitude in air, in neper per second of travel, float64 [shape=(bands,)].

    Args:
        centres: centres of the bands in Hz, the first ones of `CENTRES_HZ`.
        humidity_percent: relative humidity; from 50 on the table for moist air is used.
        speed_m_s: speed of sound.
    """
    table = _AIR_20C_MOIST if humidity_percent >= 50.0 else _AIR_20C_DRY
    return np.array(table[: len(centres)]) * speed_m_s / 2.0


def split_bands(rir: np.ndarray, sample_rate_hz: int, centres: tuple[float, ...], *, sharp: bool = False) -> np.ndarray:
    """Return the response in octave bands, float64 [shape=(bands, samples)]; the bands add up to the response.

    Args:
        rir: impulse response [shape=(samples,)].
        sample_rate_hz: its rate in Hz.
        centres: centres of the bands in Hz, an octave apart.
        sharp: whether the bands overlap by `_OVERLAP` of an octave only, so that a band may decay sooner than both its neighbours.

    Masks are raised cosines over log frequency, half way down at the band edges; the outer bands reach to 0 Hz and to
    the Nyquist frequency.
    """
    from scipy import fft

    pad = round(
        (0.1 if sharp else 0.02) * sample_rate_hz
    )  # keeps the longest filter from wrapping the tail round onto the direct sound
    size = fft.next_fast_len(rir.size + pad, real=True)
    spectrum = fft.rfft(np.asarray(rir, dtype=np.float64), size)
    octave = np.log2(np.maximum(np.arange(spectrum.size) * sample_rate_hz / size, 1.0) / centres[0])
    octave = np.clip(octave, 0.0, len(centres) - 1.0)
    distance = np.minimum(np.abs(octave[None, :] - np.arange(len(centres))[:, None]), 1.0)
    if sharp:
        distance = np.clip((distance - 0.5) / _OVERLAP + 0.5, 0.0, 1.0)
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


def losses_for_times(
    bands: np.ndarray, sample_rate_hz: int, direct_sample: int, times_s: Sequence[float], told: Sequence[bool]
) -> np.ndarray:
    """Return the losses per band under which T30 in the octaves is `times_s`, neper per second, float64 [shape=(bands,)].

    Args:
        bands: response before losses, which decays no faster than the slowest band, from `split_bands`, sharp [shape=(bands, samples)].
        sample_rate_hz, direct_sample: as `decays`.
        times_s: in the first of `ALL_CENTRES_HZ`, s.
        told: whether a band's time can be measured; a band in which it cannot is given the difference to the mean decay of those in which it can.

    The times are measured by octave filters on the sum of the bands, since neighbours overlap.
    """
    centres, wanted = ALL_CENTRES_HZ[: len(times_s)], np.array(times_s)
    losses, most = np.zeros(len(centres)), np.full(len(centres), np.inf)
    share, before, less = np.ones(len(centres)), np.zeros(len(centres)), losses
    for step in range(_STEPS):
        response = apply_losses(bands, losses, sample_rate_hz, direct_sample)
        found = np.array([octave_decay_s(response, sample_rate_hz, direct_sample, centre) for centre in centres])
        found[~np.array(told)] = found[told].mean() if step == 0 else wanted[~np.array(told)]
        if np.abs(found / wanted - 1.0).max() < _NEAR:
            break
        short = NEPER_60_DB * (1.0 / wanted - 1.0 / found)
        share = np.where(short * before < 0.0, 0.5 * share, share) if step > 1 else np.full_like(share, _DAMPED**step)
        if step > _FREE:
            most = np.where((short > 0.0) & (short > before), np.minimum(most, less), most)
        less, losses, before = losses, np.minimum(losses + share * short, most), short
    mid = [centres.index(centre) for centre in MID_HZ]
    for _ in range(_STEPS):  # where a band could not be brought to its time, the mean of the two still is
        response = apply_losses(bands, losses, sample_rate_hz, direct_sample)
        found_s = np.mean([octave_decay_s(response, sample_rate_hz, direct_sample, centre) for centre in MID_HZ])
        if abs(found_s / wanted[mid].mean() - 1.0) < _NEAR:
            break
        losses = losses + NEPER_60_DB * (1.0 / wanted[mid].mean() - 1.0 / found_s)
    return losses
