"""The name under which a set is shown: its folder with the scenario, or the levels, that it was made of; never the path of a machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from roomtone.core.bounded.regular_files import read_json
from roomtone.core.files import is_remote
from roomtone.coverage.counting.source import Source


def set_name(source: Any) -> str:
    """Return the name of a dataset folder, a table of recordings, several of them, or a DataFrame.

    >>> set_name(["a/stress-set", "tables/field.csv"])
    'stress-set, field.csv'
    """
    value = source.value if isinstance(source, Source) else source
    if hasattr(value, "columns"):
        return "recordings in a table"
    named = [value] if isinstance(value, str | os.PathLike) else list(value)
    return ", ".join(dict.fromkeys(_name(os.fspath(one)) for one in named))


def _name(path: str) -> str:
    if is_remote(path):
        return path.rstrip("/").rpartition("/")[2]
    folder = Path(path).resolve()
    try:
        stated = read_json(folder / "dataset.json").get("name")
    except (OSError, ValueError, AttributeError):
        stated = None
    if not isinstance(stated, str) or not stated or stated == folder.name:
        return folder.name
    return f"{folder.name} ({stated})"


def report_name(path: str | os.PathLike[str]) -> str:
    """Return the name of an earlier report: the folder of its set, or its file.

    >>> report_name("sets/may/coverage/matrix.csv"), report_name("sets/may"), report_name("old/may.csv")
    ('may', 'may', 'may.csv')
    """
    place = Path(os.path.abspath(path))
    if place.name == "matrix.csv":
        place = place.parent
    return place.parent.name if place.name == "coverage" else place.name
