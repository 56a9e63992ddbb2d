"""A cell's samples with audio players, for a notebook."""

from __future__ import annotations

import base64
import html
import os
import re
from typing import TYPE_CHECKING

from roomtone.core.bounded.regular_files import read_bytes
from roomtone.core.errors import RoomtoneError

if TYPE_CHECKING:
    import pandas as pd

#: Files above this size are listed without a player: the notebook would hold them for ever.
MAX_BYTES = 4_000_000
_KINDS = {".flac": "audio/flac", ".wav": "audio/wav", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".mp3": "audio/mpeg"}


class SampleList:
    """Samples to look at and listen to; `frame` holds them, with `root`, the folder that `audio_path` is relative to."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame

    def __repr__(self) -> str:
        return repr(self.frame)

    def _repr_html_(self) -> str:
        rows = "".join(_row(row) for row in self.frame.to_dict("records"))
        return f"<table><tr><th>sample</th><th>speaker</th><th>text</th><th>seconds</th><th></th></tr>{rows}</table>"


def _row(row: dict) -> str:  # type: ignore[type-arg]
    shown = [row["sample_id"], row["speaker"], row["text"], row["duration_s"]]
    cells = "".join(f"<td>{html.escape('' if value is None else str(value))}</td>" for value in shown)
    return f"<tr>{cells}<td>{_player(str(row['root']), str(row['audio_path']))}</td></tr>"


def is_member(audio_path: str) -> bool:
    """Return whether an audio path names a recording inside a tar or Parquet shard: `shards/part-00000.tar#ID.flac`."""
    return re.search(r"\.(tar|parquet)#", audio_path) is not None


def _player(root: str, audio_path: str) -> str:
    """Return an audio element that holds the recording, or nothing where there is none inside the set."""
    kind = _KINDS.get(os.path.splitext(audio_path)[1].lower())
    data = _bytes(root, audio_path) if root and kind else None
    if data is None or len(data) > MAX_BYTES:
        return ""
    return f'<audio controls preload="none" src="data:{kind};base64,{base64.b64encode(data).decode()}"></audio>'


def _bytes(root: str, audio_path: str) -> bytes | None:
    from roomtone.core.dataset.sample_bytes import sample_bytes

    path = os.path.realpath(os.path.join(root, re.split(r"(?<=\.tar)#|(?<=\.parquet)#", audio_path)[0]))
    if not path.startswith(os.path.realpath(root) + os.sep) or not os.path.isfile(path):
        return None
    if is_member(audio_path):
        try:
            return sample_bytes(root, audio_path)
        except RoomtoneError:
            return None
    return read_bytes(path) if os.path.getsize(path) <= MAX_BYTES else None
