"""What `max_rejected` allows: whole numbers are counts, fractions are shares, rounded up."""

from __future__ import annotations

from typing import Any

import pytest

from roomtone.core.errors import RoomtoneError
from roomtone.core.max_rejected import MaxRejected

ALLOWED = [
    *[(0.01, 60, 1), (0.01, 100, 1), (0.01, 101, 2), (0.2, 60, 12), (0.07, 100, 7), (1.0, 60, 60), (1e-9, 60, 1)],
    *[(1, 60, 1), (3, 60, 3), (5, 2, 5), (0, 60, 0), (0.0, 60, 0)],
]


@pytest.mark.parametrize(("value", "total", "limit"), ALLOWED)
def test_counts_and_shares(value: float, total: int, limit: int) -> None:
    """`0.01` of 60 was 0, and `1.0` was one utterance."""
    assert MaxRejected.from_mapping(value).limit(total) == limit


@pytest.mark.parametrize("value", [-1, -0.1, 1.5, float("nan"), float("inf"), "many", True, None])
def test_other_values_are_refused(value: Any) -> None:
    with pytest.raises(RoomtoneError, match=r"max_rejected: expected a count such as 3, or a share from 0 to 1"):
        MaxRejected.from_mapping(value)
