"""The settings of `evaluate` and `compare`: typed, and checked once where they come in; the message names the key."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from roomtone.core.errors import RoomtoneError, nearest

SCALES = ("difference", "ratio")
OUTCOMES = ("excess", "errors")
#: Permutations, and resamples of the bootstrap: more would tell p-values apart that nobody acts upon, and take hours and gigabytes.
MOST_DRAWS = 100_000
_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


@dataclass(frozen=True)
class CompareSettings:
    """The choices of one comparison; `compare` documents each."""

    group: str = "accent"
    condition: str = "condition"
    baseline: str = "clean"
    speaker: str = "speaker"
    utterance: str = "utterance_id"
    sentence: str = "text"
    reference: str | None = None
    scale: str = "difference"
    smallest_gap: float = 0.05
    smallest_ratio: float = 1.25
    declared: Sequence[tuple[str, str]] | None = None
    intersections: Sequence[str] | None = None
    alpha: float = 0.05
    power: float = 0.8
    permutations: int = 999
    resamples: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        check_types(self)
        if self.scale not in SCALES:
            raise RoomtoneError(f"scale: {self.scale!r} is not allowed; {nearest(self.scale, SCALES)}")
        _check_share("smallest_gap", self.smallest_gap, "a share of words between 0 and 1", "in points?")
        for name in ("alpha", "power"):
            _check_share(name, getattr(self, name), "between 0 and 1", "in per cent?")
        if not self.smallest_ratio > 1:
            raise RoomtoneError(f"smallest_ratio: above 1, got {self.smallest_ratio!r}")
        if self.permutations < 199:
            raise RoomtoneError(f"permutations: at least 199, got {self.permutations!r}; fewer give no usable tail")
        if self.resamples < 0:
            raise RoomtoneError(f"resamples: 0 (no bootstrap) or more, got {self.resamples!r}")
        for name in ("permutations", "resamples"):
            if getattr(self, name) > MOST_DRAWS:
                raise RoomtoneError(f"{name}: at most {MOST_DRAWS:,}, got {getattr(self, name):,}")
        if self.declared is not None and not all(_is_pair(pair) for pair in self.declared):
            raise RoomtoneError(f"declared: a list of [group, condition] pairs, got {self.declared!r}")

    def to_json(self) -> dict[str, Any]:
        """Return the choices in plain JSON types."""
        declared = None if self.declared is None else [list(pair) for pair in self.declared]
        names = [f.name for f in dataclasses.fields(CompareSettings)]
        return {name: getattr(self, name) for name in names} | {"declared": declared}


@dataclass(frozen=True)
class SearchSettings:
    """The choices of the subgroup search; `find_subgroups` documents each."""

    outcome: str = "excess"
    columns: Sequence[str] | None = None
    depth: int = 2
    min_speakers: int = 3
    min_words: int = 50

    def __post_init__(self) -> None:
        check_types(self, "subgroups.")
        if self.outcome not in OUTCOMES:
            raise RoomtoneError(f"subgroups.outcome: unknown {self.outcome!r}; {nearest(self.outcome, OUTCOMES)}")
        if not 1 <= self.depth <= 3:
            raise RoomtoneError(f"subgroups.depth: 1 to 3 conditions, got {self.depth!r}")


@dataclass(frozen=True)
class ExportSettings:
    """Settings of `roomtone export`; the fields are the keys of `conf/export.yaml`."""

    dataset: str
    format: str
    to: str
    overwrite: bool = False
    normalizer: str = "auto"

    def __post_init__(self) -> None:
        check_types(self)


@dataclass(frozen=True)
class Settings(CompareSettings):
    """Settings of `roomtone evaluate`; the fields are the keys of `conf/evaluate.yaml`.

    `asr` holds `{recogniser: name, **its settings}`, which that recogniser's own class checks.
    """

    asr: Mapping[str, Any] = field(default_factory=dict)
    to: str | None = None
    normalizer: str = "auto"
    terms: str | None = None
    outcome: str | None = None
    subgroups: SearchSettings = field(default_factory=SearchSettings)
    holdout: float = 0.0
    allow_missing: bool = False
    retry_failed: bool = False
    trust_stored: bool = False
    max_failed: float = 0.1
    workers: int | None = None
    progress: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("holdout", "max_failed"):
            if not 0 <= getattr(self, name) <= 1:
                raise RoomtoneError(f"{name}: a share between 0 and 1, got {getattr(self, name)!r}")
        if self.workers is not None and self.workers < 1:
            raise RoomtoneError(f"workers: at least 1, or null, got {self.workers!r}")

    @property
    def comparison(self) -> CompareSettings:
        """Return the part of the settings that `compare` takes."""
        names = [f.name for f in dataclasses.fields(CompareSettings)]
        return CompareSettings(**{name: getattr(self, name) for name in names})


def read_settings(cls: type[Any], values: Mapping[str, Any], prefix: str = "") -> Any:
    """Return a settings class filled from a mapping.

    Args:
        cls: a dataclass of this module.
        values: its fields by name; a field of a settings class may be a mapping.
        prefix: of the key in messages, e.g. `subgroups.`.

    Raises:
        RoomtoneError: an unknown key (with the nearest one), or a value of another type or out of its range.
    """
    hints = typing.get_type_hints(cls)
    known = [f.name for f in dataclasses.fields(cls)]
    filled = {}
    for key, value in values.items():
        if key not in known:
            raise RoomtoneError(f"{prefix}{key}: unknown key; {nearest(str(key), known)}")
        nested = dataclasses.is_dataclass(hints[key]) and isinstance(value, Mapping)
        filled[key] = read_settings(hints[key], value, f"{prefix}{key}.") if nested else value
    return cls(**filled)


def check_types(settings: Any, prefix: str = "") -> None:
    """Check that every field holds a value of its annotated type.

    Args:
        settings: a dataclass of settings.
        prefix: what the message writes before a field's name.

    Raises:
        RoomtoneError: a field that does not; the message names the key and the value.
    """
    hints = typing.get_type_hints(type(settings))
    for item in dataclasses.fields(settings):
        value, hint = getattr(settings, item.name), hints[item.name]
        if not _fits(value, hint):
            raise RoomtoneError(f"{prefix}{item.name}: expected {_describe(hint)}, got {value!r}")


def _fits(value: Any, hint: Any) -> bool:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return any(_is(value, option) for option in options)


def _is(value: Any, hint: Any) -> bool:
    origin = typing.get_origin(hint) or hint
    if isinstance(value, bool) and origin in (int, float):
        return False
    if origin is float:
        return isinstance(value, int | float)
    if origin is Sequence:
        return isinstance(value, list | tuple)
    return isinstance(value, origin)


def _describe(hint: Any) -> str:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    named = [
        _NAMES.get(o, "null" if o is type(None) else "a list" if "Sequence" in str(o) else "a mapping") for o in options
    ]
    return " or ".join(named)


def _check_share(name: str, value: float, allowed: str, slip: str) -> None:
    if not 0 < value < 1:
        raise RoomtoneError(f"{name}: {allowed}, got {value!r} ({slip})")


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list | tuple) and len(pair) == 2
