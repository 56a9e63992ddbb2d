"""How a transcript becomes words before any normaliser: split at white space. Every count of words starts here.

Scoring has rules of its own on top (`fairness.scoring`), because a recogniser's spelling must be made comparable first.
"""

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


def word_count(text: str | None) -> int:
    """Return the number of words of a transcript; 0 where there is none.

    Args:
        text: the transcript, or None where the corpus has none.

    >>> word_count("scan  the left knee"), word_count(None)
    (4, 0)
    """
    return len(split_words(text))


def one_line(text: object) -> str:
    """Return a text with every run of white space as one space; null is the empty text.

    >>> one_line("ten\\n units")
    'ten units'
    """
    return " ".join(split_words(None if text is None else str(text)))


def prompt_key(text: str | None) -> str:
    """Return what two transcripts share when they are the same prompt: their words without regard to case.

    Args:
        text: the transcript, or None where the corpus has none.

    >>> prompt_key("Scan the  left knee") == prompt_key("scan the left knee")
    True
    """
    return one_line(text).casefold()


def words_sql(column: str) -> str:
    """Return DuckDB's SQL for the number of words of a text column, which counts as `split_words` does; null stays null.

    Args:
        column: a quoted column name or another SQL expression of type VARCHAR.
    """
    # what Python's split() takes for white space: Unicode separators, and the control characters that separate
    return rf"len(regexp_extract_all({column}, '[^\p{{Z}}\x09-\x0d\x1c-\x1f\x85]+'))"
