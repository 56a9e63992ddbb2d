"""Where speech and recordings lie on this machine, apart from the files that travel.

A set names what it was made from as `ROOT:relative/path` (`corpus:clips/a.mp3`, `noise_street:`); nothing in it names a folder of the
machine that made it, but for `local.yaml`, which says where each root lies. That file is believed only by the user and on the machine
that wrote it (`core/user_seal.py`). A stranger's set brings no roots; who verifies, renders or repeats it gives them.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roomtone.core.bounded.yaml_text import parse_bounded_yaml, read_bounded_text
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.files import is_remote, write_whole
from roomtone.core.user_seal import state_folder, user_seal

LOCAL_NAME = "local.yaml"
_NAME = re.compile(r"(?P<root>[A-Za-z][A-Za-z0-9_]*):(?!//)(?P<rest>[^\0]*)", re.DOTALL)
#: Opens the name of a bundled recording, which lies inside the package on every machine.
_BUNDLED = "package:"
_HEAD = "# where speech and recordings lie on this machine; not for sharing, and believed by nobody else\n"


def is_path_key(key: str) -> bool:
    """Return whether a key of a preset or recipe names a file or folder.

    >>> is_path_key("path"), is_path_key("ir_path"), is_path_key("paths"), is_path_key("pathology")
    (True, True, True, False)
    """
    return key in ("path", "paths") or key.endswith(("_path", "_paths"))


def is_path_name(text: str) -> bool:
    """Return whether a text is the name of a place, `ROOT:relative`, and neither a path nor a URL."""
    return not text.startswith(_BUNDLED) and _NAME.fullmatch(text) is not None


def path_inside(folder: str | os.PathLike[str], name: str, *, where: str, instead: str = "") -> Path:
    """Return the full path of a file or folder that a stranger's file names.

    Args:
        folder: the folder that it may not leave, links followed.
        name: relative to it.
        where: who names it, for the message.
        instead: what to type where it lies elsewhere, for the message.

    Raises:
        RoomtoneError: an absolute path, a URL, or one that leads out of the folder.
    """
    hint = f"; type {instead}" if instead else ""
    if is_remote(name) or os.path.isabs(name) or name.startswith("~") or "\0" in name:
        raise RoomtoneError(f"{where}: {name!r} is absolute; a file names what lies beside it{hint}")
    root, path = os.path.realpath(folder), os.path.realpath(os.path.join(folder, name))
    if path != root and not path.startswith(root.rstrip(os.sep) + os.sep):
        raise RoomtoneError(f"{where}: {name!r} leads out of {root}{hint}")
    return Path(path)


@dataclass(frozen=True)
class LocalPaths:
    """Folders of this machine by the names that sets use for them.

    Attributes:
        roots: name -> absolute folder (or the one file that is meant).
    """

    roots: Mapping[str, str] = field(default_factory=dict)

    def knows(self, name: str) -> bool:
        """Return whether the root of a name is known."""
        return name.partition(":")[0] in self.roots

    def name(self, path: str) -> str:
        """Return the name of a path: that of the innermost root which holds it; other paths are returned as they are."""
        best = ""
        for root, folder in self.roots.items():
            inside = path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)
            if inside and len(folder) > len(self.roots.get(best, "")):
                best = root
        if not best:
            return path
        return f"{best}:{path[len(self.roots[best]) :].lstrip(os.sep)}"

    def resolve(self, name: str) -> str:
        """Return where a name lies here, links followed.

        Args:
            name: `ROOT:relative/path`, or `package:…`, which is returned as it is.

        Raises:
            RoomtoneError: a path of another form, a root that is not known here, or a name that leads out of its root.
        """
        if name.startswith(_BUNDLED):
            return name
        match = _NAME.fullmatch(name)
        if match is None:
            raise RoomtoneError(f"{name!r}: a set names what it was made from as ROOT:path, and holds no other path")
        root = match["root"]
        if root not in self.roots:
            known = f" ({nearest(root, self.roots)})" if self.roots else ""
            raise RoomtoneError(f"{name}: it is not known where {root!r} lies here{known}; type paths.{root}=FOLDER")
        if not match["rest"]:
            return self.roots[root]
        if is_remote(self.roots[root]):
            if ".." in match["rest"].split("/"):
                raise RoomtoneError(f"{name}: leads out of {self.roots[root]}")
            return f"{self.roots[root].rstrip('/')}/{match['rest']}"
        path_inside(self.roots[root], match["rest"], where=name)
        return os.path.join(self.roots[root], os.path.normpath(match["rest"]))

    def named(self, node: Any) -> Any:
        """Return plain values with every path below a root replaced by its name."""
        if isinstance(node, str):
            return self.hide(node)
        if node is None or isinstance(node, (int, float)):  # most of a recipe, and asking for a Mapping is slow
            return node
        if isinstance(node, Mapping):
            return {key: self.named(value) for key, value in node.items()}
        if isinstance(node, list | tuple):
            return [self.named(value) for value in node]
        return node

    def resolved(self, node: Any, key: str = "") -> Any:
        """Return plain values with the names under path keys replaced by where they lie here.

        Args:
            node: a mapping, list or value, as a configuration holds it.
            key: the key under which `node` stands; only values under path keys are replaced.

        Raises:
            RoomtoneError: as `resolve`.
        """
        if isinstance(node, Mapping):
            return {name: self.resolved(value, str(name)) for name, value in node.items()}
        if isinstance(node, list | tuple):
            return [self.resolved(value, key) for value in node]
        return self.resolve(node) if isinstance(node, str) and is_path_key(key) else node

    def hide(self, text: str) -> str:
        """Return a text in which the folders of this machine are replaced by their names, the longest first."""
        if os.sep not in text:
            return text
        for root, folder in sorted(self.roots.items(), key=lambda item: -len(item[1])):
            if folder in text:
                text = re.sub(rf"{re.escape(folder)}(?:{re.escape(os.sep)}|(?=[^\w.-]|$))", f"{root}:", text)
        return text


def gather_roots(first: Mapping[str, str], paths: Iterable[str]) -> LocalPaths:
    """Return the roots that name every path.

    Args:
        first: root -> folder or file, of what the configuration names.
        paths: absolute paths of recordings, some of which may lie elsewhere; those get roots `corpus_2`, `corpus_3`, ….
    """
    roots = {name: str(Path(path).parent if os.path.isfile(path) else path) for name, path in first.items()}
    known = LocalPaths(roots)
    elsewhere: dict[str, list[str]] = {}
    for path in paths:
        if os.path.isabs(path) and known.name(path) == path:
            elsewhere.setdefault(os.sep.join(path.split(os.sep)[:4]), []).append(os.path.dirname(path))
    for i, top in enumerate(sorted(elsewhere), start=2):
        roots[f"corpus_{i}"] = os.path.commonpath(elsewhere[top])
    return LocalPaths(roots)


def write_local_paths(dataset: str | os.PathLike[str], paths: LocalPaths) -> None:
    """Write a set's `local.yaml`; without a key of the user's it is sealed by nothing, and believed by nobody.

    Args:
        dataset: the dataset folder or its URL; for a remote set it is kept on this machine, in the user's state folder.
        paths: where its roots lie.
    """
    import yaml

    roots = dict(sorted(paths.roots.items()))
    if roots:
        seal = user_seal(make=True)
        content = {"format": 1, "roots": roots, "code": None if seal is None else seal.code(roots)}
        text = _HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)
        write_whole(_local_file(dataset), text.encode())


def _local_file(dataset: str | os.PathLike[str]) -> Path:
    name = os.fspath(dataset)
    if not is_remote(name):
        return Path(name) / LOCAL_NAME
    return state_folder() / f"{hashlib.sha256(name.rstrip('/').encode()).hexdigest()[:32]}.yaml"


def read_local_paths(dataset: str | os.PathLike[str]) -> LocalPaths:
    """Return where a set's roots lie, if this user wrote its `local.yaml` on this machine; no roots otherwise.

    Args:
        dataset: the dataset folder or its URL.
    """
    try:
        path = _local_file(dataset)
        if not path.is_file() or path.is_symlink():
            return LocalPaths()
        content = parse_bounded_yaml(read_bounded_text(path), where=str(path))
        roots = dict(sorted((str(name), str(folder)) for name, folder in content["roots"].items()))
        seal = user_seal(make=False)
        believed = seal is not None and seal.made(roots, content["code"])
    except (RoomtoneError, OSError, RuntimeError, KeyError, TypeError, AttributeError):
        return LocalPaths()
    return LocalPaths(roots) if believed else LocalPaths()


def paths_below(node: Any) -> Iterator[str]:
    """Yield every text under a path key of plain values."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            items = value if isinstance(value, list | tuple) else [value]
            if is_path_key(str(key)):
                yield from (item for item in items if isinstance(item, str))
            yield from paths_below(value)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from paths_below(item)
