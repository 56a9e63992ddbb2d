"""Four verdicts on a comparison, each with a sentence for a manager in which a statistician finds the numbers.

`gap`: the difference is there. `no_gap`: it is smaller than the size that matters, whatever its sign. `not_enough_data`: neither can
be said, and this is how much would do. `saturated`: so much is lost in this condition that differences cannot show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from roomtone.coverage.power import words_and_speakers
from roomtone.fairness.comparison.intervals import SATURATED_WER, Array, Estimate

GAP, NO_GAP, NOT_ENOUGH, SATURATED = "gap", "no_gap", "not_enough_data", "saturated"
VERDICTS = (GAP, NO_GAP, NOT_ENOUGH, SATURATED)


@dataclass(frozen=True)
class Evidence:
    """All that a verdict on one comparison rests on; sizes are on the scale of the verdict (WER, or log ratio)."""

    group: str
    reference: str
    condition: str
    baseline: str
    is_baseline: bool
    scale: str
    value: float
    low: float
    high: float
    p_adjusted: float
    detectable: float
    smallest: float
    se: float
    df: float
    wer: float
    other_wer: float
    speakers: int
    other_speakers: int
    words: int
    alpha: float
    power: float
    tests: int


@dataclass(frozen=True)
class Verdict:
    """One of `VERDICTS`, a sentence, and for `not_enough_data` what would be enough on each side (else null)."""

    verdict: str
    statement: str
    speakers_needed: int | None = None
    words_needed: int | None = None


def judge(evidence: Evidence) -> Verdict:
    """Return the verdict on one comparison.

    A difference that is surely there but surely smaller than what matters is `no_gap`. Where both sides lose more than 80 % the
    verdict is `saturated` whatever the difference; where one does, unless the difference shows in spite of it.
    """
    e = evidence
    inside = -e.smallest < e.low and e.high < e.smallest
    found = e.p_adjusted <= e.alpha
    lost = max(e.wer, e.other_wer) > SATURATED_WER
    if min(e.wer, e.other_wer) > SATURATED_WER or (lost and not found):
        return Verdict(SATURATED, _saturated(e))
    if not math.isfinite(e.low):
        return _no_interval(e)
    if inside:
        return Verdict(NO_GAP, _no_gap(e))
    if found:
        return Verdict(GAP, _gap(e) + (" So much is lost here that the true difference may be larger." if lost else ""))
    speakers, words = enough(e)
    return Verdict(NOT_ENOUGH, _not_enough(e, speakers, words), speakers, words)


def enough(e: Evidence) -> tuple[int, int]:
    """Return speakers and words on each side with which the smallest gap that matters would be found.

    The observed spread between speakers is taken as it is, and the standard error to fall with the root of their number.
    """
    fewest, words = max(1, min(e.speakers, e.other_speakers)), max(1, e.words)
    times = max(1.0, (e.detectable / e.smallest) ** 2)
    for _ in range(20):
        grown = Estimate(np.array(0.0), np.array(e.se**2 / times), np.array(max(1.0, e.df) * times))
        again = max(1.0, times * (float(grown.detectable(e.alpha / e.tests, e.power)) / e.smallest) ** 2)
        if abs(again - times) < 1e-3 * times:
            break
        times = math.sqrt(times * again)
    return math.ceil(fewest * times), math.ceil(words * times)


def _no_interval(e: Evidence) -> Verdict:
    known = np.nanmean([e.wer, e.other_wer]) if not math.isnan(e.wer + e.other_wer) else 0.1
    size = e.smallest if e.scale == "difference" else max(1e-3, float(known) * math.expm1(e.smallest))
    goal = words_and_speakers(
        min(0.9, size), power=e.power, alpha=e.alpha / e.tests, wer=float(np.clip(known, 0.02, 0.9))
    )
    why = (
        "speakers are not known" if min(e.speakers, e.other_speakers) == 0
        else "there are not two speakers on each side" if min(e.speakers, e.other_speakers) < 2
        else "there are no errors to compare, or not the same utterances in both conditions"
    )  # fmt: skip
    speakers, words = int(goal["speakers"]), int(goal["words"])
    text = (
        f"Nothing can be said about {e.group} against {e.reference} in {e.condition}: {why}"
        f" ({e.speakers} and {e.other_speakers} known speakers). About {speakers} speakers and {words:,} words on each side would"
        f" show {_size(e)}, if speakers differ by 5 points of WER."
    )
    return Verdict(NOT_ENOUGH, text, speakers, words)


def _size(e: Evidence) -> str:
    return f"{100 * e.smallest:.1f} points" if e.scale == "difference" else f"a factor of {math.exp(e.smallest):.2f}"


def _amount(e: Evidence, value: float) -> str:
    return f"{100 * value:.1f}" if e.scale == "difference" else f"{math.exp(value):.2f}"


def _range(e: Evidence) -> str:
    unit = "points" if e.scale == "difference" else "times"
    people = f"{e.speakers} and {e.other_speakers} speakers"
    return f"95 % interval {_amount(e, e.low)} to {_amount(e, e.high)} {unit}; {people}"


def _gap(e: Evidence) -> str:
    more = e.value > 0
    if e.scale == "difference":
        amount = f"{100 * abs(e.value):.1f} points {'more' if more else 'less'}"
        if e.is_baseline:
            return f"{e.group} has {amount} WER than {e.reference} in {e.condition} ({_range(e)})."
        return f"{e.condition} costs {e.group} {amount} WER than it costs {e.reference}, each against {e.baseline} ({_range(e)})."
    if e.is_baseline:
        return f"{e.group} has {_amount(e, e.value)} times the WER of {e.reference} in {e.condition} ({_range(e)})."
    return (
        f"{e.condition} multiplies the WER of {e.group} by {_amount(e, e.value)} times as much as that of {e.reference},"
        f" each against {e.baseline} ({_range(e)})."
    )


def _subject(e: Evidence) -> str:
    if e.is_baseline:
        return f"{e.group} and {e.reference} differ in {e.condition}"
    return f"{e.condition} treats {e.group} and {e.reference} differently"


def _no_gap(e: Evidence) -> str:
    return f"If {_subject(e)}, then by less than {_size(e)} ({_range(e)})."


def _not_enough(e: Evidence, speakers: int, words: int) -> str:
    if e.scale == "difference" and e.detectable >= 1:
        shown = "no difference below 100 points"
    else:
        shown = f"{_amount(e, e.detectable)} {'points' if e.scale == 'difference' else 'times'} at best"
    return (
        f"Whether {_subject(e)} by {_size(e)} or more cannot be said: this much data shows {shown} ({_range(e)})."
        f" About {speakers} speakers with {words:,} words on each side would show {_size(e)}."
    )


def _saturated(e: Evidence) -> str:
    return (
        f"In {e.condition} {100 * e.wer:.0f} % of the words of {e.group} and {100 * e.other_wer:.0f} % of those of {e.reference} are lost:"
        " so near the top a difference shrinks or cannot show. A milder level of this condition would tell."
    )


def is_saturated(wer: Array) -> Array:
    """Return where a WER is beyond which differences shrink."""
    return np.asarray(wer) > SATURATED_WER
