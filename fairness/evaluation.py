"""From a set to verdicts: transcribe or read hypotheses, score, compare, search, certify. One call does what the command does."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError, TooManyRejectedError
from roomtone.fairness.comparison.compare import Comparison, compare_as
from roomtone.fairness.comparison.poisson import PoissonModel, poisson_interaction
from roomtone.fairness.exports.csv import neutralise
from roomtone.fairness.recognisers.transcription import transcribe
from roomtone.fairness.report.notes import notes
from roomtone.fairness.results import evaluation_dir, local_set, write_scores
from roomtone.fairness.scoring.paired import paired_tests
from roomtone.fairness.scoring.score import read_hypotheses, score, with_labels
from roomtone.fairness.settings import Settings
from roomtone.fairness.slices.holdout import held_out, write_certificates
from roomtone.fairness.slices.search import COLUMNS, search_as

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Evaluation", "Settings", "evaluate", "score_dataset"]


@dataclass(frozen=True)
class Evaluation:
    """Everything an evaluation found; `scores` has the manifest's labels and the hypotheses beside the counts."""

    dataset: Path
    folder: Path
    settings: Settings
    scores: pd.DataFrame
    comparison: Comparison
    model: PoissonModel | None
    model_note: str
    pairs: pd.DataFrame
    subgroups: pd.DataFrame
    subgroups_note: str
    certificates: tuple[Path, ...]
    notes: tuple[str, ...]

    @property
    def failed(self) -> int:
        """Return the number of samples without a hypothesis."""
        return int(self.scores["reason"].notna().sum())


def evaluate(dataset: str | Path, settings: Settings) -> Evaluation:
    """Return the evaluation of a set; writes its tables and certificates below `DATASET/evaluation/`.

    Args:
        dataset: the dataset folder.
        settings: what is asked.

    Raises:
        RoomtoneError: as `score_dataset` and `compare`.
        TooManyRejectedError: as `score_dataset`.
    """
    home = local_set(dataset)
    scores = score_dataset(home, settings)
    comparison = compare_as(scores, settings.comparison)
    model, model_note = _model(scores, settings)
    found, note = _search(scores, settings)
    folder = evaluation_dir(home)
    certificates = write_certificates(found, scores, settings, folder)
    pairs = paired_tests(scores, settings)
    result = Evaluation(
        home, folder, settings, scores, comparison, model, model_note, pairs, found, note, certificates, notes(scores, settings)
    )  # fmt: skip
    _write_tables(result)
    return result


def score_dataset(dataset: Path, settings: Settings) -> pd.DataFrame:
    """Return the scored samples of a set, hypotheses and the manifest's columns beside them; writes `evaluation/scores/`.

    Args:
        dataset: the dataset folder.
        settings: what is asked; `asr` must name a recogniser.

    Returns:
        One row a sample: the manifest's columns, the columns of `score`, and `hypothesis`.

    Raises:
        RoomtoneError: no set, wrong settings, or hypotheses that do not fit.
        TooManyRejectedError: more samples failed than `max_failed` allows.
    """
    manifest = read_manifest(dataset)
    if manifest.empty:
        raise RoomtoneError(f"{dataset}: the set holds no samples")
    answers = _answers(manifest, dataset, settings)
    counts = score(manifest, answers, settings.normalizer, allow_missing=settings.allow_missing)
    known = answers.astype({"sample_id": str}).drop_duplicates("sample_id")
    write_scores(evaluation_dir(dataset), counts, known)
    _check_failures(counts, settings)
    scored = with_labels(counts, manifest)
    return scored.merge(known[["sample_id", "hypothesis"]], on="sample_id", how="left")


def _answers(manifest: pd.DataFrame, dataset: Path, settings: Settings) -> pd.DataFrame:
    """Return `sample_id, hypothesis` and, where there is one, `reason`: from a file, or from a recogniser."""
    if settings.asr.get("recogniser") != "hypotheses":
        return transcribe(
            manifest, dataset, settings.asr, evaluation_dir(dataset) / "hypotheses", workers=settings.workers,
            retry_failed=settings.retry_failed, progress=settings.progress,
        )  # fmt: skip
    if not settings.asr.get("path"):
        raise RoomtoneError("asr=hypotheses needs a file: path=FILE with the columns sample_id and hypothesis")
    return read_hypotheses(settings.asr["path"])


def _check_failures(counts: pd.DataFrame, settings: Settings) -> None:
    failed = counts["reason"].notna()
    if settings.allow_missing:
        failed &= counts["reason"] != "no hypothesis"
    if failed.mean() > settings.max_failed:
        reasons = counts.loc[failed, "reason"].value_counts()
        raise TooManyRejectedError(
            f"{int(failed.sum())} of {len(counts)} samples have no hypothesis, more than max_failed={settings.max_failed:g} allows;"
            f" most often: {reasons.index[0]} ({reasons.iloc[0]} times)"
        )


def _model(scores: pd.DataFrame, settings: Settings) -> tuple[PoissonModel | None, str]:
    try:
        model = poisson_interaction(
            scores, group=settings.group, condition=settings.condition, baseline=settings.baseline, speaker=settings.speaker,
            reference=settings.reference,
        )  # fmt: skip
    except RoomtoneError as error:
        return None, str(error)
    return model, ""


def _search(scores: pd.DataFrame, settings: Settings) -> tuple[pd.DataFrame, str]:
    import pandas as pd

    part = scores[~held_out(scores, settings)]
    try:
        found = search_as(part, settings.subgroups, settings.comparison)
    except RoomtoneError as error:
        return pd.DataFrame(columns=list(COLUMNS)), str(error)
    return found, ""


def _write_tables(result: Evaluation) -> None:
    tables = {
        "cells": result.comparison.cells, "gaps": result.comparison.gaps, "mapsswe": result.pairs, "subgroups": result.subgroups,
        "interaction": result.model.terms if result.model is not None else None,
    }  # fmt: skip
    for name, table in tables.items():
        if table is not None:
            table.map(neutralise).to_csv(result.folder / f"{name}.csv", index=False)
    found = result.comparison.gaps["verdict"].value_counts().to_dict() if len(result.comparison.gaps) else {}
    summary = {
        "samples": len(result.scores), "failed": result.failed, "normalizer": str(result.scores["normalizer"].iloc[0]),
        "recogniser": dict(result.settings.asr), "settings": dict(result.comparison.settings), "verdicts": found,
        "named_slices": result.subgroups.loc[result.subgroups["named"].astype(bool), "slice"].tolist(),
        "dispersion": None if result.model is None else result.model.dispersion,
        "interaction_p": None if result.model is None else result.model.interaction_p, "notes": list(result.notes),
    }  # fmt: skip
    (result.folder / "evaluation.json").write_text(
        json.dumps(summary, indent=2, default=str, ensure_ascii=False) + "\n", encoding="utf-8"
    )
