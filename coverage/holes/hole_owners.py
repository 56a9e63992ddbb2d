"""Who looks after a hole: owner and note, kept in a YAML file beside the report and carried on by the next one.

    - {accent: scottish, condition: "*", owner: Ann, note: "ten speakers booked for May"}

Values are matched as goals match them; an axis that is left out is any. The last entry that fits a hole counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.yaml_text import parse_bounded_yaml, read_bounded_text
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.files import write_whole
from roomtone.coverage.counting.goals import matches
from roomtone.coverage.counting.source import open_source

if TYPE_CHECKING:
    import pandas as pd

    from roomtone.coverage.matrix import CoverageMatrix

_OWN = ("owner", "note")
_EMPTY = """\
# Who looks after which hole; the next report carries it on. One entry a line, an axis left out is any, * and ? are wildcards:
# - {accent: scottish, condition: "*", owner: Ann, note: "ten speakers booked for May"}
[]
"""


@dataclass(frozen=True)
class HoleNote:
    """One entry: the holes it is about, who owns them, and what is to be said."""

    where: dict[str, tuple[str, ...]]
    owner: str | None
    note: str | None


def read_notes(path: Path, axes: Sequence[str], columns: Sequence[str] = ()) -> list[HoleNote]:
    """Return the entries of a file that are about these axes; none where there is no file.

    Args:
        path: the file.
        axes: the axes of the matrix.
        columns: other columns of the set; an entry that names one of them is about another matrix and left out.

    Raises:
        RoomtoneError: not a list of mappings, or an entry that names neither an axis nor a column.
    """
    if not path.exists():
        return []
    content = parse_bounded_yaml(read_bounded_text(path), where=str(path)) or []
    if not isinstance(content, list) or not all(isinstance(entry, dict) for entry in content):
        raise RoomtoneError(f"{path}: expected a list of mappings with an axis, owner and note")
    notes = [_note(entry, [*axes, *columns], f"{path}, entry {i}") for i, entry in enumerate(content, 1)]
    return [note for note in notes if set(note.where) <= set(axes)]


def _note(entry: dict[Any, Any], axes: Sequence[str], where: str) -> HoleNote:
    named = {}
    for key, value in entry.items():
        if key in _OWN:
            continue
        if key not in axes:
            raise RoomtoneError(
                f"{where}: {key!r} is neither an axis nor a column; {nearest(str(key), [*axes, *_OWN])}"
            )
        named[str(key)] = tuple(map(str, value if isinstance(value, list) else [value]))
    texts = [None if entry.get(key) is None else str(entry[key]) for key in _OWN]
    return HoleNote(named, texts[0], texts[1])


def with_notes(holes: pd.DataFrame, notes: Sequence[HoleNote]) -> pd.DataFrame:
    """Return the holes with the columns `owner` and `note`, null where nobody looks after one.

    Args:
        holes: one row a hole.
        notes: entries; the last one that fits counts.
    """
    import pandas as pd

    found = [_last(row, notes) for row in holes.to_dict("records")]
    owners, texts = [owner for owner, _ in found], [text for _, text in found]
    return holes.assign(
        owner=pd.Series(owners, index=holes.index, dtype=object), note=pd.Series(texts, index=holes.index, dtype=object)
    )


def _last(row: dict[Any, Any], notes: Sequence[HoleNote]) -> tuple[str | None, str | None]:
    for entry in reversed(notes):
        if all(matches(str(row[axis]), patterns) for axis, patterns in entry.where.items()):
            return entry.owner, entry.note
    return None, None


def start_notes(path: Path) -> None:
    """Write an empty file that says how entries look, where there is none yet."""
    if not path.exists():
        write_whole(path, _EMPTY.encode())


def holes_with_notes(matrix: CoverageMatrix, path: Path) -> pd.DataFrame:
    """Return the holes of a matrix with owner and note; the file is started where there is none.

    Args:
        matrix: the matrix.
        path: the file of notes.

    Raises:
        RoomtoneError: as `read_notes`.
    """
    with open_source(matrix.source) as opened:
        notes = read_notes(path, matrix.axes, opened.columns)
    start_notes(path)
    return with_notes(matrix.holes(), notes)


def note_lines(holes: pd.DataFrame) -> list[str]:
    """Return who looks after how many of the holes, in a line; none where nobody looks after any.

    Args:
        holes: with the columns `owner` and `note`.
    """
    kept = holes[holes["owner"].notna() | holes["note"].notna()]
    if kept.empty:
        return []
    owners = kept["owner"].fillna("nobody by name").value_counts()
    told = ", ".join(f"{owner} {count:,}" for owner, count in owners.items())
    return [f"holes.yaml: {len(kept):,} of {len(holes):,} holes are looked after ({told})"]
