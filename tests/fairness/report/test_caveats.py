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


def test_it_names_who_is_failed_wholly_and_what_a_group_lacks(study) -> None:
    """A group that was never heard in noise stood first in the list, and a speaker without one word was in no sentence."""
    rates = {(a, c): 0.1 for a in "XYZ" for c in ("clean", "noisy")}
    scores = study(np.random.default_rng(0), rates, 4)
    for text in ("Nearly every word", "There is no sample"):
        assert text not in said_of(scores)
    scores.loc[scores["speaker"] == "Z1", "substitutions"] = 12
    part = scores[(scores["accent"] != "Y") | (scores["condition"] == "clean")].reset_index(drop=True)
    assert "Nearly every word of Z1 of Z is lost" in said_of(part)
    assert "There is no sample of Y in noisy: " in said_of(part)


def test_it_names_speakers_whose_recording_is_the_same(study) -> None:
    """A speaker copied under a second name counted as two people, and nothing said so."""
    scores = study(np.random.default_rng(0), {(a, "clean"): 0.1 for a in "XY"}, 4)
    scores["pcm_sha256"] = [f"{n:04x}" for n in range(len(scores))]
    assert "stands under several speakers" not in said_of(scores)
    twin = scores[scores["speaker"] == "X0"].assign(speaker="X9", utterance_id=lambda f: f["utterance_id"] + "-twin")
    assert (
        "The same recording stands under several speakers (X0, X9): a person with two names counts as two"
        in said_of(pd.concat([scores, twin], ignore_index=True))
    )
