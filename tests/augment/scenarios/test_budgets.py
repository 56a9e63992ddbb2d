"""Designs under a budget, rows dealt over utterances, and caps on recordings, from the command line to the manifest."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import soundfile

from roomtone.augment.generation import generate
from roomtone.augment.scenarios.planned_assets import PlannedAssets
from roomtone.augment.scenarios.planner import make_plan
from roomtone.cli.main import main
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError

FACTORS = (
    "scenario.factors.room=[none]",
    "scenario.factors.noise=[none,pink@10dB,white@5dB]",
    "scenario.factors.equipment=[none,fan@10dB]",
    "scenario.factors.handset=[none,landline_mulaw]",
)


@pytest.fixture
def configure(composed, tmp_path):
    def make(design, *overrides):
        return composed(f"design={design}", "executor=serial", f"output.dir={tmp_path / 'set'}", *FACTORS, *overrides)

    return make


def cells(plan) -> Counter:
    accents = {u.utterance_id: u.accents for u in plan.utterances}
    return Counter((a, item[0]) for u, items in plan.items.items() for item in items for a in accents[u])


@pytest.mark.parametrize("design", ["full", "covering", "one_at_a_time"])
def test_a_budget_is_spread_evenly_over_every_accent_and_condition(configure, design):
    plan = make_plan(configure(design, "design.renders=400"))
    assert 380 <= plan.samples <= 400
    counts = cells(plan)
    accents = {a for u in plan.utterances for a in u.accents}
    conditions = [name for name in plan.conditions if name != "clean"]
    held = [counts[accent, condition] for accent in accents for condition in conditions]
    assert max(held) - min(held) <= 1
    for items in plan.items.values():  # every render has its clean pair
        assert ("clean", 0) in items


def test_hours_are_kept_to_and_the_plan_says_what_it_reaches(configure, tmp_path, capsys):
    words = ["design=covering", "design.hours=0.05", f"output.dir={tmp_path / 'set'}", *FACTORS]
    assert main(["plan", *words]) == 0
    out = capsys.readouterr().out
    (half,) = [line for line in out.splitlines() if line.startswith("after 50 %")]
    (whole,) = [line for line in out.splitlines() if line.startswith("after 100 %")]
    assert "cells first" in half
    hours = float(whole.partition(" renders, ")[2].partition(" h")[0])
    assert 0.045 <= hours <= 0.05


def test_a_deployment_mix_decides_who_gets_the_budget(configure):
    accents = sorted({a for u in make_plan(configure("full")).utterances for a in u.accents})
    first, second = accents[:2]
    weights = f"++scenario.goals={{weights: {{accent: {{{first}: 9, {second}: 1}}}}, ignore: [{', '.join(f'{{accent: {a}}}' for a in accents[2:])}]}}"
    plan = make_plan(configure("one_at_a_time", weights, "design.renders=60"))
    counts = Counter()
    for (accent, _), n in cells(plan).items():
        counts[accent] += n
    assert set(counts) <= {first, second}
    assert counts[first] / sum(counts.values()) == pytest.approx(0.9, abs=0.02)


def test_rows_are_dealt_so_that_every_accent_has_all_of_them(configure):
    plan = make_plan(configure("covering", "design.rows_per_utterance=2"))
    conditions = [name for name in plan.conditions if name != "clean"]
    assert {len(items) for items in plan.items.values()} == {3}
    counts = cells(plan)
    for accent in {a for u in plan.utterances for a in u.accents}:
        held = [counts[accent, name] for name in conditions]
        assert min(held) >= 1
        assert max(held) - min(held) <= 1
    assert plan.samples == 3 * len(plan.utterances)


def test_accents_with_too_few_utterances_for_all_rows_are_named(configure):
    more = "scenario.factors.noise=[none,pink@10dB,white@5dB,pink@5dB,white@10dB,pink@0dB,white@0dB]"
    plan = make_plan(configure("full", "design.rows_per_utterance=1", more))
    least = min(Counter(a for u in plan.utterances for a in u.accents).values())
    assert least < len(plan.conditions) - 1
    short = [note for note in plan.notes if "has too few utterances" in note]
    assert len(short) == len({a for u in plan.utterances for a in u.accents})
    assert f"for {len(plan.conditions) - 1 - least} of the conditions" in short[0]


def test_a_budget_repeats_and_resumes_like_any_design(configure, tmp_path):
    settings = configure("one_at_a_time", "design.renders=12")
    summary = generate(settings)
    assert summary.rendered == make_plan(settings).samples <= 12
    assert generate(settings).resumed == summary.rendered
    assert len(read_manifest(tmp_path / "set")) == summary.rendered


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["design=full", "design.renders=0"], "design.renders: expected a whole number from 1 up, got 0"),
        (["design=full", "design.hours=-1"], "design.hours: expected a positive number"),
        (["design=full", "design.first=x", "design.hours=1"], "design.first: expected cells or t_way"),
        (["design=full", "design.rows_per_utterance=0"], "rows_per_utterance: expected a whole number from 1 up"),
        (["design=full", "design.rows_per_utterance=1", "design.hours=1"], "both say how much is rendered"),
        (["design=full", "+design.hour=1"], "unknown key 'hour'; did you mean 'hours'"),
    ],
)
def test_slips_are_named(composed, tmp_path, words, message):
    with pytest.raises(RoomtoneError, match=message):
        make_plan(composed(*words, f"output.dir={tmp_path / 'set'}", *FACTORS))


def test_a_cap_holds_for_every_room_and_recording_over_all_conditions_that_share_it(composed, tmp_path):
    """Conditions with one room drew a realisation 10 to 14 times at a cap of 4; which one a render draws is known beforehand."""
    hall = tmp_path / "hall"
    hall.mkdir()
    for i in range(5):
        soundfile.write(hall / f"n{i}.wav", np.random.default_rng(i).normal(0, 0.1, 8 * 16000), 16000)
    settings = composed(
        "design=fill",
        "executor=serial",
        f"output.dir={tmp_path / 'set'}",
        "scenario.factors.room=[none,car_cabin]",
        f"scenario.factors.noise=[none,pink@10dB,'folder:{hall}@10dB','folder:{hall}@0dB']",
        "scenario.factors.equipment=[none]",
        "scenario.factors.handset=[none]",
        "++scenario.goals={default:{renders:3,utterances:0,speakers:0,minutes:0}}",
        "design.max_per_asset=4",
    )
    plan = make_plan(settings)
    generate(settings)
    rows = read_manifest(tmp_path / "set")
    inside, noisy = rows[rows["room"] == "car_cabin"], rows[rows["noise"].str.startswith("hall")]
    assert inside["condition"].nunique() > 1
    assert noisy["condition"].nunique() > 1
    used = inside["room_asset"].value_counts()
    assert used.max() == 4
    assert noisy["noise_asset"].value_counts().to_dict() == {f"folder/n{i}.wav": 4 for i in range(5)}
    # what the plan names is what the manifest says was used
    named = PlannedAssets(plan.conditions, plan.utterances, 0, 16_000, common_draws=False)
    names = {r.sample_id: named(r.utterance_id, r.condition, r.replicate) for r in rows.itertuples()}
    assert [names[s][0] for s in noisy["sample_id"]] == noisy["noise_asset"].tolist()
    assert len({(names[r.sample_id][-1], r.room_asset) for r in inside.itertuples()}) == len(used)
    # and a second run over the set that is there keeps to it too
    assert make_plan(settings).samples == 0
