"""What a plan may not do: caps, renders that exist already, illegal and ignored combinations; and what a render needs beside it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from roomtone.coverage.fill.tally import Pool, Voices

#: Returns the recordings and realisations that a render (utterance, condition, replicate) will draw.
Draws = Callable[[int, int, int], tuple[str, ...]]


@dataclass(frozen=True)
class Rule:
    """A combination that is kept out: it holds where the utterance and the condition both match.

    Attributes:
        utterances: which match [shape=(utterances,)].
        conditions: which match [shape=(conditions,)].
        pairs: whether the clean render that another one is compared with is kept out too.
    """

    utterances: np.ndarray
    conditions: np.ndarray
    pairs: bool


@dataclass
class Limits:
    """Caps and what stands already; it changes as renders are planned.

    Attributes:
        voices: the speech at hand.
        conditions: number of conditions.
        clean: number of the clean condition, or None where it is not rendered.
        replicates: renders of one utterance in one condition at most; in clean 1.
        per_speaker: renders of one speaker at most, or None.
        per_asset: renders with one recording or realisation at most, or None.
        per_condition: distinct utterances in one condition at most, or None; the clean one aside.
        draws: what a render will draw; needed for `per_asset`. A name may stand for a pool of several assets.
        pool_sizes: how many assets a name stands for, where it is more than one.
        rules: what is kept out.
    """

    voices: Voices
    conditions: int
    clean: int | None
    replicates: int = 1
    per_speaker: int | None = None
    per_asset: int | None = None
    per_condition: int | None = None
    draws: Draws | None = None
    pool_sizes: Mapping[str, int] = field(default_factory=dict)
    rules: Sequence[Rule] = ()
    taken: dict[tuple[int, int], set[int]] = field(default_factory=lambda: defaultdict(set))
    of_asset: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self.of_speaker = np.zeros(int(self.voices.speaker.max(initial=-1)) + 1, dtype=np.int64)
        self.of_condition = np.zeros(self.conditions, dtype=np.int64)
        self.utterances_in = np.zeros(self.conditions, dtype=np.int64)
        self._kept_out = self._mask(rules=self.rules)
        self._no_pair = self._mask(rules=[rule for rule in self.rules if rule.pairs])
        self._times: dict[int, np.ndarray] = {}
        #: how often an utterance may be rendered in each condition at most, where a plan is only put in order
        self.only: dict[int, np.ndarray] | None = None
        #: whether the clean render is missing and may be planned
        self.pairless = np.zeros(len(self.voices), dtype=bool)
        if self.clean is not None:
            self.pairless = ~self._no_pair[self.clean] if len(self._no_pair) else np.ones(len(self.voices), dtype=bool)

    def _mask(self, rules: Sequence[Rule]) -> np.ndarray:
        """Return what rules keep out [shape=(conditions, utterances)], empty where there are no rules."""
        if not rules:
            return np.zeros((0, 0), dtype=bool)
        mask = np.zeros((self.conditions, len(self.voices)), dtype=bool)
        for rule in rules:
            mask |= rule.conditions[:, None] & rule.utterances[None, :]
        return mask

    def times_in(self, condition: int) -> np.ndarray:
        """Return how often each utterance is rendered in a condition [shape=(utterances,)]."""
        if condition not in self._times:
            self._times[condition] = np.zeros(len(self.voices), dtype=np.int16)
        return self._times[condition]

    def most(self, condition: int) -> int:
        """Return how often one utterance may be rendered in a condition; a second clean render is a copy."""
        return 1 if condition == self.clean else self.replicates

    def needs_pair(self, utterance: int, condition: int) -> bool:
        """Return whether a render needs the clean one beside it, without which it could not be compared.

        Args:
            utterance: number of the utterance among the speech at hand.
            condition: number of the condition.
        """
        return condition != self.clean and bool(self.pairless[utterance])

    def free(self, members: np.ndarray, condition: int, *, copies: bool) -> np.ndarray:
        """Return which utterances may be rendered in a condition now [shape=(members,)], assets aside.

        Args:
            members: numbers of utterances.
            condition: the condition.
            copies: whether those count that are there already, as often as replicates allow.
        """
        times = self.times_in(condition)[members]
        ok: np.ndarray = times < (self.most(condition) if copies else 1)
        if self.only is not None:
            ok &= self.only[condition][members] > times
        if len(self._kept_out):
            ok &= ~self._kept_out[condition, members]
        if (
            self.per_condition is not None
            and condition != self.clean
            and self.utterances_in[condition] >= self.per_condition
        ):
            ok &= times > 0
        if self.per_speaker is not None and len(self.of_speaker):
            needed = 1 + (self.pairless[members] if condition != self.clean else 0)
            speaker = self.voices.speaker[members]
            ok &= (speaker < 0) | (self.of_speaker[np.maximum(speaker, 0)] + needed <= self.per_speaker)
        return ok

    def assets_of(self, utterance: int, condition: int, number: int) -> tuple[str, ...]:
        """Return the recordings and realisations that a render will draw, as far as their use is capped.

        Args:
            utterance: number of the utterance among the speech at hand.
            condition: number of the condition.
            number: number of the replicate, from 0.
        """
        if self.per_asset is None or self.draws is None:
            return ()
        return self.draws(utterance, condition, number)

    def most_of_asset(self, asset: str) -> int:
        """Return how many renders may use a recording, or all recordings of a pool together."""
        return (self.per_asset or 0) * self.pool_sizes.get(asset, 1)

    def replicate(self, utterance: int, condition: int) -> int | None:
        """Return the number of the next render of an utterance in a condition, None where no assets are left for one.

        Args:
            utterance: number of the utterance among the speech at hand.
            condition: number of the condition.
        """
        taken = self.taken.get((utterance, condition), set())
        number = next(n for n in range(len(taken) + 1) if n not in taken)
        drawn = self.assets_of(utterance, condition, number)
        return number if all(self.of_asset[asset] < self.most_of_asset(asset) for asset in drawn) else None

    def add(self, utterance: int, condition: int, number: int) -> None:
        """Count a planned render.

        Args:
            utterance: number of the utterance among the speech at hand.
            condition: number of the condition.
            number: number of the replicate, from 0.
        """
        self._count(utterance, condition, 1)
        self.taken[utterance, condition].add(number)
        if len(self.taken[utterance, condition]) == 1:
            self.utterances_in[condition] += 1
        if condition == self.clean:
            self.pairless[utterance] = False
        self._count_assets(utterance, condition, number, 1)

    def remove(self, utterance: int, condition: int, number: int) -> None:
        """Count a planned render less.

        Args:
            utterance: number of the utterance among the speech at hand.
            condition: number of the condition.
            number: number of the replicate, from 0.
        """
        self._count(utterance, condition, -1)
        self.taken[utterance, condition].discard(number)
        if not self.taken[utterance, condition]:
            self.utterances_in[condition] -= 1
        if condition == self.clean:
            self.pairless[utterance] = True
        self._count_assets(utterance, condition, number, -1)

    def _count(self, utterance: int, condition: int, change: int) -> None:
        self.of_condition[condition] += change
        self.times_in(condition)[utterance] += change
        if self.voices.speaker[utterance] >= 0:
            self.of_speaker[self.voices.speaker[utterance]] += change

    def _count_assets(self, utterance: int, condition: int, number: int, change: int) -> None:
        for asset in self.assets_of(utterance, condition, number):
            self.of_asset[asset] += change

    def hold(self, utterance: int, condition: int, number: int) -> None:
        """Count a render that exists already; its assets are counted by whoever read them.

        Args:
            utterance: number of the utterance among the speech at hand.
            condition: number of the condition.
            number: number of the replicate, from 0.
        """
        self.taken[utterance, condition].add(number)
        self.times_in(condition)[utterance] += 1
        if self.times_in(condition)[utterance] == 1:
            self.utterances_in[condition] += 1
        if condition == self.clean:
            self.pairless[utterance] = False

    def speaker_load(self, pool: Pool) -> np.ndarray:
        """Return how many renders the speaker of each utterance of a pool has [shape=(pool,)]."""
        speaker = self.voices.speaker[pool.members]
        return (
            np.where(speaker < 0, 0, self.of_speaker[np.maximum(speaker, 0)])
            if len(self.of_speaker)
            else np.zeros(len(speaker))
        )
