"""Waiting for futures so that a signal ends it.

A signal that comes in the moment before a thread begins to wait for a lock is noted and wakes nobody: a wait without an end would then never
hear of it. So waits are of a second, one after the other.
"""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import TypeVar

T = TypeVar("T")

#: Seconds of one wait: how late a signal may be heard of.
_STEP_S = 1.0


def wait_for_any(futures: Collection[Future[T]]) -> tuple[set[Future[T]], set[Future[T]]]:
    """Return the futures that are done, at least one, and those that are not.

    Args:
        futures: to wait for; none returns two empty sets.
    """
    done: set[Future[T]] = set()
    pending = set(futures)
    while pending and not done:
        done, pending = wait(pending, _STEP_S, FIRST_COMPLETED)
    return done, pending
