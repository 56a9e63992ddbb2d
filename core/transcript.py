"""How a transcript becomes words before any normaliser: split at white space. Every count of words starts here."""

from __future__ import annotations


def split_words(text: str | None) -> list[str]:
    """Return the words of a transcript; none where there is no transcript.

    Args:
        text: as the corpus or the recogniser wrote it.

    Returns:
        The words in order, punctuation left on them.

    >>> split_words(" give  ten units, please ")
    ['give', 'ten', 'units,', 'please']
    """
    return [] if text is None else text.split()


def one_line(text: object) -> str:
    """Return a text with every run of white space as one space; null is the empty text.

    >>> one_line("ten\\n units")
    'ten units'
    """
    return " ".join(split_words(None if text is None else str(text)))
