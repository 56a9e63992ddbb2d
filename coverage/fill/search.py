"""The plan of `fill.py` while it grows: goals and what they still miss, and the next best render."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from roomtone.core.vocabulary import NONE
from roomtone.coverage.counting.goals import UNITS
from roomtone.coverage.fill.speech import CLEAN, Caps, Held, Speech, tie

#: The values that a cell or margin fixes, as ((axis, value), …).
Key = tuple[tuple[str, str], ...]


@dataclass
class Target:
    """One goal: the values it fixes, the amounts it asks for, and what it holds so far. Margins are of phase 1."""

    where: Key
    goal: dict[str, float]
    counts: dict[str, float]
    phase: int
    tie: int
    weight: float = 1.0
    utterances: set[str] = field(default_factory=set)
    uses: dict[str | None, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def name(self) -> str:
        """Return the goal's place in words."""
        return ", ".join(f"{axis} {value}" for axis, value in self.where)

    def missing(self) -> dict[str, float]:
        """Return what is missing in each unit."""
        return {unit: self.goal[unit] - self.counts[unit] for unit in UNITS if self.goal[unit] > self.counts[unit]}

    def order(self) -> tuple[Any, ...]:
        """Return the key by which the goal furthest behind comes first, of equals the heaviest."""
        share = min((self.counts[u] / self.goal[u] for u in UNITS if self.goal[u] > 0), default=1.0)
        return self.phase, share, -self.weight, self.tie

    def gains(self, utterance: str, speaker: str | None, missing: Iterable[str]) -> bool:
        """Return whether one more render of this utterance brings the goal nearer."""
        for unit in missing:
            if unit == "utterances" and utterance in self.utterances:
                continue
            if unit == "speakers" and (speaker is None or self.uses[speaker]):
                continue
            return True
        return False

    def note(self, utterance: str, speaker: str | None) -> tuple[bool, bool]:
        """Remember who was heard; return whether the utterance and the speaker are new here."""
        new = utterance not in self.utterances, speaker is not None and not self.uses[speaker]
        self.utterances.add(utterance)
        self.uses[speaker] += 1
        return new

    def count(self, utterance: str, speaker: str | None, minutes: float, words: float) -> None:
        """Count one more render."""
        new_utterance, new_speaker = self.note(utterance, speaker)
        more = {
            "renders": 1,
            "assets": 1,
            "minutes": minutes,
            "words": words,
            "utterances": new_utterance,
            "speakers": new_speaker,
        }
        for unit, amount in more.items():
            self.counts[unit] += amount


@dataclass
class Work:
    """A plan while it grows. Utterances are numbers in `speech`, `planned` holds (utterance, condition, replicate, why)."""

    speech: Speech
    conditions: list[str]
    labels: dict[str, dict[str, str]]
    caps: Caps
    seed: int
    planned: list[tuple[int, str, int, str]] = field(default_factory=list)
    infeasible: list[dict[str, Any]] = field(default_factory=list)

    def start(
        self, held: Sequence[Held], axes: Sequence[str], targets: list[Target], kept_out: Mapping[Key, str]
    ) -> None:
        """Take in what exists, what is wanted and what must not be."""
        self.axes, self.targets, self.kept_out = tuple(axes), targets, dict(kept_out)
        self.by_key = {target.where: target for target in targets}
        self.shapes = list(dict.fromkeys(tuple(axis for axis, _ in target.where) for target in targets))
        self.replicates: dict[tuple[str, str], set[int]] = defaultdict(set)
        self.of_speaker: dict[str | None, int] = defaultdict(int)
        self.of_condition: dict[str, int] = defaultdict(int)
        self._ties: dict[str, int] = {}
        self._matching: dict[Key, list[int]] = {}
        self._pools: dict[tuple[Key, str], dict[str | None, list[int]]] = {}
        for row in held:
            self.replicates[row.utterance, row.condition].add(row.replicate)
            self.of_speaker[row.speaker] += 1
            self.of_condition[row.condition] += 1
            for target in self._touched(row.values):
                target.note(row.utterance, row.speaker)
        self._paired: dict[str | None, list[int]] = defaultdict(list)
        for u, identity in enumerate(self.speech.ids):
            if (identity, CLEAN) in self.replicates:
                self._paired[self.speech.speakers[u]].append(u)

    def run(self) -> None:
        """Plan renders until every goal is met or out of reach."""
        heap = [(target.order(), i) for i, target in enumerate(self.targets)]
        heapq.heapify(heap)
        while heap:
            order, i = heapq.heappop(heap)
            target = self.targets[i]
            if not target.missing():
                continue
            if order != target.order():  # another goal's render counted here too
                heapq.heappush(heap, (target.order(), i))
            elif choice := self._choose(target):
                self._add(*choice, why=target.name)
                heapq.heappush(heap, (target.order(), i))
            else:
                self._give_up(target)

    def _tie(self, name: str) -> int:
        if name not in self._ties:
            self._ties[name] = tie(self.seed, name)
        return self._ties[name]

    def _values(self, utterance: int, condition: str) -> dict[str, frozenset[str]]:
        """Return what a render would have on every axis."""
        labels = {axis: frozenset([level]) for axis, level in self.labels[condition].items()}
        return {**labels, **self.speech.keys[utterance], "condition": frozenset([condition])}

    def _keys(self, values: Mapping[str, frozenset[str]], shape: Sequence[str]) -> list[Key]:
        keys: list[Key] = [()]
        for axis in shape:
            keys = [(*key, (axis, value)) for key in keys for value in values.get(axis, frozenset([NONE]))]
        return keys

    def _touched(self, values: Mapping[str, frozenset[str]]) -> list[Target]:
        keys = [key for shape in self.shapes for key in self._keys(values, shape)]
        return [self.by_key[key] for key in keys if key in self.by_key]

    def _choose(self, target: Target) -> tuple[int, str] | None:
        """Return the next render that the goal gains by, first without copies, then with.

        A speaker whom the goal lacks goes first, where it asks for speakers; then an utterance that is there in clean
        goes before one that needs a clean pair.
        """
        missing = list(target.missing())
        conditions = sorted(self._conditions(target), key=lambda name: (self.of_condition[name], self._tie(name)))
        for copies in (False, True) if self.caps.replicates > 1 else (False,):
            for condition in conditions:
                pool = self._pool(target, condition)
                order = sorted(pool, key=lambda s: (target.uses[s], self.of_speaker[s], self._tie(str(s))))
                unheard = [s for s in order if s is not None and not target.uses[s]] if "speakers" in missing else []
                for speakers in (unheard, order):
                    for paired in (True, False):
                        for speaker in speakers:
                            own = self._paired_of(target, speaker) if paired else pool[speaker]
                            found = self._utterance(target, condition, own, missing, copies=copies)
                            if found is not None:
                                return found, condition
        return None

    def _paired_of(self, target: Target, speaker: str | None) -> list[int]:
        """Return a speaker's utterances that fit a goal and are there in clean."""
        speech = self._speech_part(target)
        own = self._paired[speaker]
        return [u for u in own if all(value in self.speech.keys[u][axis] for axis, value in speech)]

    def _conditions(self, target: Target) -> list[str]:
        """Return the conditions of the plan that lie in a goal's cell or margin."""
        where = dict(target.where)
        named = [name for name in self.conditions if where.get("condition", name) == name]
        return [
            name for name in named if all(self.labels[name].get(axis, value) == value for axis, value in target.where)
        ]

    def _speech_part(self, target: Target) -> Key:
        known = self.speech.keys[0] if self.speech.keys else {}
        return tuple((axis, value) for axis, value in target.where if axis in known)

    def _fitting(self, speech: Key) -> list[int]:
        """Return the utterances that have these values."""
        if speech not in self._matching:
            keys = enumerate(self.speech.keys)
            self._matching[speech] = [u for u, own in keys if all(value in own[axis] for axis, value in speech)]
        return self._matching[speech]

    def _pool(self, target: Target, condition: str) -> dict[str | None, list[int]]:
        """Return the utterances that fit a goal, by speaker; those that can never be rendered again drop out for good."""
        speech = self._speech_part(target)
        if (speech, condition) not in self._pools:
            pool: dict[str | None, list[int]] = defaultdict(list)
            for u in self._fitting(speech):
                pool[self.speech.speakers[u]].append(u)
            self._pools[speech, condition] = dict(pool)
        return self._pools[speech, condition]

    def _utterance(
        self, target: Target, condition: str, utterances: list[int], missing: Sequence[str], *, copies: bool
    ) -> int | None:
        """Return the next of a speaker's utterances that the goal gains by; spent ones leave the list for good."""
        spent: set[int] = set()
        found = None
        for u in utterances:
            identity = self.speech.ids[u]
            held = len(self.replicates[identity, condition])
            if held >= self.caps.renders_of(condition):
                spent.add(u)
            elif held and not copies:
                continue
            elif target.gains(identity, self.speech.speakers[u], missing) and self._allowed(u, condition):
                found = u
                break
        if spent:
            utterances[:] = [u for u in utterances if u not in spent]
        return found

    def _allowed(self, utterance: int, condition: str) -> bool:
        """Return whether caps and illegal or ignored cells let a render be, its clean pair included."""
        speaker = self.speech.speakers[utterance]
        needed = 1 + self._needs_pair(utterance, condition)
        if (
            self.caps.per_speaker is not None
            and speaker is not None
            and self.of_speaker[speaker] + needed > self.caps.per_speaker
        ):
            return False
        if self.of_condition[condition] >= self.caps.renders_in(condition):
            return False
        keys = self._keys(self._values(utterance, condition), self.axes) if self.kept_out else []
        return not any(key in self.kept_out for key in keys)

    def _needs_pair(self, utterance: int, condition: str) -> bool:
        if condition == CLEAN or CLEAN not in self.conditions or self.replicates[self.speech.ids[utterance], CLEAN]:
            return False
        keys = self._keys(self._values(utterance, CLEAN), self.axes) if self.kept_out else []
        return not any(self.kept_out.get(key) == "illegal" for key in keys)

    def _add(self, utterance: int, condition: str, *, why: str) -> None:
        """Plan one render, its clean pair first, and count both wherever they count."""
        if self._needs_pair(utterance, condition):
            self._add(utterance, CLEAN, why="clean pair")
        speaker, identity = self.speech.speakers[utterance], self.speech.ids[utterance]
        taken = self.replicates[identity, condition]
        replicate = next(n for n in range(len(taken) + 1) if n not in taken)
        taken.add(replicate)
        if condition == CLEAN and not replicate:
            self._paired[speaker].append(utterance)
        self.planned.append((utterance, condition, replicate, why))
        self.of_speaker[speaker] += 1
        self.of_condition[condition] += 1
        for target in self._touched(self._values(utterance, condition)):
            target.count(identity, speaker, self.speech.minutes[utterance], self.speech.words[utterance])

    def _give_up(self, target: Target) -> None:
        """Write down why each missing unit stays missing."""
        conditions = self._conditions(target)
        fitting = self._fitting(self._speech_part(target))
        speakers = {self.speech.speakers[u] for u in fitting} - {None}
        for unit, missing in target.missing().items():
            if not conditions:
                reason = "this plan has no such condition"
            elif not fitting:
                reason = "no clean speech of it: record"
            elif unit == "speakers" and len(speakers) < target.goal[unit]:
                reason = f"only {len(speakers)} speakers at hand: record"
            elif unit == "utterances" and len(fitting) < target.goal[unit]:
                reason = f"only {len(fitting)} utterances at hand: record"
            elif any(
                not self._allowed(u, c) and len(self.replicates[self.speech.ids[u], c]) < self.caps.renders_of(c)
                for u in fitting
                for c in conditions
            ):
                reason = "a cap, or an illegal or ignored cell of the same speech"
            else:
                reason = (
                    f"all {len(fitting)} utterances are rendered as often as max_replicates allows: record, or raise it"
                )
            self.infeasible.append({"goal": target.name, "unit": unit, "missing": missing, "reason": reason})
