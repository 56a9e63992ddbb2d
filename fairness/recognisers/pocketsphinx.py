"""CMU PocketSphinx: a real recogniser that needs no network, weak but honest; with a JSGF grammar or its general English model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from roomtone.core.bounded.regular_files import read_text
from roomtone.core.errors import RoomtoneError
from roomtone.core.extras import how_to_install
from roomtone.fairness.recognisers.base import Recogniser, SampleAudio, TranscriptionError, read_samples

_RATE_HZ = 16000


@dataclass(frozen=True)
class PocketSphinx(Recogniser):
    """`grammar`: path of a JSGF grammar; null takes the general English language model."""

    runs_in: ClassVar[Literal["processes", "threads", "one"]] = "processes"
    grammar: str | None = None
    _decoder: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    def check(self) -> None:
        """Refuse a missing grammar, and a machine without PocketSphinx.

        Raises:
            RoomtoneError: one of these.
        """
        import importlib.util

        if importlib.util.find_spec("pocketsphinx") is None:
            raise RoomtoneError(f"asr=pocketsphinx needs PocketSphinx: {how_to_install('asr')}")
        if self.grammar is not None and not Path(self.grammar).is_file():
            raise RoomtoneError(f"asr.grammar: there is no file {self.grammar!r}")

    def identity(self) -> dict[str, Any]:
        """Return the grammar's text rather than its place."""
        return {"grammar": None if self.grammar is None else read_text(self.grammar)}

    def open(self) -> None:
        """Load the acoustic model and the grammar or language model, about a second.

        Raises:
            RoomtoneError: the decoder does not start.
        """
        from pocketsphinx import Decoder

        options = {} if self.grammar is None else {"jsgf": self.grammar, "lm": None}
        try:
            self._decoder.append(Decoder(loglevel="FATAL", **options))
        except (RuntimeError, ValueError) as error:
            raise RoomtoneError(
                f"asr=pocketsphinx: the decoder does not start ({error}); grammar: {self.grammar}"
            ) from error

    def transcribe(self, clip: SampleAudio) -> str:
        """Return the best path's words; no path at all is an empty answer.

        Args:
            clip: the recording.

        Raises:
            TranscriptionError: it is shorter than 0.1 s, or cannot be read.
        """
        samples = read_samples(clip, _RATE_HZ)
        if samples.size < _RATE_HZ // 10:
            raise TranscriptionError(f"shorter than 0.1 s ({samples.size} samples)")
        if not self._decoder:
            self.open()
        decoder = self._decoder[0]
        pcm = np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)
        # the noise floor and cepstral mean of the utterance before would leak into this one, and order would matter
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(pcm.tobytes(), no_search=False, full_utt=True)
        decoder.end_utt()
        heard = decoder.hyp()
        return str(heard.hypstr) if heard is not None else ""
