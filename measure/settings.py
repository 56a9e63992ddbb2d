"""What `roomtone measure` is asked for, checked once: one recording, or a place of several recordings with a `place.yaml`.

Times are in seconds, distances in metres. The key `as` of a command line or of a `place.yaml` is `kind` here, because Python keeps that word.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from roomtone.core.bounded.yaml_text import parse_bounded_yaml, read_bounded_text
from roomtone.core.errors import RoomtoneError, nearest
from roomtone.core.settings import Bounds, read_settings

#: What can be measured; each is also the folder (the factor) under which its presets are written.
KINDS = ("equipment", "noise", "room")
_NAME = re.compile(r"[A-Za-z0-9_]+")

Seconds = Annotated[float, Bounds(0.0)]
Metres = Annotated[float, Bounds(0.05, 1000.0, "in metres?")]


@dataclass(frozen=True)
class MeasureSettings:
    """One recording to be measured, or a place.

    Attributes:
        recording: the audio file; None where a place is measured.
        kind: `equipment`, `noise` or `room`.
        name: of the preset: letters, digits and `_`.
        place: a folder that holds `place.yaml` and recordings; None where one recording is measured.
        to: folder for the presets; other commands take it as `--config-dir`.
        sample_rate_hz: rate of the analysis; nothing above half of it is seen.
        offset_s: where in the recording the analysis begins.
        longest_s: at most so much of the recording is read.
        sweep: for a room: the sweep that was played, as a file; None for a clap or a balloon.
        dimensions_m: for a room: length, width, height; None assumes a size, and the preset says so.
        talker_distance_m: for a room: least and greatest distance from talker to microphone.
    """

    recording: str | None = None
    kind: str | None = None
    name: str | None = None
    place: str | None = None
    to: str = "measured"
    sample_rate_hz: Annotated[int, Bounds(8000, 192_000, "in Hz?")] = 16000
    offset_s: Seconds = 0.0
    longest_s: Annotated[float, Bounds(2.0, 3600.0)] = 120.0
    sweep: str | None = None
    dimensions_m: tuple[Metres, Metres, Metres] | None = None
    talker_distance_m: tuple[Metres, Metres] = (0.5, 1.5)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], *, where: str = "") -> Self:
        """Return settings from a composed configuration, whose key `as` is `kind` here.

        Args:
            values: keys and values; what is absent takes its default.
            where: the dotted key of the mapping itself, empty at the top.

        Raises:
            RoomtoneError: an unknown key or a wrong value; the message opens with the key.

        >>> MeasureSettings.from_mapping({"recording": "pump.wav", "as": "equipment", "name": "our_pump"}).kind
        'equipment'
        >>> MeasureSettings.from_mapping({"recording": "pump.wav", "as": "equipment", "name": "our_pump", "sample_rate_hz": "16k"})
        Traceback (most recent call last):
            ...
        roomtone.core.errors.RoomtoneError: sample_rate_hz: expected a whole number from 8000 to 192000, got '16k' (in Hz?)
        """
        return read_settings(cls, with_kind(values), where=where)

    def __post_init__(self) -> None:
        if (self.recording is None) == (self.place is None):
            raise RoomtoneError("measure: give either recording=FILE as=equipment name=our_scanner, or place=DIR")
        if self.recording is not None:
            check_kind(self.kind)
            check_name(self.name)
        if self.talker_distance_m[0] > self.talker_distance_m[1]:
            raise RoomtoneError(
                f"talker_distance_m: expected [least, greatest] in metres, got {list(self.talker_distance_m)}"
            )

    def for_recording(self, **changes: Any) -> MeasureSettings:
        """Return the settings for one recording of this place: rate, length and folder stay."""
        return dataclasses.replace(self, place=None, **changes)


@dataclass(frozen=True)
class PlaceEntry:
    """One recording of a place: the file beside `place.yaml`, and the rest as in `MeasureSettings`."""

    file: str
    kind: str
    name: str
    offset_s: Seconds = 0.0
    sweep: str | None = None
    dimensions_m: tuple[Metres, Metres, Metres] | None = None

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], *, where: str = "") -> Self:
        """Return one entry of `recordings`; arguments and errors as `MeasureSettings.from_mapping`.

        Args:
            values: of the entry.
            where: opens messages.
        """
        entry = read_settings(cls, with_kind(values), where=where)
        check_kind(entry.kind, where=f"{where}: ")
        check_name(entry.name, where=f"{where}: ")
        return entry


@dataclass(frozen=True)
class Variation:
    """Which measured equipment is varied, by how much its pitch moves (a share), and at which levels re the measured one."""

    equipment: str
    pitch: Annotated[float, Bounds(0.001, 0.9, "in per cent?")] = 0.2
    levels_db: tuple[float, ...] = (-6.0, 0.0, 6.0)


@dataclass(frozen=True)
class PlaceSettings:
    """What a `place.yaml` states; see `scenario`."""

    name: str
    recordings: tuple[PlaceEntry, ...]
    description: str | None = None
    speech: str | None = None
    talker_distance_m: tuple[Metres, Metres] = (0.5, 1.5)
    handsets: tuple[str, ...] = ("none",)
    goals: Mapping[str, Any] | None = None
    vary: Variation | None = None

    def __post_init__(self) -> None:
        check_name(self.name)


def with_kind(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with its key `as` called `kind`, and its name as text: YAML reads `name: 4` as a number.

    Raises:
        RoomtoneError: it is no mapping.
    """
    if not isinstance(values, Mapping):
        raise RoomtoneError(
            f"expected a mapping such as {{file: pump.wav, as: equipment, name: our_pump}}, got {values!r}"
        )
    plain = {"kind" if key == "as" else key: value for key, value in values.items()}
    if isinstance(plain.get("name"), int) and not isinstance(plain["name"], bool):
        plain["name"] = str(plain["name"])
    return plain


def check_kind(kind: str | None, *, where: str = "") -> None:
    """Raise a RoomtoneError where something is not one of `KINDS`; `where` opens its message.

    Args:
        kind: as given.
        where: opens the message.
    """
    if kind is None:
        raise RoomtoneError(
            f"{where}as: say what the recording is and how to call it: as=equipment (or noise, room) name=our_scanner"
        )
    if kind not in KINDS:
        raise RoomtoneError(f"{where}as: {kind!r} cannot be measured; {nearest(str(kind), KINDS)}")


def check_name(name: str | None, *, where: str = "") -> None:
    """Raise a RoomtoneError where a name cannot be one of a preset; `where` opens its message.

    Args:
        name: as given.
        where: opens the message.
    """
    if name is None or not _NAME.fullmatch(name):
        raise RoomtoneError(f"{where}name: {name!r} cannot name a preset; letters, digits and _ only")


def read_place(folder: str | Path) -> PlaceSettings:
    """Return what the `place.yaml` of a folder states.

    Args:
        folder: holds `place.yaml`.

    Raises:
        RoomtoneError: no readable file, an unknown or missing key, or a wrong value, with its dotted key.
    """
    path = Path(folder).expanduser() / "place.yaml"
    try:
        stated = parse_bounded_yaml(read_bounded_text(path), where=str(path))
    except RoomtoneError as error:
        raise RoomtoneError(f"{error}; place=DIR needs a place.yaml beside the recordings") from error
    if not isinstance(stated, dict):
        raise RoomtoneError(f"{path}: the keys 'name' and 'recordings' (a list) are needed")
    try:
        return read_settings(PlaceSettings, with_kind({k: v for k, v in stated.items() if v is not None}))
    except RoomtoneError as error:
        raise RoomtoneError(f"{path}: {error}") from error
