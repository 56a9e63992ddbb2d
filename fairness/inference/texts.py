"""What the choice of texts adds to the variance of a gap, and how far groups read the same ones.

A sentence is harder for whoever reads it. Where all groups read the same sentences that cancels; where each reads its own, a gap may be the
sentences' and no number of speakers shows it (Clark 1973, J. Verbal Learning and Verbal Behavior 12; `slices.dispersion` models the same
for slices). With weight w_su on the words of speaker s and sentence u (positive in the group, negative in what it is compared with), a
variance of sentences v adds

    v * sum_u [ (sum_s w_su)^2 - sum_s w_su^2 ]

beyond what the spread between speakers holds already; where that is negative, nothing is taken off. v is estimated by moments from
sentences that several speakers of one group read, each speaker's own level taken out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomtone.fairness.inference.counts import Layout
from roomtone.fairness.inference.estimands import Estimands

#: Share of the speakers' own sum of squared weights below which the texts' is neglected: they are shared as good as evenly.
_NEGLIGIBLE = 0.05
#: Share of a group's words in texts that no other group reads, from which text and group cannot be told apart.
OWN_TEXTS = 0.5


@dataclass(frozen=True)
class TextVariance:
    """What texts add.

    Attributes:
        variance, df: of each gap, 0 where nothing is added [shape=(groups, estimands)].
        own_share: share of each group's words in texts that no other group reads; NaN where texts are not known [shape=(groups,)].
        repeated: share of each group's words in texts that several of its speakers read [shape=(groups,)].
    """

    variance: np.ndarray
    df: np.ndarray
    own_share: np.ndarray
    repeated: np.ndarray

    @property
    def confounded(self) -> np.ndarray:
        """Return which groups read texts of their own that several of their speakers share [shape=(groups,), bool]."""
        with np.errstate(invalid="ignore"):
            found: np.ndarray = (self.own_share >= OWN_TEXTS) & (self.repeated >= OWN_TEXTS)
        return found


@dataclass(frozen=True)
class _Rows:
    """One row a speaker, sentence and condition: codes and counts [each shape=(rows,)]."""

    pair: np.ndarray
    column: np.ndarray
    events: np.ndarray
    trials: np.ndarray
    base_events: np.ndarray
    base_trials: np.ndarray
    #: of each pair: its group and sentence [shape=(pairs,)], and its words
    group: np.ndarray
    speaker: np.ndarray
    sentence: np.ndarray
    words: np.ndarray


def text_variance(
    layout: Layout, estimands: Estimands, other: int, *, events: str = "errors", trials: str = "words"
) -> TextVariance:
    """Return what texts add to the variance of each gap.

    Args:
        layout: who is where, with the sentence of each row.
        estimands: what is compared.
        other: number of the group that all are compared with; negative for all others together.
        events, trials: the outcome, as in `Layout.count`.
    """
    shape = (len(layout.groups), len(estimands.items))
    unknown = np.full(shape[0], np.nan)
    nothing = TextVariance(np.zeros(shape), np.full(shape, np.inf), unknown, unknown)
    made = _rows(layout, events, trials)
    if made is None:
        return nothing
    own_share, repeated = _sharing(made, shape[0])
    weight, square = _imbalance(made, shape[0], other)
    matters = weight > _NEGLIGIBLE * square
    if not matters.any():
        return TextVariance(nothing.variance, nothing.df, own_share, repeated)
    spread, df = _sentence_variance(made, len(layout.conditions), estimands)
    added = np.where(matters[:, None], weight[:, None] * spread[None, :], 0.0)
    return TextVariance(added, np.where(added > 0, df[None, :], np.inf), own_share, repeated)


def _rows(layout: Layout, events: str, trials: str) -> _Rows | None:
    """Return the rows whose texts and single group are known, or None where no text is read by two speakers."""
    rows = layout.rows
    alone = np.array([own[0] if len(own) == 1 else -1 for own in layout.sets], dtype=np.int64)[
        layout.codes[layout.person]
    ]
    usable = rows["sentence"].notna().to_numpy(bool) & rows["speaker"].notna().to_numpy(bool) & (alone >= 0)
    if not usable.any():
        return None
    sentence = rows["sentence"][usable].factorize()[0].astype(np.int64)
    person, column = layout.person[usable], layout.column[usable]
    keys, first, pair = np.unique(person * (int(sentence.max()) + 1) + sentence, return_index=True, return_inverse=True)
    if len(keys) == sentence.max() + 1:
        return None  # every sentence has one reader: a speaker's spread holds its texts'
    event, trial = layout.values(events, trials)
    base = layout.base(event, trial) if layout.spoken is not None else None
    event, trial = event[usable], trial[usable]
    if base is None:
        clean = column == 0
        own = tuple(np.bincount(pair[clean], values[clean], len(keys))[pair] for values in (event, trial))
    else:
        own = tuple(values[usable] for values in base)
    words = np.bincount(pair, trial, len(keys)) / np.maximum(1, np.bincount(pair, minlength=len(keys)))
    return _Rows(
        pair, column, event, trial, own[0], own[1], alone[usable][first], person[first], sentence[first], words
    )


def _sharing(made: _Rows, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of each group's words in texts of its own, and in texts that several of its speakers read."""
    cells, at, readers = np.unique(made.sentence * groups + made.group, return_inverse=True, return_counts=True)
    groups_of = np.bincount(cells // groups, minlength=int(made.sentence.max()) + 1)
    total = np.bincount(made.group, made.words, groups)
    own = np.bincount(made.group, made.words * (groups_of[made.sentence] == 1), groups)
    repeated = np.bincount(made.group, made.words * (readers[at] > 1), groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        return own / total, repeated / total


def _imbalance(made: _Rows, groups: int, other: int) -> tuple[np.ndarray, np.ndarray]:
    """Return, of each group's gap, the cross-speaker sum of squared weights on sentences, and the speakers' own [both shape=(groups,)]."""
    sentences = int(made.sentence.max()) + 1
    total = np.bincount(made.group, made.words, groups)
    by_sentence = np.bincount(made.sentence * groups + made.group, made.words, sentences * groups).reshape(
        sentences, groups
    )
    squares = np.bincount(made.group, made.words**2, groups)
    rest_total = np.full(groups, total[other]) if other >= 0 else total.sum() - total
    rest = (
        np.repeat(by_sentence[:, [other]], groups, axis=1)
        if other >= 0
        else by_sentence.sum(axis=1, keepdims=True) - by_sentence
    )
    rest_squares = np.full(groups, squares[other]) if other >= 0 else squares.sum() - squares
    with np.errstate(invalid="ignore", divide="ignore"):
        net = by_sentence / total - rest / rest_total
        own = squares / total**2 + rest_squares / rest_total**2
        return np.nan_to_num((net**2).sum(axis=0) - own), np.nan_to_num(own)


def _sentence_variance(made: _Rows, conditions: int, estimands: Estimands) -> tuple[np.ndarray, np.ndarray]:
    """Return the variance of sentences on the scale of each estimand, and its degrees of freedom [both shape=(estimands,)]."""
    pairs = len(made.words)
    cell = made.pair * conditions + made.column
    tables = [
        np.bincount(cell, values, pairs * conditions).reshape(pairs, conditions)
        for values in (made.events, made.trials, made.base_events, made.base_trials)
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        rate, base = tables[0] / tables[1], tables[2] / tables[3]
    by_column = np.concatenate([rate, rate - base], axis=1)
    spread, df = np.zeros(len(estimands.items)), np.full(len(estimands.items), np.inf)
    for k, item in enumerate(estimands.items):
        values = by_column[:, list(item.columns)]
        known = np.isfinite(values)
        count = known.sum(axis=1)
        mean = np.where(known, values, 0.0).sum(axis=1) / np.maximum(1, count)
        spread[k], df[k] = _moments(made, mean, count > 0)
    return spread, df


def _moments(made: _Rows, value: np.ndarray, known: np.ndarray) -> tuple[float, float]:
    """Return the variance of sentences from products of different speakers of one group on one sentence, and its degrees of freedom."""
    words, value = made.words[known], value[known]
    group, speaker, sentence = made.group[known], made.speaker[known], made.sentence[known]
    # each speaker's own level is taken out; what it takes out of the sentences' spread is put back by `left`
    total = np.bincount(speaker, words)
    level = np.bincount(speaker, words * value)[speaker] / total[speaker]
    left = 1 - words / total[speaker]
    score = words * (value - level)
    at = np.unique(sentence * (int(made.group.max()) + 1) + group, return_inverse=True)[1]
    cross = np.bincount(at, score) ** 2 - np.bincount(at, score**2)
    expected = np.bincount(at, words * left) * np.bincount(at, words) - np.bincount(at, words**2 * left)
    if not expected.sum() > 0:
        return 0.0, np.inf
    share = expected / expected.sum()
    return max(0.0, float(cross.sum() / expected.sum())), max(1.0, float(1 / (share**2).sum()) - 1)
