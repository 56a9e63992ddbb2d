"""Does a condition hurt some accents more than others, by how much, and how sure are we? Reads manifests, never audio ops.

Order of work: a recogniser's hypotheses (`transcribe`), counts (`score`), comparisons (`compare`), slices found by search
(`find_subgroups`), claims that somebody else can check (`certify`, `verify_certificate`), and the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from roomtone.core.facade import lazy_names

if TYPE_CHECKING:
    from roomtone.fairness.comparison.compare import Comparison, compare
    from roomtone.fairness.comparison.poisson import PoissonModel, poisson_interaction
    from roomtone.fairness.evaluation import Evaluation, evaluate
    from roomtone.fairness.exports import FORMATS, export
    from roomtone.fairness.recognisers import RECOGNISERS
    from roomtone.fairness.recognisers.transcription import transcribe
    from roomtone.fairness.report.page import write_report
    from roomtone.fairness.scoring.hypotheses import read_hypotheses
    from roomtone.fairness.scoring.normalize import NORMALIZERS
    from roomtone.fairness.scoring.score import score, with_labels
    from roomtone.fairness.settings import Settings
    from roomtone.fairness.slices.certificate import certify, read_certificate, verify_certificate, write_certificate
    from roomtone.fairness.slices.predicates import parse_predicate
    from roomtone.fairness.slices.search import find_subgroups
    from roomtone.fairness.thresholds.answers import Thresholds, find_thresholds
    from roomtone.fairness.versions.comparison import VersionComparison, compare_versions

#: Public name -> module; found on first use, so that importing the package costs nothing. No module bears the name of a
#: function, because importing it would put the module in the function's place.
_HOMES = {
    "Comparison": "roomtone.fairness.comparison.compare",
    "Evaluation": "roomtone.fairness.evaluation",
    "FORMATS": "roomtone.fairness.exports",
    "NORMALIZERS": "roomtone.fairness.scoring.normalize",
    "Thresholds": "roomtone.fairness.thresholds.answers",
    "VersionComparison": "roomtone.fairness.versions.comparison",
    "PoissonModel": "roomtone.fairness.comparison.poisson",
    "RECOGNISERS": "roomtone.fairness.recognisers",
    "Settings": "roomtone.fairness.settings",
    "certify": "roomtone.fairness.slices.certificate",
    "compare": "roomtone.fairness.comparison.compare",
    "compare_versions": "roomtone.fairness.versions.comparison",
    "evaluate": "roomtone.fairness.evaluation",
    "export": "roomtone.fairness.exports",
    "find_thresholds": "roomtone.fairness.thresholds.answers",
    "find_subgroups": "roomtone.fairness.slices.search",
    "parse_predicate": "roomtone.fairness.slices.predicates",
    "poisson_interaction": "roomtone.fairness.comparison.poisson",
    "read_certificate": "roomtone.fairness.slices.certificate",
    "read_hypotheses": "roomtone.fairness.scoring.hypotheses",
    "score": "roomtone.fairness.scoring.score",
    "transcribe": "roomtone.fairness.recognisers.transcription",
    "verify_certificate": "roomtone.fairness.slices.certificate",
    "with_labels": "roomtone.fairness.scoring.score",
    "write_certificate": "roomtone.fairness.slices.certificate",
    "write_report": "roomtone.fairness.report.page",
}
__all__ = [
    "FORMATS",
    "NORMALIZERS",
    "RECOGNISERS",
    "Comparison",
    "Evaluation",
    "PoissonModel",
    "Settings",
    "Thresholds",
    "VersionComparison",
    "certify",
    "compare",
    "compare_versions",
    "evaluate",
    "export",
    "find_subgroups",
    "find_thresholds",
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

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
