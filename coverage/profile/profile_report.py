"""The parts of the profile that a report was asked for: tables to be written, lines to be read, gates that are missed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from roomtone.coverage.counting.source import dataset_folder, open_source
from roomtone.coverage.profile import tables
from roomtone.coverage.profile.balance import BalanceGoal, check_balance
from roomtone.coverage.profile.overlap import leaked
from roomtone.coverage.profile.profile_settings import ProfileSettings
from roomtone.coverage.report.ci_gates import GateMiss, GateThresholds
from roomtone.coverage.report.trend import trend, trend_lines, trend_table
from roomtone.coverage.views.csv_tables import write_csv

if TYPE_CHECKING:
    import pandas as pd

    from roomtone.coverage.matrix import CoverageMatrix


#: What nobody says of which a line gives examples.
_EXAMPLES = 4
#: Splits beyond which their square is left to its file.
_SHOWN_SPLITS = 12


@dataclass
class ProfileReport:
    """What was found.

    Attributes:
        tables: name of a file -> its table.
        lines: for the terminal and the page.
        shown: title -> a small table for the page.
        misses: gates that are not met.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    shown: dict[str, pd.DataFrame] = field(default_factory=dict)
    misses: list[GateMiss] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Write each table as a CSV file.

        Args:
            folder: of the report.
        """
        for name, table in self.tables.items():
            lists = [column for column in table if table[column].map(lambda cell: isinstance(cell, list)).any()]
            write_csv(table.assign(**{str(column): table[column].map(json.dumps) for column in lists}), folder / name)


def profile_report(
    matrix: CoverageMatrix,
    settings: ProfileSettings,
    gates: GateThresholds,
    earlier: Sequence[tuple[str, pd.DataFrame]] = (),
) -> ProfileReport:
    """Return the parts of the profile that the settings ask for.

    Args:
        matrix: the matrix.
        settings: what is asked.
        gates: thresholds; those of balance and of shared speakers are checked here.
        earlier: name and matrix of the earlier reports of `settings.trend`, the oldest first.

    Raises:
        RoomtoneError: a column or file that is not there.
    """
    report = ProfileReport()
    if settings.distributions:
        _distributions(matrix, settings.distributions, report)
    if settings.balance:
        _balance(matrix, settings.balance, gates.fail_under_balance, report)
    if settings.splits is not None:
        _shared(matrix, settings.splits, gates.max_shared_speakers, report)
    if settings.vocabulary is not None:
        _vocabulary(matrix, settings.vocabulary, settings.dictionary, report)
    folder = dataset_folder(matrix.source)
    if folder is not None and any((Path(folder) / "rejected").glob("part-*.jsonl")):
        _planned(matrix, report)
    if earlier:
        found = trend([*earlier, ("now", matrix.to_frame())])
        report.tables["trend.csv"] = found
        report.lines += trend_lines(found)
        report.shown["Over time"] = trend_table(found)
    return report


def _distributions(matrix: CoverageMatrix, columns: Sequence[str], report: ProfileReport) -> None:
    import pandas as pd

    parts = []
    for column in columns:
        part = tables.cell_distributions(matrix, column)
        part.insert(len(matrix.axes), "column", column)
        parts.append(part)
        report.lines.append(
            f"{column}: {part['count'].sum():,} values in {len(part):,} cells, {part['min'].min():g} to {part['max'].max():g}; "
            f"the cells' medians are {part['q50'].min():g} to {part['q50'].max():g}"
        )
    report.tables["distributions.csv"] = pd.concat(parts, ignore_index=True)


def _balance(
    matrix: CoverageMatrix, goals: Sequence[BalanceGoal], least: Fraction | None, report: ProfileReport
) -> None:
    import pandas as pd

    with open_source(matrix.source) as opened:
        checked = [check_balance(opened, matrix.axis_definitions, goal) for goal in goals]
    found = pd.concat(checked, ignore_index=True)
    report.tables["balance.csv"] = found
    short = found[~found["met"]]
    report.lines.append(f"balance: {len(found) - len(short):,} of {len(found):,} cells meet their goal")
    if least is not None and (len(found) - len(short)) * 100 < least * len(found):
        cells = [
            f"{', '.join(f'{axis} {row[axis]}' for axis in matrix.axes)}: {_share(row['share'])} {row['column']} {row['values']}, "
            f"of {100 * row['least']:g} %"
            for row in short.to_dict("records")
        ]
        line = f"{len(found) - len(short):,} of {len(found):,} cells meet their goal, below {float(least):g} %"
        report.misses.append(GateMiss("fail_under_balance", line, tuple(cells)))


def _share(share: float) -> str:
    return "unknown share" if share != share else f"{100 * share:.0f} %"


def _shared(matrix: CoverageMatrix, splits: str, most: int | None, report: ProfileReport) -> None:
    square = tables.shared_speakers(matrix, splits)
    report.tables["shared_speakers.csv"] = square.rename_axis(splits).reset_index()
    pairs = leaked(square)
    if len(square) <= _SHOWN_SPLITS:
        title = f"Speakers that two {splits}s share" if pairs else f"No speaker is in two {splits}s"
        report.shown[title] = _without_diagonal(square).rename_axis(splits).reset_index()
    told = "; ".join(f"{a} and {b} share {n:,} speakers" for a, b, n in pairs[:3]) or f"no speaker is in two {splits}s"
    report.lines.append(f"splits by {splits}: {told}")
    over = [(a, b, n) for a, b, n in pairs if most is not None and n > most]
    if over:
        line = f"{len(over):,} pairs of splits share more than {most} speakers"
        report.misses.append(
            GateMiss("max_shared_speakers", line, tuple(f"{a} and {b}: {n:,} speakers" for a, b, n in over))
        )


def _without_diagonal(square: pd.DataFrame) -> pd.DataFrame:
    """Return a square with a dash where a part meets itself: these speakers are not shared."""
    shown = square.astype(object)
    for i in range(len(shown)):
        shown.iloc[i, i] = "–"
    return shown


def _vocabulary(matrix: CoverageMatrix, axis: str, dictionary: str | None, report: ProfileReport) -> None:
    found = tables.never_said(matrix, axis, dictionary=dictionary)
    report.tables["never_said.csv"] = found
    if found.empty:
        report.lines.append(f"vocabulary: the speakers of every {axis} say every word")
    for value, part in found.groupby(axis, sort=False):
        counts = part["kind"].value_counts()
        told = ", ".join(
            f"{counts[kind]:,} {kind}{'s' if counts[kind] != 1 else ''}"
            for kind in ("word", "rare word", "phoneme")
            if kind in counts
        )
        frequent = part.sort_values(["said_by_others", "item"], ascending=[False, True])["item"].head(_EXAMPLES)
        report.lines.append(f"never said by {axis} {value}: {told}, e.g. {', '.join(frequent)}")
    unknown = found.attrs["words_without_pronunciation"]
    if unknown:
        report.lines.append(
            f"{unknown:,} words have no pronunciation in the dictionary; of their phonemes nothing is known"
        )


def _planned(matrix: CoverageMatrix, report: ProfileReport) -> None:
    found = tables.planned_and_achieved(matrix)
    report.tables["planned.csv"] = found
    lost = int(found["rejected"].sum())
    cells = int((found["rejected"] > 0).sum())
    report.lines.append(
        f"planned {found['planned'].sum():,}, rendered {found['rendered'].sum():,}, rejected {lost:,} in {cells:,} cell{'s' if cells != 1 else ''}"
    )
