"""From a set to verdicts: transcribe or read hypotheses, score, compare, search, certify. One call does what the command does."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError, TooManyRejectedError, nearest
from roomtone.core.files import refuse_links, write_whole
from roomtone.fairness.comparison.compare import SEVERAL, Comparison, compare_as
from roomtone.fairness.comparison.outcome_scores import SHORTFALL, read_outcome
from roomtone.fairness.comparison.outcomes import intersection_columns
from roomtone.fairness.comparison.poisson import PoissonModel, poisson_interaction
from roomtone.fairness.recognisers import make_recogniser, public_identity
from roomtone.fairness.recognisers.transcription import transcribe
from roomtone.fairness.report.caveats import caveats
from roomtone.fairness.results import evaluation_dir, local_set, write_scores, write_table
from roomtone.fairness.scoring.edits import lost_words
from roomtone.fairness.scoring.formatting import Formatting, other_normalizers
from roomtone.fairness.scoring.hypotheses import read_hypotheses
from roomtone.fairness.scoring.normalize import normalizer_for
from roomtone.fairness.scoring.paired import paired_tests
from roomtone.fairness.scoring.score import score, with_labels
from roomtone.fairness.scoring.terms import count_terms, read_terms
from roomtone.fairness.settings import Settings
from roomtone.fairness.slices.holdout import held_out, write_certificates
from roomtone.fairness.slices.search import COLUMNS, search_as

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Evaluation", "Settings", "evaluate", "score_dataset"]

_HYPOTHESES = "hypotheses"


@dataclass(frozen=True)
class Evaluation:
    """Everything an evaluation found.

    Attributes:
        dataset, folder: of the set, and of what was written.
        settings: what was asked.
        scores: one row a sample: the manifest's labels, the counts and the hypotheses.
        comparison: gaps and verdicts.
        model, model_note: the Poisson model, or why there is none.
        pairs: MAPSSWE of each condition with the baseline.
        words: the words lost and what they were taken for.
        terms: critical terms by group and condition; empty where none were given.
        formatting: what other normalisers would count.
        subgroups, subgroups_note: slices that were tested, or why there are none; and what was not searched.
        certificates: paths of those that were written.
        decoding: how the recogniser decodes, in words.
        notes: what must be said before any number.
    """

    dataset: Path
    folder: Path
    settings: Settings
    scores: pd.DataFrame
    comparison: Comparison
    model: PoissonModel | None
    model_note: str
    pairs: pd.DataFrame
    words: pd.DataFrame
    terms: pd.DataFrame
    formatting: Formatting
    subgroups: pd.DataFrame
    subgroups_note: str
    certificates: tuple[Path, ...]
    decoding: str
    notes: tuple[str, ...]

    @property
    def failed(self) -> int:
        """Return the number of samples without a hypothesis or without a transcript."""
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
    import pandas as pd

    home = local_set(dataset)
    scores = score_dataset(home, settings)
    terms = pd.DataFrame()
    if settings.terms is not None:
        each, terms = count_terms(scores, read_terms(settings.terms), settings)
        scores = scores.assign(**{str(name): each[name] for name in each})
    if settings.outcome is not None:
        scores = scores.assign(**{SHORTFALL: read_outcome(settings.outcome, scores["sample_id"])})
    comparison = compare_as(scores, settings.comparison)
    model, model_note = _model(scores, settings, comparison)
    found, note = _search(scores, settings)
    folder = evaluation_dir(home, settings.to)
    formatting = other_normalizers(scores, settings)
    result = Evaluation(
        home, folder, settings, scores, comparison, model, model_note, paired_tests(scores, settings), lost_words(scores, settings), terms,
        formatting, found, note, write_certificates(found, scores, settings, folder), _decoding(settings),
        caveats(scores, settings, comparison, formatting),
    )  # fmt: skip
    _write_tables(result)
    return result


def score_dataset(dataset: Path, settings: Settings) -> pd.DataFrame:
    """Return the scored samples of a set, hypotheses and the manifest's columns beside them; writes `evaluation/scores/`.

    Settings are checked against the set before the first recording is transcribed.

    Args:
        dataset: the dataset folder.
        settings: what is asked; `asr` must name a recogniser.

    Returns:
        One row a sample: the manifest's columns, the columns of `score`, `hypothesis`, and `seconds` of transcribing where known.

    Raises:
        RoomtoneError: no set, a link in its `evaluation/`, wrong settings, or hypotheses that do not fit.
        TooManyRejectedError: more samples failed than `max_failed` allows.
    """
    folder = evaluation_dir(dataset, settings.to)
    refuse_links(folder)
    manifest = read_manifest(dataset)
    if manifest.empty:
        raise RoomtoneError(f"{dataset}: the set holds no samples")
    check_settings(manifest, settings)
    answers = _answers(manifest, dataset, settings)
    counts = score(manifest, answers, settings.normalizer, allow_missing=settings.allow_missing)
    known = answers.astype({"sample_id": str}).drop_duplicates("sample_id")
    write_scores(folder, counts, known)
    _check_failures(counts, settings)
    scored = with_labels(counts, manifest)
    columns = ["sample_id", "hypothesis", *(["seconds"] if "seconds" in known else [])]
    return scored.merge(known[columns], on="sample_id", how="left")


def check_settings(manifest: pd.DataFrame, settings: Settings) -> None:
    """Check everything that is asked against the set, before anything that takes time.

    Args:
        manifest: of the set.
        settings: what is asked.

    Raises:
        RoomtoneError: an unknown column, baseline, reference, declared pair or normaliser; a file of terms or outcomes, or a recogniser that cannot be used.
    """
    for name in ("group", "condition", "speaker"):
        if getattr(settings, name) not in manifest:
            known = nearest(getattr(settings, name), map(str, manifest.columns))
            raise RoomtoneError(f"{name}: the set has no column {getattr(settings, name)!r}; {known}")
    conditions = set(manifest[settings.condition].dropna().map(str))
    groups = set(manifest[settings.group].dropna().map(str))
    if settings.group == SEVERAL:
        groups = {one for name in groups for one in name.split("|")}
    if settings.baseline not in conditions:
        raise RoomtoneError(
            f"baseline: no sample is in the condition {settings.baseline!r}; {nearest(settings.baseline, conditions)}"
        )
    if settings.reference is not None and settings.reference not in groups:
        raise RoomtoneError(
            f"reference: no group is called {settings.reference!r}; {nearest(settings.reference, groups)}"
        )
    for group, condition in settings.declared or ():
        if group not in groups or condition not in conditions:
            hint = nearest(str(group), groups) if group not in groups else nearest(str(condition), conditions)
            raise RoomtoneError(f"declared: there is no comparison of {group!r} in {condition!r}; {hint}")
    intersection_columns(manifest, settings)
    normalizer_for(settings.normalizer, None)
    if settings.terms is not None:
        read_terms(settings.terms)
    if settings.outcome is not None:
        read_outcome(settings.outcome, manifest["sample_id"])
    _decoding(settings)


def _decoding(settings: Settings) -> str:
    """Return how the recogniser decodes, in words; this also checks its settings."""
    if settings.asr.get("recogniser") == _HYPOTHESES:
        if not settings.asr.get("path"):
            raise RoomtoneError("asr=hypotheses needs a file: path=FILE with the columns sample_id and hypothesis")
        return "hypotheses from a file; how they were decoded is not known here"
    return make_recogniser(settings.asr).decoding


def _answers(manifest: pd.DataFrame, dataset: Path, settings: Settings) -> pd.DataFrame:
    """Return `sample_id, hypothesis` and, where there are any, `reason` and `seconds`: from a file, or from a recogniser."""
    if settings.asr.get("recogniser") == _HYPOTHESES:
        return read_hypotheses(settings.asr["path"])
    return transcribe(
        manifest, dataset, settings.asr, evaluation_dir(dataset, settings.to) / _HYPOTHESES, workers=settings.workers,
        retry_failed=settings.retry_failed, trust_stored=settings.trust_stored, progress=settings.progress,
    )  # fmt: skip


def _check_failures(counts: pd.DataFrame, settings: Settings) -> None:
    failed = counts["reason"].notna() & counts["words"].notna()
    if settings.allow_missing:
        failed &= counts["reason"] != "no hypothesis"
    if failed.mean() > settings.max_failed:
        reasons = counts.loc[failed, "reason"].value_counts()
        raise TooManyRejectedError(
            f"{int(failed.sum())} of {len(counts)} samples have no hypothesis, more than max_failed={settings.max_failed:g} allows;"
            f" most often: {reasons.index[0]} ({reasons.iloc[0]} times)"
        )


def _model(scores: pd.DataFrame, settings: Settings, comparison: Comparison) -> tuple[PoissonModel | None, str]:
    try:
        model = poisson_interaction(
            scores, group=settings.group, condition=settings.condition, baseline=settings.baseline, speaker=settings.speaker,
            reference=settings.reference, permutations=0,
        )  # fmt: skip
    except RoomtoneError as error:
        return None, str(error)
    p, smallest = comparison.interaction_p, float(comparison.facts["smallest_p"])
    return replace(model, interaction_p=p if p == p and smallest <= settings.alpha else None), ""


def _search(scores: pd.DataFrame, settings: Settings) -> tuple[pd.DataFrame, str]:
    import pandas as pd

    part = scores[~held_out(scores, settings)]
    try:
        found = search_as(part, settings.subgroups, settings.comparison)
    except RoomtoneError as error:
        return pd.DataFrame(columns=list(COLUMNS)), str(error)
    return found, found.attrs["note"]


def _write_tables(result: Evaluation) -> None:
    c = result.comparison
    tables = {
        "cells": c.cells, "gaps": c.gaps, "accents": c.accents, "conditions": c.conditions, "levels": c.levels, "findings": c.findings,
        "hallucination": c.hallucination, "failures": c.failures, "intersections": c.intersections, "term_gaps": c.terms, "outcome_gaps": c.outcome,
        "terms": result.terms, "lost_words": result.words, "mapsswe": result.pairs, "subgroups": result.subgroups,
        "interaction": result.model.terms if result.model is not None else None,
    }  # fmt: skip
    for name, table in tables.items():
        if table is not None and len(table.columns):
            write_table(table, result.folder / f"{name}.csv")
    found = c.gaps["verdict"].value_counts().to_dict() if len(c.gaps) else {}
    summary = {
        "samples": len(result.scores), "failed": result.failed, "normalizer": "; ".join(sorted(result.scores["normalizer"].unique())),
        "recogniser": public_identity(result.settings.asr), "decoding": result.decoding, "settings": dict(c.settings), "verdicts": found,
        "findings": c.findings["statement"].tolist(), "facts": dict(c.facts),
        "named_slices": result.subgroups.loc[result.subgroups["named"].astype(bool), "slice"].tolist(),
        "dispersion": None if result.model is None else result.model.dispersion,
        "interaction_p": None if result.model is None else result.model.interaction_p, "notes": list(result.notes),
    }  # fmt: skip
    text = json.dumps(summary, indent=2, default=str, ensure_ascii=False)
    write_whole(result.folder / "evaluation.json", f"{text}\n".encode())
