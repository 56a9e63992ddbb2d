"""Mozilla Common Voice, scripted speech, any release: `LANG/{train,dev,test,validated,…}.tsv` and `LANG/clips/*.mp3`.

Traps that are met here: quotes are letters (they do not balance); the column is `accent` in old releases and `accents` in new
ones; several accents are joined by commas, and names of accents have commas inside parentheses; `client_id` is an account, not
a verified person; delta releases have no train, dev and test; the splits of one release are not those of another.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.columns import one_of, require_columns
from roomtone.augment.corpora.readers.tables import columns_of, read_rows
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.segment import AudioRef

_BETWEEN_COMMAS = re.compile(r"(?:\([^()]*\)|[^,])+")  # those outside of parentheses
#: Tables of a release that hold no clips of speech.
_OTHER_TABLES = ("clip_durations", "reported", "validated_sentences", "unvalidated_sentences")
_USED = ("path", "sentence", "client_id", "accents", "accent", "locale", "sentence_id")


@dataclass(frozen=True)
class CommonVoice(Reader):
    """Keys of `corpus=common_voice`; `split` is the name of a table of the release."""

    kind: ClassVar[str] = "common_voice"

    split: str = "test"

    def utterances(self) -> Iterator[Utterance]:
        """Yield one utterance a row of the split's table, as a stream."""
        home = self.folder()
        splits = sorted({path.stem for path in home.glob("*.tsv")} - set(_OTHER_TABLES))
        path = home / f"{one_of(self.split, splits, 'corpus.split')}.tsv"
        found = columns_of(path, quoting=False)
        require_columns(found, {"audio": "path", "text": "sentence", "speaker": "client_id"}, path)
        accents = next((name for name in ("accents", "accent") if name in found), None)
        others = [name for name in found if name not in _USED]
        files = self.audio_files(home / "clips")
        for row in read_rows(path, quoting=False):
            name = row.get("path") or ""
            stem, ending = os.path.splitext(name)
            clip = name if ending or not name else f"{name}.mp3"
            file, problem = files.find(clip)
            raw = row.get(accents) if accents else None
            yield self.utterance(
                os.path.basename(stem),
                AudioRef(file),
                text=row.get("sentence"),
                speaker=row.get("client_id"),
                accent=split_accents(raw or ""),
                accent_raw=raw,
                language=row.get("locale") or (self.language or home.name),
                attributes={key: row.get(key) for key in others},
                problem=problem,
            )


def split_accents(raw: str) -> list[str]:
    """Return the accents that a cell holds.

    >>> split_accents("India and South Asia (India, Pakistan, Sri Lanka)")
    ['India and South Asia (India, Pakistan, Sri Lanka)']
    >>> split_accents("German English,Non native speaker")
    ['German English', 'Non native speaker']
    """
    return [part.strip() for part in _BETWEEN_COMMAS.findall(raw) if part.strip()]
