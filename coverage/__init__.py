"""Which accent x condition cells a set holds, which are missing, and what to render or record next."""

if __name__ == "coverage":  # reached by accident, with the repository root on sys.path
    raise ImportError("this folder is roomtone.coverage, not coverage.py: run from elsewhere or with `python -P`")

from importlib import import_module
from typing import Any

# Public name -> the file that has it. Looked up on first use, so that this import loads neither pandas nor DuckDB.
_HOME = {
    "MANIFEST_SCHEMA": "manifest",
    "CoverageMatrix": "matrix",
    "GateNotMetError": "errors",
    "RoomtoneError": "errors",
    "TWayCoverage": "tway",
    "conditions_for": "designs",
    "covering_array": "arrays",
    "fill_plan": "fill",
    "maximal_uncovered_patterns": "patterns",
    "parse_goals": "goals",
    "print_matrix": "terminal",
    "read_manifest": "manifest",
    "scan_manifest": "manifest",
    "t_way_coverage": "tway",
    "write_part": "manifest",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
