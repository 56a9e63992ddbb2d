"""The report's pictures and first sentences, from tables whose answers are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from roomtone.fairness.report.charts import HEIGHT, WIDTH, axis_top, ranked_groups, snr_charts, speaker_points
from roomtone.fairness.report.headline import headline, repeat_command

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


def test_groups_are_ranked_by_their_mean_over_conditions(cells):
    ranked, top = ranked_groups(cells, None, SETTINGS)
    assert [row.name for row in ranked] == ["b", "a", "c"]
    assert [row.average.rate for row in ranked] == pytest.approx([0.45, 0.30, 0.075])
    assert top == 0.6
    b, a, c = ranked
    assert a.baseline.at == pytest.approx(100 * 0.02 / 0.6, abs=0.01)
    assert (a.baseline.left, a.baseline.width) == pytest.approx((100 * 0.01 / 0.6, 100 * 0.04 / 0.6), abs=0.02)
    assert b.baseline.low is None
    assert c.baseline.rate is None
    assert b.average.left is None  # a mean without an interval claims none


def test_averages_of_the_comparison_win_over_plain_means(cells):
    averages = pd.DataFrame(
        {"accent": ["a", "b", "c"], "wer": [0.5, 0.2, 0.1], "wer_low": [0.4, 0.1, 0.0], "wer_high": [0.6, 0.3, 0.2]}
    )
    ranked, _ = ranked_groups(cells, averages, SETTINGS)
    assert [(row.name, row.average.low) for row in ranked] == [("a", 0.4), ("b", 0.1), ("c", 0.0)]


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


def test_an_axis_holds_its_rates():
    assert axis_top([0.0]) == 0.05
    assert axis_top([float("nan"), 0.4]) == 0.4
    assert axis_top([7.2]) == 8


def gaps(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["accent", "verdict", "did"]).assign(gap=0.0)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (gaps(("a", "gap", 0.2), ("b", "gap", -0.2), ("c", "not_enough_data", 0.1)),
         "a is worse off in 1 of 3 comparisons. 1 of 3 comparisons cannot be decided with these data."),
        (gaps(("a", "gap", -0.2), ("b", "no_gap", 0.0)),
         "No accent is shown to be worse off than the others. 1 of 2 comparisons show no gap."),
        (gaps(*[(name, "gap", 0.3) for name in "abcde"]), "a, b, c and 2 more are worse off in 5 of 5 comparisons."),
        (gaps(), "There is nothing to compare: fewer than two accents."),
    ],
)  # fmt: skip
def test_the_headline_says_who_is_worse_off_and_what_is_open(rows, said):
    assert headline(rows, SETTINGS) == said


def test_the_command_to_repeat_names_no_path():
    asr = {"recogniser": "hypotheses", "path": "/home/me/h.csv"}
    assert (
        repeat_command("my set", asr, SETTINGS)
        == "roomtone evaluate 'dataset=my set' asr=hypotheses path=FILE seed=3 scale=difference"
    )
