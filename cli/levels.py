"""Short forms on the command line: `noise=[none,babble@5dB]` for `scenario.factors.noise=…`, and paths that need no quoting."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from roomtone.core.errors import RoomtoneError
from roomtone.core.vocabulary import FACTORS

_PREFIX = "scenario.factors."
#: Keys whose value is one path, or a claim with its own key=value words: it is taken as it is typed, whatever signs a file name holds.
_PATHS = frozenset({
    "audio", "to", "path", "recording", "place", "key", "terms", "utterances", "cache_dir", "asr.grammar", "asr.model",
    "corpus.path", "corpus.root", "output.dir", "dataset", "dir", "bounty", "claim",
})  # fmt: skip
_PLAIN_PATH = re.compile(r"[\w./:~@%+\- ]*", re.ASCII)


def with_short_forms(overrides: Sequence[str]) -> tuple[str, ...]:
    """Return overrides in which a factor's own name stands for its key in the scenario, and its levels are quoted.

    Args:
        overrides: `key=value` words of a command line.

    >>> with_short_forms(["noise=[none,mine=folder:/data/n@5dB]", "seed=1"])
    ("++scenario.factors.noise=['none','mine=folder:/data/n@5dB']", 'seed=1')
    """
    _refuse_spaces(overrides)
    return tuple(long for word in overrides for long in _long_forms(_quoted_path(word)))


def _refuse_spaces(words: Sequence[str]) -> None:
    """Refuse a value that a space has cut into two words: a list whose bracket closes in a later one, a path that goes on there."""
    for at, word in enumerate(words):
        key, equals, value = word.partition("=")
        later = next((n for n in range(at + 1, len(words)) if words[n].endswith("]")), None)
        if equals and value.startswith("[") and "]" not in value and later is not None:
            whole = "".join(words[at : later + 1])
            raise RoomtoneError(
                f"{key}: a space cuts the list in two; leave it out: {whole}, or quote the whole: '{whole}'"
            )
        if equals and key in _PATHS and at + 1 < len(words) and "=" not in words[at + 1]:
            raise RoomtoneError(f"{key}: a space cuts the value in two; quote it: {key}='{value} {words[at + 1]}'")


def _quoted_path(word: str) -> str:
    """Return a word whose path holds signs of Hydra's grammar with the path quoted; lists, quoted paths and references stay.

    >>> _quoted_path("audio=takes/Übung #2 (final).wav")
    "audio='takes/Übung #2 (final).wav'"
    """
    key, equals, value = word.partition("=")
    several = key == "dataset" and "," in value
    if not equals or key not in _PATHS or value[:1] in tuple("[{'\"") or "${" in value or several:
        return word
    return word if _PLAIN_PATH.fullmatch(value) else f"{key}={_quoted(value)}"


def _long_forms(word: str) -> tuple[str, ...]:
    key, equals, value = word.partition("=")
    plain = key.lstrip("+")
    if plain in ("scenario.factors", "scenario.goals") and value.startswith("{"):
        return (f"~{plain}", f"+{plain}={value}")  # in the place of the scenario's own, not merged into them
    if plain.startswith("scenario.goals."):
        return (f"++{plain}={value}",)  # a goal that the scenario does not have is new, and no misspelt key
    factor = key.lstrip("+").removeprefix(_PREFIX)
    if not equals or factor not in FACTORS or key.lstrip("+") not in (factor, _PREFIX + factor):
        return (word,)
    bare = value.strip()
    if bare.startswith("[") != bare.endswith("]"):
        raise RoomtoneError(f"{factor}: {value!r}: a bracket is missing; write {factor}=[none,…]")
    levels = list(_items(bare[1:-1])) if bare.startswith("[") else [bare]
    for first, second in pairwise(levels):
        if re.fullmatch(r"[^:]+@[-+]?\d+", first) and re.fullmatch(r"\d+dB", second, re.IGNORECASE):
            raise RoomtoneError(f"{factor}: '{first},{second}': numbers have a decimal point; write {first}.{second}")
    return (f"++{_PREFIX}{factor}=[{','.join(map(_quoted, levels))}]",)


def is_named_by_levels(config: Mapping[str, Any], typed: Collection[str]) -> bool:
    """Return whether every factor of the scenario was typed, and its name was not: the set is called by its levels then.

    Args:
        config: a composed configuration.
        typed: the dotted keys of the command line.
    """
    scenario = config.get("scenario") or {}
    factors = {f"{_PREFIX}{factor}" for factor in scenario.get("factors") or ()}
    every = "scenario.factors" in typed or factors <= set(typed)
    return "name" in scenario and bool(factors) and every and "scenario.name" not in typed


def refuse_own_material(config: Mapping[str, Any], typed: Collection[str], where: str) -> None:
    """Refuse levels of a file that name a folder or a file: those come from the command line alone.

    Args:
        config: a composed configuration as plain values.
        typed: the dotted keys of the command line.
        where: the folder of the files.

    Raises:
        RoomtoneError: names the level, and what to type instead.
    """
    factors = (config.get("scenario") or {}).get("factors") if isinstance(config.get("scenario"), Mapping) else None
    for factor, levels in (factors or {}).items():
        own = [level for level in levels or () if ":" in str(level)]
        if own and not {f"{_PREFIX}{factor}", "scenario.factors"} & set(typed):
            raise RoomtoneError(
                f"{where}: a file there names a place on this machine in the level {own[0]!r}, which only the command line may; "
                f"type {factor}=[none,…] with it if that is what you want"
            )


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
    # in Hydra's grammar a backslash stands for itself except before a quote
    return "'" + re.sub(r"(?<!\\)(\\*)('|$)", lambda m: 2 * m[1] + ("\\'" if m[2] else ""), inner) + "'"
