"""Which recordings the noises and equipment of a set of conditions may play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.ops.draw_context import RecordingsNeeded
from roomtone.augment.recordings.catalogue import Catalogue, recordings, talkers
from roomtone.augment.scenarios.conditions import ConditionLevels
from roomtone.core.workers.engine import Engine


def catalogues_for(
    conditions: Mapping[str, ConditionLevels],
    utterances: Sequence[Utterance],
    sample_rate_hz: int,
    *,
    engine: Engine | None = None,
) -> dict[tuple[str, str], Catalogue]:
    """Return the recordings that the conditions' noises and equipment may play, by factor and level name.

    Args:
        conditions: by name.
        utterances: the corpus, whose talkers a babble may use.
        sample_rate_hz: rate of the set in Hz.
        engine: reads the talkers' recordings in its workers; None reads them here.

    Raises:
        RoomtoneError: a folder is missing or holds no recording.
    """
    found: dict[tuple[str, str], Catalogue] = {}
    made: dict[RecordingsNeeded, Catalogue] = {}
    for condition in conditions.values():
        for factor, level in condition.levels.items():
            needed = level.op.recordings_needed()
            if needed is None or (factor, level.name) in found:
                continue
            if needed not in made:
                made[needed] = _catalogue(needed, utterances, sample_rate_hz, engine)
            found[factor, level.name] = made[needed].of_factor(factor)
    return found


def _catalogue(
    needed: RecordingsNeeded, utterances: Sequence[Utterance], sample_rate_hz: int, engine: Engine | None
) -> Catalogue:
    if needed.path is None:
        return talkers(utterances, sample_rate_hz, at_least=needed.talkers + 1, engine=engine)
    return recordings(needed.path, needed.layout, sample_rate_hz, split=needed.split)
