"""T30 by octave: what a row says of its response, and what the materials claim, by filters and regressions of other kinds.

Why 5 %: it is the just noticeable difference of ISO 3382-1. An octave in which filters of another steepness read another time has none
that is true to 5 %, and none is said. Filters with vertical edges cannot be used: they ring as 1/t, longer than a room, and read up to
64 % more at 500 Hz in `exam_room`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from roomtone.augment import Condition
from roomtone.augment.rooms.acoustics import octave_decay_s, room_figures
from roomtone.augment.rooms.bank import DIRECT_SAMPLE, RoomBank, RoomEntry, build_bank
from roomtone.augment.rooms.op import ShoeBoxRoom
from roomtone.augment.scenarios.presets import preset_names

RATE = 16000
#: (response, its rate, centre of the octave in Hz) -> s
Measure = Callable[[np.ndarray, int, float], float]


def without_phase(rir: np.ndarray, rate: int, centre_hz: float) -> float:
    """Butterworth's magnitude of order 4 in the spectrum, so half of the ringing comes before; an own straight line from -5 to -35 dB."""
    padded = np.pad(rir, round(0.2 * rate))
    hertz = np.maximum(np.fft.rfftfreq(2 * padded.size, 1 / rate), 1.0)
    gains = 1 / np.sqrt(1 + (2**0.5 * (hertz / centre_hz - centre_hz / hertz)) ** 8)
    band = np.fft.irfft(np.fft.rfft(padded, 2 * padded.size) * gains)[: padded.size]
    left = np.cumsum(band[::-1] ** 2)[::-1]
    level_db = 10 * np.log10(left / left[0] + 1e-30)
    inside = (level_db <= -5) & (level_db >= -35)
    return float(-60 / np.polyfit(np.flatnonzero(inside) / rate, level_db[inside], 1)[0])


def forwards(rir: np.ndarray, rate: int, centre_hz: float) -> float:
    """A recursive filter forwards in time, so all of its ringing comes after; the library's regression."""
    from pyroomacoustics.experimental import measure_rt60

    edges = (centre_hz / 2**0.5, min(centre_hz * 2**0.5, 0.49 * rate))
    sections = signal.butter(3, edges, "bandpass", fs=rate, output="sos")
    return float(measure_rt60(signal.sosfilt(sections, np.pad(rir, (0, round(0.2 * rate)))), rate, decay_db=30))


def backwards(rir: np.ndarray, rate: int, centre_hz: float) -> float:
    """A steeper recursive filter backwards in time, so all of its ringing comes before; the library's regression."""
    from pyroomacoustics.experimental import measure_rt60

    edges = (centre_hz / 2**0.5, min(centre_hz * 2**0.5, 0.49 * rate))
    sections = signal.butter(4, edges, "bandpass", fs=rate, output="sos")
    band = signal.sosfilt(sections, np.pad(rir, (round(0.2 * rate), 0))[::-1])[::-1]
    return float(measure_rt60(band, rate, decay_db=30))


def smooth(rir: np.ndarray, rate: int, centre_hz: float) -> float:
    """No Butterworth: masks that fall as a cosine of power over half an octave of log frequency, -3 dB at the edges, without phase."""
    padded = np.pad(rir, round(0.4 * rate))
    octaves = np.abs(np.log2(np.maximum(np.fft.rfftfreq(2 * padded.size, 1 / rate), 1.0) / centre_hz))
    gains = np.sqrt(0.5 + 0.5 * np.cos(np.pi * np.clip((octaves - 0.5) / 0.5 + 0.5, 0, 1)))
    band = np.fft.irfft(np.fft.rfft(padded, 2 * padded.size) * gains)[: padded.size]
    left = np.cumsum(band[::-1] ** 2)[::-1]
    level_db = 10 * np.log10(left / left[0] + 1e-30)
    inside = (level_db <= -5) & (level_db >= -35)
    return float(-60 / np.polyfit(np.flatnonzero(inside) / rate, level_db[inside], 1)[0])


OTHERS: tuple[Measure, ...] = (without_phase, forwards, backwards, smooth)


def check(entry: RoomEntry, rate: int, *, coupled: bool = False) -> tuple[int, int]:
    """Every octave of a response: the time that is said is measured by the others, and is the one claimed. Returns how many are told, of how many."""
    rir, claimed = np.asarray(entry.speech, dtype=float), dict(map(tuple, entry.parameters["t60_octaves_s"]))
    assert [centre for centre, _ in entry.t30_octaves_s] == list(claimed)
    assert {500.0, 1000.0, 2000.0} <= set(claimed)
    said = {centre: time_s for centre, time_s in entry.t30_octaves_s if time_s is not None}
    for other in OTHERS:
        found = np.array([other(rir, rate, centre) for centre in said])
        assert (abs(found / list(said.values()) - 1) < 0.05).all(), (other.__name__, found, said)
        if not coupled:
            wanted = np.array([claimed[centre] for centre in said])
            assert (abs(found / wanted - 1) < 0.05).all(), (other.__name__, found, claimed)
    if not coupled:
        assert np.mean([claimed[500.0], claimed[1000.0]]) == pytest.approx(entry.t60_s, rel=0.001)
    return len(said), len(claimed)


def test_a_decay_begins_with_all_energy_of_its_band() -> None:
    """The filter runs backwards, so the direct sound rings before its time. While the decay was read from there on, a bend after a strong direct
    sound moved through the range from -5 to -35 dB, and the times of packaged rooms were up to 11 % from those of other filters."""
    rng, times = np.random.default_rng(2), np.arange(8000) / RATE
    tail = rng.standard_normal(8000) * (10 ** (-60 / 20 * times / 0.25) + 0.05 * 10 ** (-60 / 20 * times / 0.6))
    rir = np.concatenate([np.zeros(DIRECT_SAMPLE), [1.3 * np.sqrt((tail**2).sum())], np.zeros(60), tail])
    for centre in (250.0, 500.0, 1000.0, 2000.0):
        said = octave_decay_s(rir, RATE, DIRECT_SAMPLE, centre)
        assert [other(rir, RATE, centre) for other in OTHERS] == pytest.approx([said] * len(OTHERS), rel=0.02)


def quick_octave(share_db: float) -> np.ndarray:
    """Noise that decays in about 0.17 s in the octave of 2 kHz, and in 0.35 s in that of 1 kHz, which has so much more level."""
    rng, times = np.random.default_rng(4), np.arange(RATE) / RATE
    parts = []
    for centre, t60_s in ((1000.0, 0.35), (2000.0, 0.17)):
        sections = signal.butter(12, (centre / 2**0.5, centre * 2**0.5), "bandpass", fs=RATE, output="sos")
        noise = signal.sosfilt(sections, rng.standard_normal(times.size + 4000))[4000:]
        parts.append(noise * 10 ** (-60 / 20 * times / t60_s))
    return np.concatenate([np.zeros(DIRECT_SAMPLE), 10 ** (share_db / 20) * parts[0] + parts[1]])


def test_an_octave_that_ends_in_its_neighbour_is_not_told() -> None:
    """In `small_room` at 44.1 kHz three quarters of what an octave filter of order 3 passed at 2 kHz between -25 and -35 dB were of the octaves below,
    which decay later: 0.195 s was said, 0.185 s read by order 4 and 0.175 s by order 6. Here the neighbour's share is known."""
    for share_db, told in ((-40.0, True), (-20.0, True), (0.0, False)):
        rir = quick_octave(share_db)
        _, octaves = room_figures(rir, RATE, DIRECT_SAMPLE, (500.0, 1000.0, 2000.0))
        others = np.array([other(rir, RATE, 2000.0) for other in OTHERS])
        if told:
            assert octaves[2000.0] == pytest.approx(0.1755, rel=0.02)  # by itself
            assert others == pytest.approx(octaves[2000.0], rel=0.02)
        else:
            assert np.isnan(octaves[2000.0])
            assert np.ptp(others) > 0.04 * others.min()
            assert octaves[1000.0] == pytest.approx(0.35, rel=0.1)


def test_a_row_says_which_octaves_it_cannot_tell() -> None:
    """The response of `small_room` at 8 kHz of which 0.191 s was said in the octave of 2 kHz; other filters read 0.170 to 0.191 s."""
    clean = np.random.default_rng(0).standard_normal(16000).astype(np.float32) * np.float32(0.05)
    clean[:4000] *= np.float32(0.001)
    condition, rows = Condition(room="small_room"), []
    for key in range(12):
        said = condition.render(clean, 8000, key=key).measured
        octaves = json.loads(said["measured_t30_octaves"])
        reason = json.loads(said["unmeasured"] or "{}").get("measured_t30_octaves")
        untold = [centre for centre, t30_s in octaves.items() if t30_s is None]
        assert untold == ([] if reason is None else reason.partition(" Hz: octave filters")[0].split(", "))
        assert said["measured_t30_s"] is not None
        rows.append(untold)
    assert ["2000"] in rows
    assert [] in rows


def test_a_dry_room_holds_its_octaves(small_room: ShoeBoxRoom, tmp_path: Path) -> None:
    materials = (("carpet_thin", "floor"), ("ceiling_fissured_tile", "ceiling"), ("plasterboard", "walls"))
    for entry in build_bank(dataclasses.replace(small_room, materials=materials), RATE, cache_dir=tmp_path):
        check(entry, RATE)


@pytest.mark.slow
@pytest.mark.parametrize("name", preset_names("room"))
def test_octave_times_are_those_said_and_those_claimed(
    name: str, banks: dict[str, RoomBank], rooms: dict[str, ShoeBoxRoom]
) -> None:
    """Each octave of each response of each room, 125 Hz included; in coupled rooms the claim is that of the first room by itself."""
    if rooms[name].materials:
        counts = [check(entry, RATE, coupled=rooms[name].coupled_t60_s is not None) for entry in banks[name]]
        told, claimed = np.sum(counts, axis=0)
        assert told >= 0.9 * claimed


@pytest.mark.slow
@pytest.mark.parametrize("rate", [8000, 48000])
@pytest.mark.parametrize("name", ["car_cabin", "office"])
def test_octave_times_hold_at_other_rates(
    name: str, rate: int, rooms: dict[str, ShoeBoxRoom], two_workers: Executor
) -> None:
    """The rooms with the shortest decays, whose bands have the fewest modes; at 8 kHz the rate cuts the octave of 4 kHz."""
    for entry in build_bank(rooms[name], rate, executor=two_workers):
        check(entry, rate)
