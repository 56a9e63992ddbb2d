"""Samples that were rejected: how many may be, what a stop says, and which misses are a preset's fault.

A rejected sample is an entry of `rejected/`: `utterance_id`, `path`, `condition`, `replicate`, `reason`, `stage` (`reading`: the recording
cannot be used in any condition; `rendering`: in this one), and `missed`, the labels that it missed with both figures.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from roomtone.augment.rendering.tolerances import LabelError
from roomtone.core.vocabulary import FACTORS, NONE

READING, RENDERING = "reading", "rendering"
#: A level is at fault if it fails on more than this share of its samples, and on so many at least.
_MOST = 0.5
_LEAST = 3
#: Levels that are named.
_NAMED = 3


def rejection(
    utterance_id: str, path: str, condition: str, replicate: int, error: Exception, stage: str
) -> dict[str, Any]:
    """Return the entry of one rejected sample.

    Args:
        utterance_id, path: of the recording.
        condition, replicate: of the sample.
        error: why it was rejected.
        stage: `READING` or `RENDERING`.
    """
    missed = error.missed if isinstance(error, LabelError) else ()
    return {
        "utterance_id": utterance_id,
        "path": path,
        "condition": condition,
        "replicate": replicate,
        "reason": str(error) or type(error).__name__,
        "stage": stage,
        "missed": [
            {"label": m.label, "asked": _plain(m.asked), "measured": _plain(m.measured), "tolerance": m.tolerance}
            for m in missed
        ],
    }


def _plain(value: Any) -> Any:
    """Return a figure as JSON can hold it; what is not a number is null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def rejection_line(entry: Mapping[str, Any]) -> str:
    """Return the path and reason of a rejected sample; most reasons open with the path.

    Args:
        entry: of a rejected sample.
    """
    path, reason = str(entry["path"]), str(entry["reason"])
    return reason if reason.startswith(path) else f"{path}: {reason}"


def systematic_failures(
    tried: Mapping[str, int], rejected: Iterable[Mapping[str, Any]], labels: Mapping[str, Mapping[str, str]]
) -> tuple[str, ...]:
    """Return the levels that fail on most of their samples, a sentence each: a fault of their presets, not of the recordings.

    Args:
        tried: samples that were rendered or rejected, by condition.
        rejected: the entries of the rejected samples.
        labels: level names by factor, by condition.
    """
    in_rendering: list[Mapping[str, Any]] = []
    in_reading: list[Mapping[str, Any]] = []
    for entry in rejected:
        (in_rendering if entry.get("stage") == RENDERING else in_reading).append(entry)
    # an utterance that cannot be read says nothing about a level
    samples = _by_level(tried, labels) - _by_level(_conditions(in_reading), labels)
    failed = _by_level(_conditions(in_rendering), labels)
    found = [level for level, count in failed.items() if count >= _LEAST and count > _MOST * samples[level]]
    found.sort(key=lambda level: (-failed[level] / samples[level], -failed[level], level))
    sentences = []
    for factor, level in found[:_NAMED]:
        mine = [e for e in in_rendering if labels[e["condition"]].get(factor) == level]
        causes = Counter(m["label"] for entry in mine for m in entry.get("missed", ()))
        what = f"miss {causes.most_common(1)[0][0]}" if causes else "cannot be rendered"
        sentences.append(
            f"{factor} {level}: {failed[factor, level]} of {samples[factor, level]} samples {what} "
            f"(a fault of the preset, not of the recordings)"
        )
    return tuple(sentences)


def _conditions(entries: Iterable[Mapping[str, Any]]) -> Counter[str]:
    return Counter(str(entry["condition"]) for entry in entries)


def _by_level(conditions: Mapping[str, int], labels: Mapping[str, Mapping[str, str]]) -> Counter[tuple[str, str]]:
    """Return how many of the samples have each level, by (factor, level)."""
    counts: Counter[tuple[str, str]] = Counter()
    for condition, count in conditions.items():
        for factor in FACTORS:
            if labels[condition].get(factor, NONE) != NONE:
                counts[factor, labels[condition][factor]] += count
    return counts
