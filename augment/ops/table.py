"""The closed table of ops: what YAML may ask for, and what a recipe holds.

An op is a frozen dataclass. As a preset it may hold ranges; `draw` pins every range with the generator it is given
and returns the same class with plain numbers; the render methods are then deterministic. The same mapping
`{op: name, **fields}` is used in the YAML preset, in the recipe and in the manifest.

Conventions: samples are float32 arrays [shape=(samples,)] with full scale +-1.0; inputs are never changed; time 0 is the first
sample of the file; levels are in dB re a full-scale square wave (dBov) unless the name says otherwise. There are three kinds of ops:

* a `Processor` maps samples to samples of equal length with zero delay: `apply(samples, sample_rate_hz)`;
* a `Source` makes sound from nothing but its numbers and named recordings: `render(...)`. Its level is arbitrary,
  because the renderer sets it to an SNR;
* a `RoomOp` stands for a bank of impulse responses."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import logging
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from roomtone.augment.ops.draw_context import DrawContext, RecordingsNeeded
from roomtone.augment.ops.limits import check_numbers
from roomtone.augment.ops.modules import OP_MODULES
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.plugins import OPS, added_names, load_added_class
from roomtone.core.settings import Bounds, check_fields, schema_of

T = typing.TypeVar("T", bound="Op")
_LOG = logging.getLogger("roomtone")

#: A number, or a `[low, high]` range from which `draw` takes a uniform value.
Drawn = float | tuple[float, float]
#: `fetch(asset_id, start, frames)` -> float32 samples at the set's rate; `frames=-1` reads to the end.
Fetch = Callable[[str, int, int], Samples]


@dataclass(frozen=True)
class Op:
    """Base of all ops; a subclass names itself with `op` and is found in the table from then on."""

    op: ClassVar[str] = ""
    #: What a number, or both ends of a range, may be, by field; checked where a preset or a recipe is read.
    limits: ClassVar[Mapping[str, Bounds]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("op"):
            known = TABLE.get(cls.op, cls)
            if known.__module__ == cls.__module__ or not known.__module__.startswith("roomtone."):
                TABLE[cls.op] = cls  # code that is installed adds ops and replaces none of ours

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        """Return this op with every range replaced by one number, drawn in the order of the fields.

        Args:
            rng: the generator of this stage of this sample.
            context: length and rate of the file, and the recordings at hand.
        """
        del context
        return pin_ranges(self, rng)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], *, where: str) -> Self:
        """Return the op of this kind that a mapping names; a field whose type is a kind of op is read by it.

        Args:
            mapping, where: see `parse_op`, which raises for both.
        """
        return parse_op(mapping, cls, where=where)

    @classmethod
    def fold(cls, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the fields of this class for a mapping as it is written; an op with free keys gathers them here."""
        return fields

    @classmethod
    def packages_for(cls, fields: Mapping[str, Any]) -> tuple[str, ...]:
        """Return which packages beyond a plain installation the op with these fields needs, by their distribution's name."""
        return ()

    def recordings_needed(self) -> RecordingsNeeded | None:
        """Return which recordings the op draws from, or None where it is made from numbers alone."""
        return None

    @property
    def num_realisations(self) -> int | None:
        """How many realisations the op draws from (rooms of a bank); None where each draw is one of its own."""
        return None


@dataclass(frozen=True)
class Processor(Op):
    """An op that maps samples to samples: same length, zero delay, input unchanged."""

    #: A linear op is fully described by `fir`, so that stages can be combined and stems kept apart.
    linear: ClassVar[bool] = False

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """Return the processed samples.

        Args:
            samples: float32 [shape=(samples,)], full scale +-1.0; left as they are.
            sample_rate_hz: their rate in Hz.

        Returns:
            float32 [shape=(samples,)].

        Raises:
            RoomtoneError: a range is not drawn yet, or the samples cannot be processed.
        """
        raise NotImplementedError

    def apply_measured(self, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
        """Return the processed samples and what was measured on the way, by name; most ops measure nothing.

        Args:
            samples, sample_rate_hz: as `apply`, which raises for both.
        """
        return self.apply(samples, sample_rate_hz), {}

    def fir(self, sample_rate_hz: int) -> Samples:
        """Return the odd-length taps of a linear op at `sample_rate_hz`, float64 [shape=(taps,)], centre tap = time 0.

        Raises:
            NotImplementedError: the op is not linear.
        """
        raise NotImplementedError(f"{type(self).__name__} is not linear")

    def talker_fir(self, sample_rate_hz: int) -> np.ndarray | None:
        """Return what acts on the talker's own signal in front of the mix, as `fir`; None where nothing does."""
        return None

    def linear_reference(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """Return what the linear part of the op makes of a signal: the reference with which its output is compared.

        Args:
            samples, sample_rate_hz: as `apply`; so is the result. Of an op without a linear part it is the samples themselves.
        """
        return self.apply(samples, sample_rate_hz) if self.linear else samples

    @property
    def has_linear_part(self) -> bool:
        """Whether `linear_reference` changes anything."""
        return self.linear or type(self).linear_reference is not Processor.linear_reference

    def asked_codec(self) -> dict[str, Any]:
        """Return `codec` and `codec_rate_hz` as the label has them, which `apply_measured` has to report; nothing without a codec."""
        return {}


@dataclass(frozen=True)
class Source(Op):
    """An op that makes sound. It may fall silent; `sounding` says when."""

    #: The sound arises at the microphone itself, so that no room changes it.
    at_microphone: ClassVar[bool] = False

    def render(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, *, preroll_samples: int = 0) -> Samples:
        """Return the sound of the source, at an arbitrary level.

        Args:
            num_samples: length of the file.
            sample_rate_hz: its rate in Hz.
            fetch: returns samples of a recording by asset id.
            preroll_samples: samples wanted before time 0 of the file, for the memory of a room.

        Returns:
            float32 [shape=(preroll_samples + num_samples,)]; index `preroll_samples` is time 0 of the file.

        Raises:
            RoomtoneError: the op is not drawn yet, or a recording is silent or cannot be read.
        """
        raise NotImplementedError

    def render_apart(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, places: int, *, preroll_samples: int = 0) -> list[Samples]:  # fmt: skip
        """Return the sound as it comes from at most so many `places`, whose sum has spectrum and level of `render`.

        Args:
            num_samples, sample_rate_hz, fetch, places, preroll_samples: as `render`, each result too.
        """
        return [self.render(num_samples, sample_rate_hz, fetch, preroll_samples=preroll_samples)]

    def sounding(self, num_samples: int, sample_rate_hz: int) -> np.ndarray:
        """Return where in the file the source sounds, bool [shape=(num_samples,)]; its SNR is measured there.

        Args:
            num_samples, sample_rate_hz: length and rate of the file.
        """
        del sample_rate_hz
        return np.ones(num_samples, dtype=bool)

    @property
    def always_sounds(self) -> bool:
        """Whether the source never falls silent by itself."""
        return type(self).sounding is Source.sounding

    @property
    def level_is_nominal(self) -> bool:
        """Whether the rendered level keeps its relation to that of other sources in a `mix`; recordings have any level."""
        return self.recordings_needed() is None

    def assets_used(self) -> tuple[str, ...]:
        """Return the ids of the recordings that this drawn op plays."""
        return ()


@dataclass(frozen=True)
class RoomOp(Op):
    """An op that stands for a bank of room impulse responses; `rooms.bank` realises it."""


TABLE: dict[str, type[Op]] = {}


@functools.cache
def op_table() -> Mapping[str, type[Op]]:
    """Return every op by name, all modules that define one imported, and those that other installed packages add."""
    for module in OP_MODULES:
        importlib.import_module(f"roomtone.augment.{module}")
    for name in added_names(OPS, TABLE):
        try:
            load_added_class(OPS, name, Op)
        except RoomtoneError as error:  # a broken package stops nobody who does not use it
            _LOG.warning(str(error))
    return TABLE


def number(value: Drawn | None) -> float:
    """Return the `value` of a drawn field, which by then is one number.

    Raises:
        RoomtoneError: it is still a range, or was not given.
    """
    if not isinstance(value, int | float):
        raise RoomtoneError(f"expected a drawn number, got {value!r}; call draw() first")
    return float(value)


def pin_ranges(op: T, rng: np.random.Generator, skip: tuple[str, ...] = ()) -> T:
    """Return `op` with each `(low, high)` of a `Drawn` field replaced by a uniform draw from `rng`.

    A number is drawn for every `Drawn` field, pinned or not, so that pinning one by hand moves no other.

    Args:
        op: whose ranges are drawn.
        rng: drawn from.
        skip: fields that are left as they are.
    """
    changes: dict[str, float] = {}
    for name, hint in schema_of(type(op)).hints.items():
        if hint not in (Drawn, Drawn | None) or name in skip:
            continue
        share, value = rng.random(), getattr(op, name)
        if isinstance(value, tuple):
            changes[name] = float(value[0] + (value[1] - value[0]) * share)
    return dataclasses.replace(op, **changes) if changes else op


_kinds: dict[tuple[type[Any], int], dict[str, Any]] = {}


def _known(base: type[T]) -> Mapping[str, type[T]]:
    """Return the ops of one kind by name."""
    key = (base, len(op_table()))
    if key not in _kinds:
        _kinds[key] = {name: cls for name, cls in op_table().items() if issubclass(cls, base)}
    return _kinds[key]


def parse_op(mapping: Mapping[str, Any], base: type[T], *, where: str) -> T:
    """Return the op that `mapping` names, its fields checked.

    Args:
        mapping: `{op: name, **fields}` as YAML or JSON gives it.
        base: the kind that is allowed here, `Processor`, `Source` or one op.
        where: the place for messages, e.g. `handset/landline.yaml, stage 3`.

    Raises:
        RoomtoneError: unknown op or field (with the nearest known name), or a value that is of the wrong type, out of its
            limits, or refused by the op itself; the message opens with `where`.
    """
    if not isinstance(mapping, Mapping):
        raise RoomtoneError(f"{where}: expected a mapping with the key 'op', got {mapping!r}")
    known = _known(base)
    for key in mapping:
        if str(key).startswith("_") and str(key).endswith("_"):
            raise RoomtoneError(f"{where}: {key!r} is not allowed; a preset is data, not a program (use 'op: name')")
    if "op" not in mapping:
        raise RoomtoneError(f"{where}: the key 'op' is missing; {nearest('', known)}")
    name = mapping["op"]
    if not isinstance(name, str) or name not in known:
        raise RoomtoneError(f"{where}: unknown op {name!r}; {nearest(str(name), known)}")
    cls = known[name]
    fields = cls.fold({key: value for key, value in mapping.items() if key != "op"})
    place = f"{where} (op {name})"
    values = check_fields(cls, fields, where=place)
    drawn = {key for key, hint in schema_of(cls).hints.items() if hint in (Drawn, Drawn | None)}
    check_numbers(values, drawn, cls.limits, place)
    try:
        return cls(**values)
    except RoomtoneError as error:
        if type(error) is not RoomtoneError:
            raise
        raise RoomtoneError(f"{where}: {error}") from error


def to_dict(op: Op) -> dict[str, Any]:
    """Return `{op: name, **fields}` in plain JSON types; `parse_op` gives an equal op back."""
    return typing.cast(dict[str, Any], _plain(op))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        name = {"op": value.op} if isinstance(value, Op) else {}
        return name | {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    return value
