"""Rooms as ops: the fields of a room preset. `rooms.bank` makes measured impulse responses of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Drawn, RoomOp
from roomtone.augment.rooms.bands import CENTRES_HZ
from roomtone.augment.rooms.materials import Material, check_materials
from roomtone.core.errors import RoomtoneError

#: Farther than this share of the floor's diagonal both ends stand in corners, whose reflections count as early sound: C50 rises.
_FARTHEST = 0.625
#: Nobody walks or runs faster, metres a second.
_FASTEST = 8.0
#: A distance from the microphone in metres, or a range of them, or `diffuse`: far away with the direct sound blocked.
Distance = float | tuple[float, float] | Literal["diffuse"]


def low_high(value: Drawn) -> tuple[float, float]:
    """Return a `value` that may be a number or a range as a range (low, high)."""
    return (value[0], value[1]) if isinstance(value, tuple) else (value, value)


@dataclass(frozen=True)
class ShoeBoxRoom(RoomOp):
    """A rectangular room, simulated until its measured T30 is `t60_s`.

    Ranges are drawn anew for every realisation. All distances are from the microphone, in metres.

    Attributes:
        dimensions_m: length, width and height; each a number or a range.
        t60_s: reverberation time, held by the T30 of the talker's response to 1 %: the mean of 500 and 1000 Hz (ISO 3382-1)
            where the room has `materials`, and broadband where it has none.
        talker_distance_m: microphone to mouth, at most 5/8 of the floor's diagonal. Heights give way to it: the microphone is moved up or down until
            it is no further than 0.8 of the distance above or below the mouth.
        t60_bands_s: `[[centre in Hz, T60 in s], …]`, centres ascending from 125 to 8000. It sets the ratio between the
            bands; where the broadband T30 of these times is not `t60_s`, all of them are scaled until it is.
        materials: `[[material of pyroomacoustics' table, where], …]`; where is `floor`, `ceiling` or `walls` (which several share equally), or
            a number of square metres besides (furniture, beds, people). They and the air set the ratio between the octaves, which each
            response holds (`bands.losses_for_times`); `t60_s` sets the time.
        noise_distance_m: to the place of the noise, or `diffuse`: from the far side of the room, its direct sound blocked
            (ventilation, people behind furniture).
        noise_directions: of a `diffuse` noise: from how many directions its parts come, each with a decay of its own (the voices of babble, the
            sources of a `mix`, independent streams of a steady noise); 0 lets all of it pass one response. Recordings always do.
        equipment_distance_m: to the equipment, or `diffuse` as above.
        talker_facing_deg: by how much the talker is turned from the microphone (0 faces it, 180 turns the back), to either side, with the
            directivity of the human voice (`rooms.talker.directivity`); left out, the voice goes alike in all directions.
        path: `[[time in s, x, y], …]` of a talker who walks, from time 0 on, x along the length and y along the width; straight between the
            points, standing after the last. `talker_distance_m` and `t60_s` then are those of the start (`rooms.talker.moving`).
        coupled_t60_s, coupled_volume_m3, door_area_m2: of a second room behind an open door (`rooms.coupled`): the decay then has two slopes.
            `t60_s` and `coupled_t60_s`, which is longer, are the times that either room would have if nothing came back through the door,
            which fits into the largest wall.
        talker_height_m, microphone_height_m: above the floor.
        wall_margin_m: talker, microphone, noise and equipment keep at least this distance to a wall, or than a tenth of the dimension if that is less.
        realisations: how many rooms and placings the bank holds.
        scattering: share of the energy that a wall reflects diffusely, 0 to 1; equal for all walls and bands.
        image_order: reflections up to this order come from image sources, later ones from traced rays.
        air_absorption: whether air absorbs high frequencies, at the temperature and humidity below.
        temperature_c: air temperature in degrees Celsius; sets the speed of sound.
        humidity_percent: relative humidity.
    """

    op = "shoebox"

    dimensions_m: tuple[Drawn, Drawn, Drawn]
    t60_s: Drawn
    talker_distance_m: Drawn
    t60_bands_s: tuple[tuple[float, float], ...] = ()
    materials: tuple[Material, ...] = ()
    noise_distance_m: Distance = "diffuse"
    noise_directions: int = 0
    equipment_distance_m: Distance = (1.0, 2.5)
    talker_facing_deg: Drawn | None = None
    path: tuple[tuple[float, float, float], ...] = ()
    coupled_t60_s: Drawn | None = None
    coupled_volume_m3: float | None = None
    door_area_m2: float = 1.8
    talker_height_m: Drawn = 1.5
    microphone_height_m: Drawn = 1.0
    wall_margin_m: float = 0.4
    realisations: int = 8
    scattering: float = 0.2
    image_order: int = 6
    air_absorption: bool = True
    temperature_c: float = 20.0
    humidity_percent: float = 50.0

    def __post_init__(self) -> None:
        for index, name in enumerate(("length", "width", "height")):
            _check(f"dimensions_m, {name}", self.dimensions_m[index], 0.5, 100.0, "metres")
        _check("t60_s", self.t60_s, 0.05, 10.0, "seconds")
        for key in ("talker_distance_m", "noise_distance_m", "equipment_distance_m"):
            value = getattr(self, key)
            if value != "diffuse":
                _check(key, value, 0.02, 100.0, "metres")
        for key in ("talker_height_m", "microphone_height_m"):
            _check(key, getattr(self, key), 0.0, low_high(self.dimensions_m[2])[0], "metres, below the ceiling")
        if self.talker_facing_deg is not None:
            _check("talker_facing_deg", self.talker_facing_deg, 0.0, 180.0, "degrees from the microphone")
        if self.path:
            self._check_path()
        if self.coupled_t60_s is not None or self.coupled_volume_m3 is not None:
            self._check_coupled()
        _check("wall_margin_m", self.wall_margin_m, 0.0, 10.0, "metres")
        _check("realisations", self.realisations, 1, 1000, "a count")
        _check("scattering", self.scattering, 0.0, 1.0, "a share")
        _check("image_order", self.image_order, 1, 30, "reflections")
        _check("noise_directions", self.noise_directions, 0, 64, "a count")
        if self.noise_directions and self.noise_distance_m != "diffuse":
            raise RoomtoneError(
                "room, noise_directions: needs noise_distance_m: diffuse; a noise at a distance comes from there"
            )
        _check("temperature_c", self.temperature_c, 0.0, 40.0, "degrees Celsius")
        _check("humidity_percent", self.humidity_percent, 0.0, 100.0, "per cent")
        _check_bands(self.t60_bands_s)
        if self.materials and self.t60_bands_s:
            raise RoomtoneError("room: give t60_bands_s or materials, not both; either sets the times of the octaves")
        if self.materials:
            check_materials(self.materials)
        floor = math.hypot(low_high(self.dimensions_m[0])[0], low_high(self.dimensions_m[1])[0])
        _check(
            "talker_distance_m",
            self.talker_distance_m,
            0.02,
            _FARTHEST * floor,
            f"metres, for a floor {floor:.2f} m across",
        )

    def _check_path(self) -> None:
        """Raise unless the points of `path` ascend in time, lie in the room and can be walked."""
        if len(self.path) < 2 or self.path[0][0] != 0.0:
            raise RoomtoneError("room, path: expected two points or more, [time in s, x, y], the first at time 0")
        if self.talker_facing_deg is not None:
            raise RoomtoneError(
                "room: give path or talker_facing_deg, not both; a walking voice goes alike in all directions"
            )
        for _, x, y in self.path:
            _check("path, x", x, 0.1, low_high(self.dimensions_m[0])[0] - 0.1, "metres, inside the shortest room")
            _check("path, y", y, 0.1, low_high(self.dimensions_m[1])[0] - 0.1, "metres, inside the narrowest room")
        for (before, *here), (after, *there) in zip(self.path, self.path[1:]):
            if after <= before:
                raise RoomtoneError(f"room, path: times must ascend; {after:g} s follows {before:g} s")
            speed = math.dist(here, there) / (after - before)
            _check("path, speed", speed, 0.0, _FASTEST, "metres a second; is the time in seconds?")

    def _check_coupled(self) -> None:
        """Raise unless the second room is whole; whether its door lets it be so reverberant is checked when the bank is built."""
        if self.coupled_t60_s is None or self.coupled_volume_m3 is None:
            raise RoomtoneError("room: coupled_t60_s and coupled_volume_m3 belong together; give both or neither")
        if self.path:
            raise RoomtoneError("room: give path or coupled_t60_s, not both")
        _check("coupled_t60_s", self.coupled_t60_s, 0.05, 20.0, "seconds")
        _check("coupled_volume_m3", self.coupled_volume_m3, 5.0, 100000.0, "cubic metres")
        length, width, height = (low_high(size)[0] for size in self.dimensions_m)
        wall_m2 = max(length, width) * height
        _check("door_area_m2", self.door_area_m2, 0.1, wall_m2, "square metres, of which the largest wall has no more")
        own_s, behind_s = low_high(self.t60_s)[1], low_high(self.coupled_t60_s)[0]
        if behind_s <= own_s:
            raise RoomtoneError(
                f"room, coupled_t60_s: expected more than t60_s, {own_s:g} s, got {behind_s:g} s; what comes back from a room that decays "
                f"sooner makes no second slope: take out coupled_t60_s and coupled_volume_m3"
            )

    @property
    def num_realisations(self) -> int:
        """How many rooms the bank holds."""
        return self.realisations

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        """Return this op as it is: its ranges are drawn once a realisation, when the bank is built."""
        del rng, context
        return self


@dataclass(frozen=True)
class RecordedRoom(RoomOp):
    """A folder of measured room impulse responses, each aligned to its direct sound and measured.

    Attributes:
        path: a folder (searched with its sub-folders) or one file; WAV, FLAC, or another format of libsndfile.
        channel: which channel of a multichannel file, from 0.
        t30_band_s: `[lowest, highest]` T30 in seconds; responses outside are left out.
        other_positions: the files beside one another in one folder are places in one room with one microphone, so noise
            and equipment come from the next two files. Otherwise they come from the talker's own place.
        max_length_s: longer responses are cut here, faded.
    """

    op = "recorded_room"

    path: str
    channel: int = 0
    t30_band_s: tuple[float, float] | None = None
    other_positions: bool = False
    max_length_s: float = 4.0

    def __post_init__(self) -> None:
        _check("channel", self.channel, 0, 1023, "counted from 0")
        _check("max_length_s", self.max_length_s, 0.05, 30.0, "seconds")
        if self.t30_band_s is not None:
            _check("t30_band_s", self.t30_band_s, 0.0, 100.0, "seconds")

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        """Return this op as it is: it has nothing to draw."""
        del rng, context
        return self


def _check(key: str, value: Drawn, least: float, most: float, unit: str) -> None:
    low, high = low_high(value)
    if low > high:
        raise RoomtoneError(f"room, {key}: the range {[low, high]} is upside down")
    if not (least <= low and high <= most):
        raise RoomtoneError(f"room, {key}: expected {least:g} to {most:g} ({unit}), got {value!r}")


def _check_bands(bands: Iterable[tuple[float, float]]) -> None:
    last = 0.0
    for centre_hz, t60_s in bands:
        if centre_hz not in CENTRES_HZ or centre_hz <= last:
            raise RoomtoneError(
                f"room, t60_bands_s: expected octave centres 125, 250, … 8000 Hz, ascending; got {centre_hz:g}"
            )
        _check(f"t60_bands_s, {centre_hz:g} Hz", t60_s, 0.03, 10.0, "seconds")
        last = centre_hz
