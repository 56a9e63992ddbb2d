"""From a composed configuration to a finished stress-test set: plan, render, account for every planned sample.

Notebooks call `generate` as the command does, with the keys of `conf/generate.yaml` as a mapping.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from roomtone.augment.runs.resume import Run, open_run
from roomtone.augment.runs.schedule import blocks_of, build_banks, make_job, shards_of
from roomtone.augment.runs.shard import Job, Report, Shard, probe_utterance, render_shard
from roomtone.augment.runs.summary import Summary
from roomtone.augment.scenarios.plan import Plan
from roomtone.augment.scenarios.planner import make_plan
from roomtone.augment.settings import GenerateSettings, generate_settings
from roomtone.core.dataset.containers import Container, container_of
from roomtone.core.dataset.storage import DatasetStorage, open_storage
from roomtone.core.errors import RoomtoneError, TooManyRejectedError
from roomtone.core.random_streams import content_key
from roomtone.core.workers.engine import Engine, Outcome, WorkerDied
from roomtone.core.workers.executors import engine_of
from roomtone.core.workers.progress import Progress


def generate(cfg: Mapping[str, Any] | GenerateSettings, *, config_text: str | None = None) -> Summary:
    """Render the stress-test set that a composed configuration describes, or finish one that was begun.

    Args:
        cfg: the keys of `conf/generate.yaml`, values resolved, or settings that were read from them.
        config_text: the configuration as YAML with environment values unresolved, kept in the set.

    Returns:
        what was rendered, found done, and rejected.

    Raises:
        RoomtoneError: the input is wrong, or a render missed its label (the message names the sample).
        TooManyRejectedError: more inputs were rejected than `max_rejected` allows.
    """
    settings = generate_settings(cfg)
    container = container_of(settings.output.format, settings.sample_rate_hz)
    storage = open_storage(settings.output.dir)
    plan = make_plan(settings)
    if plan.items is not None and not plan.samples:
        return Summary(storage.url, 0, 0, 0, (), 0.0)  # a set that has met its goals needs no run
    try:
        if settings.output.overwrite:
            _remove_set(storage)
        session = uuid.uuid4().hex
        with storage.lock(session):
            return _generate(settings, plan, storage, container, config_text, session)
    except OSError as error:
        raise RoomtoneError(
            f"{storage}: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}; "
            "once that is mended the same command goes on where it left off"
        ) from error


def _generate(
    settings: GenerateSettings,
    plan: Plan,
    storage: DatasetStorage,
    container: Container,
    config_text: str | None,
    session: str,
) -> Summary:
    """Run a plan in a set that is locked."""
    each = settings.output.shard_samples or container.shard_samples
    run = open_run(
        storage,
        _identity(settings, plan),
        plan.presets,
        plan.utterances,
        shards=sum(1 for _ in blocks_of(plan, each)),
        append=settings.output.append or plan.items is not None,
    )
    storage.remove_temporaries()
    try:
        with engine_of(settings.executor) as engine:
            job = replace(make_job(settings, plan, storage.url, engine), session=session)
            build_banks(job, engine)
            reports = _render_all(settings.max_rejected, plan, job, run, engine, each)
    finally:
        storage.remove_temporaries()  # the workers have gone
    summary = _summarise(storage.url, plan, reports)
    run.finish(summary, config_text)
    return summary


def _identity(settings: GenerateSettings, plan: Plan) -> dict[str, Any]:
    """Return what makes a run this run: what shapes the samples, how they are stored, and what a fill design chose."""
    identity = settings.identity()
    identity |= {"output_format": settings.output.format, "shard_samples": settings.output.shard_samples}
    return identity if plan.items is None else identity | {"items": content_key(sorted(plan.items.items()))}


def _remove_set(storage: DatasetStorage) -> None:
    """Remove a set, and nothing that is not one."""
    names = storage.names()
    if not names:
        return
    if "dataset.json" not in names:
        raise RoomtoneError(
            f"{storage}: not a stress-test set (no dataset.json), so output.overwrite will not remove it"
        )
    with storage.lock():
        storage.remove_all()


def _render_all(max_rejected: float, plan: Plan, job: Job, run: Run, engine: Engine, each: int) -> list[Report]:
    """Run every shard and return the reports; stops when too much was rejected."""
    limit = _rejection_limit(max_rejected, len(plan.utterances))
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


def _rejection_limit(value: float, utterances: int) -> int:
    """Return how many utterances may be rejected: a count, or a share below 1."""
    return int(value) if value >= 1 or value == 0 else int(value * utterances)


def rejection_line(entry: Mapping[str, Any]) -> str:
    """Return the path and reason of what was rejected; most reasons open with the path."""
    path, reason = str(entry["path"]), str(entry["reason"])
    return reason if reason.startswith(path) else f"{path}: {reason}"


def _too_many(rejected: set[str], limit: int, plan: Plan, reports: list[Report], dataset: str) -> str:
    first = next(entry for report in reports for entry in report.rejected)
    return (
        f"{len(rejected)} of {len(plan.utterances)} utterances rejected, max_rejected allows {limit}; "
        f"the first: {rejection_line(first)}; all are listed in {dataset}/rejected"
    )


def _summarise(dataset: str, plan: Plan, reports: list[Report]) -> Summary:
    """Return the summary; counts that do not reconcile are a bug and are said."""
    rejected = tuple(entry for report in reports for entry in report.rejected)
    rendered = sum(report.rendered for report in reports)
    if rendered + len(rejected) != plan.samples:
        raise RoomtoneError(
            f"{dataset}: {plan.samples} samples planned, {rendered} rendered and {len(rejected)} rejected"
        )
    resumed = sum(report.rendered for report in reports if report.resumed)
    return Summary(dataset, plan.samples, rendered, resumed, rejected, sum(report.seconds for report in reports))
