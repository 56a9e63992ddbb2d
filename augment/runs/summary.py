"""How a run ended: planned, rendered and rejected samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from roomtone.core.errors import TooManyRejectedError


@dataclass(frozen=True)
class Summary:
    """How a run ended; `planned = rendered + rejected + not_reached` always.

    Attributes:
        dataset: folder or URL of the set.
        planned, rendered: samples.
        resumed: rendered samples that were there before.
        rejected: one entry a rejected sample, see `rejections`.
        seconds: of audio rendered.
        not_reached: samples that a run which stopped did not come to.
        systematic: levels that fail on most of their samples, a sentence each.
    """

    dataset: str
    planned: int
    rendered: int
    resumed: int
    rejected: tuple[dict[str, Any], ...]
    seconds: float
    not_reached: int = 0
    systematic: tuple[str, ...] = ()

    @property
    def exit_status(self) -> int:
        """Return 0, 3 where samples were rejected, or 4 where too many were."""
        return TooManyRejectedError.exit_status if self.not_reached else 3 if self.rejected else 0


class RunStoppedError(TooManyRejectedError):
    """A run stopped because too many samples were rejected.

    Attributes:
        summary: what the set holds all the same.
    """

    def __init__(self, message: str, summary: Summary) -> None:
        super().__init__(message)
        self.summary = summary
