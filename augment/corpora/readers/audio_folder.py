"""A Hugging Face AudioFolder: recordings and a `metadata.csv`, `.jsonl` or `.parquet` whose `file_name` is relative to it.

Two metadata files of different kinds in one folder are refused, as by the library itself. Every key of `corpus=table`
holds here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from roomtone.augment.corpora.readers.columns import one_of
from roomtone.augment.corpora.readers.table import Table
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.errors import RoomtoneError

_KINDS = ("metadata.csv", "metadata.jsonl", "metadata.parquet")


@dataclass(frozen=True)
class AudioFolder(Table):
    """Keys of `corpus=audio_folder`: those of a table, and `split`, a sub-folder."""

    kind: ClassVar[str] = "audio_folder"

    split: str | None = None

    def renamed(self, use: str) -> str:
        """Return a column's name in the metadata of an AudioFolder."""
        return {"audio": "file_name"}.get(use, use)

    def utterances(self) -> Iterator[Utterance]:
        """Yield one utterance a row of the metadata."""
        home = self.folder()
        if self.split is not None:
            splits = sorted(path.name for path in home.iterdir() if path.is_dir())
            home = home / one_of(self.split, splits, "corpus.split")
        tables = [name for name in _KINDS if (home / name).is_file()]
        if len(tables) > 1:
            raise RoomtoneError(f"{home}: {' and '.join(tables)} are both in it; an AudioFolder has one of them")
        if not tables:
            raise RoomtoneError(
                f"{home}: none of {', '.join(_KINDS)} is in it; for accents by folder take corpus=folder corpus.accent=from_parent"
            )
        yield from self.rows_of(home / tables[0])
