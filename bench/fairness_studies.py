"""Runs simulated studies and keeps their results, a line each, so that a run that was stopped goes on and partial results can be printed.

`BENCH_STORE` names the file (default: none is kept), `BENCH_STORED=1` prints what is there without running more, `BENCH_WORKERS` is the number of processes.
"""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from fairness_worlds import World

Task = Callable[[World, int], dict[str, Any]]


def run(task: Task, world: World, studies: int) -> list[dict[str, float]]:
    """Return the task's result for each study of a world; every world has seeds of its own, so that none shares its luck with another."""
    start = zlib.crc32(repr(world).encode())
    kept = {s: r for s, r in _stored().get((task.__name__, start), {}).items() if s < start + studies}
    missing = [] if os.environ.get("BENCH_STORED") else [s for s in range(start, start + studies) if s not in kept]
    for seed, result in zip(missing, _results(task, world, missing)):
        kept[seed] = {key: float(value) for key, value in result.items()}
        _keep({"task": task.__name__, "world": start, "seed": seed, "result": kept[seed]})
    return list(kept.values())


def _results(task: Task, world: World, seeds: Sequence[int]) -> Iterator[dict[str, Any]]:
    workers = int(os.environ.get("BENCH_WORKERS", os.cpu_count() or 1))
    if workers == 1 or not seeds:
        yield from (task(world, seed) for seed in seeds)
        return
    with ProcessPoolExecutor(max_workers=workers) as pool:
        yield from pool.map(task, [world] * len(seeds), seeds, chunksize=max(1, len(seeds) // 40))


@cache
def _stored() -> dict[tuple[str, int], dict[int, dict[str, float]]]:
    """Return what the file holds, as task and world -> seed -> result."""
    found: dict[tuple[str, int], dict[int, dict[str, float]]] = {}
    path = os.environ.get("BENCH_STORE")
    if path and Path(path).exists():
        for line in Path(path).read_text().splitlines():
            study = json.loads(line)
            found.setdefault((study["task"], study["world"]), {})[study["seed"]] = study["result"]
    return found


def _keep(study: dict[str, Any]) -> None:
    if path := os.environ.get("BENCH_STORE"):
        with Path(path).open("a") as file:
            file.write(json.dumps(study) + "\n")


def mean_of(results: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each figure, undefined ones left out."""
    return {key: float(np.nanmean([r[key] for r in results])) for key in results[0]}


def error(share: float, studies: int) -> float:
    """Return the standard error of a share, in points."""
    return 100 * math.sqrt(max(share, 1 / studies) * (1 - share) / studies)
