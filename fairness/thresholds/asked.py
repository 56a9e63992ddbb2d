"""What is asked of an evaluation: which steps, which limit, which difference matters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from roomtone.core.errors import RoomtoneError
from roomtone.core.settings import Annotated, Bounds, read_settings
from roomtone.core.vocabulary import FACTORS

Share = Annotated[float, Bounds(0.001, 0.999, "in per cent?")]


@dataclass(frozen=True)
class Question:
    """The choices of `find_thresholds`.

    Attributes:
        factor: the factor whose levels are the steps.
        level: of which noise, machine, …, where the set holds several at steps.
        along: a column of the manifest whose median over a level's samples is the place of that level; for rooms `t60_s`.
        values: level -> number, where neither its name nor a column tells, e.g. a period or a share of frames lost.
        unit: of these numbers.
        worse: whether lower or higher numbers are worse; default lower for an SNR, else higher.
        wer: the limit, a share of words.
        cost: instead of it, the limit of what the disturbance costs above the same samples without it, a share of words.
        where: other factor -> the level that is looked at; default all that hold every step.
        reference: the group that all others are compared with; default each with all others.
        smallest: the difference between groups that matters, in the unit; default 3 dB for levels in dB, else none.
        alpha: intervals hold 1 - alpha.
        power: chance with which a difference of that size should be found, for the number of speakers that would be enough.
    """

    factor: Literal["room", "noise", "equipment", "handset"] = "noise"
    level: str | None = None
    along: str | None = None
    values: Mapping[str, float] | None = None
    unit: str | None = None
    worse: Literal["lower", "higher"] | None = None
    wer: Share | None = None
    cost: Share | None = None
    where: Mapping[str, str] | None = None
    reference: str | None = None
    smallest: Annotated[float, Bounds(0.0)] | None = None
    alpha: Annotated[float, Bounds(0.001, 0.5, "in per cent?")] = 0.05
    power: Annotated[float, Bounds(0.5, 0.99, "in per cent?")] = 0.8

    def __post_init__(self) -> None:
        if self.wer is not None and self.cost is not None:
            raise RoomtoneError(
                "wer and cost are two questions: give the WER that may not be passed, or the points that it may cost"
            )
        for name in self.where or {}:
            if name not in FACTORS or name == self.factor:
                raise RoomtoneError(
                    f"where: {name!r} is no other factor than {self.factor}; write 'where={{room: none}}'"
                )
        if self.along is not None and self.values is not None:
            raise RoomtoneError("along and values both say where the steps are: give one of them")

    @property
    def is_cost(self) -> bool:
        """Return whether the limit is a cost above the same samples without the disturbance."""
        return self.cost is not None

    @property
    def share(self) -> float:
        """Return the limit, a share of words."""
        return self.cost if self.cost is not None else 0.3 if self.wer is None else self.wer


def read_question(values: Mapping[str, Any]) -> Question:
    """Return the question that a mapping states.

    Args:
        values: fields of `Question` by name.

    Raises:
        RoomtoneError: an unknown key, or a value that cannot be.
    """
    return read_settings(Question, values)
