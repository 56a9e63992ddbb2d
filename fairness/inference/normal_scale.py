"""Student's t on the scale of a standard normal, and tails there that are too small for a double."""

from __future__ import annotations

import math

import numpy as np


def log_two_sided(z: np.ndarray) -> np.ndarray:
    """Return the log of the two-sided p of each z."""
    from scipy.special import log_ndtr

    found: np.ndarray = np.minimum(0.0, log_ndtr(-np.abs(z)) + math.log(2))
    return found


def upper_tail(z: np.ndarray) -> np.ndarray:
    """Return the chance of more than each z."""
    from scipy.special import ndtr

    found: np.ndarray = ndtr(-z)
    return found


def two_sided_z(log_p: float) -> float:
    """Return the z whose two-sided log p this is."""
    from scipy.special import ndtri_exp

    return float(-ndtri_exp(min(log_p, 0.0) - math.log(2)))


def to_normal(t: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Return Student's t on the normal scale (Wallace 1959, Ann. Math. Statist. 30; within 0.02 for 3 degrees of freedom and more).

    Args:
        t: statistics.
        df: their degrees of freedom.

    >>> round(float(to_normal(np.array(2.228), np.array(10.0))), 2)
    1.96
    """
    found: np.ndarray = np.sign(t) * (8 * df + 1) / (8 * df + 3) * np.sqrt(df * np.log1p(t * t / df))
    return found


def from_normal(z: np.ndarray, df: np.ndarray) -> np.ndarray:
    """Return the t whose place on the normal scale is z, the inverse of `to_normal`.

    Args:
        z: on the normal scale.
        df: degrees of freedom.

    >>> round(float(from_normal(np.array(1.96), np.array(10.0))), 2)
    2.23
    """
    stretched = (8 * df + 3) / (8 * df + 1) * z
    found: np.ndarray = np.sign(z) * np.sqrt(df * np.expm1(stretched * stretched / df))
    return found
