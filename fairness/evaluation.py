"""From a set to verdicts: transcribe or read hypotheses, score, compare, search, certify, report. One call does what the command does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError, TooManyRejectedError
from roomtone.fairness.comparison.compare import Comparison, compare
from roomtone.fairness.comparison.poisson import PoissonModel, poisson_interaction
from roomtone.fairness.exports.csv import neutralise
from roomtone.fairness.recognisers.transcription import transcribe
from roomtone.fairness.results import evaluation_dir, local_set, write_scores
from roomtone.fairness.scoring.alignment import align
from roomtone.fairness.scoring.mapsswe import mapsswe, segment_errors
from roomtone.fairness.scoring.normalize import normalizer as find_normalizer
from roomtone.fairness.scoring.score import read_hypotheses, score, with_labels
from roomtone.fairness.slices.certificate import certify, write_certificate
from roomtone.fairness.slices.predicates import parse_predicate
from roomtone.fairness.slices.search import find_subgroups

if TYPE_CHECKING:
    import pandas as pd

#: Samples above which the pairwise test is left out: it aligns every sentence a second time.
_MOST_PAIRED = 200_000


@dataclass(frozen=True)
class Settings:
    """What `roomtone evaluate` was asked; the fields are the keys of `conf/evaluate.yaml`."""

    asr: Mapping[str, Any]
    normalizer: str = "basic"
    group: str = "accent"
    condition: str = "condition"
    speaker: str = "speaker"
    baseline: str = "clean"
    reference: str | None = None
    scale: str = "difference"
    smallest_gap: float = 0.05
    smallest_ratio: float = 1.25
    declared: Sequence[tuple[str, str]] | None = None
    alpha: float = 0.05
    power: float = 0.8
    resamples: int = 2000
    seed: int = 0
    subgroups: Mapping[str, Any] = field(default_factory=dict)
    holdout: float = 0.0
    allow_missing: bool = False
    retry_failed: bool = False
    max_failed: float = 0.1
    workers: int | None = None
    progress: bool = False


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


def score_dataset(dataset: Path, settings: Settings) -> pd.DataFrame:
    """Return the scored samples of a set, hypotheses and the manifest's columns beside them; writes `evaluation/scores/`.

    Raises:
        RoomtoneError: no set, wrong settings, or hypotheses that do not fit.
        TooManyRejectedError: more samples failed than `max_failed` allows.
    """
    manifest = read_manifest(dataset)
    if manifest.empty:
        raise RoomtoneError(f"{dataset}: the set holds no samples")
    if settings.asr.get("recogniser") == "hypotheses":
        if not settings.asr.get("path"):
            raise RoomtoneError("asr=hypotheses needs a file: path=FILE with the columns sample_id and hypothesis")
        answers = read_hypotheses(settings.asr["path"])
    else:
        answers = transcribe(
            manifest, dataset, settings.asr, evaluation_dir(dataset) / "hypotheses", workers=settings.workers,
            retry_failed=settings.retry_failed, progress=settings.progress,
        )  # fmt: skip
    counts = score(manifest, answers, settings.normalizer, allow_missing=settings.allow_missing)
    known = answers.astype({"sample_id": str}).drop_duplicates("sample_id")
    write_scores(evaluation_dir(dataset), counts, known)
    _check_failures(counts, settings)
    scored = with_labels(counts, manifest)
    return scored.merge(known[["sample_id", "hypothesis"]], on="sample_id", how="left")


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


def evaluate(dataset: str | Path, settings: Settings) -> Evaluation:
    """Return the evaluation of a set; writes its tables and certificates below `DATASET/evaluation/`.

    Raises:
        RoomtoneError: as `score_dataset` and `compare`.
    """
    home = local_set(dataset)
    scores = score_dataset(home, settings)
    comparison = compare(
        scores, group=settings.group, condition=settings.condition, baseline=settings.baseline, speaker=settings.speaker,
        seed=settings.seed, reference=settings.reference, scale=settings.scale, smallest_gap=settings.smallest_gap,
        smallest_ratio=settings.smallest_ratio, declared=settings.declared, alpha=settings.alpha, power=settings.power,
        resamples=settings.resamples,
    )  # fmt: skip
    model, model_note = _model(scores, settings)
    found, note = _search(scores, settings)
    folder = evaluation_dir(home)
    certificates = _certificates(found, scores, settings, folder)
    result = Evaluation(
        home, folder, settings, scores, comparison, model, model_note, paired_tests(scores, settings), found, note, certificates,
        notes(scores, settings),
    )  # fmt: skip
    _write_tables(result)
    return result


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

    from roomtone.fairness.slices.search import COLUMNS

    part = scores[~held_out(scores, settings)]
    try:
        found = find_subgroups(
            part, group=settings.group, condition=settings.condition, baseline=settings.baseline, speaker=settings.speaker,
            alpha=settings.alpha, **settings.subgroups,
        )  # fmt: skip
    except RoomtoneError as error:
        return pd.DataFrame(columns=list(COLUMNS)), str(error)
    return found, ""


def held_out(scores: pd.DataFrame, settings: Settings) -> np.ndarray:
    """Return which rows are of speakers that the search does not see: the share `holdout` of each group, by hash of their names."""
    if not 0 <= settings.holdout < 1:
        raise RoomtoneError(f"holdout: a share of speakers, at least 0 and below 1, got {settings.holdout!r}")
    out = np.zeros(len(scores), dtype=bool)
    if settings.holdout == 0:
        return out
    for _, part in scores.groupby(settings.group, dropna=False):
        people = sorted(
            set(part[settings.speaker].dropna().map(str)), key=lambda name: _hash(f"{settings.seed}/{name}")
        )
        chosen = set(people[: round(settings.holdout * len(people))])
        out |= (scores[settings.speaker].map(str).isin(chosen) & scores.index.isin(part.index)).to_numpy()
    return out


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _certificates(found: pd.DataFrame, scores: pd.DataFrame, settings: Settings, folder: Path) -> tuple[Path, ...]:
    """Write a certificate for each named slice; with a holdout its numbers are those of speakers the search has not seen."""
    for stale in folder.glob("certificate-*.json"):
        stale.unlink()
    if "outcome" in settings.subgroups and settings.subgroups["outcome"] != "excess":
        return ()
    out = held_out(scores, settings)
    part = scores[out] if out.any() else scores
    heard = dict(zip(scores["sample_id"].astype(str), scores["hypothesis"]))
    written: list[Path] = []
    for row in found[found["named"]].to_dict("records"):
        try:
            made = certify(
                part,
                parse_predicate(row["predicate"]),
                recogniser=dict(settings.asr),
                hypotheses=heard,
                baseline=settings.baseline,
            )
        except RoomtoneError:
            continue  # the held-out speakers have no sample in the slice: nothing to certify
        written.append(write_certificate(made, folder / f"certificate-{len(written) + 1}.json"))
    return tuple(written)


def paired_tests(scores: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """Return MAPSSWE of each condition against the baseline, for each group and for all: the same sentences, two renders."""
    import pandas as pd

    columns = [settings.group, settings.condition, "segments", "mean", "sd", "z", "p", "method"]
    if "utterance_id" not in scores or len(scores) > _MOST_PAIRED:
        return pd.DataFrame(columns=columns)
    words_of = find_normalizer(settings.normalizer).words
    usable = scores[scores["hypothesis"].notna() & scores["text"].notna()]
    clean = (
        usable[usable[settings.condition] == settings.baseline]
        .drop_duplicates("utterance_id")
        .set_index("utterance_id")
    )
    aligned = {
        name: align(words_of(text), words_of(heard))
        for name, text, heard in zip(clean.index, clean["text"], clean["hypothesis"])
    }
    segments: dict[tuple[str, str], list[tuple[int, int]]] = {}
    rest = usable[(usable[settings.condition] != settings.baseline) & usable["utterance_id"].isin(aligned)]
    for group, condition, name, text, heard in zip(
        rest[settings.group], rest[settings.condition], rest["utterance_id"], rest["text"], rest["hypothesis"]
    ):
        found = segment_errors(align(words_of(text), words_of(heard)), aligned[name])
        for label in (str(group), "all"):
            segments.setdefault((label, str(condition)), []).extend(found)
    rows = [{settings.group: g, settings.condition: c} | vars(mapsswe(s)) for (g, c), s in sorted(segments.items())]
    return pd.DataFrame(rows, columns=columns)


def notes(scores: pd.DataFrame, settings: Settings) -> tuple[str, ...]:
    """Return what must be said before any number: too few groups or speakers, synthetic speech, coverage lost."""
    said = []
    groups = scores[settings.group].dropna().nunique()
    people = scores[settings.speaker].dropna().nunique()
    if people == 0:
        said.append("The speakers are not known: rates are shown, but no interval and no claim about any group.")
    elif people == 1:
        said.append(
            "There is one speaker: whatever differs may be this person, and nothing can be said about any group."
        )
    if groups < 2:
        named = f"one {settings.group}" if groups == 1 else f"no {settings.group} at all"
        said.append(
            f"The set holds {named}, so there is nothing to hold against another: no claim about {settings.group}s is made."
        )
    if "speech_origin" in scores and (scores["speech_origin"] == "synthetic").any():
        share = (scores["speech_origin"] == "synthetic").mean()
        which = "All" if share == 1 else f"{100 * share:.0f} % of"
        said.append(
            f"{which} of this speech is synthetic: the figures prove that the pipeline works, not how this recogniser treats people."
            if share == 1
            else f"{which} this speech is synthetic, and says nothing about how this recogniser treats people."
        )
    failed = scores["reason"].dropna()
    if len(failed):
        most = failed.value_counts()
        said.append(
            f"{len(failed)} of {len(scores)} samples have no hypothesis and are not in any rate; most often: {most.index[0]}"
            f" ({most.iloc[0]} times). A recogniser that fails where it is hard looks better than it is."
        )
    empty = int((scores["words"] == 0).sum())
    if empty:
        said.append(
            f"{empty} samples have an empty reference: what was heard in them counts as insertions over no words."
        )
    return tuple(said)


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
