"""What a recogniser is, and how it reads a recording."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np


class TranscriptionError(Exception):
    """This sample has no hypothesis; the text says why."""


@dataclass(frozen=True)
class Clip:
    """One recording to transcribe."""

    sample_id: str
    path: Path
    language: str | None = None


@dataclass(frozen=True)
class Recogniser:
    """Base of all recognisers. Fields are settings; models are loaded by `open`, in the process that transcribes."""

    #: `processes`: one copy a core; `threads`: waits for others, so many at once; `one`: fills the machine by itself.
    runs_in: ClassVar[Literal["processes", "threads", "one"]] = "one"
    #: Settings that change no hypothesis, and so not whose hypotheses these are.
    indifferent: ClassVar[frozenset[str]] = frozenset()

    def check(self) -> None:
        """Raise RoomtoneError where the settings cannot work; called once, before anything runs."""

    def open(self) -> None:
        """Load what transcribing needs; called once in each worker."""

    def transcribe(self, clip: Clip) -> str:
        """Return the text of one recording; raises TranscriptionError."""
        raise NotImplementedError

    @property
    def at_once(self) -> int | None:
        """Return how many recordings may be asked for at once, or None for the number of cores."""
        return None

    def identity(self) -> dict[str, Any]:
        """Return the settings that decide what is heard, in plain JSON types."""
        return {
            f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.init and f.name not in self.indifferent
        }


def read_audio(path: Path, sample_rate_hz: int) -> np.ndarray:
    """Return the recording as mono float32 [shape=(samples,)] at this rate.

    Raises:
        TranscriptionError: the file is missing, not a regular file, or cannot be read.
    """
    import soundfile

    if not path.is_file():
        raise TranscriptionError(f"there is no audio file {path.name}")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise TranscriptionError(f"cannot be read: {str(error).splitlines()[0]}") from error
    mono: np.ndarray = samples.mean(axis=1)
    if rate != sample_rate_hz:
        import soxr

        mono = soxr.resample(mono, rate, sample_rate_hz)
    return mono.astype(np.float32)
