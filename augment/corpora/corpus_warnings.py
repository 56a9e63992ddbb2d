"""What a user should know of a corpus before a set is made from it, one sentence each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from roomtone.augment.corpora.accents import fold
from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.vocabulary import NOT_STATED

_MOST_KINDS = 6
#: Unusable recordings that are named.
_SHOWN = 3


def accent_notes(utterances: Iterable[Utterance]) -> list[str]:
    """Return what is to be said of accents: that none is stated, or that some are not.

    Args:
        utterances: those of a corpus, its accent map applied.
    """
    counts = Counter(utterance.accent for utterance in utterances)
    return missing_accents(counts[None], counts.total()) + near_twins(counts)


def near_twins(accents: Iterable[str | None]) -> list[str]:
    """Return the sentence on accents that are spelt differently and fold to one label; none where there are none.

    Args:
        accents: labels, each once or more.

    >>> near_twins(["RP", "rp", "irish", None])
    ["accents that differ in spelling only count as groups of their own: 'RP' and 'rp'; write them alike, or map them: accents=english"]
    """
    spelt: dict[str, set[str]] = {}
    for label in accents:
        if label is not None:
            spelt.setdefault(fold(label), set()).add(label)
    twins = [" and ".join(map(repr, sorted(labels))) for labels in spelt.values() if len(labels) > 1]
    if not twins:
        return []
    return [
        f"accents that differ in spelling only count as groups of their own: {'; '.join(twins[:_MOST_KINDS])}; write them alike, "
        "or map them: accents=english"
    ]


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


def unusable_note(problems: Sequence[str], total: int) -> list[str]:
    """Return the sentence on recordings that are known to be unusable before any is opened; none where there are none.

    Args:
        problems: what is wrong with each of them.
        total: utterances of the corpus.

    >>> unusable_note(["a.wav: there is no such file"], 3)
    ['1 of 3 recordings will be rejected (`roomtone corpus` lists them): a.wav: there is no such file']
    """
    if not problems:
        return []
    rejected = f"{len(problems):,} of {total:,} recordings will be rejected"
    first = "; ".join(problems[:_SHOWN])
    more = f"; and {len(problems) - _SHOWN:,} more" if len(problems) > _SHOWN else ""
    return [f"{rejected} (`roomtone corpus` lists them): {first}{more}"]


def narrow_note(rates_hz: Sequence[int], sample_rate_hz: int) -> list[str]:
    """Return the sentence on recordings of a lower rate than the set, whose upper band is empty; none where there are none.

    Args:
        rates_hz: of the recordings that were looked at.
        sample_rate_hz: of the set.

    >>> narrow_note([8000, 8000, 16000], 16000)
    ['2 of 3 recordings looked at have 8000 Hz, and the set 16000 Hz: nothing above 4000 Hz is in those files; sample_rate_hz=8000 makes a set of their rate']
    """
    low = Counter(rate for rate in rates_hz if rate < sample_rate_hz)
    if not low:
        return []
    rate = max(low)
    which = f"{rate} Hz" if len(low) == 1 else f"{min(low)} to {rate} Hz"
    return [
        f"{low.total():,} of {len(rates_hz):,} recordings looked at have {which}, and the set {sample_rate_hz} Hz: nothing above {rate // 2} Hz is in "
        f"those files; sample_rate_hz={rate} makes a set of their rate"
    ]
