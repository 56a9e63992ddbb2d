"""`roomtone coverage`: the matrix of a set, its holes, t-way figures, pictures, and gates for continuous integration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.regular_files import read_json
from roomtone.core.errors import GateNotMetError, RoomtoneError
from roomtone.core.printable import coloured_console, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from omegaconf import DictConfig
    from rich.console import Console

    from roomtone.core.dataset.study import Study
    from roomtone.coverage.combinatorics.t_way import TWayCoverage
    from roomtone.coverage.counting.source import Source
    from roomtone.coverage.matrix import CoverageMatrix
    from roomtone.coverage.profile.profile_report import ProfileReport
    from roomtone.coverage.report.ci_gates import GateMiss
    from roomtone.coverage.report.diff import MatrixDiff
    from roomtone.coverage.settings import CoverageSettings
    from roomtone.coverage.views.matrix_view import EvaluationView

CONFIG_NAME = "coverage"
#: Cells that a missed gate lists.
_SHOWN = 20


def run(cfg: DictConfig) -> int:
    """Print and write the coverage of a set; raise GateNotMetError where a gate is not met."""
    from omegaconf import OmegaConf

    from roomtone.core.dataset.study import read_study
    from roomtone.coverage.counting.source import Source
    from roomtone.coverage.holes.hole_owners import holes_with_notes, note_lines
    from roomtone.coverage.matrix import CoverageMatrix
    from roomtone.coverage.profile.profile_report import profile_report
    from roomtone.coverage.report.ci_gates import check_gates
    from roomtone.coverage.report.next_commands import needs_speech
    from roomtone.coverage.report.terminal import further_lines, show_matrix
    from roomtone.coverage.settings import parse_settings
    from roomtone.coverage.views.csv_tables import read_matrix_csv
    from roomtone.coverage.views.set_name import report_name

    values: Any = OmegaConf.to_container(cfg, resolve=True)
    values.pop("config_dir", None)  # where presets are looked up; this command has none
    values["accents"] = values.pop("accent_table")
    settings = parse_settings(values)
    study = read_study(settings.dataset)
    goals = study.goals if settings.goals is None else settings.goals
    source = Source(list(settings.dataset), settings.reading)
    # whatever can be wrong with what is asked is told before the counting, which takes minutes on a large set
    factors = _factors(source, settings)
    before = None if settings.baseline is None else read_matrix_csv(settings.baseline)[1]
    earlier = [(report_name(name), read_matrix_csv(name)[1]) for name in settings.profile.trend]
    folder = _folder(settings)
    matrix = CoverageMatrix(source, axes=settings.axes, goals=goals)
    console = coloured_console()
    show_matrix(matrix, console, full=settings.full)
    tway = _tway(matrix, factors, settings, study)
    lines = [*matrix.notes, *(_tway_line(coverage) for coverage in tway.values())]
    difference = _difference(matrix, before, settings.baseline, tway)
    if difference is not None:
        lines += [f"against {report_name(str(settings.baseline))}:", *(f"  {line}" for line in difference.lines())]
    profile = profile_report(matrix, settings.profile, settings.gates, earlier)
    lines += profile.lines
    misses = [*check_gates(matrix, settings.gates, tway=tway, difference=difference), *profile.misses]
    lines += [f"gate {miss.gate}: {miss.line}" for miss in misses]
    holes = holes_with_notes(matrix, folder / "holes.yaml")
    lines += note_lines(holes)
    told = [*lines, *further_lines(matrix, to_record=needs_speech(holes))]
    if told:
        _print(console, *told)
    _write(matrix, settings, tway, lines, holes, profile, folder)
    _print(console, f"written to {folder}")
    _stop_at(misses, console)
    return 0


def _print(console: Console, *lines: str) -> None:
    console.print("\n".join(map(printable, lines)), markup=False, highlight=False, soft_wrap=True)


def _factors(source: Source, settings: CoverageSettings) -> Sequence[str]:
    """Return the factors that combine; refuse a gate on more of them than there are."""
    from roomtone.core.vocabulary import FACTORS
    from roomtone.coverage.counting.source import open_source

    with open_source(source) as opened:
        factors = settings.factors or [name for name in FACTORS if name in opened.columns]
    for strength in settings.gates.fail_under_tway:
        if strength > len(factors):
            named = ", ".join(factors) or "none"
            raise RoomtoneError(f"fail_under_tway: strength {strength} needs as many factors; the set has {named}")
    return factors


def _tway(
    matrix: CoverageMatrix, factors: Sequence[str], settings: CoverageSettings, study: Study
) -> dict[int, TWayCoverage]:
    """Return the t-way coverage of every strength that is asked for or gated, as far as there are factors."""
    return {
        strength: matrix.t_way(
            strength,
            factors=factors,
            levels=study.factors,
            constraints=study.constraints,
            min_samples=settings.tway_samples,
            min_speakers=settings.tway_speakers,
        )
        for strength in sorted({*settings.strengths, *settings.gates.fail_under_tway})
        if strength <= len(factors)
    }


def _tway_line(coverage: TWayCoverage) -> str:
    from roomtone.coverage.report.terminal import percent

    what = {1: "levels", 2: "pairs of levels", 3: "triples of levels"}.get(coverage.strength, "combinations of levels")
    line = f"{coverage.strength}-way: {coverage.seen:,} of {coverage.possible:,} {what} are in the set ({percent(coverage.total)})"
    gone = coverage.missing_lines(3)
    return f"{line}; missing e.g. {'; '.join(gone)}" if gone else line


def _difference(
    matrix: CoverageMatrix, before: pd.DataFrame | None, baseline: str | None, tway: dict[int, TWayCoverage]
) -> MatrixDiff | None:
    from roomtone.coverage.report.diff import diff_matrices

    if before is None or baseline is None:
        return None
    now = {str(t): coverage.total for t, coverage in tway.items()}
    return diff_matrices(before, matrix.to_frame(), matrix.axes, tway_before=_old_tway(baseline), tway_after=now)


def _old_tway(baseline: str) -> dict[str, float]:
    path = Path(baseline) / "coverage" if Path(baseline).is_dir() else Path(baseline).parent
    try:
        figures = read_json(path / "figures.json")
        return {t: float(entry["total"]) for t, entry in figures["tway"].items() if entry["total"] is not None}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return {}  # the CSV alone is a baseline too


def _folder(settings: CoverageSettings) -> Path:
    """Return the folder of the results."""
    from roomtone.core.files import is_remote, refuse_links

    local = [name for name in settings.dataset if Path(name).is_dir() and not is_remote(name)]
    if settings.to is None and not local:
        raise RoomtoneError(
            f"to: name a folder for the results, e.g. to=coverage; {', '.join(map(str, settings.dataset))} is a file or a URL, beside which nothing is written"
        )
    folder = Path(settings.to or Path(local[0]) / "coverage")
    if settings.to is None:
        refuse_links(folder)
    return folder


def _write(
    matrix: CoverageMatrix, settings: CoverageSettings, tway: dict[int, TWayCoverage], lines: list[str], holes: pd.DataFrame,
    profile: ProfileReport, folder: Path,
) -> None:  # fmt: skip
    from roomtone.core.files import write_whole
    from roomtone.coverage.report.html_page import write_page
    from roomtone.coverage.views.csv_tables import write_csv
    from roomtone.coverage.views.figure_files import save_figure

    write_csv(matrix.to_frame(), folder / "matrix.csv")
    write_csv(holes, folder / "holes.csv")
    profile.write(folder)
    write_whole(folder / "figures.json", _figures_json(matrix, tway).encode())
    if settings.pictures:
        if len(matrix.axes) <= 3:
            figure = matrix.plot(settings.unit, by=settings.by)
            save_figure(figure, folder / "matrix.png")
            save_figure(figure, folder / "matrix.svg")
        write_page(
            matrix, folder / "index.html", extra=lines, evaluation=_evaluation(matrix, settings), holes=holes, tables=profile.shown,
            distributions=settings.profile.distributions,
        )  # fmt: skip


def _evaluation(matrix: CoverageMatrix, settings: CoverageSettings) -> EvaluationView | None:
    """Return what an evaluation of the one set found, to be shown on the same matrix; None where there is none."""
    from roomtone.fairness.report.matrix import stored_evaluation
    from roomtone.fairness.versions.set_layers import with_changes

    if len(settings.dataset) != 1:
        return None
    dataset = settings.dataset[0]
    return with_changes(stored_evaluation(dataset, matrix.axes), dataset, matrix.axes)


def _figures_json(matrix: CoverageMatrix, tway: dict[int, TWayCoverage]) -> str:
    figures = matrix.figures
    report = {
        "axes": list(matrix.axes),
        "cells": figures.cells,
        "covered_cells": figures.covered_cells,
        "covered": None if figures.covered is None else float(figures.covered),
        "progress": figures.progress,
        "all_covered": figures.all_covered,
        "illegal": figures.illegal,
        "tway": {
            str(t): {
                "total": c.total if c.possible else None,
                "simple": c.simple,
                "half": c.completeness(0.5),
                "seen": c.seen,
                "possible": c.possible,
            }
            for t, c in tway.items()
        },
    }
    return json.dumps(report, indent=1) + "\n"


def _stop_at(misses: list[GateMiss], console: Console) -> None:
    """Print the cells that miss a gate and end with exit status 2."""
    if not misses:
        return
    for miss in misses:
        _print(console, "", f"{miss.gate}: {miss.line}")
        for cell in miss.cells[:_SHOWN]:
            _print(console, f"  {cell}")
        if len(miss.cells) > _SHOWN:
            _print(console, f"  … and {len(miss.cells) - _SHOWN:,} more")
    raise GateNotMetError(
        f"{'gates' if len(misses) > 1 else 'gate'} not met: {'; '.join(miss.gate for miss in misses)}"
    )
