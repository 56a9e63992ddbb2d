"""One clean recording and what its corpus says of it: the unit that every reader yields.

Attributes are taken as the corpus states them, self-reported; nothing is inferred from audio, names or places.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from roomtone.core.audio.segment import AudioRef
from roomtone.core.vocabulary import ACCENT_SEPARATOR


@dataclass(frozen=True, slots=True)
class Utterance:
    """One recording of a corpus.

    Attributes:
        utterance_id: the corpus's own name for it, the same whatever the order of rows; never a part of an output path.
        text: the transcript; None where there is none.
        speaker: None where the corpus does not say.
        accent: canonical label; several of one speaker are joined by `|`, sorted. None is *unknown* (nothing was stated).
        accent_raw: as the corpus has it.
        speech_origin: `recorded` or `synthetic`.
        attributes: the corpus's further columns; each becomes `attr_NAME` of the manifest.
        problem: why it cannot be used, where that is known before it is read.
    """

    utterance_id: str
    audio: AudioRef
    text: str | None
    speaker: str | None
    accent: str | None
    accent_raw: str | None
    language: str | None
    corpus: str
    speech_origin: str = "recorded"
    attributes: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None

    @property
    def accents(self) -> tuple[str, ...]:
        """Return the accents one by one; none where it is unknown."""
        return tuple(self.accent.split(ACCENT_SEPARATOR)) if self.accent else ()


def join_accents(labels: Iterable[str]) -> str | None:
    """Return the labels as one text, each once, sorted, joined by `|`; None where there are none.

    >>> join_accents(["welsh", "english", "welsh"])
    'english|welsh'
    """
    clean = sorted({label.replace(ACCENT_SEPARATOR, "/").strip() for label in labels} - {""})
    return ACCENT_SEPARATOR.join(clean) or None
