"""A folder of recordings, its sub-folders included, with transcripts of the same name in `.txt` beside them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.recording_files import AUDIO_SUFFIXES
from roomtone.core.audio.segment import AudioRef
from roomtone.core.bounded.lines import open_bounded_text
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
        for path in walk_files(home, AUDIO_SUFFIXES, self._root()):
            name = path.relative_to(home).as_posix()
            file, problem = files.find(name)
            text, wrong_text = _transcript(path.with_suffix(".txt"))
            accent = _labelled(self.accent, path)
            yield self.utterance(
                name,
                AudioRef(file),
                text=text,
                speaker=_labelled(self.speaker, path),
                accent=None if accent is None else [accent],
                problem=problem or wrong_text,
            )

    def _root(self) -> Path | None:
        return Path(self.root).expanduser().absolute() if self.root else None

    def skipped(self) -> Counter[str]:
        """Return how many files of the folder are not read, by their ending: neither recordings nor their transcripts."""
        found: Counter[str] = Counter()
        for folder, names in _visible_files(self.folder(), self._root()):
            recorded = {stem for stem, ending in map(os.path.splitext, names) if ending.lower() in AUDIO_SUFFIXES}
            for stem, ending in map(os.path.splitext, names):
                transcript = ending == ".txt" and stem in recorded
                if ending.lower() not in AUDIO_SUFFIXES and not transcript:
                    found[ending.lower() or "no ending"] += 1
            links = [entry for entry in os.scandir(folder) if entry.is_symlink() and entry.is_dir()]
            found["linked folder"] += sum(not _followed(Path(link.path), self._root()) for link in links)
        return +found


def walk_files(home: Path, suffixes: tuple[str, ...], root: Path | None = None) -> Iterator[Path]:
    """Yield the files of a tree with these endings, sorted within each folder; hidden ones are left out.

    Args:
        home: the tree's folder.
        suffixes: endings in lower case, each with its dot.
        root: links to folders inside of it are followed; None follows no link to a folder.
    """
    for folder, names in _visible_files(home, root):
        for name in names:
            if os.path.splitext(name)[1].lower() in suffixes:
                yield folder / name


def _visible_files(home: Path, root: Path | None) -> Iterator[tuple[Path, list[str]]]:
    """Yield each folder of a tree with the names of the files in it, sorted, hidden ones left out."""
    for folder, subfolders, names in os.walk(home, followlinks=root is not None):
        visible = sorted(name for name in subfolders if not name.startswith("."))
        subfolders[:] = [name for name in visible if _followed(Path(folder, name), root)]
        yield Path(folder), sorted(name for name in names if not name.startswith("."))


def _followed(folder: Path, root: Path | None) -> bool:
    """Return whether a sub-folder is walked: a link only where it stays inside the root and leads to no folder above itself."""
    if not folder.is_symlink():
        return True
    if root is None:
        return False
    real, inside = Path(os.path.realpath(folder)), Path(os.path.realpath(root))
    above = Path(os.path.realpath(folder.parent))
    return inside in (real, *real.parents) and real not in (above, *above.parents)


def _labelled(key: str | None, path: Path) -> str | None:
    return path.parent.name if key == _FROM_PARENT else key


def _transcript(path: Path) -> tuple[str | None, str | None]:
    """Return the text of a transcript, None where there is none, and what is wrong with it."""
    if not path.is_file():
        return None, None
    try:
        with open_bounded_text(path) as file:
            return " ".join(file.read(_TEXT_BYTES).split()), None
    except (OSError, UnicodeDecodeError) as error:
        return None, f"{path}: the transcript cannot be read ({error})"
