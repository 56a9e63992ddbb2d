"""From scored samples to counts of each speaker in each condition, which is all that the statistics see.

A group is the speakers of one accent (or other label). Baseline counts are those of the very utterances that a condition holds,
so that a design which gives each utterance only some conditions is compared with the same words in clean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = "unknown"
_SUMMED = ("errors", "words")


@dataclass(frozen=True)
class GroupCounts:
    """Counts of one group; arrays are [shape=(speakers, conditions)]. Without known speakers all of it is one row."""

    errors: np.ndarray
    words: np.ndarray
    paired_errors: np.ndarray
    paired_words: np.ndarray
    base_errors: np.ndarray
    base_words: np.ndarray
    speakers_known: bool

    @property
    def speakers(self) -> np.ndarray:
        """Return the number of known speakers with words in each condition."""
        return (self.words > 0).sum(axis=0) * int(self.speakers_known)

    @staticmethod
    def pool(groups: Sequence[GroupCounts]) -> GroupCounts:
        """Return several groups as one."""
        names = ("errors", "words", "paired_errors", "paired_words", "base_errors", "base_words")
        arrays = {name: np.concatenate([getattr(g, name) for g in groups]) for name in names}
        return GroupCounts(**arrays, speakers_known=all(g.speakers_known for g in groups))


def prepare(
    scores: pd.DataFrame, *, group: str, condition: str, speaker: str, baseline: str, utterance: str
) -> pd.DataFrame:
    """Return the rows with the columns `group, condition, speaker, utterance, errors, words, failed`.

    Raises:
        RoomtoneError: a column is missing, nothing is scored, or no row is in the baseline.
    """
    import pandas as pd

    for name in (group, condition, speaker, "words"):
        if name not in scores:
            raise RoomtoneError(
                f"compare: the scores have no column {name!r}; {nearest(name, map(str, scores.columns))}"
                " (put the manifest's labels beside the counts with with_labels)"
            )
    rows = pd.DataFrame({"group": scores[group], "condition": scores[condition], "speaker": scores[speaker]}).astype(
        object
    )
    rows["group"] = rows["group"].where(rows["group"].notna(), UNKNOWN).map(str)
    rows["utterance"] = scores[utterance].to_numpy() if utterance in scores else None
    rows["errors"] = _errors(scores)
    rows["words"] = scores["words"].astype("Float64").astype(float).to_numpy()
    rows["failed"] = rows["errors"].isna()
    if rows["failed"].all():
        raise RoomtoneError(f"compare: none of the {len(rows)} samples has been scored")
    if rows["condition"].isna().any():
        raise RoomtoneError(f"compare: {int(rows['condition'].isna().sum())} samples have no condition")
    rows["condition"] = rows["condition"].map(str)
    if baseline not in set(rows["condition"]):
        raise RoomtoneError(
            f"baseline: no sample is in the condition {baseline!r}; {nearest(baseline, set(rows['condition']))}"
        )
    return rows


def _errors(scores: pd.DataFrame) -> np.ndarray:
    if "errors" in scores:
        errors = scores["errors"].astype("Float64")
    else:
        kinds = ("substitutions", "deletions", "insertions")
        for name in kinds:
            if name not in scores:
                raise RoomtoneError(
                    f"compare: the scores have no column {name!r}; {nearest(name, map(str, scores.columns))}"
                )
        substitutions, deletions, insertions = (scores[name].astype("Float64") for name in kinds)
        errors = substitutions + deletions + insertions
    values: np.ndarray = errors.astype(float).to_numpy()
    return values


def count_groups(rows: pd.DataFrame, baseline: str, conditions: Sequence[str]) -> dict[str, GroupCounts]:
    """Return the counts of each group by its name; rows without a speaker are left out where others of the group have one."""
    scored = rows[~rows["failed"]]
    return {str(name): _count(part, baseline, conditions) for name, part in scored.groupby("group", sort=True)}


def _count(part: pd.DataFrame, baseline: str, conditions: Sequence[str]) -> GroupCounts:
    known = bool(part["speaker"].notna().any())
    part = part[part["speaker"].notna()].copy() if known else part.assign(speaker=UNKNOWN)
    speakers = sorted(part["speaker"].unique(), key=str)
    if part["utterance"].isna().any():
        # nothing says which utterance is which: the speaker's whole baseline stands against each condition
        paired, base = part, _every_condition(part, baseline, conditions)
    else:
        paired, base = _pair_utterances(part, baseline)
    tables = [_table(frame, speakers, conditions) for frame in (part, paired, base)]
    (errors, words), (paired_errors, paired_words), (base_errors, base_words) = tables
    return GroupCounts(errors, words, paired_errors, paired_words, base_errors, base_words, known)


def _pair_utterances(part: pd.DataFrame, baseline: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows whose utterance is in the baseline too, and the baseline counts of each condition's utterances."""
    keys = ["speaker", "utterance"]
    clean = part[part["condition"] == baseline].groupby(keys, as_index=False)[list(_SUMMED)].sum()
    pairs = part[[*keys, "condition"]].drop_duplicates().merge(clean, on=keys)
    return part.merge(clean[keys], on=keys), pairs


def _every_condition(part: pd.DataFrame, baseline: str, conditions: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    clean = part[part["condition"] == baseline]
    return pd.concat([clean.assign(condition=name) for name in conditions])


def _table(rows: pd.DataFrame, speakers: list[Any], conditions: Sequence[str]) -> list[np.ndarray]:
    sums = rows.groupby(["speaker", "condition"])[list(_SUMMED)].sum()
    return [
        sums[name].unstack("condition").reindex(index=speakers, columns=list(conditions)).fillna(0.0).to_numpy(float)
        for name in _SUMMED
    ]
