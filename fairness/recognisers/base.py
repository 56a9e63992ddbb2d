"""What a recogniser is, and how it reads a recording."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from roomtone.core.audio.reading import BadAudioError, read_audio
from roomtone.core.audio.segment import AudioRef
from roomtone.core.dataset.sample_bytes import sample_bytes
from roomtone.core.errors import RoomtoneError

#: Begins the reason of a recording that nobody received: no server was reached, so none can have charged for it.
NOT_SENT = "no connection, nothing was sent"


class TranscriptionError(Exception):
    """This sample has no hypothesis; the text says why."""


@dataclass(frozen=True)
class SampleAudio:
    """One recording to transcribe: a file of its set, or a member of one of the set's shards."""

    sample_id: str
    dataset: str
    audio_path: str
    language: str | None = None

    @property
    def suffix(self) -> str:
        """Return the ending of the recording's name, with its dot."""
        return Path(self.audio_path.rpartition("#")[2]).suffix

    def read(self) -> bytes:
        """Return the encoded recording.

        Raises:
            TranscriptionError: the path leaves the set, or there is no such file or member.
        """
        try:
            return sample_bytes(self.dataset, self.audio_path)
        except RoomtoneError as error:
            raise TranscriptionError(str(error)) from error

    @contextlib.contextmanager
    def file(self) -> Iterator[Path]:
        """Give the recording a path: its own, or that of a copy which is gone afterwards."""
        data = self.read()  # checks the path, too
        own = Path(self.dataset) / self.audio_path
        if "#" not in self.audio_path and own.is_file():
            yield own
            return
        with tempfile.TemporaryDirectory(prefix="roomtone-") as folder:
            copy = Path(folder) / f"audio{self.suffix}"
            copy.write_bytes(data)
            yield copy


@dataclass(frozen=True)
class Recogniser:
    """Base of all recognisers. Fields are settings; models are loaded by `open`, in the process that transcribes."""

    #: `processes`: one copy a core; `threads`: waits for others, so many at once; `one`: fills the machine by itself.
    runs_in: ClassVar[Literal["processes", "threads", "one"]] = "one"
    #: Settings that change no hypothesis and so are no part of the recogniser's identity.
    no_effect_on_text: ClassVar[frozenset[str]] = frozenset()

    def check(self) -> None:
        """Raise RoomtoneError where the settings cannot work; called once, before anything runs."""

    def open(self) -> None:
        """Load what transcribing needs; called once in each worker."""

    def transcribe(self, clip: SampleAudio) -> str:
        """Return the text of one recording; raises TranscriptionError.

        Args:
            clip: the recording.
        """
        raise NotImplementedError

    @property
    def decoding(self) -> str:
        """Return how text is decoded, in words for the report; empty where nothing is chosen."""
        return ""

    @property
    def at_once(self) -> int | None:
        """Return how many recordings may be asked for at once, or None for the number of cores."""
        return None

    def identity(self) -> dict[str, Any]:
        """Return the settings that decide what is heard, in plain JSON types."""
        return {
            f.name: getattr(self, f.name)
            for f in dataclasses.fields(self)
            if f.init and f.name not in self.no_effect_on_text
        }


def read_samples(clip: SampleAudio, sample_rate_hz: int) -> np.ndarray:
    """Return the recording as mono float32, full scale +-1.0 [shape=(samples,)].

    Args:
        clip: the recording.
        sample_rate_hz: the rate that the recogniser wants.

    Raises:
        TranscriptionError: it is missing, of a kind that sets do not hold, or damaged.
    """
    with clip.file() as path:
        try:
            return read_audio(AudioRef(str(path)), sample_rate_hz)
        except BadAudioError as error:
            raise TranscriptionError(f"cannot be read: {error.reason}") from error
