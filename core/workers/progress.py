"""One progress display for every executor: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import deque
from types import TracebackType

from roomtone.core.printable import unguarded

#: Seconds between two plain lines.
_EVERY_S = 10.0
#: Lines over which the speed is taken, and items that they must hold.
_LINES, _FEWEST = 6, 5


_silent = False


def silence_progress() -> None:
    """Show no progress from now on, in this process."""
    global _silent
    _silent = True


class Progress:
    """Shows samples done of planned, how many times faster than real time, time left, and what was rejected."""

    def __init__(self, planned: int, what: str, unit: str = "samples") -> None:
        self._planned = planned
        self._what = what
        self._unit = unit
        self._done = self._rendered = self._rejected = 0
        self._seconds = 0.0
        self._begun = self._said = time.monotonic()
        self._recent: deque[tuple[float, int]] = deque(maxlen=_LINES)
        self._bar = _rich_bar(planned, what) if sys.stderr.isatty() and not _silent else None

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar[0].stop()
        elif kind is None and self._planned and not _silent:
            print(self._line(), file=sys.stderr, flush=True)

    def add(self, done: int, *, rejected: int = 0, seconds: float = 0.0, rendered: bool = True) -> None:
        """Count finished items; `seconds` is the length of their audio; `rendered=False` for what an earlier run made.

        Args:
            done: items finished, rendered or rejected.
            rejected: how many of them were rejected.
            seconds: length of their audio.
            rendered: False for what an earlier run made.
        """
        self._done += done
        self._rejected += rejected
        if rendered:
            self._rendered += done
            self._seconds += seconds
            if not self._recent:  # what comes first waits for models and code to load, and says nothing about the rest
                self._recent.append((time.monotonic(), self._rendered))
        if self._bar is not None:
            self._bar[0].update(self._bar[1], completed=self._done, status=self._status())
        elif time.monotonic() - self._said >= _EVERY_S and not _silent:
            self._said = time.monotonic()
            print(self._line(), file=sys.stderr, flush=True)

    def _status(self) -> str:
        elapsed = max(time.monotonic() - self._begun, 1e-6)
        speed = f"{self._seconds / elapsed:.0f}x real time" if self._seconds else ""
        rejected = f"{self._rejected} rejected" if self._rejected else ""
        return ", ".join(part for part in (speed, rejected) if part)

    def _left(self) -> str:
        """Return the time left by the speed over the last lines; nothing while it rests on a few items."""
        if not self._recent:
            return ""
        now, done = time.monotonic(), self._rendered
        if self._recent[-1][1] < done:
            self._recent.append((now, done))
        then, before = self._recent[0]
        if done - before < _FEWEST:
            return ""
        return f"about {_clock((self._planned - self._done) * (now - then) / (done - before))} left"

    def _line(self) -> str:
        elapsed = time.monotonic() - self._begun
        parts = [f"{self._what}: {self._done} of {self._planned} {self._unit}", self._status()]
        parts.append(self._left() if self._done < self._planned else f"in {_clock(elapsed)}")
        return ", ".join(part for part in parts if part)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _rich_bar(planned: int, what: str):  # type: ignore[no-untyped-def]
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[status]}"),
        TimeRemainingColumn(),
    )
    bar = RichProgress(*columns, console=Console(file=unguarded(sys.stderr)))
    return bar, bar.add_task(what, total=planned, status="")
