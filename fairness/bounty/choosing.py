"""The smallest set of recordings that can decide a claim, before anything is rendered or sent.

The interval of the gap must come to lie on one side of the claimed points, whichever is true: that there is no gap, or one of the size that is
assumed (by default twice the claimed). The variance of a group's WER is (sb^2 + p q / m) / n: n speakers of m words, WER p, q = 1 - p, and
standard deviation sb between speakers; Student's t with Welch's degrees of freedom. Whether texts differ in difficulty is not in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.core.random_streams import content_key
from roomtone.fairness.inference.intervals import t_quantile

if TYPE_CHECKING:
    import pandas as pd

#: Numbers of speakers that are tried on each side, at most, and recordings of a speaker.
_TRIED, _MOST_EACH = 48, 60
#: More speakers on each side than this are not proposed.
_MOST_SPEAKERS = 10_000


@dataclass(frozen=True)
class Goal:
    """What a set must be able to decide, all as shares.

    Attributes:
        points: the claimed gap.
        true_gap: the gap that is assumed where there is one.
        wer: of the others in this condition.
        speaker_sd: standard deviation of WER between speakers of a group.
        power: chance of deciding.
        alpha: the interval holds 1 - alpha.
    """

    points: float
    true_gap: float
    wer: float = 0.2
    speaker_sd: float = 0.1
    power: float = 0.8
    alpha: float = 0.05

    def __post_init__(self) -> None:
        """Check what cannot be."""
        for name in ("points", "true_gap", "wer", "power", "alpha"):
            if not 0 < getattr(self, name) < 1:
                raise RoomtoneError(f"{name}: between 0 and 1 as a share, got {getattr(self, name):g}")
        if self.true_gap <= self.points:
            raise RoomtoneError(
                f"assume.points: {100 * self.true_gap:g} must lie above the claimed {100 * self.points:g} points, or no set decides"
            )
        if self.speaker_sd < 0:
            raise RoomtoneError(f"assume.speaker_sd: 0 or more, got {self.speaker_sd:g}")

    def chance(self, people: np.ndarray, others: np.ndarray, words: np.ndarray, other_words: np.ndarray) -> np.ndarray:
        """Return the chance of deciding, the smaller one of the two truths; numbers broadcast.

        Args:
            people, others: speakers of the group and of the others.
            words, other_words: that each of them speaks, on average.
        """
        found = [self._chance(gap, people, others, words, other_words) for gap in (0.0, self.true_gap)]
        smaller: np.ndarray = np.minimum(*found)
        return smaller

    def _chance(
        self, gap: float, n: np.ndarray, m: np.ndarray, words: np.ndarray, other_words: np.ndarray
    ) -> np.ndarray:
        from scipy.special import stdtr

        own, other = min(self.wer + gap, 0.99), self.wer
        one = (self.speaker_sd**2 + own * (1 - own) / words) / n
        two = (self.speaker_sd**2 + other * (1 - other) / other_words) / m
        df = (one + two) ** 2 / (one**2 / (n - 1) + two**2 / (m - 1))
        shift = abs(gap - self.points) / np.sqrt(one + two)
        chance: np.ndarray = stdtr(df, shift - t_quantile(1 - self.alpha / 2, df))
        return chance


@dataclass(frozen=True)
class Choice:
    """The recordings of a set and what it can do.

    Attributes:
        utterances: ids, in the order in which they should be sent: wherever one stops, both sides have come about as far.
        people, others: speakers of the group and of the others.
        minutes: of audio, without what is sent twice.
        longest_s: of one recording, seconds.
        chance: of deciding.
    """

    utterances: tuple[str, ...]
    people: int
    others: int
    minutes: float
    longest_s: float
    chance: float


def choose(
    speech: pd.DataFrame, of_group: np.ndarray, goal: Goal, *, minutes: float, requests: float, seed: int
) -> Choice:
    """Return the set with the fewest minutes that reaches the goal; within the budget the one that comes nearest where none does.

    Args:
        speech: one row a recording: `utterance_id, speaker, words, duration_s`, and `accent` where it is known.
        of_group: which rows are of the group [shape=(rows,)].
        goal: what must be decided.
        minutes, requests: the budget for this, infinite where there is no limit.
        seed: decides which speakers come first.

    Raises:
        RoomtoneError: fewer than two speakers on a side, or a budget that does not hold two recordings of each.
    """
    usable = speech["speaker"].notna().to_numpy() & (speech["words"].fillna(0) > 0).to_numpy(dtype=bool)
    sides = [_Side(speech[usable & held], seed) for held in (of_group, ~of_group)]
    for side, name in zip(sides, ("the group", "the others")):
        if side.speakers < 2:
            raise RoomtoneError(
                f"claim: {name} have {side.speakers} speakers with a transcript in this corpus; a claim is decided over two or more"
            )
    best: tuple[tuple[bool, float], int, int, int, float] | None = None
    n, m = (np.array(side.tried) for side in sides)
    for each in range(1, min(_MOST_EACH, max(side.most for side in sides)) + 1):
        own, other = (side.upto(each) for side in sides)
        cost_s = own.seconds[n - 1][:, None] + other.seconds[m - 1][None, :]
        asked = own.recordings[n - 1][:, None] + other.recordings[m - 1][None, :]
        words = own.words[n - 1][:, None] / n[:, None]
        chance = goal.chance(n[:, None], m[None, :], words, other.words[m - 1][None, :] / m[None, :])
        chance = np.where((cost_s <= 60 * minutes) & (asked <= requests), chance, -1.0)
        reached = chance >= goal.power
        value = np.where(reached, -cost_s, chance)
        i, j = np.unravel_index(
            np.argmax(np.where(reached.any(), np.where(reached, value, -np.inf), value)), value.shape
        )
        key = (bool(reached.any()), float(value[i, j]))
        if chance[i, j] >= 0 and (best is None or key > best[0]):
            best = (key, each, int(n[i]), int(m[j]), float(chance[i, j]))
    if best is None:
        raise RoomtoneError("budget: it does not hold one recording of two speakers on each side")
    _, each, people, others, reached_chance = best
    taken = [side.taken(each, count) for side, count in zip(sides, (people, others))]
    rows = sorted((place, number, name) for number, part in enumerate(taken) for place, name in part)
    chosen = [name for _, _, name in rows]
    seconds = speech.set_index("utterance_id").loc[chosen, "duration_s"]
    return Choice(
        tuple(map(str, chosen)), people, others, float(seconds.sum()) / 60, float(seconds.max()), reached_chance
    )


def what_would_do(
    speech: pd.DataFrame, of_group: np.ndarray, goal: Goal, choice: Choice, *, repeat: float, seed: int
) -> str:
    """Return what would decide the claim where corpus and budget do not: a larger budget, or how many speakers.

    Args:
        speech, of_group, goal, seed: as `choose` takes them.
        choice: the best that the budget holds.
        repeat: share of the recordings that is sent twice.
    """
    free = choose(speech, of_group, goal, minutes=math.inf, requests=math.inf, seed=seed)
    said = f"not enough for {100 * goal.power:g} %: "
    if free.chance >= goal.power:
        asked = math.ceil((1 + repeat) * len(free.utterances))
        return f"{said}a budget of {(1 + repeat) * free.minutes:.1f} minutes and {asked} requests would do"
    chosen = speech["utterance_id"].astype(str).isin(free.utterances).to_numpy()
    words = [
        float(speech.loc[chosen & side, "words"].sum()) / n
        for side, n in ((of_group, free.people), (~of_group, free.others))
    ]
    counts = np.unique(np.geomspace(2, _MOST_SPEAKERS, 400).round())
    enough = counts[
        goal.chance(counts, counts, np.full(len(counts), words[0]), np.full(len(counts), words[1])) >= goal.power
    ]
    larger = (
        ""
        if free.utterances == choice.utterances
        else f"; with all of this corpus the chance is {100 * free.chance:.0f} %"
    )
    if not len(enough):
        return f"{said}not even {_MOST_SPEAKERS:,} speakers on each side would do; claim other points{larger}"
    return f"{said}about {enough[0]:.0f} speakers on each side would do, with as many words of each as here{larger}"


@dataclass(frozen=True)
class _Sums:
    """Sums over the first speakers of a side, each with so many recordings [shape=(speakers,)]."""

    words: np.ndarray
    seconds: np.ndarray
    recordings: np.ndarray


class _Side:
    """The speakers of a group in the order in which they are taken: accents in turn, those with most recordings first."""

    def __init__(self, rows: pd.DataFrame, seed: int) -> None:
        accents = rows["accent"].astype(object) if "accent" in rows else [None] * len(rows)
        by_speaker: dict[str, list[tuple[str, str, int, float]]] = {}
        accent_of: dict[str, str] = {}
        for name, speaker, accent, words, seconds in zip(
            rows["utterance_id"].astype(str), rows["speaker"].astype(str), accents, rows["words"], rows["duration_s"]
        ):
            by_speaker.setdefault(speaker, []).append((content_key(seed, name), name, int(words), float(seconds)))
            accent_of.setdefault(speaker, str(accent))
        self._recordings = {speaker: sorted(items) for speaker, items in by_speaker.items()}
        turns: dict[str, int] = {}
        ranked = []
        for speaker in sorted(by_speaker, key=lambda one: (-len(by_speaker[one]), content_key(seed, one))):
            turns[accent_of[speaker]] = turns.get(accent_of[speaker], 0) + 1
            ranked.append((turns[accent_of[speaker]], content_key(seed, accent_of[speaker]), speaker))
        self._order = [speaker for _, _, speaker in sorted(ranked)]
        self.speakers = len(self._order)
        self.most = max((len(items) for items in self._recordings.values()), default=0)

    @property
    def tried(self) -> Sequence[int]:
        """Return the numbers of speakers that are tried: every one up to some, then in even steps of the logarithm."""
        return sorted(
            {round(x) for x in np.geomspace(2, self.speakers, _TRIED)} | set(range(2, min(self.speakers, 24) + 1))
        )

    def upto(self, each: int) -> _Sums:
        """Return the sums over the first speakers with `each` recordings of each at most."""
        parts = [self._recordings[speaker][:each] for speaker in self._order]
        words = np.cumsum([sum(item[2] for item in part) for part in parts])
        return _Sums(
            words,
            np.cumsum([sum(item[3] for item in part) for part in parts]),
            np.cumsum([len(part) for part in parts]),
        )

    def taken(self, each: int, count: int) -> list[tuple[float, str]]:
        """Return (place between 0 and 1, id) of the recordings of the first `count` speakers: everyone's first, then their second."""
        rows = [
            (k, at, self._recordings[speaker][k][1])
            for at, speaker in enumerate(self._order[:count])
            for k in range(min(each, len(self._recordings[speaker])))
        ]
        return [((place + 0.5) / len(rows), name) for place, (_, _, name) in enumerate(sorted(rows))]


def with_repeats(minutes: float | None, share: float) -> float:
    """Return how much of a budget is left for the first round where a share of it is sent a second time.

    Args:
        minutes: the budget, or a number of requests; None is no limit.
        share: of the recordings that is repeated.
    """
    return math.inf if minutes is None else minutes / (1 + share)
