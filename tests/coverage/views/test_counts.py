"""The component's numbers against counts made another way: pandas on the rows themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from roomtone.coverage import CoverageMatrix
from roomtone.coverage.counting.source import open_source
from roomtone.coverage.power import effective_size, minimum_detectable_gap
from roomtone.coverage.views.matrix_view import coverage_data
from roomtone.coverage.views.matrix_view.layout import UNKNOWN_LEVEL, lay_out
from roomtone.coverage.views.matrix_view.sample_choice import chosen_samples

GOALS = {"default": {"utterances": 6, "speakers": 3}, "ignore": [{"accent": "us", "condition": "ward"}]}


def data_of(rows: pd.DataFrame, **options):
    """Return the contract's JSON of rows, and the matrix."""
    matrix = CoverageMatrix(rows, **options)
    return coverage_data(matrix.grid, matrix.source, name="set", holes=matrix.holes()).to_json(), matrix


def layer(data: dict, name: str) -> dict:
    """Return a layer by its id."""
    return next(one for one in data["layers"] if one["id"] == name)


def exploded(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with one row for each accent of a speaker of several."""
    return rows.assign(accent=rows["accent"].str.split("|")).explode("accent")


COUNT = {
    "renders": ("sample_id", "size"),
    "utterances": ("utterance_id", "nunique"),
    "speakers": ("speaker", "nunique"),
}


@pytest.mark.parametrize("unit", ["renders", "utterances", "speakers", "minutes"])
def test_every_margin_is_counted_for_itself(sound_rows, unit):
    """Speakers of two cells are not their sum, and a speaker of two accents counts once where accents are summed over."""
    rows = sound_rows(["us", "scottish", "irish"], without={(0, 2), (2, 5)})
    rows.loc[rows["speaker"] == "us-speaker-1", "accent"] = "us|irish"
    rows.loc[::17, "speaker"] = None
    data, _ = data_of(rows)
    table = layer(data, unit)["fields"]["value"]
    names, factors = data["rows"]["names"], data["columns"]["factors"]

    def counted(part: pd.DataFrame) -> float:
        if unit == "minutes":
            return part["duration_s"].sum() / 60
        column, how = COUNT[unit]
        return float(getattr(part[column], how) if how == "size" else part[column].nunique())

    flat = exploded(rows)
    for r, accent in enumerate(names):
        mine = flat[flat["accent"] == accent]
        assert table["rows"][r] == pytest.approx(counted(mine), abs=1e-6)
        for f, factor in enumerate(factors):
            for i, level in enumerate(factor["levels"]):
                found = table["levels"][f][r * len(factor["levels"]) + i]
                assert found == pytest.approx(counted(mine[mine[factor["name"]] == level]), abs=1e-6)
    for c, condition in enumerate(data["columns"]["names"]):
        assert table["columns"][c] == pytest.approx(counted(rows[rows["condition"] == condition]), abs=1e-6)
    for f, factor in enumerate(factors):
        for i, level in enumerate(factor["levels"]):
            assert table["level_totals"][f][i] == pytest.approx(counted(rows[rows[factor["name"]] == level]), abs=1e-6)
    assert table["all"] == pytest.approx(counted(rows), abs=1e-6)


def test_cells_and_statuses_are_those_of_the_frame(sound_rows):
    data, matrix = data_of(sound_rows(["us", "scottish"], without={(1, 3)}), goals=GOALS)
    frame = matrix.to_frame()
    for unit in ("renders", "utterances", "speakers"):
        assert layer(data, unit)["fields"]["value"]["cells"] == frame[unit].tolist()
    letters = {"c": "covered", "p": "partial", "e": "empty", "i": "ignored"}
    assert [letters[sign] for sign in data["statuses"]] == frame["status"].tolist()
    assert set(data["statuses"]) == {"c", "e", "i"}
    share = frame["covered_share"].to_numpy(float)
    assert np.allclose(
        [np.nan if v is None else v for v in layer(data, "share")["fields"]["value"]["cells"]], share, equal_nan=True
    )


def test_conditions_have_their_factors(sound_rows, conditions):
    data, _ = data_of(sound_rows(["us"]))
    names, factors = data["columns"]["names"], data["columns"]["factors"]
    assert [f["name"] for f in factors] == ["room", "noise", "equipment", "handset"]
    for levels in conditions:
        name = "+".join(level for level in levels.values() if level != "none") or "clean"
        column = names.index(name)
        assert {f["name"]: f["levels"][f["at"][column]] for f in factors} == levels
    assert all(f["levels"][0] == "none" for f in factors)
    assert data["baseline"] == names.index("clean")


def test_a_condition_that_nobody_rendered_is_read_from_its_name(sound_rows):
    declared = ["ward+babble@10dB+mri_epi@10dB+gsm", "submarine+gsm"]
    data, _ = data_of(sound_rows(["us"]), levels={"condition": declared})
    columns = data["columns"]
    found = {
        name: [
            f["levels"][f["at"][columns["names"].index(name)]] for f in columns["factors"] if f["name"] != "condition"
        ]
        for name in declared
    }
    assert found[declared[0]] == ["ward", "babble@10dB", "mri_epi@10dB", "gsm"]
    assert set(found[declared[1]]) == {UNKNOWN_LEVEL}


@pytest.mark.parametrize(
    ("axes", "columns", "factors"),
    [
        (("accent",), ["all"], ["set"]),
        (("accent", "handset"), ["none", "gsm", "landline_mulaw", "smartphone_near"], ["handset"]),
        (("accent", "handset", "room"), 12, ["handset", "room"]),
        (("accent", {"duration_s": [0, 0.55, 1]}), ["0..0.55", "0.55..1"], ["duration_s"]),
    ],
)
def test_any_axes_become_rows_columns_and_header(sound_rows, axes, columns, factors):
    rows = sound_rows(["us", "scottish"])
    data, matrix = data_of(rows, axes=axes)
    assert [f["name"] for f in data["columns"]["factors"]] == factors
    names = data["columns"]["names"]
    assert (names == columns) if isinstance(columns, list) else (len(names) == columns)
    table = layer(data, "renders")["fields"]["value"]
    assert table["cells"] == matrix.to_frame()["renders"].tolist()
    assert table["rows"] == [len(rows[rows["accent"] == name]) for name in data["rows"]["names"]]
    assert table["all"] == len(rows)


def test_what_a_cell_could_show_follows_from_its_speakers_words(sound_rows):
    """48 words of four speakers here and as many there, with the design effect of `power.py`."""
    data, _ = data_of(sound_rows(["us", "scottish"]))
    words = effective_size([12.0] * 4, 0.03)
    expected = minimum_detectable_gap(0.10, words, words)
    assert layer(data, "power")["fields"]["value"]["cells"] == pytest.approx([expected] * 14, abs=1e-6)


def test_samples_take_turns_over_speakers(sound_rows):
    rows = sound_rows(["us", "scottish"])
    with open_source(rows) as opened:
        axes = CoverageMatrix(rows).grid.axes
        few = chosen_samples(opened, axes, [], per_cell=4, seed=1)
        more = chosen_samples(opened, axes, [], per_cell=7, seed=1)
        again = chosen_samples(opened, axes, [], per_cell=4, seed=1)
        other = chosen_samples(opened, axes, [], per_cell=4, seed=2)
    assert (few.groupby(["axis_0", "axis_1"])["speaker"].nunique() == 4).all()
    assert (more.groupby(["axis_0", "axis_1"]).size() == 7).all()
    assert set(few["sample_id"]) < set(more["sample_id"])  # a longer list keeps the shorter one
    pd.testing.assert_frame_equal(few, again)
    assert set(few["sample_id"]) != set(other["sample_id"])


def test_three_accents_on_the_factors_of_a_real_grid(sound_rows):
    rows = sound_rows(["us", "scottish", "irish"])
    matrix = CoverageMatrix(rows)
    with open_source(rows) as opened:
        layout = lay_out(matrix.grid, opened)
    assert layout.row_names == ("irish", "scottish", "us")
    assert layout.column_names == list(matrix.levels["condition"])
