"""Which keys act, and so come from the command line or the packaged files alone.

A preset, a scenario, a set's `config.yaml` and a certificate travel between strangers. They are data: none of them chooses an
executor, a recogniser or a command, a place that is written to, what is overwritten, a cache folder, or the variable of an API key.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError

if TYPE_CHECKING:
    from hydra.core.override_parser.types import Override

#: Groups of which every key acts.
ACTING_GROUPS = ("executor", "asr")
#: Single keys that act, by what the command line says instead.
ACTING_KEYS = (
    "output.dir",
    "output.overwrite",
    "output.append",
    "cache_dir",
    "to",
    "dir",
    "overwrite",
    "key",
    "new_key",
    "trust_stored",
)
#: Packaged groups that no folder of the user's may add to: each of their options acts.
PACKAGED_ONLY = (*ACTING_GROUPS, "output", "hydra")
#: Groups in which a user's file wins over the packaged one of its name; in the others it is refused by name.
SHADOWED = ("scenario", "accents", "room", "noise", "equipment", "handset")
#: Keys that name a file or folder to read, beside every `path`, `paths`, `…_path` and `…_paths` below `presets`.
PATH_KEYS = (
    "dataset",
    "path",
    "baseline",
    "certificate",
    "bounty",
    "recording",
    "place",
    "sweep",
    "audio",
    "a",
    "b",
    "corpus.path",
    "corpus.root",
)
#: Typed keys whose value may read an environment variable: they name places, and their text is written into no file.
READS_ENVIRONMENT = (*PATH_KEYS, "output.dir", "cache_dir", "to", "executor.address")
#: Mappings that a command line may add keys to.
OPEN_MAPPINGS = ("presets", "paths")


@dataclass(frozen=True)
class Overrides:
    """The overrides of a command line, taken apart.

    Attributes:
        acting: those of keys and groups that act.
        data: the others.
        keys: the dotted keys that were typed, groups left out.
    """

    acting: tuple[str, ...]
    data: tuple[str, ...]
    keys: frozenset[str]

    def typed(self, key: str) -> bool:
        """Return whether a key, or a mapping that holds it, was typed."""
        return any(key == own or key.startswith(f"{own}.") for own in self.keys)


def split_overrides(words: tuple[str, ...]) -> Overrides:
    """Return the overrides taken apart.

    Raises:
        HydraException: a word that is no override.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser

    parsed: list[Override] = OverridesParser.create().parse_overrides(list(words))
    acting = [_open(one) for one in parsed if acts(str(one.key_or_group))]
    data = [_open(one) for one in parsed if not acts(str(one.key_or_group))]
    groups = packaged_groups()
    typed = {str(one.key_or_group).partition("@")[0] for one in parsed}
    return Overrides(tuple(acting), tuple(data), frozenset(typed - groups))


@functools.cache
def packaged_groups() -> frozenset[str]:
    """Return the names of the packaged groups: `corpus=mine` chooses a file, and says nothing of the keys in it."""
    folder = Path(str(resources.files("roomtone.conf")))
    return frozenset(entry.name for entry in folder.iterdir() if entry.is_dir())


def acts(key: str) -> bool:
    """Return whether a dotted key acts.

    >>> acts("executor.address"), acts("output.dir"), acts("output.format"), acts("scenario")
    (True, True, False, False)
    """
    return any(
        key == own or key.startswith((f"{own}.", f"{own}/", f"{own}@")) for own in (*ACTING_GROUPS, *ACTING_KEYS)
    )


def _open(override: Override) -> str:
    """Return an override as typed; one of a key in a mapping that takes any is made one that adds."""
    line = str(override.input_line)
    if line.startswith(tuple(f"{name}." for name in OPEN_MAPPINGS)) or line.startswith("paths="):
        return f"++{line}"
    return line


def acting_values(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the acting keys of a configuration with their values, groups key by key."""
    return {key: value for key, value in _leaves(config, "") if acts(key)}


def acting_keys(packaged: Mapping[str, Any], stated: Mapping[str, Any]) -> list[str]:
    """Return the keys and groups to take from the packaged configuration: whole groups, a whole `output` where files state none.

    Args:
        packaged: the packaged configuration.
        stated: what the user's files state.
    """
    found = [group for group in (*ACTING_GROUPS, *ACTING_KEYS) if _holds(packaged, group)]
    if "output" in packaged and "output" not in stated:
        found.append("output")
    return found


def _holds(node: Any, key: str) -> bool:
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            return False
        node = node[part]
    return True


def _leaves(node: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
    elif prefix:
        yield prefix, node


def refuse_acting(stated: Mapping[str, Any], packaged: Mapping[str, Any], where: str) -> None:
    """Refuse a file that states what only the command line may.

    Args:
        stated: the configuration as files compose it, without the command line's acting overrides.
        packaged: the same of the packaged files alone.
        where: the folder of the files.

    Raises:
        RoomtoneError: names the key, and what to type instead.
    """
    own = acting_values(packaged)
    for key, value in acting_values(stated).items():
        if value != own.get(key):
            raise RoomtoneError(
                f"{where}: a file there states {key}, which only the command line may; "
                f"type {_instead(key, value)} if that is what you want"
            )


def _instead(key: str, value: Any) -> str:
    group, _, rest = key.partition(".")
    if group in ACTING_GROUPS and rest in ("name", "recogniser", ""):
        return f"{group}={_word(value)}"
    return f"{key}={_word(value)}"


def _word(value: Any) -> str:
    """Return a value as it would be typed, cut short, without control characters."""
    text = {True: "true", False: "false", None: "null"}.get(value) if isinstance(value, bool | None) else str(value)
    return ascii(text)[1:-1][:80]
