"""How much may be rejected before a command stops: a count, or a share.

A whole number is a count, and a fraction from 0 to 1 a share, rounded up: `max_rejected=3` is three of them, `max_rejected=0.01` one of
60 and one of 100, `max_rejected=1` one, and `max_rejected=1.0` all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from roomtone.core.errors import RoomtoneError


@dataclass(frozen=True)
class MaxRejected:
    """The key `max_rejected`.

    Attributes:
        value: an `int` is a count, a `float` a share from 0 to 1.
    """

    value: int | float = 0.01

    @classmethod
    def from_mapping(cls, value: Any, where: str = "max_rejected") -> MaxRejected:
        """Return the key as a user gave it.

        Args:
            value: a whole number, or a fraction from 0 to 1.
            where: the name of the key, for the message.

        Raises:
            RoomtoneError: another type, a negative number, or a fraction above 1.
        """
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 <= value < math.inf or (isinstance(value, float) and value > 1):
            raise RoomtoneError(
                f"{where}: expected a count such as 3, or a share from 0 to 1 such as 0.01 (1.0 is all), got {value!r}"
            )
        return cls(value)

    def limit(self, total: int) -> int:
        """Return how many may be rejected.

        Args:
            total: how many there are.

        >>> MaxRejected(0.01).limit(60), MaxRejected(1.0).limit(60), MaxRejected(1).limit(60), MaxRejected(0.0).limit(60)
        (1, 60, 1, 0)
        """
        if isinstance(self.value, int):
            return self.value
        return math.ceil(round(self.value * total, 9))  # 0.07 * 100 is 7.000000000000001
