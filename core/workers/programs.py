"""A program that others wrote: its output is bounded, and its time-out ends everything that it started."""

from __future__ import annotations

import atexit
import contextlib
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: Bytes of standard output and of standard error that are kept.
MAX_OUTPUT_BYTES = 1_000_000
MAX_ERRORS_BYTES = 64_000
#: Seconds that what a program left behind may hold its output open after it has ended.
_GRACE_S = 1.0


class OutputTooLongError(Exception):
    """The program printed more than `MAX_OUTPUT_BYTES`."""


@dataclass(frozen=True)
class Finished:
    """How a program ended: its exit status (negative: a signal), its output, and the end of its messages."""

    status: int
    output: bytes
    errors: bytes


def run_program(words: Sequence[str], *, timeout_s: float) -> Finished:
    """Run a program without a shell, in a process group of its own, and return how it ended.

    Args:
        words: program and arguments.
        timeout_s: seconds after which its whole process group is killed.

    Raises:
        TimeoutError: it did not end in time.
        OutputTooLongError: it printed too much.
        OSError: it cannot be run.
    """
    with _group(words) as process:
        deadline = time.monotonic() + timeout_s
        output, errors = bytearray(), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ, output)  # type: ignore[arg-type]
            selector.register(process.stderr, selectors.EVENT_READ, errors)  # type: ignore[arg-type]
            while selector.get_map():
                _drain(selector, min(0.2, max(deadline - time.monotonic(), 0.0)))
                del errors[:-MAX_ERRORS_BYTES]
                if len(output) > MAX_OUTPUT_BYTES:
                    raise OutputTooLongError
                if process.poll() is not None:
                    deadline = min(deadline, time.monotonic() + _GRACE_S)
                if time.monotonic() >= deadline:
                    break
        if process.poll() is None:
            try:
                process.wait(max(deadline - time.monotonic(), 0.0))
            except subprocess.TimeoutExpired as error:
                raise TimeoutError from error
        return Finished(process.returncode, bytes(output), bytes(errors))


def _drain(selector: selectors.BaseSelector, wait_s: float) -> None:
    for key, _ in selector.select(wait_s):
        data = os.read(key.fd, 65536)
        if data:
            key.data.extend(data)
        else:
            selector.unregister(key.fileobj)


#: Process groups that run now; whatever ends this process ends them, and none is started while it ends.
_running: set[int] = set()
_lock = threading.Lock()
_ending = threading.Event()


@contextlib.contextmanager
def _group(words: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program that leads a process group; the group is killed when the block ends."""
    pipe = subprocess.PIPE
    with _lock:
        if _ending.is_set():
            raise OSError("this process ends and starts no program")
        process = subprocess.Popen(
            list(words), stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True
        )
        _running.add(process.pid)
    try:
        yield process
    finally:
        _kill_group(process.pid)
        process.wait()
        with _lock:
            _running.discard(process.pid)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


@atexit.register
def _kill_all() -> None:
    with _lock:
        _ending.set()
        for group in _running:
            _kill_group(group)
