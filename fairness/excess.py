"""Errors beyond what each speaker's own level and each condition's own level explain: a score test for a slice.

    log E[errors] = log words + speaker + condition          (quasi-Poisson)

A slice such as "this accent in this condition" has excess where its errors pass that model's. Speaker terms take up everything
that is so in clean as well, which makes this the many-slice form of a difference from the baseline; condition terms take up what hurts
everybody. The dispersion is pooled over all speakers, without which four speakers could never pass a correction over hundreds
of slices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_ROUNDS = 500
_CLOSE = 1e-9


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
    """The score test of each slice [shape=(slices,)]: observed and expected errors, one-step log ratio, its SE, t and p."""

    observed: np.ndarray
    expected: np.ndarray
    log_ratio: np.ndarray
    se: np.ndarray
    p: np.ndarray
    df: int


def rates(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Return speaker and condition factors whose product with the words has the observed sums of both (Poisson's ML fit)."""
    speakers, conditions = table.speaker.max() + 1, table.condition.max() + 1
    by_speaker = np.bincount(table.speaker, table.errors, speakers)
    by_condition = np.bincount(table.condition, table.errors, conditions)
    a, b = np.ones(speakers), np.ones(conditions)
    for _ in range(_ROUNDS):
        before = a
        exposure = np.bincount(table.speaker, table.words * b[table.condition], speakers)
        a = np.divide(by_speaker, exposure, out=np.zeros(speakers), where=exposure > 0)
        exposure = np.bincount(table.condition, table.words * a[table.speaker], conditions)
        b = np.divide(by_condition, exposure, out=np.zeros(conditions), where=exposure > 0)
        if np.abs(a - before).max() <= _CLOSE * max(1e-12, np.abs(a).max()):
            break
    return a, b


def score_slices(table: Table, slices: np.ndarray) -> Score:
    """Return the score test of each slice, a bool matrix [shape=(rows, slices)]."""
    from scipy.special import stdtr

    a, b = rates(table)
    fitted = table.words * a[table.speaker] * b[table.condition]
    residual = table.errors - fitted
    df = max(1, len(fitted) - len(a) - len(b) + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        pearson = np.where(fitted > 0, residual**2 / fitted, 0.0).sum()
    # errors of one sentence hang together; fewer than Poisson's spread is no evidence that they do not
    dispersion = max(1.0, float(pearson) / df)
    observed, expected = table.errors @ slices, fitted @ slices
    gain = np.empty(slices.shape[1])
    for start in range(0, slices.shape[1], 256):
        part = slices[:, start : start + 256].astype(float)
        gain[start : start + 256] = (fitted[:, None] * _project(part, table, fitted) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        usable = gain > 1e-6 * np.maximum(expected, 1e-12)
        log_ratio = np.where(usable, (observed - expected) / gain, np.nan)
        se = np.where(usable, np.sqrt(dispersion / gain), np.nan)
        p = 2 * stdtr(df, -np.abs(log_ratio / se))
    return Score(observed, expected, log_ratio, se, p, df)


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
    rest = table.keep(outside)
    a, b = rates(rest)
    speakers, conditions = np.unique(table.speaker[outside]), np.unique(table.condition[outside])
    if not (np.isin(table.speaker[inside], speakers).all() and np.isin(table.condition[inside], conditions).all()):
        return float("nan")
    own = a[np.searchsorted(speakers, table.speaker[inside])] * b[np.searchsorted(conditions, table.condition[inside])]
    return float((table.words[inside] * own).sum())
