"""The keys of `corpus.select`: which utterances to take, by attribute, length, quality, balance and split.

The hash of ids with a seed decides, never the order of rows: a shuffled corpus gives the same utterances.
The corpus is read twice where a choice needs all of it; only ids are held in memory, never rows.

An utterance that cannot be used (`problem`) passes every choice, so that it is counted among the rejected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from roomtone.core.errors import RoomtoneError, nearest

SPLITS = {"train": 0.8, "dev": 0.1, "test": 0.1}
#: What `where` may name besides attributes.
OWN_FIELDS = ("accent", "accent_raw", "speaker", "language", "text", "utterance_id")


@dataclass(frozen=True)
class Selection:
    """Keys of `corpus.select`; every one of them is off by default.

    Attributes:
        where: attribute (or accent, speaker, language) -> a value or a list of values.
        min_duration_s, max_duration_s: bounds on the length.
        min_words, max_words: bounds on the transcript; utterances without one have 0 words.
        min_speech_to_floor_db, min_bandwidth_hz: clean enough, measured on the samples (decodes every recording).
        max_per_speaker: most utterances of one speaker.
        max_per_accent: most utterances of one accent, taken from its speakers in turn.
        balance: the same number of each accent, that of the rarest.
        split: which split to take, by name in `splits`; no speaker is in two of them.
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
        """Check the bounds, which the types do not state."""
        for name in ("max_per_speaker", "max_per_accent"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise RoomtoneError(f"corpus.select.{name}: expected a whole number from 1 up, got {value}")
        if self.split is not None:
            if self.split not in self.shares:
                raise RoomtoneError(
                    f"corpus.select.split: there is no split {self.split!r}; {nearest(self.split, self.shares)}"
                )
            shares = list(self.shares.values())
            if not all(isinstance(s, int | float) and s >= 0 for s in shares) or not 0 < sum(shares) <= 1 + 1e-9:
                raise RoomtoneError(
                    f"corpus.select.splits: expected shares that add up to 1 at most, got {dict(self.shares)}"
                )

    @property
    def shares(self) -> Mapping[str, Any]:
        """Return the splits and the share of the speakers that each gets."""
        return SPLITS if self.splits is None else self.splits

    @property
    def chooses(self) -> bool:
        """Return whether the choice needs all of the corpus, and not one row after the other."""
        counted = (self.max_per_speaker, self.max_per_accent)
        return any(v is not None for v in counted) or self.balance or self.distinct_prompts or self.distinct_audio
