"""Accent maps: from what a corpus says to canonical labels, by a table that its user can read and edit.

A map is YAML (`conf/accents/NAME.yaml`, or a file of the user's):

    version: 1
    base: english              # optional: a map whose labels it extends
    unknown: [other]           # raw labels that state nothing
    accents:
      scottish:                # canonical label
        region: british_isles  # parent region, kept as the attribute accent_region
        raw: [scotland, Scottish English]

The raw label stays in `accent_raw`. Nothing stated is *unknown* (null); stated and not in the map is `unmapped`. Labels
are compared without regard to case, and `_` counts as a space. A canonical label maps to itself, so applying a map
twice gives the same as applying it once.
"""

from __future__ import annotations

import dataclasses
import functools
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roomtone.augment.corpora.utterance import Utterance, join_accents, shared_attributes
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.files import read_yaml
from roomtone.core.plugins import added_preset_folders
from roomtone.core.vocabulary import ACCENT_SEPARATOR

UNMAPPED = "unmapped"
#: Labels whose result is kept; free text has no end.
_KNOWN_LABELS = 10_000
_KEYS = ("version", "base", "description", "source", "unknown", "accents")


@dataclass(frozen=True)
class AccentMap:
    """Folded raw label -> canonical label, canonical label -> region, and what counts as not stated."""

    name: str
    version: int
    labels: Mapping[str, str]
    regions: Mapping[str, str]
    unknown: frozenset[str]
    _known: dict[str | None, tuple[str | None, str | None]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def canonical(self, accent: str | None) -> str | None:
        """Return the canonical label of an accent, of each part where there are several; None where none is stated.

        Args:
            accent: raw labels, joined by `|`.

        >>> AccentMap("demo", 1, {"scotland": "scottish"}, {}, frozenset({"other"})).canonical("Scotland|Mars")
        'scottish|unmapped'
        """
        parts = [fold(part) for part in (accent or "").split(ACCENT_SEPARATOR)]
        stated = [part for part in parts if part and part not in self.unknown]
        return join_accents([self.labels.get(part, UNMAPPED) for part in stated])

    def apply(self, utterance: Utterance) -> Utterance:
        """Return the utterance with its canonical accent and, where the map has one, the attribute `accent_region`."""
        accent, region = self._canonical_and_region(utterance.accent)
        attributes = utterance.attributes
        if region:
            attributes = shared_attributes((*attributes.items(), ("accent_region", region)))
        return dataclasses.replace(utterance, accent=accent, attributes=attributes)

    def _canonical_and_region(self, raw: str | None) -> tuple[str | None, str | None]:
        if raw not in self._known:
            if len(self._known) > _KNOWN_LABELS:
                self._known.clear()
            accent = self.canonical(raw)
            parts = (accent or "").split(ACCENT_SEPARATOR)
            self._known[raw] = accent, join_accents([self.regions[part] for part in parts if part in self.regions])
        return self._known[raw]


def fold(label: str) -> str:
    """Return a label as maps compare it: without regard to case, to `_` and to how its letters are composed.

    >>> fold(" Northern_Ireland  English")
    'northern ireland english'
    """
    return " ".join(unicodedata.normalize("NFC", label).replace("_", " ").casefold().split())


def load_map(name: str | Mapping[str, Any], search: Sequence[Path] = ()) -> AccentMap:
    """Return an accent map.

    Args:
        name: of a packaged map or one in the user's `accents/` folders, a path to a YAML file, or the mapping itself.
        search: the user's configuration folders, looked through before the packaged maps.

    Raises:
        RoomtoneError: no such map, or one that contradicts itself.
    """
    if isinstance(name, Mapping):
        return _parse(dict(name), "accents", search)
    path = _find(str(name), search)
    return _parse(read_yaml(path, expected="the key 'accents'"), path.stem, search)


def map_names() -> list[str]:
    """Return the names of the packaged maps, and of those that installed packages bring."""
    return sorted({path.stem for folder in (_packaged(), *_added()) for path in folder.glob("*.yaml")})


def _added() -> list[Path]:
    return [folder / "accents" for folder in added_preset_folders()]


@functools.cache
def _packaged() -> Path:
    from importlib import resources

    return Path(str(resources.files("roomtone.conf"))) / "accents"


def _find(name: str, search: Sequence[Path]) -> Path:
    if name.endswith((".yaml", ".yml")):
        path = Path(name).expanduser().absolute()
        if path.is_file():
            return path
        raise RoomtoneError(f"accents: there is no file {path}")
    for folder in (*(home / "accents" for home in search), _packaged(), *_added()):
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    raise RoomtoneError(f"accents: there is no map {name!r}; {nearest(name, map_names())}")


def _parse(content: dict[str, Any], name: str, search: Sequence[Path], *, depth: int = 0) -> AccentMap:
    where = f"accent map {name!r}"
    for key in content:
        if key not in _KEYS:
            raise RoomtoneError(f"{where}: unknown key {key!r}; {nearest(str(key), _KEYS)}")
    if not isinstance(content.get("version"), int):
        raise RoomtoneError(f"{where}: the key 'version' is missing; a whole number that grows with each change")
    labels: dict[str, str] = {}
    regions: dict[str, str] = {}
    unknown: set[str] = set()
    if base := content.get("base"):
        if depth > 3:
            raise RoomtoneError(f"{where}: its bases go more than four deep; do they refer to each other in a circle?")
        path = _find(str(base), search)
        below = _parse(read_yaml(path, expected="the key 'accents'"), path.stem, search, depth=depth + 1)
        labels, regions, unknown = dict(below.labels), dict(below.regions), set(below.unknown)
    unknown |= {fold(str(label)) for label in content.get("unknown") or ()}
    own: dict[str, str] = {}
    for label, entry in (content.get("accents") or {}).items():
        _add(own, regions, str(label), entry, where)
    # What the map says wins over its base: where it gives a canonical label of the base another name, all that the base
    # calls so follows. So no canonical label maps on to a second one, and a map applied twice changes nothing.
    labels = {raw: own.get(fold(label), label) for raw, label in labels.items()} | own
    return AccentMap(name, content["version"], labels, regions, frozenset(unknown - set(labels)))


def _add(labels: dict[str, str], regions: dict[str, str], label: str, entry: Any, where: str) -> None:
    entry = entry or {}
    if not isinstance(entry, Mapping) or (wrong := next((k for k in entry if k not in ("region", "raw")), None)):
        hint = "expected {region: …, raw: […]}" if not isinstance(entry, Mapping) else f"unknown key {wrong!r}"
        raise RoomtoneError(f"{where}, {label}: {hint}")
    if ACCENT_SEPARATOR in label:
        raise RoomtoneError(f"{where}, {label!r}: '|' joins several accents and is no part of a label")
    if entry.get("region"):
        regions[label] = str(entry["region"])
    for raw in (label, *(entry.get("raw") or ())):
        folded = fold(str(raw))
        if labels.setdefault(folded, label) != label:
            raise RoomtoneError(
                f"{where}: {raw!r} is listed under both {labels[folded]!r} and {label!r}; keep one of them"
            )
