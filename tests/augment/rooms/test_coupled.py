"""Coupled rooms: two slopes and their level, against the differential equations of two rooms solved by another method, read by other filters."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate

from roomtone.augment.rooms.bank import DIRECT_SAMPLE, rebuild_entry
from roomtone.augment.rooms.coupled import two_slopes_s
from roomtone.augment.rooms.op import ShoeBoxRoom
from roomtone.augment.rooms.shoebox import draw_parameters, responses
from roomtone.augment.scenarios.presets import load_preset, parse_preset
from roomtone.core.errors import RoomtoneError

RATE = 16000
SPEED = 344.02  # m/s at 20 degrees and 50 %


@pytest.fixture(scope="module")
def drawn() -> list[tuple[dict[str, Any], np.ndarray]]:
    room = parse_preset("room", "ward_open_door", load_preset("room", "ward_open_door"))
    assert isinstance(room, ShoeBoxRoom)
    found = [draw_parameters(room, RATE, 0, index) for index in range(3)]
    return [(parameters, responses(parameters, RATE, ("talker",))[0].astype(float)) for parameters in found]


def energies(parameters: dict[str, Any], time_s: float, other_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Energy density in the first room over time, by Runge and Kutta."""
    coupled, volume = parameters["coupled"], math.prod(parameters["dimensions_m"])
    flow = SPEED * coupled["door_m2"] / 4
    losses = 13.8155 / time_s, 13.8155 / other_s
    times = np.arange(0, 4, 1e-3)

    def change(_: float, w: np.ndarray) -> list[float]:
        return [-losses[0] * w[0] + flow / volume * w[1], -losses[1] * w[1] + flow / coupled["volume_m3"] * w[0]]

    solved = integrate.solve_ivp(change, (0, 4), [1.0, 0.0], t_eval=times, rtol=1e-9, atol=1e-14)
    return times, solved.y[0]


def slope_s(times: np.ndarray, level_db: np.ndarray, top_db: float, bottom_db: float) -> float:
    inside = (level_db <= top_db) & (level_db >= bottom_db)
    return float(-60 / np.polyfit(times[inside], level_db[inside], 1)[0])


def octave(rir: np.ndarray, centre_hz: float) -> np.ndarray:
    """One octave by Butterworth's magnitude of order 4 and no phase."""
    hertz = np.maximum(np.fft.rfftfreq(2 * rir.size, 1 / RATE), 1.0)
    gains = 1 / np.sqrt(1 + (2**0.5 * (hertz / centre_hz - centre_hz / hertz)) ** 8)
    return np.fft.irfft(np.fft.rfft(rir, 2 * rir.size) * gains)[: rir.size]


def schroeder_db(energy: np.ndarray) -> np.ndarray:
    left = energy[::-1].cumsum()[::-1]
    return 10 * np.log10(np.maximum(left / left[0], 1e-12))


def test_both_slopes_are_those_of_two_coupled_rooms(drawn: list[tuple[dict[str, Any], np.ndarray]]) -> None:
    """Late within 8 % (a tail of noise in one octave), early within 15 %, as direct sound and first reflections are no diffuse field."""
    early, late = [], []
    for parameters, rir in drawn:
        told = two_slopes_s(rir, RATE)
        for centre in (500.0, 1000.0):
            time_s = dict(map(tuple, parameters["t60_octaves_s"]))[centre]
            times, energy = energies(parameters, time_s, time_s * parameters["coupled"]["t60_s"] / parameters["t60_s"])
            model_db = schroeder_db(energy)
            level_db = schroeder_db(octave(rir, centre)[DIRECT_SAMPLE:] ** 2)
            own = np.arange(level_db.size) / RATE
            early.append(slope_s(own, level_db, -5, -15) / slope_s(times, model_db, -5, -15))
            late.append(slope_s(own, level_db, -35, -48) / slope_s(times, model_db, -35, -48))
        assert told["late_s"] > 2 * told["early_s"]
    assert np.median(late) == pytest.approx(1.0, abs=0.03)
    assert np.array(late) == pytest.approx(1.0, abs=0.08)
    assert np.median(early) == pytest.approx(1.0, abs=0.1)


def test_what_comes_back_has_the_level_of_a_diffuse_field(drawn: list[tuple[dict[str, Any], np.ndarray]]) -> None:
    """Energy from 0.7 s on re the direct sound: the integral of 4 pi d^2 c / V w(t); by then the first room by itself is 80 dB down."""
    for parameters, rir in drawn:
        distance = parameters["talker_distance_m"]
        time_s = dict(map(tuple, parameters["t60_octaves_s"]))[1000.0]
        times, energy = energies(parameters, time_s, time_s * parameters["coupled"]["t60_s"] / parameters["t60_s"])
        volume = math.prod(parameters["dimensions_m"])
        late = times + 0.0 >= 0.7 + distance / SPEED
        expected = 4 * math.pi * distance**2 * SPEED / volume * energy[late].sum() * 1e-3
        band = octave(rir, 1000.0)
        pulse = octave(np.eye(1, rir.size, DIRECT_SAMPLE)[0], 1000.0)
        found = (band[DIRECT_SAMPLE + round(0.7 * RATE) :] ** 2).sum() / (pulse**2).sum()
        assert 10 * math.log10(found / expected) == pytest.approx(0.0, abs=1.0)


def test_numbers_give_the_bits_back(drawn: list[tuple[dict[str, Any], np.ndarray]]) -> None:
    parameters, rir = drawn[0]
    entry = rebuild_entry(parameters, RATE)
    np.testing.assert_array_equal(entry.speech[: rir.size], rir[: entry.speech.size].astype(np.float32))
    assert entry.t60_s == 0.5
    assert entry.t30_s > 2 * entry.t60_s  # the bend lies above -35 dB


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"coupled_t60_s": 2.0}, "belong together"),
        ({"coupled_t60_s": 2.0, "coupled_volume_m3": 1.0}, r"coupled_volume_m3: expected 5 to 100000 \(cubic metres\)"),
        ({"coupled_t60_s": 2.0, "coupled_volume_m3": 90.0, "door_area_m2": 0.0}, "door_area_m2"),
        (
            {"coupled_t60_s": 3.0, "coupled_volume_m3": 10000.0, "door_area_m2": 30.0, "dimensions_m": (8.0, 6.0, 2.8)},
            r"door_area_m2: expected 0.1 to 22.4 \(square metres, of which the largest wall has no more\), got 30",
        ),
        (
            {
                "coupled_t60_s": 3.0,
                "coupled_volume_m3": 1e4,
                "door_area_m2": 13.0,
                "dimensions_m": ((4.0, 8.0), 5.0, 2.5),
            },
            "door_area_m2: expected 0.1 to 12.5",
        ),
        (
            {"coupled_t60_s": (0.2, 2.0), "coupled_volume_m3": 90.0, "t60_s": (0.5, 0.6)},
            "coupled_t60_s: expected more than t60_s, 0.6 s, got 0.2 s; .*: take out coupled_t60_s and coupled_volume_m3",
        ),
    ],
)
def test_impossible_doors_are_refused(small_room: ShoeBoxRoom, change: dict[str, float], match: str) -> None:
    with pytest.raises(RoomtoneError, match=match):
        dataclasses.replace(small_room, **change)  # type: ignore[arg-type]


def test_a_door_lets_no_room_ring_longer_than_it_allows(small_room: ShoeBoxRoom) -> None:
    room = dataclasses.replace(small_room, coupled_t60_s=5.0, coupled_volume_m3=90.0, door_area_m2=4.0)
    with pytest.raises(RoomtoneError, match=r"coupled_t60_s: 5 s is too long for 90 m3 with a door of 4 m2"):
        draw_parameters(room, RATE, 0, 0)
