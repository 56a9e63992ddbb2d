"""The folder behind `--config-dir`: its files are read as data, each checked as it is loaded, and its paths stay inside it.

Hydra loads these files through a source of our own, so that a file is checked when it is used and no other: a broken preset in a
large folder stops nobody who did not ask for it.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from roomtone.cli.acting_keys import PACKAGED_ONLY, PATH_KEYS, SHADOWED, Overrides
from roomtone.core.bounded.yaml_text import check_references, parse_bounded_yaml, read_bounded_text
from roomtone.core.errors import RoomtoneError
from roomtone.core.local_paths import is_path_key, is_path_name, path_inside, read_local_paths
from roomtone.core.plugins import added_preset_folders

SCHEME = "roomtone-user"


@functools.cache
def user_folder_plugin() -> Any:
    """Return the plugin that puts a folder of the user's before the packaged one on Hydra's search path, registered once."""
    from hydra.core.config_search_path import ConfigSearchPath
    from hydra.core.plugins import Plugins
    from hydra.plugins.search_path_plugin import SearchPathPlugin

    class UserFolder(SearchPathPlugin):
        folder: Path | None = None
        primary: str | None = None

        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            if self.folder is not None:
                search_path.prepend("--config-dir", f"{SCHEME}://{self.folder}", anchor="main")
            for folder in added_preset_folders():  # behind our own, of which they replace none
                search_path.append("installed packages", f"file://{folder}")

    Plugins.instance().register(UserFolder)
    _register_source(UserFolder)
    return UserFolder


def _register_source(plugin: Any) -> None:
    from hydra._internal.core_plugins.file_config_source import FileConfigSource
    from hydra._internal.sources_registry import SourcesRegistry
    from hydra.core.plugins import Plugins
    from hydra.plugins.config_source import ConfigResult

    class UserFiles(FileConfigSource):
        @staticmethod
        def scheme() -> str:
            return SCHEME

        def load_config(self, config_path: str) -> ConfigResult:
            check_user_file(Path(self.path), self._normalize_file_name(config_path), plugin.primary)
            return super().load_config(config_path)

    Plugins.instance().register(UserFiles)
    SourcesRegistry.instance().register(UserFiles)


def check_user_file(folder: Path, name: str, primary: str | None) -> None:
    """Refuse a file that is no data.

    Args:
        folder: the user's.
        name: of the file, relative to it.
        primary: the configuration that `--config-name` names, None where none is named.

    Raises:
        RoomtoneError: it leaves the folder, bears a packaged name that it may not, or holds what a file may not.
    """
    path = path_inside(folder, name, where=f"--config-dir {folder}")
    group = Path(name).parts[0] if len(Path(name).parts) > 1 else ""
    if group in PACKAGED_ONLY:
        raise RoomtoneError(
            f"{path}: a file may not choose the group {group!r}; move it out of the folder and type its keys on the command line"
        )
    packaged = _packaged_folder() / name
    chosen = primary is not None and name == f"{primary.removesuffix('.yaml')}.yaml"
    if packaged.is_file() and group not in SHADOWED and not chosen:
        raise RoomtoneError(f"{path}: bears the name of a packaged file, which it may not replace; call it otherwise")
    text = read_bounded_text(path)
    if any(re.match(r"#\s*@package\b", line.lstrip()) for line in text.splitlines()):
        raise RoomtoneError(
            f"{path}: '@package' is not allowed; a file speaks for its own group, and the command line for what acts"
        )
    content = parse_bounded_yaml(text, where=str(path))
    if isinstance(content, dict):
        if "hydra" in content:
            raise RoomtoneError(f"{path}: the key 'hydra' is not allowed; a configuration is data, not a program")
        if any(key == "_target_" for key, _ in _items(content)):
            raise RoomtoneError(f"{path}: '_target_' is not allowed; a configuration is data, not a program")
    check_references(content, where=str(path))


def _packaged_folder() -> Path:
    from importlib import resources

    return Path(str(resources.files("roomtone.conf")))


def _items(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield str(key), value
            yield from _items(value)
    elif isinstance(node, list):
        for item in node:
            yield from _items(item)


def settle_paths(cfg: Any, folder: Path, overrides: Overrides) -> None:
    """Make the paths that files state absolute, in place; those that were typed stay as they are.

    Args:
        cfg: the composed configuration.
        folder: the user's.
        overrides: of the command line.

    Raises:
        RoomtoneError: a file states a path outside of its folder, or the name of a place that is not known here.
    """
    from omegaconf import OmegaConf

    known = read_local_paths(folder)
    plain = OmegaConf.to_container(cfg, resolve=False)
    for key, value in _stated_paths(plain, ""):
        if overrides.typed(key) or value.startswith("package:"):
            continue
        if is_path_name(value):
            if not known.knows(value):
                raise RoomtoneError(f"{folder}: it names {value}, and not where that lies; type {key}=PATH")
            OmegaConf.update(cfg, key, known.resolve(value))
        else:
            OmegaConf.update(cfg, key, str(path_inside(folder, value, where=f"{folder}: {key}", instead=f"{key}=PATH")))


def _stated_paths(node: Any, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield (dotted key, text) of every key that names a file or a folder."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _stated_paths(value, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from _stated_paths(value, f"{prefix}.{i}")
    elif isinstance(node, str):
        parts = [part for part in prefix.split(".") if not part.isdigit()]
        in_presets = parts[0] == "presets" and any(is_path_key(part) for part in parts[1:])
        # the baseline of a matrix is a file, that of an evaluation the name of a condition
        named = prefix == "baseline" and os.sep not in node and not node.endswith(".csv")
        accents = prefix in ("accents", "corpus.accents") and (os.sep in node or node.endswith((".yaml", ".yml")))
        if in_presets or (".".join(parts) in PATH_KEYS and not named) or accents:
            yield prefix, node
