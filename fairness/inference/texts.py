"""What the choice of texts adds to the variance of a gap, and how far groups read the same ones.

A sentence is harder for whoever reads it. Where all groups read the same sentences that cancels; where each reads its own, a gap may be the
sentences' and no number of speakers shows it (Clark 1973, J. Verbal Learning and Verbal Behavior 12; `slices.dispersion` models the same
for slices). With weight w_su on the words of speaker s and sentence u (positive in the group, negative in what it is compared with), a
variance of sentences v adds

    v * sum_u [ (sum_s w_su)^2 - sum_s w_su^2 ]

beyond what the spread between speakers holds already; where that is negative, nothing is taken off. v is estimated by moments from
sentences that several speakers of one group read, each speaker's own level taken out.

That v is common to all groups, as it is where they do not differ. A group that loses more words loses more of them to hard sentences, too: where it
does, v is in proportion to the square of its rate, with w_su times that rate in the sum above. Then sentences that all read do not cancel either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

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
        in_proportion: the same, each group's sentences differing in proportion to its rate [shape=(groups, estimands)].
        own_share: share of each group's words in texts that no other group reads; NaN where texts are not known [shape=(groups,)].
        repeated: share of each group's words in texts that several of its speakers read [shape=(groups,)].
    """

    variance: np.ndarray
    df: np.ndarray
    in_proportion: np.ndarray
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
    nothing = TextVariance(np.zeros(shape), np.full(shape, np.inf), np.zeros(shape), unknown, unknown)
    made = _rows(layout, events, trials)
    if made is None:
        return nothing
    own_share, repeated = _sharing(made, shape[0])
    shares = _Shares.of(made, shape[0])
    weight, square = shares.imbalance(np.ones((shape[0], 1)), other)
    matters = weight > _NEGLIGIBLE * square
    rates = _rates(made, len(layout.conditions), shape[0], estimands)
    by_rate, own_by_rate = shares.imbalance(rates, other)
    if not matters.any() and not (by_rate > _NEGLIGIBLE * own_by_rate).any():
        return replace(nothing, own_share=own_share, repeated=repeated)
    spread, df, relative = _sentence_variance(made, len(layout.conditions), estimands, rates)
    added = np.where(matters, weight * spread, 0.0)
    in_proportion = np.maximum(0.0, by_rate * relative)
    return TextVariance(added, np.where(added > 0, df, np.inf), in_proportion, own_share, repeated)


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


@dataclass(frozen=True)
class _Shares:
    """How groups share texts: products of two groups' shares of words on one sentence, summed [shape=(groups, groups)]; the part of one and the same
    speaker; and each group's words [both shape=(groups,)]."""

    products: np.ndarray
    same_speaker: np.ndarray
    words: np.ndarray

    @classmethod
    def of(cls, made: _Rows, groups: int) -> _Shares:
        """Return how groups share texts."""
        sentences = int(made.sentence.max()) + 1
        words = np.bincount(made.group, made.words, groups)
        with np.errstate(invalid="ignore", divide="ignore"):  # a group may have no words at all
            share = made.words / words[made.group]
        each = np.bincount(made.sentence * groups + made.group, share, sentences * groups).reshape(sentences, groups)
        return cls(each.T @ each, np.bincount(made.group, share**2, groups), words)

    def imbalance(self, by: np.ndarray, other: int) -> tuple[np.ndarray, np.ndarray]:
        """Return, of each group's gap, the cross-speaker sum of squared weights on sentences, and the speakers' own [both shape=(groups, K)].

        Args:
            by: what each group's weights are multiplied by [shape=(groups, K)].
            other: number of the group that all are compared with; negative for all others together.
        """
        groups = len(self.words)
        with np.errstate(invalid="ignore", divide="ignore"):
            rest = np.eye(groups)[[other] * groups] if other >= 0 else self.words * (1 - np.eye(groups))
            weights = np.eye(groups) - rest / rest.sum(axis=1, keepdims=True)
        signed = weights[:, :, None] * by[None, :, :]
        own = np.einsum("abk,b->ak", signed**2, self.same_speaker)
        every = np.einsum("abk,bc,ack->ak", signed, self.products, signed, optimize=True)
        return np.nan_to_num(every - own), np.nan_to_num(own)


def _rates(made: _Rows, conditions: int, groups: int, estimands: Estimands) -> np.ndarray:
    """Return the mean rate of each group over the conditions of each estimand, 0 where it has none [shape=(groups, estimands)]."""
    at = made.group[made.pair] * conditions + made.column
    events, trials = (
        np.bincount(at, v, groups * conditions).reshape(groups, conditions) for v in (made.events, made.trials)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(estimands.means(np.maximum(events, 0.5) / trials), posinf=0.0)


def _sentence_variance(
    made: _Rows, conditions: int, estimands: Estimands, rates: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the variance of sentences on the scale of each estimand, its degrees of freedom, and the variance relative to the square of a group's
    rate [all shape=(estimands,)]."""
    pairs = len(made.words)
    cell = made.pair * conditions + made.column
    tables = [
        np.bincount(cell, values, pairs * conditions).reshape(pairs, conditions)
        for values in (made.events, made.trials, made.base_events, made.base_trials)
    ]
    with np.errstate(invalid="ignore", divide="ignore"):
        rate, base = tables[0] / tables[1], tables[2] / tables[3]
        by_column = np.concatenate([rate, rate - base], axis=1)
    spread, df, relative = (np.full(len(estimands.items), value) for value in (0.0, np.inf, 0.0))
    for k, item in enumerate(estimands.items):
        values = by_column[:, list(item.columns)]
        known = np.isfinite(values)
        count = known.sum(axis=1)
        mean = np.where(known, values, 0.0).sum(axis=1) / np.maximum(1, count)
        spread[k], df[k], relative[k] = _moments(made, mean, count > 0, rates[:, k])
    return spread, df, relative


def _moments(made: _Rows, value: np.ndarray, known: np.ndarray, rates: np.ndarray) -> tuple[float, float, float]:
    """Return the variance of sentences from products of different speakers of one group on one sentence, its degrees of freedom, and the variance
    relative to the square of the group's rate."""
    words, value = made.words[known], value[known]
    group, speaker, sentence = made.group[known], made.speaker[known], made.sentence[known]
    # each speaker's own level is taken out; what it takes out of the sentences' spread is put back by `left`
    total = np.bincount(speaker, words)
    level = np.bincount(speaker, words * value)[speaker] / total[speaker]
    left = 1 - words / total[speaker]
    score = words * (value - level)
    cells, at = np.unique(sentence * (int(made.group.max()) + 1) + group, return_inverse=True)
    cross = np.bincount(at, score) ** 2 - np.bincount(at, score**2)
    expected = np.bincount(at, words * left) * np.bincount(at, words) - np.bincount(at, words**2 * left)
    if not expected.sum() > 0:
        return 0.0, np.inf, 0.0
    share = expected / expected.sum()
    squares = rates[cells % (int(made.group.max()) + 1)] ** 2
    spread = max(0.0, float(cross.sum()))
    return (
        spread / float(expected.sum()),
        max(1.0, float(1 / (share**2).sum()) - 1),
        spread / float((expected * squares).sum()),
    )
