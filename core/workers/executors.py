"""Where shards are rendered: here, in a pool of processes, or on a Dask cluster; the same set comes out of each.

The seam is `concurrent.futures.Executor`. No engine is trusted with anything: tasks are idempotent and commit their own files, so a
task that dies is simply given again, alone, and after `ATTEMPTS` deaths it is handed back with `WorkerDied`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.workers.engine import Engine
from roomtone.core.workers.processes import ProcessEngine
from roomtone.core.workers.serial import SerialEngine


def engine_of(executor: Mapping[str, Any]) -> Engine:
    """Return the engine of a configuration's `executor` group."""
    return make_engine(
        executor["name"],
        executor.get("workers"),
        executor.get("address"),
        allow_insecure=bool(executor.get("allow_insecure", False)),
    )


def make_engine(name: str, workers: int | None, address: str | None = None, *, allow_insecure: bool = False) -> Engine:
    """Return the engine of `executor=name`.

    Raises:
        RoomtoneError: an unknown engine, a nonsensical number of workers, or a cluster that does not answer.
    """
    count = workers if workers is not None else _cores()
    if not isinstance(count, int) or count < 1:
        raise RoomtoneError(f"executor.workers: expected a whole number from 1 up, got {workers!r}")
    if name == "serial":
        return SerialEngine()
    if name == "processes":
        return ProcessEngine(count)
    if name == "dask":
        from roomtone.core.workers.dask import DaskEngine

        return DaskEngine(address, count, allow_insecure=allow_insecure)
    raise RoomtoneError(f"executor: unknown {name!r}; {nearest(name, ['serial', 'processes', 'dask'])}")


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
