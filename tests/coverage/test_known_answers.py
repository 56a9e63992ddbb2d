"""Known answers from outside: OSVVM, cocotb-coverage, Asudeh's patterns, Kish, sample-size formulas."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from roomtone.coverage import CoverageMatrix, maximal_uncovered_patterns, power
from roomtone.coverage.counting.figures import covered_share, goal_progress, percent_of_goal


def test_three_figures_of_one_table_differ(rows_of):
    """Counts 10, 0, 5, 20 against 10: cocotb 0.500, OSVVM 0.625, IsCovered False."""
    rows = rows_of({("us", "a"): 10, ("us", "c"): 5, ("us", "d"): 20})
    matrix = CoverageMatrix(rows, goals={"default": {"renders": 10}, "levels": {"condition": ["b"]}})
    figures = matrix.figures
    assert figures.covered == Fraction(1, 2)
    assert figures.progress == 0.625
    assert figures.units["renders"] == (4, 2, 0.625)
    assert not figures.all_covered
    # OSVVM's REMAIN weights, count missing to the goal: 0, 10, 5, 0
    assert matrix.holes().set_index("condition")["missing_renders"].to_dict() == {"b": 10, "c": 5}


def test_osvvm_percent_and_target():
    assert percent_of_goal(5, 10) == 50
    assert percent_of_goal(3, 0) == 100
    assert percent_of_goal(3, -1) == float("inf")
    # target 50 %: goals of ceil(5) each, so 5 + 0 + 5 + 5 of 20
    assert goal_progress([10, 0, 5, 20], [10] * 4, target=50) == 0.75
    assert goal_progress([], []) == 0
    assert covered_share([], []) is None


def test_cocotb_cross_with_wildcard_ignore_is_88_bins(rows_of):
    """10 x 10 without [(None, 1), (2, 2), (4, 5)] has 88 bins."""
    rows = rows_of([(str(i), str(j)) for i in range(10) for j in range(10)])
    ignore = [{"condition": "1"}, {"accent": "2", "condition": "2"}, {"accent": "4", "condition": "5"}]
    assert CoverageMatrix(rows, goals={"default": {"renders": 1}, "ignore": ignore}).figures.cells == 88


def test_cocotb_diagonal_ignored_and_alone_sampled_covers_nothing(rows_of):
    rows = rows_of([(str(i), str(i)) for i in range(10)])
    ignore = [{"accent": str(i), "condition": str(i)} for i in range(10)]
    figures = CoverageMatrix(rows, goals={"default": {"renders": 1}, "ignore": ignore}).figures
    assert (figures.cells, figures.covered_cells, figures.covered) == (90, 0, 0)


def test_cocotb_three_axes_and_at_least_two():
    levels = {axis: [str(i) for i in range(10)] for axis in ("a", "b", "c")}
    rows = pd.DataFrame(
        {"a": ["0", "0", "1"], "b": ["0", "0", "1"], "c": ["0", "0", "1"], "sample_id": ["x", "y", "z"]}
    )
    matrix = CoverageMatrix(rows, axes=("a", "b", "c"), goals={"default": {"renders": 2}}, levels=levels)
    assert (matrix.figures.cells, matrix.figures.covered_cells) == (1000, 1)


def test_cocotb_weight_multiplies_size(rows_of):
    rows = rows_of([("us", str(i)) for i in range(10)])
    goals = {"default": {"renders": 1}, "weights": {"accent": {"us": 100}}}
    assert CoverageMatrix(rows, goals=goals).to_frame()["weight"].sum() == 1000


def test_osvvm_excluded_bins_leave_both_sides(rows_of):
    """A bin without values leaves numerator and denominator; nothing left is undefined, not 0 or an error."""
    figures = CoverageMatrix(
        rows_of({("us", "a"): 1}), goals={"ignore": [{"accent": "*"}], "default": {"renders": 1}}
    ).figures
    assert (figures.cells, figures.covered, figures.progress, figures.all_covered) == (0, None, None, False)


ROWS = ["010", "001", "000", "011", "001"]


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [
        (1, {(1, None, None): 0}),
        (2, {(1, None, None): 0, (None, 0, 0): 1, (None, 1, 0): 1, (None, 1, 1): 1}),
    ],
)
def test_maximal_uncovered_patterns_of_the_paper(threshold, expected):
    counts = np.zeros((2, 2, 2))
    for row in ROWS:
        counts[tuple(map(int, row))] += 1
    assert dict(maximal_uncovered_patterns(counts, threshold)) == expected


def test_five_empty_cells_are_two_patterns():
    """accents x conditions x SNR without (ng, handset, *) and (*, room, lo)."""
    axes = [["us", "in", "ng"], ["clean", "handset", "room"], ["hi", "lo"]]
    gone = [c for c in itertools.product(*axes) if c[:2] == ("ng", "handset") or c[1:] == ("room", "lo")]
    kept = [c for c in itertools.product(*axes) if c not in gone]
    assert (len(kept), len(gone)) == (13, 5)
    rows = pd.DataFrame(kept, columns=["accent", "condition", "snr"])
    matrix = CoverageMatrix(rows, axes=("accent", "condition", "snr"))
    assert sorted(matrix.patterns()) == [
        "accent ng, condition handset, any snr: 2 cells",
        "any accent, condition room, snr lo: 3 cells",
    ]


def test_any_handset_but_one_is_one_line(rows_of):
    accents, handsets = ["us", "scottish", "indian"], ["clean", "gsm", "mulaw", "voip", "radio"]
    rows = rows_of([(a, h) for a in accents for h in handsets if a != "scottish" or h == "clean"])
    assert CoverageMatrix(rows).patterns() == ["accent scottish, any condition but clean: 4 cells"]


def test_single_holes_that_differ_in_one_axis_share_a_line(rows_of):
    """They took a line each; the axis is listed within a line that leaves the fewest lines."""
    accents, conditions = ["us", "irish", "scottish", "hindi"], ["clean", "gsm", "room", "suite", "ward"]
    gone = [("irish", "gsm"), ("irish", "ward"), ("scottish", "gsm"), ("hindi", "ward")]
    rows = rows_of([(a, c) for a in accents for c in conditions if (a, c) not in gone])
    assert sorted(CoverageMatrix(rows).patterns()) == [
        "accent hindi, irish, condition ward: 2 cells",
        "accent irish, scottish, condition gsm: 2 cells",
    ]


def brute_force(counts: np.ndarray, threshold: float) -> set:
    """Return the maximal uncovered patterns by looking at every pattern and every parent."""

    def total(pattern):
        return counts[tuple(slice(None) if p is None else p for p in pattern)].sum()

    found = set()
    for pattern in itertools.product(*[[None, *range(n)] for n in counts.shape]):
        parents = [(*pattern[:i], None, *pattern[i + 1 :]) for i, p in enumerate(pattern) if p is not None]
        if total(pattern) < threshold and all(total(parent) >= threshold for parent in parents):
            found.add(pattern)
    return found


@given(
    arrays(np.int64, st.lists(st.integers(1, 4), min_size=1, max_size=4).map(tuple), elements=st.integers(0, 3)),
    st.integers(1, 6),
)
@settings(max_examples=80, deadline=None)
def test_patterns_equal_brute_force(counts, threshold):
    found = maximal_uncovered_patterns(counts, threshold)
    assert {pattern for pattern, _ in found} == brute_force(counts, threshold)
    assert len({pattern for pattern, _ in found}) == len(found)


@given(st.integers(0, 2**30))
@settings(max_examples=40, deadline=None)
def test_hole_regions_name_every_hole_and_nothing_else(seed):
    from roomtone.coverage.holes.patterns import hole_regions

    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 6, 2)
    cells = [(f"a{i}", f"c{j}") for i in range(shape[0]) for j in range(shape[1]) if rng.random() < 0.6] or [
        ("a0", "c0")
    ]
    rows = pd.DataFrame(cells, columns=["accent", "condition"])
    levels = {"accent": [f"a{i}" for i in range(shape[0])], "condition": [f"c{i}" for i in range(shape[1])]}
    matrix = CoverageMatrix(rows, levels=levels)
    hole = matrix.grid.array("renders") == 0
    named = np.zeros_like(hole)
    for region in hole_regions(matrix.grid):
        index = np.ix_(*[range(n) if p is None else [p] for n, p in zip(hole.shape, region.pattern)])
        part = np.ones(hole[index].shape, dtype=bool)
        if region.but_axis is not None:
            part = ~np.isin(np.arange(hole.shape[region.but_axis]), region.but).reshape(
                [-1 if a == region.but_axis else 1 for a in (0, 1)]
            )
            part = np.broadcast_to(part, hole[index].shape)
        named[index] |= part
    assert (named == hole).all()


def test_kish_and_design_effect():
    assert power.kish_effective([100, 10, 10, 10, 10]) == pytest.approx(1.8846, abs=5e-5)
    assert power.kish_effective([1] * 10 + [5] * 2) == pytest.approx(6.6667, abs=5e-5)
    # equal clusters of m: 1 + (m - 1) rho
    assert power.design_effect([20] * 7, 0.1) == pytest.approx(1 + 19 * 0.1)
    assert power.effective_size([20] * 7, 0.1) == pytest.approx(140 / 2.9)
    assert power.effective_size([20] * 7, 0.0) == 140
    assert power.kish_effective([]) != power.kish_effective([])


def test_matrix_carries_effective_sizes(rows_of):
    rows = rows_of([("us", "a")] * 5)
    rows["words"] = [100, 10, 10, 10, 10]
    cell = CoverageMatrix(rows, goals={"default": {"renders": 1}, "rho": 0.1}).to_frame().iloc[0]
    assert cell["speakers_effective"] == pytest.approx(1.8846, abs=5e-5)
    assert cell["words_effective"] == pytest.approx(power.effective_size([100, 10, 10, 10, 10], 0.1))


@pytest.mark.parametrize(
    ("words", "wer", "gaps"),
    [
        (1000, 0.05, (2.73, 5.46, 7.72)),
        (1000, 0.20, (5.01, 10.02, 14.18)),
        (5000, 0.10, (1.68, 3.36, 4.75)),
        (10_000, 0.20, (1.58, 3.17, 4.48)),
        (50_000, 0.05, (0.39, 0.77, 1.09)),
    ],
)
def test_minimum_detectable_gap_table(words, wer, gaps):
    found = [100 * power.minimum_detectable_gap(wer, words, deff=deff) for deff in (1, 4, 8)]
    assert found == pytest.approx(gaps, abs=0.006)  # the table is rounded to two digits


def test_words_and_speakers_needed():
    # a whole word more than the rounded 3 838, 8 155 and 117 of the literature at most
    assert power.words_needed(0.10, 0.12) in (3838, 3839)
    assert power.words_needed(0.10, 0.12, deff=4) == pytest.approx(15_352, abs=2)
    assert power.words_needed(0.05, 0.06) == pytest.approx(8155, abs=1)
    assert power.words_needed(0.19, 0.35) == 117  # Koenecke et al. 2020
    assert (power.speakers_needed(0.02), power.speakers_needed(0.05)) == (110, 18)
    goal = power.words_and_speakers(0.02, power=0.8)
    assert goal["speakers"] == 110
    assert goal["words"] > 9 * power.words_needed(0.10, 0.12) * 0.95  # design effect about 9 at 300 words a speaker


def test_detect_becomes_words_and_speakers(rows_of):
    goals = {"cells": [{"accent": "us", "detect": 0.02, "power": 0.8}]}
    frame = CoverageMatrix(rows_of({("us", "a"): 1, ("in", "a"): 1}), goals=goals).to_frame().set_index("accent")
    assert frame["goal_speakers"].to_dict() == {"in": 0, "us": 110}


def test_zero_failures():
    wilson, clopper = power.zero_failures_upper(30)
    assert (100 * wilson, 100 * clopper) == pytest.approx((11.35, 11.57), abs=0.005)


def test_power_agrees_with_statsmodels():
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    # its test pools the variance under the null hypothesis, ours does not: a hundredth of power here
    found = proportion.power_proportions_2indep(0.02, 0.10, power.words_needed(0.10, 0.12)).power
    assert found == pytest.approx(0.8, abs=0.01)
