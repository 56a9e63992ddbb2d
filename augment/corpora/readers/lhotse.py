"""Lhotse cuts: `cuts.jsonl` or `cuts.jsonl.gz`, one `MonoCut` a line; one utterance a supervision.

Only recordings that are files are read: sources of the types `command`, `url` and the rest are refused, since a manifest passed
between labs must not be a program. So are channels of recordings with several.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from roomtone.augment.corpora.readers.audio_files import AudioFiles
from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.tables import read_rows
from roomtone.augment.corpora.utterance import Utterance, accent_labels
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError


@dataclass(frozen=True)
class Lhotse(Reader):
    """Keys of `corpus=lhotse`; `accent_field` is the key of a supervision's `custom` that holds the accent."""

    kind: ClassVar[str] = "lhotse"

    accent_field: str = "accent"

    def utterances(self) -> Iterator[Utterance]:
        """Yield one utterance a supervision."""
        path = self.file()
        files = self.audio_files(path.parent)
        for number, cut in enumerate(read_rows(path), start=1):
            try:
                yield from self._cut(cut, files)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise RoomtoneError(
                    f"{path}, line {number}: not a Lhotse cut ({type(error).__name__}: {error})"
                ) from error

    def _cut(self, cut: Mapping[str, Any], files: AudioFiles) -> Iterator[Utterance]:
        file, problem = self._recording(cut, files)
        for supervision in cut["supervisions"]:
            start = float(cut["start"]) + float(supervision["start"])
            custom = supervision.get("custom") or {}
            accent = custom.get(self.accent_field)
            plain = {key: value for key, value in custom.items() if isinstance(value, str | int | float | bool)}
            yield self.utterance(
                str(supervision["id"]),
                AudioRef(file, start, float(supervision["duration"])),
                text=supervision.get("text"),
                speaker=supervision.get("speaker"),
                accent=accent_labels(accent),
                accent_raw=accent,
                language=supervision.get("language"),
                attributes={"gender": supervision.get("gender"), **plain} | {self.accent_field: None},
                problem=problem,
            )

    @staticmethod
    def _recording(cut: Mapping[str, Any], files: AudioFiles) -> tuple[str, str | None]:
        if cut.get("type", "MonoCut") != "MonoCut":
            return str(cut["id"]), f"is a {cut['type']}; only cuts of the type MonoCut are read"
        sources = cut["recording"]["sources"]
        if len(sources) != 1 or sources[0]["channels"] != [0]:
            return str(cut["id"]), "its recording has several channels; only recordings with one are read"
        if sources[0]["type"] != "file":
            return str(cut["id"]), f"its recording is a {sources[0]['type']}, not a file; only files are read"
        return files.find(str(sources[0]["source"]))
