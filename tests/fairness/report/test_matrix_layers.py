"""A comparison on the matrix component: cells as they are, margins as the comparison has them or as plain means."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from roomtone.coverage.views.matrix_view import Factor
from roomtone.fairness.report.matrix import comparison_data
from roomtone.fairness.report.matrix_layers import evaluation_layers

SETTINGS = {"group": "accent", "condition": "condition", "baseline": "clean"}
ROWS, COLUMNS = ["a", "b"], ["clean", "ward", "ward+gsm"]
FACTORS = [Factor("room", ["none", "ward"], [0, 1, 1]), Factor("handset", ["none", "gsm"], [0, 0, 1])]


@pytest.fixture
def comparison() -> SimpleNamespace:
    """Two accents in three conditions; `b` was not heard in ward, and two speakers of `a` are few."""
    rows = [
        ("a", "clean", 4, 0, 0, 100, 2), ("a", "ward", 10, 10, 4, 100, 2), ("a", "ward+gsm", 20, 20, 0, 80, 2),
        ("b", "clean", 10, 0, 2, 100, 5), ("b", "ward+gsm", 30, 10, 8, 120, 5),
    ]  # fmt: skip
    cells = pd.DataFrame(
        rows, columns=["accent", "condition", "substitutions", "deletions", "insertions", "words", "speakers"]
    )
    cells["errors"] = cells[["substitutions", "deletions", "insertions"]].sum(axis=1)
    cells["wer"] = cells["errors"] / cells["words"]
    cells = cells.assign(wer_low=cells["wer"] - 0.01, wer_high=cells["wer"] + 0.03)
    gaps = pd.DataFrame(
        {"accent": ["a", "b", "b"], "condition": ["clean", "clean", "ward+gsm"], "gap": [-0.08, 0.08, 0.1], "did": [np.nan, np.nan, -0.2],
         "verdict": ["gap", "gap", "gap"], "statement": ["s0", "s1", "s2"], "speakers_needed": [np.nan, np.nan, np.nan], "speakers": [2, 5, 5],
         "reference": "all others", "reference_speakers": [10, 7, 7]}
    )  # fmt: skip
    return SimpleNamespace(cells=cells, gaps=gaps, settings=SETTINGS)


def fields(comparison, name: str) -> dict:
    layers = evaluation_layers(comparison, ROWS, COLUMNS, FACTORS)
    return {key: table.to_json() for key, table in next(one for one in layers if one.id == name).fields.items()}


def test_lost_and_invented_stand_apart(comparison):
    assert fields(comparison, "lost")["value"]["cells"] == [0.04, 0.2, 0.5, 0.1, None, pytest.approx(1 / 3, abs=1e-6)]
    assert fields(comparison, "invented")["value"]["cells"] == pytest.approx(
        [0, 0.04, 0, 0.02, None, 8 / 120], abs=1e-6
    )


def test_margins_are_means_in_which_cells_weigh_equally(comparison):
    value = fields(comparison, "lost")["value"]
    assert value["rows"] == pytest.approx([(0.04 + 0.2 + 0.5) / 3, (0.1 + 1 / 3) / 2], abs=1e-6)
    assert value["columns"] == pytest.approx([0.07, 0.2, (0.5 + 1 / 3) / 2], abs=1e-6)
    assert value["levels"][0] == pytest.approx([0.04, 0.35, 0.1, 1 / 3], abs=1e-6)  # a: none, ward; b: none, ward
    assert value["level_totals"][0] == pytest.approx([0.07, (0.35 + 1 / 3) / 2], abs=1e-6)
    assert value["all"] == pytest.approx(np.mean(value["rows"]), abs=1e-6)


def test_few_speakers_are_thin_and_cost_is_against_clean(comparison):
    assert fields(comparison, "wer")["thin"]["cells"] == [True, True, True, False, False, False]
    cost = fields(comparison, "cost")["value"]
    assert cost["cells"] == pytest.approx([None, 0.2, 0.46, None, None, 48 / 120 - 0.12], abs=1e-6)
    assert cost["rows"] == pytest.approx([0.33, 0.28], abs=1e-6)
    assert fields(comparison, "width")["value"]["cells"][0] == pytest.approx(0.04)


def test_a_gap_says_who_is_worse_off(comparison):
    """In clean by the gap itself, elsewhere by what the condition costs beyond the others."""
    found = fields(comparison, "verdict")
    assert found["value"]["cells"] == ["better", None, None, "worse", None, "better"]
    assert found["size"]["cells"] == [-0.08, None, None, 0.08, None, -0.2]
    assert "rows" not in found["value"]  # nobody has judged the accents over all conditions


def test_the_comparisons_own_margins_win(comparison):
    comparison.accents = pd.DataFrame(
        {"accent": ROWS, "wer": [0.31, 0.22], "wer_low": [0.2, 0.1], "wer_high": [0.4, 0.3], "lost": [0.3, 0.2], "cost": [0.1, 0.05],
         "gap": [0.09, -0.09], "did": [0.5, 0.5], "verdict": ["gap", "gap"]}
    )  # fmt: skip
    comparison.levels = pd.DataFrame(
        {"accent": ["a", "b"], "factor": "room", "level": "ward", "wer": [0.4, 0.35], "gap": [0.05, -0.05], "did": [0.2, -0.2],
         "verdict": ["not_enough_data", "gap"]}
    )  # fmt: skip
    assert fields(comparison, "wer")["value"]["rows"] == [0.31, 0.22]
    assert fields(comparison, "wer")["low"]["rows"] == [0.2, 0.1]
    assert fields(comparison, "lost")["value"]["rows"] == [0.3, 0.2]
    assert fields(comparison, "cost")["value"]["rows"] == [0.1, 0.05]
    assert fields(comparison, "wer")["value"]["levels"][0][1] == 0.4  # a in ward
    verdict = fields(comparison, "verdict")
    assert verdict["value"]["rows"] == ["worse", "better"]
    assert verdict["value"]["levels"][0] == [None, "not_enough_data", None, "better"]


def test_a_notebook_groups_conditions_by_the_levels_that_the_comparison_knows(comparison):
    assert [f.name for f in comparison_data(comparison).factors] == ["condition"]
    comparison.levels = pd.DataFrame(
        {
            "accent": "a",
            "factor": ["room", "handset"],
            "level": ["ward", "gsm"],
            "wer": 0.1,
            "gap": 0.0,
            "did": 0.0,
            "verdict": "no_gap",
        }
    )
    data = comparison_data(comparison).to_json()
    assert [(f["name"], f["levels"], f["at"]) for f in data["columns"]["factors"]] == [
        ("room", ["none", "ward"], [0, 1, 1]),
        ("handset", ["none", "gsm"], [0, 0, 1]),
    ]
    assert data["sentences"] == ["s0", None, None, "s1", None, "s2"]


def test_next_steps_begin_with_the_finding_that_the_headline_tells(comparison):
    comparison.gaps = comparison.gaps.assign(
        verdict=["not_enough_data", "not_enough_data", "gap"],
        speakers_needed=[9, 30, np.nan],
        reference_speakers=[5, 2, 2],
    )
    texts = [step.text for step in comparison_data(comparison).steps]
    assert texts[0] == "a: about 9 speakers in all (2 now) would decide the comparison in clean."
    comparison.findings = pd.DataFrame({"table": ["gaps"], "worse_off": [True], "statement": ["s2"]})
    texts = [step.text for step in comparison_data(comparison).steps]
    assert texts[0].startswith("b: about 20 speakers in all (5 now) and 8 of ")
    assert len(texts) == 3
