"""Where microphone, talker, noise and equipment stand in a rectangular room: placings are tried until one fits."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from roomtone.augment.ops.table import Drawn
from roomtone.augment.rooms.op import Distance, ShoeBoxRoom, low_high
from roomtone.augment.rooms.simulate import speed_of_sound
from roomtone.augment.rooms.talker.moving import NEAREST_M
from roomtone.core.errors import RoomtoneError

_PLACINGS = 4000


def spread(index: int) -> float:
    """Return the index's binary digits mirrored at the point (van der Corput): 0, 1/2, 1/4, 3/4, … fill [0, 1) evenly.

    A bank of eight so has near and far talkers alike, and a larger bank still begins with the smaller one.
    """
    return float(sum((index >> bit & 1) / 2 ** (bit + 1) for bit in range(index.bit_length())))


def draw(rng: np.random.Generator, value: Drawn) -> float:
    """Return a uniform value of a range; a plain number uses up a draw as well, so that it moves no other."""
    low, high = low_high(value)
    return float(low + (high - low) * rng.random())


def place(
    op: ShoeBoxRoom, dimensions: tuple[float, ...], sample_rate_hz: int, distance_m: float, rng: np.random.Generator
) -> dict[str, Any]:
    """Return the positions of microphone, talker, noise and equipment.

    Placings are tried until one fits. The microphone is placed first; tries go on until all sources fit.
    """
    step_m = speed_of_sound(op.temperature_c, op.humidity_percent) / sample_rate_hz
    distance = _whole_samples(distance_m, step_m)
    margins = [min(op.wall_margin_m, 0.1 * size) for size in dimensions]
    for _ in range(_PLACINGS):
        talker_height, microphone_height = draw(rng, op.talker_height_m), draw(rng, op.microphone_height_m)
        reach = 0.8 * distance
        height = min(max(microphone_height, talker_height - reach), talker_height + reach)
        microphone = [*(m + (size - 2 * m) * rng.random() for m, size in zip(margins[:2], dimensions[:2])), height]
        talker = _at_distance(rng, microphone, distance, talker_height)
        if op.path:  # the path is given, so the microphone stands at that distance from its start
            talker = [*op.path[0][1:], talker_height]
            microphone = _at_distance(rng, talker, distance, height)
            if not _inside(microphone, dimensions, margins) or _nearest_m(op.path, microphone) < NEAREST_M:
                continue
        noise = _background(rng, op.noise_distance_m, microphone, dimensions, margins, step_m)
        equipment = _background(rng, op.equipment_distance_m, microphone, dimensions, margins, step_m)
        if all(_inside(p, dimensions, margins) for p in (talker, noise, equipment)):
            return {
                "microphone_m": microphone,
                "talker_m": talker,
                "noise_m": noise,
                "equipment_m": equipment,
                "blocked": [
                    k
                    for k, v in (("noise", op.noise_distance_m), ("equipment", op.equipment_distance_m))
                    if v == "diffuse"
                ],
                "talker_distance_m": distance,
            }
    raise RoomtoneError(
        f"room: no place found for talker_distance_m {distance:.2f}, noise_distance_m {op.noise_distance_m!r} and "
        f"equipment_distance_m {op.equipment_distance_m!r} in a room of {size_text(dimensions)} m "
        f"(margin to the walls {op.wall_margin_m:g} m); smaller distances fit"
    )


def _whole_samples(distance_m: float, step_m: float) -> float:
    """Return the distance that sound travels in a whole number of samples: the direct sound then needs no interpolation."""
    return max(round(distance_m / step_m), 1) * step_m


def _at_distance(rng: np.random.Generator, centre: list[float], distance: float, height: float) -> list[float]:
    across = math.sqrt(max(distance**2 - (height - centre[2]) ** 2, 0.0))
    angle = 2.0 * math.pi * rng.random()
    return [centre[0] + across * math.cos(angle), centre[1] + across * math.sin(angle), height]


def _background(
    rng: np.random.Generator,
    where: Distance,
    microphone: list[float],
    dimensions: tuple[float, ...],
    margins: list[float],
    step_m: float,
) -> list[float]:
    """Return a place at the asked distance and any height; for `diffuse`, at least a third of the room away."""
    if where == "diffuse":
        for _ in range(100):
            place = [m + (size - 2 * m) * rng.random() for m, size in zip(margins, dimensions)]
            if math.dist(place, microphone) >= max(dimensions) / 3.0:
                break
        return place
    assert not isinstance(where, str)
    distance = _whole_samples(draw(rng, where), step_m)
    low, high = (
        max(margins[2], microphone[2] - 0.8 * distance),
        min(dimensions[2] - margins[2], microphone[2] + 0.8 * distance),
    )
    return _at_distance(rng, microphone, distance, low + (high - low) * rng.random())


def _nearest_m(path: Sequence[tuple[float, float, float]], microphone: list[float]) -> float:
    """Return how near a path comes to the microphone on the floor plan, metres."""
    shares = np.linspace(0.0, 1.0, 101)
    corners = np.array(path)[:, 1:]
    way = np.concatenate([a + shares[:, None] * (b - a) for a, b in itertools.pairwise(corners)])
    return float(np.linalg.norm(way - microphone[:2], axis=1).min())


def _inside(place: list[float], dimensions: tuple[float, ...], margins: list[float]) -> bool:
    sides = all(m <= x <= size - m for x, size, m in zip(place[:2], dimensions[:2], margins[:2]))
    return sides and 0.02 <= place[2] <= dimensions[2] - 0.02


def size_text(dimensions: Sequence[float]) -> str:
    return " x ".join(f"{size:.2f}" for size in dimensions)
