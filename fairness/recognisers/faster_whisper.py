"""Whisper models through CTranslate2 (extra `faster-whisper`), from a folder or the library's own cache."""

from __future__ import annotations

import importlib.util
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from roomtone.core.errors import RoomtoneError
from roomtone.core.extras import how_to_install
from roomtone.fairness.recognisers.base import Recogniser, SampleAudio, read_samples
from roomtone.fairness.scoring.units import primary_language

_RATE_HZ = 16000
_FALLBACK = "fallback"


@dataclass(frozen=True)
class FasterWhisper(Recogniser):
    """Whisper as it is deployed.

    Attributes:
        model: a folder with a converted model, or a name that the library finds.
        device: `auto`, `cpu` or `cuda`.
        compute_type: type of the numbers; another one changes some hypotheses.
        beam_size: hypotheses kept while decoding.
        temperature: `fallback` decodes greedily and, where the library finds the result repetitive or unlikely, again with rising temperature, as the
            library does by default; a number is the only temperature.
        language: of all recordings; null takes each recording's own.
    """

    no_effect_on_text: ClassVar[frozenset[str]] = frozenset({"device"})
    model: str
    device: str = "auto"
    compute_type: str = "default"
    beam_size: int = 5
    temperature: str | float = _FALLBACK
    language: str | None = None
    _model: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    def check(self) -> None:
        """Refuse a machine without the library, a folder that holds no model, and settings that the library does not know.

        Raises:
            RoomtoneError: one of these.
        """
        if importlib.util.find_spec("faster_whisper") is None:
            raise RoomtoneError(f"asr=faster_whisper needs its library: {how_to_install('faster-whisper')}")
        folder = Path(self.model).expanduser()
        is_folder = os.sep in self.model or self.model.startswith((".", "~")) or folder.is_dir()
        if is_folder and not (folder / "model.bin").is_file():
            what = (
                f"the folder {self.model!r} holds no model.bin (a model that CTranslate2 converted)" if folder.is_dir()
                else f"{self.model!r} is a file; name its folder" if folder.is_file()
                else f"there is no folder {self.model!r}"
            )  # fmt: skip
            raise RoomtoneError(f"asr.model: {what}")
        if self.beam_size < 1:
            raise RoomtoneError(f"asr.beam_size: at least 1, got {self.beam_size!r}")
        if isinstance(self.temperature, str) and self.temperature != _FALLBACK:
            raise RoomtoneError(f"asr.temperature: {_FALLBACK!r} or a number, got {self.temperature!r}")

    @property
    def decoding(self) -> str:
        """Return how text is decoded, for the report."""
        how = (
            "temperature 0, raised in steps of 0.2 where the library finds the text repetitive or unlikely"
            if self.temperature == _FALLBACK
            else f"temperature {self.temperature:g}, without fallback"
        )
        return (
            f"beam {self.beam_size}, {how}; language {self.language or 'as the set states it, else found by the model'}"
        )

    def open(self) -> None:
        """Load the model.

        Raises:
            RoomtoneError: the library cannot load it.
        """
        import ctranslate2
        from faster_whisper import WhisperModel

        ctranslate2.set_log_level(logging.ERROR)  # it warns of weights that are stored as float16, which is no fault
        name = str(Path(self.model).expanduser()) if self.model.startswith("~") else self.model
        try:
            self._model.append(WhisperModel(name, device=self.device, compute_type=self.compute_type))
        except (ValueError, RuntimeError, OSError) as error:
            if type(error).__name__ == "LocalEntryNotFoundError":  # huggingface_hub's, which only the library imports
                raise RoomtoneError(
                    f"asr=faster_whisper: the model {self.model!r} is not on this machine and cannot be downloaded (no network?); "
                    "write asr.model=FOLDER of a model that CTranslate2 converted"
                ) from error
            missing = "" if Path(name).is_dir() else "there is no folder of that name here, and "
            raise RoomtoneError(
                f"asr=faster_whisper: {self.model!r}: {missing}it cannot be loaded ({str(error).splitlines()[0]})"
            ) from error

    def transcribe(self, clip: SampleAudio) -> str:
        """Return the segments' text; the sampling of a raised temperature is seeded, so that a second run gives the same.

        Args:
            clip: the recording.
        """
        import ctranslate2

        samples = read_samples(clip, _RATE_HZ)
        options: dict[str, Any] = {} if self.temperature == _FALLBACK else {"temperature": float(self.temperature)}
        ctranslate2.set_random_seed(0)
        segments, _ = self._model[0].transcribe(
            samples, language=primary_language(self.language or clip.language), beam_size=self.beam_size, **options
        )
        return " ".join(segment.text.strip() for segment in segments)
