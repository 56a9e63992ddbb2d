"""DC and rumble are neither speech nor noise: what is below 20 Hz is removed from every recording on reading.

A converter's offset and the wind in a cable are inaudible, and yet they count in a level: with 2 % of DC in a quiet recording "10 dB"
was 6.6 dB. The filter is a Butterworth high-pass of second order, run forwards and backwards: zero phase, -3 dB at 20 Hz,
-0.04 dB at 60 Hz, -41 dB at 5 Hz, nothing left of DC.

Ends are continued by their mirror image, which adds no step: a constant stays constant, and a word that was trimmed in mid-swing
keeps its first sample. The filter forgets within `CONTEXT_S`, so that a segment read with that much of its surroundings equals
the same part of the whole file.
"""

from __future__ import annotations

import functools
import math

import numpy as np

#: Gain -3 dB, Hz.
CUTOFF_HZ = 20.0
#: Seconds on either side that a sample depends on; what is farther counts less than 1e-9.
CONTEXT_S = 0.3
#: Samples that are filtered at once, so that a long recording needs no second copy in double precision.
_BLOCK = 1 << 20
#: What the arithmetic leaves of a constant; far below the least bit of 24.
_ROUNDING = 1e-9


def high_pass(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Return a signal without DC and rumble.

    Args:
        samples: float32 [shape=(samples,)], finite.
        sample_rate_hz: their rate in Hz, 4000 or more.

    Returns:
        float32 [shape=(samples,)], in time with the input; constants give zeros.
    """
    from roomtone.core.audio.decoding._high_pass_kernel import high_passed

    size, context = samples.size, context_samples(sample_rate_hz)
    out = np.empty(size, dtype=np.float32)
    for begin in range(0, size, _BLOCK):
        end = min(begin + _BLOCK, size)
        first, last = max(begin - context, 0), min(end + context, size)
        filtered = high_passed(samples[first:last], context, *_butterworth(sample_rate_hz), _ROUNDING)
        out[begin:end] = filtered[begin - first : end - first]
    return out


def context_samples(sample_rate_hz: int) -> int:
    """Return how many samples on either side of a segment its filtering depends on."""
    return math.ceil(CONTEXT_S * sample_rate_hz)


@functools.lru_cache(maxsize=32)
def _butterworth(sample_rate_hz: int) -> tuple[float, float, float]:
    """Return gain, a1 and a2 of one pass, by the bilinear transform.

    Two passes have the gain 1 / (1 + (f0 / f)^4), which is 1 / sqrt(2) at the cutoff for f0 = cutoff (sqrt(2) - 1)^(1/4).
    """
    f0_hz = CUTOFF_HZ * (math.sqrt(2.0) - 1.0) ** 0.25
    k = math.tan(math.pi * f0_hz / sample_rate_hz)
    gain = 1.0 / (1.0 + math.sqrt(2.0) * k + k * k)
    return gain, 2.0 * (k * k - 1.0) * gain, (1.0 - math.sqrt(2.0) * k + k * k) * gain
