"""What a report says before any number: whose samples failed, and whether a group's words are one person's."""

import numpy as np
import pandas as pd

from roomtone.fairness import compare
from roomtone.fairness.report.caveats import caveats
from roomtone.fairness.scoring.formatting import Formatting
from roomtone.fairness.settings import Settings


def said_of(scores: pd.DataFrame) -> str:
    scores = scores.assign(reason=scores.get("reason"))
    found = compare(scores, resamples=0, permutations=199)
    return " ".join(caveats(scores, Settings(), found, Formatting({}, 0, {}, "basic")))


def test_it_says_of_whom_samples_failed(study) -> None:
    """All failures were of one group in one condition, and the note told how many they were and not whose."""
    rates = {(a, c): 0.1 for a in "XYZ" for c in ("clean", "noisy")}
    scores = study(np.random.default_rng(0), rates, 4)
    failed = (scores["accent"] == "Y") & (scores["condition"] == "noisy") & (np.arange(len(scores)) % 2 == 0)
    lost = scores.assign(reason=np.where(failed, "timeout", None)).astype({"reason": object})
    lost.loc[failed, ["substitutions", "deletions", "insertions", "hits"]] = np.nan
    assert f"{failed.sum()} of 192 samples have no hypothesis" in said_of(lost)
    assert "of Y in 25 % of its samples, of all others in 0 %" in said_of(lost)
    evenly = lost.assign(accent=np.array(["X", "Y", "Z"])[np.arange(len(lost)) // 2 % 3])
    assert "of its samples" not in said_of(evenly)


def test_it_says_whose_words_are_one_persons(study) -> None:
    """Seven of eight speakers lost 20 points more, and one speaker with four fifths of the words hid it."""
    scores = study(np.random.default_rng(0), {(a, "clean"): 0.1 for a in "XY"}, 4)
    assert "One speaker" not in said_of(scores)
    talks = scores["speaker"] == "X0"
    more = pd.concat(
        [scores, *[scores[talks].assign(utterance_id=lambda f, k=k: f["utterance_id"] + f"-{k}") for k in range(9)]]
    )
    assert "One speaker (X0) has 77 % of the words of X: its WER is mostly this person's" in said_of(
        more.reset_index(drop=True)
    )
