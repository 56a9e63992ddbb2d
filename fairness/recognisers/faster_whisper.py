"""Whisper models through CTranslate2 (`pip install 'roomtone[faster-whisper]'`), from a folder or the library's own cache."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from typing import Any, ClassVar

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.recognisers.base import Recogniser, SampleAudio, read_samples

_RATE_HZ = 16000


@dataclass(frozen=True)
class FasterWhisper(Recogniser):
    """`model`: a folder with a converted model, or a name that the library knows how to find."""

    no_effect_on_text: ClassVar[frozenset[str]] = frozenset({"device"})
    model: str
    device: str = "auto"
    compute_type: str = "default"
    beam_size: int = 5
    language: str | None = None
    _model: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    def check(self) -> None:
        """Refuse a machine without the library."""
        if importlib.util.find_spec("faster_whisper") is None:
            raise RoomtoneError("asr=faster_whisper needs its library: pip install 'roomtone[faster-whisper]'")

    def open(self) -> None:
        """Load the model."""
        from faster_whisper import WhisperModel

        try:
            self._model.append(WhisperModel(self.model, device=self.device, compute_type=self.compute_type))
        except (ValueError, RuntimeError, OSError) as error:
            raise RoomtoneError(
                f"asr=faster_whisper: {self.model!r} cannot be loaded ({str(error).splitlines()[0]})"
            ) from error

    def transcribe(self, clip: SampleAudio) -> str:
        """Return the segments' text; temperature stays at 0, so that a second run hears the same."""
        samples = read_samples(clip, _RATE_HZ)
        segments, _ = self._model[0].transcribe(
            samples, language=self.language or clip.language, beam_size=self.beam_size, temperature=0.0
        )
        return " ".join(segment.text.strip() for segment in segments)
