"""Settings that are checked once, at the door: a mapping from YAML or a command line becomes a frozen dataclass.

The annotations of the dataclass are the schema: `int`, `float`, `bool`, `str`, `Literal[...]`, `tuple[...]`, `Mapping`, unions of these,
another settings dataclass, and `Annotated[int, Bounds(1)]` for a number with bounds. A class of its own kind may say how it is
read: one with a classmethod `from_mapping(value, where)` is made by it.

>>> @dataclass(frozen=True)
... class Output:
...     shard_samples: Annotated[int, Bounds(1)] = 96
>>> read_settings(Output, {"shard_samples": 10})
Output(shard_samples=10)
>>> read_settings(Output, {"shard_samples": "many"}, where="output")
Traceback (most recent call last):
    ...
roomtone.core.errors.RoomtoneError: output.shard_samples: expected a whole number from 1 up, got 'many'
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from roomtone.core.errors import RoomtoneError, nearest

__all__ = ["Annotated", "Bounds", "check_fields", "read_settings"]

T = typing.TypeVar("T")


@dataclass(frozen=True)
class Bounds:
    """What a number may be, both ends included; `hint` is added to the message, e.g. the likely slip ("in kHz?")."""

    least: float = -math.inf
    most: float = math.inf
    hint: str = ""

    def __str__(self) -> str:
        if math.isinf(self.most):
            return f"from {self.least:g} up"
        return f"up to {self.most:g}" if math.isinf(self.least) else f"from {self.least:g} to {self.most:g}"


@dataclass(frozen=True)
class _Schema:
    """What is known of a dataclass's fields, found once: resolving annotations compiles each of them.

    Attributes:
        hints: their types.
        required: whether each must be given; fields that may not be given are absent.
        plain: the types whose values need no conversion, which are most values of a recipe.
    """

    hints: Mapping[str, Any]
    required: Mapping[str, bool]
    plain: Mapping[str, tuple[type[Any], ...]]


_schemas: dict[type[Any], _Schema] = {}


def schema_of(cls: type[Any]) -> _Schema:
    """Return the fields of a dataclass with their types."""
    if cls not in _schemas:
        hints, missing = typing.get_type_hints(cls, include_extras=True), dataclasses.MISSING
        given = [f for f in dataclasses.fields(cls) if f.init]
        required = {f.name: f.default is missing and f.default_factory is missing for f in given}
        _schemas[cls] = _Schema(hints, required, {key: _plain_types(hint) for key, hint in hints.items()})
    return _schemas[cls]


def _plain_types(hint: Any) -> tuple[type[Any], ...]:
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    options = typing.get_args(hint) if union else (hint,)
    plain = (str, bool, type(None)) if float in options else (str, bool, type(None), int)
    return tuple(one for one in plain if one in options)


def read_settings(cls: type[T], values: Mapping[str, Any], *, where: str = "") -> T:
    """Return the settings that a mapping states.

    Args:
        cls: a frozen dataclass, see above.
        values: keys and values; what is absent takes the class's default.
        where: the dotted key of the mapping itself, empty at the top.

    Raises:
        RoomtoneError: unknown or missing key, or a value of the wrong type or out of bounds; the message opens with the dotted key.
    """
    if not isinstance(values, Mapping):
        raise RoomtoneError(f"{where}: expected a mapping of {', '.join(schema_of(cls).required)}, got {values!r}")
    return cls(**check_fields(cls, values, where=where, separator="."))


def check_fields(cls: type[Any], values: Mapping[str, Any], *, where: str, separator: str = ", ") -> dict[str, Any]:
    """Return `values` converted to the field types of the dataclass `cls`.

    Args:
        cls: a dataclass.
        values: what was given, by field name.
        where: the place for messages, e.g. `handset/landline.yaml, stage 3`.
        separator: what stands between `where` and the name of a field.

    Raises:
        RoomtoneError: unknown field, missing field, or a value of the wrong type.
    """
    schema = schema_of(cls)
    for key in values:
        if key not in schema.required:
            if separator == ".":
                name = f"{where}.{key}" if where else key
                raise RoomtoneError(f"unknown key {name!r}; {nearest(str(key), schema.required)}")
            raise RoomtoneError(f"{where}: unknown key {key!r}; {nearest(key, schema.required)}")
    for name, required in schema.required.items():
        if required and name not in values:
            raise RoomtoneError(f"{where}: the key {name!r} is missing" if where else f"the key {name!r} is missing")
    return {
        key: value
        if type(value) in schema.plain[key]
        else convert(value, schema.hints[key], where=f"{where}{separator}{key}" if where else key)
        for key, value in values.items()
    }


def convert(value: Any, hint: Any, *, where: str) -> Any:
    """Return a value as the annotated type.

    Args:
        value: what was given.
        hint: the annotation of the field.
        where: the field's place, for the message.

    Raises:
        RoomtoneError: it is not of that type; the message opens with `where`.
    """
    if hasattr(hint, "from_mapping"):
        return value if isinstance(value, hint) else hint.from_mapping(value, where=where)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return value if isinstance(value, hint) else read_settings(hint, value, where=where)
    origin = typing.get_origin(hint)
    if origin is Annotated:
        return _within(value, *typing.get_args(hint)[:2], where=where)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(value, typing.get_args(hint), where=where)
    if origin is typing.Literal:
        return _one_of(value, typing.get_args(hint), where=where)
    if origin is tuple:
        return _convert_tuple(value, typing.get_args(hint), where=where)
    if origin in (dict, Mapping) or hint in (dict, Mapping):
        if not isinstance(value, Mapping):
            raise RoomtoneError(f"{where}: expected a mapping, got {value!r}")
        return dict(value)
    return _convert_plain(value, hint, where=where)


def _convert_plain(value: Any, hint: Any, *, where: str) -> Any:
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            raise RoomtoneError(f"{where}: {value!r} is not a finite number")
        return float(value)
    if hint is typing.Any or (hint in (int, str, bool) and type(value) is hint):
        return value
    raise RoomtoneError(f"{where}: expected {type_name(hint)}, got {value!r}")


def _within(value: Any, hint: Any, bounds: Bounds, *, where: str) -> Any:
    slip = f" ({bounds.hint})" if bounds.hint else ""
    expected = f"expected {type_name(hint)} {bounds}, got {value!r}{slip}"
    try:
        number = _convert_plain(value, hint, where=where)
    except RoomtoneError as error:
        raise RoomtoneError(f"{where}: {expected}") from error
    if not bounds.least <= number <= bounds.most:
        raise RoomtoneError(f"{where}: {expected}")
    return number


def _one_of(value: Any, allowed: Sequence[Any], *, where: str) -> Any:
    if value not in allowed:
        raise RoomtoneError(f"{where}: {value!r} is not allowed; {nearest(str(value), map(str, allowed))}")
    return value


def _convert_union(value: Any, options: Sequence[Any], *, where: str) -> Any:
    if value is None and type(None) in options:
        return None
    given = [option for option in options if option is not type(None)]
    if len(given) == 1:
        return _convert_or_null(value, given[0], options, where=where)
    for option in options:
        try:
            return convert(value, option, where=where)
        except RoomtoneError:
            continue
    # a number, or the range from which one is drawn
    names = {tuple[float, float]: "[low, high]"} if float in options else {}
    raise RoomtoneError(f"{where}: expected {' or '.join(names.get(o, type_name(o)) for o in options)}, got {value!r}")


def _convert_or_null(value: Any, hint: Any, options: Sequence[Any], *, where: str) -> Any:
    """Convert to the one type that is not null, and say in the message that null is allowed too."""
    try:
        return convert(value, hint, where=where)
    except RoomtoneError as error:
        if len(options) > 1 and f"{where}: expected {type_name(hint)}, got" in str(error):
            raise RoomtoneError(f"{where}: expected {type_name(hint)} or null, got {value!r}") from error
        raise


def _convert_tuple(value: Any, args: Sequence[Any], *, where: str) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise RoomtoneError(f"{where}: expected a list, got {value!r}")
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(convert(item, args[0], where=f"{where}[{i}]") for i, item in enumerate(value))
    if len(value) != len(args):
        raise RoomtoneError(f"{where}: expected {len(args)} values, got {len(value)}: {value!r}")
    return tuple(convert(item, arg, where=f"{where}[{i}]") for i, (item, arg) in enumerate(zip(value, args)))


def type_name(hint: Any) -> str:
    """Return what a message calls a type."""
    if typing.get_origin(hint) is tuple:
        return "a list of " + type_name(typing.get_args(hint)[0])
    if typing.get_origin(hint) is Annotated:
        base, bounds = typing.get_args(hint)[:2]
        return f"{type_name(base)} {bounds}"
    if typing.get_origin(hint) is typing.Literal:
        return " or ".join(map(str, typing.get_args(hint)))
    names = {float: "a number", int: "a whole number", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(hint, getattr(hint, "__name__", str(hint)))
