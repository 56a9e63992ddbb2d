"""Which of a corpus's utterances to take: by what the corpus says, by length, by quality, balanced, and by split.

Choice is by the hash of ids with a seed and never by the order of rows: a shuffled corpus gives the same utterances.
The corpus is read twice where a choice needs all of it, and its rows are never held, only their ids.

What cannot be used (`problem`) passes every choice, so that it is counted among what was set aside and not lost here.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from roomtone.augment.corpora.choice import Candidate, choose, speakers_of_split
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.errors import RoomtoneError, nearest

SPLITS = {"train": 0.8, "dev": 0.1, "test": 0.1}
_OWN = ("accent", "accent_raw", "speaker", "language", "text", "utterance_id")


@dataclass(frozen=True)
class Selection:
    """Keys of `corpus.select`; every one of them is off by default.

    Attributes:
        where: attribute (or accent, speaker, language) -> a value or a list of values.
        min_duration_s, max_duration_s: bounds on the length.
        min_words, max_words: bounds on the transcript; utterances without one have 0 words.
        min_speech_to_floor_db, min_bandwidth_hz: clean enough, measured on the samples (decodes every recording).
        max_per_speaker: at most so many utterances of one speaker.
        max_per_accent: at most so many of one accent, taken in turn from its speakers.
        balance: the same number of each accent, that of the rarest.
        split: which part to take, by name in `splits`; no speaker is in two of them.
        splits: name -> share of the speakers of each accent; `SPLITS` where none are given.
        distinct_prompts: one utterance a transcript and accent.
        distinct_audio: of recordings with the same bytes, one.
        seed: another seed makes other choices.
    """

    where: Mapping[str, Any] | None = None
    min_duration_s: float | None = None
    max_duration_s: float | None = None
    min_words: int | None = None
    max_words: int | None = None
    min_speech_to_floor_db: float | None = None
    min_bandwidth_hz: float | None = None
    max_per_speaker: int | None = None
    max_per_accent: int | None = None
    balance: bool = False
    split: str | None = None
    splits: Mapping[str, Any] | None = None
    distinct_prompts: bool = False
    distinct_audio: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what the types alone do not say."""
        for name in ("max_per_speaker", "max_per_accent"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise RoomtoneError(f"corpus.select.{name}: expected a whole number from 1 up, got {value}")
        if self.split is not None:
            if self.split not in self.shares:
                raise RoomtoneError(f"corpus.select.split: no part {self.split!r}; {nearest(self.split, self.shares)}")
            shares = list(self.shares.values())
            if not all(isinstance(s, int | float) and s >= 0 for s in shares) or not 0 < sum(shares) <= 1 + 1e-9:
                raise RoomtoneError(
                    f"corpus.select.splits: expected shares that add up to 1 at most, got {dict(self.shares)}"
                )

    @property
    def shares(self) -> Mapping[str, Any]:
        """Return the parts of the corpus and their shares."""
        return SPLITS if self.splits is None else self.splits

    @property
    def chooses(self) -> bool:
        """Say whether a choice needs all of the corpus, and not one row after the other."""
        counted = (self.max_per_speaker, self.max_per_accent)
        return any(v is not None for v in counted) or self.balance or self.distinct_prompts or self.distinct_audio

    def apply(self, read: Callable[[], Iterator[Utterance]]) -> Iterator[Utterance]:
        """Yield the chosen utterances of a corpus that `read` reads from its beginning each time.

        Raises:
            RoomtoneError: an attribute that no utterance has, or a split of a corpus that does not say who speaks.
        """
        if self.split is not None:
            read = functools.partial(_spoken_by, read, speakers_of_split(self, read()))
        if not self.chooses:
            yield from self._passing(read())
            return
        reasons: dict[str, str] = {}
        chosen = choose(self, self._candidates(read(), reasons))
        for utterance in self._passing(read(), measure=False):
            reason = reasons.get(utterance.utterance_id)
            if reason is not None:
                yield dataclasses.replace(utterance, problem=reason)
            elif utterance.problem is not None or utterance.utterance_id in chosen:
                yield utterance

    def _candidates(self, utterances: Iterator[Utterance], reasons: dict[str, str]) -> Iterator[Candidate]:
        """Yield what a choice may take; what cannot be measured is noted in `reasons`."""
        for utterance in utterances:
            for passed in self._passing(iter([utterance]), check_names=False):
                try:
                    if passed.problem is None:
                        yield Candidate.of(passed, self)
                    elif utterance.problem is None:
                        reasons[passed.utterance_id] = passed.problem
                except RoomtoneError as error:
                    reasons[passed.utterance_id] = str(error)

    def _passing(
        self, utterances: Iterator[Utterance], *, measure: bool = True, check_names: bool = True
    ) -> Iterator[Utterance]:
        """Yield what passes the filters that look at one utterance alone; what cannot be measured passes with its problem."""
        missing = set(self.where or ()) - set(_OWN) if check_names else set()
        names: set[str] = set()
        count = 0
        for utterance in utterances:
            count += 1
            if missing:
                missing -= set(utterance.attributes)
                names |= set(utterance.attributes)
            if not self._wanted(utterance) or not self._words_fit(utterance):
                continue
            if utterance.problem is None and measure:
                reason_or_fit = self._measured(utterance)
                if isinstance(reason_or_fit, str):
                    utterance = dataclasses.replace(utterance, problem=reason_or_fit)
                elif not reason_or_fit:
                    continue
            yield utterance
        if missing and count:
            name = sorted(missing)[0]
            raise RoomtoneError(f"corpus.select.where: no utterance has {name!r}; {nearest(name, [*names, *_OWN])}")

    def _wanted(self, utterance: Utterance) -> bool:
        for name, values in (self.where or {}).items():
            allowed = {str(v) for v in values} if isinstance(values, list | tuple) else {str(values)}
            if name == "accent":
                if not allowed & set(utterance.accents):
                    return False
                continue
            value = getattr(utterance, name) if name in _OWN else utterance.attributes.get(name)
            if str(value) not in allowed:
                return False
        return True

    def _words_fit(self, utterance: Utterance) -> bool:
        if self.min_words is None and self.max_words is None:
            return True
        words = len((utterance.text or "").split())
        return (self.min_words or 0) <= words <= (words if self.max_words is None else self.max_words)

    def _measured(self, utterance: Utterance) -> bool | str:
        """Return whether length and quality fit, or why they cannot be measured."""
        try:
            return self._length_fits(utterance) and self._clean_enough(utterance)
        except RoomtoneError as error:
            return str(error)

    def _length_fits(self, utterance: Utterance) -> bool:
        if self.min_duration_s is None and self.max_duration_s is None:
            return True
        seconds = duration_s(utterance)
        return (
            (self.min_duration_s or 0.0) <= seconds <= (seconds if self.max_duration_s is None else self.max_duration_s)
        )

    def _clean_enough(self, utterance: Utterance) -> bool:
        if self.min_speech_to_floor_db is None and self.min_bandwidth_hz is None:
            return True
        from roomtone.augment.corpora.quality import measure_quality
        from roomtone.core.audio.reading import inspect, read_audio

        rate = inspect(utterance.audio.path).sample_rate_hz
        quality = measure_quality(read_audio(utterance.audio, rate), rate)
        floor_db = -float("inf") if self.min_speech_to_floor_db is None else self.min_speech_to_floor_db
        return quality.speech_to_floor_db >= floor_db and quality.bandwidth_hz >= (self.min_bandwidth_hz or 0.0)


def duration_s(utterance: Utterance) -> float:
    """Return the length of an utterance in seconds, from the corpus or the file's header.

    Raises:
        BadAudioError: the file cannot be used.
    """
    from roomtone.core.audio.reading import inspect

    audio = utterance.audio
    return audio.duration_s or inspect(audio.path).duration_s - audio.offset_s


def _spoken_by(read: Callable[[], Iterator[Utterance]], speakers: set[str]) -> Iterator[Utterance]:
    return (utterance for utterance in read() if utterance.speaker in speakers)
