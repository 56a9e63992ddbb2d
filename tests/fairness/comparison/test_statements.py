"""What is said where an interval is small, and why it is not "no gap" all the same."""

import dataclasses
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.comparison.compare import compare_as
from roomtone.fairness.comparison.findings import sort_by_lacking
from roomtone.fairness.comparison.outcomes import HALLUCINATION
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
    assert "most studies with such speakers would show a gap of 5.0 points" in said
    assert "needs about" not in said
    untested = dataclasses.replace(wide, smallest_p=0.2, speakers_for_p=335)
    assert (
        "It can be tested from 335 speakers in each group on, and about 340 would show 5.0 points."
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
        replace(SMALL, measure=HALLUCINATION, value=0.9, low=0.689, high=1.098), GAP, None, None
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


def test_no_gap_takes_six_speakers_on_each_side():
    """Of three and three speakers it said "no gap", and in the next sentence that all of such speakers could fail."""
    sure = replace(SMALL, other=replace(OTHERS, failing=0))
    for side in ("own", "other"):
        few = replace(sure, **{side: replace(getattr(sure, side), speakers=5)})
        said = judge(few, statement)
        assert (said.verdict, said.speakers_needed) == (NOT_ENOUGH, 6)
        assert "with fewer than 6 speakers on a side, those whom the recogniser fails may not" in said.statement
        assert judge(replace(few, low=-0.04, high=-0.01, p_adjusted=0.001), statement).verdict == NOT_ENOUGH
    assert judge(replace(sure, own=replace(sure.own, speakers=6)), statement).verdict == NO_GAP


def test_what_would_be_enough_is_told_in_two_figures():
    wide = judge(replace(SMALL, low=-0.62, high=0.71, shown_at_smallest=0.9), statement)
    assert wide.speakers_needed > 100
    for number in (wide.speakers_needed, wide.words_needed):
        assert len(str(number).rstrip("0")) <= 2
        assert f"{number:,}" in wide.statement or str(number) in wide.statement


def test_no_error_against_none_has_no_ratio(study):
    rates = {(a, c): 0.0 if c == "clean" else 0.3 for a in "abc" for c in ("clean", "noise")}
    gaps = compare_as(study(np.random.default_rng(0), rates, 4), CompareSettings(permutations=199, resamples=0)).gaps
    clean, noise = (gaps[gaps["condition"] == name] for name in ("clean", "noise"))
    assert clean[["ratio", "ratio_low", "ratio_high"]].isna().all(axis=None)
    assert noise[["ratio", "ratio_low", "ratio_high"]].notna().all(axis=None)


def test_it_is_said_of_a_rate_that_inserted_words_are_left_out_of_it(study):
    """ "C has 29.8 % WER" beside a WER of 351 % in the table: quoted alone it was false."""
    rates = {(a, c): 0.5 if a == "c" else 0.1 for a in "abc" for c in ("clean", "noise")}
    scores = study(np.random.default_rng(0), rates, 6)
    plain = CompareSettings(permutations=199, resamples=0)
    assert "(without what was invented)" not in " ".join(compare_as(scores, plain).accents["statement"])
    scores.loc[(scores["accent"] == "c") & (scores["condition"] == "noise"), "insertions"] = 60
    found = compare_as(scores, plain)
    row = found.accents.set_index("accent").loc["c"]
    assert f"c has {100 * row['wer']:.1f} % WER (without what was invented) and all others" in row["statement"]
    gaps = found.gaps.set_index(["accent", "condition"])["statement"]
    assert "without what was invented" not in gaps["c", "clean"]
    assert "c has 100.0 % samples with text that nobody spoke" in " ".join(found.hallucination["statement"])


def test_characters_are_not_compared_with_words(study):
    rates = {(a, c): 0.6 if a == "zh" else 0.1 for a in ("en", "zh", "fr") for c in ("clean", "noise")}
    scores = study(np.random.default_rng(0), rates, 6)
    scores["unit"] = np.where(scores["accent"] == "zh", "character", "word")
    plain = CompareSettings(permutations=199, resamples=0)
    found = compare_as(scores, plain)
    assert compare_as(scores.assign(unit="word"), plain).findings["worse_off"].any()
    assert found.findings.empty
    assert np.isnan(found.interaction_p)
    assert compare_as(scores.assign(unit="word"), plain).interaction_p <= 1
    for table in (found.accents, found.gaps, found.conditions):
        assert set(table["verdict"]) == {NOT_ENOUGH}
    assert "Nothing can be said about zh against all others over all conditions: one side is counted in characters" in (
        " ".join(found.accents["statement"])
    )
    against = compare_as(scores, replace(plain, reference="en")).accents.set_index("accent")["statement"]
    assert "Evaluate each language apart" in against["zh"]
    assert "Evaluate each language apart" not in against["fr"]


def test_a_pool_with_a_group_that_reads_its_own_texts_has_the_caveat_too(study):
    rates = {(a, "clean"): 0.4 if a == "a" else 0.1 for a in "abc"}
    scores = study(np.random.default_rng(0), rates, 6)
    number = scores["utterance_id"].str.rpartition("-")[2]
    scores["text"] = np.where(scores["accent"] == "a", "a" + number, "b" + number)
    plain = CompareSettings(permutations=199, resamples=0)
    said = compare_as(scores, plain).accents.set_index("accent")["statement"]
    assert "a reads texts that no other group reads, so" in said["a"]
    for name in "bc":
        assert said[name].endswith(
            "a among all others reads texts that no other group reads: harder or easier texts would look like a gap."
        )
    assert "read texts" not in " ".join(compare_as(scores.assign(text=number), plain).accents["statement"])


def test_the_comparison_that_lacks_the_fewest_speakers_is_named(study):
    """ "The one that needs the fewest speakers" was of a group that had them all, while another lacked two."""
    rates = {(a, "clean"): 0.1 for a in "abc"}
    found = compare_as(
        study(np.random.default_rng(0), rates, 6), CompareSettings(permutations=199, resamples=0)
    ).accents
    table = found.assign(speakers=[6, 3, 40], reference_speakers=50)
    table["speakers_needed"] = pd.array([60, 8, 42], dtype="Int64")
    assert list(sort_by_lacking(table)["speakers_needed"]) == [42, 8, 60]
    table["speakers_needed"] = pd.array([6, 8, 42], dtype="Int64")
    assert list(sort_by_lacking(table)["speakers_needed"]) == [42, 8, 6]


PLAIN = CompareSettings(permutations=199, resamples=0)


def test_an_interval_holds_its_own_figure_above_100_points(study):
    """ "236.4 points more (95 % interval 100.0 to 100.0 points)": invented words let a WER pass 100 %, and its differences too."""
    scores = study(np.random.default_rng(0), {("a", "clean"): 0.1, ("b", "clean"): 0.1}, 8)
    scores["words"] = 3
    scores[["substitutions", "deletions"]] = 0
    scores["insertions"] = np.where(scores["accent"] == "b", 6 + np.arange(len(scores)) % 3, 0)
    row = compare_as(scores, PLAIN).accents.iloc[0]
    assert row["gap_high"] > 1.5
    assert f"{100 * row['gap_low']:.1f} to {100 * row['gap_high']:.1f} points" in row["statement"]


def test_a_comparison_says_that_it_is_over_the_conditions_that_both_have(study):
    """Conditions that only one accent was heard in were left out of "all conditions", of which there was one."""
    rates = {(a, c): 0.1 for a in "abc" for c in ("clean", *(f"n{x}" for x in "abc"))}
    scores = study(np.random.default_rng(0), rates, 8)
    assert all("over all conditions" in said for said in compare_as(scores, PLAIN).accents["statement"])
    own = (scores["condition"] == "clean") | (scores["condition"].str[1:] == scores["accent"])
    found = compare_as(scores[own].reset_index(drop=True), PLAIN).accents
    assert all("over the 1 of 4 conditions that both have" in said.lower() for said in found["statement"])
    clean = scores[(scores["condition"] == "clean") & (scores["accent"] == "a")]
    assert set(found.loc[found["accent"] == "a", "words"]) == {clean["words"].sum()}


@pytest.mark.parametrize(("value", "message"), [
    (-1, "counts from 0 on or nulls, got -1 in row 3 (1 such rows)"), (float("inf"), "got inf in row 3"), ("three", "is to hold counts or nulls"),
])  # fmt: skip
def test_counts_that_cannot_be_are_refused(study, value, message):
    """ "B has -16.7 % WER", and one row in ten of -1 turned "not enough data" into "no gap"."""
    scores = study(np.random.default_rng(0), {(a, "clean"): 0.1 for a in "ab"}, 4).astype({"deletions": object})
    scores.loc[3, "deletions"] = value
    with pytest.raises(RoomtoneError, match="deletions") as caught:
        compare_as(scores, PLAIN)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_table_of_single_columns_is_refused_in_a_line():
    with pytest.raises(RoomtoneError, match="^compare: expected a DataFrame of scores, got a dict$"):
        compare_as({"words": [1] * 1000}, PLAIN)
    twice = pd.DataFrame([[1, 2]], columns=["words", "words"])
    with pytest.raises(RoomtoneError, match="two columns 'words'"):
        compare_as(twice, PLAIN)


def test_an_adjusted_p_is_never_below_its_own(study):
    """Of 2 and 200 speakers p was 0.047 and "beside all other tests" 0.010, with no gap."""
    for seed in range(12):
        few = study(np.random.default_rng(seed), {(a, c): 0.2 for a in "ab" for c in ("clean", "n")}, 40)
        kept = few[(few["accent"] == "b") | few["speaker"].isin(["a0", "a1"])].reset_index(drop=True)
        found = compare_as(kept, PLAIN)
        for table in (found.accents, found.gaps):
            known = table.dropna(subset=["p", "p_adjusted"])
            assert (known["p_adjusted"] >= known["p"]).all()


def test_a_condition_has_a_sentence_of_its_own_verdict(study):
    """A condition that could not be decided had the sentence of a group that surely has no gap."""
    seen = set()
    for seed in range(25):
        rates = {(a, c): 0.1 for a in "abc" for c in ("clean", "n")}
        sizes = study(np.random.default_rng(seed), rates, 12)
        for row in compare_as(sizes, PLAIN).conditions.to_dict("records"):
            seen.add(row["verdict"])
            assert row["statement"].startswith("If ") == (row["verdict"] == NO_GAP)
            assert not (row["verdict"] == GAP and "the worst off: whether" in row["statement"].lower())
    assert NOT_ENOUGH in seen


def test_a_study_that_would_mostly_do_is_not_told_to_have_the_speakers_that_it_has():
    """ "This much data shows 4.9 points at best … Each side needs about 8 speakers", said of 8 speakers."""
    wide = replace(
        SMALL, low=-0.058, high=0.020, detectable=0.049, own=replace(OWN, failing=0), other=replace(OTHERS, failing=0)
    )
    said = statement(wide, NOT_ENOUGH, 8, 160)
    assert "no gap shows, and the interval reaches beyond 5.0 points (95 % interval 5.8 points less to 2.0 more" in said
    assert "needs about" not in said
    assert "Each side needs about 9 speakers" in statement(wide, NOT_ENOUGH, 9, 180)
