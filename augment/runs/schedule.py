"""How a plan is cut into shards, and what is built before the first one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from typing import Any

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.ops.table import Room
from roomtone.augment.output.containers import Container
from roomtone.augment.rendering.catalogues import catalogues_for
from roomtone.augment.runs.shard import Job, Shard
from roomtone.augment.scenarios.plan import Plan
from roomtone.augment.scenarios.planner import _common_draws, _whole
from roomtone.core.errors import RoomtoneError
from roomtone.core.random_streams import content_key
from roomtone.core.workers.engine import Engine
from roomtone.core.workers.progress import Progress


def shard_samples(output: Mapping[str, Any], container: Container) -> int:
    """Return how many samples a shard holds at most: enough to keep an engine's cost a task small, few enough to show progress.

    Raises:
        RoomtoneError: not a whole number from 1 up.
    """
    value = output.get("shard_samples")
    if value is None:
        return container.shard_samples
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise RoomtoneError(f"output.shard_samples: expected a whole number from 1 up, got {value!r}")
    return value


def make_job(cfg: Mapping[str, Any], plan: Plan, dataset: str, engine: Engine) -> Job:
    """Return what the workers need to know, the recordings that noises play among it."""
    rate = _whole(cfg, "sample_rate_hz", 4000)
    catalogues = catalogues_for(plan.conditions, plan.utterances, rate, engine=engine)
    identity = {
        k: cfg[k] for k in ("seed", "sample_rate_hz", "level_dbov", "cache_dir", "item_timeout_s", "retry_rejected")
    }
    fields = {
        "dataset": dataset,
        "audio_format": cfg["output"]["format"],
        "conditions": plan.conditions,
        "catalogues": catalogues,
        "utterances": len(plan.utterances),
        "common_draws": _common_draws(cfg),
        **identity,
    }
    digest = content_key(
        fields["dataset"],
        identity,
        fields["common_draws"],
        [(c.name, c.content) for c in plan.conditions.values()],
        repr(catalogues),
    )
    return Job(digest=digest, **fields)


def build_banks(job: Job, engine: Engine) -> None:
    """Build the room banks that are not in the cache yet, in parallel, before the first shard asks for them."""
    from roomtone.augment.rooms.bank import build_bank

    rooms = {c.levels["room"].name: c.levels["room"].op for c in job.conditions.values() if "room" in c.levels}
    executor: Executor | None = engine.executor() if rooms and engine.workers > 1 else None
    if not rooms:
        return
    with Progress(len(rooms), "rooms", "banks") as progress:
        for op in rooms.values():
            assert isinstance(op, Room)
            build_bank(op, job.sample_rate_hz, cache_dir=job.cache_dir, executor=executor)
            progress.add(1)


def blocks_of(plan: Plan, samples: int) -> Iterator[list[tuple[int, Utterance]]]:
    """Yield the utterances of each shard of so many samples, with their places in the corpus; the plan alone decides."""
    each = max(samples // max(len(plan.every) or len(plan.conditions), 1), 1)
    chosen = ((place, utterance) for place, utterance in enumerate(plan.utterances) if plan.of(utterance))
    while block := list(itertools.islice(chosen, each)):
        yield block


def shards_of(plan: Plan, job: Job, first: int, samples: int) -> Iterator[Shard]:
    """Yield the plan's shards of so many samples, numbered from `first`."""
    for index, block in enumerate(blocks_of(plan, samples), start=first):
        ordinals, utterances = zip(*block, strict=True)
        yield Shard(job, index, utterances, tuple(plan.of(utterance) for utterance in utterances), ordinals)
