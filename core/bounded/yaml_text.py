"""What a YAML file of a stranger's may hold: plain values of bounded size, and references within the file alone.

YAML has two bombs and OmegaConf a third: aliases of aliases (ten lines that mean a billion nodes), nesting so deep that a recursive
parser ends the process, and references of references (`${a}${a}`, where `a` is `${b}${b}`). The first two are counted while the text is
scanned, before any object is built; the third is counted before anything is resolved. A resolver (`${oc.env:HOME}`) is a small program
that reads what lies outside of the file; none is taken.
"""

from __future__ import annotations

import bisect
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roomtone.core.bounded.regular_files import open_regular
from roomtone.core.errors import RoomtoneError

#: Bytes of a file, nodes that it means once its aliases are written out, and how deep they nest.
MAX_BYTES = 1_000_000
MAX_NODES = 20_000
MAX_DEPTH = 50
#: Characters of a number: to read one of a million digits takes seconds, and to read `59:59:…` in base sixty minutes.
MAX_NUMBER = 400
#: No level, time or rate is larger; squares and powers of ten of what is would be infinite.
LARGEST_NUMBER = 1e15
LARGEST_LEVEL_DB = 1000.0
#: References in one configuration.
MAX_REFERENCES = 200
#: Characters that all references of a file may become.
MAX_EXPANDED = 1_000_000

_NUMBER = re.compile(r"[-+0-9a-fA-F._:exob]+")
_REFERENCE = re.compile(r"\$\{([^${}]*)\}")


def read_bounded_text(path: str | os.PathLike[str]) -> str:
    """Return a small text file.

    Args:
        path: a regular file.

    Raises:
        RoomtoneError: it is no regular file, larger than `MAX_BYTES`, or not UTF-8.
    """
    try:
        with open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise RoomtoneError(f"{path}: larger than {MAX_BYTES:,} bytes, which no configuration is")
        return data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RoomtoneError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from error


def parse_bounded_yaml(text: str, *, where: str) -> Any:
    """Return the plain values of a YAML text.

    Args:
        text: the file's content.
        where: its name, for messages.

    Raises:
        RoomtoneError: not YAML, a tag that makes objects, a number that is none, or beyond the bounds above.
    """
    import yaml

    try:
        _check_size(text, where)
        values = yaml.load(text, Loader=_loader())
    except (yaml.YAMLError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
        raise RoomtoneError(f"{where}: not readable as YAML: {' '.join(str(error).split())[:300]}") from error
    _check_keys(values, where)
    for key, number in _numbers(values, ""):
        largest = LARGEST_LEVEL_DB if key.endswith(("_db", "_dbov")) else LARGEST_NUMBER
        if not abs(number) <= largest and (isinstance(number, float) or largest == LARGEST_LEVEL_DB):
            raise RoomtoneError(f"{where}: {key} is {number:g}; a number there lies within {largest:g} of zero")
    return values


def _check_keys(node: Any, where: str) -> None:
    """Refuse a key that is no text, as `1:`, `true:`, `no:` and `null:` are: nothing here is called by a number."""
    for key in node if isinstance(node, Mapping) else ():
        if not isinstance(key, str):
            raise RoomtoneError(f"{where}: the key {str(key)[:80]!r} is no text; quote it")
    for value in node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ():
        _check_keys(value, where)


def _numbers(node: Any, key: str) -> Iterator[tuple[str, float]]:
    if isinstance(node, float | int) and not isinstance(node, bool):
        yield key or "the file", node
    elif isinstance(node, Mapping | list):
        items = node.items() if isinstance(node, Mapping) else enumerate(node)
        for name, value in items:
            yield from _numbers(value, f"{key}.{name}" if key else str(name))


def _loader() -> Any:
    """Return the safe loader written in C where there is one: ten times as fast."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _check_size(text: str, where: str) -> None:
    """Count the nodes that a text means, aliases written out, without building any."""
    import yaml

    anchors: dict[str, int | None] = {}
    open_nodes: list[tuple[str | None, int]] = []  # anchor, and the count at which the node began
    nodes = 0
    for event in yaml.parse(text, Loader=_loader()):
        if isinstance(event, yaml.AliasEvent):
            size = anchors.get(event.anchor)
            if size is None:
                raise RoomtoneError(f"{where}: the alias *{event.anchor} holds itself or names nothing")
            nodes += size
        elif isinstance(event, yaml.NodeEvent):
            nodes += 1
            _check_number(event, where)
            _check_tag(event, where)
            if isinstance(event, yaml.CollectionStartEvent):
                open_nodes.append((event.anchor, nodes))
                if event.anchor:
                    anchors[event.anchor] = None
            elif event.anchor:
                anchors[event.anchor] = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, begun = open_nodes.pop()
            if anchor:
                anchors[anchor] = nodes - begun + 1
        if nodes > MAX_NODES or len(open_nodes) > MAX_DEPTH:
            raise RoomtoneError(
                f"{where}: means more than {MAX_NODES:,} values, or nests deeper than {MAX_DEPTH}: refused unread"
            )


def _check_number(event: Any, where: str) -> None:
    """Refuse a number of more than `MAX_NUMBER` characters, quoted and tagged ones too."""
    text = getattr(event, "value", "")
    if len(text) > MAX_NUMBER and (event.implicit[0] or event.tag) and _NUMBER.fullmatch(text):
        raise RoomtoneError(
            f"{where}: holds a number of {len(text):,} characters (limit {MAX_NUMBER}); quote it if it is a text"
        )


def _check_tag(event: Any, where: str) -> None:
    """Refuse a type that is forced upon a value: `!!bool foo` and its like end YAML's readers in faults of their own."""
    tag = getattr(event, "tag", None) or "!"
    if tag not in ("!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq"))):
        raise RoomtoneError(
            f"{where}: not readable as YAML: the tag {tag[:80]!r} is not allowed; write the value alone"
        )


def check_references(values: Any, *, where: str, allowed: Iterable[str] = ()) -> None:
    """Refuse resolvers, and references that grow beyond bounds.

    Args:
        values: plain values with their references unresolved.
        where: the file or configuration, for messages.
        allowed: dotted keys whose text may read an environment variable (`${oc.env:NAME}`), because the user typed it.

    Raises:
        RoomtoneError: says the key.
    """
    texts = dict(_texts(values, ""))
    referring = {key: text for key, text in texts.items() if "${" in text}
    if len(referring) > MAX_REFERENCES:
        raise RoomtoneError(f"{where}: holds more than {MAX_REFERENCES} references")
    exempt = set(allowed)
    for key, text in referring.items():
        names = _REFERENCE.findall(text)
        if any(":" in name for name in names) or text.count("${") != len(names):
            if key in exempt and all(name.startswith("oc.env:") or ":" not in name for name in names):
                continue
            raise RoomtoneError(
                f"{where}: {key} holds {text[:60]!r}; a file may refer to its own keys, as ${{name}}, and to nothing outside of it"
            )
    known = _Texts(texts, sorted(texts))
    sizes: dict[str, int] = {}
    for key in referring:
        _expanded(key, known, sizes, (), where)


def _texts(node: Any, prefix: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            if "${" in str(key):
                yield f"{prefix}{key}", str(key)
            yield from _texts(value, f"{prefix}{key}.")
    elif isinstance(node, list | tuple):
        for i, value in enumerate(node):
            yield from _texts(value, f"{prefix}{i}.")
    elif isinstance(node, str):
        yield prefix.removesuffix("."), node


@dataclass(frozen=True)
class _Texts:
    """The texts of a configuration by dotted key, and the keys in order, so that those below one are found at once."""

    by_key: Mapping[str, str]
    keys: Sequence[str]

    def below(self, key: str) -> Sequence[str]:
        """Return a key and all that is below it."""
        own = [key] if key in self.by_key else []
        begin = bisect.bisect_left(self.keys, f"{key}.")
        return [*own, *self.keys[begin : bisect.bisect_left(self.keys, f"{key}/")]]  # "/" follows "."


def _expanded(key: str, texts: _Texts, sizes: dict[str, int], above: tuple[str, ...], where: str) -> int:
    """Return about how many characters a key's text becomes; a reference to a mapping counts all that is below it."""
    if key in above or len(above) > MAX_DEPTH:
        raise RoomtoneError(f"{where}: {key} refers to itself, or through more than {MAX_DEPTH} others")
    if key in sizes:
        return sizes[key]
    total = len(texts.by_key[key])
    for name in _REFERENCE.findall(texts.by_key[key]):
        for other in texts.below(_absolute(name, key)):
            total += _expanded(other, texts, sizes, (*above, key), where)
            if total > MAX_EXPANDED:
                raise RoomtoneError(f"{where}: what {key} refers to grows beyond {MAX_EXPANDED:,} characters")
    sizes[key] = total
    return total


def _absolute(name: str, key: str) -> str:
    """Return the dotted key that a reference names; leading dots climb from the key that holds it, as OmegaConf has it."""
    found = name.strip()
    dots = len(found) - len(found.lstrip("."))
    found = re.sub(r"\[(\w+)\]", r".\1", found.lstrip("."))
    if not dots:
        return found
    home = key.split(".")[:-dots]
    return ".".join([*home, found])
