"""From a composed configuration to a finished stress-test set: plan, render, account for every planned sample.

Notebooks call `generate` as the command does, with the keys of `conf/generate.yaml` as a mapping.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from roomtone.augment.runs.rejections import rejection_line, systematic_failures
from roomtone.augment.runs.resume import Run, open_run
from roomtone.augment.runs.roots import run_roots
from roomtone.augment.runs.schedule import blocks_of, build_banks, make_job, shards_of
from roomtone.augment.runs.shard import Job, Report, Shard, existing_report, probe_utterance, render_shard
from roomtone.augment.runs.shard_writer import remove_list_without_part
from roomtone.augment.runs.summary import RunStoppedError, Summary
from roomtone.augment.scenarios.plan import Plan
from roomtone.augment.scenarios.planner import make_plan
from roomtone.augment.settings import GenerateSettings, generate_settings
from roomtone.core.dataset.containers import Container, container_of
from roomtone.core.dataset.removal import remove_set
from roomtone.core.dataset.storage import DatasetStorage, open_storage
from roomtone.core.errors import RoomtoneError
from roomtone.core.random_streams import content_key
from roomtone.core.workers.engine import Engine, Outcome, WorkerDied
from roomtone.core.workers.executors import engine_of
from roomtone.core.workers.progress import Progress


def generate(cfg: Mapping[str, Any] | GenerateSettings, *, config: Mapping[str, Any] | None = None) -> Summary:
    """Render the stress-test set that a composed configuration describes, or finish one that was begun.

    Args:
        cfg: the keys of `conf/generate.yaml`, values resolved, or settings that were read from them.
        config: what the set's config.yaml is to hold, so that it repeats the run; None writes none.

    Returns:
        what was rendered, found done, and rejected.

    Raises:
        RoomtoneError: the input is wrong.
        RunStoppedError: more samples were rejected than `max_rejected` allows; what was rendered is a set with its card all the same.
    """
    settings = generate_settings(cfg)
    container = container_of(settings.output.format, settings.sample_rate_hz)
    storage = open_storage(settings.output.dir)
    plan = make_plan(settings)
    if plan.items is not None and not plan.samples:
        return Summary(storage.url, 0, 0, 0, (), 0.0)  # a set that has met its goals needs no run
    try:
        if settings.output.overwrite:
            remove_set(storage)
        session = uuid.uuid4().hex
        with storage.lock(session):
            return _generate(settings, plan, storage, container, config, session)
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
    config: Mapping[str, Any] | None,
    session: str,
) -> Summary:
    """Run a plan in a set that is locked."""
    each = settings.output.shard_samples or container.shard_samples
    roots = run_roots(settings.corpus, plan.presets, plan.utterances)
    run = open_run(
        storage,
        roots.named(_identity(settings, plan)),
        roots,
        plan.presets,
        plan.utterances,
        shards=sum(1 for _ in blocks_of(plan, each)),
        append=settings.output.append or settings.design.get("name") == "fill",
        beside=settings.output.overwrite,
    )
    _refuse_other_sources(settings, run)
    storage.remove_temporaries()
    try:
        with engine_of(settings.executor) as engine:
            job = replace(make_job(settings, plan, run, engine), session=session)
            build_banks(job, engine)
            limit = settings.max_rejected.limit(plan.samples)
            reports, stopped = _render_all(limit, plan, job, run, engine, each)
    finally:
        storage.remove_temporaries()  # the workers have gone
    if stopped:
        shards = shards_of(plan, job, run.first_shard, each)
        reports = _published(shards, reports, storage)
    summary = _summarise(storage.url, plan, reports, stopped)
    run.finish(summary, config)
    if stopped:
        raise RunStoppedError(_too_many(summary, limit), summary)
    return summary


def _refuse_other_sources(settings: GenerateSettings, run: Run) -> None:
    """Refuse to repeat a run from another corpus than the one it was made from."""
    stated = (settings.sources or {}).get("corpus", {})
    if isinstance(stated, Mapping) and stated.get("sha256") not in (None, run.record["corpus"]):
        raise RoomtoneError(
            f"corpus.path: not the corpus that this configuration was made from (its listing has the sha256 "
            f"{run.record['corpus'][:12]}…, {str(stated['sha256'])[:12]}… is asked); sources=null takes it all the same"
        )


def _identity(settings: GenerateSettings, plan: Plan) -> dict[str, Any]:
    """Return what makes a run this run: what shapes the samples, how they are stored, and what a fill design chose."""
    identity = settings.identity()
    identity |= {"output_format": settings.output.format, "shard_samples": settings.output.shard_samples}
    return identity if plan.items is None else identity | {"items": content_key(sorted(plan.items.items()))}


def _render_all(
    limit: int, plan: Plan, job: Job, run: Run, engine: Engine, each: int
) -> tuple[dict[int, Report], bool]:
    """Run the shards; return the reports by shard, and whether it stopped because more than `limit` samples were rejected."""
    reports: dict[int, Report] = {}
    rejected = 0
    with Progress(plan.samples, "rendering") as progress:
        for outcome in engine.run(render_shard, shards_of(plan, job, run.first_shard, each)):
            report = _report(outcome, engine)
            reports[report.shard] = report
            rejected += len(report.rejected)
            done = report.rendered + len(report.rejected)
            progress.add(done, rejected=len(report.rejected), seconds=report.seconds, rendered=not report.resumed)
            if rejected > limit:
                return reports, True
    return reports, False


def _published(shards: Iterator[Shard], reports: dict[int, Report], storage: DatasetStorage) -> dict[int, Report]:
    """Return the reports with those of shards that other workers finished before they were stopped; what they began does not count."""
    known = dict(reports)
    for shard in shards:
        if shard.index in known:
            continue
        as_it_is = replace(shard, job=replace(shard.job, retry_rejected=False))
        report = existing_report(as_it_is, storage)
        if report is None:
            remove_list_without_part(storage, shard.index)
        else:
            known[shard.index] = report
    return known


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


def _too_many(summary: Summary, limit: int) -> str:
    """Return why the run stopped: how many, the likeliest fault, and the first of them."""
    first = f"the first: {rejection_line(summary.rejected[0])}"
    cause = "; ".join([*summary.systematic, first])
    tried = summary.rendered + len(summary.rejected)
    files = len({entry["utterance_id"] for entry in summary.rejected})
    of_files = f"they are of {files:,} recording{'s' if files > 1 else ''}; " if files < len(summary.rejected) else ""
    return (
        f"{len(summary.rejected):,} of {tried:,} samples rejected ({summary.planned:,} planned), max_rejected allows {limit:,}; {of_files}{cause}; "
        f"all are listed in {summary.dataset}/rejected"
    )


def _summarise(dataset: str, plan: Plan, reports: Mapping[int, Report], stopped: bool) -> Summary:
    """Return the summary; counts that do not reconcile are a bug and are said."""
    in_order = [reports[shard] for shard in sorted(reports)]
    rejected = tuple(entry for report in in_order for entry in report.rejected)
    rendered = sum(report.rendered for report in reports.values())
    not_reached = plan.samples - rendered - len(rejected)
    if not_reached < 0 or (not_reached and not stopped):
        raise RoomtoneError(
            f"{dataset}: {plan.samples} samples planned, {rendered} rendered and {len(rejected)} rejected"
        )
    resumed = sum(report.rendered for report in reports.values() if report.resumed)
    labels = {name: condition.labels for name, condition in plan.conditions.items()}
    tried: Counter[str] = Counter()
    for report in in_order:
        tried.update(report.tried)
    systematic = systematic_failures(tried, rejected, labels)
    seconds = sum(report.seconds for report in reports.values())
    return Summary(dataset, plan.samples, rendered, resumed, rejected, seconds, not_reached, systematic)
