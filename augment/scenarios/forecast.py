"""What a run would make, before it makes it: planned rows, hours, bytes and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from roomtone.augment.scenarios.plan import Plan

if TYPE_CHECKING:
    import pandas as pd

#: Seconds of audio that one worker renders in a second, conditions of all four factors; an order of magnitude, from `bench/`.
SPEED_PER_WORKER = 100.0
#: Bytes of a FLAC file over those of its 16-bit samples: noisy speech hardly compresses.
_FLAC_SHARE = 0.6


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
    """Return one row a planned sample with the columns that coverage counts; unreadable utterances have none."""
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
            "words": len((utterance.text or "").split()),
            "duration_s": length,
            **{f"attr_{key}": value for key, value in utterance.attributes.items()},
        }
        for name, replicate in plan.of(utterance):
            labels = plan.conditions[name].labels
            sample = f"{utterance.utterance_id}\t{name}\t{replicate}"
            rows.append({"sample_id": sample, **speech, "condition": name, "replicate": replicate, **labels})
    return pd.DataFrame(rows)


def forecast(plan: Plan, rows: pd.DataFrame, unreadable: int, output: tuple[int, str], workers: int) -> Forecast:
    """Return what the planned rows come to; `output` is the set's rate in Hz and audio format."""
    sample_rate_hz, audio_format = output
    seconds = float(rows["duration_s"].sum()) if len(rows) else 0.0
    share = _FLAC_SHARE if audio_format == "flac" else 1.0
    return Forecast(
        utterances=len(plan.utterances),
        speakers=len({utterance.speaker for utterance in plan.utterances if utterance.speaker}),
        accents=len({accent for utterance in plan.utterances for accent in utterance.accents}),
        conditions=len(plan.conditions),
        samples=plan.samples,
        hours=seconds / 3600,
        gigabytes=seconds * sample_rate_hz * 2 * share / 1e9,
        minutes=seconds / SPEED_PER_WORKER / workers / 60,
        unreadable=unreadable,
    )
