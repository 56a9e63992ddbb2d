"""Budgets: what comes first, what stopping loses, and what a plan says of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from roomtone.coverage import Budget, RoomtoneError, fill_plan


def people(counts: dict[str, int], each: int = 4, seconds: float = 3.0) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"utterance_id": f"{a}-{s}-{i}", "speaker": f"{a}-{s}", "accent": a, "words": 4, "duration_s": seconds}
            for a, n in counts.items()
            for s in range(n)
            for i in range(each)
        ]
    )


def shares(matrix) -> np.ndarray:
    return np.clip(matrix.to_frame()["covered_share"].to_numpy(float), 0, 1)


@pytest.mark.slow
def test_a_plan_that_is_stopped_loses_little_against_one_made_for_that_much(random_problem, recounted):
    differences = {}
    for seed in range(8):
        problem = random_problem(seed)
        caps = {"max_per_speaker": problem.cap}
        whole = fill_plan(None, problem.clean, problem.conditions, problem.goals, **caps).assignments
        for share in (0.1, 0.5):
            upto = int(np.ceil(share * len(whole)))
            budget = Budget(renders=upto)
            made = fill_plan(None, problem.clean, problem.conditions, problem.goals, budget=budget, **caps)
            assert len(made.assignments) <= upto
            stopped = shares(recounted(whole.iloc[:upto], problem)).mean()
            differences[seed, share] = stopped - shares(made.after).mean()
    assert min(differences.values()) >= -0.05, differences


def test_weights_of_nine_to_one_share_a_capped_budget_nine_to_one():
    clean = people({"us": 30, "scottish": 30})
    goals = {"weights": {"accent": {"us": 9, "scottish": 1}}}
    plan = fill_plan(None, clean, ["clean"], goals, budget=Budget(renders=10))
    assert plan.assignments["utterance_id"].str.startswith("us").sum() == 9
    conditions = ["clean", "gsm", "ward"]
    plan = fill_plan(None, clean, conditions, goals, budget=Budget(renders=200))
    us = plan.assignments["utterance_id"].str.startswith("us")
    assert us.mean() == pytest.approx(0.9, abs=0.02)
    # the same with stated amounts, and at every moment of the plan
    goals = {"default": {"utterances": 60}, "weights": {"accent": {"us": 9, "scottish": 1}}}
    plan = fill_plan(None, clean, ["clean"], goals, budget=Budget(renders=50))
    us = plan.assignments["utterance_id"].str.startswith("us").to_numpy()
    assert len(us) == 50
    for upto in (10, 20, 30, 50):
        assert us[:upto].mean() == pytest.approx(0.9, abs=0.051)


def test_a_cap_of_ten_utterances_a_condition_follows_the_weights():
    clean = people({"us": 30, "scottish": 30})
    goals = {"weights": {"accent": {"us": 9, "scottish": 1}}}
    plan = fill_plan(None, clean, ["clean", "gsm"], goals, utterances_per_condition=10)
    gsm = plan.assignments[plan.assignments["condition"] == "gsm"]
    assert len(gsm) == 10
    assert gsm["utterance_id"].str.startswith("us").sum() == 9


def test_hours_are_counted_from_durations():
    clean = people({"us": 10}, seconds=36.0)
    plan = fill_plan(None, clean, ["clean", "gsm"], {}, budget=Budget(hours=0.3))
    assert len(plan.assignments) == 30
    assert plan.hours == pytest.approx(0.3)


LABELS = {
    f"{r}+{n}+{h}": {"room": r, "noise": n, "handset": h}
    for r in ("none", "ward", "office")
    for n in ("none", "babble", "car")
    for h in ("none", "gsm", "voip")
}
LABELS = {"clean": LABELS.pop("none+none+none"), **LABELS}


def test_combinations_go_first_where_that_is_asked_for():
    """Nine conditions hold every pair of three factors of three levels: 15 renders with their clean pairs, or little more."""
    clean = people({"us": 4, "scottish": 4, "indian": 4})
    goals = {"default": {"utterances": 2}}
    done = {}
    for first in ("cells", "t_way"):
        plan = fill_plan(None, clean, list(LABELS), goals, labels=LABELS, first=first, budget=Budget(renders=40))
        assert f"{'combinations of levels' if first == 't_way' else 'cells'} first" in plan.lines()[0]
        seen = set()
        for upto, row in enumerate(plan.assignments.itertuples(), 1):
            label = sorted(LABELS[row.condition].items())
            seen |= {(a, b) for i, a in enumerate(label) for b in label[i + 1 :]}
            if len(seen) == 27:
                done[first] = upto
                break
    assert done["t_way"] <= 24
    assert done["t_way"] <= done.get("cells", 41)


def test_what_is_reached_at_ten_fifty_and_a_hundred_per_cent_is_what_a_recount_finds():
    clean = people({"us": 6, "scottish": 3})
    goals = {"default": {"utterances": 6, "speakers": 3}}
    plan = fill_plan(None, clean, ["clean", "gsm", "ward"], goals, budget=Budget(renders=24))
    from roomtone.coverage import CoverageMatrix

    for row in plan.milestones.to_dict("records"):
        upto = plan.assignments.iloc[: row["renders"]].merge(clean, on="utterance_id")
        upto["sample_id"] = range(len(upto))
        matrix = CoverageMatrix(
            upto, goals=goals, levels={"condition": ["clean", "gsm", "ward"], "accent": ["scottish", "us"]}
        )
        assert row["cells_met"] == matrix.figures.covered_cells
        assert row["goals_reached"] == pytest.approx(shares(matrix).mean())
        assert row["hours"] == pytest.approx(upto["duration_s"].sum() / 3600)
    assert plan.milestones["renders"].tolist() == [3, 12, 24]


@pytest.mark.parametrize("wrong", [{"renders": 0}, {"renders": 2.5}, {"hours": 0}, {"hours": "x"}, {"renders": True}])
def test_budgets_that_are_none_are_refused(wrong):
    with pytest.raises(RoomtoneError, match="design.(renders|hours): expected"):
        Budget(**wrong)
