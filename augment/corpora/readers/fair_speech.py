"""Fair-Speech: a TSV of commands to a voice assistant with the speakers' own statements, and one WAV a row.

There is no column that says who speaks, and none that says which accent. So `speaker` is null, and what needs speakers
(intervals by speaker, splits) is refused rather than made up; the accent is what `corpus.accent_from` names, the first
language by default.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.columns import require_columns
from roomtone.augment.corpora.readers.tables import columns_of, read_rows
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError

_AUDIO_FOLDERS = ("audio", "asr_fairness_audio", "wavs", ".")


@dataclass(frozen=True)
class FairSpeech(Reader):
    """Keys of `corpus=fair_speech`; `accent_from` is a column of the table, or null for no accents."""

    kind: ClassVar[str] = "fair_speech"

    accent_from: str | None = "first_language"

    def utterances(self) -> Iterator[Utterance]:
        """Yield one utterance a row."""
        home = self.folder()
        table = self._table(home)
        found = columns_of(table, quoting=False)
        require_columns(found, {"audio": "hash_name", "text": "transcription"}, table)
        if self.accent_from:
            require_columns(found, {"accent": self.accent_from}, table)
        others = [name for name in found if name not in ("hash_name", "transcription")]
        folder = next(home / name for name in _AUDIO_FOLDERS if (home / name).is_dir())
        files = self.audio_files(folder)
        for row in read_rows(table, quoting=False):
            file, problem = files.find(f"{row['hash_name']}.wav")
            yield self.utterance(
                row["hash_name"],
                AudioRef(file),
                text=row["transcription"],
                speaker=None,
                accent=row[self.accent_from] if self.accent_from else None,
                attributes={key: row.get(key) for key in others},
                problem=problem,
            )

    @staticmethod
    def _table(home: Path) -> Path:
        tables = sorted(home.glob("*.tsv"))
        if len(tables) != 1:
            names = ", ".join(path.name for path in tables) or "none"
            raise RoomtoneError(f"{home}: expected one TSV in it, the metadata; found {names}")
        return tables[0]
