"""The inside of cells and what lies between them, against counts by pandas and by hand."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from roomtone.coverage import (
    CoverageMatrix,
    RoomtoneError,
    cell_balance,
    cell_distributions,
    never_said,
    planned_and_achieved,
    shared_speakers,
    trend,
)
from roomtone.coverage.counting.source import open_source
from roomtone.coverage.holes.hole_owners import holes_with_notes
from roomtone.coverage.profile.balance import check_balance, parse_balance
from roomtone.coverage.profile.overlap import leaked
from roomtone.coverage.profile.profile_report import profile_report
from roomtone.coverage.profile.profile_settings import ProfileSettings
from roomtone.coverage.report.ci_gates import GateThresholds


@pytest.fixture
def measured(random_rows):
    """Return rows with a measured SNR that some lack, a gender that some state, and splits."""
    rng = np.random.default_rng(3)
    rows = random_rows(4, 240)
    rows["measured_snr_db"] = np.where(rng.random(240) < 0.2, np.nan, rng.normal(8, 4, 240).round(2))
    number = rows["utterance_id"].str[1:].astype(int) % 13
    rows["attr_gender"] = number.map(lambda i: [None, "female", "male", "male"][i % 4])
    rows["split"] = np.where(number < 8, "train", np.where(number < 10, "dev", "test"))
    return rows


def test_the_spread_of_a_number_in_each_cell_is_what_numpy_says(measured):
    found = cell_distributions(CoverageMatrix(measured), "measured_snr_db").set_index(["accent", "condition"])
    cells = measured.groupby(["accent", "condition"])["measured_snr_db"]
    assert len(found) == len(cells)
    for key, numbers in cells:
        own, row = numbers.dropna(), found.loc[key]
        assert (row["count"], row["unstated"]) == (len(own), len(numbers) - len(own))
        for name, share in (("q05", 5), ("q25", 25), ("q50", 50), ("q75", 75), ("q95", 95)):
            assert row[name] == pytest.approx(np.percentile(own, share))
        assert (row["min"], row["max"], row["mean"]) == pytest.approx((own.min(), own.max(), own.mean()))
        edges = np.array(row["edges"])
        assert row["histogram"] == np.histogram(own, edges)[0].tolist()
        assert (edges[0], edges[-1]) == (measured["measured_snr_db"].min(), measured["measured_snr_db"].max())


def test_a_column_without_numbers_has_no_spread(measured):
    with pytest.raises(RoomtoneError, match="'speaker' holds no number"):
        cell_distributions(CoverageMatrix(measured), "speaker")
    with pytest.raises(RoomtoneError, match="no column 'measured_snr'; did you mean 'measured_snr_db'"):
        cell_distributions(CoverageMatrix(measured), "measured_snr")


def test_balance_is_the_share_of_distinct_speakers_who_state_it(measured):
    matrix = CoverageMatrix(measured)
    found = cell_balance(matrix, "attr_gender").set_index(["accent", "condition", "value"])
    for (accent, condition), rows in measured.dropna(subset="speaker").groupby(["accent", "condition"]):
        speakers = rows.groupby("attr_gender")["speaker"].nunique()
        for value, count in speakers.items():
            assert found.loc[(accent, condition, value), "speakers"] == count
            assert found.loc[(accent, condition, value), "share"] == pytest.approx(count / speakers.sum())
        silent = rows.loc[rows["attr_gender"].isna(), "speaker"].nunique()
        if silent:
            assert found.loc[(accent, condition, "(not stated)"), "speakers"] == silent
    (goal,) = parse_balance([{"attr_gender": ["female"], "least": 0.4}])
    with open_source(matrix.source) as opened:
        checked = check_balance(opened, matrix.axis_definitions, goal)
    for row in checked.itertuples():
        women = found["share"].get((row.accent, row.condition, "female"), 0.0)
        assert row.share == pytest.approx(women)
        assert row.met == (women >= 0.4)


def test_a_cell_where_nobody_states_the_attribute_meets_no_goal(rows_of):
    rows = rows_of([("us", "a"), ("irish", "a")]).assign(attr_gender=["female", None])
    (goal,) = parse_balance([{"attr_gender": "female", "least": 0}])
    matrix = CoverageMatrix(rows)
    with open_source(matrix.source) as opened:
        checked = check_balance(opened, matrix.axis_definitions, goal).set_index("accent")
    assert checked["met"].to_dict() == {"irish": False, "us": True}
    assert np.isnan(checked.loc["irish", "share"])


@pytest.mark.parametrize("wrong", ["x", [{"least": 1}], [{"a": "b", "least": 2}], [{"a": "b", "c": "d", "least": 0.5}]])
def test_goals_of_balance_that_are_none_are_refused(wrong):
    with pytest.raises(RoomtoneError, match="balance"):
        parse_balance(wrong)


@pytest.mark.parametrize("unit", ["speaker", "utterance_id"])
def test_who_is_shared_between_cells_and_splits(measured, unit):
    matrix = CoverageMatrix(measured, axes=["condition"])
    for square, column in (
        (shared_speakers(matrix, unit=unit), "condition"),
        (shared_speakers(matrix, "split", unit=unit), "split"),
    ):
        members = measured.groupby(column)[unit].agg(lambda names: set(names.dropna()))
        for a in members.index:
            for b in members.index:
                assert square.loc[a, b] == len(members[a] & members[b])
    assert leaked(shared_speakers(matrix, "split")) == []
    mixed = measured.assign(split=np.where(measured.index % 2, "a", "b"))
    (pair,) = leaked(shared_speakers(CoverageMatrix(mixed), "split"))
    for rows, title in ((measured, "No speaker is in two splits"), (mixed, "Speakers that two splits share")):
        report = profile_report(CoverageMatrix(rows), ProfileSettings(splits="split"), GateThresholds())
        square = report.shown[title].drop(columns="split").to_numpy()
        assert all((square[i, i] == "–") and (np.delete(square[i], i) != "–").all() for i in range(len(square)))
    assert pair[2] > 5


CMU = ";;; dictionary\nthe  DH AH0\nthe(1)  DH IY0\nrun  R AH1 N\nhere  HH IY1 R\nzoo  Z UW1\n"


def test_words_and_phonemes_that_an_accent_never_says(rows_of, tmp_path):
    rows = rows_of([("us", "a"), ("us", "b"), ("us", "a"), ("us", "a"), ("irish", "a"), ("irish|us", "a")])
    rows["text"] = ["Run, the ZOO!", "run the zoo", "the zoo", "The zoo.", "here", "run here, unknown"]
    rows["utterance_id"] = ["u0", "u0", "u2", "u3", "u4", "u5"]  # the second row is a copy of the first
    found = never_said(CoverageMatrix(rows))
    rows_found = {tuple(row) for row in found.itertuples(index=False)}
    assert rows_found == {("irish", "word", "the", 3), ("irish", "word", "zoo", 3)}
    (tmp_path / "cmu.dict").write_text(CMU)
    found = never_said(CoverageMatrix(rows), dictionary=str(tmp_path / "cmu.dict"))
    phonemes = found[found["kind"] == "phoneme"]
    assert dict(zip(phonemes["item"], phonemes["said_by_others"])) == {"DH": 3, "Z": 3, "UW": 3}
    assert found.attrs["words_without_pronunciation"] == 1  # "unknown"
    with pytest.raises(RoomtoneError, match="cannot be read"):
        never_said(CoverageMatrix(rows), dictionary=str(tmp_path / "none.dict"))


@pytest.mark.skipif(not (shutil.which("espeak-ng") or shutil.which("espeak")), reason="espeak-ng is not installed")
def test_espeak_gives_the_phonemes_of_any_word(rows_of):
    rows = rows_of([("us", "a"), ("irish", "a")]).assign(text=["the zoo", "run"])
    found = never_said(CoverageMatrix(rows), dictionary="espeak")
    phonemes = found[found["kind"] == "phoneme"].groupby("accent")["item"].agg(set)
    assert "z" in phonemes["irish"]
    assert any(symbol in phonemes["us"] for symbol in ("ɹ", "r"))


def test_planned_against_achieved(rows_of, write_set, tmp_path):
    rows = rows_of({("us", "a"): 3, ("us", "b"): 1, ("irish", "a"): 2})
    folder = write_set(tmp_path / "set", rows)
    lost = [
        ("u0", "b", "level missed"),
        ("u1", "b", "level missed"),
        ("u2", "b", "decoder died"),
        ("u9", "b", "not read"),
    ]
    (folder / "rejected").mkdir()
    lines = [json.dumps({"utterance_id": u, "condition": c, "reason": r}) for u, c, r in lost]
    (folder / "rejected" / "part-00000.jsonl").write_text("\n".join(lines))
    found = planned_and_achieved(CoverageMatrix(folder)).set_index(["accent", "condition"])
    assert found.loc[("us", "b"), ["planned", "rendered", "rejected", "reason"]].tolist() == [4, 1, 3, "level missed"]
    assert found.loc[("irish", "a"), ["planned", "rendered", "rejected"]].tolist() == [2, 2, 0]
    # of an utterance that no sample came of nobody knows the accent
    assert found["rejected"].sum() == 4
    with pytest.raises(RoomtoneError, match="is not one dataset folder"):
        planned_and_achieved(CoverageMatrix(rows))


def test_the_trend_over_several_reports(rows_of):
    goals = {"default": {"renders": 2}}
    sets = [{("us", "a"): 1, ("us", "b"): 1}, {("us", "a"): 2, ("us", "b"): 1}, {("us", "a"): 2, ("us", "b"): 2}]
    frames = [(name, CoverageMatrix(rows_of(cells), goals=goals).to_frame()) for name, cells in zip("abc", sets)]
    found = trend(frames)
    assert found["covered"].tolist() == [0, 1, 2]
    assert found["share"].tolist() == [0, 0.5, 1]
    assert found["renders"].tolist() == [2, 3, 4]


def test_owner_and_note_of_a_hole_are_carried_on(rows_of, tmp_path):
    goals = {"default": {"renders": 2}}
    path = tmp_path / "holes.yaml"
    matrix = CoverageMatrix(rows_of([("us", "a"), ("irish", "b")]), goals=goals)
    assert holes_with_notes(matrix, path)["owner"].isna().all()
    assert path.read_text().startswith("# Who looks after which hole")
    path.write_text(
        '- {accent: irish, owner: Ann}\n- {accent: irish, condition: "b*", owner: Bob, note: booked}\n- {noise: x}\n'
    )
    with pytest.raises(RoomtoneError, match="holes.yaml, entry 3: 'noise' is neither an axis nor a column"):
        holes_with_notes(matrix, path)
    wider = CoverageMatrix(rows_of([("us", "a"), ("irish", "b")]).assign(noise="x"), goals=goals)
    holes = holes_with_notes(wider, path).set_index(["accent", "condition"])
    assert holes["owner"].get(("irish", "a")) == "Ann"
    assert holes.loc[("irish", "b"), ["owner", "note"]].tolist() == ["Bob", "booked"]
    assert pd.isna(holes.loc[("us", "a"), "owner"])
