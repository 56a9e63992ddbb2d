"""What counts say of a claim: upheld, not upheld, or that it cannot be told.

Upheld: the whole interval of the gap lies at or above the claimed points. Not upheld: the whole interval lies below. Otherwise, and where more than
a tenth of the recordings got no answer, it cannot be told. The interval is that of `compare`: speakers are the unit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.bounty.claim import Claim
from roomtone.fairness.comparison.compare import compare_as
from roomtone.fairness.scoring.score import score, with_labels
from roomtone.fairness.settings import CompareSettings

if TYPE_CHECKING:
    import pandas as pd

UPHELD, NOT_UPHELD, CANNOT_BE_TOLD = "upheld", "not upheld", "cannot be told"
#: Share of recordings that may end without an answer.
MOST_FAILED = 0.1
_SIDE, _GROUP, _OTHERS = "bounty_side", "group", "others"


@dataclass(frozen=True)
class Ruling:
    """A verdict and its counts; rates and gaps are shares, NaN where they are not known."""

    verdict: str
    gap: float
    gap_low: float
    gap_high: float
    wer: float
    other_wer: float
    words: int
    other_words: int
    speakers: int
    other_speakers: int
    recordings: int
    failed: int
    alpha: float = 0.05

    def sentence(self, claim: Claim) -> str:
        """Return the verdict with its figures in one sentence.

        Args:
            claim: that was measured.
        """
        return f"{self.verdict}: {self.figures(claim)}"

    def figures(self, claim: Claim) -> str:
        """Return the figures alone.

        Args:
            claim: that was measured.
        """
        if not math.isfinite(self.gap_low):
            return f"too few speakers for an interval ({self.speakers} of {claim.group}, {self.other_speakers} others)"
        failed = f"; {self.failed} of {self.recordings} recordings got no answer" if self.failed else ""
        return (
            f"with {claim.place}, {100 * self.wer:.1f} % of the words of {claim.group} are wrong and"
            f" {100 * self.other_wer:.1f} % of all others': {100 * self.gap:+.1f} points ({100 * (1 - self.alpha):g} % interval {100 * self.gap_low:.1f} to"
            f" {100 * self.gap_high:.1f}; claimed: at least {claim.points:g}; {self.speakers} and {self.other_speakers} speakers){failed}"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the figures in plain JSON types, rounded to where another machine agrees."""
        return {
            name: round(value, 6)
            if isinstance(value, float) and math.isfinite(value)
            else None
            if isinstance(value, float)
            else value
            for name, value in vars(self).items()
        }


def scores_of(rows: pd.DataFrame, answers: Mapping[str, str | None], normalizer: str) -> pd.DataFrame:
    """Return the counts of recordings with their labels beside them.

    Args:
        rows: of the manifest, those that were sent.
        answers: sample id -> text, None where there was none.
        normalizer: as in `score`.
    """
    return with_labels(score(rows, answers, normalizer, allow_missing=True), rows)


def rule(claim: Claim, scores: pd.DataFrame, *, alpha: float = 0.05, missing: int = 0) -> Ruling:
    """Return what scored recordings of the claim's condition say of it.

    Args:
        claim: what is claimed.
        scores: of `scores_of`, in the claim's condition.
        alpha: the interval holds 1 - alpha.
        missing: recordings that should be there and are not; they count as failures.

    Raises:
        RoomtoneError: a side without a recording.
    """
    import numpy as np

    of_group = claim.of_group(scores)
    if not of_group.any() or of_group.all():
        raise RoomtoneError(
            f"claim: {'all' if of_group.any() else 'none'} of these recordings are of {claim.column}={claim.group}"
        )
    failed = int(scores["hits"].isna().sum()) + missing
    asked = len(scores) + missing
    counted = scores["hits"].notna().to_numpy()
    marked = scores[[name for name in scores if not str(name).startswith("attr_")]].assign(condition="asked")
    marked[_SIDE] = np.where(of_group, _GROUP, _OTHERS)
    settings = CompareSettings(
        group=_SIDE, baseline="asked", reference=_OTHERS, intersections=(), alpha=alpha, resamples=0
    )
    if len(set(of_group[counted])) < 2:
        raise RoomtoneError(f"{failed} of {asked} recordings got no answer, and one side has none at all")
    row = compare_as(marked, settings).gaps.set_index(_SIDE).to_dict("index")[_GROUP]
    low, high, least = float(row["gap_low"]), float(row["gap_high"]), claim.points / 100
    verdict = UPHELD if low >= least else NOT_UPHELD if high < least else CANNOT_BE_TOLD
    if failed > MOST_FAILED * asked:
        verdict = CANNOT_BE_TOLD
    return Ruling(
        verdict, float(row["gap"]), low, high, float(row["wer"]), float(row["reference_wer"]), int(row["words"]), int(row["reference_words"]),
        int(row["speakers"]), int(row["reference_speakers"]), asked, failed, alpha,
    )  # fmt: skip
