"""Text normalisers: a closed, versioned table; the one that is named is applied to reference and hypothesis alike.

A WER without its normaliser is not comparable, so the name and version are in every table and report. A change of what a
normaliser does is a new version. `auto` is not a normaliser but a choice by language: `spoken_english` for English, `basic` else.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.words import split_words
from roomtone.fairness.scoring.english.spoken import spoken_english
from roomtone.fairness.scoring.lattice import Token
from roomtone.fairness.scoring.units import CHARACTER, WORD, primary_language, unit_of

AUTO = "auto"


@dataclass(frozen=True)
class Normalizer:
    """A named way from text to tokens: words, and where a figure can be read in several ways, all readings of it."""

    name: str
    version: str
    description: str
    tokens: Callable[[str], list[Token]]

    @property
    def label(self) -> str:
        """Return `name/version`, as tables and reports carry it."""
        return f"{self.name}/{self.version}"

    def words(self, text: str) -> list[str]:
        """Return the words of a text, of several readings the plainest.

        Args:
            text: a reference or a hypothesis.
        """
        return plainest(self.tokens(text))


def plainest(tokens: Sequence[Token]) -> list[str]:
    """Return the words of a tokenised text, of several readings the first.

    Args:
        tokens: words, or all readings of a figure.

    >>> plainest(["take", (("one", "twenty"), ("one", "two", "zero"))])
    ['take', 'one', 'twenty']
    """
    return [word for token in tokens for word in ((token,) if isinstance(token, str) else token[0])]


_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\uff07`\u00b4", "'"))
#: Full stops of initials; that of "1.5" is none, or it would read as 15.
_DOTTED = re.compile(r"(?<=\b[^\W\d_])\.(?=[^\W\d_]\b|\s|$)")
_LONE_APOSTROPHE = re.compile(r"(?<!\w)'|'(?!\w)")
#: Runs of anything but Thai and Lao AM, which NFKC would split in two.
_COMPOSED = re.compile("[^\u0e33\u0eb3]+")
_TATWEEL = "\u0640"


def _basic(text: str) -> list[Token]:
    folded = _COMPOSED.sub(
        lambda found: unicodedata.normalize("NFKC", found[0]), text.translate(_APOSTROPHES)
    ).casefold()
    folded = folded.replace("i\u0307", "i")  # what casefolding makes of a Turkish capital I with its dot
    spaced = "".join(map(_basic_character, _DOTTED.sub("", folded)))
    return [*split_words(_LONE_APOSTROPHE.sub(" ", spaced))]


@functools.lru_cache(maxsize=1 << 14)
def _basic_character(c: str) -> str:
    """Return what becomes of a character: marks stay, joiners and direction marks vanish, other punctuation is a space."""
    category = unicodedata.category(c)
    if category == "Cf" or c == _TATWEEL:
        return ""
    if category == "Nd":
        return str(unicodedata.digit(c))
    return " " if c != "'" and (category[0] in "PSZ" or category == "Cc") else c


def _casefold(text: str) -> list[Token]:
    return [*split_words(text.casefold())]


def _whisper_english(text: str) -> list[Token]:
    """Return what Whisper's own normaliser makes of a text; one that ends it (a figure of thousands of digits) is read as `basic` does."""
    closed = text
    for opening, closing in (
        ("(", ")"),
        ("<[", ">]"),
    ):  # its search for what ends a bracket is quadratic where nothing does
        last = max(map(closed.rfind, closing)) + 1
        closed = closed[:last] + closed[last:].translate(dict.fromkeys(map(ord, opening), " "))
    try:
        return [*split_words(_whisper_normalizer()(" ".join(closed.split())))]
    except (AssertionError, ValueError):
        return _basic(text)


@functools.lru_cache(maxsize=1)
def _whisper_normalizer() -> Callable[[str], str]:
    from whisper_normalizer.english import EnglishTextNormalizer

    made: Callable[[str], str] = EnglishTextNormalizer()
    return made


#: From strict to mild.
NORMALIZERS: dict[str, Normalizer] = {
    n.name: n
    for n in (
        Normalizer("none", "1", "split at white space, nothing else", lambda text: [*split_words(text)]),
        Normalizer("casefold", "1", "case folded, split at white space (as sclite scores)", _casefold),
        Normalizer(
            "basic", "2", "NFKC, case folded, apostrophes inside words kept, initials joined (u.s. = us), other punctuation to spaces", _basic
        ),
        Normalizer(
            "spoken_english", "1",
            "figures, money, units, times and dates as they are spoken (of several readings the nearest counts), contractions written out,"
            " fillers left out, one spelling",
            spoken_english,
        ),
        Normalizer("whisper_english", version("whisper-normalizer"), "Whisper's own, as leaderboards use it", _whisper_english),
    )
}  # fmt: skip


def normalizer(name: str) -> Normalizer:
    """Return the normaliser of that name.

    Args:
        name: a key of `NORMALIZERS`; `auto` is resolved by `normalizer_for`.

    Raises:
        RoomtoneError: there is none, with the nearest that there is.

    >>> normalizer("basic").words("Don't PANIC -- it's the U.S.!")
    ["don't", 'panic', "it's", 'the', 'us']
    """
    if name not in NORMALIZERS:
        raise RoomtoneError(f"normalizer: unknown {name!r}; {nearest(str(name), [AUTO, *NORMALIZERS])}")
    return NORMALIZERS[name]


def normalizer_for(name: str, language: str | None) -> Normalizer:
    """Return the normaliser of that name; `auto` is `spoken_english` for English and where no language is stated, else `basic`.

    Args:
        name: a key of `NORMALIZERS`, or `auto`.
        language: a BCP 47 tag, or null.

    Raises:
        RoomtoneError: there is none of that name.
    """
    if name != AUTO:
        return normalizer(name)
    return NORMALIZERS["spoken_english" if primary_language(language) in ("en", "eng", None) else "basic"]


@dataclass(frozen=True)
class Tokenizer:
    """A normaliser with the unit in which a language is counted."""

    normalizer: Normalizer
    unit: str = WORD

    @property
    def label(self) -> str:
        """Return the normaliser's label, and the unit where it is not the word."""
        return self.normalizer.label if self.unit == WORD else f"{self.normalizer.label}, {self.unit}s"

    def tokens(self, text: str | None) -> list[Token]:
        """Return the tokens of a text; none of a missing one.

        Args:
            text: a reference, a hypothesis, or null.
        """
        if text is None:
            return []
        if self.unit == CHARACTER:
            return [character for word in self.normalizer.words(text) for character in word]
        return self.normalizer.tokens(text)


@functools.lru_cache(maxsize=256)
def tokenizer_for(name: str, language: str | None) -> Tokenizer:
    """Return the tokenizer of a normaliser's name (or `auto`) and a language.

    Args:
        name: a key of `NORMALIZERS`, or `auto`.
        language: a BCP 47 tag, or null.

    Raises:
        RoomtoneError: there is no normaliser of that name.

    >>> tokenizer_for("auto", "zh").tokens("你好，世界")
    ['你', '好', '世', '界']
    """
    return Tokenizer(normalizer_for(name, language), unit_of(language))


def tokens_of(texts: Iterable[Any], tokenizers: Sequence[Tokenizer]) -> list[list[Token]]:
    """Return the tokens of each text; a text that many samples share is read once.

    Args:
        texts: of the samples; what is no text has no tokens.
        tokenizers: of each.
    """
    known: dict[tuple[str, int], list[Token]] = {}
    found: list[list[Token]] = []
    for text, tokenizer in zip(texts, tokenizers):
        if not isinstance(text, str):
            found.append([])
            continue
        key = (text, id(tokenizer))
        tokens = known.get(key)
        if tokens is None:
            tokens = known[key] = tokenizer.tokens(text)
        found.append(tokens)
    return found
