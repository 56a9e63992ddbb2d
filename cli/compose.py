"""From a command line to one composed configuration, through Hydra's Compose API.

The user's folder stands before the packaged one on the search path, so a preset of the user's with a packaged name wins.
Errors of Hydra and OmegaConf become one line that names the culprit and the nearest right name.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.core.errors import RoomtoneError, nearest

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from roomtone.cli.arguments import Arguments

PACKAGE = "roomtone.conf"


def compose_config(arguments: Arguments, config_name: str) -> DictConfig:
    """Return the composed configuration, with `config_dir` (the user's folder or null) beside the command's own keys.

    Args:
        arguments: the command line.
        config_name: the command's own primary configuration.

    Raises:
        RoomtoneError: a folder, file, group option or key that does not exist, or text that Hydra cannot parse.
    """
    from hydra import compose
    from hydra.errors import HydraException
    from omegaconf import OmegaConf, open_dict
    from omegaconf.errors import OmegaConfBaseException

    folder = _config_dir(arguments)
    name = arguments.config_name or config_name
    _refuse_targets(arguments.overrides)
    _start_hydra(folder)
    try:
        cfg = compose(name.removesuffix(".yaml"), overrides=list(arguments.overrides))
        OmegaConf.resolve(cfg.copy())
    except (HydraException, OmegaConfBaseException) as error:
        raise RoomtoneError(_one_line(error, name, arguments)) from error
    except Exception as error:  # a YAML file that does not parse raises yaml's own types through Hydra
        raise RoomtoneError(f"configuration {name!r}: {' '.join(str(error).split())}") from error
    with open_dict(cfg):
        cfg.config_dir = None if folder is None else str(folder)
    return cfg


def plain(cfg: DictConfig) -> dict[str, Any]:
    """Return a composed configuration as plain Python values, references resolved."""
    from omegaconf import OmegaConf

    container: Any = OmegaConf.to_container(cfg, resolve=True)
    return dict(container)


def _config_dir(arguments: Arguments) -> Path | None:
    if arguments.config_dir is None:
        return None
    folder = Path(arguments.config_dir).expanduser().absolute()
    if not folder.is_dir():
        raise RoomtoneError(f"--config-dir: {arguments.config_dir!r} is not a folder")
    return folder


@functools.cache
def _user_folder_plugin() -> Any:
    """Return the plugin that puts a folder of the user's before the packaged one on Hydra's search path, registered once."""
    from hydra.core.config_search_path import ConfigSearchPath
    from hydra.core.plugins import Plugins
    from hydra.plugins.search_path_plugin import SearchPathPlugin

    class UserFolder(SearchPathPlugin):
        folder: Path | None = None

        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            if self.folder is not None:
                search_path.prepend("--config-dir", f"file://{self.folder}", anchor="main")

    Plugins.instance().register(UserFolder)
    return UserFolder


def _start_hydra(folder: Path | None) -> None:
    """Start Hydra's Compose API on the packaged configurations, with the user's folder before them."""
    from hydra import initialize_config_module
    from hydra.core.global_hydra import GlobalHydra

    _user_folder_plugin().folder = folder
    GlobalHydra.instance().clear()
    initialize_config_module(PACKAGE, version_base="1.3", job_name="roomtone")


def _refuse_targets(overrides: tuple[str, ...]) -> None:
    for override in overrides:
        if "_target_" in override:
            raise RoomtoneError(f"{override!r}: '_target_' is not allowed; a configuration is data, not a program")


def _one_line(error: Exception, name: str, arguments: Arguments) -> str:
    """Return what a message of Hydra's means, with the nearest right name."""
    text = str(error)
    if match := re.search(r"Could not override '([^']+)'", text):
        return f"unknown key {match[1]!r}; {nearest(match[1], _all_keys(name))}"
    if match := re.search(r"Key '([^']+)' is not in struct", text):
        return f"unknown key {match[1]!r}; {nearest(match[1], _all_keys(name))}"
    if match := re.search(r"Could not find '([^'/]+)/([^']+)'", text):
        return f"{match[1]}: there is no option {match[2]!r}; {nearest(match[2], _options(match[1]))}"
    if "Cannot find primary config" in text:
        where = arguments.config_dir or "the packaged configurations"
        return f"--config-name: there is no {name!r} in {where}"
    if match := re.search(r"Could not load '([^']+)'", text):
        return f"cannot load {match[1]!r}"
    culprit = next((o for o in arguments.overrides if o.split("=")[0] in text or "=" not in o), "")
    if "=" not in culprit and culprit:
        return f"{culprit!r} is not of the form key=value"
    return f"configuration {name!r}{f', at {culprit!r}' if culprit else ''}: {' '.join(text.split())[:300]}"


def _all_keys(name: str) -> list[str]:
    """Return every dotted key of the command's configuration without overrides, to find the nearest."""
    from hydra import compose
    from omegaconf import OmegaConf

    try:
        return _dotted(OmegaConf.to_container(compose(name.removesuffix(".yaml")), resolve=False))
    except Exception:  # the hint is a courtesy; without a readable configuration there is none
        return []


def _dotted(node: Any, prefix: str = "") -> list[str]:
    if not isinstance(node, dict):
        return [prefix]
    own = [prefix] if prefix else []
    return own + [key for k, v in node.items() for key in _dotted(v, f"{prefix}.{k}" if prefix else str(k))]


def _options(group: str) -> list[str]:
    from hydra.core.global_hydra import GlobalHydra

    return list(GlobalHydra.instance().config_loader().get_group_options(group))


def command_help(name: str, summary: str, arguments: Arguments, config_name: str) -> str:
    """Return what `roomtone NAME --help` prints: purpose, groups with their options, and keys with their comments.

    Args:
        name: of the command.
        summary: what it does, one line.
        arguments: the command line.
        config_name: the command's own primary configuration.
    """
    folder = _config_dir(arguments)
    _start_hydra(folder)
    primary = arguments.config_name or config_name
    lines = [f"usage: roomtone {name} [key=value …]", "", summary, ""]
    groups = _groups(primary, folder)
    if groups:
        lines.append("groups (group=option):")
        lines += [f"  {group:<10} {', '.join(_options(group))}   [{default}]" for group, default in groups.items()]
        lines.append("")
    lines.append("keys, their defaults and meaning:")
    lines += ["  " + line for line in _commented_keys(primary, folder)]
    if name in ("generate", "plan"):
        from roomtone.augment.scenarios.presets import preset_names
        from roomtone.core.vocabulary import FACTORS

        search = () if folder is None else (folder,)
        lines += ["", "presets for the levels of a scenario (noise and equipment take an SNR, e.g. babble@5dB):"]
        lines += [f"  {factor:<10} {', '.join(preset_names(factor, search))}" for factor in FACTORS]
    return "\n".join([*lines, ""])


def _primary_text(name: str, folder: Path | None) -> str:
    from roomtone.augment.scenarios.presets import packaged_dir

    for home in (folder, packaged_dir()):
        if home is not None and (path := home / f"{name.removesuffix('.yaml')}.yaml").is_file():
            return path.read_text(encoding="utf-8")
    raise RoomtoneError(f"--config-name: there is no {name!r}")


def _groups(primary: str, folder: Path | None) -> dict[str, str]:
    import yaml

    defaults = (yaml.safe_load(_primary_text(primary, folder)) or {}).get("defaults", [])
    return {k: v for entry in defaults if isinstance(entry, dict) for k, v in entry.items()}


def _commented_keys(primary: str, folder: Path | None) -> list[str]:
    """Return the primary's own lines below its defaults list: each key stands there with its comment."""
    lines = _primary_text(primary, folder).splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith("defaults:")), -1) + 1
    while start < len(lines) and (lines[start].startswith((" ", "-")) or not lines[start].strip()):
        start += 1
    return lines[start:]
