"""Gates for continuous integration: thresholds that a set must reach, compared as exact fractions.

A gate at 90 is not passed by 89.5: covered * 100 >= 90 * cells is decided in whole numbers, nothing is rounded first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError
from roomtone.coverage.counting.figures import exact_fraction
from roomtone.coverage.counting.goals import UNITS

if TYPE_CHECKING:
    from roomtone.coverage.combinatorics.t_way import TWayCoverage
    from roomtone.coverage.matrix import CoverageMatrix
    from roomtone.coverage.report.diff import MatrixDiff


@dataclass(frozen=True)
class GateMiss:
    """A gate that was not met: its name, one line, and the cells that miss it, as text."""

    gate: str
    line: str
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class GateThresholds:
    """Thresholds; None asks nothing. `parse_gates` makes them.

    Attributes:
        fail_under: least share of cells that meet their goals, by weight, in per cent.
        fail_under_cell: least share of its goals that every cell must have reached, in per cent.
        fail_under_margins: least share of the margins that meet their goals, in per cent.
        fail_under_tway: strength -> least total t-way coverage in per cent.
        min_speakers: least distinct speakers in every cell that has a goal.
        no_new_holes: no cell may lose its goal against the baseline.
        max_illegal: most samples in cells that must be empty.
        fail_under_balance: least share of the cells that meet the goals of balance, in per cent.
        max_shared_speakers: most speakers that any two splits share.
    """

    fail_under: Fraction | None = None
    fail_under_cell: Fraction | None = None
    fail_under_margins: Fraction | None = None
    fail_under_tway: Mapping[int, Fraction] = field(default_factory=dict)
    min_speakers: int | None = None
    no_new_holes: bool = False
    max_illegal: int | None = None
    fail_under_balance: Fraction | None = None
    max_shared_speakers: int | None = None


def parse_gates(values: Mapping[str, Any]) -> GateThresholds:
    """Return the thresholds of a mapping with the field names above as keys; null and absent ask nothing.

    Raises:
        RoomtoneError: a threshold out of range or of the wrong kind; the message names the key.

    >>> parse_gates({"fail_under": 89.5}).fail_under
    Fraction(179, 2)
    """
    given = {key: value for key, value in values.items() if value is not None}
    no_new_holes = given.get("no_new_holes", False)
    if not isinstance(no_new_holes, bool):
        raise RoomtoneError(f"no_new_holes: expected true or false, got {no_new_holes!r}")
    shares = ("fail_under", "fail_under_cell", "fail_under_margins", "fail_under_balance")
    return GateThresholds(
        **{name: _percent(given[name], name) for name in shares if name in given},
        max_shared_speakers=_whole(given.get("max_shared_speakers"), "max_shared_speakers"),
        fail_under_tway=parse_tway(given.get("fail_under_tway")),
        min_speakers=_whole(given.get("min_speakers"), "min_speakers"),
        no_new_holes=no_new_holes,
        max_illegal=_whole(given.get("max_illegal"), "max_illegal"),
    )


def _whole(value: Any, gate: str) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise RoomtoneError(f"{gate}: expected a whole number from 0 up, got {value!r}")
    return value


def parse_tway(value: Any) -> dict[int, Fraction]:
    """Return strength -> per cent of `{2: 90}`, `"2:90"` or `["2:90", "3:50"]`.

    Raises:
        RoomtoneError: not of this form, a strength beyond 1 to 4, or a threshold beyond 0 to 100.
    """
    if value is None:
        return {}
    pairs = (
        list(value.items())
        if isinstance(value, Mapping)
        else [_pair(v) for v in ([value] if isinstance(value, str) else value)]
    )
    parsed = {}
    for strength, percent in pairs:
        if str(strength) not in ("1", "2", "3", "4"):
            raise RoomtoneError(f"fail_under_tway: the strength is 1 to 4, got {strength!r}")
        parsed[int(strength)] = _percent(percent, "fail_under_tway")
    return parsed


def _pair(text: Any) -> tuple[str, str]:
    strength, colon, percent = str(text).partition(":")
    if not colon:
        raise RoomtoneError(f"fail_under_tway: expected strength:percent, e.g. '2:90', got {text!r}")
    return strength, percent


def _percent(value: Any, gate: str) -> Fraction:
    try:
        share = exact_fraction(value)
    except (ValueError, ZeroDivisionError) as error:
        raise RoomtoneError(f"{gate}: expected a number from 0 to 100, got {value!r}") from error
    if isinstance(value, bool) or not 0 <= share <= 100:
        raise RoomtoneError(f"{gate}: expected a number from 0 to 100, got {value!r}")
    return share


def check_gates(
    matrix: CoverageMatrix,
    gates: GateThresholds,
    *,
    tway: Mapping[int, TWayCoverage] | None = None,
    difference: MatrixDiff | None = None,
) -> list[GateMiss]:
    """Return the gates that a matrix does not meet; none is success.

    Args:
        matrix: the set as it is.
        gates: the thresholds.
        tway: strength -> coverage; what is not there is counted over the acoustic factors.
        difference: against the baseline; `no_new_holes` needs it.

    Raises:
        RoomtoneError: `no_new_holes` without a baseline.
    """
    misses: list[GateMiss | None] = [
        _fail_under(matrix, gates.fail_under),
        _fail_under_cell(matrix, gates.fail_under_cell),
        _fail_under_margins(matrix, gates.fail_under_margins),
        *[
            _fail_under_tway((tway or {}).get(t) or matrix.t_way(t), least)
            for t, least in gates.fail_under_tway.items()
        ],
        _min_speakers(matrix, gates.min_speakers),
        _max_illegal(matrix, gates.max_illegal),
        _no_new_holes(difference, gates.no_new_holes),
    ]
    return [miss for miss in misses if miss is not None]


def _fail_under(matrix: CoverageMatrix, least: Fraction | None) -> GateMiss | None:
    if least is None:
        return None
    covered = matrix.figures.covered
    if covered is not None and covered * 100 >= least:
        return None
    figures = matrix.figures
    share = (
        "nothing"
        if covered is None
        else f"{_shown(covered)} % by weight ({figures.covered_cells} of {figures.cells} cells)"
    )
    return GateMiss("fail_under", f"{share} meets its goals, below {float(least):g} %", _cells(matrix, "covered_share"))


def _fail_under_cell(matrix: CoverageMatrix, least: Fraction | None) -> GateMiss | None:
    if least is None:
        return None
    frame = matrix.to_frame()
    short = []
    for row in frame[frame["covered_share"].notna()].to_dict("records"):
        aimed = [u for u in UNITS if row[f"goal_{u}"] > 0]
        ratios = [exact_fraction(_stated(row[u])) / exact_fraction(row[f"goal_{u}"]) for u in aimed]
        if min(ratios) * 100 < least:
            short.append(f"{_place(row, matrix.axes)}: {_shown(min(ratios))} %")
    further = matrix.grid.empty_cells() if least > 0 else 0
    if not short and not further:
        return None
    return GateMiss(
        "fail_under_cell", f"{len(short) + further:,} cells are below {float(least):g} % of a goal", tuple(short)
    )


def _fail_under_margins(matrix: CoverageMatrix, least: Fraction | None) -> GateMiss | None:
    if least is None:
        return None
    aimed, met = matrix.figures.margins
    if aimed and met * 100 >= least * aimed:
        return None
    rows = matrix.margins()
    short = rows[rows["covered_share"].astype(float) < 1].to_dict("records")
    cells = tuple(f"{row['margin']} {row['value']}: {_lacking(row)}" for row in short)
    share = (
        f"{_shown(Fraction(met, aimed))} % ({met} of {aimed} margins)"
        if aimed
        else "nothing: no margin has a goal, so nothing"
    )
    return GateMiss("fail_under_margins", f"{share} meets its goals, below {float(least):g} %", cells)


def _lacking(row: Mapping[Any, Any]) -> str:
    """Return what a row misses, e.g. `2 of 5 speakers`; a count that is not stated is `unknown`."""
    return ", ".join(
        f"{'unknown' if row[u] != row[u] else format(row[u], 'g')} of {row[f'goal_{u}']:g} {u}"
        for u in UNITS
        if row[f"goal_{u}"] > 0 and not row[u] >= row[f"goal_{u}"]
    )


def _fail_under_tway(coverage: TWayCoverage, least: Fraction) -> GateMiss | None:
    if coverage.possible and Fraction(coverage.seen, coverage.possible) * 100 >= least:
        return None
    share = f"{_shown(Fraction(coverage.seen, max(coverage.possible, 1)))} % ({coverage.seen} of {coverage.possible} combinations)"
    return GateMiss(
        "fail_under_tway",
        f"{coverage.strength}-way coverage is {share}, below {float(least):g}",
        tuple(coverage.missing_lines(1000)),
    )


def _stated(count: float) -> float:
    """Return a count, 0 where it is not stated: what nobody knows passes no gate."""
    return 0 if count != count else count


def _people(count: float) -> str:
    return f"{int(count)} speaker{'s' * (count != 1)}"


def _min_speakers(matrix: CoverageMatrix, least: int | None) -> GateMiss | None:
    if least is None:
        return None
    frame = matrix.to_frame()
    stated = frame["speakers"].map(_stated)
    short = frame[frame["covered_share"].notna() & (stated < least)]
    cells = tuple(
        f"{_place(row, matrix.axes)}: {'speakers not stated' if row['speakers'] != row['speakers'] else _people(row['speakers'])}"
        for row in short.to_dict("records")
    )
    count = len(cells) + (matrix.grid.empty_cells() if least > 0 else 0)
    return GateMiss("min_speakers", f"{count:,} cells have fewer than {least} speakers", cells) if count else None


def _max_illegal(matrix: CoverageMatrix, most: int | None) -> GateMiss | None:
    if most is None or matrix.figures.illegal <= most:
        return None
    frame = matrix.to_frame()
    hit = frame[(frame["status"] == "illegal") & (frame["renders"] > 0)]
    cells = tuple(f"{_place(row, matrix.axes)}: {row['renders']} samples" for row in hit.to_dict("records"))
    return GateMiss("max_illegal", f"{matrix.figures.illegal} samples are in illegal cells, more than {most}", cells)


def _no_new_holes(difference: MatrixDiff | None, asked: bool) -> GateMiss | None:
    if not asked:
        return None
    if difference is None:
        raise RoomtoneError("no_new_holes: needs baseline=FILE, the coverage/matrix.csv of an earlier run")
    if difference.new_holes.empty:
        return None
    axes = tuple(difference.new_holes.columns)
    cells = tuple(_place(row, axes) for row in difference.new_holes.to_dict("records"))
    return GateMiss(
        "no_new_holes",
        f"{len(cells)} cells met their goals in the baseline, or were not there, and are holes now",
        cells,
    )


def _cells(matrix: CoverageMatrix, column: str) -> tuple[str, ...]:
    frame = matrix.to_frame()
    short = frame[frame[column] < 1]
    return tuple(f"{_place(row, matrix.axes)}: {_lacking(row)}" for row in short.to_dict("records"))


def _place(row: Mapping[Any, Any], axes: Sequence[str]) -> str:
    return ", ".join(f"{axis} {row[axis]}" for axis in axes)


def _shown(share: Fraction) -> str:
    """Return per cent with one digit, rounded down, so that a miss never reads like a pass."""
    return f"{int(share * 1000) / 10:.1f}"
