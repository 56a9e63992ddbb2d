"""From a composed configuration to a finished stress-test set: plan, render, account for every planned sample.

The configuration is a plain mapping (the keys of `conf/generate.yaml`), so notebooks may call `generate` as the command does.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from roomtone.augment.catalogues import catalogues_for
from roomtone.augment.conditions import CLEAN, ConditionLevels
from roomtone.augment.containers import Container, container_of
from roomtone.augment.corpora.utterance import Utterance
from roomtone.augment.ops.table import Room
from roomtone.augment.run import Run, open_run
from roomtone.augment.scenario import Scenario, design_conditions, inline_presets, parse_scenario
from roomtone.augment.shards import Item, Job, Report, Shard, probe_utterance, render_shard
from roomtone.core.dataset.storage import Place, open_place
from roomtone.core.errors import RoomtoneError, TooManyRejectedError, nearest
from roomtone.core.random_streams import content_key
from roomtone.core.workers.engine import Engine, Outcome, WorkerDied
from roomtone.core.workers.executors import engine_of
from roomtone.core.workers.progress import Progress


@dataclass(frozen=True)
class Plan:
    """What a run will render.

    Attributes:
        utterances: sorted by id, so that the order of the corpus does not matter.
        items: planned samples by utterance id; where an id is absent, `every`.
    """

    scenario: Scenario
    presets: Mapping[str, Mapping[str, Any]]
    conditions: Mapping[str, ConditionLevels]
    utterances: tuple[Utterance, ...]
    every: tuple[Item, ...]
    items: Mapping[str, tuple[Item, ...]] | None = None

    def of(self, utterance: Utterance) -> tuple[Item, ...]:
        """Return the planned samples of an utterance."""
        return self.every if self.items is None else self.items.get(utterance.utterance_id, ())

    @property
    def samples(self) -> int:
        """Return how many samples are planned."""
        return sum(len(self.of(utterance)) for utterance in self.utterances)


@dataclass(frozen=True)
class Summary:
    """How a run ended; `planned = rendered + rejected` always."""

    dataset: str
    planned: int
    rendered: int
    resumed: int
    rejected: tuple[dict[str, Any], ...]
    seconds: float

    @property
    def exit_status(self) -> int:
        """Return 0, or 3 where inputs were set aside."""
        return 3 if self.rejected else 0


def make_plan(cfg: Mapping[str, Any]) -> Plan:
    """Return the plan of a configuration; nothing is rendered and no audio is decoded.

    Raises:
        RoomtoneError: anything the user should mend, in one line.
    """
    _common_draws(cfg)
    scenario = parse_scenario(cfg["scenario"])
    presets = inline_presets(scenario, cfg.get("presets") or {}, cfg.get("config_dir"))
    utterances = read_utterances(cfg)
    design = dict(cfg["design"])
    seed = _whole(cfg, "seed", 0)
    if design.get("name") == "fill":
        from roomtone.augment.fill import fill_items

        conditions, items = fill_items(cfg, scenario, presets, utterances)
        return Plan(scenario, presets, conditions, utterances, (), items)
    conditions = design_conditions(scenario, design, presets, seed)
    return Plan(scenario, presets, conditions, utterances, every_item(conditions, _whole(cfg, "replicates", 1)))


def every_item(conditions: Mapping[str, ConditionLevels], replicates: int) -> tuple[Item, ...]:
    """Return (condition, replicate) pairs; clean has no second replicate, since it would be a copy."""
    return tuple((name, k) for name in conditions for k in range(1 if name == CLEAN else replicates))


def read_utterances(cfg: Mapping[str, Any]) -> tuple[Utterance, ...]:
    """Return the utterances of a configuration's corpus, its accent map applied, sorted by id.

    Raises:
        RoomtoneError: an empty corpus, or an id that stands there twice.
    """
    from roomtone.augment.corpora import corpus_keys, open_corpus

    corpus = corpus_keys(cfg)
    search = [Path(cfg["config_dir"])] if cfg.get("config_dir") else []
    utterances = tuple(sorted(open_corpus(corpus, search=search), key=lambda utterance: utterance.utterance_id))
    if not utterances:
        raise RoomtoneError(f"corpus {corpus.get('reader')!r}: it holds no utterance")
    for before, after in itertools.pairwise(utterances):
        if before.utterance_id == after.utterance_id:
            raise RoomtoneError(
                f"corpus {corpus.get('reader')!r}: the utterance id {after.utterance_id!r} stands there twice"
            )
    return utterances


def _whole(cfg: Mapping[str, Any], key: str, least: int) -> int:
    value = cfg[key]
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise RoomtoneError(f"{key}: expected a whole number from {least} up, got {value!r}")
    return value


def _common_draws(cfg: Mapping[str, Any]) -> bool:
    """Return whether conditions share their draws."""
    value = cfg.get("draws", _DRAWS[0])
    if value not in _DRAWS:
        raise RoomtoneError(f"draws: unknown {value!r}; {nearest(str(value), _DRAWS)}")
    return bool(value == "common")


#: What `draws=…` may say; a set that was begun before there was a choice says nothing.
_DRAWS = ("independent", "common")


def generate(cfg: Mapping[str, Any], *, config_text: str | None = None) -> Summary:
    """Render the stress-test set that a composed configuration describes, or finish one that was begun.

    Args:
        cfg: the keys of `conf/generate.yaml`, values resolved.
        config_text: the configuration as YAML with environment values unresolved, kept in the set.

    Returns:
        what was rendered, found done, and set aside.

    Raises:
        RoomtoneError: the input is wrong, or a render missed its label (the message names the sample).
        TooManyRejectedError: more inputs were set aside than `max_rejected` allows.
    """
    output = cfg["output"]
    container = container_of(output["format"], _whole(cfg, "sample_rate_hz", 4000))
    place = open_place(str(output["dir"]))
    plan = make_plan(cfg)
    if plan.items is not None and not plan.samples:
        return Summary(place.url, 0, 0, 0, (), 0.0)  # a set that has met its goals needs no run
    try:
        if output["overwrite"]:
            _remove_set(place)
        session = uuid.uuid4().hex
        with place.lock(session):
            return _generate(cfg, plan, place, container, config_text, session)
    except OSError as error:
        raise RoomtoneError(
            f"{place}: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}; "
            "once that is mended the same command goes on where it left off"
        ) from error


def _generate(
    cfg: Mapping[str, Any], plan: Plan, place: Place, container: Container, config_text: str | None, session: str
) -> Summary:
    """Run a plan in a set that is locked."""
    each = shard_samples(cfg["output"], container)
    filling = plan.items is not None
    run = open_run(
        place,
        {**cfg, "items": content_key(sorted((plan.items or {}).items()))} if filling else cfg,
        plan.presets,
        plan.utterances,
        shards=sum(1 for _ in blocks_of(plan, each)),
        append=bool(cfg["output"]["append"]) or filling,
    )
    place.remove_temporaries()
    try:
        with engine_of(cfg["executor"]) as engine:
            job = replace(make_job(cfg, plan, place.url, engine), session=session)
            build_banks(job, engine)
            reports = _render_all(cfg, plan, job, run, engine, each)
    finally:
        place.remove_temporaries()  # the workers have gone
    summary = _summarise(place.url, plan, reports)
    run.finish(summary, config_text)
    return summary


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


def _remove_set(place: Place) -> None:
    """Remove a set, and nothing that is not one."""
    names = place.names()
    if not names:
        return
    if "dataset.json" not in names:
        raise RoomtoneError(f"{place}: not a stress-test set (no dataset.json), so output.overwrite will not remove it")
    with place.lock():
        place.remove_all()


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


def _render_all(cfg: Mapping[str, Any], plan: Plan, job: Job, run: Run, engine: Engine, each: int) -> list[Report]:
    """Run every shard and return the reports; stops when too much was set aside."""
    limit = _rejection_limit(cfg["max_rejected"], len(plan.utterances))
    reports: list[Report] = []
    rejected: set[str] = set()
    with Progress(plan.samples, "rendering") as progress:
        for outcome in engine.run(render_shard, shards_of(plan, job, run.first_shard, each)):
            report = _report(outcome, engine)
            reports.append(report)
            rejected |= {entry["utterance_id"] for entry in report.rejected}
            done = report.rendered + len(report.rejected)
            progress.add(done, rejected=len(report.rejected), seconds=report.seconds, rendered=not report.resumed)
            if len(rejected) > limit:
                raise TooManyRejectedError(_too_many(rejected, limit, plan, reports, job.dataset))
    return reports


def _report(outcome: Outcome, engine: Engine) -> Report:
    if outcome.error is None:
        report: Report = outcome.value
        return report
    if isinstance(outcome.error, WorkerDied):
        return _without_killers(outcome.task, engine)
    raise outcome.error


def _without_killers(shard: Shard, engine: Engine) -> Report:
    """Find the utterances that kill their worker, and render the shard without them."""
    parts = zip(shard.utterances, shard.items, shard.ordinals, strict=True)
    singles = [replace(shard, utterances=(u,), items=(i,), ordinals=(o,)) for u, i, o in parts]
    excluded = dict(shard.excluded)
    for single in singles:
        outcome = next(engine.run(probe_utterance, [single]))
        if isinstance(outcome.error, WorkerDied):
            excluded[single.utterances[0].utterance_id] = f"reading it killed its worker: {outcome.error}"
    if excluded.keys() == shard.excluded.keys():
        raise RoomtoneError(f"shard {shard.index}: its workers died and no single recording explains it (memory?)")
    return _report(next(engine.run(render_shard, [replace(shard, excluded=excluded)])), engine)


def _rejection_limit(value: Any, utterances: int) -> int:
    """Return how many utterances may be set aside: a count, or a share below 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise RoomtoneError(f"max_rejected: expected a count or a share below 1, got {value!r}")
    return int(value) if value >= 1 or value == 0 else int(value * utterances)


def rejection_line(entry: Mapping[str, Any]) -> str:
    """Return the path and reason of what was set aside; most reasons open with the path."""
    path, reason = str(entry["path"]), str(entry["reason"])
    return reason if reason.startswith(path) else f"{path}: {reason}"


def _too_many(rejected: set[str], limit: int, plan: Plan, reports: list[Report], dataset: str) -> str:
    first = next(entry for report in reports for entry in report.rejected)
    return (
        f"{len(rejected)} of {len(plan.utterances)} utterances set aside, max_rejected allows {limit}; "
        f"the first: {rejection_line(first)}; all are listed in {dataset}/rejected"
    )


def _summarise(dataset: str, plan: Plan, reports: list[Report]) -> Summary:
    """Return the summary; counts that do not reconcile are a bug and are said."""
    rejected = tuple(entry for report in reports for entry in report.rejected)
    rendered = sum(report.rendered for report in reports)
    if rendered + len(rejected) != plan.samples:
        raise RoomtoneError(
            f"{dataset}: {plan.samples} samples planned, {rendered} rendered and {len(rejected)} set aside"
        )
    resumed = sum(report.rendered for report in reports if report.resumed)
    return Summary(dataset, plan.samples, rendered, resumed, rejected, sum(report.seconds for report in reports))
