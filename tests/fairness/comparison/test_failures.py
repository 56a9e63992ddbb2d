"""Answers that were lost: an outcome of its own, tested by speakers, and no reason to call nobody worse off."""

import numpy as np
import pandas as pd
import pytest

from roomtone.fairness import Settings, compare, evaluate
from roomtone.fairness.report.content import gather
from roomtone.fairness.report.headline import headline
from roomtone.fairness.report.page import write_report

COUNTS = ["substitutions", "deletions", "insertions", "hits"]


def test_lost_answers_are_compared_as_an_outcome(study) -> None:
    rates = {(a, c): 0.1 for a in "XYZ" for c in ("clean", "noisy")}
    scores = study(np.random.default_rng(0), rates, 6)
    failed = (scores["accent"] == "Y") & (scores["condition"] == "noisy") & (np.arange(len(scores)) % 2 == 0)
    lost = scores.copy()
    lost.loc[failed, COUNTS] = np.nan
    found = compare(lost, resamples=0, permutations=199).failures
    row = found[(found["accent"] == "Y") & (found["condition"] == "noisy")].iloc[0]
    assert (row["verdict"], row["wer"], row["reference_wer"]) == ("gap", 0.5, 0.0)
    assert "Y has 50.0 % samples without a hypothesis and all others 0.0 %" in row["statement"]
    assert compare(scores, resamples=0, permutations=199).failures.empty
    unstated = lost.assign(words=lost["words"].where(~failed))  # without a transcript nothing was asked for
    assert compare(unstated, resamples=0, permutations=199).failures.empty


@pytest.mark.parametrize(
    ("speakers", "said"),
    [
        (6, "By WER alone no accent is found to be worse off. Over all conditions, scots has 75.0 % samples without"),
        (
            2,
            "Among the samples that were answered no accent is found to be worse off, but without a hypothesis are those",
        ),
    ],
)
def test_the_headline_does_not_clear_whom_the_recogniser_does_not_answer(speakers, said, make_set, tmp_path) -> None:
    rows = [
        {"accent": accent, "speaker": f"{accent}{s}", "condition": "clean", "text": f"open door {t}", "sample_id": f"{accent}{s}-{t}"}
        for accent in ("irish", "scots")
        for s in range(speakers)
        for t in range(4)
    ]  # fmt: skip
    lost = [row["accent"] == "scots" and not row["sample_id"].endswith("-0") for row in rows]
    heard = pd.DataFrame({"sample_id": [r["sample_id"] for r in rows], "hypothesis": [r["text"] for r in rows]})
    heard[~np.array(lost)].to_csv(tmp_path / "h.csv", index=False)
    asr = {"recogniser": "hypotheses", "path": str(tmp_path / "h.csv")}
    result = evaluate(make_set(rows), Settings(asr=asr, allow_missing=True, resamples=0, permutations=199))
    assert headline(gather(result)).startswith(said)
    page, text = (path.read_text() for path in write_report(result)[:2])
    assert f"| scots | {4 * speakers} | {3 * speakers} | 75.0 |" in text
    assert f"| irish | {4 * speakers} | 0 | 0.0 |" in text
    assert '<table id="failures">' in page
    assert len(result.comparison.failures) == len(pd.read_csv(result.folder / "failures.csv")) > 0
