"""EdAcc: conversations in many accents, `edacc_v1.0/{dev,test}/{segments,text,utt2spk,stm}`, `data/*.wav`,
`linguistic_background.csv`.

Traps that are met here: the questionnaire's headers are whole questions, some with curly quotes and spaces at the end;
the accent is what the speaker wrote into it, free text; segments marked as not to be scored are left out; marks such as
`<laugh>` are taken out of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.columns import one_of, require_columns
from roomtone.augment.corpora.readers.kaldi import read_map, read_segments
from roomtone.augment.corpora.readers.tables import columns_of, read_lines, read_rows
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError

IGNORED = "IGNORE_TIME_SEGMENT_IN_SCORING"
_ACCENT_QUESTION = "how would you describe your accent"
_ETHNICITY_QUESTION = "what's your ethnic background"
_MARK = re.compile(r"<[^<>]*>")
_STM_LABEL = re.compile(r"<([^<,>]*),([^<,>]*)>")


@dataclass(frozen=True)
class EdAcc(Reader):
    """Keys of `corpus=edacc`; `split` is dev or test."""

    kind: ClassVar[str] = "edacc"

    split: str = "test"

    def utterances(self) -> Iterator[Utterance]:
        """Yield the segments that are to be scored."""
        home = self.folder()
        splits = [name for name in ("dev", "test") if (home / name / "segments").is_file()]
        part = home / one_of(self.split, splits, "corpus.split")
        text, speakers = read_map(part / "text"), read_map(part / "utt2spk")
        background = read_background(home / "linguistic_background.csv")
        labels = _stm_labels(part / "stm")
        files = self.audio_files(home / "data")
        for name, recording, start, duration in read_segments(part / "segments"):
            words = text.get(name, "")
            spoken = " ".join(_MARK.sub(" ", words).split())
            if IGNORED in words.upper() or not spoken:
                continue
            speaker = speakers.get(name)
            accent, ethnicity = background.get(speaker or "", (None, None))
            gender, l1 = labels.get(speaker or "", (None, None))
            file, problem = files.find(f"{recording}.wav")
            yield self.utterance(
                name,
                AudioRef(file, start, duration),
                text=spoken,
                speaker=speaker,
                accent=None if accent is None else [accent],
                accent_raw=accent,
                attributes={"gender": gender, "english_is": l1, "ethnicity": ethnicity},
                problem=problem,
            )


def read_background(path: Path) -> dict[str, tuple[str | None, str | None]]:
    """Return participant -> (accent, ethnicity) in their own words.

    Args:
        path: `linguistic_background.csv`.

    Raises:
        RoomtoneError: no such file, or no column that asks for the accent.
    """
    if not path.is_file():
        raise RoomtoneError(f"{path}: there is no such file; it holds the accents")
    found = columns_of(path)
    require_columns(found, {"speaker": "PARTICIPANT_ID"}, path)
    accent = _question(found, _ACCENT_QUESTION)
    ethnicity = _question(found, _ETHNICITY_QUESTION)
    if accent is None:
        raise RoomtoneError(f"{path}: no column asks {_ACCENT_QUESTION!r}; columns: {', '.join(found)}")
    return {row["PARTICIPANT_ID"]: (row.get(accent), row.get(ethnicity or "")) for row in read_rows(path)}


def _question(found: list[str], question: str) -> str | None:
    return next((name for name in found if name.replace("\u2019", "'").strip().casefold().startswith(question)), None)


def _stm_labels(path: Path) -> dict[str, tuple[str, str]]:
    """Return speaker -> (gender, l1 or l2) from the labels of an STM file, where there is one."""
    labels: dict[str, tuple[str, str]] = {}
    for line in read_lines(path) if path.is_file() else ():
        fields = line.split(maxsplit=5)
        match = _STM_LABEL.search(fields[5]) if len(fields) == 6 and not line.startswith(";;") else None
        if match:
            labels.setdefault(fields[2], (match[1], match[2]))
    return labels
