"""What was once counted wrongly, or passed over without a word: one test a sentence."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from roomtone.coverage import (
    CoverageMatrix,
    RoomtoneError,
    check_gates,
    conditions_for,
    covering_array,
    fill_plan,
    parse_gates,
)


def cells_of(matrix: CoverageMatrix) -> dict[object, int]:
    frame = matrix.to_frame()
    keys = frame[list(matrix.axes)].itertuples(index=False, name=None)
    return {key if len(key) > 1 else key[0]: int(n) for key, n in zip(keys, frame["renders"]) if n}


def rows(**columns: object) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    frame.insert(0, "sample_id", [f"s{i}" for i in range(len(frame))])
    return frame


def table(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def two_folders(tmp_path: Path, head: str, line: str, count: int) -> CoverageMatrix:
    """Return the matrix of two tables in folders of their own; {i} numbers the rows, {p} is the folder."""
    for p, accent in (("a", "scottish"), ("b", "irish")):
        lines = "".join(line.format(i=i, third=i % 3, p=p) + f",{accent}\n" for i in range(count))
        table(tmp_path / p, "set.csv", f"{head},accent\n{lines}")
    return CoverageMatrix([tmp_path / "a" / "set.csv", tmp_path / "b" / "set.csv"], axes=["accent"])


def test_tables_in_two_folders_that_count_from_0000_stay_two_sets(tmp_path):
    matrix = two_folders(tmp_path, "audio,speaker", "audio/{i:04d}.wav,{p}{third}", 10)
    assert cells_of(matrix) == {"scottish": 10, "irish": 10}
    assert matrix.to_frame()["speakers"].tolist() == [3, 3]


def test_ids_that_mean_two_recordings_are_counted_apart_and_said(tmp_path):
    matrix = two_folders(tmp_path, "sample_id,speaker,duration_s", "{i:04d},{p},1.{i}", 5)
    assert cells_of(matrix) == {"scottish": 5, "irish": 5}
    assert matrix.to_frame()["utterances"].tolist() == [5, 5]
    assert any("5 sample ids name different recordings" in note and "'0000'" in note for note in matrix.notes)


def test_a_table_that_is_named_twice_is_one_set_without_a_word_of_a_clash(tmp_path):
    path = table(tmp_path, "set.csv", "sample_id,speaker,accent\n1,a,us\n2,b,us\n")
    copy = table(tmp_path / "copy", "set.csv", path.read_text(encoding="utf-8"))
    matrix = CoverageMatrix([path, copy], axes=["accent"])
    assert cells_of(matrix) == {"us": 2}
    assert not any("identity" in note for note in matrix.notes)


NOISY = "audio,speaker,accent,noise,source\n" + "".join(
    f"u1-{noise}.wav,a,us,{noise},u1\n" for noise in ("babble", "car", "music")
)


def test_three_noisy_copies_are_not_three_utterances(tmp_path):
    matrix = CoverageMatrix(table(tmp_path, "set.csv", NOISY), axes=["accent"])
    assert matrix.to_frame()["utterances"].isna().all()
    assert any("utterances cannot be counted" in note and "3 of 3 rows" in note for note in matrix.notes)
    # what nobody knows passes no gate
    gates = parse_gates({"fail_under": 100})
    asked = CoverageMatrix(tmp_path / "set.csv", axes=["accent"], goals={"default": {"utterances": 1}})
    assert [miss.gate for miss in check_gates(asked, gates)] == ["fail_under"]


@pytest.mark.parametrize("told", [{"columns": {"utterance": "source"}}, {"utterance_pattern": r"^(\w+)-\w+$"}])
def test_a_column_or_a_pattern_names_the_source(tmp_path, told):
    matrix = CoverageMatrix(table(tmp_path, "set.csv", NOISY), axes=["accent"], **told)
    assert matrix.to_frame()["utterances"].tolist() == [1]
    assert not any("utterances" in note for note in matrix.notes)


def test_a_pattern_without_a_group_is_refused(tmp_path):
    with pytest.raises(RoomtoneError, match="utterance_pattern: .*no group"):
        CoverageMatrix(table(tmp_path, "set.csv", NOISY), utterance_pattern="^.*$")


def test_missing_durations_are_null_and_not_zero_minutes(tmp_path):
    path = table(tmp_path, "set.csv", "audio,accent,duration_s\na.wav,us,\nb.wav,us,\nc.wav,irish,60\nd.wav,irish,\n")
    matrix = CoverageMatrix(path, axes=["accent"], goals={"default": {"minutes": 1}})
    minutes = matrix.to_frame().set_index("accent")["minutes"]
    assert np.isnan(minutes["us"])
    assert minutes["irish"] == 1
    assert any("durations are not stated" in note and "3 of 4 rows" in note for note in matrix.notes)
    assert matrix.holes()["accent"].tolist() == ["us"]


def test_minutes_of_empty_cells_are_zero(rows_of):
    frame = CoverageMatrix(rows_of([("us", "a"), ("irish", "b")])).to_frame()
    assert frame.loc[frame["renders"] == 0, "minutes"].tolist() == [0, 0]


@pytest.mark.parametrize(
    "goals",
    [
        {"cells": [{"equipment": "x", "speakers": 99}]},
        {"ignore": [{"equipment": "x"}]},
        {"weights": {"equipment": {"x": 9}}},
    ],
)
def test_goals_on_a_column_that_is_no_axis_are_refused(rows_of, goals):
    frame = rows_of([("us", "a")]).assign(equipment="x")
    with pytest.raises(
        RoomtoneError, match=r"'equipment' is no axis of this matrix.*axes=\[accent,condition,equipment\]"
    ):
        CoverageMatrix(frame, goals=goals)
    with pytest.raises(RoomtoneError, match="neither an axis nor a column"):
        CoverageMatrix(frame.drop(columns="equipment"), goals=goals)


def labelled_plan(**options: object):
    rooms, machines = ("office", "car_cabin"), ("none", "mri_epi", "mri_spin")
    labels = {f"{r}+{m}": {"room": r, "equipment": m} for r, m in itertools.product(rooms, machines)}
    clean = pd.DataFrame(
        {"utterance_id": [f"u{i}" for i in range(24)], "speaker": [f"p{i % 6}" for i in range(24)], "accent": "us"}
    ).assign(words=4, duration_s=2.0)
    goals = {"default": {"utterances": 12}, "illegal": [{"room": "car_cabin", "equipment": "mri_*"}]}
    return fill_plan(None, clean, list(labels), goals, axes=["accent", "condition"], labels=labels, **options), labels


def test_a_plan_has_no_illegal_sample_where_the_rule_names_columns_that_are_no_axis():
    plan, labels = labelled_plan()
    planned = {labels[name]["room"] + "/" + labels[name]["equipment"] for name in plan.assignments["condition"]}
    assert planned == {"office/none", "office/mri_epi", "office/mri_spin", "car_cabin/none"}
    assert len(plan.assignments) == 4 * 12
    assert plan.after.figures.illegal == 0
    assert plan.infeasible["reason"].str.contains("illegal").all()


def test_a_cap_on_assets_holds_over_all_conditions_that_share_them():
    clean = pd.DataFrame(
        {"utterance_id": [f"u{i}" for i in range(60)], "speaker": [f"p{i % 6}" for i in range(60)], "accent": "us"}
    ).assign(words=4, duration_s=2.0)
    conditions = ["babble@0dB", "babble@5dB", "babble@10dB"]
    recordings = 3

    def drawn(utterance: str, condition: str, replicate: int) -> list[str]:
        return [f"babble-{(int(utterance[1:]) + replicate) % recordings}"]

    goals = {"default": {"utterances": 20}}
    plan = fill_plan(None, clean, conditions, goals, max_per_asset=4, assets=drawn)
    used = pd.Series([drawn(r.utterance_id, r.condition, r.replicate)[0] for r in plan.assignments.itertuples()])
    assert used.value_counts().to_dict() == {f"babble-{i}": 4 for i in range(recordings)}
    # pools that conditions share by name are one pool
    pools = {name: {"babble": recordings} for name in conditions}
    assert len(fill_plan(None, clean, conditions, goals, max_per_asset=4, assets=pools).assignments) == 12


def test_margins_can_be_gated(rows_of):
    frame = rows_of({("us", "a"): 5, ("us", "b"): 5, ("irish", "a"): 2, ("irish", "b"): 2})
    goals = {"default": {"renders": 1}, "margins": [{"axis": "accent", "speakers": 6}]}
    matrix = CoverageMatrix(frame, goals=goals)
    assert check_gates(matrix, parse_gates({"fail_under": 100})) == []
    (miss,) = check_gates(matrix, parse_gates({"fail_under_margins": 100}))
    assert miss.line.startswith("50.0 % (1 of 2 margins)")
    assert miss.cells == ("accent irish: 4 of 6 speakers",)
    assert check_gates(matrix, parse_gates({"fail_under_margins": 50})) == []


@pytest.mark.parametrize("axes", [["condition"], ["noise", "room"], ["handset"]])
def test_holes_on_rendered_axes_alone_answer(rows_of, axes):
    frame = rows_of([("us", "x"), ("us", "y")]).assign(noise=["babble", "none"], room=["office", "none"], handset="gsm")
    holes = CoverageMatrix(frame, axes=axes, goals={"default": {"renders": 2}}).holes()
    lacking = {"condition": 2, "noise,room": 4, "handset": 0}[",".join(axes)]
    assert len(holes) == lacking


NOT_BOTH = [{"not": {0: 1, 1: 1}}]


def test_constraints_and_seeds_that_leave_one_row_do_not_divide_by_zero():
    made = covering_array([2, 2], 2, constraints=NOT_BOTH, seed_rows=[[0, 0], [0, 1]])
    assert made.tolist() == [[0, 0], [0, 1], [1, 0]]
    # clean is always such a seed
    factors = {"room": ["none", "ward"], "handset": ["none", "gsm"]}
    only_both = [{"not": {"room": "ward", "handset": "none"}}, {"not": {"room": "none", "handset": "gsm"}}]
    found = conditions_for(factors, {"name": "covering", "strength": 2}, only_both)
    assert [list(c.values()) for c in found] == [["none", "none"], ["ward", "gsm"]]


@pytest.mark.parametrize(
    ("edges", "values", "expected"),
    [
        ([0, 1234567, 12345678], [5, 1234566.5, 1234567, 9e6], {"[0, 1234567)": 2, "[1234567, 12345678)": 2}),
        # two bins that were one in six digits
        ([1234567, 1234568, 1234569], [1234567, 1234568.5], {"[1234567, 1234568)": 1, "[1234568, 1234569)": 1}),
        ([0, 0.12345678, 1], [0.12345677, 0.12345678], {"[0, 0.12345678)": 1, "[0.12345678, 1)": 1}),
        ([float("-inf"), 0, float("inf")], [-1e12, -1, 0, 1e12], {"below 0": 2, "at or above 0": 2}),
        (["-inf", 0, "inf"], [-1, 0], {"below 0": 1, "at or above 0": 1}),
    ],
)
def test_bins_with_long_and_infinite_edges(edges, values, expected):
    found = cells_of(CoverageMatrix(rows(x=values), axes=[{"x": edges}]))
    assert sorted(found.values()) == sorted(expected.values())
    assert len(found) == len(expected)
    assert all(any(str(edge) in name for name in found) for edge in edges if np.isfinite(float(edge)) and edge)


def test_numbers_read_as_text_fall_into_bins_and_texts_are_refused(tmp_path):
    path = table(tmp_path, "set.csv", "audio,snr_db\na.wav,3\nb.wav,12.5\nc.wav,007\nd.wav,\n")
    found = CoverageMatrix(path, axes=[{"snr_db": [0, 10, 20]}]).to_frame().set_index("snr_db")["renders"]
    assert found[found > 0].sort_values().tolist() == [1, 1, 2]
    table(tmp_path, "set.csv", "audio,snr_db\na.wav,3\nb.wav,loud\n")
    with pytest.raises(RoomtoneError, match="'snr_db' has bins, and 1 of its cells are no numbers, e.g. 'loud'"):
        CoverageMatrix(path, axes=[{"snr_db": [0, 10, 20]}])


def test_values_that_hold_the_sign_between_axes(rows_of):
    frame = rows_of({("us x uk", "a"): 3, ("us", "uk x a"): 1})
    goals = {"margins": [{"axis": ["accent", "condition"], "renders": 2}]}
    found = {
        tuple(row[a] for a in axes): row["renders"] for axes, row in CoverageMatrix(frame, goals=goals).margin_rows()
    }
    assert found[("us x uk", "a")] == 3
    assert found[("us", "uk x a")] == 1
    # and a plan fills such margins
    clean = rows(utterance_id=["u0", "u1"], speaker=["p0", "p1"], accent=["us x uk", "us"], words=4, duration_s=2.0)
    margins = {"default": {"renders": 0}, "margins": [{"axis": ["accent", "condition"], "renders": 1}]}
    plan = fill_plan(None, clean, ["a", "uk x a"], margins)
    assert len(plan.assignments) == 4
    assert plan.infeasible.empty


def test_accents_with_blanks_and_empty_parts_are_the_accents_themselves(rows_of):
    frame = rows_of([("irish|", "a"), ("irish | welsh", "a"), (" welsh", "a"), ("|", "a"), ("irish|irish", "a")])
    assert cells_of(CoverageMatrix(frame, axes=["accent"])) == {"irish": 3, "welsh": 2, "(not stated)": 1}


def test_illegal_rules_see_each_of_several_accents_and_null(rows_of):
    frame = rows_of([("irish|welsh", "a"), ("irish", "a"), ("us", "a"), ("us", "b")])
    frame.loc[2, "accent"] = None
    goals = {"illegal": [{"accent": "welsh", "condition": "a"}]}
    assert CoverageMatrix(frame, goals=goals).figures.illegal == 1
    # the same where the rule names a column that is no axis
    assert CoverageMatrix(frame, axes=["condition"], goals=goals).figures.illegal == 1
    unstated = {"illegal": [{"accent": "(not stated)"}]}
    assert CoverageMatrix(frame, goals=unstated).figures.illegal == 1
    assert CoverageMatrix(frame, axes=["condition"], goals=unstated).figures.illegal == 1


@pytest.mark.parametrize(
    "goals",
    [
        {"ignore": [{"accent": "us", "condition": "b"}]},
        {"weights": {"accent": {"us": 3}}},
        {"illegal": [{"accent": "us", "condition": "b"}]},
        {"levels": {"condition": ["c"]}},
    ],
)
def test_goals_without_an_amount_keep_the_default(rows_of, goals):
    frame = CoverageMatrix(rows_of([("us", "a"), ("irish", "b")]), goals=goals).to_frame()
    aimed = frame[~frame["status"].isin(["ignored", "illegal"])]
    assert (aimed["goal_renders"] == 1).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"axes": ["words"]}, "words"),
        ({"max_illegal": "x"}, "max_illegal: expected a whole number from 0 up, got 'x'"),
    ],
)
def test_slips_end_in_one_line(rows_of, arguments, message):
    with pytest.raises(RoomtoneError, match=message) as caught:
        parse_gates(arguments) if "max_illegal" in arguments else CoverageMatrix(rows_of([("us", "a")]), **arguments)
    assert "\n" not in str(caught.value)
