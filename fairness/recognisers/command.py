"""Any program: it gets the path of a recording and prints the words."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from roomtone.core.errors import RoomtoneError
from roomtone.core.workers.programs import MAX_OUTPUT_BYTES, Finished, OutputTooLongError, run_program
from roomtone.fairness.recognisers.base import Recogniser, SampleAudio, TranscriptionError

_PLACE = "{audio}"


@dataclass(frozen=True)
class Command(Recogniser):
    """`command`: program and arguments with `{audio}` (and `{language}`) in them, split like a shell's words but run without one."""

    runs_in: ClassVar[Literal["processes", "threads", "one"]] = "threads"
    no_effect_on_text: ClassVar[frozenset[str]] = frozenset({"timeout_s", "workers"})
    command: str
    timeout_s: float = 120.0
    workers: int | None = None

    @property
    def at_once(self) -> int | None:
        """Return `workers`."""
        return self.workers

    def check(self) -> None:
        """Refuse a system that cannot end what a program starts, a command without a place for the recording, or whose program is not there."""
        if not hasattr(os, "killpg"):
            raise RoomtoneError(
                "asr=command needs process groups, which this system has not; run it under Linux, macOS or WSL, "
                "or write the hypotheses into a table: asr=hypotheses path=FILE"
            )
        if not self.command or _PLACE not in self.command:
            raise RoomtoneError(
                f"asr.command: needs {_PLACE} where the path of the recording goes, got {self.command!r}"
            )
        try:
            program = shlex.split(self.command)[0]
        except ValueError as error:
            raise RoomtoneError(f"asr.command: {self.command!r} cannot be split into words ({error})") from error
        if shutil.which(program) is None:
            raise RoomtoneError(f"asr.command: there is no program {program!r} on this machine")

    def transcribe(self, clip: SampleAudio) -> str:
        """Return what the program prints; another exit status than 0 is a failure, with its last line of errors."""
        with clip.file() as path:
            done = self._run(path, clip.language or "")
        if done.status != 0:
            said = done.errors.decode("utf-8", "replace").strip().splitlines()
            raise TranscriptionError(f"exit status {done.status}{': ' + said[-1][:200] if said else ''}")
        return done.output.decode("utf-8", "replace").strip()

    def _run(self, path: Path, language: str) -> Finished:
        words = [
            # one argument stays one argument, whatever the path holds
            word.replace(_PLACE, str(path)).replace("{language}", language)
            for word in shlex.split(self.command)
        ]
        try:
            return run_program(words, timeout_s=self.timeout_s)
        except TimeoutError as error:
            raise TranscriptionError(f"timed out after {self.timeout_s:g} s") from error
        except OutputTooLongError as error:
            raise TranscriptionError(f"printed more than {MAX_OUTPUT_BYTES:,} bytes, which no transcript is") from error
        except OSError as error:
            raise TranscriptionError(f"cannot be run: {error}") from error
