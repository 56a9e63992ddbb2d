"""Presets on disk: one YAML file an op, found by factor and name, the user's folders before the packaged ones.

`conf/<factor>/<name>.yaml` holds `{op: …, **fields}` with two more keys for the reader: `description` and `source`.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from roomtone.augment.ops.parts import refuse_drawn
from roomtone.augment.ops.table import Op, Processor, RoomOp, Source, parse_op
from roomtone.core.bounded.yaml_text import check_references
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.files import is_remote, read_yaml
from roomtone.core.local_paths import is_path_key, path_inside
from roomtone.core.plugins import added_preset_folders
from roomtone.core.vocabulary import FACTORS

#: Preset keys that speak to the reader and not to the op.
COMMENT_KEYS = ("description", "source")


def packaged_dir() -> Path:
    """Return the folder of the presets that come with Roomtone."""
    return Path(str(resources.files("roomtone.conf")))


def preset_folders(search: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Return the folders in which presets are looked for, in their order: the user's own, the packaged one, those of installed packages.

    Args:
        search: folders of the user's own.
    """
    return (*search, packaged_dir(), *added_preset_folders())


def preset_names(factor: str, search: Sequence[Path] = ()) -> list[str]:
    """Return the names of all presets of `factor`, sorted.

    Args:
        factor: `room`, `noise`, `equipment` or `handset`.
        search: folders of the user's own, beside the packaged one.
    """
    found = {path.stem for folder in preset_folders(search) for path in (folder / factor).glob("*.yaml")}
    return sorted(found - {"none"})


def load_preset(
    factor: str, name: str, search: Sequence[Path] = (), *, typed: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the mapping of a preset; the first folder of `search` that holds it wins over the packaged one.

    A path in a preset of the user's is relative to the preset's own file and stays inside the user's folder.

    Args:
        factor: `room`, `noise`, `equipment` or `handset`.
        name: of the preset, which is its file's name without `.yaml`.
        search: folders of the user's own, looked through first.
        typed: keys of the command line, which go over those of the file and may name any path.

    Raises:
        RoomtoneError: no such preset, not a YAML mapping, a path that leaves the folder, a reference beyond the file, or, in a file of the
            user's, what `parse_preset` refuses; the message names the file.
    """
    own = dict(typed or {})
    path = preset_file(factor, name, search)
    if path.parent.parent == packaged_dir():
        return {**_packaged(factor, name), **own}
    folder = path.parent.parent
    preset: dict[str, Any] = _with_absolute_paths(
        {**_read_yaml(path), **dict.fromkeys(own)}, path.parent, folder, str(path)
    )
    if not own:  # what is wrong then is wrong in the file
        try:
            parse_preset(factor, name, preset)
        except RoomtoneError as error:
            raise RoomtoneError(f"{path}: {error}") from error
    return {**preset, **own}


def preset_file(factor: str, name: str, search: Sequence[Path] = ()) -> Path:
    """Return the YAML file of a preset; the first folder of `search` that holds it wins over the packaged one.

    Args:
        factor: `room`, `noise`, `equipment` or `handset`.
        name: of the preset.
        search: folders of the user's own.

    Raises:
        RoomtoneError: no such preset, with the nearest name, or one outside of its folder.
    """
    for folder in preset_folders(search):
        path = folder / factor / f"{name}.yaml"
        if path.exists() and name != "none":  # a pipe is refused by who reads it, and loses to no packaged preset
            return path if folder == packaged_dir() else _checked_file(path, folder, factor, name)
    raise RoomtoneError(f"{factor}: unknown preset {name!r}; {_instead(factor, name, search)}")


def _instead(factor: str, name: str, search: Sequence[Path]) -> str:
    """Return what to type in place of an unknown preset: the factor that it belongs to, or the nearest name."""
    if name == "clean":
        return f"the level that changes nothing is none: {factor}=[none,…]"
    if Path(name).is_dir():
        return f"a folder of your own is written with folder: before it: {factor}=[none,folder:{name}…]"
    own = f"; a folder of your own: {factor}=[none,{name}=folder:DIR@5dB]" if factor in ("noise", "equipment") else ""
    for other in FACTORS:
        if other != factor and name in preset_names(other, search):
            snr = "@10dB" if other in ("noise", "equipment") else ""
            return f"it belongs to {other}; write {other}=[none,{name}{snr}]{own}"
    return nearest(name, [*preset_names(factor, search), "none"])


def _checked_file(path: Path, folder: Path, factor: str, name: str) -> Path:
    path_inside(folder, f"{factor}/{path.name}", where=f"{factor}: preset {name!r}")
    return path


@functools.cache
def _packaged(factor: str, name: str) -> dict[str, Any]:
    return _read_yaml(packaged_dir() / factor / f"{name}.yaml")


def _read_yaml(path: Path) -> dict[str, Any]:
    """Return a preset's mapping; references are to keys of the file itself."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    content: dict[str, Any] = read_yaml(path, expected="the key 'op'")
    check_references(content, where=str(path))
    try:
        plain: Any = OmegaConf.to_container(OmegaConf.create(content), resolve=True)
    except OmegaConfBaseException as error:
        raise RoomtoneError(f"{path}: {' '.join(str(error).split())}") from error
    return dict(plain)


def _with_absolute_paths(node: Any, home: Path, folder: Path, where: str) -> Any:
    """Return a preset with every path in it, stages and parts included, made absolute; none may leave the user's folder.

    Args:
        node: of the preset.
        home: the folder of the preset's file, to which its paths are relative.
        folder: the user's, which they may not leave.
        where: the file, for messages.
    """
    if isinstance(node, list):
        return [_with_absolute_paths(item, home, folder, where) for item in node]
    if not isinstance(node, dict):
        return node
    found = {key: _with_absolute_paths(value, home, folder, where) for key, value in node.items()}
    for key, value in found.items():
        if is_path_key(str(key)):
            many = [value] if isinstance(value, str) else value if isinstance(value, list) else []
            paths = [_inside(item, home, folder, f"{where}: {key}") for item in many if isinstance(item, str)]
            found[key] = paths[0] if isinstance(value, str) else paths if paths else value
    return found


def _inside(path: str, home: Path, folder: Path, where: str) -> str:
    """Return where a preset's path lies."""
    if os.path.isabs(path):
        path_inside(folder, path, where=where)  # refuses it
    relative = os.path.join(os.path.relpath(home, folder), path)
    return str(path_inside(folder, relative if path[:1] not in "~" and not is_remote(path) else path, where=where))


def parse_preset(factor: str, name: str, preset: Mapping[str, Any]) -> Op:
    """Return the op of a preset mapping, its kind checked against the factor.

    Args:
        factor: which says what kind of op is allowed.
        name: of the preset, for messages.
        preset: `{op: name, **fields}`, `description` and `source` among them.

    Raises:
        RoomtoneError: unknown op or field (with the nearest known name), a value of the wrong type or out of bounds, or one that is drawn.
    """
    kinds: dict[str, type[Op]] = {"room": RoomOp, "noise": Source, "equipment": Source, "handset": Processor}
    fields = {key: value for key, value in preset.items() if key not in COMMENT_KEYS}
    where = f"{factor} preset {name!r}"
    refuse_drawn(fields, where=where)
    return parse_op(fields, kinds[factor], where=where)
