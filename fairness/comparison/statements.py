"""The sentence of a verdict: for a manager, with the numbers that a statistician looks for in it."""

from __future__ import annotations

import math
from dataclasses import replace

from roomtone.fairness.comparison.verdicts import (
    FEWEST_FOR_NO_GAP,
    GAP,
    NO_GAP,
    SATURATED,
    SATURATED_LOST,
    WER,
    Evidence,
    hidden_by_failing,
    is_few,
    is_small,
    unseen_share,
)
from roomtone.fairness.inference.study import REST

#: Groups with texts of their own that a sentence names at most.
_NAMED = 3


def statement(e: Evidence, verdict: str, speakers: int | None, words: int | None) -> str:
    """Return the sentence of one comparison.

    Args:
        e: what the verdict rests on.
        verdict: one of `VERDICTS`.
        speakers, words: what would be enough on each side, where the data are not.
    """
    if e.units_differ:
        return (
            f"Nothing can be said about {e.own.name} against {e.other.name} {_where(e)}: one side is counted in characters where the other is counted"
            " in words. Evaluate each language apart."
        )
    if verdict == SATURATED:
        return _saturated(e)
    if verdict == GAP:
        lost = max(e.own.lost, e.other.lost) > SATURATED_LOST
        more = " So many words are lost here that the true difference may be larger." if lost else ""
        return _gap(e) + more + _texts(e)
    if verdict == NO_GAP:
        return f"If {_subject(e)}, then by less than {_size(e)} ({_range(e)}).{_unseen(e)}{_texts(e)}"
    if math.isfinite(e.low):
        return _not_enough(e, speakers, words) + _texts(e)
    return _no_interval(e, speakers, words)


def _where(e: Evidence) -> str:
    both, of = e.shared
    with_level = f" with {e.label}" if e.kind == "level" else ""
    if 0 < both < of:
        return f"over the {both} of {of} conditions{with_level} that both have"
    if e.kind == "accent":
        return "over all conditions"
    return f"in all conditions with {e.label}" if e.kind == "level" else f"in {e.label}"


def _gap(e: Evidence) -> str:
    """Return both rates first, then the difference that was found; of two named groups the one that is worse off is told of."""
    e = _turned(e) if is_reference_worse(e.value, e.other.name) else e
    points = f"{100 * abs(e.value):.1f} points {'more' if e.value > 0 else 'less'}"
    more = f"{_amount(e, e.value)} times as much" if e.is_ratio else points
    rates = (
        f"{_capital(_where(e))}, {e.own.name} has {100 * e.own.wer:.1f} % {e.measure} and {e.other.name}"
        f" {100 * e.other.wer:.1f} %"
    )
    if e.is_gap:
        return f"{rates}: {more} ({_range(e, said=True)})."
    return f"{rates}; beyond what divides them in {e.baseline}, that is {more} ({_range(e, said=True)})."


def is_reference_worse(value: float, reference: str) -> bool:
    """Return whether a difference means that a group is worse off which is not compared itself: the named one that others are compared with.

    Args:
        value: the group's difference from the reference.
        reference: name of what it is compared with.
    """
    return value < 0 and reference != REST


def _turned(e: Evidence) -> Evidence:
    return replace(e, own=e.other, other=e.own, value=-e.value, low=-e.high, high=-e.low)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _subject(e: Evidence) -> str:
    if e.is_gap:
        return f"{e.own.name} and {e.other.name} differ {_where(e)}"
    return f"{e.label} treats {e.own.name} and {e.other.name} differently"


def _size(e: Evidence) -> str:
    return f"a factor of {math.exp(e.smallest):.2f}" if e.is_ratio else f"{100 * e.smallest:.1f} points"


def _amount(e: Evidence, value: float) -> str:
    return f"{math.exp(value):.2f}" if e.is_ratio else f"{100 * value:.1f}"


def _range(e: Evidence, *, said: bool = False) -> str:
    """Return the interval without a sign: in times, in points more or less, or from points less to points more.

    Args:
        e: the evidence.
        said: the sentence has said already whether it is more or less.
    """
    people = f"{e.own.speakers} and {e.other.speakers} speakers"
    return f"{100 * (1 - e.alpha):g} % interval {_ends(e, said=said)}; {people}"


def _ends(e: Evidence, *, said: bool) -> str:
    if e.is_ratio:
        return f"{_amount(e, e.low)} to {_amount(e, e.high)} times"
    # no difference of shares is greater than 1; a WER, with words that nobody spoke, may be
    low, high = (abs(end) if e.measure.startswith(WER) else min(1.0, abs(end)) for end in (e.low, e.high))
    if e.low < 0 < e.high:
        return f"{_amount(e, low)} points less to {_amount(e, high)} more"
    low, high = sorted((low, high))
    way = "" if said else " less" if e.high <= 0 else " more"
    return f"{_amount(e, low)} to {_amount(e, high)} points{way}"


def _unseen(e: Evidence) -> str:
    found = unseen_share(e)
    if found is None:
        return ""
    side, share = found
    return (
        f" Of the {side.speakers} speakers of {side.name} none failed wholly; with so few, up to {100 * min(1.0, share):.0f} % of such speakers"
        " could, and that would not have shown."
    )


def _texts(e: Evidence) -> str:
    if not e.own_texts:
        return _texts_of_others(e)
    return (
        f" {e.own.name} reads texts that no other group reads, so text and group cannot be told apart: the interval takes its texts for a"
        " random sample."
    )


def _texts_of_others(e: Evidence) -> str:
    names, count = e.other_own_texts, len(e.other_own_texts)
    if not names:
        return ""
    who = f"{count} groups" if count > _NAMED else " and ".join(names)
    among = "" if names == (e.other.name,) else f" among {e.other.name}"
    return f" {who}{among} read{'s' * (count == 1)} texts that no other group reads: harder or easier texts would look like a gap."


def _not_enough(e: Evidence, speakers: int | None, words: int | None) -> str:
    if e.smallest_p > e.alpha:
        return (
            f"Whether {_subject(e)} cannot be tested: with {e.own.speakers} and {e.other.speakers} speakers even the largest difference has"
            f" p = {e.smallest_p:.2g}, which is above {e.alpha:g} ({_range(e)}). It can be tested from {e.speakers_for_p} speakers in each group on,"
            f" and about {speakers} would show {_size(e)}."
        )
    if is_small(e) and (hidden := hidden_by_failing(e)) is not None:
        side, share = hidden
        few = "1 failed wholly" if side.failing == 1 else f"{side.failing} failed wholly"
        return (
            f"Whether {_subject(e)} by {_size(e)} or more cannot be said, though these speakers show less ({_range(e)}): of the {side.speakers}"
            f" speakers of {side.name} {few}, and of those who were not recorded up to {100 * share:.0f} % may. About {speakers} speakers of"
            f" {side.name} of whom no more do would tell."
        )
    if is_small(e) and is_few(e):
        return (
            f"Whether {_subject(e)} by {_size(e)} or more cannot be said, though these speakers show less ({_range(e)}): with fewer than"
            f" {FEWEST_FOR_NO_GAP} speakers on a side, those whom the recogniser fails may not have been recorded. Each side needs about {speakers}."
        )
    if speakers is not None and speakers <= min(e.own.speakers, e.other.speakers):
        return (
            f"Whether {_subject(e)} by {_size(e)} or more cannot be said: no gap shows, and the interval reaches beyond {_size(e)} ({_range(e)}), though"
            f" most studies with such speakers would show a gap of {_size(e)}."
        )
    shown = (
        f"this much data shows {_amount(e, e.detectable)} {'times' if e.is_ratio else 'points'} at best"
        if math.isfinite(e.detectable) and (e.is_ratio or e.detectable < 1)
        else "this much data shows no difference below 100 points"
    )
    return (
        f"Whether {_subject(e)} by {_size(e)} or more cannot be said: {shown} ({_range(e)})."
        f" Each side needs about {speakers} speakers with {words:,} words among them to show {_size(e)}."
    )


def _no_interval(e: Evidence, speakers: int | None, words: int | None) -> str:
    fewest = min(e.own.speakers, e.other.speakers)
    why = (
        "speakers are not known" if fewest == 0
        else "there are not two speakers on each side" if fewest < 2
        else _why_no_interval(e)
    )  # fmt: skip
    return (
        f"Nothing can be said about {e.own.name} against {e.other.name} {_where(e)}: {why} ({e.own.speakers} and {e.other.speakers}"
        f" known speakers). Each side needs about {speakers} speakers with {words:,} words among them to show {_size(e)}, if speakers differ by 5 points"
        " of WER."
    )


def _why_no_interval(e: Evidence) -> str:
    """Return why there is no interval although two speakers or more are on each side."""
    if math.isfinite(e.value):
        return "there are too few speakers: on one side no group has two, so how much its speakers differ is not known"
    if e.is_gap:
        return "no condition has words of both sides"
    return f"no utterance was heard both in {e.label} and in {e.baseline} on each side"


def _saturated(e: Evidence) -> str:
    return (
        f"{_capital(_where(e))} {100 * e.own.lost:.0f} % of the words of {e.own.name} and"
        f" {100 * e.other.lost:.0f} % of those of {e.other.name} are lost: so near the top a difference shrinks or cannot show. A milder level of"
        " this condition would tell."
    )
