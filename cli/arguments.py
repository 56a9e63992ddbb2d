"""The command line of one command, parsed: overrides, configuration folder and name, flags."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from roomtone.core.errors import RoomtoneError, nearest

OPTIONS = ("--config-dir", "--config-name", "--cfg", "--full", "--quiet", "--help")


@dataclass(frozen=True)
class Arguments:
    """A command line taken apart."""

    overrides: tuple[str, ...]
    config_dir: str | None = None
    config_name: str | None = None
    show_config: bool = False
    show_help: bool = False
    quiet: bool = False

    def with_positional(self, key: str | None) -> Arguments:
        """Return the command line with its first word without `=` as the value of a key.

        Args:
            key: that the word stands for; None where the command takes none.
        """
        words = [word for word in self.overrides if "=" not in word]
        if key is None or not words:
            return self
        if len(words) > 1:
            raise RoomtoneError(f"expected one {key}, got {len(words)}: {', '.join(words)} (quote a name with spaces)")
        quoted = words[0].replace("\\", "\\\\").replace("'", "\\'")
        kept = tuple(word for word in self.overrides if word != words[0])
        return replace(self, overrides=(f"{key}='{quoted}'", *kept))


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
    parser.add_argument("-q", "--quiet", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("overrides", nargs="*")
    found, unknown = parser.parse_known_intermixed_args(words)
    if unknown and "=" in unknown[0] and not nearest(unknown[0].split("=")[0], OPTIONS).startswith("did you mean"):
        raise RoomtoneError(f"unknown option {unknown[0]!r}; keys have no dashes: write {unknown[0].lstrip('-')}")
    if unknown:
        raise RoomtoneError(f"unknown option {unknown[0]!r}; {nearest(unknown[0].split('=')[0], OPTIONS)}")
    overrides = (*found.overrides, *(["full=true"] if found.full else []))
    return Arguments(overrides, found.config_dir, found.config_name, found.cfg, found.help, found.quiet)
