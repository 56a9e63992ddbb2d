"""The clean speech that a plan can render, as numbers, and the seeded order of equals."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.fill.tally import NS_PER_MINUTE, Voices

if TYPE_CHECKING:
    import pandas as pd


def tie(seed: int, *parts: str) -> int:
    """Return a number that orders equals the same way in every run of one seed.

    Args:
        seed: another seed, another order.
        parts: what names the thing to be ordered.
    """
    text = "\x1f".join([str(seed), *parts])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


class Speech:
    """The available speech: one entry an utterance, in a seeded order.

    Attributes:
        rows: the table, one row an utterance.
        ids: utterance ids.
        speakers: names of the speakers, by number.
        voices: speakers, durations and words as arrays.
        keys: for each utterance the values of every speech axis; several where it has several accents.
    """

    def __init__(self, clean: pd.DataFrame, axes: Sequence[Axis], seed: int) -> None:
        for name in ("utterance_id", "speaker", *[axis.column for axis in axes]):
            if name not in clean.columns:
                raise RoomtoneError(
                    f"design=fill: the clean speech has no column {name!r}, it has {', '.join(map(str, clean.columns))}"
                )
        rows = clean.drop_duplicates("utterance_id")
        names = [str(name) for name in rows["utterance_id"]]
        order = sorted(range(len(rows)), key=lambda i: tie(seed, names[i]))
        self.rows = rows.iloc[order].reset_index(drop=True)
        self.ids = [str(identity) for identity in self.rows["utterance_id"]]
        stated = [None if is_null(name) else str(name) for name in self.rows["speaker"]]
        self.speakers = sorted({name for name in stated if name is not None})
        number = {name: i for i, name in enumerate(self.speakers)}
        self.voices = Voices(
            speaker=np.array([-1 if name is None else number[name] for name in stated], dtype=np.int64),
            ns=np.round(self._numbers("duration_s") * NS_PER_MINUTE / 60).astype(np.int64),
            words=self._numbers("words"),
            order=np.arange(len(self.ids)),
        )
        self.keys = [axis_values(row, axes) for row in self.rows.to_dict("records")]

    def _numbers(self, column: str) -> np.ndarray:
        if column not in self.rows:
            return np.zeros(len(self.rows))
        found: np.ndarray = self.rows[column].fillna(0).to_numpy(float)
        return found


def axis_values(row: Mapping[Any, Any], axes: Sequence[Axis]) -> dict[str, frozenset[str]]:
    """Return the value of each axis that a row has, as counting reads it; several for several accents.

    Args:
        row: a row with the axes' columns.
        axes: the axes.
    """
    return {axis.column: axis.values_of(row.get(axis.column)) for axis in axes}


def is_null(value: Any) -> bool:
    """Return whether a cell of a DataFrame is missing (None, NaN or NA)."""
    return value is None or (str(value) in ("<NA>", "nan", "NaT") and not isinstance(value, str))
