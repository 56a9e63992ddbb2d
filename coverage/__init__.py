"""Which accent x condition cells a set holds, which are missing, and what to render or record next."""

if __name__ == "coverage":  # reached by accident, with the repository root on sys.path
    raise ImportError("this folder is roomtone.coverage, not coverage.py: run from elsewhere or with `python -P`")


from roomtone.core.facade import lazy_names

# Public name -> the file that has it. Looked up on first use, so that this import loads neither pandas nor DuckDB.
_HOME = {
    "Axis": "roomtone.coverage.counting.axes",
    "Budget": "roomtone.coverage.fill.budget",
    "CoverageMatrix": "roomtone.coverage.matrix",
    "FillPlan": "roomtone.coverage.fill.plan",
    "GateNotMetError": "roomtone.core.errors",
    "GateThresholds": "roomtone.coverage.report.ci_gates",
    "Goals": "roomtone.coverage.counting.goals",
    "MANIFEST_SCHEMA": "roomtone.core.dataset.columns",
    "RoomtoneError": "roomtone.core.errors",
    "TWayCoverage": "roomtone.coverage.combinatorics.t_way",
    "cell_balance": "roomtone.coverage.profile.tables",
    "cell_distributions": "roomtone.coverage.profile.tables",
    "check_gates": "roomtone.coverage.report.ci_gates",
    "conditions_for": "roomtone.coverage.combinatorics.designs",
    "covering_array": "roomtone.coverage.combinatorics.covering_arrays",
    "diff_matrices": "roomtone.coverage.report.diff",
    "fill_plan": "roomtone.coverage.fill.plan",
    "heat_map": "roomtone.coverage.views.heat_map",
    "maximal_uncovered_patterns": "roomtone.coverage.holes.patterns",
    "never_said": "roomtone.coverage.profile.tables",
    "parse_gates": "roomtone.coverage.report.ci_gates",
    "parse_goals": "roomtone.coverage.counting.goal_parsing",
    "planned_and_achieved": "roomtone.coverage.profile.tables",
    "print_matrix": "roomtone.coverage.report.terminal",
    "read_manifest": "roomtone.core.dataset.manifest",
    "read_matrix_csv": "roomtone.coverage.views.csv_tables",
    "scan_manifest": "roomtone.core.dataset.manifest",
    "shared_speakers": "roomtone.coverage.profile.tables",
    "t_way_coverage": "roomtone.coverage.combinatorics.t_way",
    "trend": "roomtone.coverage.report.trend",
    "tway_triangle": "roomtone.coverage.views.t_way_triangle",
    "words_and_speakers": "roomtone.coverage.power",
    "write_page": "roomtone.coverage.report.html_page",
    "write_part": "roomtone.core.dataset.manifest",
}

__all__ = sorted(_HOME)

__getattr__, __dir__ = lazy_names(__name__, _HOME)
