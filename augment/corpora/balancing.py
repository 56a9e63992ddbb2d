"""Choices that need the whole corpus: a limit for each speaker or accent, balance, duplicates, and speaker splits.

Utterances are sorted by a hash of their ids and a seed, never by the order of rows; a choice takes the first ones.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from roomtone.augment.corpora.select import Selection
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.errors import RoomtoneError
from roomtone.core.words import prompt_key


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a choice knows of an utterance.

    Attributes:
        order: sort key, a hash of the utterance's id and the seed.
        utterance_id, speaker, accent: as in the corpus.
        prompt: shared by utterances of one accent with the same words; empty where that was not asked for.
        audio: shared by utterances with the same bytes; empty where that was not asked for.
    """

    order: bytes
    utterance_id: str
    speaker: str | None
    accent: str | None
    prompt: bytes
    audio: bytes

    @classmethod
    def of(cls, utterance: Utterance, selection: Selection) -> Candidate:
        """Return what a choice knows of an utterance.

        Args:
            utterance: its recording's bytes are hashed only where the selection asks for distinct audio.
            selection: the keys of `corpus.select`.

        Raises:
            BadAudioError: the recording cannot be read, and its bytes were asked for.
        """
        return cls(
            _hash(selection.seed, utterance.utterance_id),
            utterance.utterance_id,
            utterance.speaker,
            utterance.accent,
            _hash(utterance.accent, prompt_key(utterance.text)) if selection.distinct_prompts else b"",
            audio_key(utterance) if selection.distinct_audio else b"",
        )


def audio_key(utterance: Utterance) -> bytes:
    """Return a key that two utterances share where they are the same segment of files with the same bytes.

    Raises:
        BadAudioError: the recording is not a regular file.
    """
    from roomtone.core.audio.recording_files import sha256_file

    return _hash(sha256_file(utterance.audio.path), utterance.audio.offset_s, utterance.audio.duration_s)


def _hash(*parts: object) -> bytes:
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()


def choose(selection: Selection, candidates: Iterator[Candidate]) -> set[str]:
    """Return the ids of the chosen utterances.

    Args:
        selection: the keys of `corpus.select`.
        candidates: all that may be chosen.
    """
    left = sorted(candidates, key=lambda c: (c.order, c.utterance_id))
    if selection.distinct_audio:
        left = _first_of_each(left, lambda c: c.audio)
    if selection.distinct_prompts:
        left = _first_of_each(left, lambda c: c.prompt)
    if selection.max_per_speaker is not None:
        left = _at_most(left, selection.max_per_speaker)
    by_accent: dict[str | None, list[Candidate]] = defaultdict(list)
    for candidate in left:
        by_accent[candidate.accent].append(candidate)
    most = selection.max_per_accent
    if selection.balance and by_accent:
        rarest = min(map(len, by_accent.values()))
        most = rarest if most is None else min(most, rarest)
    if most is not None:
        left = [c for group in by_accent.values() for c in _in_turn(group)[:most]]
    return {c.utterance_id for c in left}


def speakers_of_split(selection: Selection, utterances: Iterator[Utterance]) -> set[str]:
    """Return the speakers of one split: those of each accent in a seeded order, divided by the shares.

    All of the corpus's speakers are assigned, before any other filter, so that two runs with different filters agree on who is in
    which split. A speaker with utterances in several accents belongs to the first of them in sorted order.

    Args:
        selection: names the split; its `shares` and `seed` decide.
        utterances: all of the corpus.

    Raises:
        RoomtoneError: an utterance names no speaker.
    """
    accent_of: dict[str, str] = {}
    for utterance in utterances:
        if utterance.speaker is None:
            raise RoomtoneError(
                f"corpus.select.split: the corpus does not say who speaks in {utterance.utterance_id!r}, "
                "so a split would leak speakers"
            )
        accent = utterance.accent or ""
        accent_of[utterance.speaker] = min(accent_of.get(utterance.speaker, accent), accent)
    groups: dict[str, list[str]] = defaultdict(list)
    for speaker in sorted(accent_of, key=lambda s: (_hash(selection.seed, "split", s), s)):
        groups[accent_of[speaker]].append(speaker)
    names = list(selection.shares)
    before = sum(selection.shares[name] for name in names[: names.index(str(selection.split))])
    upto = before + selection.shares[str(selection.split)]
    return {s for group in groups.values() for s in group[round(before * len(group)) : round(upto * len(group))]}


def _first_of_each(ordered: list[Candidate], key: Callable[[Candidate], bytes]) -> list[Candidate]:
    first: dict[bytes, Candidate] = {}
    for candidate in ordered:
        first.setdefault(key(candidate), candidate)
    return list(first.values())


def _at_most(ordered: list[Candidate], most: int) -> list[Candidate]:
    """Return the first so many of each speaker; there is no limit for utterances without a speaker."""
    taken: dict[str, int] = defaultdict(int)
    kept = []
    for candidate in ordered:
        if candidate.speaker is not None:
            taken[candidate.speaker] += 1
        if candidate.speaker is None or taken[candidate.speaker] <= most:
            kept.append(candidate)
    return kept


def _in_turn(ordered: list[Candidate]) -> list[Candidate]:
    """Return the candidates so that each speaker comes once before any comes twice."""
    turn: dict[str | None, int] = defaultdict(int)
    keyed = []
    for candidate in ordered:
        keyed.append((turn[candidate.speaker], candidate.order, candidate.utterance_id, candidate))
        turn[candidate.speaker] += 1
    return [item[3] for item in sorted(keyed, key=lambda item: item[:3])]
