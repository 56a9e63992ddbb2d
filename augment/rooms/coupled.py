"""A room with an open door to a more reverberant one: what comes back through the door, and the two slopes of the decay.

Statistical theory of two coupled rooms (H. Kuttruff, Room Acoustics, chapter on reverberation, "Coupled rooms", as recalled; the text was not
at hand): the energy densities obey

    w1' = -a1 w1 + k1 w2,  w2' = -a2 w2 + k2 w1,  with a = 6 ln 10 / T and k = c S / (4 V)

S is the area of the door, V a volume, T the time in which a room would decay if nothing came back through its open door. A source in the first room
then gives w1 = A exp(s1 t) + (1 - A) exp(s2 t). The part exp(-a1 t) is the first room's own and is simulated; the rest is added here as
Gaussian noise with that envelope, at the level of a diffuse field: 4 pi d^2 c / V1 a second re a direct sound of 1 at the distance d.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from roomtone.augment.rooms.acoustics import MID_HZ, decay_db, decay_time_s, octave_with_ringing
from roomtone.augment.rooms.bands import NEPER_60_DB, split_bands
from roomtone.augment.rooms.simulate import DIRECT_SAMPLE, speed_of_sound
from roomtone.core.errors import RoomtoneError
from roomtone.core.random_streams import stream

#: The early slope is read between these levels of the decay, dB, the late one between the others.
EARLY_DB = (-5.0, -15.0)
LATE_DB = (-35.0, -50.0)
#: What comes back is made until it has fallen so far, dB.
_END_DB = 75.0
#: Over this time the power of its noise is held, s.
_STEADY_S = 0.1


def check_door(volumes_m3: Sequence[float], times_s: Sequence[float], door_m2: float, speed_m_s: float) -> None:
    """Raise where the open door alone takes the sound of a room sooner than it is said to decay.

    Args:
        volumes_m3, times_s: of the two rooms.
        door_m2: area of the door.
        speed_m_s: speed of sound.

    Raises:
        RoomtoneError: names the room, the time and the longest possible one.
    """
    for name, volume_m3, time_s in zip(("t60_s", "coupled_t60_s"), volumes_m3, times_s):
        longest_s = 2.0 * NEPER_60_DB * 4.0 * volume_m3 / (speed_m_s * door_m2)
        if time_s >= longest_s:
            raise RoomtoneError(
                f"room, {name}: {time_s:g} s is too long for {volume_m3:.0f} m3 with a door of {door_m2:g} m2, through which the "
                f"sound goes in {longest_s:.2f} s"
            )


def slopes_per_s(parameters: Mapping[str, Any], time_s: float, coupled_s: float) -> tuple[float, float, float, float]:
    """Return `s1, s2, A, a1` of the energy of the first room, slower slope last, in 1/s.

    Args:
        parameters: of a realisation with `coupled`.
        time_s, coupled_s: decay times of both rooms by themselves in one octave, s.
    """
    coupled = parameters["coupled"]
    speed = speed_of_sound(parameters["temperature_c"], parameters["humidity_percent"])
    own, other = 2.0 * NEPER_60_DB / time_s, 2.0 * NEPER_60_DB / coupled_s
    flow = speed * coupled["door_m2"] / 4.0
    exchange = flow**2 / (math.prod(parameters["dimensions_m"]) * coupled["volume_m3"])
    root = math.sqrt(((own - other) / 2.0) ** 2 + exchange)
    fast, slow = -(own + other) / 2.0 - root, -(own + other) / 2.0 + root
    return fast, slow, (own + slow) / (slow - fast), own


def returned_sound(
    parameters: Mapping[str, Any], source_m: Sequence[float], name: str, centres: Sequence[float], sample_rate_hz: int
) -> np.ndarray:
    """Return what comes back through the door, float64 [shape=(samples,)], on the scale of a direct sound of 1 at `DIRECT_SAMPLE`.

    Args:
        parameters: of a realisation with `coupled`.
        source_m: place of the source.
        name: of the source, which keys the noise.
        centres: of the octaves in Hz.
        sample_rate_hz: rate in Hz.
    """
    from scipy.ndimage import uniform_filter1d

    known = np.array(parameters.get("t60_octaves_s") or [[1000.0, parameters["t60_s"]]])
    own_s = np.interp(np.log2(centres), np.log2(known[:, 0]), known[:, 1])
    other_s = own_s * parameters["coupled"]["t60_s"] / parameters["t60_s"]
    solved = [slopes_per_s(parameters, one, other) for one, other in zip(own_s, other_s)]
    slowest = max(slow for _, slow, _, _ in solved)
    length = DIRECT_SAMPLE + round(_END_DB / 60.0 * 2.0 * NEPER_60_DB / -slowest * sample_rate_hz)
    speed = speed_of_sound(parameters["temperature_c"], parameters["humidity_percent"])
    distance = math.dist(source_m, parameters["microphone_m"])
    times = (np.arange(length) - DIRECT_SAMPLE) / sample_rate_hz + distance / speed
    scale = 4.0 * math.pi * distance**2 * speed / math.prod(parameters["dimensions_m"]) / sample_rate_hz
    noise = stream(parameters["seed"], "coupled room", name).standard_normal(length)
    bands = split_bands(noise, sample_rate_hz, tuple(centres), sharp=True)
    for band, (fast, slow, share, own) in zip(bands, solved):
        # A single octave of noise strays by decibels over a tenth of a second, which a slope would follow.
        strays = uniform_filter1d(band**2, round(_STEADY_S * sample_rate_hz))
        band *= np.sqrt((band**2).mean() / strays)
        energy = share * np.exp(fast * times) + (1.0 - share) * np.exp(slow * times) - np.exp(-own * times)
        band *= np.sqrt(np.maximum(energy, 0.0) * scale)
    bands[:, :DIRECT_SAMPLE] = 0.0
    heard: np.ndarray = bands.sum(axis=0)
    return heard


def two_slopes_s(rir: np.ndarray, sample_rate_hz: int) -> dict[str, float]:
    """Return `early_s` and `late_s`, the reverberation times of both slopes, each the mean of 500 and 1000 Hz.

    Args:
        rir: response with its direct sound at `DIRECT_SAMPLE` [shape=(samples,)].
        sample_rate_hz: its rate in Hz.
    """
    found: dict[str, list[float]] = {"early_s": [], "late_s": []}
    for centre in MID_HZ:
        level_db = decay_db(octave_with_ringing(rir, sample_rate_hz, DIRECT_SAMPLE, centre), 0)
        for name, (top_db, bottom_db) in (("early_s", EARLY_DB), ("late_s", LATE_DB)):
            found[name].append(decay_time_s(level_db, sample_rate_hz, top_db, bottom_db))
    return {name: float(np.mean(times)) for name, times in found.items()}
