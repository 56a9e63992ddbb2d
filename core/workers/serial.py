"""An engine without workers: tasks run one after the other in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from roomtone.core.workers.engine import Engine, Outcome


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
