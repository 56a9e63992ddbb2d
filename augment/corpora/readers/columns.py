"""Which column of a table is for what, and what a message says where one is missing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from roomtone.core.errors import RoomtoneError, nearest


def require_columns(found: Sequence[str], needed: Mapping[str, str], where: str | os.PathLike[str]) -> None:
    """Check that a table has its columns.

    Args:
        found: the names of its columns.
        needed: what a column is for -> its name.
        where: the table's file, for the message.

    Raises:
        RoomtoneError: one is missing; the message names the nearest, and the columns that there are. Of several, all are named.
    """
    lacking = {use: name for use, name in needed.items() if name not in found}
    if len(lacking) > 1 and len(found) > 1:
        named = ", ".join(f"{name!r} (for {use})" if use != name else repr(name) for use, name in lacking.items())
        raise RoomtoneError(f"{os.fspath(where)}: there are no columns {named}; columns: {', '.join(found)}")
    for use, name in needed.items():
        if name not in found:
            other = next((mark for mark in (";", "\t", "|", ",") if len(found) == 1 and mark in found[0]), None)
            if other is not None:
                right = (
                    "a file with tabs ends in .tsv" if other == "\t" else "save it with commas (.csv) or tabs (.tsv)"
                )
                raise RoomtoneError(f"{os.fspath(where)}: its columns are separated by {other!r}; {right}")
            hint = nearest(name, found)
            there = "" if hint.startswith("known") else "; columns: " + ", ".join(found)
            raise RoomtoneError(f"{os.fspath(where)}: there is no column {name!r} (for {use}); {hint}{there}")


def first_column(found: Sequence[str], names: Sequence[str], use: str, where: str | os.PathLike[str]) -> str:
    """Return the first of several names that a table has; releases of one corpus differ.

    Args:
        found: the names of the table's columns.
        names: what the column is called in one release or another.
        use: what the column is for, for the message.
        where: the table's file, for the message.

    Raises:
        RoomtoneError: the table has none of them.
    """
    present = next((name for name in names if name in found), None)
    if present is None:
        require_columns(found, {use: names[0]}, where)
    return str(present)


def one_of(value: str, allowed: Sequence[str], key: str) -> str:
    """Return a value that is among the allowed ones.

    Args:
        value: what the user gave for the key.
        allowed: the names that there are.
        key: the key, for the message, e.g. `corpus.split`.

    Raises:
        RoomtoneError: it is not among them; the message names the nearest.
    """
    if value not in allowed:
        raise RoomtoneError(f"{key}={value}: there is none of that name; {nearest(value, allowed)}")
    return value
