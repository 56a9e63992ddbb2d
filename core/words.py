"""How a transcript becomes words: the one rule by which corpora, plans and manifests count and compare them.

A word is what white space separates. Scoring has rules of its own (`fairness.scoring.normalize`), because a recogniser's
spelling must be made comparable first.
"""

from __future__ import annotations


def word_count(text: str | None) -> int:
    """Return the number of words of a transcript; 0 where there is none.

    Args:
        text: the transcript, or None where the corpus has none.

    >>> word_count("scan  the left knee"), word_count(None)
    (4, 0)
    """
    return len((text or "").split())


def prompt_key(text: str | None) -> str:
    """Return what two transcripts share when they are the same prompt: their words without regard to case.

    Args:
        text: the transcript, or None where the corpus has none.

    >>> prompt_key("Scan the  left knee") == prompt_key("scan the left knee")
    True
    """
    return " ".join((text or "").casefold().split())
