"""The delete-one-speaker jackknife: sums without each speaker, and the variance of whatever is worked out from them."""

from __future__ import annotations

import numpy as np


def with_each_left_out(counts: np.ndarray) -> np.ndarray:
    """Return the sum over all speakers, then over all but each [shape=(speakers + 1, ...)].

    Args:
        counts: of each speaker [shape=(speakers, ...)].
    """
    total = counts.sum(axis=0)
    found: np.ndarray = np.concatenate([total[None], total - counts])
    return found


def jackknife_variance(each: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Return the variance of an estimate, by stratum: that groups differ is no chance. Speakers who are alone in theirs are one stratum.

    Args:
        each: the estimate without each speaker [shape=(speakers, ...)].
        strata: of each speaker [shape=(speakers,)].
    """
    _, code, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    code = np.where(sizes[code] > 1, code, -1)
    found: np.ndarray = np.zeros(each.shape[1:])
    for k in set(code.tolist()):
        own = each[code == k]
        found += (len(own) - 1) / len(own) * ((own - own.mean(axis=0)) ** 2).sum(axis=0)
    return found
