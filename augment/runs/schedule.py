"""How a plan is cut into shards, and what is built before the first one."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator
from concurrent.futures import Executor

from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.rendering.catalogues import catalogues_for
from roomtone.augment.runs.resume import Run
from roomtone.augment.runs.shard import Job, Shard
from roomtone.augment.scenarios.plan import Plan
from roomtone.augment.settings import GenerateSettings
from roomtone.core.random_streams import content_key
from roomtone.core.workers.engine import Engine
from roomtone.core.workers.progress import Progress

_LOG = logging.getLogger("roomtone")


def make_job(settings: GenerateSettings, plan: Plan, run: Run, engine: Engine) -> Job:
    """Return what the workers need to know, the recordings that noises play among it.

    Args:
        settings: of the run.
        plan: what is rendered.
        run: opened in the set.
        engine: whose workers look into the talkers' recordings.

    Raises:
        RoomtoneError: a noise whose recordings are not there.
    """
    catalogues = catalogues_for(plan.conditions, plan.utterances, settings.sample_rate_hz, engine=engine)
    names = ("seed", "sample_rate_hz", "level_dbov", "cache_dir", "item_timeout_s", "retry_rejected", "effort")
    identity = {name: getattr(settings, name) for name in names}
    dataset = run.storage.url
    digest = content_key(
        dataset,
        identity,
        settings.common_draws,
        [(c.name, c.content) for c in plan.conditions.values()],
        dict(run.paths.roots),
        repr(catalogues),
    )
    return Job(
        digest=digest,
        dataset=dataset,
        audio_format=settings.output.format,
        conditions=plan.conditions,
        catalogues=catalogues,
        utterances=len(plan.utterances),
        common_draws=settings.common_draws,
        paths=run.paths,
        **identity,
    )


def build_banks(job: Job, engine: Engine) -> None:
    """Build the room banks that are not in the cache yet, in parallel, before the first shard asks for them.

    Args:
        job: with its conditions, rate and cache folder.
        engine: whose workers simulate.
    """
    from roomtone.augment.rooms.bank import build_bank

    rooms = {c.levels["room"].name: c.levels["room"].op for c in job.conditions.values() if "room" in c.levels}
    executor: Executor | None = engine.executor() if rooms and engine.workers > 1 else None
    if not rooms:
        return
    with Progress(len(rooms), "rooms", "banks") as progress:
        for op in rooms.values():
            bank = build_bank(op, job.sample_rate_hz, cache_dir=job.cache_dir, executor=executor)
            for reason in bank.rejected:
                _LOG.warning(f"recorded room, response rejected: {reason}")
            progress.add(1)


def blocks_of(plan: Plan, samples: int) -> Iterator[list[tuple[int, Utterance]]]:
    """Yield the utterances of each shard of so many samples, with their places in the corpus; the plan alone decides.

    Args:
        plan: what is rendered.
        samples: of a shard, at most; an utterance with more conditions makes a shard of its own.
    """
    each = max(samples // max(len(plan.every) or len(plan.conditions), 1), 1)
    chosen = ((place, utterance) for place, utterance in enumerate(plan.utterances) if plan.of(utterance))
    while block := list(itertools.islice(chosen, each)):
        yield block


def shards_of(plan: Plan, job: Job, first: int, samples: int) -> Iterator[Shard]:
    """Yield the plan's shards of so many samples, numbered from `first`.

    Args:
        plan: what is rendered.
        job: what every shard of the run shares.
        first: number of the first shard.
        samples: of a shard, at most.
    """
    for index, block in enumerate(blocks_of(plan, samples), start=first):
        ordinals, utterances = zip(*block, strict=True)
        yield Shard(job, index, utterances, tuple(plan.of(utterance) for utterance in utterances), ordinals)
