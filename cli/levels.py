"""Short forms on the command line: `noise=[none,babble@5dB]` for `scenario.factors.noise=…`, and paths that need no quoting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import FACTORS

_PREFIX = "scenario.factors."


def with_short_forms(overrides: Sequence[str]) -> tuple[str, ...]:
    """Return overrides in which a factor's own name stands for its key in the scenario, and its levels are quoted.

    Args:
        overrides: `key=value` words of a command line.

    >>> with_short_forms(["noise=[none,mine=folder:/data/n@5dB]", "seed=1"])
    ("++scenario.factors.noise=['none','mine=folder:/data/n@5dB']", 'seed=1')
    """
    return tuple(long for word in overrides for long in _long_forms(word))


def _long_forms(word: str) -> tuple[str, ...]:
    key, equals, value = word.partition("=")
    if key.lstrip("+") == "scenario.factors" and value.startswith("{"):
        return (
            "~scenario.factors",
            f"+scenario.factors={value}",
        )  # in the place of the scenario's own, not merged into them
    factor = key.lstrip("+").removeprefix(_PREFIX)
    if not equals or factor not in FACTORS or key.lstrip("+") not in (factor, _PREFIX + factor):
        return (word,)
    bare = value.strip()
    if bare.startswith("[") != bare.endswith("]"):
        raise RoomtoneError(f"{factor}: {value!r}: a bracket is missing; write {factor}=[none,…]")
    levels = list(_items(bare[1:-1])) if bare.startswith("[") else [bare]
    return (f"++{_PREFIX}{factor}=[{','.join(map(_quoted, levels))}]",)


def _items(text: str) -> Iterator[str]:
    """Yield the parts of a list between commas, those inside quotes left whole."""
    part, quote = "", ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == ",":
            yield part.strip()
            part = ""
            continue
        part += character
    if part.strip():
        yield part.strip()


def _quoted(level: str) -> str:
    inner = level[1:-1] if len(level) > 1 and level[0] == level[-1] and level[0] in "'\"" else level
    return "'" + inner.replace("\\", "\\\\").replace("'", "\\'") + "'"
