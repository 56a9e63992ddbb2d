"""AfriSpeech-200: `transcripts/{train,dev,test}.csv` and the recordings that they name.

Traps that are met here: the speaker's column is `user_ids`, elsewhere `user_id` or `speaker_id`; paths begin with a slash
and are relative all the same; accents are compound ("luo, swahili", "igbo and yoruba") or have their variety in
parentheses ("akan (fante)"). The licence is non-commercial. The columns are known from other readers of this corpus
[recalled].
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from roomtone.augment.corpora.readers.base import Reader
from roomtone.augment.corpora.readers.columns import first_column, one_of, require_columns
from roomtone.augment.corpora.readers.common_voice import split_accents
from roomtone.augment.corpora.readers.tables import columns_of, read_rows
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.segment import AudioRef

_AUDIO = ("audio_paths", "audio_path", "path", "file_name")
_SPEAKER = ("user_ids", "user_id", "speaker_id")
_TEXT = ("transcript", "text")


@dataclass(frozen=True)
class AfriSpeech(Reader):
    """Keys of `corpus=afrispeech`; `split` is train, dev or test."""

    kind: ClassVar[str] = "afrispeech"

    split: str = "test"

    def utterances(self) -> Iterator[Utterance]:
        """Yield one utterance a row of the split's table."""
        home = self.folder()
        splits = sorted(path.stem for path in (home / "transcripts").glob("*.csv"))
        table = home / "transcripts" / f"{one_of(self.split, splits, 'corpus.split')}.csv"
        found = columns_of(table)
        require_columns(found, {"accent": "accent"}, table)
        audio, speaker, text = (
            first_column(found, names, use, table)
            for names, use in ((_AUDIO, "audio"), (_SPEAKER, "speaker"), (_TEXT, "text"))
        )
        others = [
            name for name in found if name and name not in (audio, speaker, text, "accent", "duration", "audio_ids")
        ]
        files = self.audio_files(home)
        for row in read_rows(table):
            name = (row.get(audio) or "").lstrip("/")
            file, problem = files.find(name)
            yield self.utterance(
                name,
                AudioRef(file),
                text=row.get(text),
                speaker=row.get(speaker),
                accent=split_compound(row.get("accent") or ""),
                accent_raw=row.get("accent"),
                attributes={key: row.get(key) for key in others},
                problem=problem,
            )


def split_compound(raw: str) -> list[str]:
    """Return the accents of a compound label.

    >>> split_compound("swahili ,luganda ,arabic"), split_compound("igbo and yoruba"), split_compound("akan (fante)")
    (['swahili', 'luganda', 'arabic'], ['igbo', 'yoruba'], ['akan (fante)'])
    """
    return [part.strip() for piece in split_accents(raw) for part in re.split(r"\sand\s", piece)]
