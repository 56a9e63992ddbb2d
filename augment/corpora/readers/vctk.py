"""VCTK in both layouts: `wav48/p225/p225_001.wav` (0.80) and `wav48_silence_trimmed/p225/p225_001_mic1.flac` (0.92).

Traps that are met here: `speaker-info.txt` is aligned by spaces, regions may be empty, of several words, or followed by a
remark in parentheses; ids are "225" or "p225"; for some speakers the word English of "Australian English" is the first
word of the region; p315 has no transcripts, p280 no second microphone, and of p362 some recordings are missing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.segment import AudioRef
from roomtone.core.bounded.regular_files import read_text
from roomtone.core.errors import RoomtoneError

_LINE = re.compile(r"^([ps]?\d+)\s+(\d+)?\s*([MF])?\s+(\S+)[ \t]*(.*)$")


@dataclass(frozen=True)
class Speaker:
    """One line of speaker-info.txt."""

    id: str
    age: str | None
    gender: str | None
    accent: str
    region: str | None


@dataclass(frozen=True)
class Vctk(Reader):
    """Keys of `corpus=vctk`; `mic` chooses the microphone of the 0.92 layout."""

    kind: ClassVar[str] = "vctk"

    mic: Literal["mic1", "mic2"] = "mic1"

    def utterances(self) -> Iterator[Utterance]:
        """Yield the utterances of the speakers of speaker-info.txt; a transcript without its recording has a problem."""
        home = self.folder()
        new = (home / "wav48_silence_trimmed").is_dir()
        audio = home / ("wav48_silence_trimmed" if new else "wav48")
        if not audio.is_dir():
            raise RoomtoneError(f"{home}: neither wav48_silence_trimmed nor wav48 is in it; is it the VCTK folder?")
        ending = f"_{self.mic}.flac" if new else ".wav"
        files = self.audio_files(home)
        for speaker in read_speakers(home / "speaker-info.txt"):
            folder = speaker.id if (audio / speaker.id).is_dir() or not speaker.id.isdigit() else f"p{speaker.id}"
            recorded = {path.name.removesuffix(ending) for path in (audio / folder).glob(f"*{ending}")}
            texts = {path.stem: path for path in (home / "txt" / folder).glob("*.txt")}
            for name in sorted(recorded | set(texts)):
                file, problem = files.find(f"{audio.name}/{folder}/{name}{ending}")
                yield self.utterance(
                    name,
                    AudioRef(file),
                    text=_text(texts.get(name)),
                    speaker=folder,
                    accent=speaker.accent,
                    attributes={"age": speaker.age, "gender": speaker.gender, "region": speaker.region},
                    problem=problem,
                )


def _text(path: Path | None) -> str | None:
    return None if path is None else " ".join(read_text(path, errors="replace").split())


def read_speakers(path: Path) -> list[Speaker]:
    """Return the speakers of a `speaker-info.txt`.

    Args:
        path: of either release.

    Raises:
        RoomtoneError: there is no such file, or a line does not parse.
    """
    if not path.is_file():
        raise RoomtoneError(f"{path}: there is no such file; is it the VCTK folder?")
    speakers = []
    for number, line in enumerate(read_text(path, errors="replace").splitlines(), start=1):
        if not line.strip() or line.split()[0].upper() == "ID":
            continue
        match = _LINE.match(line.strip())
        if match is None:
            raise RoomtoneError(f"{path}, line {number}: expected ID AGE GENDER ACCENTS REGION, got {line.strip()!r}")
        name, age, gender, accent, rest = match.groups()
        region = re.sub(r"\([^()]*\)", "", rest)  # 0.92 remarks there which files are missing
        if accent != "English":
            region = re.sub(r"^English\b", "", region)  # "Australian English  Sydney"
        speakers.append(Speaker(name, age, gender, accent, " ".join(region.split()) or None))
    return speakers
