"""A NeMo manifest: JSON Lines with `audio_filepath`, `text`, `duration`, and where they are there `offset`, `lang`,
`speaker`, `accent`.

It is a table in other words: every key of `corpus=table` holds here too. A duration without an `offset` is held against the file's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from roomtone.augment.corpora.readers.table import Table

_COLUMNS = {"audio": "audio_filepath", "start": "offset", "language": "lang"}


@dataclass(frozen=True)
class Nemo(Table):
    """Keys of `corpus=nemo` are those of a table."""

    kind: ClassVar[str] = "nemo"
    durations_state_lengths: ClassVar[bool] = True

    def renamed(self, use: str) -> str:
        """Return a column's name in NeMo's manifests."""
        return _COLUMNS.get(use, use)
