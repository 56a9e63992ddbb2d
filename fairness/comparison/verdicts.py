"""Four verdicts on a comparison, and what would be enough where neither a gap nor its absence can be said.

`gap`: the difference is there. `no_gap`: it is smaller than the size that matters, whatever its sign. `not_enough_data`: neither can
be said, and this is how much would do. `saturated`: so many words are lost in this condition that differences cannot show.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from roomtone.coverage.power import words_and_speakers
from roomtone.fairness.inference.detectable import speakers_times

GAP, NO_GAP, NOT_ENOUGH, SATURATED = "gap", "no_gap", "not_enough_data", "saturated"
VERDICTS = (GAP, NO_GAP, NOT_ENOUGH, SATURATED)
#: Share of words lost beyond which a condition counts as saturated: everybody fails, and differences shrink.
SATURATED_LOST = 0.8
#: Speakers on each side from which "no gap" can be said: of fewer, most could fail wholly without one of them having been recorded.
FEWEST_FOR_NO_GAP = 6
#: What rates are of where nothing else is said.
WER = "WER"


@dataclass(frozen=True)
class Side:
    """One side of a comparison: its name, WER and share of words lost there, speakers, words, and how many of its speakers fail wholly."""

    name: str
    wer: float
    lost: float
    speakers: int
    words: int
    failing: int
    #: WER without those that fail wholly
    wer_of_others: float


@dataclass(frozen=True)
class Evidence:
    """All that a verdict on one comparison rests on; sizes are on the scale of the verdict (WER, or log ratio).

    Attributes:
        own, other: the two sides.
        label: the condition, the level, or "all conditions".
        kind: `accent`, `level` or `cell`.
        baseline: the condition that costs are taken from.
        estimand: `gap`, `did`, `ratio` or `ror`.
        value, low, high: estimate with its pointwise interval.
        p_adjusted: of the family; NaN without a test.
        detectable: the smallest gap that these data would show; NaN where none below 1.
        shown_at_smallest: what these data would show where speakers differ as they do at the smallest gap that matters.
        smallest: the gap that matters.
        alpha, power: of the verdicts.
        smallest_p: what permuting these speakers can give at least.
        speakers_for_p: speakers in each group from which it can give alpha.
        own_texts: whether the group reads texts of its own.
        measure: what the rates are of, in words.
        other_own_texts: the groups on the other side that do.
        units_differ: whether one side is counted in a unit (words, characters) that the other is not.
        shared: conditions that both sides have, of how many that it is about.
    """

    own: Side
    other: Side
    label: str
    kind: str
    baseline: str
    estimand: str
    value: float
    low: float
    high: float
    p_adjusted: float
    detectable: float
    shown_at_smallest: float
    smallest: float
    alpha: float
    power: float
    smallest_p: float
    speakers_for_p: int
    own_texts: bool
    measure: str = WER
    other_own_texts: tuple[str, ...] = ()
    units_differ: bool = False
    shared: tuple[int, int] = (1, 1)

    @property
    def is_ratio(self) -> bool:
        """Return whether the verdict is on the scale of ratios."""
        return self.estimand in ("ratio", "ror")

    @property
    def is_gap(self) -> bool:
        """Return whether it is the gap itself that is judged, rather than a difference of gaps."""
        return self.estimand in ("gap", "ratio")


@dataclass(frozen=True)
class Verdict:
    """One of `VERDICTS`, a sentence, and for `not_enough_data` what would be enough on each side (else null)."""

    verdict: str
    statement: str
    speakers_needed: int | None = None
    words_needed: int | None = None


def judge(evidence: Evidence, say: Callable[[Evidence, str, int | None, int | None], str]) -> Verdict:
    """Return the verdict on one comparison.

    Nothing is said where the sides are counted in different units.
    A gap has a p of alpha at most beside all other tests and an interval of its own that does not hold zero.
    A difference whose whole interval is smaller than what matters is `no_gap`, even where it is surely not zero;
    of fewer than `FEWEST_FOR_NO_GAP` speakers on a side nothing is said then.
    Where both sides lose more than 80 % of the words the verdict is `saturated` whatever the difference; where one does,
    unless the difference shows in spite of it.

    Args:
        evidence: what it rests on.
        say: returns the sentence, of the evidence, the verdict, and the speakers and words needed.
    """
    e = evidence
    if e.units_differ:
        return Verdict(NOT_ENOUGH, say(e, NOT_ENOUGH, None, None))
    found = e.p_adjusted <= e.alpha and not e.low <= 0 <= e.high
    lost = max(e.own.lost, e.other.lost) > SATURATED_LOST
    if min(e.own.lost, e.other.lost) > SATURATED_LOST or (lost and not found):
        return Verdict(SATURATED, say(e, SATURATED, None, None))
    if is_small(e) and hidden_by_failing(e) is None and not is_few(e):
        return Verdict(NO_GAP, say(e, NO_GAP, None, None))
    if found and not (is_small(e) and is_few(e)):
        return Verdict(GAP, say(e, GAP, None, None))
    speakers, words = (about(number) for number in enough(e))
    return Verdict(NOT_ENOUGH, say(e, NOT_ENOUGH, speakers, words), speakers, words)


def hidden_by_failing(e: Evidence) -> tuple[Side, float] | None:
    """Return the side of which more speakers may fail wholly, among those who were not recorded, than `no_gap` allows, and their highest share.

    Asked only of sides where such speakers were seen. Their share is bounded from above by Clopper and Pearson's (1934) limit at 1 - alpha / 2.

    Args:
        e: the evidence.
    """
    if e.is_ratio:
        return None
    for side in (e.own, e.other):
        if side.failing:
            most = highest_share(side.failing, side.speakers, e.alpha)
            if most * max(0.0, 1 - side.wer_of_others) >= e.smallest:
                return side, most
    return None


def is_small(e: Evidence) -> bool:
    """Return whether the whole interval is smaller than what matters.

    Args:
        e: the evidence.
    """
    return math.isfinite(e.low) and -e.smallest < e.low and e.high < e.smallest


def is_few(e: Evidence) -> bool:
    """Return whether a side has fewer speakers than "no gap" takes.

    Args:
        e: the evidence.
    """
    return min(e.own.speakers, e.other.speakers) < FEWEST_FOR_NO_GAP


def about(number: int) -> int:
    """Return a number rounded up to two significant figures: what would be enough is not known better.

    Args:
        number: any from 0 on.

    >>> about(1642), about(187_183), about(37)
    (1700, 190000, 37)
    """
    step = 10 ** max(0, len(str(number)) - 2)
    return -(-number // step) * step


def highest_share(failing: int, speakers: int, alpha: float) -> float:
    """Return the upper limit of the share of speakers that fail wholly.

    Args:
        failing: speakers that did.
        speakers: of how many.
        alpha: two-sided level.

    >>> round(highest_share(1, 60, 0.05), 3)
    0.089
    """
    from scipy.special import betaincinv

    return 1.0 if failing >= speakers else float(betaincinv(failing + 1, speakers - failing, 1 - alpha / 2))


def unseen_share(e: Evidence) -> tuple[Side, float] | None:
    """Return the side with fewer speakers and the share of speakers failing wholly that it could not show (3 / n), if that matters.

    Args:
        e: the evidence.
    """
    side = min((e.own, e.other), key=lambda s: s.speakers)
    share = 3.0 / max(1, side.speakers)
    matters = not e.is_ratio and side.failing == 0 and share * max(0.0, 1 - side.wer_of_others) >= e.smallest
    return (side, share) if matters else None


def enough(e: Evidence) -> tuple[int, int]:
    """Return speakers and words on each side with which the smallest gap that matters would be found.

    The observed spread between speakers is taken as it is, and the standard error to fall with the root of their number.

    Args:
        e: the evidence.
    """
    fewest = min(e.own.speakers, e.other.speakers)
    if is_small(e) and (hidden := hidden_by_failing(e)) is not None:
        speakers = _enough_to_bound_failing(e, hidden[0])
        return max(speakers, e.speakers_for_p), math.ceil(hidden[0].words * speakers / hidden[0].speakers)
    if math.isfinite(e.low):
        # where nothing below 100 points would show, no number of speakers near the present one can be enough
        least = 0.0 if math.isfinite(e.detectable) else 1.0
        shown = e.shown_at_smallest if math.isfinite(e.shown_at_smallest) else e.high - e.low
        times = speakers_times(max(least, shown), e.smallest)
        if is_small(e):
            times = max(times, FEWEST_FOR_NO_GAP / max(1, fewest))
        return max(math.ceil(max(1, fewest) * times), e.speakers_for_p), math.ceil(
            max(1, min(e.own.words, e.other.words)) * times
        )
    rates = [side.wer for side in (e.own, e.other) if math.isfinite(side.wer)]
    wer = float(np.clip(np.mean(rates) if rates else 0.1, 0.02, 0.9))
    size = max(1e-3, wer * math.expm1(e.smallest)) if e.is_ratio else e.smallest
    goal = words_and_speakers(min(0.9, size), power=e.power, alpha=e.alpha, wer=wer)
    return max(int(goal["speakers"]), e.speakers_for_p), int(goal["words"])


def _enough_to_bound_failing(e: Evidence, side: Side) -> int:
    """Return the speakers of whom, were no more of them to fail than those that were seen, `no_gap` could be said."""
    speakers = side.speakers
    while highest_share(side.failing, speakers, e.alpha) * max(0.0, 1 - side.wer_of_others) >= e.smallest:
        speakers += max(1, speakers // 10)
    return speakers
