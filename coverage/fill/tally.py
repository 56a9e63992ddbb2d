"""The count of a plan while it grows or shrinks: goals, what they hold, and which of them one more render would count for.

A render is a pair of numbers (utterance, condition). A target is one goal: a cell or a margin, named by the values it fixes. Which
targets a render counts for depends on its speech (perhaps several accents) and on its labels, so for each combination of axes there is
a table [speech values, labels] of targets.

Durations are whole nanoseconds, as in `counting/cells.py`: sums are exact, however often a render comes and goes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from roomtone.coverage.counting.goals import UNITS

#: Places of the units in every array of this package.
RENDERS, UTTERANCES, SPEAKERS, ASSETS, MINUTES, WORDS = range(len(UNITS))
#: A minute in the unit of durations.
NS_PER_MINUTE = 6e10


@dataclass(frozen=True)
class Voices:
    """The speech at hand as numbers; every array has one entry an utterance.

    Attributes:
        speaker: number of the speaker, -1 where unknown.
        ns: duration in nanoseconds.
        words: words of the transcript.
        order: rank in the seeded order that breaks ties.
    """

    speaker: np.ndarray
    ns: np.ndarray
    words: np.ndarray
    order: np.ndarray

    def __len__(self) -> int:
        return len(self.speaker)


@dataclass(frozen=True)
class Table:
    """Targets over one combination of axes.

    Attributes:
        speech: for each utterance the numbers of its speech values; several where it has several accents.
        labels: for each condition the number of its labels.
        target: target of each [speech value, labels], -1 where there is none.
    """

    speech: list[tuple[int, ...]]
    labels: list[int]
    target: list[list[int]]


@dataclass
class Pool:
    """Utterances that count for some targets alike: their numbers and where each, and each speaker, stands among them."""

    members: np.ndarray
    place: dict[int, int] = field(default_factory=dict)
    of_speaker: dict[int, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, members: Sequence[int], voices: Voices) -> Pool:
        """Return the pool of these utterances.

        Args:
            members: numbers of the utterances.
            voices: speakers, lengths and words of the speech at hand.
        """
        pool = cls(np.array(members, dtype=np.int64))
        pool.place.update((u, i) for i, u in enumerate(members))
        speakers = voices.speaker[pool.members]
        for speaker in np.unique(speakers).tolist():
            pool.of_speaker[speaker] = np.flatnonzero(speakers == speaker)
        return pool


class Tally:
    """Goals and counts of every target, and who was heard where.

    Attributes:
        goal: what each target asks [shape=(targets, units)]; 0 asks nothing.
        have: what it holds [shape=(targets, units)]; durations in nanoseconds.
    """

    def __init__(
        self, voices: Voices, tables: Sequence[Table], goal: np.ndarray, have: np.ndarray, pools: Sequence[Pool]
    ) -> None:
        self.voices, self.tables, self.pools = voices, tables, pools
        self.goal = goal.copy()
        self.goal[:, MINUTES] *= NS_PER_MINUTE
        self.have = have.astype(np.float64).copy()
        targets = len(goal)
        self.utterances: list[dict[int, int]] = [defaultdict(int) for _ in range(targets)]
        self.speakers: list[dict[int, int]] = [defaultdict(int) for _ in range(targets)]
        self.new_utterance = [np.ones(len(pool.members), dtype=bool) for pool in pools]
        self.new_speaker = [voices.speaker[pool.members] >= 0 for pool in pools]
        self.speaker_uses = [np.zeros(len(pool.members), dtype=np.int64) for pool in pools]
        # plain lists and numbers: one render touches few targets, and numpy is slow at single elements
        self._ns, self._words = voices.ns.tolist(), voices.words.tolist()
        self._speaker = voices.speaker.tolist()
        self._touched: dict[tuple[int, int], tuple[int, ...]] = {}

    def touched(self, utterance: int, condition: int) -> tuple[int, ...]:
        """Return the targets that a render counts for.

        Args:
            utterance: number of the utterance among the speech at hand.
            condition: number of the condition.
        """
        key = (utterance, condition)
        if key not in self._touched:
            found = [
                table.target[value][table.labels[condition]]
                for table in self.tables
                for value in table.speech[utterance]
            ]
            self._touched[key] = tuple(t for t in found if t >= 0)
        return self._touched[key]

    def note(self, target: int, utterance: int, speaker: int, change: int = 1) -> tuple[int, int]:
        """Count who was heard; return by how much utterances and speakers grew.

        Args:
            target: number of the target.
            utterance: number of the utterance among the speech at hand.
            speaker: number of the speaker, -1 where it is not stated.
            change: 1 for a render more, -1 for one less.
        """
        heard = self.utterances[target]
        before = heard[utterance]
        heard[utterance] = before + change
        grown = int(before + change > 0) - int(before > 0)
        pool = self.pools[target]
        if grown and utterance in pool.place:
            self.new_utterance[target][pool.place[utterance]] = grown < 0
        if speaker < 0:
            return grown, 0
        uses = self.speakers[target]
        before = uses[speaker]
        uses[speaker] = before + change
        places = pool.of_speaker.get(speaker)
        if places is not None:
            self.speaker_uses[target][places] += change
        speakers_grown = int(before + change > 0) - int(before > 0)
        if speakers_grown and places is not None:
            self.new_speaker[target][places] = speakers_grown < 0
        return grown, speakers_grown

    def count(self, utterance: int, condition: int, change: int = 1) -> None:
        """Count one more render (`change` 1) or one less (-1).

        Args:
            utterance: number of the utterance among the speech at hand.
            condition: number of the condition.
            change: 1 for a render more, -1 for one less.
        """
        speaker = self._speaker[utterance]
        for target in self.touched(utterance, condition):
            utterances, speakers = self.note(target, utterance, speaker, change)
            row = self.have[target]
            row[RENDERS] += change
            row[ASSETS] += change
            row[UTTERANCES] += utterances
            row[SPEAKERS] += speakers
            row[MINUTES] += change * self._ns[utterance]
            row[WORDS] += change * self._words[utterance]

    def gain(self, utterance: int, condition: int) -> float:
        """Return how much nearer one more render brings all its targets, in shares of their goals.

        Args:
            utterance: number of the utterance among the speech at hand.
            condition: number of the condition.
        """
        speaker, total = self._speaker[utterance], 0.0
        for target in self.touched(utterance, condition):
            goal, have = self.goal[target].tolist(), self.have[target].tolist()
            more = (
                1,
                self.utterances[target].get(utterance, 0) <= 0,
                speaker >= 0 and self.speakers[target].get(speaker, 0) <= 0,
            )
            for unit, amount in enumerate((*more, 1, self._ns[utterance], self._words[utterance])):
                if goal[unit] > have[unit] and amount:
                    total += min(goal[unit] - have[unit], amount) / goal[unit]
        return total

    def gains_within(self, target: int) -> np.ndarray:
        """Return the same for one target and every utterance of its pool [shape=(pool,)]."""
        missing = self.goal[target] - self.have[target]
        members = self.pools[target].members
        total = np.zeros(len(members))
        amounts = {
            RENDERS: 1.0,
            ASSETS: 1.0,
            UTTERANCES: self.new_utterance[target],
            SPEAKERS: self.new_speaker[target],
            MINUTES: self.voices.ns[members],
            WORDS: self.voices.words[members],
        }
        for unit, amount in amounts.items():
            if missing[unit] > 0:
                total += np.minimum(missing[unit], amount) / self.goal[target, unit]
        return total

    def missing(self, target: int) -> np.ndarray:
        """Return what a target lacks in each unit, never below 0 [shape=(units,)]; durations in nanoseconds."""
        lacking: np.ndarray = np.maximum(self.goal[target] - self.have[target], 0)
        return lacking

    def share(self, target: int) -> float:
        """Return how far a target has come in the unit furthest behind, 1 where it asks nothing."""
        goal, have = self.goal[target].tolist(), self.have[target].tolist()
        shares: list[float] = [h / g for g, h in zip(goal, have) if g > 0]
        return min(shares, default=1.0)

    def step(self, target: int) -> float:
        """Return by how much one render can raise the share of a target: one part of its largest whole goal."""
        return 1.0 / max(1.0, float(self.goal[target, [RENDERS, UTTERANCES, SPEAKERS, ASSETS]].max()))

    def deficit(self, targets: Sequence[int]) -> float:
        """Return what some targets lack, in shares of their goals, added up."""
        total = 0.0
        for target in targets:
            for goal, have in zip(self.goal[target].tolist(), self.have[target].tolist()):
                if goal > have:
                    total += (goal - have) / goal
        return total
