"""Words that the whole project shares: the factors, what stands for a value that is missing, and what a word is."""

from __future__ import annotations

NOT_STATED = "(not stated)"
#: Joins the accents of a multi-accent speaker in the column `accent`.
ACCENT_SEPARATOR = "|"
NONE = "none"
#: The acoustic factors, in the order of conditions' names.
FACTORS = ("room", "noise", "equipment", "handset")


def words_of(text: str | None) -> list[str]:
    """Return the words of a transcript: what white space separates; no transcript has none.

    >>> words_of(" two  words "), words_of(None)
    (['two', 'words'], [])
    """
    return (text or "").split()


def words_sql(column: str) -> str:
    """Return DuckDB's SQL for the number of words of a text column, which counts as `words_of` does; null stays null."""
    # what Python's split() takes for white space: Unicode separators, and the control characters that separate
    return rf"len(regexp_extract_all({column}, '[^\p{{Z}}\x09-\x0d\x1c-\x1f\x85]+'))"
