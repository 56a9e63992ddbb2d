"""A table of recordings: CSV, TSV, JSON Lines or Parquet.

Columns `audio`, `text`, `speaker`, `accent`, each renamed by `corpus.columns.accent=dialect` and left out by
`corpus.columns.speaker=null`; `id`, `accent_raw`, `language`, `start` and `duration` (seconds) are optional; every other column
becomes an attribute. Fields are those of each row: the first row of JSON says nothing about the others. A row without a start
begins at 0 where another row of its file has one, as in NeMo; otherwise its duration only repeats the file's. Audio is
relative to the table, or absolute; `..` and symbolic links may not lead out of the table's folder, or `corpus.root`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from roomtone.augment.corpora.readers.audio_files import AudioFiles
from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.columns import require_columns
from roomtone.augment.corpora.readers.tables import JSON_SUFFIXES, columns_of, read_rows, table_kind
from roomtone.augment.corpora.utterance import Utterance, accent_labels
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

    #: Whether a duration without a start is the whole file's, to be held against it; in a table of unknown origin it may be anything.
    durations_state_lengths: ClassVar[bool] = False

    columns: Mapping[str, Any] = field(default_factory=dict)
    accent: str | None = None

    def utterances(self) -> Iterator[Utterance]:
        """Yield one utterance a row."""
        yield from self.rows_of(self.file())

    def rows_of(self, path: Path) -> Iterator[Utterance]:
        """Yield one utterance a row of a table; each row has fields of its own.

        Args:
            path: a CSV, TSV, JSON or Parquet file.

        Raises:
            RoomtoneError: the table does not parse, lacks a column, or is given an unknown key.
        """
        names = self._names(path)
        segmented = _files_with_starts(path, names)
        files = self.audio_files(path.parent)
        for number, row in enumerate(read_rows(path), start=1):
            yield self._utterance(row, number, names, files, segmented)

    def renamed(self, use: str) -> str:
        """Return a column's usual name."""
        return use

    def _names(self, path: Path) -> dict[str, str]:
        """Return use -> column for the columns that may be used, the needed ones known to be there."""
        known = (*REQUIRED, *OPTIONAL)
        for use in self.columns:
            if use not in known:
                raise RoomtoneError(f"corpus.columns: unknown key {use!r}; {nearest(use, known)}")
        named = {use: self.columns.get(use, self.renamed(use)) for use in known}
        names = {use: str(name) for use, name in named.items() if name is not None}
        if self.accent is not None:
            names.pop("accent", None)
        stated = {use for use, name in self.columns.items() if name is not None and name != self.renamed(use)}
        needed = {use: name for use, name in names.items() if use in REQUIRED or use in stated}
        found = _fields_of(path, set(needed.values()))
        missing = [use for use, name in needed.items() if name not in found]
        try:
            require_columns(found, needed, path)
        except RoomtoneError as error:
            raise (error if len(found) < 2 else RoomtoneError(f"{error}; {_other_names(missing)}")) from None
        return names

    def _utterance(
        self,
        row: dict[str, Any],
        number: int,
        names: dict[str, str],
        files: AudioFiles,
        segmented: set[str],
    ) -> Utterance:
        value = {use: row.get(name) for use, name in names.items()}
        name = _file_name(value["audio"])
        file, problem = files.find(name)
        start, wrong_start = _seconds(value.get("start"), "start")
        duration, wrong_duration = _seconds(value.get("duration"), "duration")
        if start is None and duration is not None and name in segmented:
            start = 0.0
        offset_s = start or 0.0
        label = self.accent or value.get("accent")
        return self.utterance(
            str(value.get("id") or (segment_id(name, offset_s) if name else f"row {number}")),
            AudioRef(file, offset_s, None if start is None else duration),
            text=value.get("text"),
            speaker=value.get("speaker"),
            accent=accent_labels(label),
            accent_raw=value.get("accent_raw") or label,
            language=value.get("language"),
            attributes={key: item for key, item in row.items() if key and key not in set(names.values())},
            problem=problem or wrong_start or wrong_duration,
            stated_s=duration if start is None and self.durations_state_lengths else None,
        )


def _other_names(missing: Sequence[str]) -> str:
    named = " ".join(f"corpus.columns.{use}=NAME" for use in missing)
    return f"{named} {'name others' if len(missing) > 1 else 'names another'}"


def _file_name(value: object) -> str | None:
    """Return the file's name in a table's cell, which may be an `{path, bytes}` of Hugging Face; None where there is none.

    Raises:
        RoomtoneError: the cell holds the recording itself.
    """
    if isinstance(value, Mapping):
        if value.get("bytes") is not None:
            raise RoomtoneError(
                "corpus.path: the table holds the recordings themselves, and not their names: corpus=hf_parquet reads it"
            )
        value = value.get("path")
    if isinstance(value, bytes):
        raise RoomtoneError(
            "corpus.path: the audio column holds bytes, and not the names of files: corpus=hf_parquet reads recordings in a table"
        )
    return None if value is None else str(value)


def _fields_of(path: Path, needed: set[str]) -> list[str]:
    """Return the columns of a table; rows of JSON are read on until each of the needed fields was seen in one of them."""
    found = dict.fromkeys(columns_of(path))
    if table_kind(path) in JSON_SUFFIXES and not needed <= found.keys():
        for row in read_rows(path):
            found |= dict.fromkeys(row)
            if needed <= found.keys():
                break
    return list(found)


def _files_with_starts(path: Path, names: Mapping[str, str]) -> set[str]:
    """Return the names of the files of which any row states a start: those are read in segments."""
    start = names.get("start")
    if start is None or (table_kind(path) not in JSON_SUFFIXES and start not in columns_of(path)):
        return set()
    return {str(row.get(names["audio"])) for row in read_rows(path) if row.get(start) not in (None, "")}


def segment_id(name: str, offset_s: float) -> str:
    """Return the name of a file or of its segment.

    Args:
        name: of the file, as the table has it.
        offset_s: where the segment begins, seconds; 0 for the file itself.

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
