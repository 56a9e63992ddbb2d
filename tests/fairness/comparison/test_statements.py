"""What is said where an interval is small, and why it is not "no gap" all the same."""

import dataclasses

import pytest

from roomtone.fairness.comparison.statements import statement
from roomtone.fairness.comparison.verdicts import NO_GAP, NOT_ENOUGH, Evidence, Side, highest_share, judge

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
