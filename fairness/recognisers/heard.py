"""Which recording an answer is about: the hash of its bytes, and the state of its file, so that an unchanged one need not be read again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from roomtone.fairness.recognisers.base import SampleAudio, TranscriptionError


def heard_recording(clip: SampleAudio) -> dict[str, Any]:
    """Return what tells a recording from another one, in plain JSON types: `file` and `sha256`, null where it cannot be read.

    Args:
        clip: the recording.
    """
    return {"file": _file_state(clip), "sha256": _content_hash(clip)}


def is_unchanged(clip: SampleAudio, heard: Any) -> bool:
    """Return whether a recording is the one that was heard; its bytes are read only where its file, or shard, was touched since.

    Args:
        clip: the recording as it is now.
        heard: of `heard_recording`, as it was.
    """
    if not isinstance(heard, dict):
        return False
    state = _file_state(clip)
    return (state is not None and state == heard.get("file")) or _content_hash(clip) == heard.get("sha256")


def _file_state(clip: SampleAudio) -> list[int] | None:
    """Return size, time of writing, time of any change [ns] and number of a file; who writes it anew cannot choose all of them."""
    try:
        found = os.stat(Path(clip.dataset) / clip.audio_path.partition("#")[0])
    except (OSError, ValueError):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _content_hash(clip: SampleAudio) -> str | None:
    try:
        return hashlib.sha256(clip.read()).hexdigest()
    except TranscriptionError:
        return None
