"""The matrix as CSV for people, and read back.

Long form: one row a cell, the axes' columns, `renders, utterances, speakers, assets, minutes, words`, then goals and what follows
from them. A spreadsheet takes a text that starts with `=`, `+`, `-`, `@`, tab or carriage return for a formula, so such a
text gets an apostrophe in front; so does one that starts with an apostrophe, and reading takes one apostrophe away:
what goes out comes back. Control characters are written as visible escapes, and stay so.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.regular_files import open_regular
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import write_whole
from roomtone.core.printable import printable
from roomtone.coverage.counting.goals import UNITS

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


def neutral(value: Any) -> Any:
    """Return a text that no spreadsheet runs and that moves no terminal; numbers stay.

    >>> neutral("=1+1"), neutral("scottish"), neutral(-3)
    ("'=1+1", 'scottish', -3)
    """
    if not isinstance(value, str):
        return value
    return f"'{printable(value)}" if value.startswith(_FORMULA) else printable(value)


def _original(value: Any) -> Any:
    return value[1:] if isinstance(value, str) and value.startswith("'") else value


def write_csv(frame: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """Write a table with neutralised texts, under a temporary name first; return the path.

    Args:
        frame: the table.
        path: the file.
    """
    out = frame.copy()
    for name in out.columns:
        if out[name].dtype.kind not in "ifb":
            out[name] = out[name].map(neutral)
    out.columns = [neutral(str(name)) for name in out.columns]
    return write_whole(path, out.to_csv(index=False, lineterminator="\n").encode())


def read_matrix_csv(path: str | os.PathLike[str]) -> tuple[tuple[str, ...], pd.DataFrame]:
    """Return the axes and the frame of a `coverage/matrix.csv`; a dataset folder stands for its own.

    Raises:
        RoomtoneError: no such file, or not a matrix.
    """
    import pandas as pd

    file = Path(path)
    if file.is_dir():
        file = file / "coverage" / "matrix.csv"
    if not file.is_file():
        raise RoomtoneError(
            f"baseline: there is no file {file}; `roomtone coverage` writes coverage/matrix.csv into a set"
        )
    try:
        with open_regular(file) as opened:
            frame = pd.read_csv(opened, keep_default_na=False, dtype=str)
    except (ValueError, OSError) as error:
        raise RoomtoneError(f"{file}: not a readable CSV ({' '.join(str(error).split())})") from error
    frame.columns = [_original(name) for name in frame.columns]
    if not set(UNITS) <= set(frame.columns):
        raise RoomtoneError(
            f"{file}: not a coverage matrix, it lacks {', '.join(u for u in UNITS if u not in frame.columns)}"
        )
    axes = tuple(frame.columns[: list(frame.columns).index("renders")])
    for name in frame.columns:
        if name in axes or name == "status":
            frame[name] = frame[name].map(_original)
        else:
            frame[name] = pd.to_numeric(frame[name], errors="coerce")
    return axes, frame
