"""t-way coverage against NIST's worked example and a brute-force counter; constraints; multiplicity."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roomtone.coverage import CoverageMatrix, RoomtoneError, t_way_coverage

NIST = [[0, 0, 0, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 1, 1, 1]]


def test_nist_worked_example():
    """Total 19/24, simple 2/6, (0.75, 2) 5/6, (0.5, 2) all; per pair ab ac ad .75, bc .5, bd cd 1; 3-way 15/32."""
    two = t_way_coverage(NIST, [2] * 4, 2)
    assert (two.seen, two.possible, two.total) == (19, 24, 19 / 24)
    assert two.simple == 2 / 6
    assert two.completeness(0.75) == 5 / 6
    assert two.completeness(0.5) == 1
    assert [s.seen / s.possible for s in two.subsets] == [0.75, 0.75, 0.75, 0.5, 1, 1]
    three = t_way_coverage(NIST, [2] * 4, 3)
    assert (three.seen, three.possible) == (15, 32)


@pytest.mark.parametrize(
    ("levels", "pairs"), [([3] * 4, 54), ([3] * 13, 702), ([2] * 100, 19_800), ([10] * 20, 19_000)]
)
def test_pair_counts(levels, pairs):
    assert t_way_coverage([], levels, 2).possible == pairs


def test_mixed_pair_count():
    assert t_way_coverage([], [4] * 15 + [3] * 17 + [2] * 29, 2).possible == 14_026
    assert t_way_coverage([], [4] + [3] * 39 + [2] * 35, 2).possible == 17_987


CONSTRAINT_CASES = [
    ({"if": {0: 0}, "then_not": {1: [0, 1]}}, lambda r: not (r[0] == 0 and r[1] in (0, 1))),
    ({"if": {0: 1}, "then": {2: 0}}, lambda r: r[0] != 1 or r[2] == 0),
    ({"not": {1: 2, 2: 1}}, lambda r: not (r[1] == 2 and r[2] == 1)),
]


@given(st.lists(st.integers(0, 2), max_size=3, unique=True), st.integers(1, 3), st.integers(0, 2**20))
@settings(max_examples=60, deadline=None)
def test_counts_equal_brute_force_under_constraints(chosen, strength, seed):
    """Possible is what some allowed row holds, implied constraints included."""
    levels = [2, 3, 2]
    rules = [CONSTRAINT_CASES[i] for i in chosen]
    valid = [r for r in itertools.product(*map(range, levels)) if all(check(r) for _, check in rules)]
    rows = np.random.default_rng(seed).integers(0, levels, (5, 3))
    good = [r for r in rows.tolist() if all(check(r) for _, check in rules)]
    found = t_way_coverage(rows, levels, strength, constraints=[mapping for mapping, _ in rules])
    seen = possible = 0
    for factors in itertools.combinations(range(3), strength):
        allowed = {tuple(r[f] for f in factors) for r in valid}
        seen += len({tuple(r[f] for f in factors) for r in good} & allowed)
        possible += len(allowed)
    assert (found.seen, found.possible) == (seen, possible)
    assert list(found.invalid) == [i for i, r in enumerate(rows.tolist()) if r not in good]
    assert len(found.missing) == possible - seen


def test_callable_constraints_mean_the_same():
    mapping, check = CONSTRAINT_CASES[0]
    rows = [[1, 0, 0], [0, 2, 1]]
    as_mapping = t_way_coverage(rows, [2, 3, 2], 2, constraints=[mapping])
    assert t_way_coverage(rows, [2, 3, 2], 2, constraints=[check]) == as_mapping
    assert t_way_coverage(rows, [2, 3, 2], 2, constraints=[((0, 1), lambda a, b: not (a == 0 and b < 2))]) == as_mapping


def test_multiplicity_counts_samples_and_speakers():
    rows = [[0, 0], [0, 0], [1, 1], [1, 1], [0, 1]]
    speakers = ["a", "a", "a", "b", None]
    assert t_way_coverage(rows, [2, 2], 2).seen == 3
    assert t_way_coverage(rows, [2, 2], 2, min_samples=2).seen == 2
    assert t_way_coverage(rows, [2, 2], 2, speakers=speakers, min_speakers=2).seen == 1
    assert t_way_coverage([[0, 1]], [2, 2], 2, samples=[5], min_samples=5).seen == 1
    assert t_way_coverage(rows, [2, 2], 2, speakers=speakers, min_speakers=1).seen == 2


def test_an_unknown_level_covers_nothing():
    assert t_way_coverage([[0, -1]], [2, 2], 1).seen == 1


def test_of_a_set_with_the_scenario_levels_and_constraints():
    rows = pd.DataFrame(
        {"room": ["ward", "none"], "noise": ["babble@5dB", "none"], "equipment": "none", "handset": "none"}
    )
    matrix = CoverageMatrix(rows.assign(accent="us", condition=["a", "clean"]))
    levels = {"room": ["none", "ward", "car"], "equipment": ["none", "mri_epi@10dB"]}
    constraints = [{"if": {"room": "car"}, "then_not": {"equipment": "mri_epi"}}]
    found = matrix.t_way(2, levels=levels, constraints=constraints)
    # room x noise 6, room x equipment 6 - 1, room x handset 3, noise x equipment 4, noise x handset 2, equipment x handset 2
    assert found.possible == 22
    assert found.seen == 2 + 2 + 2 + 2 + 2 + 1
    assert "room car with equipment none" in found.missing_lines(100)
    assert "room car with equipment mri_epi@10dB" not in found.missing_lines(100)


def test_each_accent_crossed_with_the_array():
    """The set holds every pair of levels, the one accent only half of them."""
    full = [("us", a, b) for a in ("none", "ward") for b in ("none", "gsm")]
    rows = pd.DataFrame(
        [*full, ("scottish|us", "none", "none"), ("scottish", "ward", "none")], columns=["accent", "room", "handset"]
    )
    found = CoverageMatrix(rows, axes=["accent"]).t_way_by("accent", 2).set_index("accent")
    assert found[["seen", "possible"]].T.to_dict("list") == {"scottish": [2, 4], "us": [4, 4]}
    with pytest.raises(RoomtoneError, match="did you mean 'accent'"):
        CoverageMatrix(rows, axes=["accent"]).t_way_by("acent", 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[0, 2]], [2, 2], 2), "factor 1: level 2 is not one of 0 to 1"),
        (([[0]], [2, 2], 2), "expected whole numbers"),
        (([], [2, 2], 3), "3 factors cannot meet where there are 2"),
        (([], [2, 2], 5), "expected 1 to 4, got 5"),
        (([], [], 1), "at least one factor"),
    ],
)
def test_slips_are_named(arguments, message):
    with pytest.raises(RoomtoneError, match=message):
        t_way_coverage(*arguments)


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        ({"if": {0: 0}}, "expected the keys if"),
        ({"not": {5: 0}}, "there is no factor 5"),
        ({"not": {0: 7}}, "factor 0 has no level 7"),
        ("room", "expected a mapping"),
    ],
)
def test_constraint_slips_are_named(constraint, message):
    with pytest.raises(RoomtoneError, match=message):
        t_way_coverage([], [2, 2], 2, constraints=[constraint])
