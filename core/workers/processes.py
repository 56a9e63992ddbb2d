"""A pool of processes that survives a dying worker, isolates the input that kills it, and dies with its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any

from roomtone.core.workers.engine import Engine, one_thread_below

#: Seconds that an ended worker may take to go, on a machine with many programs waiting for each core.
_PATIENCE_S = 10.0


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
                self.workers, multiprocessing.get_context("spawn"), initializer=tie_to_parent, initargs=(os.getpid(),)
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
                process.join(_PATIENCE_S)
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


def tie_to_parent(parent: int) -> None:
    """Tie this worker's life to that of its parent, process `parent`, and leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()


def _watch_parent(parent: int) -> None:
    """End this process when its parent has gone: the race before prctl, and systems without it."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
