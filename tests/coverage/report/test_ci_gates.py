"""each with a set that just passes and one that just fails; differences; CSV."""

from __future__ import annotations

import pandas as pd
import pytest

from roomtone.coverage import CoverageMatrix, RoomtoneError
from roomtone.coverage.report.ci_gates import check_gates, parse_gates, parse_tway
from roomtone.coverage.report.diff import diff_matrices
from roomtone.coverage.views.csv_tables import neutral, read_matrix_csv, write_csv


@pytest.fixture
def share_of(rows_of):
    """Return a maker of a matrix in which `covered` of `cells` cells have a sample."""

    def make(covered: int, cells: int) -> CoverageMatrix:
        rows = rows_of([("us", f"c{i}") for i in range(covered)])
        return CoverageMatrix(rows, levels={"condition": [f"c{i}" for i in range(cells)]})

    return make


def names(matrix, difference=None, **gates) -> list[str]:
    return [miss.gate for miss in check_gates(matrix, parse_gates(gates), difference=difference)]


@pytest.mark.parametrize(
    ("covered", "threshold", "passes"),
    [
        (179, 90, False),  # 89.5 %, which rounds to 90
        (180, 90, True),
        (199, "99.5", True),
        (199, 99.51, False),
        (199, 100, False),
        (200, 100, True),
    ],
)
def test_fail_under_does_not_round(share_of, covered, threshold, passes):
    assert (names(share_of(covered, 200), fail_under=threshold) == []) is passes


def test_fail_under_is_met_on_the_very_sample_that_reaches_it(share_of):
    """After cocotb-coverage: 50 of 100 bins, and the callback fires on the fiftieth."""
    first = next(n for n in range(1, 101) if not names(share_of(n, 100), fail_under=50))
    assert first == 50


def test_a_third_is_no_thirty_three_and_a_third_per_cent(share_of):
    assert names(share_of(1, 3), fail_under=33.33) == []
    assert names(share_of(1, 3), fail_under="33.34") == ["fail_under"]


def test_weights_count_exactly(rows_of):
    """0.1 + 0.2 against 0.7: a threshold of 30 is met, which binary floating point would miss."""
    rows = rows_of([("us", "a"), ("us", "b")])
    goals = {
        "default": {"renders": 1},
        "weights": {"condition": {"a": 0.1, "b": 0.2, "c": 0.7}},
        "levels": {"condition": ["c"]},
    }
    assert names(CoverageMatrix(rows, goals=goals), fail_under=30) == []
    assert names(CoverageMatrix(rows, goals=goals), fail_under=30.01) == ["fail_under"]


def test_fail_under_cell(rows_of):
    rows = rows_of({("us", "a"): 9, ("us", "b"): 10})
    matrix = CoverageMatrix(rows, goals={"default": {"renders": 10}})
    assert names(matrix, fail_under_cell=90) == []
    misses = check_gates(matrix, parse_gates({"fail_under_cell": 90.1}))
    assert misses[0].cells == ("accent us, condition a: 90.0 %",)


def test_fail_under_tway(rows_of):
    """19 of 24 pairs of NIST's example are 79.17 %."""
    rows = pd.DataFrame(
        [list(r) for r in ("0000", "0110", "1001", "0111")], columns=["room", "noise", "equipment", "handset"]
    ).assign(accent="us", condition="x")
    matrix = CoverageMatrix(rows)
    assert names(matrix, fail_under_tway={2: 79.16}) == []
    assert names(matrix, fail_under_tway="2:79.17") == ["fail_under_tway"]
    assert names(matrix, fail_under_tway=["1:100", "2:79", "3:46.9"]) == ["fail_under_tway"]  # 3-way is 46.875 %


def test_min_speakers(rows_of):
    rows = rows_of({("us", "a"): 3, ("us", "b"): 3})
    rows.loc[5, "speaker"] = rows.loc[4, "speaker"]
    assert names(CoverageMatrix(rows), min_speakers=2) == []
    assert check_gates(CoverageMatrix(rows), parse_gates({"min_speakers": 3}))[0].cells == (
        "accent us, condition b: 2 speakers",
    )


def test_speakers_that_nobody_stated_pass_no_gate(rows_of):
    rows = rows_of({("us", "a"): 3}).assign(speaker=None)
    found = check_gates(CoverageMatrix(rows), parse_gates({"min_speakers": 1}))
    assert found[0].cells == ("accent us, condition a: speakers not stated",)
    assert names(CoverageMatrix(rows), min_speakers=0) == []


def test_max_illegal(rows_of):
    matrix = CoverageMatrix(
        rows_of({("us", "a"): 2}), goals={"default": {"renders": 1}, "illegal": [{"condition": "a"}]}
    )
    assert names(matrix, max_illegal=2) == []
    assert names(matrix, max_illegal=1) == ["max_illegal"]


def test_no_new_holes(rows_of):
    before = CoverageMatrix(rows_of({("us", "a"): 2, ("us", "b"): 1})).to_frame()
    same = CoverageMatrix(rows_of({("us", "a"): 1, ("us", "b"): 1}))
    worse = CoverageMatrix(rows_of({("us", "a"): 2}), levels={"condition": ["b"]})
    assert names(same, diff_matrices(before, same.to_frame(), same.axes), no_new_holes=True) == []
    misses = check_gates(
        worse, parse_gates({"no_new_holes": True}), difference=diff_matrices(before, worse.to_frame(), worse.axes)
    )
    assert misses[0].cells == ("accent us, condition b",)
    with pytest.raises(RoomtoneError, match="needs baseline=FILE"):
        check_gates(same, parse_gates({"no_new_holes": True}))


@pytest.mark.parametrize(
    "gate",
    [
        {"fail_under": 101},
        {"fail_under": "x"},
        {"fail_under_cell": -1},
        {"fail_under_tway": {9: 50}},
        {"min_speakers": 1.5},
    ],
)
def test_thresholds_out_of_range_are_named(share_of, gate):
    with pytest.raises(RoomtoneError, match=next(iter(gate))):
        check_gates(share_of(1, 2), parse_gates(gate))


def test_tway_thresholds_have_three_spellings():
    assert parse_tway({2: 90}) == parse_tway("2:90") == parse_tway(["2:90"])
    with pytest.raises(RoomtoneError, match="expected strength:percent"):
        parse_tway("90")


def test_lowering_a_goal_is_no_progress(rows_of):
    rows = rows_of({("us", "a"): 2, ("us", "b"): 5})
    before = CoverageMatrix(rows, goals={"default": {"renders": 5}}).to_frame()
    after = CoverageMatrix(rows, goals={"default": {"renders": 2}})
    change = diff_matrices(before, after.to_frame(), after.axes)
    assert after.figures.all_covered
    assert change.closed.empty
    assert change.counts.empty
    assert change.goals[["unit", "before", "after"]].values.tolist() == [["renders", 5, 2]] * 2


def test_lowering_a_goal_hides_no_loss(rows_of):
    """Samples are lost and the goal is lowered to what is left: the hole is new all the same."""
    before = CoverageMatrix(rows_of({("us", "a"): 5}), goals={"default": {"renders": 5}}).to_frame()
    after = CoverageMatrix(rows_of({("us", "a"): 2}), goals={"default": {"renders": 2}}).to_frame()
    assert len(diff_matrices(before, after, ("accent", "condition")).new_holes) == 1


def test_a_difference_names_what_came_and_went(rows_of):
    before = CoverageMatrix(
        rows_of({("us", "a"): 1, ("us", "b"): 1, ("us", "c"): 1}), goals={"default": {"renders": 2}}
    )
    after = CoverageMatrix(rows_of({("us", "a"): 2, ("us", "b"): 1, ("us", "d"): 1}), goals={"default": {"renders": 2}})
    change = diff_matrices(before.to_frame(), after.to_frame(), after.axes)
    assert change.added["condition"].tolist() == ["d"]
    assert change.removed["condition"].tolist() == ["c"]
    assert change.closed["condition"].tolist() == ["a"]
    assert change.new_holes["condition"].tolist() == ["d"]
    assert change.counts.set_index("condition")["renders"].to_dict() == {"a": 1, "c": -1, "d": 1}
    with pytest.raises(RoomtoneError, match="its axes are accent, condition, not accent"):
        diff_matrices(before.to_frame(), after.to_frame(), ("accent",))


def test_csv_runs_no_formula_and_comes_back(rows_of, tmp_path):
    accents = ["=1+1", "+cmd", "-2", "@x", "'quoted", "plain", 'a,b"c', "\tt"]
    matrix = CoverageMatrix(rows_of([(accent, "NA") for accent in accents]))
    path = write_csv(matrix.to_frame(), tmp_path / "coverage/matrix.csv")
    cells = [line.lstrip('"') for line in path.read_text().splitlines()[1:]]
    assert not [line for line in cells if line.startswith(("=", "+", "-", "@", "\t"))]
    axes, frame = read_matrix_csv(tmp_path)
    assert axes == ("accent", "condition")
    kept = [accent.replace("\t", "\\t") for accent in matrix.to_frame()["accent"]]  # a tab is written out
    assert frame["accent"].tolist() == kept
    assert set(frame["condition"]) == {"NA"}
    assert diff_matrices(frame, matrix.to_frame().assign(accent=kept), axes).counts.empty
    header = path.read_text().splitlines()[0]
    assert header.startswith("accent,condition,renders,utterances,speakers,assets,minutes,words,goal_renders,")
    assert neutral(-2) == -2


def test_a_baseline_that_is_none_is_named(tmp_path):
    with pytest.raises(RoomtoneError, match="baseline: there is no file"):
        read_matrix_csv(tmp_path / "no.csv")
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(RoomtoneError, match="not a coverage matrix, it lacks renders"):
        read_matrix_csv(tmp_path / "x.csv")
