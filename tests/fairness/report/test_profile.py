"""The profile: counts that are the set's own, every pair that was not tested with its reason, and a page that stays text."""

import dataclasses
import json

import pandas as pd
import pytest

from roomtone.fairness.evaluation import Settings, evaluate
from roomtone.fairness.report.profile import ANSWERS, profile, write_profile

EVIL = "<script>alert(1)</script>"


@pytest.fixture
def result(make_set, tmp_path):
    """Three groups in two conditions, one pair of them empty, one sample without an answer and one of no stated accent."""
    rows, heard = [], []
    for accent, speakers in (("irish", 3), ("scots", 3), (EVIL, 1), (None, 1)):
        for s in range(speakers):
            for condition in ("clean", "ward") if accent != EVIL else ("clean",):
                name = f"{len(rows):04d}"
                rows.append(
                    {
                        "sample_id": name,
                        "accent": accent,
                        "speaker": f"{accent}{s}",
                        "condition": condition,
                        "text": "one two three four",
                        "duration_s": 30.0,
                    }
                )
                heard.append(
                    {"sample_id": name, "hypothesis": "one two three" if condition == "ward" else "one two three four"}
                )
    heard[0] = heard[0] | {"hypothesis": None, "reason": "timed out"}
    file = tmp_path / "heard.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in heard))
    asr = {"recogniser": "hypotheses", "path": str(file)}
    return evaluate(make_set(rows), Settings(asr=asr, permutations=199, resamples=0))  # fmt: skip


def test_every_figure_is_a_count_of_the_set(result):
    found = profile(result)
    scored = result.scores[result.scores["hits"].notna()]
    assert (found["all"]["samples"], found["all"]["failed"], found["all"]["minutes"]) == (15, 1, 7.5)
    for row in found["coverage"]:
        held = [
            (rows["accent"] == row["accent"]) & (rows["condition"] == row["condition"])
            for rows in (result.scores, scored)
        ]
        part = scored[held[1]]
        errors = int(part[["substitutions", "deletions", "insertions"]].sum().sum())
        assert (row["samples"], row["words"], row["errors"]) == (int(held[0].sum()), int(part["words"].sum()), errors)
        assert row["speakers"] == result.scores.loc[held[0], "speaker"].nunique()
        assert row["wer"] == (errors / row["words"] if row["words"] else None)
    by_group = {row["accent"]: row for row in found["groups"]}
    assert by_group["irish"]["wer"] == pytest.approx(3 / 20)
    gaps = pd.concat([result.comparison.accents, result.comparison.gaps])
    assert [row["verdict"] for row in found["gaps"]] == gaps["verdict"].tolist()
    assert set().union(*ANSWERS.values()) <= set(found)


def test_what_was_not_tested_is_named_with_its_reason(result):
    reasons = {(row["what"], row["why"]) for row in profile(result)["not_tested"]}
    assert (f"{EVIL} in ward", "no sample") in reasons
    assert ("1 samples", "timed out") in reasons
    assert ("2 samples", "their accent is not stated, and none is inferred") in reasons
    unsaid = result.comparison.gaps["verdict"].isin(["not_enough_data", "saturated"]).sum()
    assert sum(" against " in what for what, _ in reasons) >= unsaid > 0


def test_file_and_page_hold_the_same_and_names_stay_text(result):
    data, page = write_profile(dataclasses.replace(result))
    assert json.loads(data.read_text()) == json.loads(json.dumps(profile(result)))
    text = page.read_text()
    assert EVIL not in text
    assert "&lt;script&gt;" in text
    assert "in ward: no sample" in text
    assert str(result.dataset.parent) not in text + data.read_text()


def test_a_loop_is_in_all_errors_and_not_in_the_errors_that_gaps_compare(make_set, tmp_path):
    """One loop of 40 words made a group's rate 86 % beside a gap of two points that was told without it."""
    rows = [
        {"sample_id": f"{a}{s}{c}", "accent": a, "speaker": f"{a}{s}", "condition": c, "text": "one two three four"}
        for a in ("irish", "scots") for s in range(2) for c in ("clean", "babble@10dB", "babble@5dB", "babble@-5dB")
    ]  # fmt: skip
    file = tmp_path / "heard.jsonl"
    heard = [{"sample_id": row["sample_id"], "hypothesis": row["text"]} for row in rows]
    heard[-1]["hypothesis"] = "one two three four" + " so so" * 20
    file.write_text("".join(json.dumps(row) + "\n" for row in heard))
    asr = {"recogniser": "hypotheses", "path": str(file)}
    result = evaluate(make_set(rows), Settings(asr=asr, permutations=199, resamples=0))
    found = profile(result)
    row = next(row for row in found["groups"] if row["accent"] == "scots")
    assert (row["hallucinated"], row["errors"], row["errors_compared"]) == (1, 40, 0)
    assert (row["wer"], row["wer_compared"]) == (40 / 32, 0)
    assert [row["condition"] for row in found["conditions"]] == ["clean", "babble@-5dB", "babble@5dB", "babble@10dB"]
    page = write_profile(result)[1].read_text()
    assert "1 samples have text that nobody spoke" in page
    assert "not_enough_data" not in page
