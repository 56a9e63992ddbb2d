"""How far a slice's errors lie from the model's by chance: the test of a slice, and the three spreads that it rests on.

    variance of a slice's score = phi * G_jj  +  s^2 * |X_j|^2  +  k^2 * sum_i G_ij^2

G is the information z'Wz of the slices of one kind beside the model's own terms, X_j the weight of slice j on each sentence in each
environment.

`phi`, dispersion: errors of one speaker in one condition hang together. It is pooled over all speakers; without that four
speakers could never pass a correction over hundreds of slices.
`s^2`, sentences: one sentence is harder in one place for whoever says it. Where two groups read other sentences, a difference between
them may be the sentences' (Clark 1973, "The language-as-fixed-effect fallacy", J. Verbal Learning and Verbal Behavior 12); where all
read the same it cancels, and costs nothing.
`k^2`, kind: slices of the same columns (every accent in every room) scatter by themselves, and one is remarkable only beyond
that. A kind with fewer than five degrees of freedom cannot tell its own spread, and is taken to have none.

All three are estimated by moments, phi and k^2 as they are when the slice has a term of its own: a large excess must not hide behind
itself. Degrees of freedom: those of the kind where it has a spread, else Satterthwaite's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from roomtone.fairness.excess import Fit

_FEWEST_DF = 5.0
#: Sentences times environments above which what the levels take of their spread is neglected: it is a share of 1 / sentences.
_MOST_EXACT = 3000


@dataclass(frozen=True)
class Sentences:
    """Counts by cell and sentence [shape=(rows,)]; `cell` is the row of the table of cells."""

    cell: np.ndarray
    sentence: np.ndarray
    errors: np.ndarray
    words: np.ndarray


@dataclass(frozen=True)
class Kind:
    """Slices of the same columns: which ones, and the environment of each cell (the columns of the kind that describe a condition)."""

    slices: np.ndarray
    environment: np.ndarray


@dataclass(frozen=True)
class Score:
    """The test of each slice [shape=(slices,)]: errors and modelled errors, one-step log odds ratio, SE, df, and p of no excess."""

    observed: np.ndarray
    modelled: np.ndarray
    log_ratio: np.ndarray
    se: np.ndarray
    df: np.ndarray
    p: np.ndarray


@dataclass(frozen=True)
class SentenceSpread:
    """Variance of the log odds of a sentence in an environment, and where its weights lie."""

    variance: float
    df: float
    groups: np.ndarray
    count: int
    weights: np.ndarray
    cell: np.ndarray

    def shares(self, projected: np.ndarray) -> np.ndarray:
        """Return the weight of each slice on each sentence in each environment [shape=(slices, groups)]."""
        from scipy.sparse import csr_array

        shape = (self.count, len(projected))
        spread = csr_array((self.weights, (self.groups, self.cell)), shape=shape)
        found: np.ndarray = (spread @ projected).T
        return found


@dataclass(frozen=True)
class Spread:
    """The spreads of one fitted table; sentences are None where no two speakers share any."""

    fit: Fit
    sentences: Sentences | None

    def of_sentences(self, environment: np.ndarray) -> SentenceSpread | None:
        """Return the spread of sentences over environments: sum q^2 = phi_row tr G + s^2 |G|^2 for the scores q of its groups."""
        if self.sentences is None:
            return None
        rows = self.sentences
        groups = np.unique(rows.sentence * (environment.max() + 1) + environment[rows.cell], return_inverse=True)[1]
        residual, weights = self._rows
        score, own = np.bincount(groups, residual), np.bincount(groups, weights)
        trace, square = self._moments(groups, weights, own)
        variance = (score @ score - self._row_dispersion * trace) / square if square > 0 else 0.0
        df = trace**2 / square if square > 0 else 1.0
        return SentenceSpread(max(0.0, float(variance)), float(df), groups, len(own), weights, rows.cell)

    @cached_property
    def _rows(self) -> tuple[np.ndarray, np.ndarray]:
        assert self.sentences is not None
        rows, share = self.sentences, self.fit.share[self.sentences.cell]
        return np.minimum(rows.errors, rows.words) - rows.words * share, rows.words * share * (1 - share)

    @cached_property
    def _row_dispersion(self) -> float:
        """Return the dispersion within a speaker's sentence in a condition, what sentences share taken out."""
        assert self.sentences is not None
        residual, weights = self._rows
        condition = self.fit.table.condition
        groups = np.unique(
            self.sentences.sentence * (condition.max() + 1) + condition[self.sentences.cell], return_inverse=True
        )[1]
        score, own = np.bincount(groups, residual), np.bincount(groups, weights)
        trace, square = self._moments(groups, weights, own)
        left = max(0.1, 1 - (len(self.fit.levels.speaker) + len(self.fit.levels.condition)) / len(weights))
        system = np.array([[left * weights.sum(), left * (weights @ weights)], [trace, square]])
        if np.linalg.cond(system) > 1e12:
            return max(1.0, float(residual @ residual / max(system[0, 0], 1e-12)))
        found = np.linalg.solve(system, [residual @ residual, score @ score])
        return float(max(0.1, found[0]))

    def _moments(self, groups: np.ndarray, weights: np.ndarray, own: np.ndarray) -> tuple[float, float]:
        """Return tr G and |G|^2, G the information matrix of one term a group beside the model's own terms."""
        if len(own) > _MOST_EXACT:
            return float(own.sum()), float(own @ own)
        assert self.sentences is not None
        held = np.zeros((len(self.fit.weights), len(own)))
        np.add.at(held, (self.sentences.cell, groups), weights)
        mean = np.divide(
            held, self.fit.weights[:, None], out=np.zeros_like(held), where=self.fit.weights[:, None] > 1e-12
        )
        information = np.diag(own) - held.T @ (mean - self.fit.project(mean))
        return float(np.trace(information)), float((information**2).sum())

    @cached_property
    def by_condition(self) -> SentenceSpread | None:
        """Return the spread of sentences over conditions."""
        return self.of_sentences(self.fit.table.condition)

    @cached_property
    def clusters(self) -> tuple[float, int, float]:
        """Return Pearson's chi-square by speaker and condition, its degrees of freedom, and what a unit of s^2 adds to it."""
        fit = self.fit
        at = np.unique(fit.table.speaker * (fit.table.condition.max() + 1) + fit.table.condition, return_inverse=True)[
            1
        ]
        score, weights = np.bincount(at, fit.residual), np.bincount(at, fit.weights)
        usable = weights > 1e-9
        df = max(1, len(weights) - len(fit.levels.speaker) - len(fit.levels.condition) + 1)
        pearson = float((score[usable] ** 2 / weights[usable]).sum())
        if self.sentences is None:
            return pearson, df, 0.0
        rows, (_, own) = self.sentences, self._rows
        pairs, row_of = np.unique(rows.sentence * len(weights) + at[rows.cell], return_inverse=True)
        held, cluster = np.bincount(row_of, own), pairs % len(weights)
        keep = usable[cluster]
        return pearson, df, float((held[keep] ** 2 / weights[cluster[keep]]).sum()) * df / len(weights)


def score_slices(
    fit: Fit, slices: np.ndarray, *, sentences: Sentences | None = None, kinds: Sequence[Kind] = ()
) -> Score:
    """Return the test of each slice, one-sided: p is small where it has more errors than the model gives.

    Args:
        fit: the model over all cells.
        slices: which cells each slice holds, bool [shape=(cells, slices)].
        sentences: the counts by sentence, where sentences are known and shared by speakers.
        kinds: the slices of the same columns; those in none are taken to have no spread of their own.
    """
    from scipy.special import stdtr

    spread = Spread(fit, sentences)
    found = [np.full(slices.shape[1], np.nan) for _ in range(4)]
    alone = np.setdiff1d(np.arange(slices.shape[1]), np.concatenate([np.zeros(0, int), *(k.slices for k in kinds)]))
    for kind in (*kinds, *(Kind(np.array([k]), fit.table.condition) for k in alone)):
        for total, part in zip(found, _score_kind(spread, slices[:, kind.slices], kind.environment)):
            total[kind.slices] = part
    score, information, variance, df = found
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio, se = score / information, np.sqrt(variance) / information
        p = stdtr(df, -log_ratio / se)
    modelled = (fit.table.wrong - fit.residual) @ slices
    return Score(fit.table.wrong @ slices, modelled, log_ratio, se, df, p)


def _score_kind(spread: Spread, slices: np.ndarray, environment: np.ndarray) -> list[np.ndarray]:
    """Return score, information, variance of the score and its degrees of freedom of the slices of one kind; NaN where not estimable."""
    fit = spread.fit
    columns = slices * fit.tangents[0][:, None]
    projected = fit.project(columns)
    within = columns.T @ (fit.weights[:, None] * projected)
    information = np.diag(within).copy()
    usable = information > 1e-6 * np.maximum(fit.weights @ columns**2, 1e-12)
    out = [np.full(len(usable), np.nan) for _ in range(4)]
    if not usable.any():
        return out
    within, information, projected = within[np.ix_(usable, usable)], information[usable], projected[:, usable]
    score = fit.residual @ columns[:, usable]
    phi, phi_df = _dispersion(spread, score, information, projected)
    s = spread.of_sentences(environment)
    shares = np.zeros((len(score), 1)) if s is None or s.variance == 0 else np.sqrt(s.variance) * s.shares(projected)
    base, shared = phi * information, (shares**2).sum(axis=1)
    df = (base + shared) ** 2 / (base**2 / phi_df + (shared**2 / s.df if s is not None else 0))
    own, own_df = _own_spread(score, within, phi, shares @ shares.T)
    variance = base + shared + own * (within**2).sum(axis=0)
    values = (score, information, variance, np.where(own > 0, np.minimum(df, own_df), df))
    for total, part in zip(out, values):
        total[usable] = part
    return out


def _dispersion(
    spread: Spread, score: np.ndarray, information: np.ndarray, projected: np.ndarray
) -> tuple[np.ndarray, int]:
    """Return phi with each slice's own term taken out, at least that of independent words, and its degrees of freedom."""
    pearson, df, per_unit = spread.clusters
    left = max(1, df - 2)  # the curvature's, and the slice's own
    s = spread.by_condition
    taken = np.zeros(len(score))
    if s is not None and s.variance > 0:
        taken = s.variance * (per_unit - (s.shares(projected) ** 2).sum(axis=1) / information)
    return np.maximum(1.0, (pearson - score**2 / information - taken) / left), left


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
