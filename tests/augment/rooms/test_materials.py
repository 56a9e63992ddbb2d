"""Materials set the shape over octaves: against Eyring's formula by hand, and the loss in air against a table of the standard."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np
import pytest

from roomtone.augment.rooms.bands import ALL_CENTRES_HZ
from roomtone.augment.rooms.bank import DIRECT_SAMPLE
from roomtone.augment.rooms.materials import absorption_table, air_loss_per_m, band_times_s
from roomtone.augment.rooms.op import ShoeBoxRoom
from roomtone.augment.rooms.shoebox import draw_parameters, responses
from roomtone.core.errors import RoomtoneError

BRICK = (("brickwork", "floor"), ("brickwork", "ceiling"), ("brickwork", "walls"))
AIR = {"temperature_c": 20.0, "humidity_percent": 50.0}


def test_the_table_is_the_library_s() -> None:
    import pyroomacoustics as pra

    assert len(absorption_table()) == len(pra.materials_absorption_table)
    for name, row in absorption_table().items():
        coefficients = pra.materials_absorption_table[name]["coeffs"]
        assert row[: len(coefficients)] == tuple(coefficients)
        assert set(row[len(coefficients) :]) == {coefficients[-1]}


@pytest.mark.parametrize(
    ("temperature_c", "humidity_percent", "db_per_km"),
    [
        (10.0, 70.0, (0.4, 1.0, 1.9, 3.7, 9.7, 32.8, 117.0)),
        (20.0, 70.0, (0.3, 1.1, 2.8, 5.0, 9.0, 22.9, 76.6)),
        (15.0, 20.0, (0.6, 1.2, 2.7, 8.2, 28.2, 88.8, 202.0)),
    ],
)
def test_air_takes_what_the_standard_says(
    temperature_c: float, humidity_percent: float, db_per_km: tuple[float, ...]
) -> None:
    """ISO 9613-2, table 2 (as recalled): octaves from 125 Hz to 8 kHz. It rounds to 0.1 dB, and its centres are exact powers."""
    for centre, expected in zip(ALL_CENTRES_HZ, db_per_km):
        found = 10 * math.log10(math.e) * 1000 * air_loss_per_m(centre, temperature_c, humidity_percent)
        assert found == pytest.approx(expected, rel=0.02, abs=0.06)


def test_times_by_hand() -> None:
    """A cube without air: T goes as 1 / -ln(1 - a). Steps down of more than a fifth are rounded off, as of bricks (0.01 to 0.04)."""
    bricks = band_times_s(BRICK, (3.0, 3.0, 3.0), 1.0, **AIR, air_absorption=False)
    assert (bricks[2] + bricks[3]) / 2 == pytest.approx(1.0)
    assert [bricks[0] / bricks[1], bricks[1] / bricks[2], bricks[2] / bricks[3]] == pytest.approx([1.2, 1.2, 1.2])
    mixed = band_times_s((("wood_16mm", "floor"), *BRICK[1:]), (3.0, 3.0, 3.0), 1.0, **AIR, air_absorption=False)
    absorbed = [-math.log(1 - (one + 5 * other) / 6) for one, other in ((0.18, 0.01), (0.12, 0.02), (0.10, 0.02))]
    assert mixed[0] / mixed[1] == pytest.approx(absorbed[1] / absorbed[0])
    assert mixed[1] / mixed[2] == pytest.approx(absorbed[2] / absorbed[1])


def test_a_room_of_48_khz_has_the_octave_of_16_khz(
    small_room: ShoeBoxRoom, schroeder_t30: Callable[[np.ndarray, int, int], float]
) -> None:
    """Air alone shortens it against 8 kHz, where the walls take as much."""
    room = dataclasses.replace(small_room, materials=BRICK, t60_s=0.5, dimensions_m=(5.0, 4.0, 2.6))
    drawn = draw_parameters(room, 48000, 0, 0)
    claimed = dict(drawn["t60_octaves_s"])
    assert list(claimed) == list(ALL_CENTRES_HZ)
    assert claimed[16000.0] < 0.9 * claimed[8000.0]
    rir = responses(drawn, 48000, ("talker",))[0].astype(float)
    spectrum, hertz = np.fft.rfft(rir, 2 * rir.size), np.fft.rfftfreq(2 * rir.size, 1 / 48000)
    for centre in (4000.0, 8000.0, 16000.0):
        inside = np.abs(np.log2(np.maximum(hertz, 1) / centre)) < 0.5
        band = np.fft.irfft(spectrum * inside)[: rir.size]
        assert schroeder_t30(band, 48000, DIRECT_SAMPLE) == pytest.approx(claimed[centre], rel=0.05)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"materials": (*BRICK, ("brickwrok", 2.0))}, "unknown material 'brickwrok'; did you mean 'brickwork'"),
        ({"materials": BRICK[:1]}, r"none is named for ceiling and walls; add \[MATERIAL, ceiling\]"),
        ({"materials": (*BRICK, ("brickwork", -2.0))}, "square metres"),
        ({"materials": BRICK, "t60_bands_s": ((500.0, 0.3),)}, "not both"),
    ],
)
def test_impossible_materials_are_refused(small_room: ShoeBoxRoom, change: dict[str, object], match: str) -> None:
    with pytest.raises(RoomtoneError, match=match):
        dataclasses.replace(small_room, **change)  # type: ignore[arg-type]
