"""Matrices far too large to lay out work on what is there, and pictures that nobody could read are refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from roomtone.coverage import CoverageMatrix, RoomtoneError, check_gates, parse_gates


@pytest.fixture(scope="module")
def matrix():
    """Return a matrix of 10,000 speakers by 3,600 conditions, 36 million cells, of which 20,000 or fewer hold a render."""
    rng = np.random.default_rng(0)
    speakers = np.concatenate([np.arange(10_000), rng.integers(0, 10_000, 10_000)])
    conditions = np.concatenate([np.arange(10_000) % 3_600, rng.integers(0, 3_600, 10_000)])
    rows = pd.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(20_000)],
            "utterance_id": [f"u{i}" for i in range(20_000)],
            "speaker": [f"p{i:05d}" for i in speakers],
            "condition": [f"c{i:04d}" for i in conditions],
            "duration_s": 2.0,
        }
    )
    return rows, CoverageMatrix(rows, axes=["speaker", "condition"])


def test_what_is_there_is_counted_and_the_rest_is_known(matrix):
    rows, found = matrix
    frame = found.to_frame()
    expected = rows.groupby(["speaker", "condition"]).size()
    assert len(frame) == len(expected)
    assert frame.set_index(["speaker", "condition"])["renders"].sort_index().tolist() == expected.sort_index().tolist()
    figures = found.figures
    assert figures.cells == 36_000_000
    assert figures.covered_cells == len(expected)
    (miss,) = check_gates(found, parse_gates({"fail_under": 1}))
    assert f"{len(expected)} of 36000000 cells" in miss.line


def test_a_picture_of_it_is_refused(matrix):
    with pytest.raises(RoomtoneError, match="36,000,000|10,000"):
        matrix[1].plot()
