"""The report's pictures and first sentences, from tables whose answers are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from roomtone.fairness.report.charts import HEIGHT, WIDTH, axis_top, ranked_groups, snr_charts, speaker_points
from roomtone.fairness.report.formatting import sign
from roomtone.fairness.report.repeat import repeat_command

SETTINGS = {
    "group": "accent",
    "condition": "condition",
    "baseline": "clean",
    "speaker": "speaker",
    "seed": 3,
    "scale": "difference",
}


@pytest.fixture
def cells() -> pd.DataFrame:
    """Three accents: `b` the worst on average, `c` without a clean cell."""
    rows = [
        ("a", "clean", 0.02, 0.01, 0.05), ("a", "babble@5dB", 0.40, 0.3, 0.5), ("a", "babble@10dB+gsm", 0.20, 0.1, 0.3),
        ("b", "clean", 0.10, np.nan, np.nan), ("b", "babble@5dB", 0.60, 0.5, 0.7), ("b", "babble@10dB+gsm", 0.30, 0.2, 0.4),
        ("c", "babble@5dB", 0.10, 0.05, 0.2), ("c", "babble@10dB+gsm", 0.05, 0.0, 0.1),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["accent", "condition", "wer", "wer_low", "wer_high"]).assign(speakers=4)


@pytest.fixture
def accents() -> pd.DataFrame:
    """What the comparison says over all conditions: of `c` nothing, as of the group that others are compared with."""
    return pd.DataFrame(
        {"accent": ["a", "b"], "wer": [0.5, 0.2], "wer_low": [0.4, 0.1], "wer_high": [0.6, 0.3], "verdict": ["gap", "not_enough_data"],
         "estimand": "gap", "gap": [-0.1, 0.1]}
    )  # fmt: skip


def test_groups_are_ranked_by_what_the_comparison_says_over_all_conditions(cells, accents):
    ranked, top = ranked_groups(cells, accents, SETTINGS)
    assert [(row.name, row.average.rate, row.average.low, row.verdict and sign(row.verdict)) for row in ranked] == [
        ("a", 0.5, 0.4, "▽"), ("b", 0.2, 0.1, "?"), ("c", pytest.approx(0.075), None, None),
    ]  # fmt: skip
    assert top == 0.6
    a, b, c = ranked
    assert a.baseline.at == pytest.approx(100 * 0.02 / 0.6, abs=0.01)
    assert (a.baseline.left, a.baseline.width) == pytest.approx((100 * 0.01 / 0.6, 100 * 0.04 / 0.6), abs=0.02)
    assert b.baseline.low is None
    assert c.baseline.rate is None
    assert c.average.left is None  # a mean without an interval claims none


def test_an_interval_of_thousands_of_per_cent_does_not_flatten_the_picture(cells, accents):
    wide = accents.assign(wer_high=[27.0, 0.3])
    ranked, top = ranked_groups(cells, wide, SETTINGS)
    assert top == 1.0
    assert [row.average.beyond for row in ranked] == [True, False, False]
    assert ranked[0].average.left + ranked[0].average.width == 100.0


def test_speakers_lie_at_their_own_rate():
    scores = pd.DataFrame(
        {"accent": ["a"] * 4, "speaker": ["p", "p", "q", None], "words": [10, 10, 20, 5], "hits": [10, 5, 10, 0], "substitutions": [0, 5, 5, 5],
         "deletions": [0, 0, 5, 0], "insertions": [0, 0, 0, 0]}
    )  # fmt: skip
    (found,), top = speaker_points(scores, SETTINGS, ["a", "nobody"])
    assert top == 0.6
    assert found.count == 2
    assert found.places == pytest.approx((100 * 0.25 / 0.6, 100 * 0.5 / 0.6), abs=0.01)
    assert (found.lowest, found.highest) == (0.25, 0.5)


def test_rates_over_snr_run_from_left_to_right(cells):
    labels = pd.DataFrame(
        {
            "condition": ["clean", "babble@5dB", "babble@10dB+gsm"],
            "noise": [None, "babble@5dB", "babble@10dB"],
            "equipment": ["none"] * 3,
        }
    )
    (chart,) = snr_charts(cells, labels, SETTINGS, ["b", "a", "c"])
    assert (chart.source, chart.snrs, chart.top) == ("babble", (5.0, 10.0), 0.6)
    assert [panel.name for panel in chart.panels] == ["b", "a", "c"]
    points = chart.panels[0].points
    assert [label for _, _, label in points] == ["5 dB: 60.0 %", "10 dB: 30.0 %"]
    assert points[0][:2] == pytest.approx((14, 22))  # the lowest SNR at the left, the highest rate at the top
    assert points[1][:2] == pytest.approx((WIDTH - 14, 22 + (HEIGHT - 44) / 2))
    assert len(chart.panels[0].others) == 2


def test_one_snr_is_no_curve(cells):
    labels = pd.DataFrame(
        {"condition": ["clean", "babble@5dB", "babble@10dB+gsm"], "noise": [None, "babble@5dB", "pink@10dB"]}
    )
    assert snr_charts(cells, labels, SETTINGS, ["a"]) == []


def test_a_gap_with_fewer_errors_has_a_sign_of_its_own():
    assert sign({"verdict": "gap", "estimand": "did", "did": 0.1, "gap": -0.1}) == "▲"
    assert sign({"verdict": "gap", "estimand": "ratio", "ratio": 0.8}) == "▽"
    assert sign({"verdict": "no_gap", "estimand": "gap", "gap": -0.01}) == "≈"


def test_an_axis_holds_its_rates():
    assert axis_top([0.0]) == 0.04
    assert axis_top([float("nan"), 0.4]) == 0.4
    assert axis_top([0.207]) == 0.24
    assert axis_top([7.2]) == 8


def test_the_command_to_repeat_names_no_path_and_what_differs_from_the_defaults():
    settings = {"seed": 3, "alpha": 0.05, "reference": "us", "declared": [["a", "ward"]]}
    found = repeat_command("my set", {"recogniser": "hypotheses"}, settings, normalizer="basic", terms=None)
    assert found == (
        "roomtone evaluate 'dataset=my set' asr=hypotheses path=FILE reference_accent=us 'declared=[[\"a\", \"ward\"]]' seed=3 normalizer=basic"
    )
