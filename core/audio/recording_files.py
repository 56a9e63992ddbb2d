"""Recordings as files: where a name points, and the hash of what lies there."""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path

from roomtone.core.audio.bundled import bundled_path
from roomtone.core.audio.headers import BadAudioError
from roomtone.core.bounded.regular_files import open_regular

#: Endings by which files in a folder are taken for recordings; what each really is, its bytes say. Those of the second line need PyAV.
AUDIO_SUFFIXES = (
    *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3"),
    *(".m4a", ".mp4", ".aac", ".webm", ".mka", ".amr", ".3gp", ".w64", ".aif", ".aiff", ".caf", ".au", ".sph", ".wma"),
)


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
    try:
        with open_regular(found) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise BadAudioError(found, reason) from error


def unchanging_sha256(path: str | os.PathLike[str]) -> str:
    """Return `sha256_file`, kept for as long as the file's size and time of writing stay: many samples play one recording.

    Args:
        path: as `audio_path` takes it.

    Raises:
        BadAudioError: there is no such regular file.
    """
    name = os.fspath(path)
    try:
        _, size, written_ns = file_state(name)
    except OSError as error:
        raise BadAudioError(name, "there is no such file") from error
    return _sha256(name, size, written_ns)


def file_state(path: str) -> tuple[int, int, int]:
    """Return what tells whether a recording has changed: its file's number, size and time of writing.

    Args:
        path: as `audio_path` takes it.

    Raises:
        OSError: there is no such file.
        BadAudioError: a `package:` name of another form.
    """
    state = os.stat(audio_path(path) if path.startswith("package:") else path)  # a Path costs more than the call
    return state.st_ino, state.st_size, state.st_mtime_ns


@functools.lru_cache(maxsize=65536)
def _sha256(path: str, size: int, written_ns: int) -> str:
    return sha256_file(path)
