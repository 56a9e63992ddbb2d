"""The bundled corpus: ward orders in twelve synthetic accents (see `demo_voice` and `demo_data/README.md`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from roomtone.augment import DEMO_FOLDER
from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.tables import read_rows
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError

#: The orders of the corpus as a JSGF grammar, for a recogniser that takes one.
GRAMMAR = DEMO_FOLDER / "ward_orders.gram"
_COLUMNS = ("id", "audio", "text", "speaker", "accent", "accent_raw")


@dataclass(frozen=True)
class Demo(Reader):
    """The demo corpus has no keys of its own."""

    kind: ClassVar[str] = "demo"

    speech_origin: Literal["recorded", "synthetic"] = "synthetic"

    @property
    def home(self) -> Path:
        """Return the folder of the bundled recordings.

        Raises:
            RoomtoneError: a `path` is given, which is another corpus's.
        """
        if self.path is not None:
            raise RoomtoneError(
                f"corpus.path: corpus=demo is the bundled corpus and reads no path; for {self.path} write corpus=table, or another of "
                "`roomtone list corpus`"
            )
        return DEMO_FOLDER

    def utterances(self) -> Iterator[Utterance]:
        """Yield the bundled recordings; their paths are `package:demo/NAME.flac` on every machine."""
        for row in read_rows(self.home / "table.csv"):
            yield self.utterance(
                row["id"],
                AudioRef(f"package:demo/{row['audio']}"),
                text=row["text"],
                speaker=row["speaker"],
                accent=row["accent"],
                accent_raw=row["accent_raw"],
                attributes={key: value for key, value in row.items() if key not in _COLUMNS},
            )
