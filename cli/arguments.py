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
        for word in self.overrides if key == "condition" else ():
            if "+" in word.partition("=")[0].lstrip("+") and ":" in word.partition("=")[2]:
                raise RoomtoneError(
                    f"condition {word!r}: recordings of your own are given with their factor: noise=folder:DIR@5dB"
                )
        if key is None or not words:
            return self
        if len(words) > 1:
            slip = f"levels are joined with +: {'+'.join(words)}" if key == "condition" else "quote a name with spaces"
            raise RoomtoneError(f"expected one {key}, got {len(words)}: {', '.join(words)} ({slip})")
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
    if unknown:
        raise RoomtoneError(f"unknown option {unknown[0]!r}; {_instead(unknown[0], found.overrides)}")
    overrides = (*found.overrides, *(["full=true"] if found.full else []))
    return Arguments(overrides, found.config_dir, found.config_name, found.cfg, found.help, found.quiet)


def _instead(option: str, others: Sequence[str]) -> str:
    """Return what to type in place of an unknown option: one that is spelt like it, or the key that it was meant for."""
    key, equals, value = option.partition("=")
    hint = nearest(key, OPTIONS)
    if hint.startswith("did you mean"):
        return hint
    value = value if equals else next((word for word in others if "=" not in word), "…")
    return f"keys have no dashes: write {key.lstrip('-')}={value}"
