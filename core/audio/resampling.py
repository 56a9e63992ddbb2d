"""Change of sampling rate, length and offset of a signal."""

from __future__ import annotations

from typing import Literal

import numpy as np


def resample(samples: np.ndarray, from_hz: int, to_hz: int, quality: Literal["HQ", "VHQ"] = "HQ") -> np.ndarray:
    """Return band-limited resampling with zero delay (soxr, linear phase), float32 where the rate changes.

    Args:
        samples: [shape=(samples,)].
        from_hz, to_hz: the rate that they have and the one that is wanted, Hz.
        quality: soxr's; `HQ` is exact to 20 bits, `VHQ` to 28.

    Returns:
        about `samples * to_hz / from_hz` samples, soxr's own rounding; the input itself where the rates are equal.
    """
    if from_hz == to_hz or samples.size == 0:
        return samples
    import soxr

    return soxr.resample(samples.astype(np.float32), from_hz, to_hz, quality=quality)


def resample_exactly(samples: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Return resampling at quality `VHQ` whose length is known beforehand.

    Args:
        samples: [shape=(samples,)].
        from_hz, to_hz: the rate that they have and the one that is wanted, Hz.

    Returns:
        float32 [shape=(round(samples * to_hz / from_hz),)], one sample at least, with time 0 kept.
    """
    if from_hz == to_hz:
        return np.ascontiguousarray(samples, dtype=np.float32)
    return fit(resample(samples, from_hz, to_hz, "VHQ"), max(1, round(samples.size * to_hz / from_hz)))


def fit(samples: np.ndarray, size: int) -> np.ndarray:
    """Return the first `size` samples, zeros where there are none."""
    return samples[:size] if samples.size >= size else np.pad(samples, (0, size - samples.size))


def shift(samples: np.ndarray, by: int, size: int) -> np.ndarray:
    """Return `size` samples, `samples` being later by `by` (earlier where it is negative), zeros where there are none."""
    return fit(np.pad(samples, (by, 0)) if by > 0 else samples[-by:], size)
