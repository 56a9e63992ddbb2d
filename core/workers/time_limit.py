"""A time limit on reading one input, and the death of a worker that is stuck in native code.

There are three layers. In a main thread an alarm interrupts the read. In another thread, where Dask runs its tasks, an
exception is left for it, which Python code meets at its next step. What neither can reach is stuck in native code: the
whole worker ends itself a little later, and the executor finds the input by running it alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import functools
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any


def is_worker() -> bool:
    """Return whether this process works for another and may end without taking a user's session with it."""
    return multiprocessing.parent_process() is not None or ("distributed.worker" in sys.modules and _in_dask())


def _in_dask() -> bool:
    from distributed.worker import get_worker

    try:
        get_worker()
    except (ValueError, ImportError):
        return False
    return True


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeoutError after `seconds`; a worker that does not even hear that ends itself at 1.5 times as many and 2.

    The last resort is one timer a process, so a process reads one input at a time.
    """
    if is_worker():
        faulthandler.dump_traceback_later(1.5 * seconds + 2.0, exit=True, file=_devnull())
    try:
        with _alarm(seconds) if _may_use_alarm() else _exception_from_outside(seconds):
            yield
    finally:
        if is_worker():
            faulthandler.cancel_dump_traceback_later()


def _may_use_alarm() -> bool:
    return threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")


class _LateError(TimeoutError):
    """Raised without arguments, as an exception from outside must be; says what happened all the same."""

    seconds = 0.0

    def __str__(self) -> str:
        return f"reading took longer than item_timeout_s={self.seconds:g} s"


def _late(seconds: float) -> type[_LateError]:
    return type("_LateError", (_LateError,), {"seconds": seconds})


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def ring(signum: int, frame: Any) -> None:
        raise _late(seconds)()

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _exception_from_outside(seconds: float) -> Iterator[None]:
    thread = threading.get_ident()
    lock = threading.Lock()
    over = False

    def ring() -> None:
        with lock:  # never after the block has ended
            if not over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(_late(seconds)))

    timer = threading.Timer(seconds, ring)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            over = True
        timer.cancel()


@functools.cache
def _devnull() -> Any:
    return open(os.devnull, "w")
