"""GLOBE: Parquet with the recordings inside, `speaker_id`, `transcript`, `accent`, `age`, `gender`, `duration`.

GLOBE is Common Voice, enhanced by a model and cut anew. Its recordings are not what the speakers said into their
microphones, and a set made of both corpora holds some people twice. Its accents are Common Voice's, joined by commas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from roomtone.augment.corpora.readers.common_voice import split_accents
from roomtone.augment.corpora.readers.hf_parquet import HfParquet
from roomtone.augment.corpora.utterance import accent_labels


@dataclass(frozen=True)
class Globe(HfParquet):
    """Keys of `corpus=globe` are those of Parquet with recordings inside."""

    kind: ClassVar[str] = "globe"

    def renamed(self, use: str) -> str:
        """Return a column's name in GLOBE."""
        return {"speaker": "speaker_id", "text": "transcript"}.get(use, use)

    def split_accent(self, raw: object) -> list[str]:
        """Return the accents that a cell holds: a text, a list, or None."""
        return [label for part in accent_labels(raw) for label in split_accents(part)]
