"""What a worker keeps between shards: the job, room banks opened, recordings in order."""

from __future__ import annotations

import functools
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.ops.draw_context import Asset
from roomtone.augment.ops.sources.recordings import LoopedRecording
from roomtone.augment.recordings.catalogue import Catalogue, in_turn
from roomtone.augment.recordings.kept import KEPT_BYTES
from roomtone.augment.rooms.bank import RoomEntry, build_bank
from roomtone.augment.scenarios.conditions import ConditionLevels
from roomtone.core.audio.segment import AudioRef
from roomtone.core.dataset.containers import CONTAINERS, Container
from roomtone.core.errors import RoomtoneError
from roomtone.core.local_paths import LocalPaths
from roomtone.core.workers.malloc import keep_freed_memory


@dataclass(frozen=True)
class Job:
    """What all shards of a run share; sent to every worker.

    Attributes:
        digest: stands for all the other fields, so that a worker prepares itself once.
        dataset: folder or URL of the set.
        audio_format: name of its container.
        seed: root of all draws.
        sample_rate_hz, level_dbov: of the set.
        conditions: by name.
        catalogues: recordings by (factor, level name).
        utterances: how many the plan holds.
        cache_dir: where room banks are kept; None for the user's cache folder.
        item_timeout_s: seconds that one utterance may take to read.
        retry_rejected: whether samples that an earlier run rejected are tried again.
        session: the run that holds the set's lock; empty where there is none.
        common_draws: see `recipe.Draws`.
        effort: how the talkers of all conditions speak, see `ops.vocal_effort`; None as recorded.
        paths: the roots by which the set names its recordings.
    """

    digest: str
    dataset: str
    audio_format: str
    seed: int
    sample_rate_hz: int
    level_dbov: float
    conditions: Mapping[str, ConditionLevels]
    catalogues: Mapping[tuple[str, str], Catalogue]
    utterances: int
    cache_dir: str | None = None
    item_timeout_s: float = 60.0
    retry_rejected: bool = False
    session: str = ""
    common_draws: bool = False
    effort: str | None = None
    paths: LocalPaths = field(default_factory=LocalPaths)


class RenderWorker:
    """What one worker process keeps for a job: its room banks and its recordings."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.container: Container = CONTAINERS[job.audio_format]
        self._entries: dict[str, list[RoomEntry]] = {}
        self._sorted: dict[tuple[str, str, str | None], tuple[Asset, ...]] = {}

    def entries(self, condition: ConditionLevels) -> list[RoomEntry]:
        """Return the realisations that a condition may draw from, from the bank's cache; none where it has no room.

        Raises:
            RoomtoneError: the room cannot be built.
        """
        level = condition.levels.get("room")
        if level is None:
            return []
        if level.name not in self._entries:
            self._entries[level.name] = list(
                build_bank(level.op, self.job.sample_rate_hz, cache_dir=self.job.cache_dir)
            )
        return self._entries[level.name]

    @functools.cached_property
    def room_blocks(self) -> bool:
        """Whether all recordings of the run in all their rooms fit into memory, so that making them in blocks pays."""
        samples: dict[tuple[str, str, str], int] = {}
        for condition in self.job.conditions.values():
            room = condition.levels.get("room")
            for factor, level in condition.levels.items():
                catalogue = self.job.catalogues.get((factor, level.name))
                if room is not None and catalogue is not None and isinstance(level.op, LoopedRecording):
                    once = sum(asset.num_samples for asset in catalogue.assets)
                    samples[factor, level.preset, room.name] = once * len(self.entries(condition))
        return 0 < 4 * sum(samples.values()) <= _SHARE_IN_ROOMS * KEPT_BYTES

    def assets(
        self, condition: ConditionLevels, utterance: Utterance, ordinal: int
    ) -> tuple[dict[str, tuple[Asset, ...]], Mapping[str, AudioRef]]:
        """Return the recordings of a condition, those of the target speaker left out, and where they lie.

        Recorded noises take turns: each is played once before any is played again in that condition (with common draws: by that preset).

        Args:
            condition: the condition to be rendered.
            utterance: the target speech.
            ordinal: number of this sample among those of its condition.

        Returns:
            assets by factor, and segments of recordings by asset id.

        Raises:
            RoomtoneError: there is no recording of another speaker.
        """
        assets: dict[str, tuple[Asset, ...]] = {}
        clips: list[Any] = []
        for factor, level in condition.levels.items():
            catalogue = self.job.catalogues.get((factor, level.name))
            if catalogue is not None:
                usable = self._usable((factor, level.name), f"{utterance.corpus}/{utterance.speaker}")
                needed = level.op.recordings_needed()
                if needed is not None and needed.in_turn:
                    series = level.preset if self.job.common_draws else condition.name
                    usable = (in_turn(usable, ordinal, seed=self.job.seed, series=series, factor=factor),)
                assets[factor] = usable
                clips.append(catalogue.clips)
        return assets, clips[0] if len(clips) == 1 else ChainMap(*clips)

    def _usable(self, level: tuple[str, str], speaker: str) -> tuple[Asset, ...]:
        """Return the recordings of a level without a speaker's own, sorted by id.

        Raises:
            RoomtoneError: there are none.
        """
        catalogue = self.job.catalogues[level]
        key = (*level, speaker if speaker in catalogue.groups else None)
        if key not in self._sorted:
            if len(self._sorted) >= _SPEAKERS_KEPT:
                self._sorted.clear()
            found = catalogue.without_group(speaker)
            if not found:
                raise RoomtoneError(f"{level[0]} {level[1]!r}: all its recordings are of the target speaker")
            self._sorted[key] = tuple(sorted(found, key=lambda asset: asset.id))
        return self._sorted[key]


#: Of the bytes that are kept of recordings, the share that recordings in rooms may fill; the rest is for what they are made from.
_SHARE_IN_ROOMS = 0.8
#: For how many target speakers the sorted recordings of all others are kept.
_SPEAKERS_KEPT = 64


_workers: dict[str, RenderWorker] = {}


def worker_of(job: Job) -> RenderWorker:
    """Return what this process keeps for a job; what it kept for another is released."""
    if job.digest not in _workers:
        _workers.clear()
        keep_freed_memory()
        _workers[job.digest] = RenderWorker(job)
    return _workers[job.digest]
