"""Whether a gap narrowed or widened, in a word and in a sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from roomtone.fairness.settings import CompareSettings

NARROWED, WIDENED, TURNED, SAME, NOT_ENOUGH = "narrowed", "widened", "turned", "no_change", "not_enough_data"
VERDICTS = (WIDENED, TURNED, NARROWED, SAME, NOT_ENOUGH)
#: Share of alpha that a change's p is held to. At the whole of it a change that is not there was told in 5.8 % of 1,200 simulated pairs on ratios
#: and in 5.8 % of 1,200 on differences, at this one in 3.8 and 3.7 %.
_LEVEL = 0.6


@dataclass(frozen=True)
class GapChange:
    """What is known of one gap's change; changes and their sizes are differences of shares, or log ratios.

    Attributes:
        name, other: the group, and what it is compared with.
        label: the condition or factor level.
        everywhere: whether it is the mean over all conditions.
        before, after: the gap, a share.
        value, low, high: the change with its interval.
        p_adjusted: of the family.
        detectable: the smallest change that these data would show.
        settings: of the comparison.
        smallest_p: what permuting these speakers can give at least.
    """

    name: str
    other: str
    label: str
    everywhere: bool
    before: float
    after: float
    value: float
    low: float
    high: float
    p_adjusted: float
    detectable: float
    settings: CompareSettings
    smallest_p: float

    @property
    def is_ratio(self) -> bool:
        """Return whether changes are ratios."""
        return self.settings.scale == "ratio"


def judge_gap(e: GapChange) -> tuple[str, str]:
    """Return the verdict on one gap's change, and its sentence.

    Args:
        e: what is known.
    """
    s = e.settings
    smallest = math.log(s.smallest_ratio) if e.is_ratio else s.smallest_gap
    where = "over all conditions" if e.everywhere else f"in {e.label}"
    figures = f"{_points(e.before)} before, {_points(e.after)} after: {_amount(e, e.value)} ({_range(e)})"
    if math.isfinite(e.low) and e.p_adjusted <= _LEVEL * s.alpha and not e.low <= 0 <= e.high:
        verdict, said = _changed(e)
        return verdict, f"The gap between {e.name} and {e.other} {where} {said}: {figures}."
    if math.isfinite(e.low) and -smallest < e.low and e.high < smallest:
        return (
            SAME,
            f"If the gap between {e.name} and {e.other} {where} changed, then by less than {_size(e, smallest)}: {figures}.",
        )
    if not math.isfinite(e.low):
        return (
            NOT_ENOUGH,
            f"Whether the gap between {e.name} and {e.other} {where} changed cannot be said: there are not two speakers on each side.",
        )
    if e.smallest_p > s.alpha:
        why = f"with so few speakers even the largest change has p = {e.smallest_p:.2g}"
    elif math.isfinite(e.detectable):
        why = f"these speakers show a change of {_size(e, e.detectable)} at best"
    else:
        why = "these speakers differ too much"
    said = f"Whether the gap between {e.name} and {e.other} {where} changed by {_size(e, smallest)} or more cannot be said: {why}."
    return NOT_ENOUGH, f"{said} It was {figures}."


def _changed(e: GapChange) -> tuple[str, str]:
    """Return the verdict on a change that is there. On the scale of ratios a gap narrows when its ratio comes nearer to one."""
    before, after = e.before, e.after
    if before * after < 0:
        return TURNED, "turned round"
    return (NARROWED, "narrowed") if abs(after) < abs(before) else (WIDENED, "widened")


def _points(value: float) -> str:
    return f"{100 * value:+.1f} points"


def _amount(e: GapChange, value: float) -> str:
    return f"times {math.exp(value):.2f}" if e.is_ratio else f"{100 * value:+.1f} points"


def _size(e: GapChange, value: float) -> str:
    return f"a factor of {math.exp(value):.2f}" if e.is_ratio else f"{100 * value:.1f} points"


def _range(e: GapChange) -> str:
    low, high = (f"{math.exp(v):.2f}" if e.is_ratio else f"{100 * v:+.1f}" for v in (e.low, e.high))
    return f"{100 * (1 - e.settings.alpha):g} % interval {low} to {high}"
