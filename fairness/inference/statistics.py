"""The statistics of one labelling of speakers: every gap, its variance and degrees of freedom, compiled.

A unit is a speaker with all conditions of theirs. With W a ratio of summed errors to summed words, `b` a group, `r` what it is
compared with, `c` a condition and 0 the baseline, an estimand is the equally weighted mean, over some conditions, of

    gap_c = W_bc - W_rc          or          did_c = (W_bc - W_b0) - (W_rc - W_r0)

over the conditions that both sides have. The variance is that of the linearised ratio: a speaker's influence on W_bc is
(errors - W_bc words) / words of the group; squares of influences are summed, with the factor n / (n - 1).

Few speakers know their spread badly, and a group that happens to be alike would look sure of anything. So each variance is averaged
with the one that a group of this size and level should have (`PRIOR_DF` degrees of freedom, after Smyth 2004, Stat. Appl. Genet. Mol.
Biol. 3): binomial variance, and on top of it a spread that is proportional to the odds-scale slope W (1 - W) and is pooled over all
groups. Two groups do not tell how alike groups spread, so there it counts for nothing. No variance is below the binomial one (that of
Poisson errors where rates are low).

A small group whose speakers happen to lose few words looks alike, too, since spread grows with the rate: of 6 skewed speakers against 60 nearly all
false gaps said that the 6 lose less. So on the scale of rates a group that loses fewer words than everybody has, in a gap, the variance that it would
have at everybody's rates, as under the hypothesis that groups do not differ.

Arrays: S speakers, C conditions, G groups, K estimands. Undefined is NaN.
"""

from __future__ import annotations

import numba
import numpy as np

from roomtone.fairness.inference.sums import available_columns, group_floors, group_sums, rates, slope

#: Degrees of freedom that the pooled variance counts for beside each group's own.
PRIOR_DF = 2.0


def prior_df(groups: int) -> float:
    """Return the degrees of freedom that the pooled variance counts for: none of two groups, which do not tell whether groups spread alike.

    Args:
        groups: number of groups with known speakers.
    """
    return 0.0 if groups == 2 else PRIOR_DF


@numba.njit(cache=True, nogil=True)
def _own_variances(
    counts: np.ndarray, codes: np.ndarray, starts: np.ndarray, members: np.ndarray, sums: np.ndarray, inverse: np.ndarray,
    est_starts: np.ndarray, est_columns: np.ndarray, available: np.ndarray, log_scale: bool,
    variance: np.ndarray, present: np.ndarray, kish: np.ndarray,
) -> None:  # fmt: skip
    """Sum, over the speakers of each group, their squared influence on each estimand, their presence, and their squared share of its words."""
    speakers, conditions, estimands = counts.shape[1], counts.shape[2], est_starts.size - 1
    columns = 2 * conditions
    influence, share = np.empty(columns), np.empty(columns)
    weight = _weights(est_starts, est_columns, available)
    rate = np.empty((3, sums.shape[1], conditions))
    scale = np.empty((3, sums.shape[1], conditions))
    for q in range(3):
        for g in range(sums.shape[1]):
            for c in range(conditions):
                rate[q, g, c] = sums[2 * q, g, c] * inverse[q, g, c]
                scale[q, g, c] = inverse[q, g, c] * (
                    slope(sums[2 * q, g, c], sums[2 * q + 1, g, c], log_scale) if inverse[q, g, c] > 0 else 0.0
                )
    for s in range(speakers):
        for m in range(starts[codes[s]], starts[codes[s] + 1]):
            g = members[m]
            for c in range(conditions):
                influence[c] = (counts[0, s, c] - rate[0, g, c] * counts[1, s, c]) * scale[0, g, c]
                influence[conditions + c] = (
                    (counts[2, s, c] - rate[1, g, c] * counts[3, s, c]) * scale[1, g, c]
                    - (counts[4, s, c] - rate[2, g, c] * counts[5, s, c]) * scale[2, g, c]
                )  # fmt: skip
                share[c] = counts[1, s, c] * inverse[0, g, c]
                share[conditions + c] = counts[3, s, c] * inverse[1, g, c]
            for k in range(estimands):
                total, part = 0.0, 0.0
                for i in range(est_starts[k], est_starts[k + 1]):
                    column = est_columns[i]
                    total += influence[column]
                    part += share[column]
                if part > 0:
                    variance[g, k] += (total * weight[g, k]) ** 2
                    kish[g, k] += (part * weight[g, k]) ** 2
                    present[g, k] += 1.0


@numba.njit(cache=True, nogil=True)
def _weights(est_starts: np.ndarray, est_columns: np.ndarray, available: np.ndarray) -> np.ndarray:
    """Return 1 over the number of an estimand's columns that each group has, 0 where it has none [shape=(G + 1, K)].

    A column that a group lacks has neither errors nor words in it, so it adds nothing to a sum over columns.
    """
    groups, conditions, estimands = available.shape[0], available.shape[2], est_starts.size - 1
    found = np.zeros((groups, estimands))
    for g in range(groups):
        for k in range(estimands):
            count = 0
            for i in range(est_starts[k], est_starts[k + 1]):
                count += available[g, est_columns[i] // conditions, est_columns[i] % conditions]
            if count:
                found[g, k] = 1.0 / count
    return found


@numba.njit(cache=True, nogil=True)
def _moderate(
    variance: np.ndarray, floor: np.ndarray, slope2: np.ndarray, present: np.ndarray, kish: np.ndarray, prior_df: float
) -> None:
    """Average each variance, in place, with what its size and level let expect; NaN with fewer than two speakers."""
    groups, estimands = variance.shape
    for k in range(estimands):
        excess, weight = 0.0, 0.0
        for g in range(groups):
            n = present[g, k]
            if n > 1:
                variance[g, k] *= n / (n - 1)
                excess += (n - 1) * (variance[g, k] - floor[g, k]) / kish[g, k]
                weight += (n - 1) * slope2[g, k]
        spread = max(0.0, excess / weight) if weight > 0 else 0.0
        for g in range(groups):
            n = present[g, k]
            if n > 1:
                expected = floor[g, k] + spread * slope2[g, k] * kish[g, k]
                own = ((n - 1) * variance[g, k] + prior_df * expected) / (n - 1 + prior_df)
                variance[g, k] = max(own, floor[g, k])
            else:
                variance[g, k] = np.nan


@numba.njit(cache=True, nogil=True)
def at_common_level(
    variance: np.ndarray, floor: np.ndarray, slope2: np.ndarray, common_floor: np.ndarray, common_slope2: np.ndarray
) -> np.ndarray:
    """Return the variance that each group would have if it lost as many words as everybody, where it loses fewer [shape=(G, K)].

    Args:
        variance: as it is; what is beyond its floor grows with the slope.
        floor, slope2: of `group_floors`.
        common_floor, common_slope2: the same at everybody's rates.
    """
    found = variance.copy()
    for g in range(variance.shape[0]):
        for k in range(variance.shape[1]):
            if 0 < slope2[g, k] < common_slope2[g, k]:
                beyond = (variance[g, k] - floor[g, k]) * common_slope2[g, k] / slope2[g, k]
                found[g, k] = max(variance[g, k], common_floor[g, k] + beyond)
    return found


@numba.njit(cache=True, nogil=True)
def _other_rate(sums: np.ndarray, q: int, a: int, other: int, c: int, log_scale: bool) -> float:
    """Return the value of what group `a` is compared with: group `other`, or everybody else where it is negative; NaN without words."""
    everybody = sums.shape[1] - 1
    errors = sums[2 * q, other, c] if other >= 0 else sums[2 * q, everybody, c] - sums[2 * q, a, c]
    words = sums[2 * q + 1, other, c] if other >= 0 else sums[2 * q + 1, everybody, c] - sums[2 * q + 1, a, c]
    if words <= 0:
        return np.nan
    return np.log(max(errors, 0.5) / words) if log_scale else errors / words


@numba.njit(cache=True, nogil=True)
def _values(
    sums: np.ndarray, value: np.ndarray, other: int, est_starts: np.ndarray, est_columns: np.ndarray, log_scale: bool,
    theta: np.ndarray,
) -> None:  # fmt: skip
    """Write each group's estimands: the mean over the conditions that both sides have."""
    groups, estimands = theta.shape
    conditions = sums.shape[2]
    for a in range(groups):
        for k in range(estimands):
            total, count = 0.0, 0
            for i in range(est_starts[k], est_starts[k + 1]):
                kind, c = est_columns[i] // conditions, est_columns[i] % conditions
                first = 1 if kind else 0
                difference = value[first, a, c] - _other_rate(sums, first, a, other, c, log_scale)
                if kind:
                    difference -= value[2, a, c] - _other_rate(sums, 2, a, other, c, log_scale)
                if not np.isnan(difference):
                    total += difference
                    count += 1
            theta[a, k] = total / count if count and a != other else np.nan


@numba.njit(cache=True, nogil=True, error_model="numpy")  # one speaker has no degrees of freedom
def _pair_variances(
    sums: np.ndarray, variance: np.ndarray, present: np.ndarray, available: np.ndarray, other: int, prior_df: float,
    est_starts: np.ndarray, est_columns: np.ndarray, pair_variance: np.ndarray, pair_df: np.ndarray,
) -> None:  # fmt: skip
    """Write the variance of each gap and its degrees of freedom (Satterthwaite 1946).

    The rate of all others is a sum over their groups, each weighing by its words; groups are fixed, their speakers are drawn.
    """
    groups, estimands = variance.shape
    conditions = sums.shape[2]
    for k in range(estimands):
        share = np.zeros(groups)
        total, total_df = 0.0, 0.0
        for b in range(groups):
            count = 0
            for i in range(est_starts[k], est_starts[k + 1]):
                kind, c = est_columns[i] // conditions, est_columns[i] % conditions
                everybody = sums[2 * kind + 1, groups, c]
                if everybody > 0:
                    count += 1
                    share[b] += sums[2 * kind + 1, b, c] / everybody
            share[b] = share[b] / count if count else 0.0
            if share[b] > 0 and not np.isnan(variance[b, k]):
                part = share[b] ** 2 * variance[b, k]
                total += part
                total_df += part**2 / (present[b, k] - 1 + prior_df)
        for a in range(groups):
            own = variance[a, k]
            if other >= 0:
                rest = variance[other, k]
                rest_df = rest**2 / (present[other, k] - 1 + prior_df)
            else:
                part, left = share[a] ** 2 * own, 1.0 - share[a]
                rest = (total - part) / left**2 if left > 1e-12 else np.nan
                rest_df = (total_df - part**2 / (present[a, k] - 1 + prior_df)) / left**4 if left > 1e-12 else np.nan
            if a == other or np.isnan(own) or np.isnan(rest) or rest <= 0:
                pair_variance[a, k], pair_df[a, k] = np.nan, np.nan
                continue
            pair_variance[a, k] = own + rest
            pair_df[a, k] = (own + rest) ** 2 / (own**2 / (present[a, k] - 1 + prior_df) + max(rest_df, 0.0))


@numba.njit(cache=True, nogil=True)
def gap_statistics(
    counts: np.ndarray, codes: np.ndarray, starts: np.ndarray, members: np.ndarray, has: np.ndarray, other: int,
    est_starts: np.ndarray, est_columns: np.ndarray, log_scale: bool, prior_df: float,
    theta: np.ndarray, pair_variance: np.ndarray, pair_df: np.ndarray, own_variance: np.ndarray, present: np.ndarray,
) -> None:  # fmt: skip
    """Write the statistics of one labelling.

    Args:
        counts: as in `SpeakerCounts` [shape=(6 or 7, S, C)].
        codes: which set of groups each speaker belongs to [shape=(S,)].
        starts, members: the groups of set x are members[starts[x]:starts[x + 1]].
        has: which columns each group has, as in `group_sums`.
        other: the group that all are compared with; negative for all others together.
        est_starts, est_columns: estimand k is the mean of columns est_columns[est_starts[k]:est_starts[k + 1]]; column c is the gap
            in condition c, column C + c the difference of gaps.
        log_scale: differences of log rates instead of rates.
        prior_df: see `prior_df`.
        theta, pair_variance, pair_df: written [shape=(G, K)].
        own_variance, present: variance of a group's own estimand, and its speakers, written [shape=(G, K)].
    """
    sums = group_sums(counts, codes, starts, members, has)
    value, inverse = rates(sums, log_scale)
    available = available_columns(sums)
    own_variance[:] = 0.0
    present[:] = 0.0
    kish = np.zeros(theta.shape)
    _own_variances(
        counts, codes, starts, members, sums, inverse, est_starts, est_columns, available, log_scale, own_variance, present, kish
    )  # fmt: skip
    floor, slope2 = group_floors(sums, est_starts, est_columns, available, log_scale)
    _moderate(own_variance, floor, slope2, present, kish, prior_df)
    null = own_variance
    if not log_scale:
        common_floor, common_slope2 = group_floors(sums, est_starts, est_columns, available, log_scale, True)
        null = at_common_level(own_variance, floor, slope2, common_floor, common_slope2)
    _values(sums, value, other, est_starts, est_columns, log_scale, theta)
    _pair_variances(sums, null, present, available, other, prior_df, est_starts, est_columns, pair_variance, pair_df)


@numba.njit(cache=True, nogil=True)
def permuted_statistics(
    counts: np.ndarray, labellings: np.ndarray, starts: np.ndarray, members: np.ndarray, has: np.ndarray, other: int,
    est_starts: np.ndarray, est_columns: np.ndarray, log_scale: bool, prior_df: float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return the studentised estimands of many labellings and their degrees of freedom [both shape=(labellings, G, K)].

    Args:
        counts, starts, members, has, other, est_starts, est_columns, log_scale, prior_df: as in `gap_statistics`.
        labellings: the codes of each labelling [shape=(labellings, S)].
    """
    groups, estimands = has.shape[0], est_starts.size - 1
    shape = (labellings.shape[0], groups, estimands)
    t, df = np.empty(shape), np.empty(shape)
    theta, variance, own = np.empty(shape[1:]), np.empty(shape[1:]), np.empty(shape[1:])
    present = np.empty(shape[1:])
    for b in range(shape[0]):
        gap_statistics(
            counts, labellings[b], starts, members, has, other, est_starts, est_columns, log_scale, prior_df, theta, variance,
            df[b], own, present,
        )  # fmt: skip
        for a in range(groups):
            for k in range(estimands):
                v = variance[a, k]
                t[b, a, k] = theta[a, k] / np.sqrt(v) if v > 0 else np.nan
    return t, df
