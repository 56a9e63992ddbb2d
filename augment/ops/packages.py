"""Installed packages that ops need beyond a plain installation: which, in which version, and how to get them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from roomtone.augment.ops.table import TABLE, op_table
from roomtone.core.errors import RoomtoneError
from roomtone.core.extras import how_to_install
from roomtone.core.plugins import OPS, versions_of_added

#: The extra that brings every package below.
EXTRA = "phones"


def versions_of_ops(preset: Any) -> dict[str, str]:
    """Return the versions of the installed packages that a preset needs, stages and parts included; none for ops of our own alone.

    Args:
        preset: a preset's mapping, or any mapping or list that holds some.
    """
    op_table()
    nodes = list(_op_nodes(preset))
    own = {package for node in nodes for package in _packages_of(node)}
    return versions_of_added(OPS, {node["op"] for node in nodes}) | {name: version(name) for name in sorted(own)}


def require_packages(preset: Any, *, where: str) -> None:
    """Check that the packages which a preset needs are installed.

    Args:
        preset: as `versions_of_ops` takes it.
        where: names the preset in the message.

    Raises:
        RoomtoneError: one is not; the message names op, package and extra.
    """
    for op, package in missing_packages(preset):
        raise RoomtoneError(f"{where}: {missing_package(op, package)}")


def missing_packages(preset: Any) -> list[tuple[str, str]]:
    """Return the op and the package of every stage that lacks one.

    Args:
        preset: as `versions_of_ops` takes it.
    """
    op_table()
    needed = [(node["op"], package) for node in _op_nodes(preset) for package in _packages_of(node)]
    return [(op, package) for op, package in needed if not _is_installed(package)]


def _is_installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def load_package(module: str, package: str, op: str) -> Any:
    """Return an imported module.

    Args:
        module: its name.
        package: the distribution that brings it.
        op: who needs it.

    Raises:
        RoomtoneError: it is not installed, or cannot be loaded on this machine.
    """
    try:
        return import_module(module)
    except (ImportError, OSError, RuntimeError) as error:
        raise RoomtoneError(f"{missing_package(op, package)} ({error})") from error


def missing_package(op: str, package: str) -> str:
    """Return the message that an op lacks a package and which extra brings it.

    Args:
        op: its name.
        package: the distribution's name.
    """
    return f"op {op!r} needs the package {package}, which the extra {EXTRA} brings: {how_to_install(EXTRA)}"


def _packages_of(node: Mapping[str, Any]) -> tuple[str, ...]:
    return TABLE[node["op"]].packages_for(node) if node["op"] in TABLE else ()


def _op_nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        if isinstance(node.get("op"), str):
            yield node
        node = list(node.values())
    for item in node if isinstance(node, list | tuple) else ():
        yield from _op_nodes(item)
