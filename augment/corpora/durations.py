"""How long utterances last, without decoding what need not be decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.reading import inspect
from roomtone.core.errors import RoomtoneError

if TYPE_CHECKING:
    pass


def duration_s(utterance: Utterance) -> float:
    """Return the length of an utterance in seconds, from the corpus or the file's header.

    Raises:
        BadAudioError: the file cannot be used.
    """
    from roomtone.core.audio.reading import inspect

    audio = utterance.audio
    return audio.duration_s or inspect(audio.path).duration_s - audio.offset_s


def durations_s(utterances: tuple[Utterance, ...]) -> dict[str, float | None]:
    """Return each utterance's length in seconds from its header, None where it cannot be read."""
    found: dict[str, float | None] = {}
    for utterance in utterances:
        ref = utterance.audio
        try:
            found[utterance.utterance_id] = ref.duration_s or inspect(ref.path).duration_s - ref.offset_s
        except (RoomtoneError, OSError):
            found[utterance.utterance_id] = None
    return found
