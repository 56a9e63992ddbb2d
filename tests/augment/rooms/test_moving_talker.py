"""A talker who walks: arrival and level of the direct sound at both ends, its Doppler shift, and what the row says, by other code."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from roomtone.augment.condition import Condition
from roomtone.augment.recordings.fetcher import Fetcher
from roomtone.augment.rendering.mixing import prepare
from roomtone.augment.rendering.recipe import Recipe
from roomtone.augment.rendering.render import Render, render
from roomtone.augment.rooms.bank import DIRECT_SAMPLE, RoomEntry, build_bank, rebuild_entry
from roomtone.augment.rooms.op import ShoeBoxRoom
from roomtone.augment.rooms.talker.moving import walk
from roomtone.augment.scenarios.presets import load_preset, parse_preset
from roomtone.core.errors import RoomtoneError

RATE = 16000
#: Half a second standing, 3 m in 2 s along a line that passes the microphone, then standing.
PATH = ((0.0, 0.8, 1.0), (0.5, 0.8, 1.0), (2.5, 3.2, 2.8))
ROOM = ShoeBoxRoom((4.0, 4.0, 2.6), 0.3, 1.0, path=PATH, realisations=1, noise_directions=3)


@pytest.fixture(scope="module")
def entry(tmp_path_factory: pytest.TempPathFactory) -> RoomEntry:
    return build_bank(ROOM, RATE, cache_dir=tmp_path_factory.mktemp("bank")).entry(0)


def distance_m(entry: RoomEntry, x: float, y: float) -> float:
    return math.dist((x, y, entry.parameters["talker_m"][2]), entry.parameters["microphone_m"])


def heard(entry: RoomEntry, samples: np.ndarray) -> np.ndarray:
    assert entry.path is not None
    return walk(samples.astype(np.float32), entry.path, entry.path_responses, RATE)


def peak(samples: np.ndarray) -> tuple[float, float]:
    """Place and height of the largest sample between the samples, by padding the spectrum with zeros (32 times the rate)."""
    fine = signal.resample(samples, 32 * samples.size)
    place = int(np.argmax(np.abs(fine)))
    return place / 32, float(fine[place])


def test_arrival_and_level_of_the_direct_sound_at_both_ends(entry: RoomEntry) -> None:
    """Clicks of 4 kHz bandwidth, cut before the first reflection. 344.02 m/s at 20 degrees and 50 % (331.4 + 0.6 T + 0.0124 h)."""
    clicks = np.zeros(4 * RATE)
    for place in (0.2, 3.0):
        clicks[round(place * RATE)] = 1.0
    sharp = signal.firwin(63, 4000, fs=RATE)
    clicks = signal.oaconvolve(clicks, sharp, mode="same")
    direct_only = dataclasses.replace(entry, along_path=np.zeros_like(entry.along_path))
    alone = heard(direct_only, clicks)
    distances = [distance_m(entry, *point[1:]) for point in (PATH[0], PATH[-1])]
    for found_in, cut, tolerance in ((alone, 40, 0.01), (heard(entry, clicks), 8, 0.08)):
        ends = []
        for place in (0.2, 3.0):
            middle = round(place * RATE)
            late = round((distances[1] - distances[0]) / 344.02 * RATE) if place == 3.0 else 0
            start = middle + late - cut
            where, height = peak(np.asarray(found_in[start : start + 2 * cut + 1], dtype=float))
            ends.append((start + where - middle, height))
        assert ends[0][0] == pytest.approx(0.0, abs=0.15)
        assert ends[1][0] == pytest.approx((distances[1] - distances[0]) / 344.02 * RATE, abs=0.15)
        assert ends[1][1] / ends[0][1] == pytest.approx(distances[0] / distances[1], rel=tolerance)


def test_pitch_follows_the_walk(entry: RoomEntry) -> None:
    """A tone of 1 kHz, its frequency read from the phase of the analytic signal over a quarter of a second of the walk."""
    direct_only = dataclasses.replace(entry, along_path=np.zeros_like(entry.along_path))
    found = heard(direct_only, np.sin(2 * np.pi * 1000 * np.arange(4 * RATE) / RATE))
    phase = np.unwrap(np.angle(signal.hilbert(found)))
    for begin_s in (0.1, 0.8, 2.0, 3.2):
        inside = slice(round(begin_s * RATE), round((begin_s + 0.25) * RATE))
        hertz = np.polyfit(np.arange(inside.stop - inside.start) / RATE, phase[inside], 1)[0] / (2 * np.pi)
        ends = []
        for time_s in (begin_s, begin_s + 0.25):
            share = min(max((time_s - 0.5) / 2.0, 0.0), 1.0)
            ends.append(distance_m(entry, 0.8 + 2.4 * share, 1.0 + 1.8 * share))
        speed = (ends[1] - ends[0]) / 0.25
        assert hertz == pytest.approx(1000 / (1 + speed / 344.02), abs=0.15)


def test_who_stands_is_heard_through_one_response(entry: RoomEntry) -> None:
    """Before the walk it is the plain convolution with the talker's response; the places on the way are at most half a metre apart."""
    noise = np.random.default_rng(1).standard_normal(round(0.45 * RATE))
    expected = signal.oaconvolve(noise, entry.speech)[DIRECT_SAMPLE:][: noise.size]
    found = heard(entry, noise)
    assert np.abs(found - expected).max() < 2e-3 * np.abs(expected).max()
    assert len(entry.along_path) == 1 + 6
    late = np.zeros(5 * RATE)
    late[4 * RATE] = 1.0
    tail = heard(entry, late)[4 * RATE + 200 :].astype(float)
    assert np.sum(tail**2) == pytest.approx(np.sum(entry.along_path[-1][DIRECT_SAMPLE:].astype(float) ** 2), rel=0.35)


def test_energy_does_not_dip_between_two_places(entry: RoomEntry) -> None:
    """White noise on a walk without the direct sound: in blocks of 100 ms its level moves smoothly. Gains that add up to one would lose 3 dB."""
    assert entry.path is not None
    np.testing.assert_allclose((entry.path.weights(np.linspace(0, 4, 997)) ** 2).sum(axis=0), 1.0)
    noise = np.random.default_rng(2).standard_normal(3 * RATE).astype(np.float32)
    moved, direct = heard(entry, noise), heard(dataclasses.replace(entry, along_path=0 * entry.along_path), noise)
    around = (moved - direct)[round(0.5 * RATE) : round(2.5 * RATE)].astype(float)
    level_db = 10 * np.log10((around.reshape(20, -1) ** 2).mean(axis=1))
    line = np.polyval(np.polyfit(np.arange(20), level_db, 2), np.arange(20))
    assert np.abs(level_db - line).max() < 2.0


def test_a_row_says_both_ends_and_no_single_delay(tmp_path: Path) -> None:
    speech = np.random.default_rng(4).standard_normal(3 * RATE).astype(np.float32)
    speech *= np.repeat(np.random.default_rng(5).random(30) > 0.3, RATE // 10)
    folder = tmp_path / "room"
    folder.mkdir()
    room = {"description": "d", "source": "s", "op": "shoebox", "dimensions_m": [4.0, 4.0, 2.6], "t60_s": 0.3}
    room |= {"talker_distance_m": 1.0, "path": [list(point) for point in PATH], "realisations": 1}
    (folder / "hall.yaml").write_text(json.dumps(room))
    condition = Condition("hall+pink@5dB", config_dir=tmp_path, cache_dir=str(tmp_path / "bank"))
    made = condition.render(speech, RATE, key="a")
    said, ends = made.measured, json.loads(made.measured["measured_path_ends"])
    assert said["delay_samples"] is said["measured_delay_samples"] is None
    assert "time_map" in json.loads(said["unmeasured"])["delay_samples"]
    assert said["measured_snr_db"] == pytest.approx(5.0, abs=0.1)
    for column in ("measured_t30_s", "measured_t30_octaves", "measured_c50_db", "measured_drr_db"):  # said the start's
        assert said[column] is None
        assert "measured_path_ends" in json.loads(said["unmeasured"])[column]
    recipe = condition.recipe(speech.size, RATE, key="a")
    again = rebuild_entry(json.loads(json.dumps(recipe.room)), RATE)
    whole = json.loads(said["time_map"])
    late_s = (distance_m(again, *PATH[-1][1:]) - distance_m(again, *PATH[0][1:])) / 344.02
    assert whole[0] == [0.0, 0.0]
    assert whole[-1] == pytest.approx([3.0, 3.0 + late_s], abs=1e-5)
    assert ends["end"]["distance_m"] == pytest.approx(distance_m(again, *PATH[-1][1:]), abs=1e-3)
    assert ends["end"]["drr_db"] < ends["start"]["drr_db"] - 3.0
    for end, response in zip(ends.values(), _both(again)):
        assert [end["t30_s"], end["c50_db"], end["drr_db"]] == pytest.approx(
            list(_by_hand(response)), rel=0.02, abs=0.15
        )
        assert "t30_octaves" not in end  # the walls are grey
    # All speech from the start, by another convolution, against the noise as it was summed; noise and silence as ITU-T P.56 would count them.
    clean = prepare(speech, RATE)
    twice = [signal.oaconvolve(clean.samples, response)[DIRECT_SAMPLE:][: speech.size] for response in _both(again)]
    ratio_db = 10 * np.log10(np.mean(twice[0] ** 2) / np.mean(twice[1] ** 2))
    assert ends["start"]["snr_db"] - ends["end"]["snr_db"] == pytest.approx(ratio_db, abs=0.3)
    same = _render(recipe, speech, again)
    np.testing.assert_array_equal(same.pcm, made.pcm)
    assert {key: value for key, value in same.measured.items() if value != made.measured[key]} == {}


def _both(entry: RoomEntry) -> tuple[np.ndarray, np.ndarray]:
    """The response at the start, and at the end: the last one along the path with its direct sound added."""
    last = entry.along_path[-1].astype(float)
    last[DIRECT_SAMPLE] += distance_m(entry, *PATH[0][1:]) / distance_m(entry, *PATH[-1][1:])
    return entry.speech.astype(float), last


def _by_hand(response: np.ndarray) -> tuple[float, float, float]:
    """T30 by an own straight line from -5 to -35 dB, C50 and DRR of sums."""
    energy = response[DIRECT_SAMPLE:].astype(float) ** 2
    left = energy[::-1].cumsum()[::-1]
    level_db = 10 * np.log10(left / left[0] + 1e-30)
    inside = np.flatnonzero((level_db <= -5) & (level_db >= -35))
    early, direct = round(0.05 * RATE), round(0.0025 * RATE) + 1
    before = (response[:DIRECT_SAMPLE].astype(float) ** 2).sum()
    ratios = [(before + left[0] - left[border]) / left[border] for border in (early, direct)]
    return -60 / np.polyfit(inside / RATE, level_db[inside], 1)[0], *(10 * np.log10(ratios))


def test_a_walk_in_a_room_of_materials_says_its_octaves_at_both_ends(tmp_path: Path) -> None:
    """An outside auditor said everything after the walk: C50 and DRR of the row were 3 and 6 dB off. T30 of the end is another, too."""
    folder = tmp_path / "room"
    folder.mkdir()
    room = {"description": "d", "source": "s", "op": "shoebox", "dimensions_m": [4.0, 4.0, 2.6], "t60_s": 0.4}
    room |= {"talker_distance_m": 0.6, "path": [list(point) for point in PATH], "realisations": 1}
    room |= {"materials": [["carpet_thin", "floor"], ["ceiling_fissured_tile", "ceiling"], ["plasterboard", "walls"]]}
    (folder / "hall.yaml").write_text(json.dumps(room))
    condition = Condition("hall", config_dir=tmp_path, cache_dir=str(tmp_path / "bank"))
    speech = np.zeros(5 * RATE, dtype=np.float32)
    speech[3 * RATE : 4 * RATE] = np.random.default_rng(4).standard_normal(RATE)
    made = condition.render(speech, RATE, key="a")
    ends = json.loads(made.measured["measured_path_ends"])
    for end in ends.values():
        assert {"125", "250", "500", "1000", "2000", "4000"} <= set(end["t30_octaves"])
        mid = [end["t30_octaves"]["500"], end["t30_octaves"]["1000"]]
        assert end["t30_s"] == pytest.approx(np.mean(mid), abs=0.001)
    assert ends["start"]["t30_s"] == pytest.approx(0.4, rel=0.02)
    # What is heard of speech after the walk, by deconvolving it with what was said.
    spectrum, heard = (
        np.fft.rfft(np.asarray(s, float), 2 * speech.size) for s in (made.stems.clean, made.stems.speech)
    )
    power = np.abs(spectrum) ** 2
    response = np.fft.irfft(heard * spectrum.conj() / (power + 1e-6 * power.max()))
    late = round(
        (ends["end"]["distance_m"] - ends["start"]["distance_m"]) / 344.02 * RATE
    )  # the largest reflection is larger
    _, c50_db, drr_db = _by_hand(np.roll(response, DIRECT_SAMPLE - late)[: RATE // 2])
    assert drr_db == pytest.approx(ends["end"]["drr_db"], abs=0.5)
    assert c50_db == pytest.approx(ends["end"]["c50_db"], abs=0.3)
    assert drr_db < ends["start"]["drr_db"] - 3.0
    assert c50_db < ends["start"]["c50_db"] - 3.0


def _render(recipe: Recipe, speech: np.ndarray, entry: RoomEntry) -> Render:
    return render(Recipe.from_json(recipe.to_json()), prepare(speech, RATE), Fetcher({}, RATE), entry)


@pytest.mark.parametrize(
    ("path", "match"),
    [
        (((0.0, 1.0, 1.0),), "expected two points or more"),
        (((0.5, 1.0, 1.0), (2.0, 2.0, 2.0)), "the first at time 0"),
        (((0.0, 1.0, 1.0), (2.0, 2.0, 2.0), (2.0, 3.0, 3.0)), "times must ascend; 2 s follows 2 s"),
        (((0.0, 1.0, 1.0), (2.0, 5.0, 1.0)), "path, x: expected 0.1 to 3.9"),
        (((0.0, 1.0, 1.0), (0.1, 3.0, 1.0)), r"path, speed: expected 0 to 8 .*is the time in seconds\?"),
    ],
)
def test_paths_that_nobody_walks_are_refused(path: tuple[tuple[float, float, float], ...], match: str) -> None:
    with pytest.raises(RoomtoneError, match=match):
        dataclasses.replace(ROOM, path=path)


def test_the_packaged_walk_begins_at_its_distance_and_fits() -> None:
    room = parse_preset("room", "ward_walk", load_preset("room", "ward_walk"))
    assert isinstance(room, ShoeBoxRoom)
    assert math.dist(room.path[1][1:], room.path[-1][1:]) == pytest.approx(4.5, abs=0.02)  # at 1 m/s
    with pytest.raises(RoomtoneError, match="path or talker_facing_deg, not both"):
        dataclasses.replace(room, talker_facing_deg=180.0)
