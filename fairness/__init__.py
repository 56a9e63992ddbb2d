"""Does a condition hurt some accents more than others, by how much, and how sure are we? Reads manifests, never audio ops.

Order of work: a recogniser's hypotheses (`transcribe`), counts (`score`), comparisons (`compare`), slices found by search
(`find_subgroups`), claims that somebody else can check (`certify`, `verify_certificate`), and the report.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from roomtone.fairness.comparison.compare import Comparison, compare
    from roomtone.fairness.comparison.poisson import PoissonModel, poisson_interaction
    from roomtone.fairness.evaluation import Evaluation, evaluate
    from roomtone.fairness.exports import FORMATS, export
    from roomtone.fairness.recognisers import RECOGNISERS
    from roomtone.fairness.recognisers.transcription import transcribe
    from roomtone.fairness.report.page import write_report
    from roomtone.fairness.scoring.normalize import NORMALIZERS
    from roomtone.fairness.scoring.score import read_hypotheses, score, with_labels
    from roomtone.fairness.settings import Settings
    from roomtone.fairness.slices.certificate import certify, read_certificate, verify_certificate, write_certificate
    from roomtone.fairness.slices.predicates import parse_predicate
    from roomtone.fairness.slices.search import find_subgroups

#: Public name -> module; found on first use, so that importing the package costs nothing. No module bears the name of a
#: function, because importing it would put the module in the function's place.
_HOMES = {
    "Comparison": "comparison.compare",
    "Evaluation": "evaluation",
    "FORMATS": "exports",
    "NORMALIZERS": "scoring.normalize",
    "PoissonModel": "comparison.poisson",
    "RECOGNISERS": "recognisers",
    "Settings": "settings",
    "certify": "slices.certificate",
    "compare": "comparison.compare",
    "evaluate": "evaluation",
    "export": "exports",
    "find_subgroups": "slices.search",
    "parse_predicate": "slices.predicates",
    "poisson_interaction": "comparison.poisson",
    "read_certificate": "slices.certificate",
    "read_hypotheses": "scoring.score",
    "score": "scoring.score",
    "transcribe": "recognisers.transcription",
    "verify_certificate": "slices.certificate",
    "with_labels": "scoring.score",
    "write_certificate": "slices.certificate",
    "write_report": "report.page",
}
__all__ = [
    "FORMATS",
    "NORMALIZERS",
    "RECOGNISERS",
    "Comparison",
    "Evaluation",
    "PoissonModel",
    "Settings",
    "certify",
    "compare",
    "evaluate",
    "export",
    "find_subgroups",
    "parse_predicate",
    "poisson_interaction",
    "read_certificate",
    "read_hypotheses",
    "score",
    "transcribe",
    "verify_certificate",
    "with_labels",
    "write_certificate",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
