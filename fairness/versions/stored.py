"""An evaluation as `roomtone evaluate` left it in a folder: its scores with the set's labels, and what was chosen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.bounded.regular_files import read_json
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.fairness.results import FOLDER, read_scores
from roomtone.fairness.scoring.score import with_labels

if TYPE_CHECKING:
    import pandas as pd

_SUMMARY = "evaluation.json"


@dataclass(frozen=True)
class StoredEvaluation:
    """One evaluation of a set.

    Attributes:
        folder: where it lies.
        name: what it is called beside another one.
        scores: one row a sample: the set's labels and the counts.
        recogniser: what decided the hypotheses.
        settings: the choices of its comparison.
    """

    folder: Path
    name: str
    scores: pd.DataFrame
    recogniser: Mapping[str, Any]
    settings: Mapping[str, Any]


def read_stored(place: str | os.PathLike[str], name: str = "") -> StoredEvaluation:
    """Return the evaluation that lies in a folder.

    Args:
        place: a folder that `evaluate` wrote, or a set whose folder `evaluation/` is meant.
        name: what it is called; default the folder's name, of a set's only evaluation the set's.

    Raises:
        RoomtoneError: no evaluation lies there, or the set beside it lacks samples that it has scored.
    """
    folder = Path(place)
    if (folder / FOLDER / _SUMMARY).is_file():
        folder = folder / FOLDER
    try:
        summary = read_json(folder / _SUMMARY)
        recogniser, settings = dict(summary["recogniser"]), dict(summary["settings"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RoomtoneError(
            f"{place}: no evaluation lies there; make one with roomtone evaluate dataset=SET to=SET/{FOLDER}-NAME"
        ) from error
    scores = read_scores(folder)
    if scores is None:
        raise RoomtoneError(f"{folder}: its scores are missing; evaluate the set again")
    labelled = with_labels(scores, read_manifest(folder.parent))
    condition = str(settings.get("condition", "condition"))
    if condition not in labelled:
        raise RoomtoneError(
            f"{folder}: condition: there is no column {condition!r}; {nearest(condition, map(str, labelled.columns))}"
        )
    unknown = int(labelled[condition].isna().sum())
    if unknown:
        raise RoomtoneError(f"{folder}: {unknown} of its {len(scores)} samples are not in the set {folder.parent}")
    called = name or (
        folder.name.removeprefix(f"{FOLDER}-") if folder.name != FOLDER else str(recogniser["recogniser"])
    )
    return StoredEvaluation(folder, called, labelled, recogniser, settings)


def paired(before: StoredEvaluation, after: StoredEvaluation) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Return the scores of the samples that both have counted, in the same order, and how many only one of them has.

    Args:
        before: one evaluation.
        after: another one of the same set.

    Raises:
        RoomtoneError: no sample in common, other words of a sample's reference, or texts that became words in another way.
    """
    one, other = (e.scores.dropna(subset=["words"]).set_index("sample_id") for e in (before, after))
    scored = [frame.index[frame["hits"].notna()] for frame in (one, other)]
    both = scored[0].intersection(scored[1])
    if both.empty:
        raise RoomtoneError(f"{before.folder} and {after.folder} have no sample in common: they are of different sets")
    one, other = one.loc[both], other.loc[both]
    ways = {name for frame in (one, other) for name in frame["normalizer"].dropna()}
    if len(ways) > 1 and (one["normalizer"] != other["normalizer"]).any():
        raise RoomtoneError(
            f"texts became words in different ways ({', '.join(sorted(ways))}); evaluate both with the same normalizer=…"
        )
    only = len(scored[0].union(scored[1])) - len(both)
    return one.reset_index(), other.reset_index(), only
