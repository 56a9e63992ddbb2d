"""Does a condition hurt some accents more than others, by how much, and how sure are we? Reads manifests, never audio ops.

Order of work: a recogniser's hypotheses (`transcribe`), counts (`score`), comparisons (`compare`), slices nobody named
(`find_subgroups`), claims that somebody else can check (`certify`, `verify_certificate`), and the report.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from roomtone.fairness.comparison.compare import Comparison, compare
    from roomtone.fairness.comparison.poisson import poisson_interaction
    from roomtone.fairness.evaluation import Settings, evaluate
    from roomtone.fairness.exports import export
    from roomtone.fairness.recognisers.transcription import transcribe
    from roomtone.fairness.report.page import write_report
    from roomtone.fairness.scoring.score import read_hypotheses, score, with_labels
    from roomtone.fairness.slices.certificate import certify, read_certificate, verify_certificate
    from roomtone.fairness.slices.search import find_subgroups

#: Public name -> module; found on first use, so that importing the package costs nothing. No module bears the name of a
#: function, because importing it would put the module in the function's place.
_HOMES = {
    "Comparison": "roomtone.fairness.comparison.compare",
    "Settings": "roomtone.fairness.evaluation",
    "certify": "roomtone.fairness.slices.certificate",
    "compare": "roomtone.fairness.comparison.compare",
    "evaluate": "roomtone.fairness.evaluation",
    "export": "roomtone.fairness.exports",
    "find_subgroups": "roomtone.fairness.slices.search",
    "poisson_interaction": "roomtone.fairness.comparison.poisson",
    "read_certificate": "roomtone.fairness.slices.certificate",
    "read_hypotheses": "roomtone.fairness.scoring.score",
    "score": "roomtone.fairness.scoring.score",
    "transcribe": "roomtone.fairness.recognisers.transcription",
    "verify_certificate": "roomtone.fairness.slices.certificate",
    "with_labels": "roomtone.fairness.scoring.score",
    "write_report": "roomtone.fairness.report.page",
}
__all__ = [
    "Comparison",
    "Settings",
    "certify",
    "compare",
    "evaluate",
    "export",
    "find_subgroups",
    "poisson_interaction",
    "read_certificate",
    "read_hypotheses",
    "score",
    "transcribe",
    "verify_certificate",
    "with_labels",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
