"""From scored samples to the counts of each speaker in each condition, which is all that the statistics see.

A group is the speakers of one accent (or other label); a speaker whose accent is `irish|welsh` is in both, as in the coverage matrix.
Baseline counts are those of the very utterances that a condition holds, so that a design which gives each utterance only some conditions
is compared with the same words in clean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.vocabulary import ACCENT_SEPARATOR
from roomtone.fairness.inference.outcomes import sample_outcomes

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = "unknown"
#: Column of a layout's rows that counts the events which a sample has in common with its baseline; may be missing.
SHARED = "shared"


@dataclass(frozen=True)
class SpeakerCounts:
    """Counts of every speaker; those without a known speaker are left out where a group has known ones.

    Attributes:
        counts: events, trials, the same of utterances that are in the baseline too, and their baseline; where `SHARED` is counted, the events that
            those have in common with it [shape=(6 or 7, speakers, conditions)].
        codes: which set of groups each speaker is in [shape=(speakers,)].
        sets: the groups of each set, as indices into `groups`.
        groups: names, sorted.
        conditions: names, the baseline first.
        known: which groups have known speakers [shape=(groups,)].
    """

    counts: np.ndarray
    codes: np.ndarray
    sets: tuple[tuple[int, ...], ...]
    groups: tuple[str, ...]
    conditions: tuple[str, ...]
    known: np.ndarray

    @property
    def starts(self) -> np.ndarray:
        """Return where each set begins in `members` [shape=(sets + 1,)]."""
        return np.cumsum([0, *(len(own) for own in self.sets)]).astype(np.int64)

    @property
    def members(self) -> np.ndarray:
        """Return the groups of all sets, one after the other [shape=(sum of sizes,)]."""
        return np.array([group for own in self.sets for group in own], dtype=np.int64)

    def is_in(self, group: int) -> np.ndarray:
        """Return which speakers are in a group [shape=(speakers,)].

        Args:
            group: index into `groups`.
        """
        inside: np.ndarray = self._inside[group]
        return inside

    @cached_property
    def _inside(self) -> np.ndarray:
        belongs = np.array([[g in own for own in self.sets] for g in range(len(self.groups))], dtype=bool)
        return belongs.reshape(len(self.groups), len(self.sets))[:, self.codes]

    @cached_property
    def speakers(self) -> np.ndarray:
        """Return the number of known speakers of each group with trials in each condition [shape=(groups, conditions)]."""
        there = self.counts[1] > 0
        return np.array([there[self.is_in(g)].sum(axis=0) for g in range(len(self.groups))]) * self.known[:, None]

    def sums(self, kind: int) -> np.ndarray:
        """Return one kind of counts summed over each group's speakers [shape=(groups, conditions)].

        Args:
            kind: index into `counts`.
        """
        return self._sums[kind]

    @cached_property
    def _sums(self) -> np.ndarray:
        each = [[counts[self.is_in(g)].sum(axis=0) for g in range(len(self.groups))] for counts in self.counts]
        return np.array(each).reshape(len(self.counts), len(self.groups), len(self.conditions))

    def sides(self, other: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the summed counts of each group, and of what it is compared with [both shape=(6, groups, conditions)].

        Args:
            other: number of the group that all are compared with; negative for all who are not in the group.
        """
        own = self._sums
        if other >= 0:
            return own, np.repeat(own[:, [other]], len(self.groups), axis=1)
        return own, self.counts.sum(axis=1)[:, None, :] - own

    def of_known(self) -> SpeakerCounts:
        """Return the counts of known speakers alone: nobody can be permuted without knowing who is who."""
        if self.known.all():
            return self
        kept = np.array([any(self.known[group] for group in own) for own in self.sets])[self.codes]
        counts = np.ascontiguousarray(self.counts[:, kept])
        return SpeakerCounts(counts, self.codes[kept], self.sets, self.groups, self.conditions, self.known)


def prepare(
    scores: pd.DataFrame,
    *,
    group: str,
    condition: str,
    speaker: str,
    baseline: str,
    utterance: str,
    sentence: str = "text",
) -> pd.DataFrame:
    """Return the samples with the columns that the statistics use.

    Args:
        scores: counts with the label columns beside them.
        group, condition, speaker: names of the label columns.
        baseline: the condition that must be there.
        utterance: the column that pairs a sample with the same words in the baseline; may be missing.
        sentence: the column of the text, which speakers may share; may be missing.

    Returns:
        `group, condition, speaker, utterance, sentence`, `unit`, `errors` (compared), `all_errors`, `words`, `lost`,
        `invented`, `hallucinated` (share, NaN where not known) and `failed`.

    Raises:
        RoomtoneError: no table, a column is missing, nothing is scored, or no row is in the baseline.
    """
    import pandas as pd

    if not isinstance(scores, pd.DataFrame):
        got = repr(scores)
        raise RoomtoneError(
            f"compare: expected a DataFrame of scores, got {got if len(got) < 60 else f'a {type(scores).__name__}'}"
        )
    twice = scores.columns[scores.columns.duplicated()]
    if len(twice):
        raise RoomtoneError(f"compare: the scores have two columns {str(twice[0])!r}")
    for name in (group, condition, speaker, "words"):
        if name not in scores:
            raise RoomtoneError(
                f"compare: the scores have no column {name!r}; {nearest(name, map(str, scores.columns))}"
                " (put the manifest's labels beside the counts with with_labels)"
            )
    labels = {"group": scores[group], "condition": scores[condition], "speaker": scores[speaker]}
    rows = pd.DataFrame(labels).astype(object).reset_index(drop=True)
    rows["group"] = rows["group"].where(rows["group"].notna(), UNKNOWN).map(str)
    for name, column in (("utterance", utterance), ("sentence", sentence), ("unit", "unit")):
        rows[name] = scores[column].astype(object).to_numpy() if column in scores else None
    rows = rows.assign(**sample_outcomes(scores))
    rows["failed"] = rows["errors"].isna() | rows["words"].isna()
    if rows["failed"].all():
        raise RoomtoneError(f"compare: none of the {len(rows)} samples has been scored")
    if rows["condition"].isna().any():
        raise RoomtoneError(f"compare: {int(rows['condition'].isna().sum())} samples have no condition")
    rows["condition"] = rows["condition"].map(str)
    known = set(rows["condition"])
    if baseline not in known:
        raise RoomtoneError(f"baseline: no sample is in the condition {baseline!r}; {nearest(baseline, known)}")
    return rows


@dataclass(frozen=True)
class Layout:
    """Who is where: the scored samples with the index of their speaker and condition, from which any outcome is counted.

    Attributes:
        rows: scored samples of usable speakers, as `prepare` returns them.
        person, column: index of each row's speaker and condition [shape=(rows,)].
        spoken: index of each row's utterance, or None where utterances are not known [shape=(rows,)].
        share: 1 over the renders of that utterance in that condition [shape=(rows,)].
        people: number of speakers.
        codes, sets, groups, conditions, known: as in `SpeakerCounts`.
    """

    rows: pd.DataFrame
    person: np.ndarray
    column: np.ndarray
    spoken: np.ndarray | None
    share: np.ndarray
    people: int
    codes: np.ndarray
    sets: tuple[tuple[int, ...], ...]
    groups: tuple[str, ...]
    conditions: tuple[str, ...]
    known: np.ndarray

    def count(self, events: str, trials: str = "words") -> SpeakerCounts:
        """Return the counts of one outcome.

        Args:
            events: the column that is counted, e.g. `errors`, `lost`, `hallucinated`; rows where it is null are left out.
            trials: the column it is a share of; `samples` counts each sample once.
        """
        event, trial = self.values(events, trials)
        shape = (self.people, len(self.conditions))
        at = self.person * shape[1] + self.column
        found = np.zeros((6, shape[0] * shape[1]))
        found[0], found[1] = (np.bincount(at, values, found.shape[1]) for values in (event, trial))
        if self.spoken is None:  # the speaker's whole baseline is compared with each condition
            both = ((found[1].reshape(shape) > 0) & (found[1].reshape(shape)[:, :1] > 0)).ravel()
            found[2], found[3] = found[0] * both, found[1] * both
            for k in (0, 1):
                found[4 + k] = np.repeat(found[k].reshape(shape)[:, 0], shape[1]) * both
        else:
            base_event, base_trial = self.base(event, trial)
            # a reference without words is paired with its like: what was invented there counts on both sides or on neither
            paired = (base_trial > 0) | ((trial == 0) & self._in_baseline(self.spoken, events, trials))
            for k, values in enumerate((event * paired, trial * paired, base_event * paired, base_trial)):
                found[2 + k] = np.bincount(at, values, found.shape[1])
        if SHARED in self.rows:
            found = np.vstack([found, np.bincount(at, self.rows[SHARED].to_numpy(float), found.shape[1])])
        counts = found.reshape(-1, *shape)
        return SpeakerCounts(counts, self.codes, self.sets, self.groups, self.conditions, self.known)

    def values(self, events: str, trials: str) -> tuple[np.ndarray, np.ndarray]:
        """Return events and trials of each row, both 0 where the outcome is not known [both shape=(rows,)].

        Args:
            events, trials: as in `count`.
        """
        event = self.rows[events].to_numpy(float)
        trial = np.ones(len(event)) if trials == "samples" else self.rows[trials].to_numpy(float)
        known = np.isfinite(event) & np.isfinite(trial)
        return np.where(known, event, 0.0), np.where(known, trial, 0.0)

    def _in_baseline(self, spoken: np.ndarray, events: str, trials: str) -> np.ndarray:
        """Return whether each row's utterance has a known outcome in the baseline [shape=(rows,), bool]."""
        names = [events] if trials == "samples" else [events, trials]
        known = self.rows[names].notna().all(axis=1).to_numpy(bool)
        found: np.ndarray = np.isin(spoken, spoken[known & (self.column == 0)])
        return found

    def base(self, event: np.ndarray, trial: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the baseline counts of each row's utterance, shared out where a condition holds it several times [both shape=(rows,)].

        Args:
            event, trial: of `values`.
        """
        if self.spoken is None:
            raise AssertionError("utterances are not known")
        clean = self.column == 0
        size = int(self.spoken.max(initial=-1)) + 1
        event_sum, trial_sum = (np.bincount(self.spoken[clean], values[clean], size) for values in (event, trial))
        return event_sum[self.spoken] * self.share, trial_sum[self.spoken] * self.share


def lay_out(rows: pd.DataFrame, conditions: Sequence[str], *, several: bool = False) -> Layout:
    """Return who is where.

    Args:
        rows: of `prepare`.
        conditions: their names, the baseline first.
        several: whether a group's name may hold several groups joined by `|`.
    """
    part = rows[~rows["failed"].to_numpy(bool)]
    split = {name: name.split(ACCENT_SEPARATOR) if several else [name] for name in part["group"].unique()}
    groups = tuple(sorted({one for own in split.values() for one in own}))
    sets = {name: tuple(groups.index(one) for one in dict.fromkeys(own)) for name, own in split.items()}
    stated = part["speaker"].notna().to_numpy(bool)
    known = np.zeros(len(groups), dtype=bool)
    for name in part.loc[stated, "group"].unique():
        known[list(sets[name])] = True
    nobody = part["group"].map({name: not known[list(own)].any() for name, own in sets.items()}).to_numpy(bool)
    part = part[stated | nobody]
    names = (part["group"] + "\0" + part["speaker"].where(part["speaker"].notna(), UNKNOWN).map(str)).to_numpy(str)
    people, person = np.unique(names, return_inverse=True)
    distinct = sorted(set(sets.values()))
    codes = np.array([distinct.index(sets[name.split("\0")[0]]) for name in people.tolist()], dtype=np.int64)
    column = part["condition"].map({name: k for k, name in enumerate(conditions)}).to_numpy(np.int64)
    spoken, share = _utterances(part, person, column)
    return Layout(
        part, person, column, spoken, share, len(people), codes, tuple(distinct), groups, tuple(conditions), known
    )


def _utterances(part: pd.DataFrame, person: np.ndarray, column: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the index of each row's utterance and 1 over its renders in that condition; None where nothing says which is which."""
    if part["utterance"].isna().any():
        return None, np.ones(len(part))
    codes = part["utterance"].factorize()[0].astype(np.int64)
    spoken = np.unique(person * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[1]
    cells = spoken * (int(column.max(initial=0)) + 1) + column
    _, at, copies = np.unique(cells, return_inverse=True, return_counts=True)
    return spoken, 1.0 / copies[at]
