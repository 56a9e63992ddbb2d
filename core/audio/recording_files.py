"""Recordings as files: where a name points, and the hash of what lies there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from roomtone.core.audio.bundled import bundled_path
from roomtone.core.audio.headers import BadAudioError


def audio_path(path: str | os.PathLike[str]) -> Path:
    """Return where a recording is.

    Args:
        path: a path of the file system, or `package:demo/NAME.flac` for a bundled recording.

    Raises:
        BadAudioError: a `package:` name of another form.
    """
    name = os.fspath(path)
    if not name.startswith("package:"):
        return Path(name)
    bundled = bundled_path(name)
    if bundled is None:
        raise BadAudioError(name, "no bundled recording has such a name; they are package:demo/NAME.flac")
    return bundled


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a recording's bytes, 64 hexadecimal digits.

    Args:
        path: as `audio_path` takes it.

    Raises:
        BadAudioError: there is no such regular file.
    """
    found = audio_path(path)
    if not found.is_file():
        raise BadAudioError(found, "there is no such file")
    with open(found, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
