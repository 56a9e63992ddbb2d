"""The counts that slices are made of: one cell a speaker, condition and value of each column, with the sentences in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roomtone.fairness.inference.counts import prepare
from roomtone.fairness.slices.dispersion import Sentences
from roomtone.fairness.slices.excess import CountTable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Cells:
    """Counts by cell, and by cell and sentence; `sentences` is None where no two speakers say the same one.

    `frame` has the columns of slices, null as None, beside `_speaker, _condition, _errors, _words, _n` (samples);
    `spoken` has `_cell` (row of `frame`), `_sentence`, `_errors, _words`.
    """

    frame: pd.DataFrame
    spoken: pd.DataFrame | None

    def keep(self, rows: np.ndarray) -> Cells:
        """Return these cells alone."""
        number = np.cumsum(rows) - 1
        spoken = self.spoken
        if spoken is not None:
            spoken = spoken[rows[spoken["_cell"]]]
            spoken = spoken.assign(_cell=number[spoken["_cell"]])
        return Cells(self.frame[rows].reset_index(drop=True), spoken)

    @property
    def table(self) -> CountTable:
        """Return the counts as arrays."""
        codes = [_codes(self.frame[name].map(str)) for name in ("_speaker", "_condition")]
        counts = [self.frame[name].to_numpy(float) for name in ("_errors", "_words")]
        return CountTable(counts[0], counts[1], codes[0], codes[1])

    @property
    def sentences(self) -> Sentences | None:
        """Return the counts by sentence as arrays."""
        s = self.spoken
        if s is None or s.empty:
            return None
        counts = [s[name].to_numpy(float) for name in ("_errors", "_words")]
        return Sentences(s["_cell"].to_numpy(), _codes(s["_sentence"]), counts[0], counts[1])

    def environment(self, columns: Sequence[str]) -> np.ndarray:
        """Return what of these columns describes a condition, as one code a cell; the condition itself where none does."""
        of = self.frame.groupby("_condition")
        found = [name for name in columns if name in self.frame and of[name].nunique(dropna=False).max() == 1]
        codes: np.ndarray = self.frame.groupby(found or ["_condition"], dropna=False).ngroup().to_numpy()
        return codes


def make_cells(
    scores: pd.DataFrame,
    names: Sequence[str],
    *,
    group: str,
    condition: str,
    speaker: str,
    baseline: str,
    sentence: str,
) -> Cells:
    """Return the cells of the samples that count: scored, of a known speaker, with words; there may be none.

    Args:
        scores: counts with the label columns beside them.
        names: columns that slices are made of.
        group, condition, speaker, baseline: as in `compare`.
        sentence: the column of the text.

    Raises:
        RoomtoneError: a column is missing.
    """
    scores = scores.reset_index(drop=True)
    rows = prepare(scores, group=group, condition=condition, speaker=speaker, baseline=baseline, utterance=sentence)
    frame = scores[list(names)].astype(object).where(scores[list(names)].notna(), None)
    frame = frame.assign(
        _speaker=rows["speaker"], _condition=rows["condition"], _sentence=rows["utterance"].where(rows["utterance"].notna(), None),
        _errors=rows["errors"], _words=rows["words"], _n=1,
    )  # fmt: skip
    usable = ~rows["failed"].to_numpy() & rows["speaker"].notna().to_numpy() & (rows["words"] > 0).to_numpy()
    frame = frame[usable].reset_index(drop=True)
    keys = list(dict.fromkeys([*names, "_speaker", "_condition"]))
    grouped = frame.groupby(keys, dropna=False)
    frame["_cell"] = grouped.ngroup()
    cells = grouped[["_errors", "_words", "_n"]].sum().reset_index()
    cells[keys] = cells[keys].astype(object).where(cells[keys].notna(), None)
    return Cells(cells, _spoken(frame))


def _spoken(frame: pd.DataFrame) -> pd.DataFrame | None:
    """Return the counts by cell and sentence, or None where no sentence is known to be shared by two speakers."""
    known = frame.dropna(subset="_sentence")
    if known.empty or known.groupby("_sentence")["_speaker"].nunique().max() < 2:
        return None
    alone = frame["_speaker"].map(str) + "\0" + frame.index.astype(str)
    named = frame.assign(_sentence=frame["_sentence"].where(frame["_sentence"].notna(), alone).map(str))
    return named.groupby(["_cell", "_sentence"], as_index=False)[["_errors", "_words"]].sum()


def _codes(values: pd.Series) -> np.ndarray:
    codes: np.ndarray = np.unique(values.to_numpy(str), return_inverse=True)[1]
    return codes
