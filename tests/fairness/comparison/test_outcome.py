"""Word lists that come with the package, and outcomes of samples other than words."""

import numpy as np
import pandas as pd
import pytest

from roomtone.core.errors import RoomtoneError
from roomtone.fairness import Settings, evaluate
from roomtone.fairness.comparison.compare import compare_as
from roomtone.fairness.comparison.outcome_scores import SHORTFALL, read_outcome
from roomtone.fairness.report.page import write_report
from roomtone.fairness.scoring.terms import count_terms, read_terms
from roomtone.fairness.settings import CompareSettings

QUICK = CompareSettings(permutations=199, resamples=0)


def test_the_bundled_lists_find_what_changes_an_order():
    heard = {
        "do not give fifteen units of insulin": "do give fifty units of insulin",
        "give 15 mg of morphine": "give 15 mg of more fin",
    }
    scores = pd.DataFrame({"text": list(heard), "hypothesis": list(heard.values()), "hits": 5})
    scores = scores.assign(accent="scottish", condition="clean", speaker=["a", "b"], language="en")
    ward = count_terms(scores, read_terms("ward"), Settings())[1].set_index("term")
    assert ward["lost"].to_dict() == {"do not": 1, "not": 1, "units": 0, "insulin": 0, "milligrams": 0, "morphine": 1}
    numbers = count_terms(scores, read_terms("numbers"), Settings())[1].set_index("term")
    assert numbers.loc["fifteen", ["spoken", "lost"]].tolist() == [2, 1]
    with pytest.raises(RoomtoneError, match="give a file, or numbers or ward"):
        read_terms("wards")


def test_an_outcome_has_the_guarantees_of_the_error_rate(study):
    """The share of words lost, given as an outcome: gaps are those of WER, since every sample has as many words; intervals are a little
    wider, since chance allows for samples rather than for words."""
    rates = {(a, c): {"a": 0.2, "b": 0.2, "c": 0.5}[a] for a in "abc" for c in ("clean", "ward")}
    scores = study(np.random.default_rng(1), rates, speakers=9)
    given = scores.assign(**{SHORTFALL: scores["substitutions"] / scores["words"]})
    found = compare_as(given, QUICK)
    everywhere = found.outcome[found.outcome["condition"] == found.accents["condition"].iloc[0]].set_index("accent")
    accents = found.accents.set_index("accent")
    assert set(everywhere.index) == {"a", "b", "c"}
    for name in "abc":
        assert everywhere.loc[name, "gap"] == pytest.approx(accents.loc[name, "gap"])
        assert everywhere.loc[name, "wer"] == pytest.approx(accents.loc[name, "wer"])
        for column in ("gap_low", "gap_high"):
            assert everywhere.loc[name, column] == pytest.approx(accents.loc[name, column], abs=0.04)
    assert everywhere.loc["c", "verdict"] == "gap"
    assert "shortfall of the outcome" in everywhere.loc["c", "statement"]
    assert compare_as(scores, QUICK).outcome.empty


@pytest.mark.slow
def test_an_outcome_from_a_file_is_compared_and_told(make_set, tmp_path):
    """Task success: hindi fails eight tasks in ten, irish one, with the same words heard."""
    rng = np.random.default_rng(2)
    rows = [
        {"accent": accent, "speaker": f"{accent}{s}", "condition": "clean", "text": f"open door {t}", "sample_id": f"{accent}{s}-{t}"}
        for accent in ("hindi", "irish")
        for s in range(6)
        for t in range(4)
    ]  # fmt: skip
    folder = make_set(rows)
    fails = [rng.random() < (0.8 if row["accent"] == "hindi" else 0.1) for row in rows]
    pd.DataFrame({"sample_id": [r["sample_id"] for r in rows], "hypothesis": [r["text"] for r in rows]}).to_csv(
        tmp_path / "h.csv", index=False
    )
    pd.DataFrame({"sample_id": [r["sample_id"] for r in rows], "score": [0.0 if f else 1.0 for f in fails]}).to_csv(
        tmp_path / "o.csv", index=False
    )
    asr = {"recogniser": "hypotheses", "path": str(tmp_path / "h.csv")}
    result = evaluate(folder, Settings(asr=asr, outcome=str(tmp_path / "o.csv"), resamples=0, permutations=199))
    row = result.comparison.outcome.set_index("accent").iloc[0]
    assert row["verdict"] == "gap"
    shown = [1 - np.mean([not f for r, f in zip(rows, fails) if r["accent"] == a]) for a in ("hindi", "irish")]
    assert abs(row["gap"]) == pytest.approx(shown[0] - shown[1])
    assert (result.folder / "outcome_gaps.csv").is_file()
    page = write_report(result)[0].read_text()
    assert "<h2>Shortfall of the outcome</h2>" in page
    assert "outcome=FILE" in page


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sample_id,score\na,70\n", r"a number from 0 to 1 or empty, got '70' \(in per cent\?\)"),
        ("sample_id,score\na,good\n", "got 'good'"),
        ("sample_id,score\nz,1\n", "1 ids are unknown, e.g. 'z'; the set's are 'a', 'b'"),
        ("sample_id,score\na,1\na,0\n", "1 ids are there twice"),
        ("sample_id,value\na,1\n", "no column 'score'"),
    ],
)
def test_an_outcome_that_cannot_be_is_refused(text, said, tmp_path):
    (tmp_path / "o.csv").write_text(text)
    with pytest.raises(RoomtoneError, match=said):
        read_outcome(tmp_path / "o.csv", pd.Series(["a", "b"]))


def test_a_sample_without_a_score_is_null(tmp_path):
    (tmp_path / "o.csv").write_text("sample_id,score\nb,0.25\na,\n")
    found = read_outcome(tmp_path / "o.csv", pd.Series(["a", "b", "c"]))
    assert found.isna().tolist() == [True, False, True]
    assert found[1] == 0.75
