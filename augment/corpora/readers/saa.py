"""The Speech Accent Archive as it is passed around (Kaggle): `speakers_all.csv`, `reading-passage.txt`,
`recordings/recordings/*.mp3`.

One recording a speaker, one text for all. What is read as the accent is the native language, which is what the archive
states; it is no accent label. Rows that the archive itself marks `file_missing?` are left out. `famale` is read as
`female`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.columns import first_column, require_columns
from roomtone.augment.corpora.readers.tables import columns_of, read_lines, read_rows
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError

_ATTRIBUTES = ("age", "age_onset", "birthplace", "native_language", "sex", "country")


@dataclass(frozen=True)
class SpeechAccentArchive(Reader):
    """The archive's reader has no keys of its own."""

    kind: ClassVar[str] = "saa"

    def utterances(self) -> Iterator[Utterance]:
        """Yield one utterance a speaker whose recording is there."""
        home = self.folder()
        table = home / "speakers_all.csv"
        if not table.is_file():
            raise RoomtoneError(f"{home}: there is no speakers_all.csv in it")
        found = columns_of(table)
        require_columns(found, {"audio": "filename", "accent": "native_language"}, table)
        speaker = first_column(found, ("speakerid", "speaker_id"), "speaker", table)
        nested = home / "recordings" / "recordings"
        files = self.audio_files(nested if nested.is_dir() else home / "recordings")
        passage = home / "reading-passage.txt"
        text = " ".join(" ".join(read_lines(passage)).split()) if passage.is_file() else None
        for row in read_rows(table):
            if str(row.get("file_missing?")).strip().upper() == "TRUE":
                continue
            file, problem = files.find(f"{row['filename']}.mp3" if row["filename"] else None)
            attributes = {key: row.get(key) for key in _ATTRIBUTES}
            attributes["sex"] = {"famale": "female"}.get(attributes["sex"] or "", attributes["sex"])
            yield self.utterance(
                row["filename"],
                AudioRef(file),
                text=text,
                speaker=row[speaker],
                accent=row["native_language"],
                attributes=attributes,
                problem=problem,
            )
