"""Fill plans: caps hold, nothing illegal or needless is planned, and the forecast comes true."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roomtone.coverage import CoverageMatrix, RoomtoneError, fill_plan

COUNTS = ["renders", "utterances", "speakers", "words", "status"]


def speech(accents=(("us", 3), ("scottish", 2), ("indian", 4), ("scottish|irish", 1)), each=4) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        [
            {
                "utterance_id": f"{accent}-{s}-{u}",
                "speaker": f"{accent}-{s}",
                "accent": accent,
                "words": int(rng.integers(2, 9)),
                "duration_s": round(float(rng.uniform(1, 4)), 3),
            }
            for accent, speakers in accents
            for s in range(speakers)
            for u in range(each)
        ]
    )


def rendered(plan, clean: pd.DataFrame) -> pd.DataFrame:
    """Return the manifest rows that rendering a plan gives."""
    rows = plan.assignments.merge(clean, on="utterance_id")
    return rows.assign(sample_id=rows["utterance_id"] + "+" + rows["condition"] + "+" + rows["replicate"].astype(str))


CONDITIONS = ["clean", "gsm", "ward", "babble@5dB"]
GOALS = {
    "default": {"utterances": 5, "speakers": 3},
    "illegal": [{"accent": "us", "condition": "ward"}],
    "ignore": [{"accent": "indian", "condition": "gsm"}],
}


@pytest.mark.slow
@given(
    seed=st.integers(0, 99),
    utterances=st.integers(0, 6),
    speakers=st.integers(0, 5),
    renders=st.integers(0, 8),
    minutes=st.floats(0, 0.5),
    per_speaker=st.one_of(st.none(), st.integers(1, 12)),
    per_asset=st.one_of(st.none(), st.integers(1, 4)),
    replicates=st.integers(1, 3),
    kept=st.integers(0, 40),
    margin=st.integers(0, 20),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_plan_keeps_its_promises(
    seed, utterances, speakers, renders, minutes, per_speaker, per_asset, replicates, kept, margin
):
    clean = speech()
    default = {"utterances": utterances, "speakers": speakers, "renders": renders, "minutes": round(minutes, 3)}
    goals = GOALS | {"default": default, "margins": [{"axis": "accent", "renders": margin}]}
    assets = {"gsm": 3, "ward": 2}
    start = fill_plan(None, clean, CONDITIONS, {"default": {"utterances": 2}}, seed=seed)
    existing = rendered(start, clean).iloc[:kept]
    existing = existing[~((existing["accent"] == "us") & (existing["condition"] == "ward"))]
    caps = {"max_per_speaker": per_speaker, "max_per_asset": per_asset, "assets": assets, "max_replicates": replicates}
    plan = fill_plan(existing if kept else None, clean, CONDITIONS, goals, seed=seed, **caps)
    new = rendered(plan, clean)
    after = pd.concat([existing, new])
    assert not after.duplicated(["utterance_id", "condition", "replicate"]).any()
    # illegal and ignored cells, whose speech shows in the accent
    assert not ((new["accent"] == "us") & (new["condition"] == "ward")).any()
    ignored = new[(new["accent"] == "indian") & (new["condition"] == "gsm")]
    assert ignored.empty
    grown = new["speaker"].unique()
    if per_speaker is not None:
        assert (after.groupby("speaker").size().loc[grown] <= max(per_speaker, 0)).all()
    for condition, count in assets.items():
        if per_asset is not None and (new["condition"] == condition).any():
            assert (after["condition"] == condition).sum() <= per_asset * count
    assert (new.groupby(["utterance_id", "condition"]).size() <= replicates).all()
    assert (after[after["condition"] == "clean"].groupby("utterance_id").size() == 1).all()
    # every planned utterance can be compared with its clean self
    assert set(new["utterance_id"]) <= set(after[after["condition"] == "clean"]["utterance_id"])
    # the forecast comes true
    if len(after):
        levels = plan.after.levels
        real = CoverageMatrix(after, goals=goals, levels=levels).to_frame()
        pd.testing.assert_frame_equal(real[COUNTS], plan.after.to_frame()[COUNTS], check_dtype=False)
        # and nothing is left to do: what is still missing is infeasible
        again = fill_plan(after, clean, CONDITIONS, goals, seed=seed + 1, **caps)
        assert again.assignments.empty
    short = plan.after.to_frame()
    short = short[short["status"].isin(["empty", "partial"])]
    named = {f"accent {row.accent}, condition {row.condition}" for row in short.itertuples()}
    assert named <= set(plan.infeasible["goal"])


def test_a_plan_closes_every_closable_hole_and_plans_nothing_else():
    clean = speech()
    have = fill_plan(None, clean, CONDITIONS, {"default": {"utterances": 5, "speakers": 3}})
    full = rendered(have, clean)
    gone = full[(full["accent"] == "indian") & (full["condition"].isin(["gsm", "ward"]))]
    left = full.drop(gone.index)
    plan = fill_plan(left, clean, CONDITIONS, {"default": {"utterances": 5, "speakers": 3}})
    assert set(zip(rendered(plan, clean)["accent"], plan.assignments["condition"])) == {
        ("indian", "gsm"),
        ("indian", "ward"),
    }
    assert len(plan.assignments) == 10
    holes = plan.after.to_frame().query("status in ['empty', 'partial']")
    assert set(holes["accent"]) == {"irish"}  # one speaker, of whom three are asked


def test_plans_are_deterministic_by_seed():
    first, same, other = (fill_plan(None, speech(), CONDITIONS, GOALS, seed=s).assignments for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first, same)
    assert not first.equals(other)
    shuffled = fill_plan(None, speech().sample(frac=1, random_state=3), CONDITIONS, GOALS, seed=1).assignments
    pd.testing.assert_frame_equal(first, shuffled)


def test_cells_grow_evenly_and_speakers_take_turns():
    """With a cap that ends the plan early, no cell is full while another is empty."""
    clean = speech(accents=(("us", 6),), each=6)
    plan = fill_plan(None, clean, CONDITIONS, {"default": {"utterances": 6}}, max_per_speaker=3)
    counts = plan.after.to_frame()["utterances"]
    assert counts.sum() == 18
    # clean grows faster, since every other render needs its pair
    others = plan.after.to_frame().query("condition != 'clean'")["utterances"]
    assert others.max() - others.min() <= 1
    speakers = rendered(plan, clean)["speaker"].value_counts()
    assert speakers.max() - speakers.min() <= 1


def test_what_is_out_of_reach_is_named_with_its_reason():
    plan = fill_plan(
        None,
        speech(accents=(("us", 2),), each=2),
        ["clean"],
        {"default": {"speakers": 3, "utterances": 5, "minutes": 9}},
    )
    reasons = plan.infeasible.set_index("unit")["reason"].to_dict()
    assert reasons["speakers"] == "only 2 speakers at hand: record"
    assert reasons["utterances"] == "only 4 utterances at hand: record"
    assert "rendered as often as max_replicates allows" in reasons["minutes"]
    nobody = fill_plan(None, speech(accents=(("us", 1),)), ["clean"], {"cells": [{"accent": "welsh", "renders": 1}]})
    assert nobody.infeasible["reason"].tolist() == ["no clean speech of it: record"]
    elsewhere = fill_plan(None, speech(), ["clean"], {"cells": [{"condition": "gsm", "renders": 1}]})
    assert set(elsewhere.infeasible["reason"]) == {"this plan has no such condition"}


def test_axes_may_be_attributes_and_factors():
    clean = speech().assign(attr_age=[20 + i for i in range(40)])
    labels = {"clean": {"handset": "none"}, "gsm": {"handset": "gsm"}}
    axes = ["accent", {"attr_age": [20, 40, 60]}, "handset"]
    plan = fill_plan(None, clean, ["clean", "gsm"], {"default": {"renders": 1}}, axes=axes, labels=labels)
    assert plan.after.levels["handset"] == ["none", "gsm"]
    after = plan.after.to_frame()
    # accents do not reach every age here; a cell is filled or has no speech
    for row in after.itertuples():
        low, high = (int(edge) for edge in row.attr_age.split(".."))
        own = clean[clean["accent"].str.split("|").map(lambda parts, accent=row.accent: accent in parts)]
        there = own["attr_age"].between(low, high - (high < 60)).any()
        assert row.status == ("covered" if there else "empty")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"axes": ["accent", "measured_snr_db"]}, "cannot plan along 'measured_snr_db'"),
        ({"axes": ["accent", "handset"]}, "cannot plan along 'handset'"),
        ({"axes": ["attr_gender", "condition"]}, "no column 'attr_gender'"),
        ({"max_per_speaker": 0}, "max_per_speaker: expected a whole number from 1 up, got 0"),
    ],
)
def test_slips_are_named(change, message):
    with pytest.raises(RoomtoneError, match=message):
        fill_plan(None, speech(), CONDITIONS, GOALS, **change)


def test_thousands_of_cells_are_planned_in_seconds():
    clean = speech(accents=tuple((f"a{i}", 10) for i in range(20)), each=5)
    plan = fill_plan(
        None, clean, ["clean", *[f"c{i}" for i in range(49)]], {"default": {"utterances": 4, "speakers": 3}}
    )
    assert plan.after.figures.all_covered
