"""Comparisons: the toy data's known answers, pairing, verdicts, and what may not be claimed."""

import numpy as np
import pandas as pd
import pytest

from roomtone.core.errors import RoomtoneError
from roomtone.fairness import compare
from roomtone.fairness.inference.intervals import benjamini_hochberg


def row(comparison, accent: str, condition: str) -> pd.Series:
    gaps = comparison.gaps
    return gaps[(gaps["accent"] == accent) & (gaps["condition"] == condition)].iloc[0]


def test_the_known_answers_of_the_toy_data(toy) -> None:
    found = compare(toy)
    cells = found.cells.set_index(["accent", "condition"])["wer"]
    assert cells.to_dict() == pytest.approx(
        {("A", "clean"): 0.05, ("A", "noisy"): 92 / 600, ("B", "clean"): 0.1, ("B", "noisy"): 201 / 560}
    )
    clean, noisy = row(found, "B", "clean"), row(found, "B", "noisy")
    assert (clean["gap"], clean["ratio"]) == pytest.approx((0.05, 2.0))
    assert np.isnan(clean["did"])
    assert (noisy["gap"], noisy["ratio"]) == pytest.approx((0.205595, 2.340839), abs=5e-7)
    assert noisy["did"] == pytest.approx(0.155595, abs=5e-7)
    assert noisy["ror"] == pytest.approx(1.170419, abs=5e-7)
    assert np.log(noisy["ror"]) == pytest.approx(0.157362, abs=5e-7)
    odds = [w / (1 - w) for w in (201 / 560, 0.1, 92 / 600, 0.05)]
    assert noisy["logit_did"] == pytest.approx(np.log(odds[0] / odds[1]) - np.log(odds[2] / odds[3]))


def test_the_columns_of_the_contract_are_there_and_bear_the_names_of_the_labels(toy) -> None:
    found = compare(toy)
    assert {"accent", "condition", "errors", "words", "speakers", "wer", "wer_low", "wer_high"} <= set(found.cells)
    assert {
        "accent", "condition", "gap", "gap_low", "gap_high", "ratio", "did", "did_low", "did_high", "p", "p_adjusted", "detectable",
        "verdict",
    } <= set(found.gaps)  # fmt: skip
    other = compare(
        toy.rename(columns={"accent": "attr_l1", "condition": "handset"}), group="attr_l1", condition="handset"
    )
    assert list(other.gaps.columns[:2]) == ["attr_l1", "handset"]
    assert list(other.cells.columns[:2]) == ["attr_l1", "handset"]


def test_the_same_seed_gives_the_same_table_and_row_order_does_not_matter(toy) -> None:
    one, two = compare(toy), compare(toy.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(one.gaps, two.gaps)
    assert (compare(toy, seed=1).gaps["did_low"] == one.gaps["did_low"]).iloc[1]


def test_each_against_all_others_and_against_a_reference(study) -> None:
    rates = {(a, c): w for a in "XYZ" for c, w in (("clean", 0.1), ("noisy", 0.2))}
    scores = study(np.random.default_rng(0), rates, 6)
    rest = compare(scores)
    assert set(rest.gaps["reference"]) == {"all others"}
    assert len(rest.gaps) == 6
    others = scores[(scores["accent"] != "X") & (scores["condition"] == "noisy")]
    assert row(rest, "X", "noisy")["reference_wer"] == pytest.approx(
        others["substitutions"].sum() / others["words"].sum()
    )
    one = compare(scores, reference="Z")
    assert set(one.gaps["accent"]) == {"X", "Y"}
    with pytest.raises(RoomtoneError, match="no group is called 'z'"):
        compare(scores, reference="z")


def test_a_condition_is_held_against_the_same_utterances_in_the_baseline() -> None:
    """In a covering design the noisy half may be the hard sentences; their own clean renders are the comparison."""
    rows = []
    for accent in "AB":
        for s in range(4):
            for u, hard in enumerate((0, 0, 3, 3)):
                base = {"speaker": f"{accent}{s}", "accent": accent, "utterance_id": f"{accent}{s}{u}", "words": 10}
                rows.append(base | {"condition": "clean", "errors": hard})
                if hard and accent == "B":
                    rows.append(base | {"condition": "noisy", "errors": hard + 1 + s % 2})
                if not hard and accent == "A":
                    rows.append(base | {"condition": "noisy", "errors": 1 + s % 2})
    scores = pd.DataFrame(rows)
    assert row(compare(scores), "B", "noisy")["did"] == pytest.approx(0.0)
    # paired by speaker alone, the hard sentences would be called an effect of the noise
    assert row(compare(scores.drop(columns="utterance_id")), "B", "noisy")["did"] == pytest.approx(0.3)


def test_one_speaker_a_side_means_no_claim_and_says_what_would_do(toy) -> None:
    alone = compare(toy[toy["speaker"].isin(["a1", "b1"])])
    assert alone.gaps["verdict"].tolist() == ["not_enough_data"] * 2
    assert alone.gaps[["gap_low", "did_low", "p", "did_bootstrap_low"]].isna().all().all()
    assert alone.cells[["wer_low", "wer_bootstrap_low"]].isna().all().all()
    assert "there are not two speakers on each side" in alone.gaps["statement"].iloc[0]
    assert (alone.gaps["speakers_needed"] > 10).all()


def test_unknown_speakers_are_not_taken_for_independent_ones(toy) -> None:
    unknown = compare(toy.assign(speaker=None))
    assert unknown.cells["wer"].notna().all()
    assert (unknown.cells["speakers"] == 0).all()
    assert unknown.gaps["verdict"].tolist() == ["not_enough_data"] * 2
    assert "speakers are not known" in unknown.gaps["statement"].iloc[0]
    some = toy.assign(speaker=toy["speaker"].where(toy["speaker"] != "a3"))
    cells = compare(some).cells.set_index(["accent", "condition"])
    assert cells.loc[("A", "clean"), ["words", "speakers", "speaker_unknown"]].tolist() == [350, 2, 1]


def test_no_gap_is_claimed_only_inside_the_size_that_matters(study) -> None:
    rates = {(a, c): w for a in "AB" for c, w in (("clean", 0.1), ("noisy", 0.15))}
    scores = study(np.random.default_rng(7), rates, 60, utterances=20)
    sure = compare(scores, smallest_gap=0.10)
    assert sure.gaps["verdict"].tolist() == ["no_gap"] * 2
    assert "then by less than 10.0 points" in sure.gaps["statement"].iloc[1]
    unsure = compare(scores, smallest_gap=0.005)
    assert unsure.gaps["verdict"].tolist() == ["not_enough_data"] * 2
    assert (unsure.gaps["speakers_needed"] > 60).all()


def test_what_is_said_to_be_enough_would_show_the_size_that_matters(study) -> None:
    rates = {(a, c): w for a in "AB" for c, w in (("clean", 0.1), ("noisy", 0.2))}
    small = compare(study(np.random.default_rng(0), rates, 10), smallest_gap=0.03)
    needed = int(small.gaps["speakers_needed"].iloc[1])
    big = compare(study(np.random.default_rng(1), rates, needed), smallest_gap=0.03)
    # the spread between ten speakers is itself uncertain by about a quarter
    assert big.gaps["detectable"].iloc[1] == pytest.approx(0.03, rel=0.35)


def test_where_everybody_fails_the_verdict_is_saturated(study) -> None:
    rates = {("A", "clean"): 0.1, ("A", "mud"): 0.93, ("B", "clean"): 0.2, ("B", "mud"): 0.93}
    found = row(compare(study(np.random.default_rng(2), rates, 8)), "B", "mud")
    assert found["verdict"] == "saturated"
    assert found["saturated"]
    assert "a difference shrinks or cannot show" in found["statement"]


def test_one_side_lost_is_still_a_gap() -> None:
    """A recogniser that loses 95 % of one accent and 20 % of the others must not be excused by saturation."""
    rows = [
        {"accent": a, "speaker": f"{a}{s}", "condition": c, "words": 200, "errors": e + 3 * s}
        for a, c, e in (("A", "clean", 10), ("A", "mud", 40), ("B", "clean", 10), ("B", "mud", 180)) for s in range(6)
    ]  # fmt: skip
    found = row(compare(pd.DataFrame(rows)), "B", "mud")
    assert (found["verdict"], bool(found["saturated"])) == ("gap", True)
    assert "may be larger" in found["statement"]
    assert found["statement"].startswith(
        f"In mud, B has {100 * found['wer']:.1f} % WER and {found['reference']} {100 * found['reference_wer']:.1f} %; beyond what"
        f" divides them in clean, that is {100 * found['did']:.1f} points more ("
    )


def test_declared_pairs_are_one_family_and_the_rest_another(study) -> None:
    rates = {(a, c): w for a in "ABCD" for c, w in (("clean", 0.1), ("n1", 0.2), ("n2", 0.3))}
    scores = study(np.random.default_rng(5), rates, 8)
    found = compare(scores, reference="A", declared=[("B", "n1"), ("C", "n2")]).gaps
    declared = found[found["family"] == "declared"]
    assert sorted(zip(declared["accent"], declared["condition"])) == [("B", "n1"), ("C", "n2")]
    # two tests are adjusted for two at most, and for no less than one
    assert (declared["p_adjusted"] >= declared["p"] - 0.03).all()
    assert (declared["p_adjusted"] <= 2 * declared["p"] + 0.03).all()
    explored = found[found["family"] == "explored"]
    assert explored["p_adjusted"].to_numpy() == pytest.approx(benjamini_hochberg(explored["p"].to_numpy()))
    with pytest.raises(RoomtoneError, match="no comparison of 'B' in 'n3'"):
        compare(scores, reference="A", declared=[("B", "n3")])


def test_the_ratio_scale_judges_by_the_ratio_of_ratios(toy) -> None:
    found = compare(toy, scale="ratio").gaps
    assert found["estimand"].tolist() == ["ratio", "ror"]
    assert found["detectable"].isna().all()  # of so few speakers the largest difference has p above 0.05
    assert compare(toy, scale="ratio", alpha=0.4).gaps["detectable"].min() > 1
    assert found.loc[1, "verdict"] == "not_enough_data"  # 1.17 with an interval from 0.82 to 1.68
    assert "times" in found.loc[1, "statement"]


def test_failures_are_counted_and_left_out_of_rates(study) -> None:
    scores = study(np.random.default_rng(0), {(a, c): 0.2 for a in "AB" for c in ("clean", "noisy")}, 5)
    scores[["substitutions", "words"]] = scores[["substitutions", "words"]].astype("Int64")
    at = scores.index[(scores["accent"] == "B") & (scores["condition"] == "noisy")][:6]
    scores.loc[at, "substitutions"] = pd.NA
    cell = compare(scores).cells.set_index(["accent", "condition"]).loc[("B", "noisy")]
    assert (cell["samples"], cell["failed"], cell["words"]) == (40, 6, 34 * 12)


def test_no_errors_at_all_is_not_certainty() -> None:
    rows = [
        {"accent": a, "speaker": f"{a}{s}", "condition": c, "words": 100, "errors": 0}
        for a in "AB" for c in ("clean", "noisy") for s in range(5)
    ]  # fmt: skip
    found = compare(pd.DataFrame(rows), smallest_gap=0.001)
    assert found.cells["wer_high"].tolist() == pytest.approx([0.0073778] * 4, abs=1e-6)  # Garwood, -ln(0.025) / 500
    assert found.gaps["few_errors"].all()
    assert set(found.gaps["verdict"]) == {"not_enough_data"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"group": "acent"}, "no column 'acent'; did you mean 'accent'"),
        ({"baseline": "quiet"}, "no sample is in the condition 'quiet'"),
        ({"scale": "odds"}, "scale: 'odds' is not allowed"),
        ({"smallest_gap": 5}, "in points"),
        ({"alpha": 5}, "in per cent"),
    ],
)
def test_wrong_arguments_are_named(toy, arguments, message) -> None:
    with pytest.raises(RoomtoneError, match=message):
        compare(toy, **arguments)


def test_one_group_has_cells_and_no_gaps(toy) -> None:
    alone = compare(toy[toy["accent"] == "A"])
    assert len(alone.cells) == 2
    assert len(alone.gaps) == 0


def test_the_p_of_an_intersection_allows_for_the_number_of_attributes() -> None:
    """Two attributes share one alpha; a p of 0.04 stood beside "not enough data", since it was compared with 0.025."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame([
        {"accent": f"a{g}", "speaker": f"{g}-{s}", "condition": c, "attr_gender": "fm"[s % 2], "attr_age": ["young", "old"][s // 2 % 2],
         "words": 200, "errors": rng.binomial(200, 0.1 + rng.uniform(0, 0.05) + 0.3 * (g == 0 and s % 2 == 0))}
        for g in range(3) for s in range(12) for c in ("clean", "ward")
    ])  # fmt: skip
    both = compare(rows, resamples=0, permutations=199).intersections
    alone = compare(rows, resamples=0, permutations=199, intersections=["attr_gender"]).intersections
    assert ((both["verdict"] == "gap") == (both["p_adjusted"] <= 0.05)).all()
    first = both.sort_values("p_adjusted").iloc[0]
    assert (first["accent"], first["attribute"], first["value"], first["verdict"]) == ("a0", "attr_gender", "f", "gap")
    own = both[both["attribute"] == "attr_gender"].set_index(["accent", "value"])["p_adjusted"]
    once = alone.set_index(["accent", "value"])["p_adjusted"]
    assert own.to_numpy() == pytest.approx(np.minimum(1, 2 * once[own.index].to_numpy()))


def test_of_two_groups_the_one_that_falls_behind_is_named_though_the_other_is_compared() -> None:
    """Clean: a has 10 % and b 30 %. Hall: a 50 %, b 40 %: a pays 40 points, b 10."""
    rates = {("a", "clean"): 0.1, ("a", "hall"): 0.5, ("b", "clean"): 0.3, ("b", "hall"): 0.4}
    rows = [
        {"accent": accent, "condition": condition, "speaker": f"{accent}{s}", "utterance_id": f"u{s}", "text": f"t{s}", "words": 100,
         "hits": round(100 * (1 - rate)), "substitutions": round(100 * rate), "deletions": 0, "insertions": 0}
        for (accent, condition), rate in rates.items() for s in range(5)
    ]  # fmt: skip
    for swapped in (False, True):
        frame = pd.DataFrame(rows)
        if swapped:  # whichever name comes first in the alphabet
            frame["accent"] = frame["accent"].map({"a": "z", "b": "b"})
        found = compare(frame, resamples=0).conditions.set_index("condition")
        worst = "z" if swapped else "a"
        assert found.loc["hall", "accent"] == worst
        assert found.loc["hall", "did"] == pytest.approx(0.3)
        assert found.loc["clean", "accent"] == "b"
        assert found.loc["clean", "gap"] == pytest.approx(0.2)


def test_words_invented_where_nobody_spoke_are_paired_with_those_of_the_baseline(study) -> None:
    """References of no words in two of eight utterances, and the same four words invented in clean and in noise: what noise costs was said to be
    19 points less, since the baseline's invented words were counted and the condition's were not."""
    rates = {(a, c): 0.1 for a in "XYZ" for c in ("clean", "noisy")}
    scores = study(np.random.default_rng(0), rates, 4)
    silent = scores["utterance_id"].str[-1].isin(["6", "7"])
    scores.loc[silent, ["substitutions", "hits", "words"]] = 0
    scores.loc[silent & (scores["accent"] == "X"), "insertions"] = 4
    found = compare(scores, resamples=0, permutations=199)  # warnings are errors
    gaps = [row(found, "X", c)["gap"] for c in ("clean", "noisy")]
    assert row(found, "X", "noisy")["did"] == pytest.approx(gaps[1] - gaps[0])
    assert min(gaps) > 0.05
