"""Speakers that the search does not see, and the certificates whose numbers come from them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from roomtone.core.errors import RoomtoneError
from roomtone.fairness.recognisers import public_identity
from roomtone.fairness.settings import Settings
from roomtone.fairness.slices.certificate import certify, write_certificate
from roomtone.fairness.slices.predicates import parse_predicate

if TYPE_CHECKING:
    import pandas as pd


def held_out(scores: pd.DataFrame, settings: Settings) -> np.ndarray:
    """Return which rows are of speakers that the search does not see: the share `holdout` of each group, by hash of their names.

    Args:
        scores: counts with the label columns beside them.
        settings: `holdout` is the share of speakers; `seed` decides which.

    Raises:
        RoomtoneError: `holdout` is not a share below 1.
    """
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


def write_certificates(found: pd.DataFrame, scores: pd.DataFrame, settings: Settings, folder: Path) -> tuple[Path, ...]:
    """Write a certificate for each named slice; with a holdout its numbers are those of speakers the search has not seen.

    Args:
        found: slices of the search.
        scores: counts with labels and hypotheses beside them.
        settings: of the evaluation.
        folder: to write in; certificates that are there already are removed.
    """
    for stale in folder.glob("certificate-*.json"):
        stale.unlink()
    if settings.subgroups.outcome != "excess":
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
                recogniser=public_identity(settings.asr),
                hypotheses=heard,
                baseline=settings.baseline,
            )
        except RoomtoneError:
            continue  # the held-out speakers have no sample in the slice: nothing to certify
        written.append(write_certificate(made, folder / f"certificate-{len(written) + 1}.json"))
    return tuple(written)
