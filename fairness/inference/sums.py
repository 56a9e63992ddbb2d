"""Sums of speakers' counts by group, and what follows from them alone: rates, which columns there are, the binomial variance.

Arrays: S speakers, C conditions, G groups, K estimands; the six kinds of counts are those of `SpeakerCounts`. Group number G is everybody.
"""

from __future__ import annotations

import numba
import numpy as np

#: Rates beyond which a binomial variance would vanish: a WER may pass 1.
TOP_RATE = 0.75


@numba.njit(cache=True, nogil=True)
def group_sums(
    counts: np.ndarray, codes: np.ndarray, starts: np.ndarray, members: np.ndarray, has: np.ndarray
) -> np.ndarray:
    """Return sums of counts by group, and of everybody [shape=(6 or 7, G + 1, C)].

    Args:
        counts: as in `SpeakerCounts` [shape=(6 or 7, S, C)].
        codes: which set of groups each speaker belongs to [shape=(S,)].
        starts, members: the groups of set x are members[starts[x]:starts[x + 1]].
        has: which columns (0: gap, 1: difference of gaps) are summed of each group, the others being 0 [shape=(G, 2, C), bool].
    """
    groups = has.shape[0]
    kinds = counts.shape[0]
    sums = np.zeros((kinds, groups + 1, counts.shape[2]))
    for s in range(counts.shape[1]):
        own = members[starts[codes[s]] : starts[codes[s] + 1]]
        for q in range(kinds):
            kind = min(1, q // 2)
            for c in range(counts.shape[2]):
                there = False
                for g in own:
                    if has[g, kind, c]:
                        there = True
                        sums[q, g, c] += counts[q, s, c]
                if there:
                    sums[q, groups, c] += counts[q, s, c]
    return sums


@numba.njit(cache=True, nogil=True)
def available_columns(sums: np.ndarray) -> np.ndarray:
    """Return which columns (0: gap, 1: difference of gaps) each group, and everybody, has [shape=(G + 1, 2, C), bool].

    Args:
        sums: of `group_sums`.
    """
    found = np.zeros((sums.shape[1], 2, sums.shape[2]), dtype=np.bool_)
    for g in range(sums.shape[1]):
        for c in range(sums.shape[2]):
            found[g, 0, c] = sums[1, g, c] > 0
            found[g, 1, c] = sums[3, g, c] > 0 and sums[5, g, c] > 0
    return found


@numba.njit(cache=True, nogil=True)
def rates(sums: np.ndarray, log_scale: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the value of each column on the scale, and 1 / words where defined, else 0 [both shape=(3, G + 1, C)].

    Args:
        sums: of `group_sums`.
        log_scale: the log of the rate.
    """
    shape = (3, sums.shape[1], sums.shape[2])
    value, inverse = np.full(shape, np.nan), np.zeros(shape)
    for q in range(3):
        for g in range(shape[1]):
            for c in range(shape[2]):
                errors, words = sums[2 * q, g, c], sums[2 * q + 1, g, c]
                if words > 0:
                    inverse[q, g, c] = 1.0 / words
                    value[q, g, c] = np.log(max(errors, 0.5) / words) if log_scale else errors / words
    return value, inverse


@numba.njit(cache=True, nogil=True)
def slope(errors: float, words: float, log_scale: bool) -> float:
    """Return the derivative of the scale by the rate.

    Args:
        errors, words: summed over a group.
        log_scale: of the log, else of the rate itself.
    """
    return words / max(errors, 0.5) if log_scale else 1.0


@numba.njit(cache=True, nogil=True)
def group_floors(
    sums: np.ndarray, est_starts: np.ndarray, est_columns: np.ndarray, available: np.ndarray, log_scale: bool, common: bool = False
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return the binomial variance of each group's estimand, and the square of its odds-scale slope [both shape=(G, K)].

    Where it is counted which errors a sample has in common with its baseline, only words that one of both loses add to the variance of a change:
    of the log of a ratio (n_10 + n_01) / (n_1. n_.1), that of paired proportions. Rates taken alone would have far more of it.

    Args:
        sums, available: of `group_sums` and `available_columns`.
        est_starts, est_columns, log_scale: as in `statistics.gap_statistics`.
        common: at everybody's rates, with the group's own words.
    """
    groups, conditions, estimands = sums.shape[1] - 1, sums.shape[2], est_starts.size - 1
    floor, slope2, paired = np.zeros((groups, estimands)), np.zeros((groups, estimands)), sums.shape[0] > 6
    for g in range(groups):
        for k in range(estimands):
            count = 0
            for i in range(est_starts[k], est_starts[k + 1]):
                kind, c = est_columns[i] // conditions, est_columns[i] % conditions
                if available[g, kind, c]:
                    count += 1
                    for q in range(kind, 2 * kind + 1):  # a gap has one rate, a difference of gaps two
                        errors, words = sums[2 * q, g, c], sums[2 * q + 1, g, c]
                        if common:
                            errors = sums[2 * q, groups, c] / sums[2 * q + 1, groups, c] * words
                        by_rate = slope(errors, words, log_scale)
                        rate = min(max(errors, 1.0) / words, TOP_RATE)
                        slope2[g, k] += (rate * (1.0 - rate) * by_rate) ** 2
                        if not (kind and paired):
                            floor[g, k] += max(errors, 1.0) / words**2 * (1.0 - rate) * by_rate**2
                    if kind and paired:
                        floor[g, k] += _paired_floor(sums[:, g, c], log_scale)
            if count:
                floor[g, k] /= count**2
                slope2[g, k] /= count**2
    return floor, slope2


@numba.njit(cache=True, nogil=True)
def _paired_floor(sums: np.ndarray, log_scale: bool) -> float:
    """Return the variance that chance gives a change, of one group's seven sums in one condition."""
    differing = max(sums[2] + sums[4] - 2.0 * sums[6], 1.0)
    by_rates = slope(sums[2], sums[3], log_scale) * slope(sums[4], sums[5], log_scale)
    found: float = differing / (sums[3] * sums[5]) * by_rates
    return found
