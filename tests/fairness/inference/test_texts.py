"""Where groups read different texts, the choice of texts is part of the uncertainty; where they share them it is not."""

import numpy as np
import pandas as pd
import pytest

from roomtone.fairness import compare
from roomtone.fairness.inference.counts import lay_out, prepare
from roomtone.fairness.inference.estimands import make_estimands
from roomtone.fairness.inference.texts import text_variance


def readings(rng, own: bool, groups=3, speakers=12, sentences=16, sd=0.08, first=1.0) -> pd.DataFrame:
    """Return errors of 200 words a reading; a sentence's difficulty has this standard deviation, a share of words; the first group loses `first`
    times as many words, and as many more to hard sentences."""
    hard = rng.normal(0, sd, (groups if own else 1, sentences))
    rows = []
    for g in range(groups):
        for s in range(speakers):
            level = 0.3 + rng.normal(0, 0.03)
            for u in range(sentences):
                rate = np.clip((level + hard[g if own else 0, u]) * (1.0 if g else first), 0.01, 0.95)
                rows.append({
                    "accent": f"a{g}", "speaker": f"{g}-{s}", "condition": "clean", "text": f"{g if own else 0}/{u}", "utterance_id": f"{g}/{s}/{u}",
                    "words": 200, "errors": int(rng.binomial(200, rate)),
                })  # fmt: skip
    return pd.DataFrame(rows)


def texts_of(rows: pd.DataFrame):
    ready = prepare(
        rows, group="accent", condition="condition", speaker="speaker", baseline="clean", utterance="utterance_id"
    )
    return text_variance(lay_out(ready, ["clean"]), make_estimands(["clean"], {}), -1)


def test_the_variance_of_own_texts_is_that_of_a_mean_over_sentences() -> None:
    """Three groups of sixteen sentences: sd^2 / 16 for the group, half of that for the two others together, less what speakers show already."""
    found = [texts_of(readings(np.random.default_rng(k), own=True)).variance[0, 0] for k in range(40)]
    assert np.mean(found) == pytest.approx(0.08**2 / 16 * 1.5, rel=0.1)


def test_texts_of_a_group_that_loses_more_words_differ_in_proportion() -> None:
    """Twice the rate, twice the spread of sentences: four times the variance, of twelve speakers a part of which they show already. What all share
    does not cancel where rates differ."""
    own, shared = (
        [texts_of(readings(np.random.default_rng(k), own=o, first=2.0)) for k in range(40)] for o in (True, False)
    )
    unit, shown = 0.08**2 / 16, 4 / 12 + 1 / 24
    assert np.mean([t.variance[0, 0] for t in own]) == pytest.approx(unit * 2 * (1.5 - 1 / 12 - 1 / 24), rel=0.1)
    assert np.mean([t.in_proportion[0, 0] for t in own]) == pytest.approx(unit * (4 + 0.5 - shown), rel=0.1)
    assert np.mean([t.in_proportion[0, 0] for t in shared]) == pytest.approx(unit * (1 - shown), rel=0.1)
    assert not any(t.variance.any() for t in shared)


def test_shared_texts_add_nothing_and_one_reader_a_text_adds_nothing() -> None:
    shared = texts_of(readings(np.random.default_rng(0), own=False))
    assert not shared.variance.any()
    assert shared.own_share.tolist() == [0, 0, 0]
    alone = readings(np.random.default_rng(0), own=False).assign(text=lambda f: f["utterance_id"])
    assert not texts_of(alone).variance.any()


def test_own_texts_are_said_in_the_verdict_and_widen_the_interval() -> None:
    own, shared = (compare(readings(np.random.default_rng(5), own=o)) for o in (True, False))
    assert own.facts["confounded"] == ["a0", "a1", "a2"]
    assert "text and group cannot be told apart" in own.accents["statement"].iloc[0]
    assert own.accents["own_texts"].all()
    assert shared.facts["confounded"] == []
    width = [(c.accents["gap_high"] - c.accents["gap_low"]).mean() for c in (own, shared)]
    assert width[0] > 1.5 * width[1]


def test_a_gap_that_is_the_sentences_is_not_claimed() -> None:
    """Speakers alone would call it one in most studies: twelve speakers agree on how hard their group's sentences are."""
    claimed = {True: 0, False: 0}
    for seed in range(40):
        rows = readings(np.random.default_rng([3, seed]), own=True)
        for known in claimed:
            part = rows if known else rows.drop(columns="text")
            claimed[known] += (compare(part, permutations=199, resamples=0).accents["verdict"] == "gap").any()
    assert claimed[False] >= 12
    assert claimed[True] <= 5


def test_a_group_without_errors_that_reads_its_own_texts_makes_no_infinite_variance() -> None:
    """The variance of its log was that of texts over a rate of 0 squared, and squaring that a warning on the user's screen."""
    rows = readings(np.random.default_rng(3), own=True)
    rows.loc[rows["accent"] == "a0", "errors"] = 0
    found = compare(rows, resamples=0, permutations=199)  # warnings are errors
    row = found.accents.set_index("accent").loc["a0"]
    assert row["verdict"] == "gap"
    assert row["ratio_low"] < 0.2 < row["ratio_high"]
