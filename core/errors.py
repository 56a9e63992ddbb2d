"""The one root exception of Roomtone, and how a message names the nearest right word.

Messages are one line: what is wrong, where, the value given, and what would be right. The command line prints
them as they are, without a traceback, and exits with `exit_status`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RoomtoneError(Exception):
    """The user's input is wrong: one clear line, exit status 1."""

    exit_status = 1


class GateNotMetError(RoomtoneError):
    """A gate (coverage, verification) was not met: exit status 2."""

    exit_status = 2


class TooManyRejectedError(RoomtoneError):
    """More inputs were rejected than `max_rejected` allows: exit status 4."""

    exit_status = 4


#: A hint lists so many known words at most; of more it names the nearest.
MOST_LISTED = 20


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint that names the known word closest to `name`, or lists what is known; of many only the three nearest.

    Args:
        name: what was given.
        known: what there is.

    >>> nearest("pinkk", ["white", "pink"])
    "did you mean 'pink'?"
    >>> nearest("zzz", ["white", "pink"])
    'known: pink, white'
    """
    options = sorted(known)
    close = difflib.get_close_matches(str(name), options, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    if len(options) <= MOST_LISTED:
        return "known: " + ", ".join(options)
    three = difflib.get_close_matches(str(name), options, n=3, cutoff=0.0)
    return f"the nearest of {len(options)}: {', '.join(three)}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return "; did you mean …?" where a known word is close to `name`, and nothing where none is.

    Args:
        name: the word as it was written.
        known: what it may have meant.

    >>> did_you_mean("tets.tsv", ["test.tsv", "dev.tsv"]), did_you_mean("a", ["test.tsv"])
    ("; did you mean 'test.tsv'?", '')
    """
    hint = nearest(name, known)
    return f"; {hint}" if hint.startswith("did you mean") else ""
