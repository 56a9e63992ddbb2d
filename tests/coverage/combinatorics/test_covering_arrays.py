"""Covering arrays: sizes of the literature, checked by a counter that shares no code with the maker."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roomtone.coverage import RoomtoneError, conditions_for, covering_array

#: levels, strength, most rows allowed, best known (PICT's table and Colbourn's)
SIZES = {
    "3^4": ([3] * 4, 2, 9),
    "3^13": ([3] * 13, 2, 17),
    "2^100": ([2] * 100, 2, 12),
    "4^15 3^17 2^29": ([4] * 15 + [3] * 17 + [2] * 29, 2, 34),
    "4^1 3^39 2^35": ([4] + [3] * 39 + [2] * 35, 2, 26),
    "10^20": ([10] * 20, 2, 200),
    "4^6, strength 3": ([4] * 6, 3, 96),
}


def missing(rows, levels, strength, allowed=lambda row: True):
    """Return how many t-tuples of allowed rows the array lacks: sets of tuples, nothing else."""
    full = None
    if allowed(()) is not True:
        full = [r for r in itertools.product(*map(range, levels)) if allowed(r)]
    lacking = 0
    for factors in itertools.combinations(range(len(levels)), strength):
        held = {tuple(row[f] for f in factors) for row in rows.tolist()}
        if full is None:
            lacking += math.prod(levels[f] for f in factors) - len(held)
        else:
            lacking += len({tuple(r[f] for f in factors) for r in full} - held)
    return lacking


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
def test_sizes_of_the_literature(name):
    levels, strength, most = SIZES[name]
    rows = covering_array(levels, strength)
    assert rows.shape == (len(rows), len(levels))
    assert rows.min() >= 0
    assert (rows < np.array(levels)).all()
    assert missing(rows, levels, strength) == 0
    assert len(rows) <= most


@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(1, 4), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_any_small_array_covers_everything(levels, strength, seed):
    strength = min(strength, len(levels))
    rows = covering_array(levels, strength, seed=seed, effort=0.02)
    assert missing(rows, levels, strength) == 0
    assert len(rows) >= math.prod(sorted(levels)[-strength:])
    assert (covering_array(levels, strength, seed=seed, effort=0.02) == rows).all()


def obeys(row):
    """The constraints of the next test, as a function of a full row; () asks whether there are any."""
    if not row:
        return False
    return (
        not (row[0] == 2 and row[1] in (0, 1, 2))
        and not (row[2] == 1 and row[3] == 0)
        and (row[1] != 0 or row[3] in (1, 2))
    )


CONSTRAINTS = [{"if": {0: 2}, "then_not": {1: [0, 1, 2]}}, {"not": {2: 1, 3: 0}}, {"if": {1: 0}, "then": {3: [1, 2]}}]


@pytest.mark.parametrize("strength", [1, 2, 3])
@pytest.mark.parametrize("form", ["mapping", "predicate"])
def test_no_row_breaks_a_constraint_and_all_that_is_possible_is_there(strength, form):
    levels = [4, 5, 3, 4]
    constraints = CONSTRAINTS if form == "mapping" else [obeys]
    rows = covering_array(levels, strength, constraints=constraints, effort=0.1)
    assert all(obeys(tuple(row)) for row in rows.tolist())
    assert missing(rows, levels, strength, obeys) == 0


def test_seed_rows_come_first_blanks_are_filled_and_impossible_rows_left_out():
    levels = [4, 5, 3, 4]
    seeds = [[0, 0, 0, -1], [2, 0, 0, 0], [9, 3, 1, 1], [1, 1, 1, 1]]
    rows = covering_array(levels, 2, constraints=CONSTRAINTS, seed_rows=seeds, effort=0.1)
    assert rows[0, :3].tolist() == [0, 0, 0]
    assert rows[0, 3] in (1, 2)
    assert rows[1, 1:].tolist() == [3, 1, 1]
    assert rows[2].tolist() == [1, 1, 1, 1]
    assert missing(rows, levels, 2, obeys) == 0


def test_an_array_that_is_complete_stays():
    whole = covering_array([3, 3, 3], 2, seed=1)
    assert (covering_array([3, 3, 3], 2, seed_rows=whole) == whole).all()


def test_names_may_stand_for_numbers_of_levels():
    assert covering_array([["none", "ward"], ["none", "gsm", "voip"]], 2).shape == (6, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"levels": [2, 2], "strength": 0}, "expected 1 to 4, got 0"),
        ({"levels": [2, 0], "strength": 1}, "at least one level"),
        ({"levels": [2, 2], "strength": 2, "constraints": [{"not": {0: [0, 1]}}]}, "no combination of levels obeys"),
        ({"levels": [2, 2], "strength": 2, "seed_rows": [[0, 0, 0]]}, "seed_rows: expected"),
        ({"levels": [30] * 60, "strength": 4}, "combinations, more than"),
    ],
)
def test_slips_are_named(arguments, message):
    with pytest.raises(RoomtoneError, match=message):
        covering_array(**arguments)


FACTORS = {
    "room": ["none", "ward", "car_cabin"],
    "equipment": ["none", "mri_epi@10dB", "fan@5dB"],
    "handset": ["none", "gsm"],
}
NO_MRI_IN_A_CAR = [{"if": {"room": "car_cabin"}, "then_not": {"equipment": "mri_epi"}}]


@pytest.mark.parametrize(("design", "count"), [("full", 16), ("one_at_a_time", 6)])
def test_conditions_of_a_design(design, count):
    found = conditions_for(FACTORS, {"name": design}, NO_MRI_IN_A_CAR)
    assert found[0] == {"room": "none", "equipment": "none", "handset": "none"}
    assert len(found) == count
    assert len({tuple(c.items()) for c in found}) == count
    assert not [c for c in found if c["room"] == "car_cabin" and c["equipment"] == "mri_epi@10dB"]


def test_conditions_of_a_covering_design_hold_every_pair():
    found = conditions_for(FACTORS, {"name": "covering", "strength": 2}, NO_MRI_IN_A_CAR, seed=4)
    assert set(found[0].values()) == {"none"}
    held = {(f, c[f], g, c[g]) for c in found for f, g in itertools.combinations(FACTORS, 2)}
    pairs = {(f, a, g, b) for f, g in itertools.combinations(FACTORS, 2) for a in FACTORS[f] for b in FACTORS[g]}
    assert pairs - held == {("room", "car_cabin", "equipment", "mri_epi@10dB")}
    assert len(found) <= 10
    assert conditions_for(FACTORS, {"name": "covering", "strength": 2}, NO_MRI_IN_A_CAR, seed=4) == found


def test_clean_is_first_though_a_factor_has_no_none():
    found = conditions_for({"handset": ["gsm", "voip"], "room": ["none", "ward"]}, {"name": "covering", "strength": 2})
    assert found[0] == {"handset": "none", "room": "none"}
    assert len(found) == 5


def test_a_covering_design_builds_on_what_exists():
    existing = [{"room": "ward", "equipment": "fan@5dB", "handset": "gsm"}]
    found = conditions_for(FACTORS, {"name": "covering", "strength": 2}, existing=existing)
    assert found[1] == existing[0]


@pytest.mark.parametrize(
    ("design", "constraints", "message"),
    [
        ({"name": "ful"}, [], "did you mean 'full'"),
        ({"name": "full"}, [{"not": {"rom": "ward"}}], "did you mean 'room'"),
        ({"name": "full"}, [{"if": {"room": "ward"}}], "expected the keys"),
        ({"name": "covering", "strength": 9}, [], "strength"),
    ],
)
def test_design_slips_are_named(design, constraints, message):
    with pytest.raises(RoomtoneError, match=message):
        conditions_for(FACTORS, design, constraints)
