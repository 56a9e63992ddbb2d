"""Simulated evaluations whose truth is known: worlds in which groups do not differ, and worlds in which a gap is planted.

The generators know nothing of the estimators: they draw a chance of losing each word from speakers, sentences, conditions and utterances, on a scale that
the estimators do not use (a log-normal factor, or log odds), and count words. Every world is a frozen set of choices; `simulate` draws one study.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

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
        texts: `shared` (all groups read the same sentences), `own` (each group its own), `partly` (half of them its own), or null (every
            utterance is unique).
        sentence_sd, sentence_condition_sd: of sentences, and of sentences by condition.
        flawless: share of speakers without any error.
        failing: share of speakers, in the groups `failing_in`, that lose nearly all.
        tail: of speakers: normal, t3, gamma or pareto.
        talkative: `few` speakers have most of the words, or `one`; null: all have as many.
        dealt: conditions beside clean that each utterance is in, dealt in turn; null: all.
        missing: share of cells that a group lacks, and half of it of speakers' cells; `missing_clean` lets it hit clean too.
        loops: share of utterances that end in a repetition loop; of those of `looping` speakers in every twenty alone, if any.
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
    talkative: str | None = None
    dealt: int | None = None
    missing: float = 0.0
    missing_clean: bool = False
    loops: float = 0.0
    looping: int = 0
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


#: No group differs.
NULL: dict[str, World] = {
    "4 x 20": World(),
    "3, 8, 30, 300": World(sizes=(3, 8, 30, 300)),
    "6 x 3": World(sizes=(3,) * 6),
    "12 x 6": World(sizes=(6,) * 12),
    "12 x 12 (sd .6)": World(sizes=(12,) * 12, speaker_sd=0.6),
    "30 x 12": World(sizes=(12,) * 30),
    "70 % flawless, 4 x 10": World(sizes=(10,) * 4, flawless=0.7),
    "missing cells": World(missing=0.3),
    "also missing clean": World(missing=0.3, missing_clean=True),
    "own 20 sentences": World(texts="own", utterances=20),
    "the same 20 sentences": World(texts="shared", utterances=20),
    "few have most words, 10 x 9": World(sizes=(9,) * 10, talkative="few"),
    "heavy tails (t3), 5 x 8": World(sizes=(8,) * 5, tail="t3", speaker_sd=0.7),
    "heavy tails (Pareto), 4 x 20": World(tail="pareto"),
    "log odds, 5, 10, 40": World(sizes=(5, 10, 40), scale="odds", speaker_sd=0.6, condition_sd=0.4),
    "one group twice as varied, 4 x 20": World(group_sds=(2, 1, 1, 1)),
    "one group twice as varied, 5, 20, 20, 40": World(sizes=(5, 20, 20, 40), group_sds=(1.7, 0.85, 0.85, 0.85)),
    "2 x 4": World(sizes=(4, 4)),
    "loops in 2 %": World(loops=0.02),
    "one speaker has most words, 4 x 10": World(sizes=(10,) * 4, talkative="one"),
    "one speaker in twenty fails wholly, 4 x 20": World(failing=0.05, failing_in=(0, 1, 2, 3)),
    "one speaker in twenty fails wholly, 3, 8, 30": World(sizes=(3, 8, 30), failing=0.05, failing_in=(0, 1, 2)),
    "half of the sentences own, 4 x 20": World(texts="partly", utterances=20),
    "own 4 sentences, 2 x 12": World(sizes=(12, 12), texts="own", utterances=4),
    "speakers differ vastly (sd 1.2), 6 x 6": World(sizes=(6,) * 6, speaker_sd=1.2),
    "up to 90 % lost, 5 x 10": World(sizes=(10,) * 5, hardest=0.9, scale="odds", speaker_sd=0.6),
    "utterances of one word, 4 x 20": World(words=1),
    "40 conditions, 3 x 5": World(sizes=(5,) * 3, conditions=40),
    "each utterance in 2 of 5 conditions, 4 x 8": World(sizes=(8,) * 4, dealt=2),
    "loops of one speaker in twenty, 4 x 20": World(loops=0.3, looping=1),
    "2, 2 and 50": World(sizes=(2, 2, 50)),
    "the small group twice as varied, 6 and 60": World(sizes=(6, 60), group_sds=(2, 1)),
}

#: One group loses 20 points more.
PLANTED: dict[str, World] = {
    "4 x 20, everywhere": World(planted=Planted(0, 0.2)),
    "4 x 20, one condition": World(planted=Planted(0, 0.2, 3)),
    "4 x 20, one room": World(planted=Planted(0, 0.2, room="room1")),
    "12 x 4, everywhere": World(sizes=(4,) * 12, planted=Planted(0, 0.2)),
    "12 x 4, one condition": World(sizes=(4,) * 12, planted=Planted(0, 0.2, 3)),
    "12 x 4, one room": World(sizes=(4,) * 12, planted=Planted(0, 0.2, room="room1")),
    "12 x 6, everywhere": World(sizes=(6,) * 12, planted=Planted(0, 0.2)),
    "12 x 6, one condition": World(sizes=(6,) * 12, planted=Planted(0, 0.2, 3)),
    "6 x 3, everywhere": World(sizes=(3,) * 6, planted=Planted(0, 0.2)),
    "3, 8, 30, 300, everywhere": World(sizes=(3, 8, 30, 300), planted=Planted(2, 0.2)),
    "one speaker has most words, 4 x 10, everywhere": World(sizes=(10,) * 4, talkative="one", planted=Planted(1, 0.2)),
    "one speaker in twenty fails wholly, everywhere": World(
        failing=0.05, failing_in=(0, 1, 2, 3), planted=Planted(0, 0.2)
    ),
    "half of the sentences own, everywhere": World(texts="partly", utterances=20, planted=Planted(0, 0.2)),
    "missing cells, everywhere": World(missing=0.3, planted=Planted(0, 0.2)),
    "each utterance in 2 of 5, one room": World(sizes=(8,) * 4, dealt=2, planted=Planted(0, 0.2, room="room1")),
    "8 x 4, log odds, everywhere": World(sizes=(4,) * 8, scale="odds", speaker_sd=0.5, planted=Planted(0, 0.2)),
}


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
    chance = _chance(world, _aimed(world)[group[speaker]], effect, group[speaker])
    flawless, failing = (rng.random(speakers) < share for share in (world.flawless, world.failing))
    if world.flawless:
        chance = np.clip(chance / (1 - world.flawless), 0, TOP) * ~flawless[speaker][:, None]
    failing &= np.isin(group, world.failing_in)
    chance = np.where(failing[speaker][:, None], TOP, chance)
    return _frame(rng, world, group, speaker, sentence, chance)


def _utterances(rng: np.random.Generator, world: World, speakers: int) -> np.ndarray:
    if world.talkative is None:
        return np.full(speakers, world.utterances)
    if world.talkative == "one":
        return np.where(np.arange(speakers) == 0, 40 * world.utterances, world.utterances)
    return np.clip(np.ceil(2 * (1 + rng.pareto(1.0, speakers))), 2, 200).astype(int)


def _sentences(world: World, group: np.ndarray, speaker: np.ndarray, count: np.ndarray) -> np.ndarray | None:
    if world.texts is None:
        return None
    number = np.concatenate([np.arange(n) for n in count])
    own = (group[speaker] + 1) * int(count.max()) + number
    if world.texts == "partly":
        return np.where(number % 2, own, number)
    return number if world.texts == "shared" else own


def _speakers(rng: np.random.Generator, world: World, group: np.ndarray) -> np.ndarray:
    """Return each speaker's effect: its log factor, or log odds."""
    sd = world.speaker_sd * (np.asarray(world.group_sds)[group] if world.group_sds else 1.0)
    if world.tail == "normal":
        return rng.normal(0, 1, len(group)) * sd
    if world.tail == "t3":
        return rng.standard_t(3, len(group)) / np.sqrt(3) * sd
    shape = {"gamma": lambda n: rng.gamma(1.0, 1.0, n), "pareto": lambda n: 1.5 * rng.pareto(2.5, n)}[world.tail]
    return np.log(np.maximum(shape(len(group)), 1e-6))


def _variance(world: World) -> np.ndarray:
    """Return the variance of all that is random and normal in a word's chance [shape=(groups,)]."""
    sds = world.speaker_sd * np.asarray(world.group_sds or np.ones(len(world.sizes)))
    found: np.ndarray = sds**2 * (world.tail == "normal") + world.condition_sd**2 + world.utterance_sd**2
    return found if world.texts is None else found + world.sentence_sd**2 + world.sentence_condition_sd**2


@lru_cache
def _aimed(world: World) -> np.ndarray:
    """Return the rates to draw around, so that the mean chance is the rate although chances end at TOP [shape=(groups, conditions)]."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    effect = nodes * np.sqrt(_variance(world))[:, None]
    aimed = world.rates
    for _ in range(30):
        each = [_chance(world, aimed, np.full(aimed.shape, x[:, None]), np.arange(len(aimed))) for x in effect.T]
        aimed = np.clip(aimed + world.rates - np.tensordot(weights / weights.sum(), each, 1), 1e-4, 1 - 1e-4)
    return aimed


def _chance(world: World, rate: np.ndarray, effect: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the chance of losing a word."""
    if world.scale == "odds":
        return 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + effect)))
    return np.clip(rate * np.exp(effect - _variance(world)[group][:, None] / 2), 0, TOP)


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
        sentence is None and not world.loops and world.dealt is None
    ):  # all of a speaker's utterances are in every condition: their sums say the same
        people = len(group)
        lost = np.stack([np.bincount(speaker, column, people) for column in lost.T], axis=1).astype(int)
        words, speaker = np.bincount(speaker, minlength=people) * world.words, np.arange(people)
    rows, conditions = lost.shape
    loops = np.full(rows, world.loops) if not world.looping else world.loops * (speaker % 20 < world.looping)
    insertions = np.where(rng.random(lost.shape) < loops[:, None], rng.integers(50, 220, lost.shape), 0)
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
    if world.dealt is not None:
        turn = (at - 1 - np.repeat(np.arange(rows), conditions)) % (conditions - 1)
        frame = frame[(at == 0) | (turn < world.dealt)].reset_index(drop=True)
    return frame if not world.missing else frame[_kept(rng, world, group, who, at)].reset_index(drop=True)


def _kept(rng: np.random.Generator, world: World, group: np.ndarray, who: np.ndarray, at: np.ndarray) -> np.ndarray:
    first = 0 if world.missing_clean else 1
    lacks = rng.random((len(world.sizes), world.conditions)) < world.missing
    alone = rng.random((len(group), world.conditions)) < world.missing / 2
    lacks[:, :first], alone[:, :first] = False, False
    lacks[lacks.all(axis=1)] = False
    lacks[:, 0] &= not lacks[:, 0].all()
    kept: np.ndarray = ~lacks[group[who], at] & ~alone[who, at]
    return kept
