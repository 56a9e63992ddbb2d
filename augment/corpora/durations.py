"""How long utterances last, without decoding them."""

from __future__ import annotations

from collections.abc import Iterable

from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.reading import inspect
from roomtone.core.errors import RoomtoneError


def duration_s(utterance: Utterance) -> float:
    """Return the length of an utterance in seconds, as the corpus states it or else from the file's header.

    Args:
        utterance: its recording is opened only where the corpus states no length.

    Raises:
        BadAudioError: the file cannot be used.
    """
    audio = utterance.audio
    return audio.duration_s or inspect(audio.path).duration_s - audio.offset_s


def durations_s(utterances: Iterable[Utterance]) -> dict[str, float | None]:
    """Return each utterance's length in seconds by its id, None where it cannot be read.

    Args:
        utterances: those of a corpus, each with an id of its own.
    """
    found: dict[str, float | None] = {}
    for utterance in utterances:
        try:
            found[utterance.utterance_id] = duration_s(utterance)
        except (RoomtoneError, OSError):
            found[utterance.utterance_id] = None
    return found
