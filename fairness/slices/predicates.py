"""Declarative predicates over manifest columns: which samples a slice holds. Plain JSON, nothing in it can run.

    {"all": [{"column": "accent", "is": "scottish"}, {"column": "snr_db", "at_most": 5}]}

A condition is one column and one of `is` (a text, number or truth value), `in` (a list of those), `at_least`, `at_most` (numbers).
A row whose value is null is in no slice of that column.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest

if TYPE_CHECKING:
    import pandas as pd

_TESTS = ("is", "in", "at_least", "at_most")
_MOST_CONDITIONS = 8

Value = str | int | float | bool


@dataclass(frozen=True)
class Literal:
    """One condition: a column, a test, and what it is tested against."""

    column: str
    test: str
    value: Value | tuple[Value, ...]

    def holds(self, frame: pd.DataFrame) -> np.ndarray:
        """Return where the condition holds, bool [shape=(rows,)].

        Args:
            frame: rows with the column of the literal.

        Raises:
            RoomtoneError: the frame has no such column, or a number is asked of a column of texts.
        """
        import pandas as pd

        if self.column not in frame:
            raise RoomtoneError(
                f"predicate: there is no column {self.column!r}; {nearest(self.column, map(str, frame.columns))}"
            )
        column = frame[self.column]
        if self.test in ("is", "in"):
            values = self.value if isinstance(self.value, tuple) else (self.value,)
            return column.isin(list(values)).to_numpy(bool)
        if not pd.api.types.is_numeric_dtype(column):
            raise RoomtoneError(f"predicate: {self.test!r} needs a column of numbers, and {self.column!r} is none")
        numbers = column.to_numpy(float, na_value=math.nan)
        with np.errstate(invalid="ignore"):
            result: np.ndarray = numbers >= self.value if self.test == "at_least" else numbers <= self.value
        return result

    def __str__(self) -> str:
        if self.test == "in" and isinstance(self.value, tuple):
            return f"{self.column} in {', '.join(map(str, self.value))}"
        sign = {"is": "=", "at_least": "≥", "at_most": "≤"}[self.test]
        return f"{self.column} {sign} {self.value}"


@dataclass(frozen=True)
class Predicate:
    """Conditions that hold together."""

    literals: tuple[Literal, ...]

    def holds(self, frame: pd.DataFrame) -> np.ndarray:
        """Return which rows all conditions hold for, bool [shape=(rows,)].

        Args:
            frame: rows with the columns of the predicate.
        """
        inside = np.ones(len(frame), dtype=bool)
        for literal in self.literals:
            inside &= literal.holds(frame)
        return inside

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types; `parse_predicate` gives an equal predicate back."""
        return {
            "all": [
                {"column": x.column, x.test: list(x.value) if isinstance(x.value, tuple) else x.value}
                for x in self.literals
            ]
        }

    def __str__(self) -> str:
        return " and ".join(map(str, self.literals))


def parse_predicate(data: Any) -> Predicate:
    """Return the predicate that JSON (a mapping, or its text) holds.

    Args:
        data: plain JSON types.

    Raises:
        RoomtoneError: anything but the form above.
    """
    if isinstance(data, str):
        try:
            data = json.loads(data)
        except ValueError as error:
            raise RoomtoneError(f"predicate: not JSON ({error})") from error
    if not isinstance(data, Mapping) or set(data) != {"all"} or not isinstance(data["all"], list):
        raise RoomtoneError(f'predicate: expected {{"all": [conditions]}}, got {str(data)[:80]!r}')
    if not 1 <= len(data["all"]) <= _MOST_CONDITIONS:
        raise RoomtoneError(f"predicate: 1 to {_MOST_CONDITIONS} conditions, got {len(data['all'])}")
    return Predicate(tuple(_literal(item) for item in data["all"]))


def _literal(item: Any) -> Literal:
    tests = [key for key in item if key != "column"] if isinstance(item, Mapping) else []
    if len(tests) != 1 or not isinstance(item.get("column"), str):
        raise RoomtoneError(f'predicate: a condition is {{"column": name, test: value}}, got {str(item)[:80]!r}')
    test = tests[0]
    if test not in _TESTS:
        raise RoomtoneError(f"predicate: unknown test {test!r}; {nearest(str(test), _TESTS)}")
    value = item[test]
    if test == "in":
        if not isinstance(value, list) or not value or not all(isinstance(v, Value) for v in value):
            raise RoomtoneError(f"predicate: 'in' needs a list of texts or numbers, got {value!r}")
        return Literal(item["column"], test, tuple(value))
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if (test != "is" and not number) or not isinstance(value, Value):
        raise RoomtoneError(
            f"predicate: {test!r} needs {'a text or number' if test == 'is' else 'a number'}, got {value!r}"
        )
    return Literal(item["column"], test, value)
