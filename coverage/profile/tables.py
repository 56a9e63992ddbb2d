"""The profile of a matrix as tables: one function each, with the matrix's own source and axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from roomtone.core.errors import RoomtoneError
from roomtone.coverage.counting.axes import Axis
from roomtone.coverage.counting.source import dataset_folder, open_source
from roomtone.coverage.profile import balance as balances
from roomtone.coverage.profile import distributions as spreads
from roomtone.coverage.profile import overlap, planned, vocabulary

if TYPE_CHECKING:
    import pandas as pd

    from roomtone.coverage.matrix import CoverageMatrix


def cell_distributions(
    matrix: CoverageMatrix, column: str, *, quantiles: Sequence[float] = spreads.QUANTILES, bins: int = 16
) -> pd.DataFrame:
    """Return the spread of a measured number in each cell: count, quantiles, histogram.

    Args:
        matrix: the matrix.
        column: a column of numbers, e.g. `measured_snr_db`.
        quantiles: shares from 0 to 1.
        bins: bars of the histogram.

    Raises:
        RoomtoneError: no such column, or no number in it.
    """
    with open_source(matrix.source) as opened:
        return spreads.cell_distributions(opened, matrix.axis_definitions, column, quantiles=quantiles, bins=bins)


def cell_balance(matrix: CoverageMatrix, column: str) -> pd.DataFrame:
    """Return how many speakers of each cell state each value of an attribute, and their share of those who state one.

    Args:
        matrix: the matrix.
        column: the attribute, e.g. `attr_gender`.

    Raises:
        RoomtoneError: no such column, or one that is an axis.
    """
    with open_source(matrix.source) as opened:
        return balances.cell_balance(opened, matrix.axis_definitions, column)


def shared_speakers(matrix: CoverageMatrix, splits: str | None = None, *, unit: str = "speaker") -> pd.DataFrame:
    """Return how many speakers each two cells, or splits, share, as a square table.

    Args:
        matrix: the matrix.
        splits: column of the splits; None compares the cells.
        unit: `speaker` or `utterance_id`.

    Raises:
        RoomtoneError: no such column, or too many cells to compare.
    """
    with open_source(matrix.source) as opened:
        return overlap.shared(opened, matrix.axis_definitions if splits is None else (Axis(splits),), unit=unit)


def never_said(
    matrix: CoverageMatrix, axis: str = "accent", *, dictionary: str | None = None, language: str = "en"
) -> pd.DataFrame:
    """Return words, rare words and phonemes that the speakers of a value never say, though the set has them.

    Args:
        matrix: the matrix.
        axis: a column, usually `accent`.
        dictionary: a file of pronunciations, or `espeak`; None looks at words alone.
        language: voice of espeak-ng.

    Raises:
        RoomtoneError: no transcripts, no such column, or a dictionary that cannot be read.
    """
    known = {known.column: known for known in matrix.axis_definitions}
    with open_source(matrix.source) as opened:
        return vocabulary.never_said(opened, known.get(axis, Axis(axis)), dictionary=dictionary, language=language)


def planned_and_achieved(matrix: CoverageMatrix) -> pd.DataFrame:
    """Return what was planned of each cell beside what was rendered and rejected.

    Args:
        matrix: of one dataset folder.

    Raises:
        RoomtoneError: it is not of one dataset folder.
    """
    folder = dataset_folder(matrix.source)
    if folder is None:
        raise RoomtoneError(f"planned and achieved: {matrix.where} is not one dataset folder with its rejected samples")
    with open_source(matrix.source) as opened:
        return planned.planned_and_achieved(opened, matrix.axis_definitions, folder)
