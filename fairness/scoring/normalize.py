"""Text normalisers: a closed, versioned table; the one that is named is applied to reference and hypothesis alike.

A WER without its normaliser is not comparable, so the name and version are in every table and report. A change of what a
normaliser does is a new version.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.words import split_words


@dataclass(frozen=True)
class Normalizer:
    """A named way from text to words."""

    name: str
    version: int
    description: str
    words: Callable[[str], list[str]]

    @property
    def label(self) -> str:
        """Return `name/version`, as tables and reports carry it."""
        return f"{self.name}/{self.version}"


_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\uff07`\u00b4", "'"))
_DOTTED = re.compile(r"(?<=\b\w)\.(?=\w\b|\s|$)")
_LONE_APOSTROPHE = re.compile(r"(?<!\w)'|'(?!\w)")


def _basic(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).casefold()
    folded = _LONE_APOSTROPHE.sub(" ", _DOTTED.sub("", folded))
    return split_words("".join(" " if c != "'" and unicodedata.category(c)[0] in "PSC" else c for c in folded))


NORMALIZERS: dict[str, Normalizer] = {
    n.name: n
    for n in (
        Normalizer("none", 1, "split at white space, nothing else", split_words),
        Normalizer(
            "casefold", 1, "case folded, split at white space (as sclite scores)", lambda t: split_words(t.casefold())
        ),
        Normalizer(
            "basic",
            1,
            "NFKC, case folded, apostrophes inside words kept, initials joined (u.s. = us), other punctuation to spaces",
            _basic,
        ),
    )
}


def normalizer(name: str) -> Normalizer:
    """Return the normaliser of that name.

    Raises:
        RoomtoneError: there is none, with the nearest that there is.

    >>> normalizer("basic").words("Don't PANIC -- it's the U.S.!")
    ["don't", 'panic', "it's", 'the', 'us']
    """
    if name not in NORMALIZERS:
        raise RoomtoneError(f"normalizer: unknown {name!r}; {nearest(str(name), NORMALIZERS)}")
    return NORMALIZERS[name]
