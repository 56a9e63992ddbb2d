"""Does a condition hurt some accents more than others, by how much, and how sure are we? Reads manifests, never audio ops.

Order of work: a recogniser's hypotheses (`transcribe`), counts (`score`), comparisons (`compare`), slices nobody named
(`find_subgroups`), claims that somebody else can check (`certify`, `verify_certificate`), and the report.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from roomtone.fairness.certificate import certify, read_certificate, verify_certificate
    from roomtone.fairness.comparison import Comparison, compare
    from roomtone.fairness.evaluation import Settings, evaluate
    from roomtone.fairness.exports import export
    from roomtone.fairness.models import poisson_interaction
    from roomtone.fairness.report import write_report
    from roomtone.fairness.scoring import read_hypotheses, score, with_labels
    from roomtone.fairness.subgroups import find_subgroups
    from roomtone.fairness.transcription import transcribe

#: Public name -> module; found on first use, so that importing the package costs nothing. No module bears the name of a
#: function, because importing it would put the module in the function's place.
_HOMES = {
    "Comparison": "comparison",
    "Settings": "evaluation",
    "certify": "certificate",
    "compare": "comparison",
    "evaluate": "evaluation",
    "export": "exports",
    "find_subgroups": "subgroups",
    "poisson_interaction": "models",
    "read_certificate": "certificate",
    "read_hypotheses": "scoring",
    "score": "scoring",
    "transcribe": "transcription",
    "verify_certificate": "certificate",
    "with_labels": "scoring",
    "write_report": "report",
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
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
