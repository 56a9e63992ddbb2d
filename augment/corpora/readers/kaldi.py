"""A Kaldi (or ESPnet) data directory: `wav.scp`, `text`, `utt2spk`, and where present `segments`, `utt2lang`,
`spk2gender` or `utt2gender`, and `utt2accent` or `spk2accent`.

Commands in `wav.scp` (a line that ends in `|`) are refused; so are archives with offsets. Paths are relative to the directory,
or absolute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.tables import read_lines
from roomtone.augment.corpora.utterance import Utterance, accent_labels
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError


@dataclass(frozen=True)
class Kaldi(Reader):
    """Keys of `corpus=kaldi`; `accent` is one accent for all, for directories without a file that says it."""

    kind: ClassVar[str] = "kaldi"

    accent: str | None = None

    def utterances(self) -> Iterator[Utterance]:
        """Yield one utterance a line of `segments`, or of `wav.scp` where there is none."""
        home = self.folder()
        recordings = read_map(home / "wav.scp")
        text, speakers = read_map(home / "text"), read_map(home / "utt2spk")
        side = {name: read_map(home / name, required=False) for name in _SIDE}
        files = self.audio_files(home)
        for name, recording, offset_s, duration_s in self._segments(home, recordings):
            file, problem = files.find(recordings.get(recording))
            speaker = speakers.get(name)
            accent = self.accent or side["utt2accent"].get(name) or side["spk2accent"].get(speaker or "")
            gender = side["spk2gender"].get(speaker or "") or side["utt2gender"].get(name)
            yield self.utterance(
                name,
                AudioRef(file, offset_s, duration_s),
                text=text.get(name),
                speaker=speaker,
                accent=accent_labels(accent),
                accent_raw=accent,
                language=side["utt2lang"].get(name),
                attributes={"gender": gender},
                problem=problem,
            )

    @staticmethod
    def _segments(home: Path, recordings: dict[str, str]) -> Iterator[tuple[str, str, float, float | None]]:
        """Yield (utterance, recording, start, length)."""
        if not (home / "segments").is_file():
            yield from ((name, name, 0.0, None) for name in recordings)
            return
        yield from read_segments(home / "segments")


_SIDE = ("utt2accent", "spk2accent", "spk2gender", "utt2gender", "utt2lang")


def read_map(path: Path, *, required: bool = True) -> dict[str, str]:
    """Return key -> rest of the line.

    Args:
        path: a Kaldi table, one key a line.
        required: False gives an empty map where there is no such file.

    Raises:
        RoomtoneError: the file is required and missing, or a key is a duplicate.
    """
    if not path.is_file():
        if required:
            raise RoomtoneError(f"{path}: there is no such file, which a Kaldi data directory needs")
        return {}
    found: dict[str, str] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(read_lines(path), start=1):
        key, _, rest = line.strip().replace("\t", " ", 1).partition(" ")
        if key in found:
            raise RoomtoneError(f"{path}: {key!r} is a duplicate: lines {lines[key]} and {number}; keep one of them")
        if key:
            found[key], lines[key] = rest.strip(), number
    return found


def read_segments(path: Path) -> Iterator[tuple[str, str, float, float | None]]:
    """Yield (utterance, recording, start in seconds, length in seconds); an end of -1 is the recording's.

    Args:
        path: a Kaldi `segments` file.

    Raises:
        RoomtoneError: a line that does not parse.
    """
    for number, line in enumerate(read_lines(path), start=1):
        try:
            name, recording, start, end = line.split()
            begin, stop = float(start), float(end)
        except ValueError as error:
            wanted = "expected UTTERANCE RECORDING START END"
            raise RoomtoneError(f"{path}, line {number}: {wanted}, got {line.strip()!r}") from error
        yield name, recording, begin, None if stop == -1 else stop - begin
