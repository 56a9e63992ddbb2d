"""Threads that wait for others (servers, programs) and hold nobody up: they end with the process, whatever they wait for."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class WaitingThreads(Executor):
    """An executor of daemon threads. `ThreadPoolExecutor` joins its threads at exit, so that Ctrl-C waits as long as they do."""

    def __init__(self, workers: int) -> None:
        """Start `workers` threads."""
        self._tasks: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a call and return its future."""
        future: Future[Any] = Future()
        self._tasks.put((future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks; with `wait`, return when those that were submitted are done."""
        if cancel_futures:
            with contextlib.suppress(queue.Empty):  # a thread may take the last one first
                while True:
                    task = self._tasks.get_nowait()
                    if task is not None:
                        task[0].cancel()
        for _ in self._threads:
            self._tasks.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        """Wait for what was submitted; after an exception (Ctrl-C is one) wait for nothing."""
        self.shutdown(wait=kind is None, cancel_futures=kind is not None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, call = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # handed back, as from any executor
                future.set_exception(error)
            del future, call, task
