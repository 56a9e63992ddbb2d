"""From a command line to one composed configuration, through Hydra's Compose API.

The user's folder stands before the packaged one on the search path, so a preset or scenario of the user's with a packaged name wins.
Its files are data: what acts comes from the command line and the packaged files alone.
Errors of Hydra and OmegaConf become one line that names the culprit and the nearest right name.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roomtone.cli.acting_keys import (
    READS_ENVIRONMENT,
    Overrides,
    acting_keys,
    refuse_acting,
    split_overrides,
)
from roomtone.cli.levels import is_named_by_levels, refuse_own_material, with_short_forms
from roomtone.cli.messages import check_words, explain
from roomtone.cli.user_folder import settle_paths, user_folder_plugin
from roomtone.core.bounded.yaml_text import check_references
from roomtone.core.errors import RoomtoneError

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from roomtone.cli.arguments import Arguments

PACKAGE = "roomtone.conf"


#: `coverage` reads a file of speakers and accents; Hydra would take its short name for the group of accent maps.
_TABLE = "accent_table"


def _is_table(word: str, name: str) -> bool:
    return name == "coverage" and word.startswith("accents=")


def compose_config(arguments: Arguments, config_name: str) -> DictConfig:
    """Return the composed configuration, with `config_dir` (the user's folder or null) beside the command's own keys.

    Keys that act (see `acting_keys`) come from the packaged files and the command line alone, whatever the user's files say.

    Args:
        arguments: the command line.
        config_name: the command's own primary configuration.

    Raises:
        RoomtoneError: a folder, file, group option or key that does not exist, text that Hydra cannot parse, or a file that says
            what a file may not.
    """
    from hydra.errors import HydraException
    from omegaconf import open_dict
    from omegaconf.errors import OmegaConfBaseException

    folder = _config_dir(arguments)
    name = (arguments.config_name or config_name).removesuffix(".yaml")
    words = (_TABLE + word.removeprefix("accents") if _is_table(word, name) else word for word in arguments.overrides)
    arguments = replace(arguments, overrides=with_short_forms(tuple(words)))
    _refuse_targets(arguments.overrides)
    start_hydra(folder, arguments.config_name)
    check_words(arguments.overrides, name)
    try:
        overrides = split_overrides(arguments.overrides)
        cfg = _composed(name, config_name, folder, arguments.config_name, overrides)
    except (HydraException, OmegaConfBaseException) as error:
        raise RoomtoneError(explain(error, name, arguments)) from error
    except RoomtoneError:
        raise
    except Exception as error:  # a YAML file that does not parse raises yaml's own types through Hydra
        raise RoomtoneError(explain(error, name, arguments)) from error
    with open_dict(cfg):
        cfg.config_dir = None if folder is None else str(folder)
        if is_named_by_levels(cfg, overrides.keys):
            cfg.scenario.name, cfg.scenario.description = None, ""
    return cfg


def _composed(name: str, packaged: str, folder: Path | None, primary: str | None, overrides: Overrides) -> DictConfig:
    """Return the data of the user's files with the acting keys of the packaged ones, references checked."""
    from hydra import compose
    from omegaconf import OmegaConf, open_dict

    if folder is None:
        start_hydra(None)
        cfg = compose(name, overrides=[*overrides.data, *overrides.acting])
        _check_references(cfg, name, overrides)
        return cfg
    start_hydra(folder, primary)
    cfg = compose(name, overrides=list(overrides.data))
    _check_references(cfg, name, overrides)
    start_hydra(None)
    refuse_acting(plain(cfg), plain(compose(packaged)), str(folder))
    acting = compose(packaged, overrides=list(overrides.acting))
    with open_dict(cfg):
        for key in acting_keys(plain(acting), plain(cfg)):
            OmegaConf.update(cfg, key, OmegaConf.select(acting, key), merge=False, force_add=True)
        settle_paths(cfg, folder, overrides)
        refuse_own_material(plain(cfg), overrides.keys, str(folder))
    start_hydra(folder, primary)  # hints list the options of both
    return cfg


def _check_references(cfg: DictConfig, name: str, overrides: Overrides) -> None:
    """Refuse resolvers, but for an environment variable in a path that was typed, and resolve what is left once."""
    from omegaconf import OmegaConf

    may = [key for key in overrides.keys if key in READS_ENVIRONMENT]
    check_references(OmegaConf.to_container(cfg, resolve=False), where=f"configuration {name!r}", allowed=may)
    OmegaConf.resolve(cfg.copy())


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


def start_hydra(folder: Path | None, primary: str | None = None) -> None:
    """Start Hydra's Compose API on the packaged configurations, with the user's folder before them.

    Args:
        folder: the user's, or None.
        primary: what `--config-name` names; a file of the folder may then bear the name of a packaged primary.
    """
    from hydra import initialize_config_module
    from hydra.core.global_hydra import GlobalHydra

    plugin = user_folder_plugin()
    plugin.folder, plugin.primary = folder, primary
    GlobalHydra.instance().clear()
    initialize_config_module(PACKAGE, version_base="1.3", job_name="roomtone")


def _refuse_targets(overrides: tuple[str, ...]) -> None:
    for override in overrides:
        if "_target_" in override:
            raise RoomtoneError(f"{override!r}: '_target_' is not allowed; a configuration is data, not a program")
