"""Reverberation times by octave band from the materials of a room: they set the shape over bands, the preset the time.

Absorption coefficients are those of pyroomacoustics' table (M. Vorländer, Auralization, 2008, annex, and others). The mean absorption
of all surfaces gives the times by Eyring's formula with the loss in air by ISO 9613-1 (as recalled; its values are held by a test),
after the exponent of the walls has been scaled, equally in all bands, until the mean of the times at 500 and 1000 Hz is the asked one.
"""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from roomtone.augment.rooms.acoustics import MID_HZ
from roomtone.augment.rooms.bands import ALL_CENTRES_HZ
from roomtone.augment.rooms.simulate import speed_of_sound
from roomtone.core.bounded.regular_files import read_json
from roomtone.core.errors import RoomtoneError, nearest

#: `[material, where]`: on a surface, shared equally where it bears several; or so many square metres of it besides (furniture, beds, people).
Material = tuple[str, Literal["floor", "ceiling", "walls"] | float]
#: Times of neighbouring octaves over one another: an octave filter hears its slower neighbour, and could not tell a faster band.
_STEEPEST = 1.2
#: No surface takes more than this share, although measured coefficients may reach 1.
_MOST = 0.99


@functools.cache
def absorption_table() -> dict[str, tuple[float, ...]]:
    """Return the absorption coefficients of pyroomacoustics' materials in `ALL_CENTRES_HZ`; the last one that is known holds above.

    The file is read without importing the library, which takes a second.
    """
    spec = importlib.util.find_spec("pyroomacoustics")
    assert spec is not None
    assert spec.submodule_search_locations
    content = read_json(Path(spec.submodule_search_locations[0]) / "data" / "materials.json")
    found = {"anechoic": (1.0,) * len(ALL_CENTRES_HZ)}  # as the library adds it: an opening
    for group in content["absorption"].values():
        for name, material in group.items():
            known = [float(value) for value in material["coeffs"]]
            found[name] = tuple(known + known[-1:] * (len(ALL_CENTRES_HZ) - len(known)))
    return found


def check_materials(materials: Sequence[Material]) -> None:
    """Raise unless every material is known and floor, ceiling and walls are all covered.

    Args:
        materials: of a preset.

    Raises:
        RoomtoneError: an unknown material (with the nearest one), an area that is none, a surface without material.
    """
    for name, where in materials:
        if name not in absorption_table():
            raise RoomtoneError(f"room, materials: unknown material {name!r}; {nearest(name, absorption_table())}")
        if not isinstance(where, str) and not 0.0 < where <= 10000.0:
            raise RoomtoneError(f"room, materials, {name}: expected 0 to 10000 (square metres), got {where:g}")
    bare = [surface for surface in ("floor", "ceiling", "walls") if surface not in [where for _, where in materials]]
    if bare:
        raise RoomtoneError(f"room, materials: none is named for {' and '.join(bare)}; add [MATERIAL, {bare[0]}]")


def band_times_s(
    materials: Sequence[Material],
    dimensions_m: Sequence[float],
    mid_s: float,
    *,
    temperature_c: float,
    humidity_percent: float,
    air_absorption: bool = True,
) -> tuple[float, ...]:
    """Return the reverberation time in each of `ALL_CENTRES_HZ`, s, whose mean at 500 and 1000 Hz is `mid_s`.

    Args:
        materials: of the surfaces.
        dimensions_m: length, width and height.
        mid_s: mean of the times at 500 and 1000 Hz.
        temperature_c, humidity_percent: of the air.
        air_absorption: whether air absorbs.

    Raises:
        RoomtoneError: air alone makes the room drier than that.
    """
    areas, absorbed = _areas(materials, dimensions_m)
    walls = -np.log1p(-np.minimum(absorbed / areas, _MOST)) * areas
    air = np.array([air_loss_per_m(f, temperature_c, humidity_percent) for f in ALL_CENTRES_HZ]) * air_absorption
    volume = math.prod(dimensions_m)
    # Eyring: T = 24 ln 10 V / (c (A + 4 m V)); c is that of the simulation.
    numerator = 24.0 * math.log(10.0) * volume / speed_of_sound(temperature_c, humidity_percent)
    mid = [ALL_CENTRES_HZ.index(centre) for centre in MID_HZ]

    def times(scale: float) -> np.ndarray:
        found = numerator / (scale * walls + 4.0 * air * volume)
        # From the slowest band on, each neighbour may be so much faster.
        steps = np.abs(np.subtract.outer(np.arange(found.size), np.arange(found.size)))
        return (found[None, :] / _STEEPEST**steps).max(axis=1)

    low, high = 1e-4, 1e4
    if times(low)[mid].mean() < mid_s:
        raise RoomtoneError(f"room: t60_s {mid_s:g} cannot be reached: air alone takes the sound sooner")
    for _ in range(60):
        scale = math.sqrt(low * high)
        low, high = (scale, high) if times(scale)[mid].mean() > mid_s else (low, scale)
    return tuple(float(value) for value in times(low))


def _areas(materials: Sequence[Material], dimensions_m: Sequence[float]) -> tuple[float, np.ndarray]:
    """Return the area of all surfaces, m2, and what they absorb in each band, m2 [shape=(bands,)]."""
    length, width, height = dimensions_m
    surfaces = {"floor": length * width, "ceiling": length * width, "walls": 2.0 * height * (length + width)}
    places = [where for _, where in materials]
    total, absorbed = 0.0, np.zeros(len(ALL_CENTRES_HZ))
    for name, where in materials:
        area = surfaces[where] / places.count(where) if isinstance(where, str) else where
        total += area
        absorbed += area * np.array(absorption_table()[name])
    return total, absorbed


def air_loss_per_m(frequency_hz: float, temperature_c: float, humidity_percent: float) -> float:
    """Return the loss of energy in air at 101.325 kPa, in neper per metre (ISO 9613-1, equations 3 to 5 and B.2, B.3, as recalled).

    Args:
        frequency_hz: of the sound.
        temperature_c: degrees Celsius.
        humidity_percent: relative humidity.
    """
    kelvin = temperature_c + 273.15
    ratio = kelvin / 293.15
    saturation = 10.0 ** (-6.8346 * (273.16 / kelvin) ** 1.261 + 4.6151)
    vapour = humidity_percent * saturation
    oxygen_hz = 24.0 + 4.04e4 * vapour * (0.02 + vapour) / (0.391 + vapour)
    nitrogen_hz = ratio**-0.5 * (9.0 + 280.0 * vapour * math.exp(-4.170 * (ratio ** (-1.0 / 3.0) - 1.0)))
    oxygen = 0.01275 * math.exp(-2239.1 / kelvin) / (oxygen_hz + frequency_hz**2 / oxygen_hz)
    nitrogen = 0.1068 * math.exp(-3352.0 / kelvin) / (nitrogen_hz + frequency_hz**2 / nitrogen_hz)
    # The standard gives dB/m of level, 8.686 times this for the amplitude; energy falls twice as fast.
    amplitude = frequency_hz**2 * (1.84e-11 * ratio**0.5 + ratio**-2.5 * (oxygen + nitrogen))
    return 2.0 * amplitude
