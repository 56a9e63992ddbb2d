"""What a run would make, before it makes it: planned rows, hours, bytes and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from roomtone.augment.scenarios.plan import Plan
from roomtone.augment.scenarios.speech_table import speech_table
from roomtone.core.dataset.containers import CONTAINERS
from roomtone.core.vocabulary import FACTORS

if TYPE_CHECKING:
    import pandas as pd

#: Seconds of audio that one worker renders in a second, conditions of all four factors; an order of magnitude, from `bench/`.
SPEED_PER_WORKER = 100.0


@dataclass(frozen=True)
class Forecast:
    """What a plan comes to; `unreadable` utterances are left out of the sums."""

    utterances: int
    speakers: int
    accents: int
    conditions: int
    samples: int
    hours: float
    gigabytes: float
    minutes: float
    unreadable: int


def planned_rows(plan: Plan, seconds: Mapping[str, float | None]) -> pd.DataFrame:
    """Return one row a planned sample with the columns that coverage counts; unreadable utterances have none.

    Labels are categories, held once: a plan of a million samples fits into some hundred megabytes.

    Args:
        plan: what would be rendered.
        seconds: length of each utterance by id, None where it cannot be read.
    """
    import numpy as np
    import pandas as pd

    speech = speech_table(plan.utterances, seconds)
    readable = set(speech["utterance_id"])
    planned = [plan.of(utterance) for utterance in plan.utterances if utterance.utterance_id in readable]
    names = list(plan.conditions)
    number = {name: index for index, name in enumerate(names)}
    conditions = np.array([number[name] for items in planned for name, _ in items], dtype=np.int32)
    rows = speech.iloc[np.repeat(np.arange(len(speech)), [len(items) for items in planned])].reset_index(drop=True)
    rows["condition"] = pd.Categorical.from_codes(conditions.tolist(), pd.Index(names))
    rows["replicate"] = np.array([replicate for items in planned for _, replicate in items], dtype=np.int32)
    for factor in FACTORS:
        levels = [plan.conditions[name].labels[factor] for name in names]
        kinds = list(dict.fromkeys(levels))
        codes = np.array([kinds.index(level) for level in levels], dtype=np.int32)
        rows[factor] = pd.Categorical.from_codes(codes[conditions].tolist() if len(conditions) else [], pd.Index(kinds))
    return rows


def forecast(
    plan: Plan, rows: pd.DataFrame, unreadable: int, sample_rate_hz: int, audio_format: str, workers: int
) -> Forecast:
    """Return what the planned rows come to.

    Args:
        plan: what would be rendered.
        rows: `planned_rows` of it.
        unreadable: utterances that have no rows because they cannot be read.
        sample_rate_hz: rate of the set.
        audio_format: a container's name, which says how its recordings are coded.
        workers: how many render at once.
    """
    seconds = float(rows["duration_s"].sum()) if len(rows) else 0.0
    return Forecast(
        utterances=len(plan.utterances),
        speakers=len({utterance.speaker for utterance in plan.utterances if utterance.speaker}),
        accents=len({accent for utterance in plan.utterances for accent in utterance.accents}),
        conditions=len(plan.conditions),
        samples=plan.samples,
        hours=seconds / 3600,
        gigabytes=seconds * CONTAINERS[audio_format].bytes_per_second(sample_rate_hz) / 1e9,
        minutes=seconds / SPEED_PER_WORKER / workers / 60,
        unreadable=unreadable,
    )
