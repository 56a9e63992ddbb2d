"""LibriSpeech: `SPLIT/SPEAKER/CHAPTER/*.flac` with one `*.trans.txt` a chapter, and `SPEAKERS.TXT`. It states no accents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.columns import one_of
from roomtone.augment.corpora.readers.tables import read_lines
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.segment import AudioRef
from roomtone.core.bounded.regular_files import read_text


@dataclass(frozen=True)
class LibriSpeech(Reader):
    """Keys of `corpus=librispeech`; `split` is a folder such as dev-clean."""

    kind: ClassVar[str] = "librispeech"

    split: str = "dev-clean"

    def utterances(self) -> Iterator[Utterance]:
        """Yield the utterances in the order of their chapters."""
        home = self.folder()
        splits = sorted(path.name for path in home.iterdir() if any(path.glob("*/*/*.trans.txt")))
        part = home / one_of(self.split, splits, "corpus.split")
        sexes = _sexes(home / "SPEAKERS.TXT")
        files = self.audio_files(home)
        for transcript in sorted(part.glob("*/*/*.trans.txt")):
            chapter = transcript.parent.relative_to(home).as_posix()
            speaker = transcript.parent.parent.name
            for line in read_lines(transcript):
                name, _, text = line.strip().partition(" ")
                if not name:
                    continue
                file, problem = files.find(f"{chapter}/{name}.flac")
                yield self.utterance(
                    name,
                    AudioRef(file),
                    text=text,
                    speaker=speaker,
                    accent=None,
                    attributes={"gender": sexes.get(speaker)},
                    problem=problem,
                )


def _sexes(path: Path) -> dict[str, str]:
    """Return reader -> M or F from `ID | SEX | SUBSET | MINUTES | NAME` lines; `;` begins a comment."""
    if not path.is_file():
        return {}
    lines = read_text(path, errors="replace").splitlines()
    fields = [[field.strip() for field in line.split("|")] for line in lines if not line.startswith(";")]
    return {row[0]: row[1] for row in fields if len(row) > 1}
