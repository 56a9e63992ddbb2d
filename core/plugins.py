"""What other installed packages add: ops, readers, recognisers, export formats and folders of presets, found by their entry points.

A table stays closed to YAML and is open to installed code: a preset names an op, and only what pip installed can be one. Nothing of a
package is imported before one of its names is asked for. A name that Roomtone has itself is not replaced; that is said in the log.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Collection, Mapping
from importlib import resources
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from roomtone.core.errors import RoomtoneError

_LOG = logging.getLogger("roomtone")

OPS = "roomtone.ops"
READERS = "roomtone.readers"
RECOGNISERS = "roomtone.recognisers"
EXPORTS = "roomtone.exports"
PRESETS = "roomtone.presets"


@functools.cache
def _entry_points(group: str) -> Mapping[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=group), key=lambda point: (point.name, distribution_of(point))):
        if point.name in found:
            others = f"{distribution_of(found[point.name])}; that of {distribution_of(point)} is not used"
            _LOG.warning(f"{group}: {point.name!r} comes from {others}")
        found.setdefault(point.name, point)
    return found


def added_names(group: str, own: Collection[str] = ()) -> list[str]:
    """Return the names that installed packages add to a table, sorted.

    Args:
        group: one of the groups above.
        own: names that Roomtone has itself, which are not replaced.
    """
    return [name for name in _entry_points(group) if name not in own]


def load_added(group: str, name: str) -> Any:
    """Return what an entry point names, imported now.

    Args:
        group: one of the groups above.
        name: one of `added_names`.

    Raises:
        RoomtoneError: the package cannot be imported; the message names it.
    """
    point = _entry_points(group)[name]
    try:
        return point.load()
    except Exception as error:  # whatever a foreign module raises while it is imported is its own fault
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise RoomtoneError(
            f"{name!r} of the installed package {distribution_of(point)} cannot be loaded ({point.value}: {reason})"
        ) from error


def load_added_class(group: str, name: str, base: type[Any]) -> type[Any]:
    """Return a class that an entry point names.

    Args:
        group: one of the groups above.
        name: one of `added_names`.
        base: what it must be a subclass of.

    Raises:
        RoomtoneError: it cannot be imported, or is no such class.
    """
    cls = load_added(group, name)
    if not (isinstance(cls, type) and issubclass(cls, base)):
        package = distribution_of(_entry_points(group)[name])
        raise RoomtoneError(
            f"{name!r} of the installed package {package} is no {base.__module__}.{base.__name__}: {cls!r}"
        )
    return cls


def distribution_of(point: EntryPoint) -> str:
    """Return which installed package an entry point belongs to, with its version.

    Args:
        point: of `importlib.metadata`.
    """
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value


def versions_of_added(group: str, names: Collection[str]) -> dict[str, str]:
    """Return the version of each package that adds one of these names, by the package's name.

    Args:
        group: one of the groups above.
        names: those in use; names that no package adds are passed over.
    """
    points = [point for name, point in _entry_points(group).items() if name in names]
    return {point.dist.name: point.dist.version for point in points if point.dist is not None}


@functools.cache
def added_preset_folders() -> tuple[Path, ...]:
    """Return the folders of presets that installed packages bring, laid out as `conf/`: `noise/hiss.yaml`, `corpus/ours.yaml`.

    The entry point names a package or module beside whose files the folders lie. One that cannot be found is said in the log.
    """
    folders = []
    for point in _entry_points(PRESETS).values():
        try:
            folder = Path(str(resources.files(point.value)))
        except (ImportError, TypeError) as error:
            _LOG.warning(f"presets of the installed package {distribution_of(point)} are not found ({error})")
            continue
        folders.append(folder)
    return tuple(folder for folder in folders if folder.is_dir())
