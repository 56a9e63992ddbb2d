"""A seam for tests: a process can be told by its environment to die at a named point of the commit protocol.

`ROOMTONE_FAULT=point:n:FILE` kills the process with SIGKILL at the n-th passing of `point`, once: the marker FILE, made
exclusively, keeps later processes alive. Without the variable a point costs one dictionary look-up.
"""

from __future__ import annotations

import os
import signal

#: In the order in which a shard passes them.
POINTS = ("before_write", "after_write", "after_flush", "after_rename", "before_manifest", "after_manifest")

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
    os.kill(os.getpid() if not os.environ.get("ROOMTONE_FAULT_GROUP") else 0, signal.SIGKILL)
