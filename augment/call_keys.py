"""What keys the draws of a call that names no key: anew for each call, in every worker and every epoch.

In the process that made it, calls are counted: `0`, `1`, `2`, so a script that is run again draws the same. A copy in another process, forked or
spawned, must not count from where its parent stood, or two workers would draw alike and every epoch would be the first. There the count
stands below the worker's own state: in a torch DataLoader `get_worker_info().seed`, which torch draws anew for each worker and epoch
from its generator (so `torch.manual_seed` makes it repeatable), elsewhere a random number of that process. `set_epoch` and a generator replace
chance by what the caller states; workers stay apart by their number or name.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import secrets
import sys
from typing import Any

import numpy as np

from roomtone.core.errors import RoomtoneError


class _Process:
    """A number that tells this process from its parent and from any other; a process id alone may come again."""

    def __init__(self) -> None:
        self.draw()

    def draw(self) -> None:
        self.number = secrets.token_hex(8)


_PROCESS = _Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_PROCESS.draw)


class CallKeys:
    """Gives a new key for each call.

    Args:
        generator: keys are drawn from it; None counts calls.

    Raises:
        RoomtoneError: `generator` is no `numpy.random.Generator`.
    """

    def __init__(self, generator: np.random.Generator | None = None) -> None:
        if generator is not None and not isinstance(generator, np.random.Generator):
            raise RoomtoneError(
                f"generator: expected a numpy.random.Generator, e.g. numpy.random.default_rng(1), got {generator!r}"
            )
        self._generator = generator
        self._home = _PROCESS.number
        self._epoch: int | None = None
        self._scope: str | None = None
        self._calls = itertools.count()

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch: from here on the keys are those of this epoch, each time the same.

        Args:
            epoch: 0 or more.

        Raises:
            RoomtoneError: not a whole number of 0 or more.
        """
        if isinstance(epoch, bool) or not isinstance(epoch, int | np.integer) or epoch < 0:
            raise RoomtoneError(f"epoch: expected a whole number, 0 or more, got {epoch!r}")
        self._epoch = int(epoch)
        self._calls = itertools.count()

    def draw(self) -> str:
        """Return the key of the next call."""
        scope = self._worker()
        if scope != self._scope:  # a copy that has come into a worker counts for itself
            self._scope, self._calls = scope, itertools.count() if scope else self._calls
        parts = [] if self._epoch is None else [f"epoch {self._epoch}"]
        parts += [scope] if scope else []
        number = next(self._calls) if self._generator is None else int(self._generator.integers(2**63))
        return "/".join([*parts, str(number)])

    def _worker(self) -> str:
        """Return what tells this worker from others, empty in the process of origin."""
        if self._home == _PROCESS.number:
            return ""
        info = _torch_worker()
        if info is not None:
            return f"worker {info.id}" if self._epoch is not None else f"worker {info.seed}"
        if self._epoch is not None:
            return multiprocessing.current_process().name
        return f"process {_PROCESS.number}"

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs; counting begins anew there."""
        return {key: value for key, value in self.__dict__.items() if key != "_calls"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._calls = itertools.count()


def _torch_worker() -> Any:
    """Return torch's `WorkerInfo` inside a DataLoader's worker, else None; torch is not imported for it."""
    torch = sys.modules.get("torch.utils.data")
    return None if torch is None else torch.get_worker_info()
