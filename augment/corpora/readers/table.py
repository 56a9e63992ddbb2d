"""A table of recordings: CSV, TSV, JSON Lines or Parquet.

Columns `audio`, `text`, `speaker`, `accent`, each renamed by `corpus.columns.accent=dialect` and done without by
`corpus.columns.speaker=null`; `id`, `accent_raw`, `language`, `start` and `duration` (seconds) are used where they are
there (a duration without a start only repeats the file's); every other column becomes an attribute. Audio is relative to the
table, or absolute; `..` and symbolic links may not lead out of the table's folder, or `corpus.root`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from roomtone.augment.corpora.readers.audio_files import AudioFiles
from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.columns import require_columns
from roomtone.augment.corpora.readers.tables import columns_of, read_rows
from roomtone.augment.corpora.utterance import Utterance, join_accents
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError, nearest

REQUIRED = ("audio", "text", "speaker", "accent")
OPTIONAL = ("id", "accent_raw", "language", "start", "duration")


@dataclass(frozen=True)
class Table(Reader):
    """Keys of `corpus=table`.

    Attributes:
        columns: what a column is for -> its name in the table; null does without.
        accent: one accent for all rows, for tables without that column.
    """

    kind: ClassVar[str] = "table"

    columns: Mapping[str, Any] = field(default_factory=dict)
    accent: str | None = None

    def utterances(self) -> Iterator[Utterance]:
        """Yield one utterance a row."""
        yield from self.rows_of(self.file())

    def rows_of(self, path: Path) -> Iterator[Utterance]:
        """Yield one utterance a row of a table."""
        names = self._names(path)
        files = self.audio_files(path.parent)
        for row in read_rows(path):
            yield self._utterance(row, names, files, path)

    def renamed(self, use: str) -> str:
        """Return a column's usual name."""
        return use

    def _names(self, path: Path) -> dict[str, str]:
        """Return use -> column for the columns that are used, each known to be there."""
        known = (*REQUIRED, *OPTIONAL)
        for use in self.columns:
            if use not in known:
                raise RoomtoneError(f"corpus.columns: unknown key {use!r}; {nearest(use, known)}")
        found = columns_of(path)
        named = {use: self.columns.get(use, self.renamed(use)) for use in known}
        names = {use: str(name) for use, name in named.items() if name is not None}
        if self.accent is not None:
            names.pop("accent", None)
        stated = {use for use, name in self.columns.items() if name is not None and name != self.renamed(use)}
        require_columns(found, {u: n for u, n in names.items() if u in REQUIRED or u in stated}, path)
        return {use: name for use, name in names.items() if name in found}

    def _utterance(self, row: dict[str, Any], names: dict[str, str], files: AudioFiles, path: Path) -> Utterance:
        value = {use: row.get(name) for use, name in names.items()}
        name = None if value["audio"] is None else str(value["audio"])
        file, problem = files.find(name)
        start, wrong_start = _seconds(value.get("start"), "start")
        duration, wrong_duration = _seconds(value.get("duration"), "duration")
        offset_s = start or 0.0
        label = self.accent or value.get("accent")
        return self.utterance(
            str(value.get("id") or segment_id(name or "", offset_s)),
            AudioRef(file, offset_s, None if start is None else duration),
            text=value.get("text"),
            speaker=value.get("speaker"),
            accent=None if label is None else join_accents(str(label).split("|")),
            accent_raw=value.get("accent_raw") or label,
            language=value.get("language"),
            attributes={key: item for key, item in row.items() if key and key not in set(names.values())},
            problem=problem or wrong_start or wrong_duration,
        )


def segment_id(name: str, offset_s: float) -> str:
    """Return the name of a file or of its segment.

    >>> segment_id("clips/a.wav", 1.5)
    'clips/a.wav@1.5'
    """
    return f"{name}@{offset_s:g}" if offset_s else name


def _seconds(value: object, column: str) -> tuple[float | None, str | None]:
    """Return a number of seconds, and what is wrong with it."""
    if value is None or value == "":
        return None, None
    try:
        seconds = float(str(value))
    except ValueError:
        return None, f"{column} {value!r} is not a number of seconds"
    if not math.isfinite(seconds) or seconds < 0 or (column == "duration" and seconds == 0):
        return None, f"{column} {value!r} is not a length of time in seconds"
    return seconds, None
