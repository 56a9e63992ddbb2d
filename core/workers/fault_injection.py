"""A seam for tests: a process can be told by its environment to die at a named point, or on a named recording.

`ROOMTONE_FAULT=point:n:FILE` kills with SIGKILL at the n-th passing of `point`, once: the marker FILE, made exclusively,
keeps later processes alive. `ROOMTONE_FAULT_WHO` says who dies: `self` (the default: whoever passes), `driver` (the
process whose id is in `ROOMTONE_FAULT_DRIVER`), or `group` (the whole process group).

`ROOMTONE_FAULT_READ=what:NAME,…` makes the reading of files called NAME do what a broken decoder does: `segfault`,
`hang` (interruptible), or `stuck` (in native code, deaf to signals).

Without the variables a point costs one dictionary look-up.
"""

from __future__ import annotations

import os
import signal
import threading
import time

#: In the order in which a shard passes them.
POINTS = ("before_write", "after_write", "after_flush", "after_rename", "before_manifest", "after_manifest")
#: What the driver itself passes: around its record of the run, and around the end of it.
DRIVER_POINTS = ("before_record", "after_record", "before_finish", "after_finish")

_passed: dict[str, int] = {}


def point(name: str) -> None:
    """Pass a named point; dies here if the environment says so."""
    order = os.environ.get("ROOMTONE_FAULT")
    if order is None:
        return
    wanted, count, marker = order.split(":", 2)
    if name != wanted:
        return
    _passed[name] = _passed.get(name, 0) + 1
    if _passed[name] < int(count):
        return
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    who = os.environ.get("ROOMTONE_FAULT_WHO", "self")
    victim = {"self": os.getpid(), "group": 0, "driver": int(os.environ.get("ROOMTONE_FAULT_DRIVER", os.getpid()))}[who]
    os.kill(victim, signal.SIGKILL)
    if who == "driver" and victim != os.getpid():
        time.sleep(0.2)  # goes on as an orphan would, if nothing stopped it


def reading(path: str) -> None:
    """Pass the reading of a file; breaks here as a decoder would if the environment says so."""
    orders = os.environ.get("ROOMTONE_FAULT_READ")
    if orders is None:
        return
    for order in orders.split(","):
        what, _, name = order.partition(":")
        if os.path.basename(path) == name:
            {"segfault": _segfault, "hang": _hang, "stuck": _stuck}[what]()


def _segfault() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _hang() -> None:
    end = time.monotonic() + 600.0
    while time.monotonic() < end:
        time.sleep(0.01)


def _stuck() -> None:
    import ctypes

    if threading.current_thread() is threading.main_thread():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    ctypes.PyDLL(None).sleep(600)  # holds the interpreter lock: no other thread of this process runs
