"""The seal of a manifest row: a hash over the row, so that an edited label is found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from roomtone.core.random_streams import content_key

#: The column that seals a row; computed over every other column that holds a value.
SEAL = "row_sha256"


def seal(row: Mapping[str, Any]) -> str:
    """Return the hash over all of a row but its seal; null and absent are the same."""
    present = {key: _plain(value) for key, value in row.items() if key != SEAL and not is_null(value)}
    return content_key(sorted(present.items()))


def _plain(value: Any) -> Any:
    """Return numbers as floats, because a table turns a column of whole numbers with nulls in it into floats."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def is_null(value: Any) -> bool:
    """Return whether a cell holds nothing: None, or the NaN that pandas puts in its place."""
    return value is None or (isinstance(value, float) and math.isnan(value))
