"""Linear convolution with a response, in blocks that are transformed side by side (overlap-save).

A library transforms several equally long blocks in about the time of two, and short blocks stay in the processor's cache: for a
room's response that is three times as fast as one transform of the whole signal, and it is the same sum. Oppenheim and
Schafer, Discrete-Time Signal Processing, section 8.7.

Single precision: its rounding lies some 130 dB below the signal.
"""

from __future__ import annotations

import functools
import math
from collections import OrderedDict

import numpy as np

from roomtone.core.audio.types import Samples

#: Blocks that are transformed at once; pocketfft takes four in single precision on any machine.
_SIDE_BY_SIDE = 4
#: Block lengths tried: powers of two and three times powers of two.
_SIZES = sorted(base << shift for base in (2, 3) for shift in range(6, 22))
#: Responses whose spectra are kept.
_KEPT = 96

#: Spectra of the responses last used, by identity and length; the response is kept beside its spectrum, so that no other takes its place.
_spectra: OrderedDict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = OrderedDict()


def convolve(samples: Samples, response: np.ndarray, start: int, count: int) -> Samples:
    """Return samples `start` to `start + count` of the full linear convolution, float32 [shape=(count,)].

    Args:
        samples: [shape=(samples,)]; silence before and after.
        response: [shape=(taps,)], not changed by anybody afterwards: its spectrum is kept.
        start: index into the full convolution; at a response's own time 0 the output is in time with the input.
        count: samples wanted.
    """
    from scipy import fft

    size, blocks = _blocks(response.size, count)
    hop = size - response.size + 1
    begin = start - response.size + 1  # the first block looks back by the length of the response
    heard = _stretch(samples, begin, begin + (blocks - 1) * hop + size)
    # overlapping views, one a block; the buffer ends where the last of them does
    views: np.ndarray = np.ndarray((blocks, size), np.float32, heard, strides=(hop * heard.itemsize, heard.itemsize))
    spectra = fft.rfft(views, axis=1)
    spectra *= _spectrum(response, size)
    whole = fft.irfft(spectra, size, axis=1, overwrite_x=True)[:, response.size - 1 :]
    return np.ascontiguousarray(whole).reshape(-1)[:count]


@functools.lru_cache(maxsize=1024)
def _blocks(taps: int, count: int) -> tuple[int, int]:
    """Return the length and the number of the blocks that cost least, about `blocks * size * log(size)`."""
    best = (math.inf, 0, 0)
    for size in _SIZES:
        if size > taps:
            blocks = -(-max(count, 1) // (size - taps + 1))
            blocks = -(-blocks // _SIDE_BY_SIDE) * _SIDE_BY_SIDE
            best = min(best, (blocks * size * math.log2(size), size, blocks))
    return best[1], best[2]


def _stretch(samples: Samples, begin: int, end: int) -> Samples:
    """Return float32 samples `begin` to `end`, zeros where there are none."""
    out = np.zeros(end - begin, dtype=np.float32)
    first, last = max(begin, 0), min(end, samples.size)
    if last > first:
        out[first - begin : last - begin] = samples[first:last]
    return out


def _spectrum(response: np.ndarray, size: int) -> np.ndarray:
    from scipy import fft

    key = (id(response), size)
    found = _spectra.pop(key, None)
    if found is None:
        found = response, fft.rfft(np.asarray(response, dtype=np.float64), size).astype(np.complex64)
    _spectra[key] = found  # the latest last
    while len(_spectra) > _KEPT:
        _spectra.popitem(last=False)
    return found[1]
