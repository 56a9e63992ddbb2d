"""Change of sampling rate, length and offset of a signal."""

from __future__ import annotations

import numpy as np


def resample(samples: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Return band-limited resampling with zero delay (soxr's linear-phase HQ), float32 where the rate changes."""
    if from_hz == to_hz or samples.size == 0:
        return samples
    import soxr

    return soxr.resample(samples.astype(np.float32), from_hz, to_hz)


def fit(samples: np.ndarray, size: int) -> np.ndarray:
    """Return the first `size` samples, zeros where there are none."""
    return samples[:size] if samples.size >= size else np.pad(samples, (0, size - samples.size))


def shift(samples: np.ndarray, by: int, size: int) -> np.ndarray:
    """Return `size` samples, `samples` being later by `by` (earlier where it is negative), zeros where there are none."""
    return fit(np.pad(samples, (by, 0)) if by > 0 else samples[-by:], size)
