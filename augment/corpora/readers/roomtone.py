"""A stress-test set of Roomtone's own, read as a corpus: its samples of one condition, `clean` unless another is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.tables import read_rows
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError, nearest

_PREFIX = "attr_"


@dataclass(frozen=True)
class RoomtoneSet(Reader):
    """Keys of `corpus=roomtone`; `condition` is the one whose samples are taken, their first replicate."""

    kind: ClassVar[str] = "roomtone"

    condition: str = "clean"

    def utterances(self) -> Iterator[Utterance]:
        """Yield the samples of the condition as utterances of the corpus that they came from."""
        from roomtone.core.dataset.manifest import manifest_parts

        home = self.folder()
        files = self.audio_files(home)
        conditions: set[str] = set()
        found = False
        for part in manifest_parts(home):
            for row in read_rows(Path(part)):
                conditions.add(row["condition"])
                if row["condition"] != self.condition or row.get("replicate"):
                    continue
                found = True
                file, problem = files.find(row["audio_path"])
                utterance = self.utterance(
                    row["utterance_id"],
                    AudioRef(file),
                    text=row.get("text"),
                    speaker=row.get("speaker"),
                    accent=row.get("accent"),
                    accent_raw=row.get("accent_raw"),
                    language=row.get("language"),
                    attributes={k.removeprefix(_PREFIX): v for k, v in row.items() if k.startswith(_PREFIX)},
                    problem=problem,
                )
                origin = row.get("speech_origin") or utterance.speech_origin
                yield replace(utterance, corpus=self.name or row.get("corpus") or self.kind, speech_origin=origin)
        if not found:
            raise RoomtoneError(
                f"corpus.condition={self.condition}: the set has none; {nearest(self.condition, conditions)}"
            )
