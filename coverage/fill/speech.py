"""What a fill plan works with: the speech at hand, what a set holds already, caps, and the seeded order of equals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import ACCENT_SEPARATOR
from roomtone.coverage.counting.axes import Axis

if TYPE_CHECKING:
    import pandas as pd

CLEAN = "clean"


def tie(seed: int, *parts: str) -> int:
    """Return a number that orders equals the same way in every run of one seed."""
    text = "\x1f".join([str(seed), *parts])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


@dataclass(frozen=True)
class Caps:
    """Hard limits of a plan; None is no limit. `assets`: condition -> distinct assets that it can draw from."""

    replicates: int = 1
    per_speaker: int | None = None
    per_asset: int | None = None
    assets: Mapping[str, int] = field(default_factory=dict)

    def check(self) -> None:
        """Raise a RoomtoneError for a cap that is no positive whole number."""
        limits = {
            "max_replicates": self.replicates,
            "max_per_speaker": self.per_speaker,
            "max_per_asset": self.per_asset,
        }
        for name, cap in limits.items():
            if cap is not None and (not isinstance(cap, int) or cap < 1):
                raise RoomtoneError(f"{name}: expected a whole number from 1 up, got {cap!r}")

    def renders_of(self, condition: str) -> float:
        """Return how often one utterance may be rendered in a condition; a second clean render is a copy."""
        return 1 if condition == CLEAN else self.replicates

    def renders_in(self, condition: str) -> float:
        """Return how many renders the assets of a condition allow."""
        if self.per_asset is None or condition not in self.assets:
            return float("inf")
        return self.per_asset * self.assets[condition]


class Speech:
    """The speech at hand: one entry an utterance, in a seeded order."""

    def __init__(self, clean: pd.DataFrame, axes: Sequence[Axis], seed: int) -> None:
        for name in ("utterance_id", "speaker", *[axis.column for axis in axes]):
            if name not in clean.columns:
                raise RoomtoneError(
                    f"design=fill: the clean speech has no column {name!r}, it has {', '.join(clean.columns)}"
                )
        rows = clean.drop_duplicates("utterance_id")
        names = [str(name) for name in rows["utterance_id"]]
        order = sorted(range(len(rows)), key=lambda i: tie(seed, names[i]))
        self.rows = rows.iloc[order].reset_index(drop=True)
        self.ids = [str(identity) for identity in self.rows["utterance_id"]]
        self.speakers = [None if is_null(name) else str(name) for name in self.rows["speaker"]]
        self.minutes = [float(s) / 60 for s in self._numbers("duration_s")]
        self.words = self._numbers("words")
        self.keys = [axis_values(row, axes) for row in self.rows.to_dict("records")]

    def _numbers(self, column: str) -> list[float]:
        return [float(v) for v in self.rows[column].fillna(0)] if column in self.rows else [0.0] * len(self.rows)


def axis_values(row: Mapping[Any, Any], axes: Iterable[Axis]) -> dict[str, frozenset[str]]:
    """Return the values of each axis in a row; of a multi-accent speaker there are several."""
    return {axis.column: _values(axis, row[axis.column]) for axis in axes}


def _values(axis: Axis, value: Any) -> frozenset[str]:
    if is_null(value) or value == "":
        return frozenset([axis.missing])
    if axis.edges:
        number = float(value)
        names = [f"<{axis.edges[0]:g}", *axis.bins(), f">{axis.edges[-1]:g}"]
        place = int(np.searchsorted(axis.edges, number, side="right"))
        return frozenset([names[place - 1 if number == axis.edges[-1] else place]])
    return frozenset(str(value).split(ACCENT_SEPARATOR)) if axis.column == "accent" else frozenset([str(value)])


def is_null(value: Any) -> bool:
    """Return whether a cell of a DataFrame is missing (None, NaN or NA)."""
    return value is None or (str(value) in ("<NA>", "nan", "NaT") and not isinstance(value, str))


@dataclass(frozen=True)
class Held:
    """One row of what exists already."""

    utterance: str
    speaker: str | None
    condition: str
    replicate: int
    values: dict[str, frozenset[str]]

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, axes: Sequence[Axis]) -> list[Held]:
        """Return the rows of a manifest; a missing replicate number is 0."""
        return [
            cls(
                str(row["utterance_id"]),
                None if is_null(row["speaker"]) else str(row["speaker"]),
                str(row["condition"]),
                0 if is_null(row["replicate"]) else int(row["replicate"]),
                axis_values(row, axes),
            )
            for row in frame.to_dict("records")
        ]
