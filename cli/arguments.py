"""The command line of one command, parsed: overrides, configuration folder and name, flags."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from roomtone.core.errors import RoomtoneError, nearest

OPTIONS = ("--config-dir", "--config-name", "--cfg", "--help", "--full")


@dataclass(frozen=True)
class Arguments:
    """A command line taken apart."""

    overrides: tuple[str, ...]
    config_dir: str | None = None
    config_name: str | None = None
    show_config: bool = False
    show_help: bool = False


class _Parser(argparse.ArgumentParser):
    """Raises one line instead of printing a usage and ending the program."""

    def error(self, message: str) -> NoReturn:
        if match := re.fullmatch(r"argument (\S+): expected one argument", message):
            raise RoomtoneError(f"{match[1]} needs a value")
        raise RoomtoneError(message)


def parse_arguments(words: Sequence[str]) -> Arguments:
    """Return the options and overrides of a command line after the command's name.

    Args:
        words: e.g. `["seed=1", "--config-dir", "mine"]`; options and overrides in any order.

    Raises:
        RoomtoneError: an unknown option, or an option without its value.
    """
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config-dir")
    parser.add_argument("--config-name")
    parser.add_argument("--cfg", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("overrides", nargs="*")
    found, unknown = parser.parse_known_intermixed_args(words)
    if unknown:
        raise RoomtoneError(f"unknown option {unknown[0]!r}; {nearest(unknown[0], OPTIONS)}")
    overrides = (*found.overrides, *(["full=true"] if found.full else []))
    return Arguments(overrides, found.config_dir, found.config_name, found.cfg, found.help)
