"""How a run ended: planned, rendered and rejected samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Summary:
    """How a run ended; `planned = rendered + rejected` always."""

    dataset: str
    planned: int
    rendered: int
    resumed: int
    rejected: tuple[dict[str, Any], ...]
    seconds: float

    @property
    def exit_status(self) -> int:
        """Return 0, or 3 where inputs were rejected."""
        return 3 if self.rejected else 0
