"""What an engine is: tasks in, outcomes out, in any order and under any number of workers."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

from roomtone.core.workers.waiting import wait_for_any

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
        """Yield an outcome a task, in the order of completion; tasks are taken from the iterable as workers come free.

        Args:
            function: of one task; it runs in a worker, so it must be importable there.
            tasks: what it is called with; must be picklable.
        """
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
            done, _ = wait_for_any(running)
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
                wait_for_any([future])
                error = future.exception()
            except BrokenProcessPool as broken:
                error = broken
            if not self.died(error):
                return Outcome(task, None if error else future.result(), error)
        self.rebuild()
        return Outcome(task, None, WorkerDied(f"its worker died {self.attempts} times in a row"))


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
