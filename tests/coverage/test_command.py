"""`roomtone coverage`, as a user runs it."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from roomtone.cli.main import main


@pytest.fixture
def small_set(tmp_path, write_set, rows_of):
    """Return a set of two accents and two conditions, one cell empty and one short of speakers."""
    rows = rows_of({("us", "clean"): 4, ("us", "gsm"): 4, ("scottish", "clean"): 2})
    rows = rows.assign(handset=rows["condition"].replace("clean", "none"), room="none", text="hello")
    return write_set(tmp_path / "set", rows)


def test_it_prints_and_writes(small_set, capsys):
    goals = "goals={default:{utterances:3,speakers:3}}"
    assert main(["coverage", f"dataset={small_set}", "axes=[accent,condition]", goals]) == 0
    shown = capsys.readouterr().out
    assert "2 of 4 cells meet their goals (50.0 %)" in shown
    assert "accent scottish, any condition: 2 cells" in shown
    assert "record  scottish: 1 more speaker and 1 more utterance would close 2 cells." in shown
    assert "2/3u" in shown
    written = {path.name for path in (small_set / "coverage").iterdir()}
    assert written == {
        "matrix.csv", "holes.csv", "holes.yaml", "figures.json", "matrix.png", "matrix.svg", "index.html", "index-files",
    }  # fmt: skip
    frame = pd.read_csv(small_set / "coverage/matrix.csv")
    assert list(frame.columns[:8]) == [
        "accent",
        "condition",
        "renders",
        "utterances",
        "speakers",
        "assets",
        "minutes",
        "words",
    ]
    assert frame["renders"].sum() == 10
    assert json.loads((small_set / "coverage/figures.json").read_text())["covered"] == 0.5


def test_goals_levels_and_constraints_come_from_the_set(small_set, capsys):
    scenario = {
        "goals": {"default": {"speakers": 5}},
        "factors": {"handset": ["none", "gsm", "voip"], "room": ["none", "ward"]},
        "constraints": [{"not": {"handset": "voip", "room": "ward"}}],
    }
    (small_set / "dataset.json").write_text(json.dumps({"runs": [{"config": {"scenario": scenario}}]}))
    assert main(["coverage", f"dataset={small_set}", "pictures=false"]) == 0
    shown = capsys.readouterr().out
    assert "0 of 4 cells" in shown
    # handset x room 2 of 6 - 1, with noise and equipment at none 2 of 3 twice, 1 of 2 twice, 1 of 1
    assert "2-way: 9 of 16 pairs of levels are in the set (56.2 %)" in shown


@pytest.mark.parametrize(
    ("override", "status"),
    [
        ("fail_under=75", 0),
        ("fail_under=75.1", 2),
        ("fail_under_cell=0", 0),
        ("fail_under_cell=1", 2),
        ("fail_under_tway={1:100}", 0),
        ("fail_under_tway=['2:100']", 0),
        ("min_speakers=0", 0),
        ("min_speakers=1", 2),
        ("max_illegal=0", 0),
    ],
)
def test_gates_end_with_status_2(small_set, override, status, capsys):
    assert main(["coverage", f"dataset={small_set}", "pictures=false", override]) == status
    if status:
        captured = capsys.readouterr()
        assert captured.err == f"roomtone: gate not met: {override.split('=')[0]}\n"
        assert "accent scottish, condition gsm" in captured.out


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("fail_under=ninety", "fail_under: expected a number from 0 to 100"),
        ("no_new_holes=true", "no_new_holes: needs baseline=FILE"),
        ("fail_under_balance=90", "fail_under_balance: no goal of balance"),
        ("max_shared_speakers=0", "max_shared_speakers: between what?"),
        ("fail_under_tway={4:90}", "fail_under_tway: strength 4 needs as many factors; the set has noise, handset"),
        ("baseline=no.csv", "baseline: there is no file"),
        ("trend=[no.csv]", "there is no file"),
    ],
)
def test_gates_are_checked_before_the_matrix_is_computed(small_set, override, message, capsys, monkeypatch):
    """Only after minutes of counting was it said that a gate had nothing to look at."""

    def counted(*_, **__):
        raise AssertionError("the matrix was computed first")

    monkeypatch.setattr("roomtone.coverage.matrix.count_grid", counted)
    if "needs as many" in message:
        monkeypatch.setattr("roomtone.core.vocabulary.FACTORS", ("noise", "handset"))
    assert main(["coverage", f"dataset={small_set}", override]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error


def test_illegal_samples_and_a_baseline(small_set, rows_of, write_set, tmp_path, capsys):
    illegal = "goals={default:{renders:1},illegal:[{accent:us,condition:gsm}]}"
    assert main(["coverage", f"dataset={small_set}", "pictures=false", illegal, "max_illegal=3"]) == 2
    assert main(["coverage", f"dataset={small_set}", "pictures=false", illegal, "max_illegal=4"]) == 0
    assert main(["coverage", f"dataset={small_set}", "pictures=false"]) == 0
    later = write_set(
        tmp_path / "later", rows_of({("us", "clean"): 4, ("scottish", "clean"): 1, ("scottish", "gsm"): 1})
    )
    capsys.readouterr()
    call = ["coverage", f"dataset={later}", "pictures=false", f"baseline={small_set}"]
    assert main(call) == 0
    assert "holes closed by samples 1, new holes 1" in capsys.readouterr().out
    assert main([*call, "no_new_holes=true"]) == 2


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "dataset: which set?"),
        (["dataset=nowhere"], "nowhere: there is no such dataset folder"),
        (["dataset=SET", "axes=[acent]"], "did you mean 'accent'"),
        (["dataset=SET", "fail_undr=3"], "did you mean 'fail_under'"),
        (["dataset=SET", "goals={default:{speaker:3}}"], "did you mean 'speakers'"),
        (["dataset=SET", "unit=speaker"], "did you mean 'speakers'"),
        (["dataset=SET", "baseline=no.csv"], "baseline: there is no file"),
        (["dataset=SET", "no_new_holes=true"], "needs baseline=FILE"),
    ],
)
def test_slips_are_one_line(small_set, overrides, message, capsys):
    assert main(["coverage", *[o.replace("SET", str(small_set)) for o in overrides]]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error


def test_several_sets_are_one(small_set, write_set, rows_of, tmp_path, capsys):
    more = rows_of({("scottish", "gsm"): 3})
    other = write_set(
        tmp_path / "other", more.assign(sample_id=["x", "y", "z"], utterance_id=list("abc"), handset="gsm")
    )
    assert main(["coverage", f"dataset=[{small_set},{other}]", "pictures=false", "fail_under=100"]) == 0
    assert main(["coverage", f"dataset=[{other},{small_set},{other}]", f"to={tmp_path / 'out'}", "pictures=false"]) == 0
    first, second = (pd.read_csv(p / "matrix.csv") for p in (small_set / "coverage", tmp_path / "out"))
    pd.testing.assert_frame_equal(first, second)
