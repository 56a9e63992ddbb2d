"""What is said where an interval is small, and why it is not "no gap" all the same."""

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from roomtone.fairness.comparison.compare import compare_as
from roomtone.fairness.comparison.statements import statement
from roomtone.fairness.comparison.verdicts import GAP, NO_GAP, NOT_ENOUGH, Evidence, Side, highest_share, judge
from roomtone.fairness.settings import CompareSettings

OWN = Side("scottish", 0.013, 0.013, 8, 153, 0, 0.013)
OTHERS = Side("all others", 0.028, 0.023, 88, 1683, 1, 0.02)
SMALL = Evidence(
    OWN, OTHERS, "clean", "cell", "clean", "gap", -0.015, -0.041, 0.022, 1.0, 0.049, 0.05, 0.05, 0.05, 0.8, 0.001, 2, False
)  # fmt: skip


def test_speakers_that_fail_wholly_are_the_reason_and_their_number_is_what_is_asked_for():
    found = judge(SMALL, statement)
    assert found.verdict == NOT_ENOUGH
    assert "of the 88 speakers of all others 1 failed wholly" in found.statement
    assert "up to 6 % may" in found.statement  # Clopper and Pearson: 1 of 88 is at most 6.17 % at 97.5 %
    assert found.speakers_needed > 88
    assert highest_share(1, found.speakers_needed, 0.05) * 0.98 < 0.05
    assert judge(dataclasses.replace(SMALL, other=dataclasses.replace(OTHERS, failing=0)), statement).verdict == NO_GAP


def test_no_size_is_called_enough_that_is_there_already():
    wide = dataclasses.replace(SMALL, low=-0.041, high=0.061)
    said = judge(wide, statement).statement
    assert "4.9 points at best" in said
    untested = dataclasses.replace(wide, smallest_p=0.2, speakers_for_p=335)
    assert (
        "It can be tested from 335 speakers in each group on, and about 335 would show 5.0 points."
        in judge(untested, statement).statement
    )


@pytest.mark.parametrize("failing", [3, 20])
def test_many_that_fail_end_the_search_for_a_number(failing):
    many = dataclasses.replace(SMALL, other=dataclasses.replace(OTHERS, failing=failing))
    assert judge(many, statement).speakers_needed < 20_000


@pytest.mark.parametrize(
    ("value", "low", "high", "told"),
    [
        (-0.167, -0.224, -0.107, "16.7 points less (95 % interval 10.7 to 22.4 points; "),
        (0.167, 0.107, 0.224, "16.7 points more (95 % interval 10.7 to 22.4 points; "),
        (-0.167, -0.224, 0.012, "16.7 points less (95 % interval 22.4 points less to 1.2 more; "),
    ],
)
def test_a_gap_and_its_interval_have_no_sign_beside_the_word(value, low, high, told):
    """`16.7 points less (95 % interval -22.4 to -10.7)` told the direction twice, once by a word and once by a sign."""
    assert told in statement(replace(SMALL, value=value, low=low, high=high), GAP, None, None)


def test_an_interval_without_a_verdict_says_more_or_less():
    lower = replace(SMALL, low=-0.3, high=-0.1)
    assert "interval 10.0 to 30.0 points less; " in statement(lower, NOT_ENOUGH, 40, 900)
    assert "interval 10.0 to 30.0 points more; " in statement(replace(SMALL, low=0.1, high=0.3), NOT_ENOUGH, 40, 900)


def test_a_gap_is_claimed_only_where_its_own_interval_agrees():
    """200 and 3 speakers gave p = 0.026 beside an interval of 2.0 points less to 35.3 more: a reader cannot know which of them holds."""
    found = replace(SMALL, value=0.141, low=0.02, high=0.353, p_adjusted=0.026)
    assert judge(found, statement).verdict == GAP
    assert judge(replace(found, low=-0.02), statement).verdict == NOT_ENOUGH


def test_of_two_named_groups_the_one_that_is_worse_off_is_told_of():
    found = replace(
        SMALL, own=OTHERS, other=OWN, kind="accent", value=-0.289, low=-0.374, high=-0.204, p_adjusted=0.002
    )
    said = statement(found, GAP, None, None)
    assert said.startswith("Over all conditions, scottish has 1.3 % WER and all others 2.8 %: 28.9 points more")
    assert "95 % interval 20.4 to 37.4 points; 8 and 88 speakers" in said


def test_no_difference_of_shares_is_above_a_hundred_points():
    assert "95 % interval 68.9 to 100.0 points" in statement(
        replace(SMALL, value=0.9, low=0.689, high=1.098), GAP, None, None
    )


@pytest.mark.parametrize("worse", ["a", "b"])
def test_whichever_of_two_groups_is_worse_off_is_the_first_finding(study, worse):
    rates = {(name, c): 0.4 if name == worse else 0.13 for name in "ab" for c in ("clean", "noise")}
    found = compare_as(
        study(np.random.default_rng(2), rates, speakers=8), CompareSettings(permutations=199, resamples=0)
    )
    first = found.findings.iloc[0]
    assert (first["accent"], bool(first["worse_off"])) == (worse, True)
    assert first["size"] > 0.1
    assert found.findings["part_of"].isna().sum() == 1
