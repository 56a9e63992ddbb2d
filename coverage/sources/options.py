"""How a source is read: which of its columns mean what, and how copies of one recording are told."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roomtone.core.bounded.lines import open_bounded_text
from roomtone.core.errors import RoomtoneError

#: Short names of columns in `columns=`, and the manifest's own.
_SHORT = {
    "utterance": "utterance_id",
    "sample": "sample_id",
    "audio": "audio_path",
    "duration": "duration_s",
    "snr": "snr_db",
}


@dataclass(frozen=True)
class ReadOptions:
    """How a source is read.

    Attributes:
        columns: our column -> the source's, for what has another name there.
        utterance_pattern: regular expression on the id or file name of a copy; its group `utterance`, or its first one, is the
            recording that it is a copy of.
        accents: speaker -> accent, where the source does not state accents itself.
        measure: whether level, noise floor, bandwidth, clipping and duration are measured on the audio.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    utterance_pattern: str | None = None
    accents: Mapping[str, str] = field(default_factory=dict)
    measure: bool = False


def parse_options(
    columns: Any = None, utterance_pattern: Any = None, accents: Any = None, *, measure: bool = False
) -> ReadOptions:
    """Return the options of plain values.

    Args:
        columns: `{ours: theirs}`; `utterance`, `audio`, `snr` and `duration` are short for the manifest's names.
        utterance_pattern: a regular expression with at least one group.
        accents: `{speaker: accent}`, or a file of two columns: the speaker, then the accent, which may hold blanks.
        measure: see `ReadOptions`.

    Raises:
        RoomtoneError: not of these forms, or a file that cannot be read.

    >>> parse_options({"accent": "dialect", "snr": "snr_of_mix"}).columns
    {'accent': 'dialect', 'snr_db': 'snr_of_mix'}
    """
    if columns is not None and not isinstance(columns, Mapping):
        raise RoomtoneError(f"columns: expected {{our name: their name}}, got {columns!r}")
    named = {_SHORT.get(str(ours), str(ours)): str(theirs) for ours, theirs in (columns or {}).items()}
    return ReadOptions(named, _pattern(utterance_pattern), _accents(accents), bool(measure))


def _pattern(value: Any) -> str | None:
    if value is None:
        return None
    try:
        groups = re.compile(str(value)).groups
    except re.error as error:
        raise RoomtoneError(f"utterance_pattern: {value!r} is no regular expression: {error}") from error
    if groups < 1:
        raise RoomtoneError(
            f"utterance_pattern: {value!r} has no group; put the recording's part in brackets, e.g. '^(.+?)-(noise|music)$'"
        )
    return str(value)


def _accents(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {str(speaker): str(accent) for speaker, accent in value.items()}
    pairs = read_pairs(Path(str(value)), "accents")
    if not pairs:
        raise RoomtoneError(f"accents: {value}: no line of the form 'speaker accent'")
    return pairs


def read_pairs(path: Path, key: str) -> dict[str, str]:
    """Return the first word of every line and what follows it, as Kaldi's tables are written; a comma or tab separates too.

    Args:
        path: the file.
        key: what is asked for, for the message.

    Raises:
        RoomtoneError: the file cannot be read.
    """
    try:
        with open_bounded_text(path) as file:
            pairs = [re.split(r"[,\t]|\s+", line.strip(), maxsplit=1) for line in file if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise RoomtoneError(f"{key}: {path} cannot be read ({error})") from error
    return {pair[0]: pair[1].strip() for pair in pairs if len(pair) == 2}
