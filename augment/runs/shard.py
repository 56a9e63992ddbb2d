"""One shard: a block of utterances in all their conditions, rendered by one worker and committed as a whole.

Each utterance is decoded and brought to its level once. Every planned sample ends as a row, or as a rejection with its reason.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.ops.vocal_effort import effort_db
from roomtone.augment.recordings.fetcher import Fetcher
from roomtone.augment.rendering.mixing import CleanSpeech, prepare
from roomtone.augment.rendering.recipe import Draws, Recipe, draw_recipe, sample_id
from roomtone.augment.rendering.recipe_paths import named_recipe
from roomtone.augment.rendering.render import render
from roomtone.augment.runs.manifest_row import manifest_row
from roomtone.augment.runs.rejections import READING, RENDERING, rejection
from roomtone.augment.runs.shard_writer import ShardWriter, file_fault, read_part, read_rejected
from roomtone.augment.runs.worker import Job, RenderWorker, worker_of
from roomtone.augment.scenarios.plan import Item
from roomtone.core.audio.reading import read_audio
from roomtone.core.audio.recording_files import sha256_file
from roomtone.core.audio.segment import AudioRef
from roomtone.core.audio.types import Samples
from roomtone.core.dataset.columns import ROW_HASH
from roomtone.core.dataset.row_hash import row_hash
from roomtone.core.dataset.storage import DatasetStorage, open_storage
from roomtone.core.errors import RoomtoneError
from roomtone.core.random_streams import content_key
from roomtone.core.workers.fault_injection import reading
from roomtone.core.workers.time_limit import time_limit


@dataclass(frozen=True)
class Shard:
    """A block of utterances and, for each, its planned samples.

    Attributes:
        job: what all shards of the run share.
        index: number of the shard in the set.
        utterances: the block.
        items: the planned samples of each.
        ordinals: the utterances' positions in the sorted corpus; recordings take turns by them.
        excluded: utterances that are not to be read, with the reason, by id.
    """

    job: Job
    index: int
    utterances: tuple[Utterance, ...]
    items: tuple[tuple[Item, ...], ...]
    ordinals: tuple[int, ...]
    excluded: Mapping[str, str] = field(default_factory=dict)

    @property
    def planned(self) -> int:
        """Return how many samples the shard is to hold."""
        return sum(len(items) for items in self.items)


@dataclass(frozen=True)
class Report:
    """How a shard ended.

    Attributes:
        shard: its number.
        rendered: samples that have a row.
        rejected: one entry a rejected sample, see `rejections`.
        seconds: of audio rendered.
        tried: samples rendered or rejected, by condition.
        resumed: whether an earlier run had finished it.
    """

    shard: int
    rendered: int
    rejected: tuple[dict[str, Any], ...]
    seconds: float
    tried: Mapping[str, int]
    resumed: bool = False


#: An engine may run its tasks in threads; libraries below hold global state, and `time_limit` may end only one task a process.
_one_at_a_time = threading.Lock()


def render_shard(shard: Shard) -> Report:
    """Render and commit a shard, or find that it is done; the task that executors run.

    Raises:
        RoomtoneError: this worker does not see the dataset.
    """
    with _one_at_a_time:
        return _render_shard(shard)


def _render_shard(shard: Shard) -> Report:
    storage = open_storage(shard.job.dataset)
    done = existing_report(shard, storage)
    if done is not None:
        return done
    job = shard.job
    if storage.read("dataset.json") is None:
        raise RoomtoneError(
            f"{job.dataset}: a worker does not see it; a cluster needs a folder that all share, or a URL"
        )
    worker = worker_of(job)
    rows: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    with ShardWriter(storage, shard.index, worker.container, job.session, job.paths) as writer:
        for utterance, items, ordinal in zip(shard.utterances, shard.items, shard.ordinals, strict=True):
            task = UtteranceTask(worker, utterance, ordinal, writer)
            for row_or_reason in _render_utterance(task, items, shard.excluded):
                (rejected if "reason" in row_or_reason else rows).append(row_or_reason)
        writer.commit(rows, rejected)
    return _report(shard, rows, rejected)


def _report(
    shard: Shard, rows: Sequence[Mapping[str, Any]], rejected: Sequence[dict[str, Any]], *, resumed: bool = False
) -> Report:
    tried = Counter(item[0] for items in shard.items for item in items)
    return Report(shard.index, len(rows), tuple(rejected), sum(row["duration_s"] for row in rows), tried, resumed)


def existing_report(shard: Shard, storage: DatasetStorage) -> Report | None:
    """Return the report of a shard that is done: its part holds exactly the planned samples and matches its files; else None.

    Args:
        shard: what is planned.
        storage: of the set.

    Raises:
        RoomtoneError: a recording has changed since the set was begun.
    """
    rows = read_part(storage, shard.index)
    if rows is None:
        return None
    try:
        rejected = read_rejected(storage, shard.index)
    except RoomtoneError:
        return None  # a list that is damaged is made again with its shard
    if rejected and shard.job.retry_rejected:
        return None
    found = {(row["utterance_id"], row["condition"], row["replicate"]) for row in rows}
    found |= {(entry["utterance_id"], entry["condition"], entry["replicate"]) for entry in rejected}
    planned = {
        (u.utterance_id, *item) for u, items in zip(shard.utterances, shard.items, strict=True) for item in items
    }
    if found != planned or any(file_fault(shard.job.dataset, row) for row in rows):
        return None
    _refuse_changed_recordings(shard, rows)
    return _report(shard, rows, rejected, resumed=True)


def _refuse_changed_recordings(shard: Shard, rows: list[dict[str, Any]]) -> None:
    """Raise where a recording has changed under a set that was begun from it."""
    paths = {utterance.utterance_id: utterance.audio.path for utterance in shard.utterances}
    written = {row["utterance_id"]: Recipe.from_json(row["recipe"]).clean.sha256 for row in rows}
    for utterance_id, sha256 in written.items():
        if sha256_file(paths[utterance_id]) != sha256:
            raise RoomtoneError(
                f"{paths[utterance_id]}: the recording has changed since this set was begun; "
                "output.overwrite=true starts anew, output.dir=… makes another set"
            )


@dataclass(frozen=True)
class UtteranceTask:
    """One utterance to be rendered by a worker; `ordinal` is its position in the sorted corpus."""

    worker: RenderWorker
    utterance: Utterance
    ordinal: int
    writer: ShardWriter


def _render_utterance(
    task: UtteranceTask, items: tuple[Item, ...], excluded: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield a row, or an entry with a reason, for each planned sample of an utterance."""
    utterance, job = task.utterance, task.worker.job
    try:
        if reason := excluded.get(utterance.utterance_id) or utterance.problem:
            raise RoomtoneError(reason)
        with time_limit(job.item_timeout_s):
            source = replace(utterance.audio, sha256=sha256_file(utterance.audio.path))
            samples = _read(utterance, job)
        clean = prepare(samples, job.sample_rate_hz)  # nothing that an alarm may interrupt: it may compile
    except (RoomtoneError, TimeoutError, OSError, MemoryError) as error:
        yield from (_rejection(utterance, item, error, READING) for item in items)
        return
    for item in items:
        try:
            yield _render_item(task, clean, source, item)
        except RoomtoneError as error:
            yield _rejection(utterance, item, error, RENDERING)


def _read(utterance: Utterance, job: Job) -> Samples:
    reading(utterance.audio.path)
    samples = read_audio(utterance.audio, job.sample_rate_hz)
    utterance.check_length(samples.size / job.sample_rate_hz)
    return samples


def _rejection(utterance: Utterance, item: Item, error: Exception, stage: str) -> dict[str, Any]:
    return rejection(utterance.utterance_id, utterance.audio.path, item[0], item[1], error, stage)


def _render_item(task: UtteranceTask, clean: CleanSpeech, source: AudioRef, item: Item) -> dict[str, Any]:
    """Render one planned sample, write its file, and return its row."""
    worker, utterance, job = task.worker, task.utterance, task.worker.job
    condition = job.conditions[item[0]]
    draws = Draws(job.seed, utterance.utterance_id, condition.name, item[1], job.common_draws)
    effort = effort_db(condition.environments_dba, job.effort)
    name = sample_id(draws, condition, source, utterance.corpus, job.sample_rate_hz, job.level_dbov, effort)
    if worker.container.lossy:
        name = content_key(name, worker.container.suffix)  # other samples, so another id
    label = f"{utterance.utterance_id} in {condition.name} (sample {name})"
    assets, clips = worker.assets(condition, utterance, task.ordinal + item[1] * job.utterances)
    entries = worker.entries(condition)
    recipe = draw_recipe(
        condition,
        draws,
        source,
        clean.samples.size,
        job.sample_rate_hz,
        job.level_dbov,
        room_parameters=[entry.parameters for entry in entries],
        assets=assets,
        clips=clips,
        room_blocks=worker.room_blocks,
        effort_db=effort,
    )
    entry = next((entry for entry in entries if entry.parameters == recipe.room), None)
    fetch = Fetcher(recipe.clips, job.sample_rate_hz)
    made = render(recipe, clean, fetch, entry, name=label, suffix=worker.container.suffix)
    path = task.writer.add(name, made.pcm, job.sample_rate_hz, made.encoded)
    travelling = named_recipe(recipe, job.paths)
    row = manifest_row(utterance, condition, draws, travelling, made, entry) | {"sample_id": name, "audio_path": path}
    return row | {ROW_HASH: row_hash(row)}


def probe_utterance(shard: Shard) -> float:
    """Read the one utterance of a shard, to find out whether that kills the worker; return the seconds it took."""
    with _one_at_a_time:
        return _probe(shard)


def _probe(shard: Shard) -> float:
    begun = time.monotonic()
    for utterance in shard.utterances:
        with (
            contextlib.suppress(RoomtoneError, TimeoutError, OSError, MemoryError),
            time_limit(shard.job.item_timeout_s),
        ):
            _read(utterance, shard.job)
    return time.monotonic() - begun
