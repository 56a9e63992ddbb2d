"""What a user should know of a corpus before a set is made from it, one sentence each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.vocabulary import NOT_STATED

_MOST_KINDS = 6


def accent_notes(utterances: Iterable[Utterance]) -> list[str]:
    """Return what is to be said of accents: that none is stated, or that some are not.

    Args:
        utterances: those of a corpus, its accent map applied.
    """
    total = blank = 0
    for utterance in utterances:
        total += 1
        blank += utterance.accent is None
    return missing_accents(blank, total)


def missing_accents(blank: int, total: int) -> list[str]:
    """Return the sentence on utterances that state no accent; none where all state one.

    Args:
        blank: how many state none.
        total: how many there are.

    >>> missing_accents(0, 3)
    []
    """
    if not blank:
        return []
    if blank < total:
        return [f"{blank:,} of {total:,} utterances state no accent; they are counted as {NOT_STATED}"]
    return [
        f"NO ACCENT IS STATED by any of the {total:,} utterances: {NOT_STATED} is the only group, and no comparison of accents "
        "can be made; corpus.columns.accent=NAME names the column, corpus.accent=LABEL gives one label to all"
    ]


def skipped_note(skipped: Counter[str]) -> list[str]:
    """Return the sentence on files of a folder that are not read; none where all are.

    Args:
        skipped: ending -> number of files.

    >>> skipped_note(Counter({".pdf": 2, ".docx": 1}))
    ['3 files of the folder are not read: 2 .pdf, 1 .docx']
    """
    if not skipped:
        return []
    kinds = [f"{count:,} {ending}" for ending, count in skipped.most_common(_MOST_KINDS)]
    more = [f"{len(skipped) - _MOST_KINDS:,} more kinds"] if len(skipped) > _MOST_KINDS else []
    return [f"{sum(skipped.values()):,} files of the folder are not read: {', '.join(kinds + more)}"]
