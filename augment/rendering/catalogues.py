"""Which recordings the noises and equipment of a set of conditions may play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.ops.sources.babble import Babble
from roomtone.augment.ops.sources.recordings import LoopedRecording, Recordings
from roomtone.augment.ops.table import Op
from roomtone.augment.recordings.catalogue import Catalogue, recordings, talkers
from roomtone.augment.scenarios.conditions import ConditionLevels
from roomtone.core.random_streams import content_key
from roomtone.core.workers.engine import Engine


def catalogues_for(
    conditions: Mapping[str, ConditionLevels],
    utterances: Sequence[Utterance],
    sample_rate_hz: int,
    *,
    engine: Engine | None = None,
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
                made[key] = _catalogue(level.op, utterances, sample_rate_hz, engine)
            found[factor, level.name] = made[key]
    return found


def _recordings_key(op: Op) -> str | None:
    """Return what stands for the recordings of an op, or None where it plays none."""
    if isinstance(op, Babble):
        return content_key("talkers", op.talkers)
    if isinstance(op, LoopedRecording):
        return content_key(op.path, _layout(op), getattr(op, "split", None))
    return None


def _layout(op: LoopedRecording) -> str:
    return op.kind if isinstance(op, Recordings) else "folder"


def _catalogue(op: Op, utterances: Sequence[Utterance], sample_rate_hz: int, engine: Engine | None) -> Catalogue:
    if isinstance(op, Babble):
        return talkers(utterances, sample_rate_hz, at_least=op.talkers + 1, engine=engine)
    assert isinstance(op, LoopedRecording)
    return recordings(op.path, _layout(op), sample_rate_hz, split=getattr(op, "split", None))
