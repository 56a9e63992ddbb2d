"""Which recordings the noises and equipment of a set of conditions may play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from roomtone.augment.assets import Catalogue, recordings, talkers
from roomtone.augment.conditions import ConditionLevels
from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.ops.table import Op, Source
from roomtone.augment.streams import content_key


def catalogues_for(
    conditions: Mapping[str, ConditionLevels], utterances: Sequence[Utterance], sample_rate_hz: int
) -> dict[tuple[str, str], Catalogue]:
    """Return the recordings that the conditions' noises and equipment may play, by factor and level name."""
    found: dict[tuple[str, str], Catalogue] = {}
    made: dict[str, Catalogue] = {}
    for condition in conditions.values():
        for factor, level in condition.levels.items():
            key = _recordings_key(level.op)
            if key is None or (factor, level.name) in found:
                continue
            if key not in made:
                made[key] = _catalogue(level.op, utterances, sample_rate_hz)
            found[factor, level.name] = made[key]
    return found


def _recordings_key(op: Op) -> str | None:
    """Return what stands for the recordings of an op, or None where it plays none."""
    if not isinstance(op, Source):
        return None
    if getattr(op, "wants_talkers", False):
        return "talkers"
    path = getattr(op, "path", None)
    return None if path is None else content_key(path, getattr(op, "layout", None), getattr(op, "split", None))


def _catalogue(op: Op, utterances: Sequence[Utterance], sample_rate_hz: int) -> Catalogue:
    if getattr(op, "wants_talkers", False):
        return talkers(utterances, sample_rate_hz)
    return recordings(op.path, getattr(op, "layout", "folder"), sample_rate_hz, split=getattr(op, "split", None))  # type: ignore[attr-defined]
