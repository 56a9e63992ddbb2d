"""Where shards are rendered: here, in a pool of processes, or on a Dask cluster; the same set comes out of each.

The seam is `concurrent.futures.Executor`. No engine is trusted with anything: tasks are idempotent and commit their own files, so a
task that dies is simply given again, alone, and after `ATTEMPTS` deaths it is handed back with `WorkerDied`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from roomtone.coverage.errors import RoomtoneError, nearest

ATTEMPTS = 3
#: Libraries below that would start threads of their own in every worker.
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "PRA_NUM_THREADS",
)


class WorkerDied(Exception):  # noqa: N818 - the name says what happened
    """The worker of this task died each time that it ran alone."""


@dataclass
class Outcome:
    """What became of one task: its value, or the exception it raised, or `WorkerDied`."""

    task: Any
    value: Any = None
    error: BaseException | None = None


class Engine:
    """Runs tasks through a `concurrent.futures.Executor` that may be rebuilt; used as a context manager."""

    #: Lone tries of a task whose worker died before it counts as the killer.
    attempts = ATTEMPTS

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def executor(self) -> Executor:
        """Return the executor to submit to, started if need be."""
        raise NotImplementedError

    def rebuild(self) -> None:
        """Replace an executor whose worker died."""

    def died(self, error: BaseException | None) -> bool:
        """Return whether an error means that a worker died."""
        return isinstance(error, BrokenProcessPool)

    def close(self) -> None:
        """Stop the workers; what they had not begun is dropped."""

    def at_once(self) -> int:
        """Return how many workers there are now."""
        return self.workers

    def run(self, function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Outcome]:
        """Yield an outcome a task, in the order of completion; tasks are taken from the iterable as workers come free."""
        waiting = iter(tasks)
        suspects: deque[Any] = deque()
        running: dict[Future[Any], Any] = {}
        exhausted = False
        while True:
            while not exhausted and not suspects and len(running) < 2 * self.at_once():
                try:
                    task = next(waiting)
                except StopIteration:
                    exhausted = True
                    break
                if not self._submit(function, task, running):
                    suspects.append(task)
            if not running:
                if suspects:
                    yield self._alone(function, suspects.popleft())
                    continue
                if exhausted:
                    return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                task = running.pop(future)
                error = future.exception()
                if self.died(error):
                    suspects.append(task)
                else:
                    yield Outcome(task, None if error else future.result(), error)

    def _submit(self, function: Callable[[Any], Any], task: Any, running: dict[Future[Any], Any]) -> bool:
        try:
            running[self.executor().submit(function, task)] = task
        except BrokenProcessPool:
            return False
        return True

    def _alone(self, function: Callable[[Any], Any], task: Any) -> Outcome:
        """Run a suspect with nobody beside it, so that its death names it."""
        for _ in range(self.attempts):
            self.rebuild()
            try:
                future = self.executor().submit(function, task)
                error = future.exception()
            except BrokenProcessPool as broken:
                error = broken
            if not self.died(error):
                return Outcome(task, None if error else future.result(), error)
        self.rebuild()
        return Outcome(task, None, WorkerDied(f"its worker died {self.attempts} times in a row"))


class SerialEngine(Engine):
    """Runs every task in this process, when its turn comes."""

    def __init__(self) -> None:
        super().__init__(1)

    def run(self, function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Outcome]:
        """Yield an outcome a task, in order."""
        for task in tasks:
            try:
                yield Outcome(task, function(task))
            except Exception as error:  # handed back, as from any engine
                yield Outcome(task, None, error)


class ProcessEngine(Engine):
    """A pool of spawned processes that die with their parent and use one thread each below."""

    def __init__(self, workers: int) -> None:
        super().__init__(workers)
        self._pool: ProcessPoolExecutor | None = None

    def executor(self) -> Executor:
        """Return the pool."""
        if self._pool is None:
            import multiprocessing

            self._pool = ProcessPoolExecutor(
                self.workers, multiprocessing.get_context("spawn"), initializer=_start_worker, initargs=(os.getpid(),)
            )
        return _OneThreadBelow(self._pool)

    def rebuild(self) -> None:
        """Stop what is left of the pool; the next `executor` starts another."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def close(self) -> None:
        """Kill the workers: whatever they were writing has no manifest part and does not count."""
        if self._pool is not None:
            processes = list((getattr(self._pool, "_processes", None) or {}).values())
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()
            for process in processes:
                process.join(2.0)
                if process.is_alive():
                    process.kill()
                    process.join()
            self._pool = None


class _OneThreadBelow(Executor):
    """Submits to a pool while the environment asks for one thread, which spawned workers inherit."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit; the pool spawns its workers in here."""
        with one_thread_below():
            return self._pool.submit(fn, *args, **kwargs)


@contextlib.contextmanager
def one_thread_below() -> Iterator[None]:
    """Set the thread variables of the numeric libraries to 1 for processes started inside."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _start_worker(parent: int) -> None:
    """Tie this worker's life to its parent's, and leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()


def _watch_parent(parent: int) -> None:
    """End this process when its parent has gone: the race before prctl, and systems without it."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


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
        from roomtone.augment.dask_engine import DaskEngine

        return DaskEngine(address, count, allow_insecure=allow_insecure)
    raise RoomtoneError(f"executor: unknown {name!r}; {nearest(name, ['serial', 'processes', 'dask'])}")


def _cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
