"""Every packaged room keeps its promise: the T60 of its label, falling ratios with distance, one place for the direct sound."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from concurrent.futures import Executor

import numpy as np
import pytest

from roomtone.augment.rooms.acoustics import measure_response, octave_t30_s
from roomtone.augment.rooms.bank import DIRECT_SAMPLE, RoomBank
from roomtone.augment.rooms.op import ShoeBoxRoom, low_high
from roomtone.augment.rooms.shoebox import draw_parameters, responses
from roomtone.augment.rooms.simulate import speed_of_sound
from roomtone.augment.scenarios.presets import packaged_dir, preset_names
from roomtone.core.errors import RoomtoneError

RATE = 16000
NAMES = preset_names("room")
ASKED = {
    *(
        "patient_room",
        "ward",
        "imaging_suite",
        "imaging_control_room",
        "corridor",
        "exam_room",
        "office",
        "meeting_room",
    ),
    *("lecture_room", "kitchen", "car_cabin", "bathroom", "small_room", "medium_room", "large_room"),
}

pytestmark = pytest.mark.slow  # the banks of all presets: about a minute on two cores


def test_no_room_is_missing() -> None:
    assert set(NAMES) >= ASKED


def octave(rir: np.ndarray, centre_hz: float) -> np.ndarray:
    """One octave of a response by a filter of zero phase, written apart from those of the calibration (Butterworth's magnitude of order 4)."""
    size = 2 * rir.size
    frequencies = np.maximum(np.fft.rfftfreq(size, 1 / RATE), 1.0)
    gains = 1 / np.sqrt(1 + (2**0.5 * (frequencies / centre_hz - centre_hz / frequencies)) ** 8)
    return np.fft.irfft(np.fft.rfft(rir, size) * gains)[: rir.size]


T30 = Callable[[np.ndarray, int, int], float]


@pytest.mark.parametrize("name", NAMES)
def test_measured_reverberation_is_the_preset_s(
    name: str, banks: dict[str, RoomBank], rooms: dict[str, ShoeBoxRoom], schroeder_t30: T30
) -> None:
    """5 % is the just noticeable difference of ISO 3382-1; calibration leaves 1 %, another filter's shape as much again."""
    if rooms[name].coupled_t60_s is not None:
        return  # has two slopes, see test_coupled.py
    target = sum(low_high(rooms[name].t60_s)) / 2
    found = []
    for entry in banks[name]:
        rir = np.asarray(entry.speech, dtype=float)
        bands = [octave(rir, centre) for centre in (500.0, 1000.0)] if rooms[name].materials else [rir]
        found.append(np.mean([schroeder_t30(band, RATE, DIRECT_SAMPLE) for band in bands]))
    assert np.median(found) == pytest.approx(target, rel=0.02)
    assert [entry.t60_s for entry in banks[name]] == pytest.approx([entry.t30_s for entry in banks[name]], rel=0.01)
    assert found == pytest.approx([entry.t60_s for entry in banks[name]], rel=0.05)


@pytest.mark.parametrize("name", NAMES)
def test_direct_sound_stands_at_its_sample(
    name: str, banks: dict[str, RoomBank], rooms: dict[str, ShoeBoxRoom]
) -> None:
    op = rooms[name]
    assert len(banks[name]) == op.realisations
    for entry in banks[name]:
        assert entry.speech.dtype == np.float32
        assert entry.speech[DIRECT_SAMPLE] == 1.0
        if op.talker_facing_deg is None:  # of a turned talker a wall may be louder, and the direct sound is dull
            assert np.abs(entry.speech).argmax() == DIRECT_SAMPLE
            assert np.abs(entry.speech[:DIRECT_SAMPLE]).max() < 0.05  # ripple of a reflection right behind it, in a car
            assert np.abs(entry.speech[DIRECT_SAMPLE + 2 :]).max() < 0.8  # placings are drawn until it stands out
        for rir, place in ((entry.noise, op.noise_distance_m), (entry.equipment, op.equipment_distance_m)):
            assert rir.shape == entry.speech.shape
            assert np.isfinite(rir).all()
            around = np.abs(rir[DIRECT_SAMPLE - 3 : DIRECT_SAMPLE + 4])
            if place != "diffuse":
                assert around.argmax() == 3
        assert not np.array_equal(entry.speech, entry.noise)
        assert not np.array_equal(entry.noise, entry.equipment)


@pytest.mark.parametrize("name", NAMES)
def test_everything_stands_in_the_room_at_its_distance(
    name: str, banks: dict[str, RoomBank], rooms: dict[str, ShoeBoxRoom]
) -> None:
    for entry in banks[name]:
        parameters = entry.parameters
        for key in ("microphone_m", "talker_m", "noise_m", "equipment_m"):
            assert all(0 < x < size for x, size in zip(parameters[key], entry.dimensions_m or ()))
        low, high = low_high(rooms[name].talker_distance_m)
        distance = math.dist(parameters["microphone_m"], parameters["talker_m"])
        assert distance == pytest.approx(entry.talker_distance_m, rel=1e-9)
        assert low - 0.011 <= distance <= high + 0.011  # rounded to whole samples of 21 mm
        samples = distance / speed_of_sound(20.0, 50.0) * RATE
        assert samples == pytest.approx(round(samples), abs=1e-6)
    low, high = low_high(rooms[name].talker_distance_m)
    near = sum((entry.talker_distance_m or 0.0) < (low + high) / 2 for entry in banks[name])
    half = len(banks[name]) / 2
    assert low == high or half - 1 <= near <= half + 1  # near and far talkers alike


def _talker_ratios(talker: np.ndarray) -> tuple[float, float]:
    found = measure_response(talker, RATE, DIRECT_SAMPLE)
    return found.c50_db, found.drr_db


@pytest.mark.parametrize("name", NAMES)
def test_clarity_and_direct_sound_fall_with_distance(
    name: str, rooms: dict[str, ShoeBoxRoom], two_workers: Executor
) -> None:
    """0.5, 1, 2, 4 m, as far as the room goes: DRR by up to 6 dB a doubling, C50 by less once the room prevails.

    Three of the placings, and their median. Rooms that are another's with one thing changed are left to their own tests."""
    op = rooms[name]
    if op.path or op.coupled_t60_s is not None or op.talker_facing_deg is not None:
        return
    medians = []
    for distance in (0.5, 1.0, 2.0, 4.0):
        if distance > 0.625 * math.hypot(*(low_high(size)[0] for size in op.dimensions_m[:2])):
            with pytest.raises(RoomtoneError, match="talker_distance_m: expected"):
                dataclasses.replace(op, talker_distance_m=distance)
            break
        moved = dataclasses.replace(op, talker_distance_m=distance)
        drawn = [draw_parameters(moved, RATE, 0, index) for index in range(0, op.realisations, 3)]
        found = [two_workers.submit(responses, parameters, RATE, sources=("talker",)) for parameters in drawn]
        medians.append(np.median([_talker_ratios(future.result()[0]) for future in found], axis=0))
    assert len(medians) >= 2
    steps = np.diff(medians, axis=0)
    assert (steps < 0).all(), medians
    assert (steps[:, 1] > -7.5).all(), medians  # 6.02 dB of spreading, and the scatter of 3 placings


def test_octave_times_follow_the_preset(banks: dict[str, RoomBank], rooms: dict[str, ShoeBoxRoom]) -> None:
    """Measured by Butterworth octaves, not by the masks of the calibration. A single band in a single response scatters by 5 to
    10 % (few modes), so the median of the bank is held to 10 %."""
    shaped = {name: op for name, op in rooms.items() if op.t60_bands_s}
    assert shaped
    for name, op in shaped.items():
        found = [octave_t30_s(entry.speech, RATE, DIRECT_SAMPLE) for entry in banks[name]]
        for centre, t60_s in op.t60_bands_s:
            assert np.median([bands[centre] for bands in found]) == pytest.approx(t60_s, rel=0.1), (name, centre)


@pytest.mark.parametrize("name", NAMES)
def test_every_key_names_its_source(name: str) -> None:
    text = (packaged_dir() / "room" / f"{name}.yaml").read_text()
    lines = text.splitlines()
    assert lines[0].startswith("# ")
    assert any(line.startswith("description: ") for line in lines)
    assert any(line.startswith("source: ") for line in lines)
    sure = ("estimate", "recalled", "measured", "read", "computed", "G.191", "abstract")
    for line in lines[4:]:
        if line.startswith("  - "):
            continue
        comment = line.partition("  # ")[2]
        assert comment, line
        assert any(word in comment for word in sure), line
