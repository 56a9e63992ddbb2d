"""Presets on disk: one YAML file an op, found by factor and name, the user's folders before the packaged ones.

`conf/<factor>/<name>.yaml` holds `{op: …, **fields}` with two more keys for the reader: `description` and `source`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from roomtone.augment.ops.table import Op, Processor, RoomOp, Source, parse_op
from roomtone.core.errors import RoomtoneError, nearest

#: Preset keys that speak to the reader and not to the op.
COMMENT_KEYS = ("description", "source")


def packaged_dir() -> Path:
    """Return the folder of the presets that come with Roomtone."""
    return Path(str(resources.files("roomtone.conf")))


def preset_names(factor: str, search: Sequence[Path] = ()) -> list[str]:
    """Return the names of all presets of `factor`, sorted.

    Args:
        factor: `room`, `noise`, `equipment` or `handset`.
        search: folders of the user's own, beside the packaged one.
    """
    found = {path.stem for folder in (*search, packaged_dir()) for path in (folder / factor).glob("*.yaml")}
    return sorted(found - {"none"})


def load_preset(factor: str, name: str, search: Sequence[Path] = ()) -> dict[str, Any]:
    """Return the mapping of a preset; the first folder of `search` that holds it wins over the packaged one.

    A relative `path` in a preset of the user's is taken relative to the preset's own file.

    Args:
        factor: `room`, `noise`, `equipment` or `handset`.
        name: of the preset, which is its file's name without `.yaml`.
        search: folders of the user's own, looked through first.

    Raises:
        RoomtoneError: no such preset, or not a YAML mapping.
    """
    for folder in search:
        path = folder / factor / f"{name}.yaml"
        if path.is_file():
            preset: dict[str, Any] = _with_absolute_path(_read_yaml(path), path.parent)
            return preset
    if name not in preset_names(factor):
        raise RoomtoneError(
            f"{factor}: unknown preset {name!r}; {nearest(name, [*preset_names(factor, search), 'none'])}"
        )
    return dict(_packaged(factor, name))


@functools.cache
def _packaged(factor: str, name: str) -> dict[str, Any]:
    return _read_yaml(packaged_dir() / factor / f"{name}.yaml")


def _read_yaml(path: Path) -> dict[str, Any]:
    from omegaconf import OmegaConf

    try:
        content = OmegaConf.to_container(OmegaConf.load(path))
    except Exception as error:  # YAML and OmegaConf raise many types; each means the same to the reader
        raise RoomtoneError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise RoomtoneError(f"{path}: expected a mapping with the key 'op'")
    return content  # type: ignore[return-value]


def _with_absolute_path(node: Any, folder: Path) -> Any:
    """Return a preset with every relative `path` in it, stages and parts included, taken relative to `folder`."""
    if isinstance(node, list):
        return [_with_absolute_path(item, folder) for item in node]
    if not isinstance(node, dict):
        return node
    absolute = {key: _with_absolute_path(value, folder) for key, value in node.items()}
    if isinstance(node.get("path"), str):
        absolute["path"] = str((folder / Path(node["path"]).expanduser()).absolute())
    return absolute


def parse_preset(factor: str, name: str, preset: Mapping[str, Any]) -> Op:
    """Return the op of a preset mapping, its kind checked against the factor.

    Args:
        factor: which says what kind of op is allowed.
        name: of the preset, for messages.
        preset: `{op: name, **fields}`, `description` and `source` among them.

    Raises:
        RoomtoneError: unknown op or field (with the nearest known name), or a value of the wrong type.
    """
    kinds: dict[str, type[Op]] = {"room": RoomOp, "noise": Source, "equipment": Source, "handset": Processor}
    fields = {key: value for key, value in preset.items() if key not in COMMENT_KEYS}
    return parse_op(fields, kinds[factor], where=f"{factor} preset {name!r}")
