"""`roomtone COMMAND key=value …`: finds the command, composes its configuration, runs it, returns the exit status.

0 done; 1 the user's input is wrong; 2 a gate was not met; 3 done, but some inputs were rejected; 4 too many were; 128 + n where
signal n ended it.
Nothing heavier than the standard library is imported until a command runs.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import Any

from roomtone.cli.arguments import parse_arguments
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.printable import guarded_output

#: Seconds until a signal is sent again that came at a moment when nothing could end.
_AGAIN_S = 0.02
#: name -> (module, one line of help)
COMMANDS: dict[str, tuple[str, str]] = {
    "generate": (
        "roomtone.cli.commands.generate",
        "corpus + scenario + design -> a stress-test set; alone, it runs the bundled demo",
    ),
    "plan": (
        "roomtone.cli.commands.plan",
        "the same without rendering: coverage before and after, holes, hours, bytes, time",
    ),
    "corpus": ("roomtone.cli.commands.corpus", "what is in a corpus before anything is rendered"),
    "coverage": (
        "roomtone.cli.commands.coverage",
        "the accent x condition matrix of a set, its holes, figures and gates",
    ),
    "evaluate": ("roomtone.cli.commands.evaluate", "transcribe, score and compare accents across conditions"),
    "compare": (
        "roomtone.cli.commands.compare",
        "two evaluations of one set (two recognisers, two versions): whose gap narrowed",
    ),
    "threshold": (
        "roomtone.cli.commands.threshold",
        "from which SNR (level, period, T60, loss) on each accent passes a limit",
    ),
    "bounty": (
        "roomtone.cli.commands.bounty",
        "an outsider's claim about a recogniser: plan, run, write, check",
    ),
    "export": ("roomtone.cli.commands.export", "the set in an evaluator's own format"),
    "verify": ("roomtone.cli.commands.verify", "re-render a share of the rows, compare hashes, re-measure labels"),
    "list": (
        "roomtone.cli.commands.list",
        "what there is: rooms, noises, equipment, handsets; corpora, formats, recognisers",
    ),
    "show": ("roomtone.cli.commands.show", "one preset: its fields with their comments, its spectrum or decay"),
    "listen": ("roomtone.cli.commands.listen", "one condition on one recording, as a file to hear"),
    "sign": ("roomtone.cli.commands.sign", "a detached signature over a set, which verify key=FILE.pub checks"),
    "measure": ("roomtone.cli.commands.measure", "a place's own equipment, noise or room, as a preset"),
}

_OPTIONS = """\
options:
  key=value          override a key of the configuration; key=[a,b] for lists, group=option for a group
  --config-dir DIR   a folder of your own YAML; it wins over packaged options and presets of the same name
  --config-name NAME a primary configuration of your own, e.g. one that a set holds as config.yaml
  --cfg              print the composed configuration and stop
  --quiet            print nothing but errors; the exit status says how it went
  --help             what the command does, its groups, their options and its keys"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    _replace_what_cannot_be_printed()
    with guarded_output():
        return _run(words)


def _run(words: list[str]) -> int:
    """Run a command and turn whatever ends it into one line and a status."""
    ended_by: list[int] = []
    try:
        with _signals_end_as_interrupts(ended_by):
            return _dispatch(words)
    except KeyboardInterrupt:
        return _stopped(ended_by)
    except Exception as error:
        if ended_by:  # what a library makes of a signal, such as DuckDB's "Query interrupted"
            return _stopped(ended_by)
        return _failed(error)


def _stopped(ended_by: list[int]) -> int:
    print("roomtone: stopped; the same command goes on where it left off", file=sys.stderr)
    return 128 + (ended_by[0] if ended_by else int(signal.SIGINT))


def _failed(error: Exception) -> int:
    """Say in one line what ended a command, and return its status; a fault of the program's own is raised again."""
    if isinstance(error, RoomtoneError):
        print(f"roomtone: {' '.join(str(error).splitlines())}", file=sys.stderr)
        return error.exit_status
    if isinstance(error, BrokenPipeError):
        sys.stderr.close()
        return 0
    if isinstance(error, MemoryError | OSError):
        print(f"roomtone: {_machine_fault(error)}", file=sys.stderr)
        return 1
    raise error


def _machine_fault(error: MemoryError | OSError) -> str:
    """Return in one line what this machine could not give: memory, a place to write, a file."""
    if isinstance(error, MemoryError):
        return f"not enough memory ({error or 'an allocation failed'}); fewer workers take less: executor.workers=1"
    place = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{place}"


@contextlib.contextmanager
def _signals_end_as_interrupts(ended_by: list[int]) -> Iterator[None]:
    """Have SIGTERM and SIGHUP end a command as Ctrl-C does: workers go, what is done stays, one line is said.

    C code that calls Python back, as libsndfile does to read a file, prints an interrupt that ends the callback and goes on. A signal
    that comes there is sent again a moment later.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        if _called_from_c(frame):
            again = threading.Timer(_AGAIN_S, os.kill, (os.getpid(), number))
            again.daemon = True
            again.start()
            return
        ended_by.append(number)
        raise KeyboardInterrupt

    before: dict[int, Any] = {}
    for name in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(name) in (signal.SIG_DFL, signal.default_int_handler):  # nohup's wish is respected
            before[name] = signal.signal(name, end)
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _called_from_c(frame: FrameType | None) -> bool:
    """Return whether a frame is below one of soundfile's callbacks, which libsndfile calls."""
    while frame is not None:
        if frame.f_code.co_name.startswith("vio_") and frame.f_globals.get("__name__") == "soundfile":
            return True
        frame = frame.f_back
    return False


def _replace_what_cannot_be_printed() -> None:
    """Print `?` for a letter that the terminal's encoding lacks, instead of failing on it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _dispatch(words: list[str]) -> int:
    if "_ARGCOMPLETE" in os.environ:
        from roomtone.cli.completion import offer_completions

        offer_completions(list(COMMANDS))
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if words[0] == "--version":
        from importlib.metadata import version

        print(f"roomtone {version('roomtone')}")
        return 0
    name, *rest = _command_first(words)
    if name not in COMMANDS:
        raise RoomtoneError(f"unknown command {name!r}; {_listed(name) or nearest(name, COMMANDS)}")
    arguments = parse_arguments(rest)
    try:
        command = importlib.import_module(COMMANDS[name][0])
    except ModuleNotFoundError as error:
        if error.name != COMMANDS[name][0]:
            raise
        raise RoomtoneError(f"the command {name!r} is not part of this version") from error
    from roomtone.cli.compose import compose_config
    from roomtone.cli.help import command_help, commented_yaml

    arguments = arguments.with_positional(getattr(command, "POSITIONAL", None))
    cfg = compose_config(arguments, command.CONFIG_NAME)
    if arguments.show_help:
        print(command_help(name, COMMANDS[name][1], arguments, command.CONFIG_NAME, cfg))
        print(_OPTIONS)
        return 0
    if arguments.show_config:
        print(commented_yaml(cfg, arguments, command.CONFIG_NAME), end="")
        return 0
    if not arguments.quiet:
        return int(command.run(cfg))
    from roomtone.core.workers.progress import silence_progress

    silence_progress()
    with open(os.devnull, "w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        return int(command.run(cfg))


def _listed(name: str) -> str:
    """Return what lists the group that was taken for a command; nothing where there is no such group."""
    from roomtone.cli.commands.list import GROUPS

    return f"write roomtone list {name}" if name in GROUPS else ""


def _command_first(words: list[str]) -> list[str]:
    """Return the words with the options that stand before the command behind it: `roomtone --quiet generate` is a habit of many.

    >>> _command_first(["--config-dir", "mine", "--quiet", "plan", "seed=1"])
    ['plan', '--config-dir', 'mine', '--quiet', 'seed=1']
    """
    first = 0
    while first < len(words) and words[first] in ("--quiet", "--cfg", "--config-dir", "--config-name"):
        first += 1 if words[first] in ("--quiet", "--cfg") else 2
    return [words[first], *words[:first], *words[first + 1 :]] if first < len(words) else words


def usage() -> str:
    """Return the list of commands."""
    lines = [f"  {name:<10} {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(["usage: roomtone COMMAND [key=value …]", "", "commands:", *lines, "", _OPTIONS])


if __name__ == "__main__":
    sys.exit(main())
