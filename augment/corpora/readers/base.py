"""What every reader is: a frozen dataclass of its keys that yields utterances as a stream, again and again.

A reader is two files: one here with a subclass of `Reader`, listed in `corpora.READERS`, and a preset in
`conf/corpus/`. It yields rows as the corpus has them: `accent_raw` filled, `accent` the same text; `Corpus` applies the accent map
and the selection.
"""

from __future__ import annotations

import sys
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from roomtone.augment.corpora.readers.audio_files import AudioFiles
from roomtone.augment.corpora.utterance import Utterance, join_accents, shared_attributes
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError, did_you_mean
from roomtone.core.printable import storable_text
from roomtone.core.vocabulary import ACCENT_SEPARATOR
from roomtone.core.words import one_line


@dataclass(frozen=True)
class Reader:
    """Base of all readers; the fields are the keys of the preset.

    Attributes:
        path: the corpus on disk, a folder or a file.
        root: the folder that `..` and symbolic links may not lead out of; None is the reader's own choice, usually `path`.
        name: what the manifest calls the corpus; None is the reader's name.
        licence: SPDX identifier where there is one.
        attribution: whom to credit, as the card will.
        language: BCP 47 tag, where the corpus does not say it row by row.
        speech_origin: `synthetic` where no person spoke.
    """

    kind: ClassVar[str] = ""

    path: str | None = None
    root: str | None = None
    name: str | None = None
    licence: str | None = None
    attribution: str | None = None
    language: str | None = None
    speech_origin: Literal["recorded", "synthetic"] = "recorded"

    @property
    def corpus(self) -> str:
        """Return what the manifest calls this corpus."""
        return self.name or self.kind

    def utterances(self) -> Iterator[Utterance]:
        """Yield the utterances as the corpus has them."""
        raise NotImplementedError

    def skipped(self) -> Counter[str]:
        """Return how many files of the corpus's folder are not read, by their ending; readers of tables skip none."""
        return Counter()

    @property
    def home(self) -> Path:
        """Return the corpus's folder or file.

        Raises:
            RoomtoneError: no path was given, or there is nothing at it.
        """
        if not self.path:
            raise RoomtoneError(f"corpus={self.kind}: the key corpus.path is missing; type corpus.path=FOLDER_OR_FILE")
        path = Path(self.path).expanduser().absolute()
        if not path.exists():
            beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            raise RoomtoneError(f"corpus.path: there is no {path}{did_you_mean(path.name, beside)}")
        return path

    def folder(self) -> Path:
        """Return the corpus's folder.

        Raises:
            RoomtoneError: as `home`, or it is not a folder.
        """
        home = self.home
        if not home.is_dir():
            raise RoomtoneError(f"corpus.path: {home} is not a folder, which corpus={self.kind} needs")
        return home

    def file(self) -> Path:
        """Return the corpus's file.

        Raises:
            RoomtoneError: as `home`, or it is not a regular file.
        """
        home = self.home
        if not home.is_file():
            raise RoomtoneError(f"corpus.path: {home} is not a file, which corpus={self.kind} needs")
        return home

    def audio_files(self, folder: Path) -> AudioFiles:
        """Return the audio files of this corpus.

        Args:
            folder: what their names are relative to.
        """
        return AudioFiles(folder, Path(self.root).expanduser().absolute() if self.root else folder)

    def utterance(
        self,
        utterance_id: str,
        audio: AudioRef,
        *,
        text: str | None,
        speaker: str | None,
        accent: str | Sequence[str] | None,
        accent_raw: object = None,
        language: str | None = None,
        attributes: Mapping[str, object] | None = None,
        problem: str | None = None,
        stated_s: float | None = None,
    ) -> Utterance:
        """Return an utterance of this corpus; texts are stripped, and what is empty counts as not stated.

        Ids, accents and attributes are brought into Unicode's composed form (NFC), so that two spellings of one label are one.

        Args:
            utterance_id: unique within the corpus, and the same whatever the order of its rows.
            audio: file, offset and length in seconds.
            text: the transcript.
            speaker: who speaks; None where the corpus does not say.
            accent: what the accent map is applied to: one label as it is, or a list of several.
            accent_raw: as the corpus has it; None where that is `accent`.
            language: BCP 47 tag; None takes the corpus's own.
            attributes: further columns; those without a value are left out.
            problem: why the recording cannot be used, where that is known already.
            stated_s: how long the recording is, as the corpus says, seconds.
        """
        raw = _stated(_joined(accent_raw)) or _stated(_joined(accent))
        # every row has the licence, because rows of several corpora may meet in one set
        named = {key: _stated(value) for key, value in {"licence": self.licence, **(attributes or {})}.items()}
        return Utterance(
            utterance_id=unicodedata.normalize("NFC", storable_text(utterance_id)),
            audio=audio,
            text=None if text is None or text != text else one_line(storable_text(str(text))) or None,
            speaker=_stated(speaker),
            accent=_stated(accent if accent is None or isinstance(accent, str) else join_accents(accent)),
            accent_raw=raw,
            language=_stated(language) or self.language,
            corpus=self.corpus,
            speech_origin=self.speech_origin,
            stated_s=stated_s,
            attributes=shared_attributes(tuple((key, value) for key, value in named.items() if value is not None)),
            problem=problem,
        )


def _stated(value: object) -> str | None:
    """Return a value as stripped text in NFC, and None for nothing, NaN and emptiness; equal texts are one object."""
    if value is None or value != value:
        return None
    return sys.intern(unicodedata.normalize("NFC", storable_text(str(value)).strip())) or None


def _joined(value: object) -> object:
    return ACCENT_SEPARATOR.join(map(str, value)) if isinstance(value, list | tuple) else value
