"""Groups of fields of an op, such as `jitter` of `coded_stream`: read with the same checks and messages as the op's own fields.

A part may hold fields that are drawn, or found while rendering; a recipe has them, a preset does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, get_args

from roomtone.augment.ops.limits import check_numbers
from roomtone.augment.ops.table import Drawn, op_table
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.settings import check_fields, schema_of


class Part:
    """Base of such a group, which is a frozen dataclass."""

    #: Fields that no preset has: drawn into the recipe, or found while rendering.
    drawn: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], *, where: str) -> Self:
        """Return the part that a mapping of a preset or a recipe states.

        Args:
            mapping: by field.
            where: op and key, for messages.

        Raises:
            RoomtoneError: unknown or missing key, a value of the wrong type, a range upside down, or what the part itself refuses.
        """
        schema = schema_of(cls)
        offered = [name for name in schema.required if name not in cls.drawn]
        if not isinstance(mapping, Mapping):
            raise RoomtoneError(f"{where}: expected a mapping of {', '.join(offered)}, got {mapping!r}")
        for key in mapping:
            if key not in schema.required:
                raise RoomtoneError(f"{where}: unknown key {key!r}; {nearest(str(key), offered)}")
        values = check_fields(cls, mapping, where=where)
        check_numbers(values, {key for key, hint in schema.hints.items() if hint in (Drawn, Drawn | None)}, {}, where)
        try:
            return cls(**values)
        except RoomtoneError as error:
            raise RoomtoneError(f"{where}, {error}") from error


def refuse_drawn(preset: Any, *, where: str) -> None:
    """Refuse fields of parts that only a recipe has, anywhere in a preset.

    Args:
        preset: as YAML gives it.
        where: the place for messages.

    Raises:
        RoomtoneError: there is one.
    """
    if isinstance(preset, list | tuple):
        for index, item in enumerate(preset):
            refuse_drawn(item, where=f"{where}[{index}]")
    elif isinstance(preset, Mapping):
        name = preset.get("op")
        place = f"{where} (op {name})" if name else where
        parts = _parts(name) if isinstance(name, str) else {}
        for key, value in preset.items():
            for field in value if key in parts and isinstance(value, Mapping) else ():
                if field in parts[key].drawn and value[field] is not None:
                    raise RoomtoneError(f"{place}, {key}: {field!r} is drawn; leave it out")
            refuse_drawn(value, where=f"{place}, {key}")


def _parts(op: str) -> dict[str, type[Part]]:
    """Return the parts of an op by the field that holds them."""
    known = op_table().get(op)
    hints = {} if known is None else schema_of(known).hints
    return {
        key: kind
        for key, hint in hints.items()
        for kind in (hint, *get_args(hint))
        if isinstance(kind, type) and issubclass(kind, Part)
    }
