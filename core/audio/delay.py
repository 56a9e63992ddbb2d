"""Delay of one signal against another, in samples, from their correlation."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from roomtone.core.audio.types import Samples

#: Where so much of an output is its reference at lag 0, no lag needs to be looked for: moved by one sample, anything with a mean
#: frequency above a 2000th of the rate (8 Hz at 16 kHz) explains less of itself, since the share lost is about (2 pi f / rate)^2.
IN_TIME = 1.0 - 1e-5
#: Blocks that the delay is measured on; lags up to half a block can be seen.
_BLOCK = 4096
_MAX_BLOCKS = 12


class Blocks(NamedTuple):
    """The loudest blocks of a reference: where they lie [shape=(blocks, samples)], and their spectra [shape=(blocks, bins)]."""

    places: np.ndarray
    spectra: np.ndarray


def loudest_blocks(reference: Samples, most: int = _MAX_BLOCKS) -> Blocks:
    """Return the blocks of a reference [shape=(samples,)] on which delays are measured, at most `most` of them."""
    size = min(_BLOCK, 1 << max(int(reference.size).bit_length() - 1, 4))
    places = np.array(_loudest_starts(reference, size, most))[:, None] + np.arange(size)
    return Blocks(places, _spectra(reference, places))


def _spectra(signal: Samples, places: np.ndarray) -> np.ndarray:
    from scipy import fft

    size = places.shape[1]
    # all blocks in one call: transforms side by side are several times as fast as one after another
    spectra: np.ndarray = fft.rfft(signal[places] * _hann(size), 2 * size, axis=1)
    return spectra


def measured_delay(reference: Samples | Blocks, output: Samples, *, whiten: bool = False) -> int:
    """Return by how many samples `output` lags `reference`, found between +-2048 samples.

    Args:
        reference: samples [shape=(samples,)], or the blocks of one.
        output: as long.
        whiten: whether the spectra may differ, as they do behind a room.

    The peak of the cross-correlation, summed over the loudest blocks. That is right where the two have the same spectrum, as a stem
    behind a handset's linear part has. A room changes the spectrum: with `whiten` the peak is taken of the estimated impulse
    response instead (the cross-spectrum over the geometric mean of both power spectra), which neither reflections nor a low-pitched voice blur.
    """
    from scipy import fft

    places, spectra = reference if isinstance(reference, Blocks) else loudest_blocks(reference)
    later, size = _spectra(output, places), places.shape[1]
    cross = (np.conj(spectra) * later).sum(axis=0, dtype=np.complex128)
    if whiten:
        powers = np.stack([(np.abs(side) ** 2).sum(axis=0, dtype=np.float64) for side in (spectra, later)])
        floor = 1e-4 * powers.max(axis=1, keepdims=True) + 1e-20
        cross /= np.sqrt((powers + floor).prod(axis=0))
    lag = int(np.argmax(np.abs(fft.irfft(cross, 2 * size))))
    return lag if lag < size else lag - 2 * size


@functools.lru_cache(maxsize=8)
def _hann(size: int) -> np.ndarray:
    return np.hanning(size).astype(np.float32)


def _loudest_starts(samples: Samples, size: int, most: int) -> list[int]:
    """Return the starts of the loudest half-overlapping blocks, in the order of time."""
    hop = max(size // 2, 1)
    starts = range(0, max(samples.size - size, 0) + 1, hop)
    whole = samples.size // hop * hop
    halves = (samples[:whole].reshape(-1, hop).astype(np.float64) ** 2).sum(axis=1).tolist()
    halves.append(float((samples[whole:].astype(np.float64) ** 2).sum()))
    energies = [sum(halves[i : i + 2]) for i in range(len(starts))]
    loudest = np.argsort(energies, kind="stable")[::-1][:most]
    return sorted(starts[int(i)] for i in loudest)


def correlation_lag(reference: np.ndarray, output: np.ndarray, reach: int) -> int:
    """Return by how many samples `output` lags `reference`, by the peak of their cross-correlation.

    For signals of one spectrum, such as input and output of a codec; 0 unless another lag is truly better.

    Args:
        reference, output: float [shape=(samples,)] each.
        reach: the largest lag looked for.
    """
    from scipy import fft

    size = fft.next_fast_len(max(reference.size, output.size) + reach + 1, real=True)
    spectra = (fft.rfft(signal.astype(np.float64), size) for signal in (reference, output))
    product = np.conj(next(spectra)) * next(spectra)
    scores = fft.irfft(product, size)[np.arange(-reach, reach + 1)]
    best = int(np.argmax(scores))
    return best - reach if scores[best] > scores[reach] * (1.0 + 1e-9) + 1e-12 else 0
