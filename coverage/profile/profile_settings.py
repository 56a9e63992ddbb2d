"""What is asked of the inside of cells and of what lies between them: keys of `conf/coverage.yaml`, checked once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roomtone.core.errors import RoomtoneError
from roomtone.coverage.profile.balance import BalanceGoal, parse_balance


@dataclass(frozen=True)
class ProfileSettings:
    """Each is left out where it is empty.

    Attributes:
        distributions: columns of numbers whose spread in each cell is told.
        balance: goals of balance.
        splits: column of the splits between which speakers may be shared.
        vocabulary: axis whose values are looked at for words that they lack.
        dictionary: file of pronunciations, or `espeak`.
        trend: earlier reports, the oldest first.
    """

    distributions: tuple[str, ...] = ()
    balance: tuple[BalanceGoal, ...] = ()
    splits: str | None = None
    vocabulary: str | None = None
    dictionary: str | None = None
    trend: tuple[str, ...] = ()


def parse_profile(values: Mapping[str, Any]) -> ProfileSettings:
    """Return the settings of a mapping that has these keys among others.

    Args:
        values: a key that is absent or null has its default.

    Raises:
        RoomtoneError: a value of the wrong kind; the message names the key.

    >>> parse_profile({"splits": "split", "trend": "old"}).trend
    ('old',)
    """
    texts: dict[str, Any] = {}
    for key in ("splits", "vocabulary", "dictionary"):
        value = values.get(key)
        if value is not None and not isinstance(value, str):
            raise RoomtoneError(f"{key}: expected a text, got {value!r}")
        texts[key] = value
    if texts["dictionary"] is not None and texts["vocabulary"] is None:
        raise RoomtoneError("dictionary: asks for phonemes, but of what? name an axis, e.g. vocabulary=accent")
    return ProfileSettings(
        distributions=_names(values.get("distributions"), "distributions"),
        balance=parse_balance(values.get("balance") or ()),
        trend=_names(values.get("trend"), "trend"),
        **texts,
    )


def _names(value: Any, key: str) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else (value or ())
    if not isinstance(listed, Sequence) or not all(isinstance(item, str) for item in listed):
        raise RoomtoneError(f"{key}: expected a list of names, got {value!r}")
    return tuple(listed)
