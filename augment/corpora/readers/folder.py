"""A folder of recordings, its sub-folders included, with transcripts of the same name in `.txt` beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from roomtone.augment.corpora.readers.audio_files import AUDIO_SUFFIXES
from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.utterance import Utterance, join_accents
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError

_FROM_PARENT = "from_parent"
_TEXT_BYTES = 100_000


@dataclass(frozen=True)
class Folder(Reader):
    """Keys of `corpus=folder`.

    Attributes:
        accent: one accent for all files, or `from_parent`: the name of the folder a file lies in.
        speaker: one speaker for all files, `from_parent`, or null where it is not known.
    """

    kind: ClassVar[str] = "folder"

    accent: str | None = None
    speaker: str | None = None

    def utterances(self) -> Iterator[Utterance]:
        """Yield one utterance an audio file, in the order of their paths."""
        home = self.folder()
        if self.accent is None:
            raise RoomtoneError(
                "corpus=folder: the key corpus.accent is missing; corpus.accent=LABEL or corpus.accent=from_parent"
            )
        files = self.audio_files(home)
        for path in walk_files(home, AUDIO_SUFFIXES):
            name = path.relative_to(home).as_posix()
            file, problem = files.find(name)
            text, wrong_text = _transcript(path.with_suffix(".txt"))
            accent = _labelled(self.accent, path)
            yield self.utterance(
                name,
                AudioRef(file),
                text=text,
                speaker=_labelled(self.speaker, path),
                accent=None if accent is None else join_accents([accent]),
                problem=problem or wrong_text,
            )


def walk_files(home: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files of a tree with these endings, sorted within each folder; hidden ones and linked folders are left out."""
    for folder, subfolders, names in os.walk(home):
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in suffixes:
                yield Path(folder, name)


def _labelled(key: str | None, path: Path) -> str | None:
    return path.parent.name if key == _FROM_PARENT else key


def _transcript(path: Path) -> tuple[str | None, str | None]:
    """Return the text of a transcript, None where there is none, and what is wrong with it."""
    if not path.is_file():
        return None, None
    try:
        with open(path, encoding="utf-8-sig") as file:
            return " ".join(file.read(_TEXT_BYTES).split()), None
    except (OSError, UnicodeDecodeError) as error:
        return None, f"{path}: the transcript cannot be read ({error})"
