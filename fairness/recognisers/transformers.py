"""Any speech model that Hugging Face's pipeline loads (extra `transformers`), from a folder or its own cache."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from roomtone.core.errors import RoomtoneError
from roomtone.core.extras import how_to_install
from roomtone.fairness.recognisers.base import Recogniser, SampleAudio, read_samples

_RATE_HZ = 16000


@dataclass(frozen=True)
class Transformers(Recogniser):
    """`model`: a folder, or a name in the hub; code that comes with a model is never run."""

    no_effect_on_text: ClassVar[frozenset[str]] = frozenset({"device"})
    model: str
    device: str = "cpu"
    _pipeline: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    def check(self) -> None:
        """Refuse a machine without the libraries, and a folder that is none.

        Raises:
            RoomtoneError: one of these.
        """
        if not self.model:
            raise RoomtoneError("asr.model: the folder of a model, or its name in the hub, is needed")
        folder = Path(self.model).expanduser()
        if folder.is_file():
            raise RoomtoneError(f"asr.model: {self.model!r} is a file; name its folder")
        if self.model.startswith((os.sep, ".", "~")) and not folder.is_dir():
            raise RoomtoneError(f"asr.model: there is no folder {self.model!r}")
        for name in ("transformers", "torch"):
            if importlib.util.find_spec(name) is None:
                raise RoomtoneError(f"asr=transformers needs {name}: {how_to_install('transformers')}")

    def open(self) -> None:
        """Load the model."""
        from transformers import pipeline

        try:
            made = pipeline(
                "automatic-speech-recognition", model=self.model, device=self.device, trust_remote_code=False
            )
        except (ValueError, RuntimeError, OSError) as error:
            raise RoomtoneError(
                f"asr=transformers: {self.model!r} cannot be loaded ({str(error).splitlines()[0]})"
            ) from error
        self._pipeline.append(made)

    def transcribe(self, clip: SampleAudio) -> str:
        """Return the pipeline's text."""
        samples = read_samples(clip, _RATE_HZ)
        return str(self._pipeline[0]({"raw": samples, "sampling_rate": _RATE_HZ})["text"]).strip()
