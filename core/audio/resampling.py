"""Change of sampling rate, length and offset of a signal."""

from __future__ import annotations

from typing import Literal

import numpy as np

#: soxr's qualities: both linear-phase with zero delay; VHQ has a steeper filter and costs more.
Quality = Literal["HQ", "VHQ"]


def resample(samples: np.ndarray, from_hz: int, to_hz: int, *, quality: Quality = "VHQ") -> np.ndarray:
    """Return a signal at another rate, time 0 kept (soxr, linear phase).

    Args:
        samples: float32 or float64 [shape=(samples,)].
        from_hz, to_hz: the rates in Hz.
        quality: of the band limit.

    Returns:
        the same type [shape=(floor(samples * to_hz / from_hz + 0.5),)], which is soxr's own rounding.
    """
    if from_hz == to_hz or samples.size == 0:
        return np.ascontiguousarray(samples)
    import soxr

    changed: np.ndarray = soxr.resample(samples, from_hz, to_hz, quality=quality)
    return changed


def fit_length(samples: np.ndarray, size: int) -> np.ndarray:
    """Return the first `size` samples, zeros where there are none, [shape=(size,)].

    Args:
        samples: [shape=(samples,)].
        size: samples wanted.
    """
    return samples[:size] if samples.size >= size else np.pad(samples, (0, size - samples.size))


def shift(samples: np.ndarray, by: int, size: int) -> np.ndarray:
    """Return a signal moved in time, zeros where there is none.

    Args:
        samples: [shape=(samples,)].
        by: by how many samples it is later (earlier where it is negative).
        size: length of the result [shape=(size,)].
    """
    return fit_length(np.pad(samples, (by, 0)) if by > 0 else samples[-by:], size)
