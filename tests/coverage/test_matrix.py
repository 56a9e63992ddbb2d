"""Cells against plain pandas; union, monotony, axes, goals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roomtone.coverage import CoverageMatrix, RoomtoneError, read_manifest
from roomtone.coverage.counting import source as source_module
from roomtone.coverage.counting.axes import Axis

UNITS = ["renders", "utterances", "speakers", "words"]
SLOW_OK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def plain_counts(frame: pd.DataFrame, axes=("accent", "condition")) -> pd.DataFrame:
    """Count with pandas alone, the independent reference."""
    return frame.groupby(list(axes)).agg(
        renders=("sample_id", "size"),
        utterances=("utterance_id", "nunique"),
        speakers=("speaker", "nunique"),
        words=("words", "sum"),
        minutes=("duration_s", lambda s: s.sum() / 60),
    )


def assert_equal_counts(matrix: CoverageMatrix, expected: pd.DataFrame, axes=("accent", "condition")) -> None:
    cells = matrix.to_frame().set_index(list(axes))
    assert (cells.loc[expected.index, UNITS] == expected[UNITS]).all(axis=None)
    # durations are summed in whole nanoseconds
    np.testing.assert_allclose(cells.loc[expected.index, "minutes"], expected["minutes"], atol=1e-9)
    rest = cells.drop(expected.index)
    assert (rest["renders"] == 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_counts_equal_a_crosstab(random_rows, seed):
    rows = random_rows(seed)
    matrix = CoverageMatrix(rows)
    assert_equal_counts(matrix, plain_counts(rows))
    table = pd.crosstab(rows["accent"], rows["condition"])
    assert (
        matrix.to_frame().pivot(index="accent", columns="condition", values="renders").loc[table.index, table.columns]
        == table
    ).all(axis=None)


def test_counts_of_a_folder_in_many_batches_are_the_same(random_rows, write_set, tmp_path, monkeypatch):
    rows = random_rows(5)
    write_set(tmp_path, rows, per_part=23)
    monkeypatch.setattr(source_module, "BATCH_ROWS", 60)
    matrix = CoverageMatrix(tmp_path)
    # utterances lie in several batches here, which the fast path must notice
    assert_equal_counts(matrix, plain_counts(rows))
    assets = rows.groupby(["accent", "condition"]).agg({"noise_asset": "nunique", "room_asset": "nunique"}).sum(axis=1)
    assert (matrix.to_frame().set_index(["accent", "condition"])["assets"].loc[assets.index] == assets).all()


def test_counts_of_whole_utterances_in_batches(random_rows, write_set, tmp_path, monkeypatch):
    rows = random_rows(6).sort_values("utterance_id", ignore_index=True)
    rows["condition"] = [f"c{i % 3}" for i in rows.groupby("utterance_id").cumcount()]
    folder = tmp_path / "set"
    for i, (_, group) in enumerate(rows.groupby(rows["utterance_id"].str[:2])):
        write_set(tmp_path / f"{i}", group, per_part=1000)
        (folder / "manifest").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{i}/manifest/part-00000.parquet").rename(folder / f"manifest/part-{i:05d}.parquet")
    monkeypatch.setattr(source_module, "BATCH_ROWS", 1)
    assert_equal_counts(CoverageMatrix(folder), plain_counts(rows))


@given(
    st.lists(
        st.tuples(
            st.integers(0, 8), st.integers(0, 3), st.sampled_from("ab"), st.sampled_from("xyz"), st.integers(0, 2)
        ),
        min_size=1,
    )
)
@SLOW_OK
def test_counts_of_any_table(drawn):
    """Even where an utterance has two speakers, utterances and speakers are what `nunique` says."""
    rows = pd.DataFrame(drawn, columns=["utterance_id", "speaker", "accent", "condition", "replicate"]).astype(str)
    rows["sample_id"] = [str(i) for i in range(len(rows))]
    rows["words"], rows["duration_s"] = 2, 1.5
    assert_equal_counts(CoverageMatrix(rows), plain_counts(rows))


def test_a_second_replicate_is_no_further_utterance(rows_of):
    rows = rows_of({("us", "gsm"): 2})
    again = rows.assign(sample_id=["t0", "t1"])
    cell = CoverageMatrix(pd.concat([rows, again])).to_frame().iloc[0]
    assert (cell["renders"], cell["utterances"], cell["speakers"]) == (4, 2, 2)
    assert cell["words_effective"] == pytest.approx(CoverageMatrix(rows).to_frame().iloc[0]["words_effective"])


def test_reading_a_set_twice_changes_nothing_and_order_neither(random_rows, write_set, tmp_path):
    one, two = random_rows(1, 80), random_rows(2, 80)
    both = pd.concat([one, two.iloc[:40]])
    a, b = write_set(tmp_path / "a", both), write_set(tmp_path / "b", two)
    expected = CoverageMatrix(pd.concat([one, two])).to_frame()
    for sets in ([a, b], [b, a], [a, b, a]):
        pd.testing.assert_frame_equal(CoverageMatrix(sets).to_frame(), expected)
    pd.testing.assert_frame_equal(CoverageMatrix([a, a]).to_frame(), CoverageMatrix(a).to_frame())


@given(st.integers(0, 50), st.integers(1, 100))
@SLOW_OK
def test_coverage_is_monotone_in_added_samples(random_rows, seed, kept):
    rows = random_rows(seed, 120)
    goals = {"default": {"utterances": 4, "speakers": 3, "minutes": 0.2}}
    levels = {axis: sorted(rows[axis].unique()) for axis in ("accent", "condition")}
    less = CoverageMatrix(rows.iloc[:kept], goals=goals, levels=levels)
    more = CoverageMatrix(rows, goals=goals, levels=levels)
    for column in ["renders", "utterances", "speakers", "assets", "minutes", "words", "covered_share"]:
        before, after = less.to_frame()[column], more.to_frame()[column]
        # a cell in which nobody states speakers has an unknown number of them
        assert ((after >= before) | before.isna()).all(), column
        assert (before[less.to_frame()["renders"] == 0] == 0).all(), column
    assert more.figures.covered >= less.figures.covered
    assert more.t_way(1, factors=["condition"]).seen >= less.t_way(1, factors=["condition"]).seen


def test_a_multi_accent_speaker_counts_once_in_each_accent(rows_of):
    """After cocotb-coverage's divisor bins: 17 falls in bins 1 and 17, and hits each once."""
    rows = rows_of([("1|17", "n"), ("1|2|3|5|5", "n"), ("1|7|11", "n")])
    cells = CoverageMatrix(rows).to_frame().set_index("accent")["renders"]
    assert cells.to_dict() == {"1": 3, "2": 1, "3": 1, "5": 1, "7": 1, "11": 1, "17": 1}


def test_numbers_fall_in_bins_with_a_closed_last_edge(rows_of):
    rows = rows_of([("us", "a")] * 8)
    rows["snr_db"] = [-1.0, 0.0, 4.999, 5.0, 10.0, 20.0, 20.5, None]
    frame = CoverageMatrix(rows, axes=["accent", {"snr_db": [0, 5, 10, 20, 30]}]).to_frame()
    assert frame.set_index("snr_db")["renders"].to_dict() == {
        "none": 1,
        "<0": 1,
        "0..5": 2,
        "5..10": 1,
        "10..20": 1,
        "20..30": 2,
    }
    edges = CoverageMatrix(rows, axes={"snr_db": [0, 20]}).to_frame().set_index("snr_db")["renders"]
    assert edges.to_dict() == {"none": 1, "<0": 1, "0..20": 5, ">20": 1}
    assert Axis("x", (0.0, 20.0)).bins() == ["0..20"]


def test_what_nobody_stated_has_no_goal(rows_of):
    rows = rows_of({("us", "clean"): 1})
    rows.loc[1] = rows.loc[0].to_dict() | {"sample_id": "x", "accent": None}
    frame = CoverageMatrix(rows).to_frame().set_index("accent")
    assert frame.loc["(not stated)", "renders"] == 1
    assert frame.loc["(not stated)", "status"] == "no goal"


def test_goals_by_rule_margin_weight_and_level(rows_of):
    rows = rows_of({("us", "clean"): 3, ("us", "gsm"): 1, ("scottish", "clean"): 2})
    goals = {
        "default": {"renders": 2},
        "cells": [{"accent": "scottish", "speakers": 4}, {"condition": ["gsm", "x*"], "renders": 1, "weight": 3}],
        "margins": [{"axis": "accent", "speakers": 3}],
        "weights": {"accent": {"us": 2, "*": 0.5}},
        "ignore": [{"accent": "scottish", "condition": "x1"}],
        "levels": {"condition": ["x1"]},
    }
    matrix = CoverageMatrix(rows, goals=goals)
    frame = matrix.to_frame().set_index(["accent", "condition"])
    assert frame["status"].to_dict() == {
        ("scottish", "clean"): "partial",
        ("scottish", "gsm"): "empty",
        ("scottish", "x1"): "ignored",
        ("us", "clean"): "covered",
        ("us", "gsm"): "covered",
        ("us", "x1"): "empty",
    }
    assert frame.loc[("us", "gsm"), "weight"] == 6
    assert frame.loc[("scottish", "clean"), ["goal_renders", "goal_speakers", "weight"]].tolist() == [2, 4, 0.5]
    margins = matrix.margins().set_index("value")
    assert margins["status"].to_dict() == {"scottish": "partial", "us": "covered"}
    assert matrix.figures.margins == (2, 1)
    assert not matrix.figures.all_covered


def test_illegal_samples_are_counted_on_axes_and_on_other_columns(rows_of):
    rows = rows_of({("us", "mri"): 2, ("us", "clean"): 1})
    rows["room"] = ["car", "ward", None]
    goals = {"illegal": [{"accent": "us", "condition": "mri"}]}
    assert CoverageMatrix(rows, goals=goals).figures.illegal == 2
    assert CoverageMatrix(rows, goals={"illegal": [{"room": "c*", "condition": "mri"}]}).figures.illegal == 1


def test_a_table_of_recordings_stands_beside_a_set(rows_of, write_set, tmp_path):
    folder = write_set(tmp_path / "set", rows_of({("us", "gsm"): 1}))
    table = tmp_path / "field.csv"
    table.write_text("audio,text,speaker,accent\na.wav,hello there,p1,us\nb.wav,hi,p2,scottish\n")
    frame = CoverageMatrix([folder, table]).to_frame().set_index(["accent", "condition"])
    assert frame["renders"].to_dict() == {
        ("scottish", "recorded"): 1,
        ("scottish", "gsm"): 0,
        ("us", "recorded"): 1,
        ("us", "gsm"): 1,
    }
    assert frame.loc[("us", "recorded"), "words"] == 2


def test_holes_are_split_into_rendering_and_recording(rows_of):
    rows = rows_of({("us", "clean"): 4, ("us", "gsm"): 1, ("scottish", "clean"): 1})
    matrix = CoverageMatrix(rows, goals={"default": {"utterances": 3, "speakers": 2}})
    holes = matrix.holes().set_index(["accent", "condition"])
    assert holes["closable"].to_dict() == {
        ("scottish", "gsm"): False,
        ("us", "gsm"): True,
        ("scottish", "clean"): False,
    }
    assert holes.loc[
        ("scottish", "clean"), ["missing_utterances", "record_utterances", "record_speakers"]
    ].tolist() == [2, 2, 1]
    assert holes.loc[("us", "gsm"), ["missing_utterances", "record_utterances"]].tolist() == [2, 0]
    speech = pd.DataFrame(
        {"utterance_id": list("abc"), "speaker": list("xyz"), "accent": "scottish", "words": 3, "duration_s": 1.0}
    )
    assert matrix.holes(clean=speech).set_index(["accent", "condition"]).loc[("scottish", "gsm"), "closable"]


def test_to_xarray_has_one_dimension_an_axis(random_rows):
    pytest.importorskip("xarray")
    rows = random_rows(3).assign(room="ward")
    data = CoverageMatrix(rows, axes=("accent", "condition", "room")).to_xarray()
    assert dict(data.sizes) == {"accent": 3, "condition": 3, "room": 1}
    assert int(data["renders"].sum()) == len(rows)
    assert int(data["renders"].sel(accent="us", room="ward").sum()) == (rows["accent"] == "us").sum()


def test_samples_of_a_cell(random_rows, write_set, tmp_path):
    rows = random_rows(4)
    write_set(tmp_path, rows)
    found = CoverageMatrix(tmp_path).samples(accent="us", condition="gsm", limit=1000)
    expected = rows[(rows["accent"] == "us") & (rows["condition"] == "gsm")]["sample_id"]
    assert sorted(found["sample_id"]) == sorted(expected)
    with pytest.raises(RoomtoneError, match="check accent"):
        CoverageMatrix(tmp_path).samples(condition="gsm")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"axes": ["acent"]}, "did you mean 'accent'"),
        ({"axes": []}, "expected 1 to 6 axes, got 0"),
        ({"axes": ["accent", "accent"]}, "named twice"),
        ({"axes": [{"words": [5, 1]}]}, "must be at least two and rise"),
        ({"goals": {"defualt": {}}}, "did you mean 'default'"),
        ({"goals": {"default": {"speaker": 3}}}, "did you mean 'speakers'"),
        ({"goals": {"default": {"speakers": 2.5}}}, "expected a whole number"),
        ({"goals": {"default": {"speakers": -1}}}, "non-negative number, got -1"),
        ({"goals": {"default": {"power": 0.8}}}, "belongs to 'detect'"),
        (
            {"goals": {"cells": [{"acent": "us", "renders": 1}]}},
            "'acent' is neither an axis nor a column; did you mean 'accent'",
        ),
        ({"goals": {"cells": {"accent": "us"}}}, "expected a list of mappings"),
        ({"goals": {"margins": [{"speakers": 3}]}}, "the key 'axis' is missing"),
        ({"goals": {"weights": {"accent": 3}}}, "expected {axis: {value: weight}}"),
        ({"goals": {"rho": 3}}, "lies in 0 to 1, got 3"),
    ],
)
def test_slips_are_named(rows_of, arguments, message):
    with pytest.raises(RoomtoneError, match=message):
        CoverageMatrix(rows_of({("us", "clean"): 1}), **arguments)


def test_a_set_and_its_frame_agree(random_rows, write_set, tmp_path):
    write_set(tmp_path, random_rows(9))
    pd.testing.assert_frame_equal(
        CoverageMatrix(tmp_path).to_frame(), CoverageMatrix(read_manifest(tmp_path)).to_frame()
    )
