"""What a command's keys mean: the comments of the YAML files that were composed, beside the keys they belong to.

`COMMAND --help` and `COMMAND --cfg` print the same lines: each key of the primary configuration and of the groups chosen on the same
command line, with its comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.cli.messages import group_options
from roomtone.core.bounded.yaml_text import parse_bounded_yaml, read_bounded_text
from roomtone.core.errors import RoomtoneError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from roomtone.cli.arguments import Arguments

_KEY = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z_][\w]*):(?P<rest>.*)")


def command_help(name: str, summary: str, arguments: Arguments, config_name: str, cfg: DictConfig) -> str:
    """Return what `roomtone NAME --help` prints: purpose, groups with their options, and every key with its comment.

    Args:
        name: of the command.
        summary: what it does, one line.
        arguments: the command line.
        config_name: the command's own primary configuration.
        cfg: the composed configuration.
    """
    folder = None if arguments.config_dir is None else Path(arguments.config_dir).expanduser()
    primary = (arguments.config_name or config_name).removesuffix(".yaml")
    chosen = chosen_groups(primary, folder, arguments.overrides)
    lines = [f"usage: roomtone {name} [key=value …]", "", summary, ""]
    if chosen:
        lines.append("groups (group=option; the one in brackets is chosen):")
        lines += [
            f"  {group:<10} {', '.join(group_options(group))}   [{'null' if option is None else option}]"
            for group, option in chosen.items()
        ]
        lines.append("")
    lines.append("keys, their values and meaning:")
    lines += ["  " + line for line in commented_yaml(cfg, arguments, config_name).splitlines()]
    if name in ("generate", "plan"):
        from roomtone.augment.scenarios.presets import preset_names
        from roomtone.core.vocabulary import FACTORS

        search = () if folder is None else (folder,)
        lines += [
            "",
            "levels (room=[none,ward]; noise and equipment take an SNR: noise=[none,babble@5dB]); see `roomtone list`:",
        ]
        lines += [f"  {factor:<10} {', '.join(preset_names(factor, search))}" for factor in FACTORS]
    return "\n".join([*lines, ""])


def commented_yaml(cfg: DictConfig, arguments: Arguments, config_name: str) -> str:
    """Return a composed configuration as YAML with the comments of the files that it was composed of.

    Args:
        cfg: the composed configuration.
        arguments: the command line.
        config_name: the command's own primary configuration.
    """
    from omegaconf import OmegaConf

    folder = None if arguments.config_dir is None else Path(arguments.config_dir).expanduser()
    primary = (arguments.config_name or config_name).removesuffix(".yaml")
    comments = dict(_comments(_find(primary, folder)))
    for group, option in chosen_groups(primary, folder, arguments.overrides).items():
        for key, comment in _group_comments(group, str(option), folder):
            comments[key] = comment
    shown = OmegaConf.to_container(cfg, resolve=False)
    assert isinstance(shown, dict)
    shown.pop("config_dir", None)
    return "\n".join(_with_comments(OmegaConf.to_yaml(OmegaConf.create(shown)), comments)) + "\n"


def chosen_groups(primary: str, folder: Path | None, overrides: tuple[str, ...]) -> dict[str, Any]:
    """Return the group options that a command line chooses, the primary's defaults where it chooses none.

    Args:
        primary: name of the primary configuration.
        folder: the user's, or None.
        overrides: `key=value` words of the command line.
    """
    defaults = _values(_find(primary, folder)).get("defaults", [])
    groups = {k: v for entry in defaults if isinstance(entry, dict) for k, v in entry.items()}
    typed = dict(word.split("=", 1) for word in overrides if "=" in word)
    return {group: typed.get(group, option) for group, option in groups.items()}


def _values(path: Path) -> dict[str, Any]:
    values = parse_bounded_yaml(read_bounded_text(path), where=str(path))
    return values if isinstance(values, dict) else {}


def _find(name: str, folder: Path | None) -> Path:
    from roomtone.augment.scenarios.presets import preset_folders

    for home in preset_folders(() if folder is None else (folder,)):
        if (path := home / f"{name}.yaml").is_file():
            return path
    raise RoomtoneError(f"--config-name: there is no {name!r}")


def _group_comments(group: str, option: str, folder: Path | None) -> Iterator[tuple[str, str]]:
    """Yield (dotted key, comment) of an option's file, after those of the files that it builds on."""
    if option in ("null", "None"):
        return
    try:
        path = _find(f"{group}/{option}", folder)
    except RoomtoneError:  # composed from elsewhere; then there are no comments
        return
    for entry in _values(path).get("defaults", []):
        base = str(entry).partition("@")[0]
        if isinstance(entry, str) and base != "_self_":
            yield from _group_comments(group, base, folder)
    for key, comment in _comments(path):
        yield f"{group}.{key}", comment


def _comments(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (dotted key, comment) for each key of a YAML file that has comment lines above it, or a comment behind it."""
    above: list[str] = []
    parents: list[tuple[int, str]] = []
    lines = read_bounded_text(path).splitlines()
    for line in (
        lines[1:] if lines and lines[0].startswith("#") else lines
    ):  # the first comment is the file's, of no key
        bare = line.strip()
        if bare.startswith("#"):
            above.append(bare.lstrip("# "))
            continue
        match = _KEY.fullmatch(line)
        if match:
            indent = len(match["indent"])
            parents = [parent for parent in parents if parent[0] < indent]
            dotted = ".".join([*(name for _, name in parents), match["key"]])
            behind = re.search(r"\s#\s*(.+)$", match["rest"])
            if above or behind:
                yield dotted, "\n".join([*above, *([behind[1]] if behind else [])])
            parents.append((indent, match["key"]))
        above = []


def _with_comments(text: str, comments: Mapping[str, str]) -> Iterator[str]:
    parents: list[tuple[int, str]] = []
    for line in text.splitlines():
        match = _KEY.fullmatch(line)
        if match:
            indent = len(match["indent"])
            parents = [parent for parent in parents if parent[0] < indent]
            dotted = ".".join([*(name for _, name in parents), match["key"]])
            for comment in comments.get(dotted, "").splitlines():
                yield f"{match['indent']}# {comment}"
            parents.append((indent, match["key"]))
        yield line
