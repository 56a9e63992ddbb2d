"""The test of a slice: how far its errors lie from the model's, against all the ways in which they scatter without it.

    variance of a slice's score = phi * G_jj  +  s^2 * |X_j|^2  +  k^2 * sum_i G_ij^2

G is the information z'Wz of the slices of one kind beside the model's own terms; X_j holds the weights of slice
j on each sentence in each environment; phi and s are in `spread`.

`k^2`, kind: slices of the same columns (every accent in every room) scatter by themselves, and a slice is named only beyond
that. A kind with fewer than five degrees of freedom cannot tell its own spread, and is taken to have none.

phi and k are estimated as they are when the slice has a term of its own: otherwise a large excess would inflate its own variance. Degrees of
freedom: those of the kind where it has a spread, else Satterthwaite's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roomtone.fairness.slices.dispersion import Dispersion, Sentences
from roomtone.fairness.slices.excess import FittedCounts

_FEWEST_DF = 5.0
_MOST_AT_ONCE = 10_000_000  # cells times slices: 80 MB


@dataclass(frozen=True)
class SliceKind:
    """Slices of the same columns: which ones, and the environment of each cell (the columns of the kind that describe a condition)."""

    slices: np.ndarray
    environment: np.ndarray


@dataclass(frozen=True)
class SliceScores:
    """The test of each slice [shape=(slices,)]: errors and modelled errors, one-step log odds ratio, SE, df, and p of no excess."""

    observed: np.ndarray
    modelled: np.ndarray
    log_ratio: np.ndarray
    se: np.ndarray
    df: np.ndarray
    p: np.ndarray


def score_slices(
    fit: FittedCounts, slices: np.ndarray, *, sentences: Sentences | None = None, kinds: Sequence[SliceKind] = ()
) -> SliceScores:
    """Return the test of each slice, one-sided: p is small where it has more errors than the model gives.

    Args:
        fit: the model over all cells.
        slices: which cells each slice holds, bool [shape=(cells, slices)].
        sentences: the counts by sentence, where sentences are known and shared by speakers.
        kinds: the slices of the same columns; those in none are taken to have no spread of their own.
    """
    from scipy.sparse import csr_array
    from scipy.special import stdtr

    spread = Dispersion(fit, sentences)
    found = [np.full(slices.shape[1], np.nan) for _ in range(4)]
    alone = np.setdiff1d(np.arange(slices.shape[1]), np.concatenate([np.zeros(0, int), *(k.slices for k in kinds)]))
    for kind in (*kinds, *(SliceKind(np.array([k]), fit.table.condition) for k in alone)):
        for total, part in zip(found, _score_kind(spread, slices.T[kind.slices].T, kind.environment)):
            total[kind.slices] = part
    score, information, variance, df = found
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio, se = score / information, np.sqrt(variance) / information
        p = stdtr(df, -log_ratio / se)
    observed, modelled = (csr_array(slices.T) @ counts for counts in (fit.table.wrong, fit.table.wrong - fit.residual))
    return SliceScores(observed, modelled, log_ratio, se, df, p)


def _score_kind(spread: Dispersion, slices: np.ndarray, environment: np.ndarray) -> list[np.ndarray]:
    """Return score, information, variance of the score and its degrees of freedom of the slices of one kind; NaN where not estimable."""
    from scipy.sparse import csr_array

    fit = spread.fit
    slope = fit.tangents[0]
    columns = csr_array(slices.T).multiply(slope).tocsr()
    projected = np.empty(slices.shape)
    for some in _portions(slices):
        projected[:, some] = fit.project(slices[:, some] * slope[:, None])
    within = columns.multiply(fit.weights).tocsr() @ projected
    information = np.diag(within).copy()
    usable = information > 1e-6 * np.maximum(columns.power(2) @ fit.weights, 1e-12)
    out = [np.full(len(usable), np.nan) for _ in range(4)]
    if not usable.any():
        return out
    score = (columns @ fit.residual)[usable]
    within, information = within[np.ix_(usable, usable)], information[usable]
    if not usable.all():
        projected = projected[:, usable]
    phi = _dispersion(spread, score, information, projected)
    s = spread.of_sentences(environment)
    shares = np.zeros((len(score), 1)) if s is None or s.variance == 0 else np.sqrt(s.variance) * s.shares(projected)
    base, shared = phi * information, (shares**2).sum(axis=1)
    df = (base + shared) ** 2 / (base**2 / spread.clusters.df + (shared**2 / s.df if s is not None else 0))
    own, own_df = _own_spread(score, within, phi, shares @ shares.T)
    variance = base + shared + own * (within**2).sum(axis=0)
    values = (score, information, variance, np.where(own > 0, np.minimum(df, own_df), df))
    for total, part in zip(out, values):
        total[usable] = part
    return out


def _dispersion(spread: Dispersion, score: np.ndarray, information: np.ndarray, projected: np.ndarray) -> np.ndarray:
    """Return phi with each slice's own term taken out."""
    from scipy.sparse import csr_array

    clusters, fit = spread.clusters, spread.fit
    summed = csr_array(
        (fit.weights, (clusters.at, np.arange(len(projected)))), shape=(len(clusters.score), len(projected))
    )
    s = spread.by_condition
    phi = np.empty(len(score))
    for some in _portions(projected):
        held = summed @ projected[:, some]
        squares = (clusters.score[:, None] - held * (score[some] / information[some])) ** 2
        if s is not None and s.variance > 0:
            own = (s.shares(projected[:, some]) ** 2).sum(axis=1) / information[some] ** 2
            squares -= s.variance * np.maximum(0.0, clusters.of_sentences[:, None] - own * held**2)
        phi[some] = clusters.dispersion(squares)
    return phi


def _portions(slices: np.ndarray) -> list[slice]:
    """Return portions of the slices [shape=(cells, slices)] that are worked on at once, for the sake of memory."""
    cells, count = slices.shape
    step = max(1, _MOST_AT_ONCE // cells)
    return [slice(k, k + step) for k in range(0, count, step)]


def _own_spread(
    score: np.ndarray, within: np.ndarray, phi: np.ndarray, shared: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return k^2 of the kind and its degrees of freedom, each slice k taken out: q_j - G_jk q_k / G_kk, and G likewise."""
    own = np.diag(within)
    across = (within**2).sum(axis=0)
    cube = np.einsum("jk,jk->k", within, within @ within)
    trace = np.trace(within) - across / own
    square = (within**2).sum() - 2 * cube / own + across**2 / own**2
    left = score @ score - 2 * score * (within @ score) / own + score**2 * across / own**2
    by_sentence = np.trace(shared) - 2 * np.einsum("jk,jk->k", within, shared) / own + np.diag(shared) * across / own**2
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.where(square > 1e-9 * own**2, trace**2 / square, 0.0)
        variance = np.where(df >= _FEWEST_DF, (left - phi * trace - by_sentence) / square, 0.0)
    return np.maximum(0.0, variance), np.maximum(df, 1.0)
