"""The command line of one command, parsed: overrides, configuration folder and name, flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from roomtone.core.errors import RoomtoneError, nearest


#: Flags that stand for an override.
SWITCHES = {"--full": "full=true"}


@dataclass(frozen=True)
class Arguments:
    """A command line taken apart."""

    overrides: tuple[str, ...]
    config_dir: str | None = None
    config_name: str | None = None
    show_config: bool = False
    show_help: bool = False


def parse_arguments(words: Sequence[str]) -> Arguments:
    """Return the options and overrides of a command line after the command's name.

    Raises:
        RoomtoneError: an unknown option, or an option without its value.
    """
    overrides: list[str] = []
    found: dict[str, str] = {}
    flags: set[str] = set()
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word in ("-h", "--help", "--cfg"):
            flags.add("--help" if word == "-h" else word)
        elif word in SWITCHES:
            overrides.append(SWITCHES[word])
        elif word.split("=")[0] in ("--config-dir", "--config-name"):
            option, _, value = word.partition("=")
            if not value and not queue:
                raise RoomtoneError(f"{option} needs a value")
            found[option] = value or queue.pop(0)
        elif word.startswith("-"):
            raise RoomtoneError(
                f"unknown option {word!r}; {nearest(word, ['--config-dir', '--config-name', '--cfg', '--help', *SWITCHES])}"
            )
        else:
            overrides.append(word)
    return Arguments(
        tuple(overrides), found.get("--config-dir"), found.get("--config-name"), "--cfg" in flags, "--help" in flags
    )
