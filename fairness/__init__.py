"""Does a condition hurt some accents more than others, by how much, and how sure are we? Reads manifests, never audio ops.

Order of work: a recogniser's hypotheses (`transcribe`), counts (`score`), comparisons (`compare`), slices nobody named
(`find_subgroups`), claims that somebody else can check (`certify`, `verify_certificate`), and the report.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from roomtone.fairness.comparison import Comparison, compare
    from roomtone.fairness.scoring import read_hypotheses, score, with_labels

#: Public name -> module; found on first use, so that importing the package costs nothing.
_HOMES = {
    "Comparison": "comparison",
    "compare": "comparison",
    "read_hypotheses": "scoring",
    "score": "scoring",
    "with_labels": "scoring",
}
__all__ = ["Comparison", "compare", "read_hypotheses", "score", "with_labels"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
