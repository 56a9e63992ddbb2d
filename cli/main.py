"""`roomtone COMMAND key=value …`: finds the command, composes its configuration, runs it, returns the exit status.

0 done; 1 the user's input is wrong; 2 a gate was not met; 3 done, but some inputs were rejected; 4 too many were.
Nothing heavier than the standard library is imported until a command runs.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from roomtone.cli.arguments import parse_arguments
from roomtone.core.errors import RoomtoneError, nearest

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
    "export": ("roomtone.cli.commands.export", "the set in an evaluator's own format"),
    "verify": ("roomtone.cli.commands.verify", "re-render a share of the rows, compare hashes, re-measure labels"),
    "measure": ("roomtone.cli.commands.measure", "a place's own equipment, noise or room, as a preset"),
}

_OPTIONS = """\
options:
  key=value          override a key of the configuration; key=[a,b] for lists, group=option for a group
  --config-dir DIR   a folder of your own YAML; it wins over packaged options and presets of the same name
  --config-name NAME a primary configuration of your own, e.g. one that a set holds as config.yaml
  --cfg              print the composed configuration and stop
  --help             what the command does, its groups, their options and its keys"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(words)
    except RoomtoneError as error:
        print(f"roomtone: {error}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        print("roomtone: stopped; the same command goes on where it left off", file=sys.stderr)
        return 130


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if words[0] == "--version":
        from importlib.metadata import version

        print(f"roomtone {version('roomtone')}")
        return 0
    name, *rest = words
    if name not in COMMANDS:
        raise RoomtoneError(f"unknown command {name!r}; {nearest(name, COMMANDS)}")
    arguments = parse_arguments(rest)
    try:
        command = importlib.import_module(COMMANDS[name][0])
    except ModuleNotFoundError as error:
        if error.name != COMMANDS[name][0]:
            raise
        raise RoomtoneError(f"the command {name!r} is not part of this version") from error
    from roomtone.cli import compose

    if arguments.show_help:
        print(compose.command_help(name, COMMANDS[name][1], arguments, command.CONFIG_NAME))
        print(_OPTIONS)
        return 0
    cfg = compose.compose_config(arguments, command.CONFIG_NAME)
    if arguments.show_config:
        from omegaconf import OmegaConf

        print(OmegaConf.to_yaml(cfg), end="")
        return 0
    return int(command.run(cfg))


def usage() -> str:
    """Return the list of commands."""
    lines = [f"  {name:<10} {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(["usage: roomtone COMMAND [key=value …]", "", "commands:", *lines, "", _OPTIONS])


if __name__ == "__main__":
    sys.exit(main())
