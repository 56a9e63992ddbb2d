"""Errors beyond what each speaker's own level and each condition's own level explain: a score test for a slice.

    logit share of words in error = speaker + condition          (quasi-binomial)

A slice such as "this accent in this condition" has excess where its errors pass that model's. Speaker terms take up everything
that is so in clean as well, which makes this the many-slice form of a difference from the baseline; condition terms take up what
hurts everybody. On the scale of odds a condition can hurt all alike and still not drive a WER past 1: with rates or their
logarithms, every set with a hard condition would show an "excess" of the better speakers there, or of the worse in clean.

The dispersion is pooled over all speakers, without which four speakers could never pass a correction over hundreds of slices. A cell
with more errors than words counts as wholly wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_ROUNDS = 500
_CLOSE = 1e-8
_FURTHEST = 8.0


@dataclass(frozen=True)
class Table:
    """Counts by speaker and condition (and whatever else slices are made of); all [shape=(rows,)]."""

    errors: np.ndarray
    words: np.ndarray
    speaker: np.ndarray
    condition: np.ndarray

    def keep(self, rows: np.ndarray) -> Table:
        """Return the table of these rows, speakers and conditions numbered anew."""
        codes = [np.unique(a[rows], return_inverse=True)[1] for a in (self.speaker, self.condition)]
        return Table(self.errors[rows], self.words[rows], codes[0], codes[1])


@dataclass(frozen=True)
class Score:
    """The score test of each slice [shape=(slices,)]: observed and expected errors, one-step log odds ratio, its SE, and p."""

    observed: np.ndarray
    expected: np.ndarray
    log_ratio: np.ndarray
    se: np.ndarray
    p: np.ndarray
    df: int


def levels(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Return speaker and condition levels in log odds (maximum likelihood), each side by Newton steps in turn."""
    share = wrong_words(table)
    a, b = np.zeros(table.speaker.max() + 1), np.zeros(table.condition.max() + 1)
    for _ in range(_ROUNDS):
        before = a.copy(), b.copy()
        for own, index, other, at in ((a, table.speaker, b, table.condition), (b, table.condition, a, table.speaker)):
            p = _expit(own[index] + other[at])
            slope = np.bincount(index, share - table.words * p, len(own))
            bend = np.bincount(index, table.words * p * (1 - p), len(own))
            step = np.divide(slope, bend, out=np.zeros_like(slope), where=bend > 1e-12)
            own += np.clip(step, -1, 1)
            # who is always right or always wrong has no finite level
            np.clip(own, -_FURTHEST, _FURTHEST, out=own)
        if max(np.abs(a - before[0]).max(), np.abs(b - before[1]).max()) <= _CLOSE:
            break
    return a, b


def wrong_words(table: Table) -> np.ndarray:
    """Return the errors of each row, no more than its words."""
    capped: np.ndarray = np.minimum(table.errors, table.words)
    return capped


def _expit(x: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    result: np.ndarray = expit(x)
    return result


def score_slices(table: Table, slices: np.ndarray) -> Score:
    """Return the score test of each slice, a bool matrix [shape=(rows, slices)]."""
    from scipy.special import stdtr

    a, b = levels(table)
    wrong, p_row = wrong_words(table), _expit(a[table.speaker] + b[table.condition])
    fitted, weights = table.words * p_row, table.words * p_row * (1 - p_row)
    df = max(1, len(fitted) - len(a) - len(b))
    with np.errstate(divide="ignore", invalid="ignore"):
        pearson = float(np.where(weights > 1e-9, (wrong - fitted) ** 2 / weights, 0.0).sum())
    score = (wrong - fitted) @ slices
    gain = np.empty(slices.shape[1])
    for start in range(0, slices.shape[1], 256):
        part = slices[:, start : start + 256].astype(float)
        gain[start : start + 256] = (weights[:, None] * _project(part, table, weights) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        usable = gain > 1e-6 * np.maximum(weights @ slices, 1e-12)
        log_ratio = np.where(usable, score / gain, np.nan)
        # the spread that is left when the slice has its own term: a large excess must not hide behind itself. Errors of one
        # sentence hang together, and less spread than independent words have is no evidence that they do not
        dispersion = np.maximum(1.0, (pearson - np.where(usable, score**2 / gain, 0.0)) / df)
        se = np.where(usable, np.sqrt(dispersion / gain), np.nan)
        p = 2 * stdtr(df, -np.abs(log_ratio / se))
    return Score(wrong @ slices, fitted @ slices, log_ratio, se, p, df)


def _project(columns: np.ndarray, table: Table, weights: np.ndarray) -> np.ndarray:
    """Return the columns with what speakers and conditions explain taken out, by weighted least squares in two steps."""
    dummies = (table.condition[:, None] == np.arange(1, table.condition.max() + 1)).astype(float)
    both = _demean(np.concatenate([columns, dummies], axis=1), table.speaker, weights)
    z, d = both[:, : columns.shape[1]], both[:, columns.shape[1] :]
    if d.shape[1] == 0:
        return z
    coefficients, *_ = np.linalg.lstsq((d.T * weights) @ d, (d.T * weights) @ z, rcond=None)
    projected: np.ndarray = z - d @ coefficients
    return projected


def _demean(columns: np.ndarray, group: np.ndarray, weights: np.ndarray) -> np.ndarray:
    sums = np.zeros((group.max() + 1, columns.shape[1]))
    np.add.at(sums, group, columns * weights[:, None])
    total = np.bincount(group, weights, len(sums))
    means = np.divide(sums, total[:, None], out=np.zeros_like(sums), where=total[:, None] > 0)
    centred: np.ndarray = columns - means[group]
    return centred


def expected_from_outside(table: Table, inside: np.ndarray) -> float:
    """Return the errors that a slice would have if it went by the model fitted to all other rows; NaN where those do not say."""
    outside = ~inside
    if not outside.any():
        return float("nan")
    speakers, conditions = np.unique(table.speaker[outside]), np.unique(table.condition[outside])
    if not (np.isin(table.speaker[inside], speakers).all() and np.isin(table.condition[inside], conditions).all()):
        return float("nan")
    a, b = levels(table.keep(outside))
    own = a[np.searchsorted(speakers, table.speaker[inside])] + b[np.searchsorted(conditions, table.condition[inside])]
    return float((table.words[inside] * _expit(own)).sum())
