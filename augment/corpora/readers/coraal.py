"""CORAAL, African American English in interviews: `*_metadata_*.txt`, a transcript `FILE.txt` and a recording `FILE.wav` each.

Traps that are met here: the metadata has one row a *file*, so a speaker with two files has two rows; transcripts
hold the interviewer's lines too, which have no metadata and are left out; text is marked up: (pauses), /redactions and
what was not understood/, <sounds>, [overlaps]. Columns `Line Spkr StTime Content EnTime` [recalled].
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.columns import require_columns
from roomtone.augment.corpora.readers.folder import walk_files
from roomtone.augment.corpora.readers.tables import columns_of, read_rows
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError

_MARKS = re.compile(r"\([^()]*\)|/[^/]*/|<[^<>]*>|[\[\]]")
_ATTRIBUTES = {
    "Gender": "gender",
    "Age": "age",
    "Age.Group": "age_group",
    "Year.of.Birth": "year_of_birth",
    "Education": "education",
    "Edu.Group": "education_group",
    "Occupation": "occupation",
    "CORAAL.SEC.Group": "socioeconomic_group",
}


@dataclass(frozen=True)
class Coraal(Reader):
    """The CORAAL reader has no keys of its own; `path` holds one component or several."""

    kind: ClassVar[str] = "coraal"

    def utterances(self) -> Iterator[Utterance]:
        """Yield the lines of the people interviewed."""
        home = self.folder()
        speakers = self._speakers(home)
        sounds = {path.stem: path for path in walk_files(home, (".wav", ".flac"))}
        files = self.audio_files(home)
        for path in walk_files(home, (".txt",)):
            if path.stem in speakers:
                name = sounds[path.stem].relative_to(home).as_posix() if path.stem in sounds else f"{path.stem}.wav"
                yield from self._lines(path, speakers[path.stem], *files.find(name))

    @staticmethod
    def _speakers(home: Path) -> dict[str, dict[str, Any]]:
        """Return file -> its row of the metadata, each file once."""
        tables = [path for path in walk_files(home, (".txt",)) if "_metadata_" in path.name]
        if not tables:
            raise RoomtoneError(f"{home}: no *_metadata_*.txt is in it")
        rows: dict[str, dict[str, Any]] = {}
        for table in tables:
            require_columns(columns_of(table, quoting=False), {"file": "CORAAL.File", "speaker": "CORAAL.Spkr"}, table)
            for row in read_rows(table, quoting=False):
                rows.setdefault(row["CORAAL.File"], row)
        return rows

    def _lines(self, path: Path, about: dict[str, Any], file: str, problem: str | None) -> Iterator[Utterance]:
        found = columns_of(path, quoting=False)
        require_columns(found, {"speaker": "Spkr", "start": "StTime", "text": "Content", "end": "EnTime"}, path)
        component = about.get("CORAAL.Sub") or path.stem.split("_")[0]
        attributes: dict[str, object] = {name: about.get(column) for column, name in _ATTRIBUTES.items()}
        for row in read_rows(path, quoting=False):
            text = " ".join(_MARKS.sub(" ", row["Content"]).split())
            if row["Spkr"] != about["CORAAL.Spkr"] or not text:
                continue
            start, wrong = _time(row["StTime"])
            end, wrong_end = _time(row["EnTime"])
            marks = {"overlap": "[" in row["Content"], "redacted_or_unclear": "/" in row["Content"]}
            yield self.utterance(
                f"{path.stem}/{row.get('Line') or row['StTime']}",
                AudioRef(file, start, max(end - start, 0.0) or None),
                text=text,
                speaker=row["Spkr"],
                accent=component,
                attributes={
                    **attributes,
                    "component": component,
                    **{k: "yes" if v else "no" for k, v in marks.items()},
                },
                problem=problem
                or wrong
                or wrong_end
                or (None if end > start else f"ends at {end:g} s, before it begins"),
            )


def _time(value: str) -> tuple[float, str | None]:
    try:
        return float(value), None
    except ValueError:
        return 0.0, f"{value!r} is not a time in seconds"
