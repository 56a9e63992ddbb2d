"""What is counted: words, or characters where a language is written without spaces between words."""

from __future__ import annotations

#: ISO 639 codes of languages written without spaces between words.
WITHOUT_SPACES = frozenset(
    {
        "zh",
        "yue",
        "cmn",
        "wuu",
        "nan",
        "ja",
        "th",
        "lo",
        "km",
        "my",
        "bo",
        "dz",
        "zho",
        "jpn",
        "tha",
        "lao",
        "khm",
        "mya",
    }
)
WORD, CHARACTER = "word", "character"


def unit_of(language: str | None) -> str:
    """Return `character` for a language without spaces between words, else `word`.

    Args:
        language: a BCP 47 tag such as `en-GB`, or null where it is not known.

    >>> unit_of("zh-CN"), unit_of("en"), unit_of(None)
    ('character', 'word', 'word')
    """
    return CHARACTER if primary_language(language) in WITHOUT_SPACES else WORD


def primary_language(language: str | None) -> str | None:
    """Return the primary subtag of a language tag in lower case, or None.

    Args:
        language: a BCP 47 tag, or null.

    >>> primary_language("en_GB")
    'en'
    """
    return language.replace("_", "-").split("-")[0].strip().casefold() or None if isinstance(language, str) else None
