"""What a run would make, before it makes it: planned rows, hours, bytes and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roomtone.augment.scenarios.plan import Plan
from roomtone.core.dataset.containers import CONTAINERS
from roomtone.core.words import word_count

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

    Args:
        plan: what would be rendered.
        seconds: length of each utterance by id, None where it cannot be read.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for utterance in plan.utterances:
        length = seconds[utterance.utterance_id]
        if length is None or utterance.problem:
            continue
        speech = {
            "utterance_id": utterance.utterance_id,
            "speaker": utterance.speaker,
            "accent": utterance.accent,
            "corpus": utterance.corpus,
            "text": utterance.text,
            "words": word_count(utterance.text),
            "duration_s": length,
            **{f"attr_{key}": value for key, value in utterance.attributes.items()},
        }
        for name, replicate in plan.of(utterance):
            labels = plan.conditions[name].labels
            sample = f"{utterance.utterance_id}\t{name}\t{replicate}"
            rows.append({"sample_id": sample, **speech, "condition": name, "replicate": replicate, **labels})
    return pd.DataFrame(rows)


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
