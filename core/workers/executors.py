"""The group `executor` and the engine behind each name: here, a pool of processes, or a Dask cluster; all make the same set.

The seam is `concurrent.futures.Executor`. No engine is trusted with anything: tasks are idempotent and commit their own files, so a
task that dies is simply given again, alone, and after `ATTEMPTS` deaths it is handed back with `WorkerDied`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, assert_never

from roomtone.core.settings import Annotated, Bounds
from roomtone.core.workers.engine import Engine
from roomtone.core.workers.processes import ProcessEngine
from roomtone.core.workers.serial import SerialEngine


@dataclass(frozen=True)
class ExecutorSettings:
    """The group `executor`.

    Attributes:
        name: which engine.
        workers: how many; None is one a core.
        address: of a Dask scheduler; None starts a cluster on loopback.
        allow_insecure: take a `tcp://` address beyond this machine.
    """

    name: Literal["processes", "serial", "dask"] = "processes"
    workers: Annotated[int, Bounds(1)] | None = None
    address: str | None = None
    allow_insecure: bool = False

    @property
    def worker_count(self) -> int:
        """Return the number of workers: as asked, one a core where nothing is asked, one where there is no pool."""
        return 1 if self.name == "serial" else self.workers or usable_cores()


def engine_of(executor: ExecutorSettings) -> Engine:
    """Return the engine of the group `executor`.

    Raises:
        RoomtoneError: Dask is not installed, or its cluster does not answer.
    """
    if executor.name == "serial":
        return SerialEngine()
    if executor.name == "processes":
        return ProcessEngine(executor.worker_count)
    if executor.name == "dask":
        from roomtone.core.workers.dask import DaskEngine

        return DaskEngine(executor.address, executor.worker_count, allow_insecure=executor.allow_insecure)
    assert_never(executor.name)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
