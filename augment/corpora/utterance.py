"""One clean recording and what its corpus says of it: the unit that every reader yields.

Attributes are taken as the corpus states them, self-reported; nothing is inferred from audio, names or places.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import ACCENT_SEPARATOR

#: Stated lengths are rounded, and those of compressed recordings are off by their padding.
_LENGTH_S, _LENGTH_SHARE = 0.25, 0.1


@dataclass(frozen=True, slots=True)
class Utterance:
    """One recording of a corpus.

    Attributes:
        utterance_id: the corpus's own name for it, the same whatever the order of rows; never a part of an output path.
        text: the transcript; None where there is none, and never the empty text.
        speaker: None where the corpus does not say.
        accent: canonical label; several of one speaker are joined by `|`, sorted. None is *unknown* (nothing was stated).
        accent_raw: as the corpus has it.
        speech_origin: `recorded` or `synthetic`.
        attributes: the corpus's further columns; each becomes `attr_NAME` of the manifest.
        problem: why it cannot be used, where that is known before it is read.
        stated_s: how long it is in seconds, where the corpus states that of the whole recording; to be held against what is read.
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
    stated_s: float | None = None

    def check_length(self, read_s: float) -> None:
        """Compare the length that the corpus states with the recording's: a row that means a part of it has a text of that part.

        Args:
            read_s: how long the recording is, seconds.

        Raises:
            RoomtoneError: they differ by more than a tenth and a quarter of a second.
        """
        if self.stated_s is not None and abs(self.stated_s - read_s) > max(_LENGTH_S, _LENGTH_SHARE * read_s):
            raise RoomtoneError(
                f"{self.audio.path}: lasts {read_s:.2f} s, and its row says {self.stated_s:g} s; an offset in the row makes it a segment"
            )

    @property
    def accents(self) -> tuple[str, ...]:
        """Return the accents one by one; none where it is unknown."""
        return tuple(self.accent.split(ACCENT_SEPARATOR)) if self.accent else ()


@functools.lru_cache(maxsize=10_000)
def shared_attributes(items: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """Return attributes as a mapping that equal attributes share, so that those of a speaker are held once; it must not be changed.

    Args:
        items: name and value of each.
    """
    return dict(items)


def accent_labels(value: object) -> list[str]:
    """Return the accents that a corpus's field states, one by one and in its order.

    Args:
        value: a text, several labels in it joined by `|`; a list of labels (JSON, Parquet), also as the text of one (a CSV written from
            a table with lists); None where nothing is stated.

    >>> accent_labels("welsh|english"), accent_labels(["welsh", " "]), accent_labels("['welsh', 'english']"), accent_labels(None)
    (['welsh', 'english'], ['welsh'], ['welsh', 'english'], [])
    """
    if isinstance(value, str) and value.strip().startswith("[") and value.strip().endswith("]"):
        value = _listed(value)
    if value is None or (isinstance(value, float) and value != value):
        return []
    items = value if isinstance(value, list | tuple | set | frozenset) else str(value).split(ACCENT_SEPARATOR)
    return [text for item in items if item is not None and (text := str(item).strip())]


def _listed(text: str) -> object:
    """Return the list that a text spells, in JSON's or Python's way, and the text itself where it spells none."""
    try:
        found = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return found if isinstance(found, list) and all(isinstance(item, str) for item in found) else text


def join_accents(labels: Iterable[str]) -> str | None:
    """Return the labels as one text, each once, sorted, joined by `|`; None where there are none.

    >>> join_accents(["welsh", "english", "welsh"])
    'english|welsh'
    """
    clean = sorted({label.replace(ACCENT_SEPARATOR, "/").strip() for label in labels} - {""})
    return ACCENT_SEPARATOR.join(clean) or None
