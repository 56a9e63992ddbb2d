"""What every reader is: a frozen dataclass of its keys that yields utterances as a stream, again and again.

A reader is added in two places: a file here with a subclass of `Reader`, listed in `corpora.READERS`, and a preset in
`conf/corpus/`. Its rows come as the corpus has them: `accent_raw` filled, `accent` the same text; the accent map and
the selection are laid over it by `Corpus`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError, nearest

AUDIO_SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3")
#: So many missing files are looked up for a nearest name; a corpus without its audio folder shall not be listed a million times.
_HINTS = 3
_HINT_FOLDER_FILES = 5_000


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

    @property
    def home(self) -> Path:
        """Return the corpus's folder or file.

        Raises:
            RoomtoneError: no path was given, or there is nothing at it.
        """
        if not self.path:
            raise RoomtoneError(
                f"corpus={self.kind}: the key corpus.path is missing; corpus.path=… says where the corpus lies"
            )
        path = Path(self.path).expanduser().absolute()
        if not path.exists():
            beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            raise RoomtoneError(f"corpus.path: there is no {path}{_did_you_mean(path.name, beside)}")
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
        """Return the audio files of this corpus, by their names relative to `folder`."""
        return AudioFiles(folder, Path(self.root).expanduser().absolute() if self.root else folder)

    def utterance(
        self,
        utterance_id: str,
        audio: AudioRef,
        *,
        text: str | None,
        speaker: str | None,
        accent: str | None,
        accent_raw: str | None = None,
        language: str | None = None,
        attributes: Mapping[str, object] | None = None,
        problem: str | None = None,
    ) -> Utterance:
        """Return an utterance of this corpus; texts are stripped, and what is empty counts as not stated."""
        raw = _stated(accent_raw) or _stated(accent)
        # the licence stands in every row, because rows of several corpora may meet in one set
        named = {key: _stated(value) for key, value in {"licence": self.licence, **(attributes or {})}.items()}
        return Utterance(
            utterance_id=utterance_id,
            audio=audio,
            text=" ".join(words.split()) if (words := _stated(text)) else None,
            speaker=_stated(speaker),
            accent=_stated(accent),
            accent_raw=raw,
            language=_stated(language) or self.language,
            corpus=self.corpus,
            speech_origin=self.speech_origin,
            attributes={key: value for key, value in named.items() if value is not None},
            problem=problem,
        )


def _stated(value: object) -> str | None:
    """Return a value as stripped text, and None for nothing, NaN and emptiness."""
    if value is None or value != value:
        return None
    return str(value).strip() or None


def _did_you_mean(name: str, known: list[str]) -> str:
    hint = nearest(name, known) if known else ""
    return f"; {hint}" if hint.startswith("did") else ""


def need_columns(found: list[str] | tuple[str, ...], needed: Mapping[str, str], where: str | os.PathLike[str]) -> None:
    """Check that a table has its columns.

    Args:
        needed: what a column is for -> its name.

    Raises:
        RoomtoneError: one is missing; the message names the columns that are there, the nearest first.
    """
    for use, name in needed.items():
        if name not in found:
            hint = nearest(name, found)
            there = "" if hint.startswith("known") else "; columns: " + ", ".join(found)
            raise RoomtoneError(f"{os.fspath(where)}: there is no column {name!r} (for {use}); {hint}{there}")


def alias(found: list[str], names: tuple[str, ...], use: str, where: str | os.PathLike[str]) -> str:
    """Return the first of a column's names that is there; releases of one corpus differ.

    Raises:
        RoomtoneError: none is there.
    """
    present = next((name for name in names if name in found), None)
    if present is None:
        need_columns(found, {use: names[0]}, where)
    return str(present)


def one_of(value: str, allowed: list[str], key: str) -> str:
    """Return `value` where it is allowed.

    Raises:
        RoomtoneError: it is not; the message names the nearest.
    """
    if value not in allowed:
        raise RoomtoneError(f"{key}={value}: there is none of that name; {nearest(value, allowed)}")
    return value


class AudioFiles:
    """Audio files by name: absolute paths, kept below one root, with the reason where one cannot be used.

    Names come from tables that strangers wrote. An absolute name says where it points and is taken at its word; `..` and
    symbolic links that lead out of the root, commands and addresses are refused. Folders are resolved once, so that two
    million rows cost two million `lstat`, no more.
    """

    def __init__(self, folder: Path, root: Path) -> None:
        self._folder = folder
        self._root = os.path.realpath(root)
        self._folders: dict[str, str] = {}
        self._hints = 0

    def find(self, name: str | None) -> tuple[str, str | None]:
        """Return the absolute path of a file, and what is wrong with it or None."""
        if not name:
            return "", "the row names no audio file"
        if "://" in name or name.lstrip().startswith("pipe:") or name.rstrip().endswith("|"):
            return name, "names a command or an address; only files are read"
        if not name.isprintable() and any(letter < " " for letter in name):
            return repr(name), f"{name!r} has control characters in it"
        path = os.path.normpath(os.path.join(self._folder, name))
        parent, leaf = os.path.split(path)
        if parent not in self._folders:
            if len(self._folders) > 10_000:
                self._folders.clear()
            self._folders[parent] = os.path.realpath(parent)
        real = os.path.join(self._folders[parent], leaf)
        try:
            mode = os.lstat(real).st_mode
        except (OSError, ValueError):
            mode = 0
        if stat.S_ISLNK(mode):
            real = os.path.realpath(real)
        plain = (
            os.path.isabs(name) and os.path.normpath(name) == name and not name.startswith(f"{self._folder}{os.sep}")
        )
        if not plain and self._root != os.sep and not real.startswith(self._root + os.sep):
            elsewhere = "corpus.root=… names another folder that audio may come from"
            return path, f"{name}: lies outside of {self._root}; {elsewhere}"
        if not mode:
            return path, f"{path}: there is no such file{self._hint(path)}"
        return path, None

    def _hint(self, path: str) -> str:
        self._hints += 1
        parent, leaf = os.path.split(path)
        if self._hints > _HINTS or not os.path.isdir(parent):
            return ""
        names = os.listdir(parent)
        return _did_you_mean(leaf, names) if len(names) <= _HINT_FOLDER_FILES else ""
