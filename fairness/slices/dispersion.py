"""The spreads that the test of a slice rests on, beside the kind's own (`slice_scores`), each estimated by moments.

`phi`, dispersion: errors of one speaker in one condition are correlated. It is pooled over all speakers, without which four
speakers could never pass a correction over hundreds of slices.
`s^2`, sentences: one sentence is harder in one place for whoever says it. Where two groups read other sentences, a difference between
them may be the sentences' (Clark 1973, "The language-as-fixed-effect fallacy", J. Verbal Learning and Verbal Behavior 12); where all
read the same it cancels, and costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from roomtone.fairness.slices.excess import FittedCounts

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
class Clusters:
    """Speakers in conditions: the score of each and its binomial variance [shape=(clusters,)].

    `left` is the share of degrees of freedom that levels, curvature and a slice leave; `of_sentences` is what s^2 = 1 adds to each squared score.
    """

    at: np.ndarray
    score: np.ndarray
    variance: np.ndarray
    of_sentences: np.ndarray
    left: float

    @property
    def df(self) -> float:
        """Return the effective degrees of freedom of a sum of squares in which clusters weigh as much as they inform."""
        return self.left * float(self.variance.sum() ** 2 / (self.variance @ self.variance))

    def dispersion(self, squares: np.ndarray) -> np.ndarray:
        """Return phi from squared scores [shape=(clusters, slices)], at least that of independent words.

        The squares are summed as they are, not each over its variance as in Pearson's: slices have their weight where the information is.
        """
        phi: np.ndarray = np.maximum(1.0, squares.sum(axis=0) / (self.left * self.variance.sum()))
        return phi


@dataclass(frozen=True)
class Dispersion:
    """The spreads of one fitted table; sentences are None where no two speakers share any."""

    fit: FittedCounts
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
        known = square > 1e-9 * (own @ own)  # one sentence alone is told by the conditions' own levels
        variance = (score @ score - self._row_dispersion * trace) / square if known else 0.0
        df = max(1.0, trace**2 / square) if known else 1.0
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
    def clusters(self) -> Clusters:
        """Return the scores of speakers in conditions and the variances they are compared with."""
        fit = self.fit
        table = fit.table
        at = np.unique(table.speaker * (table.condition.max() + 1) + table.condition, return_inverse=True)[1]
        score, variance = np.bincount(at, fit.residual), np.bincount(at, fit.weights)
        levels = len(fit.levels.speaker) + len(fit.levels.condition) - 1
        left = max(1, len(score) - levels - 2) / len(score)  # two more: the curvature's, and the slice's own
        of_sentences = np.zeros(len(score))
        if self.sentences is not None:
            rows, (_, own) = self.sentences, self._rows
            pairs, row_of = np.unique(rows.sentence * len(score) + at[rows.cell], return_inverse=True)
            of_sentences += np.bincount(pairs % len(score), np.bincount(row_of, own) ** 2, len(score))
        return Clusters(at, score, variance, left * of_sentences, left)
