"""A cell's samples with audio players, for a notebook."""

from __future__ import annotations

import base64
import html
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

#: Files above this size are listed without a player: the notebook would hold them for ever.
MAX_BYTES = 4_000_000
_KINDS = {".flac": "audio/flac", ".wav": "audio/wav", ".ogg": "audio/ogg", ".mp3": "audio/mpeg"}


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


def _player(root: str, audio_path: str) -> str:
    """Return an audio element that holds the file, or nothing where there is none inside the set."""
    path = os.path.realpath(os.path.join(root, audio_path))
    kind = _KINDS.get(os.path.splitext(path)[1].lower())
    inside = path.startswith(os.path.realpath(root) + os.sep)
    if not root or not inside or kind is None or not os.path.isfile(path) or os.path.getsize(path) > MAX_BYTES:
        return ""
    with open(path, "rb") as file:
        data = base64.b64encode(file.read()).decode()
    return f'<audio controls preload="none" src="data:{kind};base64,{data}"></audio>'
