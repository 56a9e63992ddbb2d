"""What is planted is told first, for what it is: a gap everywhere, in a condition, in a factor level, and loops beside a gap."""

import numpy as np
import pandas as pd
import pytest

from roomtone.fairness import compare
from roomtone.fairness.scoring.score import score, with_labels

CONDITIONS = {
    "clean": ("none", "none"), "ward": ("ward", "none"), "office": ("office", "none"),
    "babble": ("none", "babble@5dB"), "ward+babble": ("ward", "babble@5dB"), "office+babble": ("office", "babble@5dB"),
}  # fmt: skip
BASE = dict(zip(CONDITIONS, (0.06, 0.1, 0.12, 0.14, 0.18, 0.2)))


def twelve_accents(seed: int, where: tuple[str, ...], points: float = 0.2, speakers: int = 4) -> pd.DataFrame:
    """Return counts of twelve accents of four speakers; `a3` loses `points` more of its words in the conditions `where`."""
    rng = np.random.default_rng(seed)
    rows = []
    for a in range(12):
        for s in range(speakers):
            own = rng.normal(0, 0.2)
            for condition, (room, noise) in CONDITIONS.items():
                wer = (BASE[condition] + points * (a == 3 and condition in where)) * np.exp(own + rng.normal(0, 0.1))
                rows += [
                    {
                        "accent": f"a{a}", "speaker": f"a{a}-{s}", "condition": condition, "room": room, "noise": noise, "utterance_id": f"{a}-{s}-{u}",
                        "substitutions": int(rng.binomial(15, min(0.95, wer))), "deletions": 0, "insertions": 0, "words": 15,
                    }
                    for u in range(10)
                ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("where", "table", "label"),
    [
        (tuple(CONDITIONS), "accents", "all conditions"),
        (("ward",), "gaps", "ward"),
        (("babble", "ward+babble", "office+babble"), "levels", "babble@5dB"),
    ],
)
def test_twenty_points_of_one_of_twelve_accents_with_four_speakers_are_named_first(where, table, label) -> None:
    first = [compare(twelve_accents(seed, where), resamples=0).findings.head(1) for seed in range(4)]
    told = [tuple(row[["table", "accent", "condition", "worse_off"]].iloc[0]) for row in first if len(row)]
    assert told == [(table, "a3", label, True)] * len(told)
    assert len(told) >= 3  # with four speakers a study may show none


def test_who_has_fewer_errors_is_context_and_never_told_first() -> None:
    found = compare(twelve_accents(0, tuple(CONDITIONS), points=-0.04), resamples=0).findings
    worse = found["worse_off"].astype(bool).to_numpy()
    assert (np.diff(worse.astype(int)) <= 0).all()  # all who are worse off come before those who are better off


WORDS = ["give", "ten", "units", "of", "saline", "every", "hour", "before", "the", "noon", "meal", "please"]


def looping_set() -> pd.DataFrame:
    """Return scores of two accents of ten speakers, eight clips each: one loses 26 points more; 3 of its 80 clips in the ward end in a loop."""
    rng = np.random.default_rng(4)
    rows, heard = [], {}
    for accent, more in (("irish", 0.26), ("scottish", 0.0)):
        for s in range(10):
            for u in range(8):
                for condition, wer in (("clean", 0.06), ("ward", 0.14 + more)):
                    name = f"{accent}{s}-{u}-{condition}"
                    words = [word[::-1] if rng.random() < wer else word for word in WORDS]
                    if accent == "irish" and condition == "ward" and u == 0 and s < 3:
                        words += ["thank", "you"] * 60
                    heard[name] = " ".join(words)
                    rows.append({
                        "sample_id": name, "accent": accent, "speaker": f"{accent}-{s}", "condition": condition, "text": " ".join(WORDS),
                        "utterance_id": f"{accent}-{s}-{u}", "language": "en", "duration_s": 6.0,
                    })  # fmt: skip
    manifest = pd.DataFrame(rows)
    return with_labels(score(manifest, heard, "auto"), manifest)


def test_a_loop_in_three_of_eighty_clips_is_reported_as_what_it_is_and_the_gap_stays_a_gap() -> None:
    scores = looping_set()
    assert int(scores["looped"].sum()) == 3
    found = compare(scores, reference="scottish", resamples=0)
    gap = found.gaps[(found.gaps["accent"] == "irish") & (found.gaps["condition"] == "ward")].iloc[0]
    assert gap["verdict"] == "gap"
    assert not gap["saturated"]
    assert gap["did"] == pytest.approx(0.26, abs=0.06)
    cell = found.cells.set_index(["accent", "condition"]).loc[("irish", "ward")]
    assert cell["wer"] > 0.4 + 3 * 120 / (80 * len(WORDS)) - 0.1  # the cell's WER holds the words that nobody spoke
    assert cell["lost"] == pytest.approx(0.4, abs=0.06)
    assert cell["hallucinated"] == pytest.approx(3 / 80)
    assert 0 < cell["hallucinated_low"] < 3 / 80 < cell["hallucinated_high"]
    assert (found.cells[["lost_high", "hallucinated_high"]].max() <= 1.0).all()
    # three of eighty against none of eighty is not proof of a difference, and is not said to be
    loops = found.hallucination[found.hallucination["condition"] == "ward"].iloc[0]
    assert loops["verdict"] != "gap"
