"""Errors beyond what each speaker's own level and each condition's own level explain: the model that slices are compared with.

    x = speaker + condition,    logit(share of words in error) = (exp(c x) - 1) / c

A slice such as "this accent in this condition" has excess where its errors pass that model's. Speaker terms take up everything
that is so in clean as well, which makes this the many-slice form of a difference from the baseline; condition terms take up what
costs everybody. On the scale of odds a condition can cost all the same and no WER passes 1: with rates or their
logarithms, every set with a hard condition would show an "excess" of the better speakers there, or of the worse in clean.

The curvature c is estimated with the levels, and is one degree of freedom for non-additivity (Tukey 1949, "One degree of freedom for
non-additivity", Biometrics 5): with c < 0 no WER passes the logistic of 1/|c|, with c > 0 none falls below that of -1/c. At c = 0,
plain log odds, a recogniser that still guesses some words where it hears nothing, as one with a grammar does, would show an excess of
the worst speakers in clean, where all that happens is that they have no room to fall as far as the others do. It takes three conditions to
estimate it; with two, log odds are taken as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from roomtone.fairness.slices.two_way import TwoWay

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_ROUNDS = 100
_CLOSE = 1e-7
_FURTHEST = 8.0
_MOST_CURVED = 1.0
_STRAIGHT = 1e-6
_TOLD = 1e-10
_GAINED = 1e-9
#: Times that a step is halved which makes the counts less likely: with ten words a speaker whole steps went to and fro between the ends of the scale.
_HALVINGS = 12
_FEWEST_CONDITIONS = 3


@dataclass(frozen=True)
class CountTable:
    """Counts by speaker and condition (and whatever else slices are made of); all [shape=(cells,)]."""

    errors: np.ndarray
    words: np.ndarray
    speaker: np.ndarray
    condition: np.ndarray

    def keep(self, rows: np.ndarray) -> CountTable:
        """Return the table of these rows, speakers and conditions numbered anew."""
        codes = [a[rows] for a in (self.speaker, self.condition)]
        numbers = [np.cumsum(np.bincount(code) > 0) - 1 for code in codes]
        return CountTable(self.errors[rows], self.words[rows], numbers[0][codes[0]], numbers[1][codes[1]])

    @property
    def wrong(self) -> np.ndarray:
        """Return the errors of each cell, no more than its words: one with more counts as wholly wrong."""
        capped: np.ndarray = np.minimum(self.errors, self.words)
        return capped


@dataclass(frozen=True)
class Levels:
    """Speaker and condition levels, and the curvature of the scale on which they add up."""

    speaker: np.ndarray
    condition: np.ndarray
    curvature: float

    def share_wrong(self, speaker: np.ndarray, condition: np.ndarray) -> np.ndarray:
        """Return the share of words in error that the model gives to these speakers in these conditions.

        Args:
            speaker, condition: numbers of each, side by side [both shape=(cells,)].
        """
        return _expit(_log_odds(self.speaker[speaker] + self.condition[condition], self.curvature))


@dataclass(frozen=True)
class FittedCounts:
    """A table with its levels: what the test of a slice needs of them; all arrays [shape=(cells,)]."""

    table: CountTable
    levels: Levels

    @cached_property
    def share(self) -> np.ndarray:
        """Return the modelled share of words in error."""
        return self.levels.share_wrong(self.table.speaker, self.table.condition)

    @cached_property
    def residual(self) -> np.ndarray:
        """Return errors minus modelled errors."""
        difference: np.ndarray = self.table.wrong - self.table.words * self.share
        return difference

    @cached_property
    def weights(self) -> np.ndarray:
        """Return the binomial variance of each cell's errors."""
        variance: np.ndarray = self.table.words * self.share * (1 - self.share)
        return variance

    def project(self, columns: np.ndarray) -> np.ndarray:
        """Return columns [shape=(cells, n)] with what speakers, conditions and the curvature explain taken out, by weighted least squares."""
        rest = self._without_levels(columns)
        if can_estimate_curvature(self.table):
            own, all_of_it = self.curvature_gradient, self.tangents[1]
            information = float(self.weights @ own**2)
            if information > _TOLD * float(self.weights @ all_of_it**2):
                rest -= own[:, None] * ((own * self.weights) @ rest / information)
        return rest

    @cached_property
    def curvature_gradient(self) -> np.ndarray:
        """Return the log odds' derivative by the curvature with what speakers and conditions explain taken out."""
        left: np.ndarray = self._without_levels(self.tangents[1][:, None])[:, 0]
        return left

    @cached_property
    def tangents(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the derivatives of the log odds by x and by the curvature."""
        return _tangents(
            self.levels.speaker[self.table.speaker] + self.levels.condition[self.table.condition], self.levels.curvature
        )

    def _without_levels(self, columns: np.ndarray) -> np.ndarray:
        slope = self.tangents[0][:, None]
        speaker, condition = self.table.speaker, self.table.condition
        weighted = columns * (self.weights[:, None] * slope)
        levels, by_speaker, by_condition = self._normal_equations
        of_speaker, of_condition = levels.solve(by_speaker @ weighted, by_condition @ weighted)
        rest: np.ndarray = columns - slope * (of_speaker[speaker] + of_condition[condition])
        return rest

    @cached_property
    def _normal_equations(self) -> tuple[TwoWay, csr_array, csr_array]:
        """Return the equations of speakers and conditions, and what sums cells by each of them."""
        from scipy.sparse import csr_array

        speaker, condition = self.table.speaker, self.table.condition
        cells, shape = np.arange(len(speaker)), (int(speaker.max()) + 1, int(condition.max()) + 1)
        curve = np.bincount(speaker * shape[1] + condition, self.weights * self.tangents[0] ** 2, shape[0] * shape[1])
        one = np.ones(len(cells))
        sums = [csr_array((one, (at, cells)), shape=(n, len(cells))) for at, n in zip((speaker, condition), shape)]
        return TwoWay(curve.reshape(shape)), sums[0], sums[1]


def fit_levels(table: CountTable, curvature: float | None = None, near: Levels | None = None) -> FittedCounts:
    """Return the levels of speakers and conditions by maximum likelihood; the curvature too, unless it is given.

    Args:
        table: counts by cell.
        curvature: of the scale: 0 is log odds.
        near: levels to start from, those of nearly the same table: they save steps and change no answer.
    """
    wrong, words = _grid(table)
    a, b, c = np.zeros(wrong.shape[0]), np.zeros(wrong.shape[1]), 0.0
    if near is not None:
        a, b, c = near.speaker, near.condition, near.curvature
    c = c if curvature is None else curvature
    a, b = _additive(wrong, words, a, b, c)
    for _ in range(_ROUNDS if curvature is None and can_estimate_curvature(table) else 0):
        score, information = _of_curvature(wrong, words, a[:, None] + b, c)
        if information < 1e-6:
            break
        step = float(np.clip(score / information, -0.25, 0.25))
        likely = _log_likelihood(wrong, words, a[:, None] + b, c)
        for _ in range(_HALVINGS):
            now = float(np.clip(c + step, -_MOST_CURVED, _MOST_CURVED))
            new_a, new_b = _additive(wrong, words, a, b, now)
            if _log_likelihood(wrong, words, new_a[:, None] + new_b, now) >= likely - _TOLD * abs(likely):
                break
            step /= 2
        else:
            break
        moved, a, b, c = abs(now - c), new_a, new_b, now
        if moved < 1e-6:
            break
    return FittedCounts(table, Levels(a, b, c))


def can_estimate_curvature(table: CountTable) -> bool:
    """Return whether the curvature can be told from an excess: with two conditions, a steeper rise of some is all that either shows.

    Args:
        table: counts by cell.
    """
    return bool(table.condition.max() + 1 >= _FEWEST_CONDITIONS)


def _grid(table: CountTable) -> tuple[np.ndarray, np.ndarray]:
    """Return errors and words by speaker and condition [shape=(speakers, conditions)]: all that the levels depend on."""
    shape = (int(table.speaker.max()) + 1, int(table.condition.max()) + 1)
    at = table.speaker * shape[1] + table.condition
    wrong, words = (
        np.bincount(at, counts, shape[0] * shape[1]).reshape(shape) for counts in (table.wrong, table.words)
    )
    return wrong, words


def _additive(
    wrong: np.ndarray, words: np.ndarray, a: np.ndarray, b: np.ndarray, c: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the levels at one curvature by Fisher's scoring, speakers eliminated from each step."""
    likely, size = _log_likelihood(wrong, words, a[:, None] + b, c), 1.0
    for _ in range(_ROUNDS):
        x = a[:, None] + b
        p, slope = _expit(_log_odds(x, c)), np.exp(c * x)
        gradient, curve = slope * (wrong - words * p), slope**2 * words * p * (1 - p)
        steps = [np.clip(step, -1, 1) for step in TwoWay(curve).solve(gradient.sum(axis=1), gradient.sum(axis=0))]
        size = min(1.0, 4 * size)
        for _ in range(_HALVINGS):
            # who is always right or always wrong has no finite level
            new_a, new_b = (np.clip(now + size * step, -_FURTHEST, _FURTHEST) for now, step in zip((a, b), steps))
            new_likely = _log_likelihood(wrong, words, new_a[:, None] + new_b, c)
            if new_likely >= likely - _TOLD * abs(likely):
                break
            size /= 2
        else:
            break
        # levels at the end of their scale can go on to and fro where the likelihood no longer changes
        moved, gained = max(np.abs(new_a - a).max(), np.abs(new_b - b).max()), new_likely - likely
        a, b, likely = new_a, new_b, new_likely
        if moved <= _CLOSE or gained <= _GAINED * abs(likely):
            break
    return a, b


def _log_likelihood(wrong: np.ndarray, words: np.ndarray, x: np.ndarray, c: float) -> float:
    odds = _log_odds(x, c)
    return float((wrong * odds - words * np.logaddexp(0.0, odds)).sum())


def _of_curvature(wrong: np.ndarray, words: np.ndarray, x: np.ndarray, c: float) -> tuple[float, float]:
    """Return the likelihood's derivative by the curvature and its information, speakers and conditions eliminated."""
    p = _expit(_log_odds(x, c))
    weights, (slope, gradient) = words * p * (1 - p), _tangents(x, c)
    target = weights * slope * gradient
    a, b = TwoWay(weights * slope**2).solve(target.sum(axis=1), target.sum(axis=0))
    left = gradient - slope * (a[:, None] + b)
    return float((left * (wrong - words * p)).sum()), float((weights * left**2).sum())


def _tangents(x: np.ndarray, c: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the derivatives of the log odds by x and by the curvature."""
    if abs(c) < _STRAIGHT:
        return np.ones_like(x), x * x / 2
    grown = np.exp(c * x)
    return grown, (c * x * grown - grown + 1) / c**2


def _log_odds(x: np.ndarray, curvature: float) -> np.ndarray:
    if abs(curvature) < _STRAIGHT:
        return x
    curved: np.ndarray = np.expm1(curvature * x) / curvature
    return curved


def _expit(x: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    result: np.ndarray = expit(x)
    return result


def expected_from_outside(
    table: CountTable, inside: np.ndarray, curvature: float | None = None, near: Levels | None = None
) -> float:
    """Return the errors that a slice would have if it went by the model fitted to all other rows; NaN where those do not say.

    Args:
        table: counts by cell.
        inside: which cells the slice holds [shape=(cells,), bool].
        curvature: of the scale; null estimates it.
        near: levels of the whole table, to start from.
    """
    outside = ~inside
    if not outside.any():
        return float("nan")
    known = [np.bincount(a[outside], minlength=a.max() + 1) > 0 for a in (table.speaker, table.condition)]
    if not (known[0][table.speaker[inside]].all() and known[1][table.condition[inside]].all()):
        return float("nan")
    if near is not None:
        near = Levels(near.speaker[known[0]], near.condition[known[1]], near.curvature)
    levels = fit_levels(table.keep(outside), curvature, near).levels
    number = [np.cumsum(some) - 1 for some in known]
    at = number[0][table.speaker[inside]], number[1][table.condition[inside]]
    return float(table.words[inside] @ levels.share_wrong(*at))
