"""`design=fill`: what is missing is named, rendered once, and then there is nothing left to do."""

import pytest

from roomtone.augment.generation import generate
from roomtone.augment.scenarios.planner import make_plan
from roomtone.cli.main import main
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError
from roomtone.coverage import CoverageMatrix

FACTORS = (
    "scenario.factors.room=[none]",
    "scenario.factors.noise=[none,pink@10dB,white@5dB]",
    "scenario.factors.equipment=[none,fan@10dB]",
    "scenario.factors.handset=[none,landline_mulaw]",
)
GOALS = "scenario.goals={default:{utterances:2,speakers:2}}"


@pytest.fixture
def configure(composed, tmp_path):
    def make(design, *overrides, goals=True):
        words = (*FACTORS, *([GOALS] if goals else []), *overrides)
        return composed(f"design={design}", "executor=serial", f"output.dir={tmp_path / 'set'}", *words)

    return make


@pytest.mark.slow
def test_fill_closes_every_closable_hole_and_nothing_else(configure, tmp_path, capsys):
    generate(configure("covering"))
    before = read_manifest(tmp_path / "set")
    goals = configure("fill")["scenario"]["goals"]

    plan = make_plan(configure("fill"))
    assert plan.samples > 0
    summary = generate(configure("fill"))
    assert summary.rendered == plan.samples

    after = read_manifest(tmp_path / "set")
    matrix = CoverageMatrix(tmp_path / "set", goals=goals, levels={"condition": list(plan.conditions)})
    assert matrix.holes().empty
    assert len(after) == len(before) + summary.rendered
    assert not after.duplicated(["utterance_id", "condition", "replicate"]).any()
    new = after[~after["sample_id"].isin(before["sample_id"])]
    untouched = set(before["condition"])
    assert not set(new["condition"]) & untouched  # cells that had met their goals got nothing
    cells = new.groupby(["accent", "condition"])
    assert (cells["utterance_id"].nunique() == 2).all()
    assert (cells["speaker"].nunique() == 2).all()

    assert make_plan(configure("fill")).samples == 0
    assert generate(configure("fill")).planned == 0
    words = ["design=fill", f"output.dir={tmp_path / 'set'}", *FACTORS, GOALS]
    capsys.readouterr()
    assert main(["plan", *words]) == 0
    assert "nothing to render" in capsys.readouterr().out


def test_plan_renders_nothing_and_names_what_no_rendering_can_close(configure, tmp_path, capsys):
    """Thirteen speakers of each accent are wanted and the corpus has eight: that needs recording."""
    words = ["design=one_at_a_time", "executor=serial", f"output.dir={tmp_path / 'set'}", *FACTORS]
    assert main(["plan", *words, "scenario.goals={default:{speakers:13}}"]) == 0
    out = capsys.readouterr().out
    assert "60 cells need recording, which no rendering can replace:" in out
    assert "scottish: 5 more speakers" in out
    assert not (tmp_path / "set").exists()


def test_fill_without_goals_is_refused(configure):
    with pytest.raises(RoomtoneError, match="has no goals to fill towards"):
        make_plan(configure("fill", "~scenario.goals", goals=False))


def test_an_unknown_key_of_the_design_names_the_nearest(configure):
    with pytest.raises(RoomtoneError, match="unknown key 'max_per_speakers'; did you mean 'max_per_speaker'"):
        make_plan(configure("fill", "+design.max_per_speakers=3"))


def test_no_room_is_used_more_often_than_the_cap_allows(configure):
    """Eight realisations of a ward, at most twice each: sixteen renders of that condition, however many the goals want."""
    words = ("scenario.factors.room=[none,ward]", "scenario.factors.noise=[none]", "scenario.factors.handset=[none]")
    capped = make_plan(configure("fill", *words, "scenario.factors.equipment=[none]", "design.max_per_asset=2"))
    free = make_plan(configure("fill", *words, "scenario.factors.equipment=[none]"))
    count = [sum(item[0] == "ward" for items in plan.items.values() for item in items) for plan in (capped, free)]
    assert count == [16, 24]
