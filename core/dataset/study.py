"""What a set says of itself: the goals, factor levels and constraints of the scenario it was made from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roomtone.core.bounded.regular_files import read_json
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import is_remote


@dataclass(frozen=True)
class Study:
    """Goals as `goals.py` reads them, or None; levels of each factor; constraints as `constraints.py` reads them."""

    goals: dict[str, Any] | None = None
    factors: dict[str, list[str]] = field(default_factory=dict)
    constraints: tuple[Any, ...] = ()


def read_study(dataset: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> Study:
    """Return the study of the first named set that has one in its `dataset.json`; the last run's where it has several.

    Raises:
        RoomtoneError: a `dataset.json` that is not JSON.
    """
    named = [dataset] if isinstance(dataset, str | os.PathLike) else list(dataset)
    for name in named:
        file = Path(name) / "dataset.json"
        if is_remote(str(name)) or not file.exists():
            continue
        try:
            runs = read_json(file).get("runs") or []
            scenario = runs[-1]["config"]["scenario"] if runs else {}
            goals, factors = scenario.get("goals"), scenario.get("factors") or {}
            levels = {str(factor): [str(level) for level in levels] for factor, levels in factors.items()}
            return Study(goals, levels, tuple(scenario.get("constraints") or ()))
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise RoomtoneError(f"{file}: not the description of a set ({type(error).__name__}: {error})") from error
    return Study()
