"""What the numbers of a preset may be: ranges the right way round, within the limits of their op."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from roomtone.core.errors import RoomtoneError
from roomtone.core.settings import Bounds


def check_numbers(values: Mapping[str, Any], drawn: Collection[str], limits: Mapping[str, Bounds], place: str) -> None:
    """Check the numbers and ranges of an op.

    Args:
        values: by field.
        drawn: the fields that take a number or a range.
        limits: what a number, or both ends of a range, may be, by field.
        place: preset and op, for the message.

    Raises:
        RoomtoneError: a range is upside down, or a number lies out of its limits.
    """
    for key, value in values.items():
        if type(value) is tuple and key in drawn and value[0] > value[1]:
            raise RoomtoneError(f"{place}, {key}: expected [low, high] with low <= high, got {list(value)!r}")
    for key, bounds in limits.items():
        value = values.get(key)
        if value is None:
            continue
        low, high = value if isinstance(value, tuple) else (value, value)
        if not bounds.least <= low <= high <= bounds.most:
            slip = f" ({bounds.hint})" if bounds.hint else ""
            got = list(value) if isinstance(value, tuple) else value
            raise RoomtoneError(f"{place}, {key}: expected a number {bounds}, got {got!r}{slip}")
