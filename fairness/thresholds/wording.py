"""Answers in sentences: where a group passes the limit, and whether it does so sooner than others."""

from __future__ import annotations

import math
from dataclasses import dataclass

from roomtone.fairness.thresholds.asked import Question
from roomtone.fairness.thresholds.curves import LEAST_SPEAKERS, Crossing
from roomtone.fairness.thresholds.steps import Steps

#: The limit is passed within the steps; not even at the hardest step; already at the mildest; or that cannot be told.
AT, NEVER, ALWAYS, UNKNOWN = "at", "never", "always", "not_enough_data"
SOONER, LATER, SAME = "sooner", "later", "no_difference"
#: How answers and verdicts read in a table.
NAMES = {
    AT: "within the steps", NEVER: "at no step", ALWAYS: "at every step", UNKNOWN: "not enough data",
    SOONER: "sooner", LATER: "later", SAME: "no difference that matters", "": "the others are compared with it",
}  # fmt: skip


@dataclass(frozen=True)
class Wording:
    """Writes the answers to one question.

    Attributes:
        steps: where it was measured.
        asked: the question.
    """

    steps: Steps
    asked: Question

    @property
    def cause(self) -> str:
        """Return what gets worse."""
        return self.steps.source or self.steps.factor

    @property
    def limit(self) -> str:
        """Return the limit in words."""
        points = f"{100 * self.asked.share:g}"
        return f"{points} points of WER" if self.asked.is_cost else f"{points} % WER"

    def title(self, group: str) -> str:
        """Return the question as a title.

        Args:
            group: what the groups are, e.g. `accent`.
        """
        if self.asked.is_cost:
            return f"Where {self.cause} costs each {group} {self.limit}"
        return f"Where each {group} passes {self.limit}: {self.cause}"

    def place(self, value: float) -> str:
        """Return a place on the axis with its unit.

        Args:
            value: in the unit of the steps.
        """
        return f"{self._number(value)} {self.steps.unit}".strip()

    def threshold(self, name: str, answer: str, found: Crossing, speakers: int) -> str:
        """Return the sentence of one group.

        Args:
            name: of the group.
            answer: one of AT, NEVER, ALWAYS, UNKNOWN.
            found: where it passes the limit, by severity.
            speakers: behind it.
        """
        who = f"{speakers} speaker{'s' if speakers != 1 else ''}"
        if answer == AT:
            return f"{self._passes(name)} at {self._at(found.at)} ({self._range(found)}; {who}).{self._keep(found)}"
        if answer == NEVER:
            said = (
                f"{self.cause} costs {name} less than {self.limit}"
                if self.asked.is_cost
                else f"{name} stays below {self.limit}"
            )
            return f"{said} at every step, the hardest ({self._end(-1)}) too ({who})."
        if answer == ALWAYS:
            said = (
                f"{self.cause} costs {name} more than {self.limit}"
                if self.asked.is_cost
                else f"{name} is above {self.limit}"
            )
            return f"{said} at every step, the mildest ({self._end(0)}) too ({who})."
        return f"Where {self._passes(name)} cannot be told: {self._why(found, speakers)}."

    def _passes(self, name: str) -> str:
        return f"{self.cause} costs {name} {self.limit}" if self.asked.is_cost else f"{name} passes {self.limit}"

    def _why(self, found: Crossing, speakers: int) -> str:
        if math.isnan(found.low):
            return f"it has {speakers} of at least {LEAST_SPEAKERS} speakers"
        if math.isinf(found.low) and math.isinf(found.high):
            return (
                f"its interval is wider than {self._end(0)} to {self._end(-1)}; more speakers or words would narrow it"
            )
        if found.at > 0:
            return f"not at {self._end(-1)}, the hardest step, but it may be passed from {self._at(found.low)} on; add harder steps or speakers"
        return f"at {self._end(0)}, the mildest step, already, but it may be passed as late as {self._at(found.high)}; add milder steps or speakers"

    def _end(self, step: int) -> str:
        return self.place(float(self.steps.values[step]))

    def _at(self, severity: float) -> str:
        return self.place(self.steps.value_of(severity))

    def _range(self, found: Crossing) -> str:
        """Return the interval, the smaller number first."""
        ends = sorted(self.steps.value_of(end) for end in (found.low, found.high))
        low, high = ("beyond the steps" if math.isinf(end) else self._number(end) for end in ends)
        return f"{100 * (1 - self.asked.alpha):g} % interval {low} to {high}"

    def _keep(self, found: Crossing) -> str:
        """Return where one is safe: the mild end of the interval."""
        if math.isinf(found.low):
            return " Every step may be too hard already."
        return f" To be sure of less than {self.limit}: {self._at(found.low)} or {'more' if self.steps.lower_is_worse else 'less'}."

    def difference(
        self, name: str, other: str, verdict: str, at: float, low: float, high: float, needed: int | None
    ) -> str:
        """Return the sentence of one group's difference.

        Args:
            name, other: the groups.
            verdict: one of SOONER, LATER, SAME, UNKNOWN, or empty where nothing is compared.
            at, low, high: the difference with its interval, in the unit of the steps.
            needed: speakers in each group that would tell the smallest difference that matters, None where that is not known.
        """
        if not verdict:
            return ""
        size = f"{self._number(self.smallest or 0)} {self._unit}".strip()
        figures = self._figures(at, low, high)
        if verdict in (SOONER, LATER):
            return f"{name} passes it {'in milder' if verdict == SOONER else 'only in harder'} conditions than {other}: {figures}."
        if verdict == SAME:
            return f"If {name} and {other} pass it at different places, then by less than {size}: {figures}."
        more = f"; about {needed} speakers in each group would tell {size}" if needed else ""
        chance = "; of several groups one may be so far off by chance" if low > 0 or high < 0 else ""
        return f"Whether {name} passes it sooner or later than {other} cannot be told: {figures}{chance}{more}."

    def _figures(self, at: float, low: float, high: float) -> str:
        """Return a difference with its interval; where a threshold is beyond the steps, what is known of it."""
        unit = self._unit
        if math.isnan(low):
            return f"fewer than {LEAST_SPEAKERS} speakers on one side"
        if math.isinf(low) and math.isinf(high):
            return "the steps leave it open by how much"
        confidence = f"{100 * (1 - self.asked.alpha):g} %"
        ends = [self._number(end, "+") if math.isfinite(end) else "open" for end in (low, high)]
        if math.isfinite(at):
            return f"{self._number(at, '+')} {unit} ({confidence} interval {ends[0]} to {ends[1]})"
        known = f"between {ends[0]} and {ends[1]} {unit}"
        if math.isinf(low) or math.isinf(high):
            known = f"{ends[0]} {unit} or more" if math.isinf(high) else f"{ends[1]} {unit} or less"
        return f"{known} ({confidence} interval; one of them passes it beyond the steps)"

    def _number(self, value: float, sign: str = "") -> str:
        return f"{value:{sign}.1f}" if self.steps.is_in_db else f"{value:{sign}.3g}"

    @property
    def _unit(self) -> str:
        return "dB" if self.steps.is_in_db else self.steps.unit

    @property
    def smallest(self) -> float | None:
        """Return the difference that matters, or None."""
        if self.asked.smallest is not None:
            return self.asked.smallest
        return 3.0 if self.steps.is_in_db else None
