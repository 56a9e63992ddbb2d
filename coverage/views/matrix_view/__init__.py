"""The matrix to look at: one component for page, notebook and report. `contract.py` says what it is given, `embed.py` makes it HTML."""

from roomtone.coverage.views.matrix_view.contract import Factor, Layer, MatrixData, Measure, Step, Table
from roomtone.coverage.views.matrix_view.coverage_view import EvaluationView, coverage_data
from roomtone.coverage.views.matrix_view.embed import component_sha256, embed
from roomtone.coverage.views.matrix_view.sample_files import SampleBudget
from roomtone.coverage.views.matrix_view.static_table import static_tables

__all__ = [
    "EvaluationView",
    "Factor",
    "Layer",
    "MatrixData",
    "Measure",
    "SampleBudget",
    "Step",
    "Table",
    "component_sha256",
    "coverage_data",
    "embed",
    "static_tables",
]
