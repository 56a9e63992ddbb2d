"""The hash of a manifest row, so that an edited label is found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from roomtone.core.dataset.columns import ROW_HASH
from roomtone.core.random_streams import content_key


def row_hash(row: Mapping[str, Any]) -> str:
    """Return the hash over every column of a row that holds a value, the column `row_sha256` aside.

    Null and absent are the same, and so are 1 and 1.0: a table turns a column of whole numbers with nulls in it into floats.

    >>> row_hash({"words": 3, "text": None}) == row_hash({"words": 3.0})
    True
    """
    present = {key: _plain(value) for key, value in row.items() if key != ROW_HASH and not is_null(value)}
    return content_key(sorted(present.items()))


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def is_null(value: Any) -> bool:
    """Return whether a cell holds nothing: None, or the NaN that pandas puts in its place."""
    return value is None or (isinstance(value, float) and math.isnan(value))
