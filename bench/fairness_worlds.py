"""Simulated evaluations whose truth is known: worlds in which groups do not differ, and worlds in which a gap is planted.

The generators know nothing of the estimators: they draw a chance of losing each word from speakers, sentences, conditions and utterances, on a scale that
the estimators do not use (a log-normal factor, or log odds), and count words. Every world is a frozen set of choices; `simulate` draws one study.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

TOP = 0.97


@dataclass(frozen=True)
class Planted:
    """What one group loses more: its number, points as a share, and where: None everywhere, a condition, or a level of `room`."""

    group: int
    points: float
    condition: int | None = None
    room: str | None = None


@dataclass(frozen=True)
class World:
    """Choices of one world; sds are of log factors (`scale="factor"`) or of log odds (`scale="odds"`).

    Attributes:
        sizes: speakers of each group.
        conditions: their number, clean included; WER goes from 6 % in clean and 8 % up to `hardest`.
        speaker_sd, condition_sd, utterance_sd: between speakers, speaker by condition, and utterances.
        group_sds: factor on `speaker_sd` for each group.
        utterances, words: of a speaker in a condition, and of an utterance.
        texts: `shared` (all groups read the same sentences), `own` (each group its own), or null (every utterance is unique).
        sentence_sd, sentence_condition_sd: of sentences, and of sentences by condition.
        flawless: share of speakers without any error.
        failing: share of speakers, in the groups `failing_in`, that lose nearly all.
        tail: of speakers: normal, t3, gamma or pareto.
        talkative: whether a few speakers have most of the words.
        missing: share of cells that a group lacks, and half of it of speakers' cells; `missing_clean` lets it hit clean too.
        loops: share of utterances that end in a repetition loop.
        planted: a gap, or None.
    """

    sizes: Sequence[int] = (20,) * 4
    conditions: int = 6
    hardest: float = 0.22
    scale: str = "factor"
    speaker_sd: float = 0.35
    condition_sd: float = 0.25
    utterance_sd: float = 0.3
    group_sds: Sequence[float] = ()
    utterances: int = 8
    words: int = 12
    texts: str | None = None
    sentence_sd: float = 0.5
    sentence_condition_sd: float = 0.3
    flawless: float = 0.0
    failing: float = 0.0
    failing_in: Sequence[int] = field(default=())
    tail: str = "normal"
    talkative: bool = False
    missing: float = 0.0
    missing_clean: bool = False
    loops: float = 0.0
    planted: Planted | None = None

    @property
    def rates(self) -> np.ndarray:
        """Return the WER of every group in every condition before chance [shape=(groups, conditions)]."""
        own = np.concatenate([[0.06], np.linspace(0.08, self.hardest, self.conditions - 1)])
        found = np.tile(own, (len(self.sizes), 1))
        if self.planted is not None:
            found[self.planted.group, self.planted_in] += self.planted.points
        return found

    @property
    def rooms(self) -> list[str]:
        """Return the room of each condition: none in clean, then two rooms in turn; noises come in pairs."""
        return ["none", *(f"room{c % 2}" for c in range(1, self.conditions))]

    @property
    def planted_in(self) -> list[int]:
        """Return the conditions in which the gap is planted."""
        p = self.planted
        if p is None:
            return []
        if p.condition is not None:
            return [p.condition]
        return [c for c in range(self.conditions) if p.room is None or self.rooms[c] == p.room]


def simulate(world: World, seed: int) -> pd.DataFrame:
    """Return one study: a row an utterance and condition, with the columns of scores and labels."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(world.sizes)), world.sizes)
    speakers, conditions = len(group), world.conditions
    count = _utterances(rng, world, speakers)
    speaker = np.repeat(np.arange(speakers), count)
    sentence = _sentences(world, group, speaker, count)
    effect = _speakers(rng, world, group)[speaker][:, None] + rng.normal(0, world.utterance_sd, len(speaker))[:, None]
    effect = effect + rng.normal(0, world.condition_sd, (speakers, conditions))[speaker]
    if sentence is not None:
        kinds = int(sentence.max()) + 1
        effect = effect + rng.normal(0, world.sentence_sd, kinds)[sentence][:, None]
        effect = effect + rng.normal(0, world.sentence_condition_sd, (kinds, conditions))[sentence]
    chance = _chance(world, world.rates[group[speaker]], effect, group[speaker])
    flawless, failing = (rng.random(speakers) < share for share in (world.flawless, world.failing))
    if world.flawless:
        chance = np.clip(chance / (1 - world.flawless), 0, TOP) * ~flawless[speaker][:, None]
    failing &= np.isin(group, world.failing_in)
    chance = np.where(failing[speaker][:, None], TOP, chance)
    return _frame(rng, world, group, speaker, sentence, chance)


def _utterances(rng: np.random.Generator, world: World, speakers: int) -> np.ndarray:
    if not world.talkative:
        return np.full(speakers, world.utterances)
    return np.clip(np.ceil(2 * (1 + rng.pareto(1.0, speakers))), 2, 200).astype(int)


def _sentences(world: World, group: np.ndarray, speaker: np.ndarray, count: np.ndarray) -> np.ndarray | None:
    if world.texts is None:
        return None
    number = np.concatenate([np.arange(n) for n in count])
    return number if world.texts == "shared" else group[speaker] * int(count.max()) + number


def _speakers(rng: np.random.Generator, world: World, group: np.ndarray) -> np.ndarray:
    """Return each speaker's effect: its log factor, or log odds."""
    sd = world.speaker_sd * (np.asarray(world.group_sds)[group] if world.group_sds else 1.0)
    if world.tail == "normal":
        return rng.normal(0, 1, len(group)) * sd
    if world.tail == "t3":
        return rng.standard_t(3, len(group)) / np.sqrt(3) * sd
    shape = {"gamma": lambda n: rng.gamma(1.0, 1.0, n), "pareto": lambda n: 1.5 * rng.pareto(2.5, n)}[world.tail]
    return np.log(np.maximum(shape(len(group)), 1e-6))


def _chance(world: World, rate: np.ndarray, effect: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the chance of losing a word; its mean over all that is random is the rate, as far as TOP allows."""
    if world.scale == "odds":
        return 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + effect)))
    sds = world.speaker_sd * (np.asarray(world.group_sds)[group] if world.group_sds else np.ones(len(group)))
    known = world.tail == "normal"
    variance = sds**2 * known + world.condition_sd**2 + world.utterance_sd**2
    if world.texts is not None:
        variance = variance + world.sentence_sd**2 + world.sentence_condition_sd**2
    return np.clip(rate * np.exp(effect - variance[:, None] / 2), 0, TOP)


def _frame(
    rng: np.random.Generator,
    world: World,
    group: np.ndarray,
    speaker: np.ndarray,
    sentence: np.ndarray | None,
    chance: np.ndarray,
) -> pd.DataFrame:
    lost = rng.binomial(world.words, chance)
    words = np.full(len(speaker), world.words)
    if (
        sentence is None and not world.loops
    ):  # all of a speaker's utterances are in every condition: their sums say the same
        people = len(group)
        lost = np.stack([np.bincount(speaker, column, people) for column in lost.T], axis=1).astype(int)
        words, speaker = np.bincount(speaker, minlength=people) * world.words, np.arange(people)
    rows, conditions = lost.shape
    insertions = np.where(rng.random(lost.shape) < world.loops, rng.integers(50, 220, lost.shape), 0)
    names = np.array(["clean", *(f"c{c}" for c in range(1, conditions))])
    at = np.tile(np.arange(conditions), rows)
    who = np.repeat(speaker, conditions)
    frame = pd.DataFrame({
        "utterance_id": np.repeat(np.arange(rows), conditions), "speaker": np.char.add("s", who.astype(str)),
        "accent": np.char.add("a", group[who].astype(str)), "condition": names[at], "substitutions": lost.ravel(), "deletions": 0,
        "insertions": insertions.ravel(), "words": np.repeat(words, conditions), "room": np.array(world.rooms)[at],
        "noise": np.array(["none", *(f"noise{(c - 1) // 2}" for c in range(1, conditions))])[at],
    })  # fmt: skip
    if sentence is not None:
        frame["text"] = np.char.add("t", np.repeat(sentence, conditions).astype(str))
    return frame if not world.missing else frame[_kept(rng, world, group, who, at)].reset_index(drop=True)


def _kept(rng: np.random.Generator, world: World, group: np.ndarray, who: np.ndarray, at: np.ndarray) -> np.ndarray:
    first = 0 if world.missing_clean else 1
    lacks = rng.random((len(world.sizes), world.conditions)) < world.missing
    alone = rng.random((len(group), world.conditions)) < world.missing / 2
    lacks[:, :first], alone[:, :first] = False, False
    lacks[lacks.all(axis=1)] = False
    kept: np.ndarray = ~lacks[group[who], at] & ~alone[who, at]
    return kept
