"""The keys of the group `design`: which each design knows, and what limits it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from roomtone.core.errors import RoomtoneError, nearest

#: Keys of a design that limit it, and those that only some designs have.
LIMITS = ("hours", "renders", "utterances_per_condition", "first")
_OWN = {
    "fill": (*LIMITS, "axes", "max_per_speaker", "max_per_asset"),
    "covering": (*LIMITS, "strength", "rows_per_utterance"),
    "full": (*LIMITS, "rows_per_utterance", "clean"),
    "one_at_a_time": (*LIMITS, "rows_per_utterance"),
}


def check_design(design: Mapping[str, Any]) -> None:
    """Refuse a key that a design does not know.

    Raises:
        RoomtoneError: such a key, with the nearest known one.
    """
    known = ("name", *_OWN.get(str(design.get("name")), LIMITS))
    for key in design:
        if key not in known and str(design.get("name")) in _OWN:
            raise RoomtoneError(f"design: unknown key {key!r}; {nearest(key, known)}")


def limits_of(design: Mapping[str, Any]) -> dict[str, Any]:
    """Return what limits a design, as `fill_plan` takes it.

    Args:
        design: the group `design`.

    Raises:
        RoomtoneError: a limit of the wrong kind.
    """
    from roomtone.coverage import Budget

    return {
        "budget": Budget(renders=design.get("renders"), hours=design.get("hours")),
        "utterances_per_condition": design.get("utterances_per_condition"),
        "first": design.get("first") or "cells",
    }
