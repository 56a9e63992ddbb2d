"""Which claims a certificate's verifier refuses or does not uphold: another normaliser or recogniser, one failing speaker, nothing at all."""

import numpy as np
import pandas as pd
import pytest

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.slices.certificate import certify, verify_certificate

HEARD_BY = {"recogniser": "command", "command": "hear {audio}"}
SLICE = {"all": [{"column": "accent", "is": "a1"}, {"column": "condition", "is": "c2"}]}


def study(seed: int, *, slice_points: float = 0.0, failing: bool = False, speakers: int = 6) -> pd.DataFrame:
    """Return four accents in four conditions; the slice may lose more, or one of its speakers nearly all."""
    rng = np.random.default_rng(seed)
    rows = []
    for a in range(4):
        for s in range(speakers):
            own = rng.normal(0, 0.3)
            for c in range(4):
                inside = a == 1 and c == 2
                wer = (0.08 + 0.05 * c + slice_points * inside) * np.exp(own + rng.normal(0, 0.2))
                if failing and inside and s == 0:
                    wer = 0.95
                for u in range(5):
                    errors = int(rng.binomial(10, min(0.95, wer)))
                    rows.append({
                        "sample_id": f"{seed}-{a}-{s}-{c}-{u}", "accent": f"a{a}", "speaker": f"{seed}-{a}-{s}", "text": f"t{u}", "words": 10,
                        "condition": f"c{c}" if c else "clean", "substitutions": errors, "deletions": 0, "insertions": 0,
                        "normalizer": "spoken_english/1",
                    })  # fmt: skip
    return pd.DataFrame(rows)


def claim(scores: pd.DataFrame) -> dict:
    return certify(scores, SLICE, recogniser=HEARD_BY, at_least=0.001)


def test_a_true_claim_is_upheld_and_under_another_normaliser_or_recogniser_it_is_refused(tmp_path) -> None:
    made, own = claim(study(1, slice_points=0.4)), study(2, slice_points=0.4)
    ledger = tmp_path / "ledger.jsonl"
    assert verify_certificate(made, own, ledger, recogniser=HEARD_BY).upheld
    with pytest.raises(RoomtoneError, match=r"normaliser spoken_english/1, these scores with basic/2; score with"):
        verify_certificate(made, own.assign(normalizer="basic/2"), ledger, recogniser=HEARD_BY)
    with pytest.raises(RoomtoneError, match=r"another recogniser \(command differs\)"):
        verify_certificate(made, own, ledger, recogniser=HEARD_BY | {"command": "guess {audio}"})
    assert len(ledger.read_text().splitlines()) == 1  # what was refused has spent nothing


def test_a_slice_with_samples_without_a_transcript_can_be_certified() -> None:
    """Its words are null there; writing the certificate ended in a TypeError."""
    scores = study(1, slice_points=0.4)
    part = (scores["accent"] == "a1") & (scores["text"] == "t0")
    counts = ["words", "substitutions", "deletions", "insertions"]
    scores[counts] = scores[counts].astype("Int64").mask(part)
    made = claim(scores)
    assert made["samples"]
    assert all(sample["words"] == 10 for sample in made["samples"])


def test_a_claim_that_rests_on_one_failing_speaker_is_not_upheld(tmp_path) -> None:
    """A third of such claims were upheld when speakers counted as many as their words."""
    made = claim(study(1, slice_points=0.4))
    rulings = [
        verify_certificate(made, study(seed, failing=True), tmp_path / f"{seed}.jsonl", budget=1) for seed in range(30)
    ]
    assert not any(ruling.upheld for ruling in rulings)
    # the numbers alone would often have done: it is the one speaker who is looked at
    assert any("without the speaker who has most errors in it the claim falls" in ruling.reason for ruling in rulings)


@pytest.mark.slow
def test_claims_where_nothing_is_are_upheld_in_no_more_than_alpha(tmp_path) -> None:
    """At 5 % more than 7 of 60 have a chance of 1 %; each set grants one query, so its level is the whole alpha."""
    made = claim(study(1, slice_points=0.4))
    upheld = [
        verify_certificate(made, study(seed), tmp_path / f"{seed}.jsonl", budget=1).upheld for seed in range(100, 160)
    ]
    assert sum(upheld) <= 7
