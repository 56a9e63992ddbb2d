"""A bounty certificate: a claim that a recogniser fails a slice, which somebody else can check on speech of their own.

The file is JSON and holds a predicate, a claim, numbers, and the samples with the recipes that reproduce them; nothing in it
runs. A verifier scores the same recogniser on a set the claimant has not seen. The claim is upheld there if the slice's excess errors are
at least `at_least` of all words, and more than chance at a level that is divided by the number of queries the verifier
grants; a budget, because each result reveals a little of the holdout (after Globus-Harris, Kearns and Roth 2022).
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.regular_files import read_json, read_text
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.files import write_whole
from roomtone.fairness.slices.cells import make_cells
from roomtone.fairness.slices.conjunctions import excess_of_one
from roomtone.fairness.slices.excess import expected_from_outside
from roomtone.fairness.slices.predicates import Predicate, parse_predicate

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "roomtone-certificate/1"
_KEYS = ("format", "predicate", "claim", "recogniser", "normalizer", "baseline", "numbers", "samples")
_LARGEST_BYTES = 4_000_000
_MOST_SAMPLES = 50


@dataclass(frozen=True)
class ExcessNumbers:
    """What one set says of a slice. `excess_share` is (errors - expected) over the words of the whole set; p is one-sided."""

    samples: int
    speakers: int
    words: int
    share_of_words: float
    errors: int
    expected: float
    wer: float
    ratio: float
    excess_share: float
    p: float


@dataclass(frozen=True)
class Ruling:
    """What the verifier's set says: upheld or not, why, its numbers, and how many queries of the budget are spent."""

    upheld: bool
    reason: str
    numbers: ExcessNumbers
    reproduced: int
    shared_samples: int
    queries: int
    budget: int


def measure_slice(
    scores: pd.DataFrame, predicate: Predicate, *, group: str = "accent", condition: str = "condition", baseline: str = "clean",
    speaker: str = "speaker", sentence: str = "text",
) -> ExcessNumbers:  # fmt: skip
    """Return a slice's excess errors over what all other samples predict for the same speakers and conditions.

    Args:
        scores: counts with the label columns beside them.
        predicate: of the slice.
        group, condition, baseline, speaker, sentence: columns and baseline, as in `compare`.

    Raises:
        RoomtoneError: a column does not exist, no speaker is known, or the slice is empty or everything.
    """
    columns = [literal.column for literal in predicate.literals]
    listed = all(literal.test == "is" for literal in predicate.literals)
    marked = scores.assign(_inside=predicate.holds(scores))
    cells = make_cells(
        marked, ["_inside", *(dict.fromkeys(columns) if listed else ())], group=group, condition=condition, speaker=speaker,
        baseline=baseline, sentence=sentence,
    )  # fmt: skip
    if cells.frame.empty:
        raise RoomtoneError("certificate: no speaker is known in this set, so no claim can be measured on it")
    table, held = cells.table, cells.frame["_inside"].to_numpy(bool)
    if not held.any() or held.all():
        raise RoomtoneError(
            f"certificate: {predicate} holds {'all' if held.any() else 'none'} of the samples of this set"
        )
    _, p = excess_of_one(cells, predicate, held)
    expected = expected_from_outside(table, held)
    errors, words, total = float(table.errors[held].sum()), float(table.words[held].sum()), float(table.words.sum())
    return ExcessNumbers(
        int(cells.frame.loc[held, "_n"].sum()), len(set(table.speaker[held])), int(words), words / total, int(errors), expected,
        errors / words, errors / expected if expected > 0 else math.nan, (errors - expected) / total, p,
    )  # fmt: skip


def certify(
    scores: pd.DataFrame,
    predicate: Predicate | Mapping[str, Any],
    *,
    recogniser: Mapping[str, Any],
    at_least: float = 0.001,
    hypotheses: Mapping[str, str] | None = None,
    baseline: str = "clean",
) -> dict[str, Any]:
    """Return a certificate as plain JSON types.

    Args:
        scores: counts with the manifest's columns beside them; `recipe` and `text` are taken over where they are.
        predicate: of the slice.
        recogniser: its name and the settings that decide what it hears.
        at_least: the claim: excess errors of the slice as a share of all words of a set.
        hypotheses: sample id -> hypothesis, for the samples that are listed.
        baseline: the undisturbed condition.

    Raises:
        RoomtoneError: a claim out of bounds, or a slice that the scores do not have.
    """
    own = predicate if isinstance(predicate, Predicate) else parse_predicate(predicate)
    if not 0 < at_least < 1:
        raise RoomtoneError(f"at_least: a share of words between 0 and 1, got {at_least!r}")
    numbers = measure_slice(scores, own, baseline=baseline)
    return {
        "format": FORMAT,
        "predicate": own.to_json(),
        "claim": {"kind": "excess", "at_least": at_least},
        "recogniser": dict(recogniser),
        "normalizer": normalizers_of(scores),
        "baseline": baseline,
        "numbers": _finite(asdict(numbers)),
        "samples": _samples(scores[own.holds(scores)], hypotheses or {}),
    }


def _samples(rows: pd.DataFrame, hypotheses: Mapping[str, str]) -> list[dict[str, Any]]:
    errors = rows[["substitutions", "deletions", "insertions"]].sum(axis=1) if "errors" not in rows else rows["errors"]
    worst = rows.assign(_errors=errors).dropna(subset=["_errors", "words"]).nlargest(_MOST_SAMPLES, "_errors")
    found = []
    for row in worst.to_dict("records"):
        name = str(row["sample_id"])
        sample = {"sample_id": name, "errors": int(row["_errors"]), "words": int(row["words"])}
        sample |= {key: row[key] for key in ("text", "recipe") if isinstance(row.get(key), str)}
        found.append(sample | ({"hypothesis": hypotheses[name]} if isinstance(hypotheses.get(name), str) else {}))
    return found


def _finite(data: dict[str, Any]) -> dict[str, Any]:
    """Return NaN as null: JSON has no NaN."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in data.items()
    }


def write_certificate(certificate: Mapping[str, Any], path: str | os.PathLike[str]) -> Path:
    """Write a certificate and return its path.

    Args:
        certificate: of `certify`.
        path: the file to write.
    """
    text = json.dumps(certificate, indent=2, ensure_ascii=False, allow_nan=False)
    return write_whole(path, f"{text}\n".encode())


def read_certificate(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a certificate, every part of it that matters checked.

    Args:
        path: of a JSON file.

    Raises:
        RoomtoneError: no such file, too large, not of this form.
    """
    file = Path(path)
    if not file.is_file():
        raise RoomtoneError(f"certificate: there is no file {str(file)!r}")
    try:
        data = read_json(file, most_bytes=_LARGEST_BYTES)
    except (OSError, ValueError) as error:
        raise RoomtoneError(f"{file}: not JSON ({error})") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise RoomtoneError(f"{file}: not a certificate of the form {FORMAT!r}")
    for key in data:
        if key not in _KEYS:
            raise RoomtoneError(f"{file}: unknown key {key!r}; {nearest(str(key), _KEYS)}")
    for key in _KEYS:
        if key not in data:
            raise RoomtoneError(f"{file}: the key {key!r} is missing")
    parse_predicate(data["predicate"])
    claim = data["claim"]
    good = isinstance(claim, dict) and set(claim) == {"kind", "at_least"} and claim["kind"] == "excess"
    if not good or not isinstance(claim["at_least"], float) or not 0 < claim["at_least"] < 1:
        raise RoomtoneError(f'{file}: the claim is {{"kind": "excess", "at_least": share}}, got {str(claim)[:80]!r}')
    if not isinstance(data["samples"], list) or not all(
        isinstance(s, dict) and "sample_id" in s for s in data["samples"]
    ):
        raise RoomtoneError(f"{file}: 'samples' is a list of mappings with a sample_id")
    return data


def verify_certificate(
    certificate: Mapping[str, Any],
    scores: pd.DataFrame,
    ledger: str | os.PathLike[str],
    *,
    budget: int = 20,
    alpha: float = 0.05,
    speaker: str = "speaker",
    recogniser: Mapping[str, Any] | None = None,
) -> Ruling:
    """Return whether a set upholds a claim, and write the query to the ledger.

    A claim that the ledger already holds is checked again without spending; the predicate and the claim make it the same one.

    Args:
        certificate: as `read_certificate` gives it.
        scores: of the recogniser that the certificate names, on the verifier's own set, labels beside them.
        ledger: JSON Lines file of the claims checked on this set.
        budget: different claims that may be checked on the set in all; the level of each is alpha / budget.
        alpha: chance of upholding any false claim over the whole budget.
        speaker: the column of speakers.
        recogniser: identity of the recogniser that made the scores; null where the caller vouches that it is the claim's.

    Raises:
        RoomtoneError: the scores are of another recogniser or normaliser, the budget is spent, or the claim cannot be measured on this set.
    """
    _check_same(certificate, scores, recogniser)
    asked = _ledger(Path(ledger))
    key = _claim_key(certificate)
    if key not in asked and len(asked) >= budget:
        raise RoomtoneError(
            f"certificate: the budget of {budget} queries to this set is spent ({ledger}); use another holdout"
        )
    predicate, baseline = parse_predicate(certificate["predicate"]), str(certificate["baseline"])
    numbers = measure_slice(scores, predicate, baseline=baseline, speaker=speaker)
    at_least, level = float(certificate["claim"]["at_least"]), alpha / budget
    upheld = bool(numbers.excess_share >= at_least and numbers.p <= level)
    rests_on_one = upheld and _rests_on_one(scores, predicate, baseline, speaker, numbers, alpha)
    upheld = upheld and not rests_on_one
    if key not in asked:
        Path(ledger).parent.mkdir(parents=True, exist_ok=True)
        with open(ledger, "a", encoding="utf-8") as file:
            file.write(json.dumps({"claim": key, "upheld": upheld}) + "\n")
        asked.add(key)
    listed = {str(s["sample_id"]): s.get("errors") for s in certificate["samples"]}
    own = _errors_by_id(scores)
    shared = [name for name in listed if name in own]
    same = sum(own[name] == listed[name] for name in shared)
    return Ruling(
        upheld, _why(numbers, at_least, level, upheld, rests_on_one), numbers, same, len(shared), len(asked), budget
    )


def _ledger(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    return {str(json.loads(line)["claim"]) for line in read_text(path).splitlines() if line.strip()}


def _claim_key(certificate: Mapping[str, Any]) -> str:
    parts = [certificate[name] for name in ("predicate", "claim", "recogniser", "normalizer", "baseline")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _errors_by_id(scores: pd.DataFrame) -> dict[str, int]:
    import pandas as pd

    errors = scores[["substitutions", "deletions", "insertions"]].astype("Float64").sum(axis=1, skipna=False)
    return {str(name): int(count) for name, count in zip(scores["sample_id"], errors) if not pd.isna(count)}


def _check_same(certificate: Mapping[str, Any], scores: pd.DataFrame, recogniser: Mapping[str, Any] | None) -> None:
    """Refuse scores that are not comparable with the claim: another normaliser, or another recogniser."""
    claimed, own = str(certificate["normalizer"]), normalizers_of(scores)
    if "unknown" not in (claimed, own) and claimed != own:
        raise RoomtoneError(
            f"certificate: the claim was made with the normaliser {claimed}, these scores with {own}; score with normalizer="
            f"{claimed.split('/')[0]}"
        )
    if recogniser is not None and dict(certificate["recogniser"]) != dict(recogniser):
        differing = sorted(
            key
            for key in {*certificate["recogniser"], *recogniser}
            if certificate["recogniser"].get(key) != recogniser.get(key)
        )
        raise RoomtoneError(
            f"certificate: the claim is about another recogniser ({', '.join(differing)} differ{'s' * (len(differing) == 1)}):"
            f" {json.dumps(certificate['recogniser'], default=str)[:200]}, this set was transcribed by {json.dumps(dict(recogniser), default=str)[:200]}"
        )


def normalizers_of(scores: pd.DataFrame) -> str:
    """Return the labels of the normalisers that made the scores, or `unknown`.

    Args:
        scores: of `score`.
    """
    if "normalizer" not in scores:
        return "unknown"
    return "; ".join(sorted(map(str, scores["normalizer"].dropna().unique()))) or "unknown"


def _rests_on_one(
    scores: pd.DataFrame, predicate: Predicate, baseline: str, speaker: str, numbers: ExcessNumbers, alpha: float
) -> bool:
    """Return whether the claim falls without the one speaker who has most errors in the slice.

    It stands where the others show at least half of the excess for their words, and more than chance at alpha.
    """
    inside = scores[predicate.holds(scores)]
    errors = _errors(inside)
    words = inside["words"].astype(float)
    by_speaker = (errors - numbers.expected / numbers.words * words).groupby(inside[speaker]).sum()
    if len(by_speaker) < 2:
        return True
    try:
        rest = measure_slice(
            scores[scores[speaker] != by_speaker.idxmax()], predicate, baseline=baseline, speaker=speaker
        )
    except RoomtoneError:
        return True
    before = (numbers.errors - numbers.expected) / numbers.words
    after = (rest.errors - rest.expected) / rest.words
    return not (after >= before / 2 and rest.p <= alpha)


def _errors(rows: pd.DataFrame) -> pd.Series:
    kinds = ["substitutions", "deletions", "insertions"]
    return rows["errors"].astype(float) if "errors" in rows else rows[kinds].astype("Float64").sum(axis=1).astype(float)


def _why(numbers: ExcessNumbers, at_least: float, level: float, upheld: bool, rests_on_one: bool) -> str:
    shown = (
        f"{numbers.errors} errors where {numbers.expected:.1f} were expected, {100 * numbers.excess_share:.2f} % of all words in"
        f" excess (claimed: at least {100 * at_least:.2f} %), p = {numbers.p:.2g} (needed: {level:.2g});"
        f" {numbers.speakers} speakers, {numbers.words} words"
    )
    one = "; without the speaker who has most errors in it the claim falls" if rests_on_one else ""
    return f"{'upheld' if upheld else 'not upheld'}: {shown}{one}"
