"""A claim in the data's own columns, and the terms it will be decided by, whose hash can be sent to somebody beforehand.

Claim: in one condition, the recogniser gets at least `points` more of a group's words wrong than of all others' (a share of words in
percentage points). Terms: all that could be chosen afterwards in somebody's favour: recogniser, words, levels of the test, recordings.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.regular_files import read_json
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import write_whole
from roomtone.core.settings import read_settings
from roomtone.core.vocabulary import ACCENT_SEPARATOR, FACTORS, NONE

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FORMAT = "roomtone-bounty/1"
_EXAMPLE = "claim='accent=hindi_l1 equipment=scanner_800hz@5dB points=5'"
_LARGEST_BYTES = 20_000_000


@dataclass(frozen=True)
class Claim:
    """What is claimed.

    Attributes:
        column: of the manifest that holds the group, `accent` or `attr_NAME`.
        group: its value.
        levels: factor -> level; a factor that is not named is `none`.
        points: percentage points of WER that the group has more than all others, at least.
    """

    column: str
    group: str
    levels: Mapping[str, str]
    points: float

    def __post_init__(self) -> None:
        """Check what the types do not state."""
        if not (math.isfinite(self.points) and 0 < self.points < 100):
            raise RoomtoneError(f"claim: points are between 0 and 100, got {self.points!r}; write {_EXAMPLE}")
        for factor in self.levels:
            if factor not in FACTORS:
                raise RoomtoneError(f"claim: {factor!r} is no factor; known: {', '.join(FACTORS)}")

    def __str__(self) -> str:
        levels = [f"{factor}={level}" for factor, level in self.levels.items()]
        return shlex.join([f"{self.column}={self.group}", *levels, f"points={self.points:g}"])

    @property
    def place(self) -> str:
        """Return the condition in words."""
        return " + ".join(self.levels.values()) or "no disturbance"

    def in_condition(self, rows: pd.DataFrame) -> np.ndarray:
        """Return which rows are in the claim's condition [shape=(rows,)].

        Args:
            rows: of a manifest.
        """
        import numpy as np

        held = np.ones(len(rows), dtype=bool)
        for factor in FACTORS:
            wanted = self.levels.get(factor, NONE)
            level = rows[factor].astype(object) if factor in rows else None
            held &= wanted == NONE if level is None else (level.where(level.notna(), NONE) == wanted).to_numpy()
        return held

    def of_group(self, rows: pd.DataFrame) -> np.ndarray:
        """Return which rows are of the group; one of several accents (`irish|welsh`) is of each [shape=(rows,)].

        Args:
            rows: of a manifest or a table of speech.

        Raises:
            RoomtoneError: there is no such column.
        """
        import numpy as np

        if self.column not in rows:
            raise RoomtoneError(f"claim: there is no column {self.column!r} here")
        values = rows[self.column].astype(object)
        return np.array([isinstance(v, str) and self.group in v.split(ACCENT_SEPARATOR) for v in values], dtype=bool)


def parse_claim(text: str | None) -> Claim:
    """Return a claim as it is typed: `COLUMN=GROUP FACTOR=LEVEL … points=N`.

    Args:
        text: e.g. `accent=hindi_l1 equipment=scanner_800hz@5dB points=5`; quotes hold a value with spaces.

    Raises:
        RoomtoneError: not of that form.

    >>> str(parse_claim("gender='not stated' noise=babble@5dB points=2.5"))
    "'attr_gender=not stated' noise=babble@5dB points=2.5"
    """
    try:
        words = shlex.split(text or "")
    except ValueError as error:
        raise RoomtoneError(f"claim: a quote is missing in {text!r}") from error
    pairs = [word.partition("=") for word in words]
    given = {key: value for key, equals, value in pairs if equals and key and value}
    if len(given) != len(words) or not words:
        raise RoomtoneError(f"claim: expected key=value words, each once, got {text!r}; write {_EXAMPLE}")
    own = [key for key in given if key not in (*FACTORS, "points")]
    if len(own) != 1 or "points" not in given:
        raise RoomtoneError(f"claim: one group, its condition and points=…, got {text!r}; write {_EXAMPLE}")
    try:
        points = float(given["points"])
    except ValueError as error:
        raise RoomtoneError(f"claim: points is a number, got {given['points']!r}") from error
    column = own[0] if own[0] == "accent" or own[0].startswith("attr_") else f"attr_{own[0]}"
    levels = {factor: given[factor] for factor in FACTORS if given.get(factor, NONE) != NONE}
    return Claim(column, given[own[0]], levels, points)


@dataclass(frozen=True)
class Terms:
    """What a claim will be decided by; its hash is what is registered.

    Attributes:
        claim: what is claimed.
        recogniser: whom, as `public_identity` states it.
        normalizer: how texts become words.
        alpha: the interval that decides holds 1 - alpha.
        repeats: of the recordings, so many are sent a second time.
        minutes, requests: the budget; null is no limit.
        seed: of rendering.
        utterances: the recordings, in the order in which they are sent.
        assumed: what the plan took for granted: rates, spread between speakers, power.
        made_by: the tool and its version.
    """

    claim: Claim
    recogniser: Mapping[str, Any]
    normalizer: str
    alpha: float
    repeats: int
    minutes: float | None
    requests: int | None
    seed: int
    utterances: tuple[str, ...]
    assumed: Mapping[str, Any]
    made_by: str
    format: str = FORMAT

    @property
    def sha256(self) -> str:
        """Return the hash that is registered: of the terms as JSON, keys sorted, no spaces."""
        plain = json.dumps(dataclasses.asdict(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(plain.encode()).hexdigest()


def write_terms(terms: Terms, path: Path) -> Path:
    """Write the terms as JSON and return the path.

    Args:
        terms: of a plan.
        path: the file.
    """
    text = json.dumps(dataclasses.asdict(terms), indent=1, ensure_ascii=False)
    return write_whole(path, (text + "\n").encode())


def read_terms(path: Path) -> Terms:
    """Return the terms that a file states, which a stranger may have written.

    Args:
        path: of a JSON file.

    Raises:
        RoomtoneError: no such file, or not of this form.
    """
    try:
        data = read_json(path, most_bytes=_LARGEST_BYTES)
    except FileNotFoundError as error:
        raise RoomtoneError(f"{path}: not there; roomtone bounty plan {_EXAMPLE} makes it") from error
    except (OSError, ValueError) as error:
        raise RoomtoneError(f"{path}: not JSON ({error})") from error
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise RoomtoneError(f"{path}: not the terms of a bounty ({FORMAT})")
    where = str(path)
    given = dict(data) | {"claim": read_settings(Claim, data.get("claim") or {}, where=f"{where}: claim")}
    if any(not isinstance(value, str) for value in given["claim"].levels.values()):
        raise RoomtoneError(f"{where}: claim.levels holds something that is no level")
    return read_settings(Terms, given, where=where)
