"""The steps of a question: which levels of a factor lie where, and the samples that are in every one of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.vocabulary import FACTORS, NONE
from roomtone.fairness.thresholds.asked import Question

if TYPE_CHECKING:
    import pandas as pd

#: `babble@-5dB` is an SNR, `babble@env65dBA` a level in the room.
_LEVEL = re.compile(r"(?P<name>.+)@(?P<room>env)?(?P<number>[-+]?\d+(?:\.\d+)?)(?P<unit>dBA?)")
_SNR, _IN_ROOM = "dB SNR", "dBA in the room"
#: What stands for the place of the samples without the disturbance.
WITHOUT = "without"


@dataclass(frozen=True)
class Steps:
    """Levels of a factor in the order of their severity, and the samples that are in all of them.

    Attributes:
        factor: the factor.
        source: the noise, machine, … that has the steps; empty where each level is one of its own.
        levels: names, the mildest first.
        values: where they lie [shape=(levels,)].
        unit: of the values.
        lower_is_worse: whether a lower value is worse.
        rows: scored samples; `step` is the number of the level as text, or `WITHOUT`.
        left_out: samples at a step whose utterance lacks another step.
    """

    factor: str
    source: str
    levels: tuple[str, ...]
    values: np.ndarray
    unit: str
    lower_is_worse: bool
    rows: pd.DataFrame
    left_out: int

    @property
    def severity(self) -> np.ndarray:
        """Return the places of the steps, increasing as it gets worse [shape=(levels,)]."""
        found: np.ndarray = -self.values if self.lower_is_worse else self.values
        return found

    def value_of(self, severity: float) -> float:
        """Return the place of a severity in the unit of the steps.

        Args:
            severity: of a step or a crossing.
        """
        return -severity if self.lower_is_worse else severity

    @property
    def is_in_db(self) -> bool:
        """Return whether differences are in dB."""
        return self.unit.startswith("dB")


def find_steps(scores: pd.DataFrame, asked: Question) -> Steps:
    """Return the steps of a question in the scores of an evaluation.

    Args:
        scores: counts with the set's labels beside them, one row a sample.
        asked: the question.

    Raises:
        RoomtoneError: no factor, level or column of that name, fewer than three steps, or no utterance that is in all of them.
    """
    if asked.factor not in scores:
        raise RoomtoneError(
            f"factor: the set has no column {asked.factor!r}; {nearest(asked.factor, map(str, scores.columns))}"
        )
    labels = scores[asked.factor].astype(object).where(scores[asked.factor].notna(), NONE).map(str)
    source, places, unit = _places(scores, labels, asked)
    lower = unit == _SNR if asked.worse is None else asked.worse == "lower"
    ordered = sorted(places, key=lambda name: -places[name] if lower else places[name])
    values = np.array([places[name] for name in ordered])
    if len(set(values.tolist())) < len(values) or len(values) < 3:
        told = ", ".join(f"{name} at {places[name]:g}" for name in ordered) or "none"
        raise RoomtoneError(
            f"{asked.factor}: three steps at different places are needed, found {told}; render for example"
            f" {asked.factor}=[none,{source or 'babble'}@20dB,{source or 'babble'}@10dB,{source or 'babble'}@0dB] design=full draws=common"
        )
    names = {name: str(k) for k, name in enumerate(ordered)} | ({NONE: WITHOUT} if asked.is_cost else {})
    rows = scores.assign(step=labels.map(names))[labels.isin(list(names))]
    kept = _in_every_step(_only_where(rows, asked), len(names), asked)
    return Steps(
        asked.factor, source, tuple(ordered), values, asked.unit or unit, lower, kept, _at_steps(rows) - _at_steps(kept)
    )


def _at_steps(rows: pd.DataFrame) -> int:
    return int((rows["step"] != WITHOUT).sum())


def _places(scores: pd.DataFrame, labels: pd.Series, asked: Question) -> tuple[str, dict[str, float], str]:
    """Return the name that the steps share, level -> place, and the unit."""
    known = sorted(set(labels) - {NONE})
    if asked.values is not None:
        for name in asked.values:
            if name not in known:
                raise RoomtoneError(f"values: no sample has {asked.factor} {name!r}; {nearest(name, known)}")
        return asked.level or "", dict(asked.values), ""
    if asked.along is not None:
        return asked.level or "", *_by_column(scores, labels, asked)
    found: dict[tuple[str, str], dict[str, float]] = {}
    for name in known:
        if match := _LEVEL.fullmatch(name):
            unit = _IN_ROOM if match["room"] else _SNR
            found.setdefault((match["name"], unit), {})[name] = float(match["number"])
    wanted = {key: steps for key, steps in found.items() if asked.level in (None, key[0])}
    several = {key: steps for key, steps in wanted.items() if len(steps) > 1}
    if len(several) > 1:
        told = ", ".join(sorted({name for name, _ in several}))
        raise RoomtoneError(
            f"level: {asked.factor} has steps of several: {told}; name one, level={sorted(several)[0][0]}"
        )
    if not wanted:
        names = sorted({name for name, _ in found})
        if asked.level is not None and names:
            raise RoomtoneError(
                f"level: the set has no {asked.factor} {asked.level!r} at steps; {nearest(asked.level, names)}"
            )
        raise RoomtoneError(
            f"{asked.factor}: no level says where it lies, as babble@5dB does (levels: {', '.join(known) or 'none'}); name a column of the"
            " manifest, along=t60_s, or the numbers, 'values={LEVEL: 0.5, …} unit=s'"
        )
    (source, unit), places = next(iter((several or wanted).items()))
    return source, places, unit


def _by_column(scores: pd.DataFrame, labels: pd.Series, asked: Question) -> tuple[dict[str, float], str]:
    """Return level -> median of a column, and the unit that the column's name ends in."""
    import pandas as pd

    column = str(asked.along)
    if column not in scores or not pd.api.types.is_numeric_dtype(scores[column]):
        numbers = [str(name) for name in scores if pd.api.types.is_numeric_dtype(scores[name])]
        raise RoomtoneError(f"along: the set has no column of numbers {column!r}; {nearest(column, numbers)}")
    named = labels == asked.level if asked.level else labels != NONE
    if asked.level:
        named |= labels.str.startswith(f"{asked.level}@")
    median = scores[column].astype(float)[named].groupby(labels[named]).median()
    unit = {"db": "dB", "s": "s", "hz": "Hz", "dbov": "dBov"}.get(column.rpartition("_")[2], "")
    if "snr" in column:
        unit = _SNR
    return {str(name): round(float(value), 3) for name, value in median.items() if math.isfinite(value)}, unit


def _only_where(rows: pd.DataFrame, asked: Question) -> pd.DataFrame:
    for factor, level in (asked.where or {}).items():
        found = rows[factor].astype(object).where(rows[factor].notna(), NONE).map(str)
        if level not in set(found):
            raise RoomtoneError(f"where: no sample at these steps has {factor} {level!r}; {nearest(level, found)}")
        rows = rows[found == level]
    return rows


def _in_every_step(rows: pd.DataFrame, steps: int, asked: Question) -> pd.DataFrame:
    """Return the counted samples whose utterance is in every step in the same company, so that a speaker is the same words in each."""
    counted = rows[rows["words"].notna() & (rows["hits"] if "hits" in rows else rows["words"]).notna()]
    keys = [c for c in ("utterance_id", "replicate", *FACTORS) if c in counted and c != asked.factor]
    together = counted[keys].astype(object).where(counted[keys].notna(), NONE).map(str).agg("\0".join, axis=1)
    kept = counted[counted["step"].groupby(together).transform("nunique").to_numpy() == steps]
    if kept.empty:
        more = "with the samples without it " if asked.is_cost else ""
        raise RoomtoneError(
            f"{asked.factor}: no utterance is in every one of the {steps} steps {more}in the same company of the other factors; render them with"
            " design=full draws=common"
        )
    return kept


def as_json(steps: Steps) -> Mapping[str, object]:
    """Return the steps in plain JSON types.

    Args:
        steps: of an evaluation.
    """
    return {
        "factor": steps.factor, "source": steps.source, "levels": list(steps.levels), "values": steps.values.tolist(), "unit": steps.unit,
        "lower_is_worse": steps.lower_is_worse, "samples": len(steps.rows), "left_out": steps.left_out,
    }  # fmt: skip
