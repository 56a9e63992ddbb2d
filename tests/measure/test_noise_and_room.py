"""Noise and rooms measured back."""

import numpy as np
import pytest

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.scenarios.presets import load_preset, parse_preset
from roomtone.core.errors import RoomtoneError
from roomtone.measure.noise import measure_noise, noise_op, third_octaves
from roomtone.measure.room import measure_room, room_op

RATE = 16000
COUNT = 30 * RATE


def rendered(mapping, seed, count=COUNT):
    op = parse_preset("noise", "test", mapping).draw(np.random.default_rng(seed), DrawContext(count, RATE))
    return op.render(count, RATE, None).astype(np.float64)


@pytest.mark.parametrize("preset", ["hvac", "pink", "speech_shaped", "traffic", "rain", "white"])
def test_rerendered_noise_has_the_recording_s_spectrum(preset):
    recording = rendered(load_preset("noise", preset), 1)
    again = rendered(noise_op(measure_noise(recording, RATE)), 2)
    wanted, got = dict(third_octaves(recording, RATE)), dict(third_octaves(again, RATE))
    inside = [hz for hz in wanted if 99 < hz < 6400]
    off = np.array([got[hz] - wanted[hz] for hz in inside])
    assert np.abs(off - np.median(off)).max() < 1.5  # the level itself is set by an SNR


def test_third_octaves_of_white_noise_follow_the_bandwidth():
    bands = third_octaves(np.random.default_rng(0).standard_normal(COUNT), RATE)
    for hz, level in bands:
        expected = 10 * np.log10(hz * (2 ** (1 / 6) - 2 ** (-1 / 6)) / (RATE / 2))
        spread = 4.34 / np.sqrt(hz * 0.2316 * COUNT / RATE)  # of a chi-square with 2BT degrees of freedom
        assert level == pytest.approx(expected, abs=5 * spread + 0.1)


def test_level_distribution_of_a_noise_that_stops_and_goes():
    noise = 0.1 * np.random.default_rng(0).standard_normal(COUNT)
    noise[COUNT // 2 :] *= 0.01
    found = measure_noise(noise, RATE)
    assert found.l10_db == pytest.approx(-20, abs=0.5)
    assert found.l90_db == pytest.approx(-60, abs=0.5)
    assert not found.steady


def test_modulation_depth_is_measured():
    time = np.arange(COUNT) / RATE
    noise = (1 + 0.5 * np.cos(2 * np.pi * 4 * time)) * np.random.default_rng(0).standard_normal(COUNT)
    found = measure_noise(noise, RATE).modulation
    assert found[4.0] == pytest.approx(0.5, abs=0.05)
    assert found[1.0] < 0.1


@pytest.mark.parametrize("modulation", [[[0.5, 0.5]], [[4.0, 0.5]], [[1.0, 1.0]], [[0.25, 0.4], [2.0, 0.4]]])
def test_rerendered_noise_moves_as_the_recording_did(modulation):
    """Two minutes hold some forty swings at 0.25 Hz: each depth is known to about 15 %, and two measurements differ by more."""
    made = {"op": "shaped_noise", "spectrum": [[100.0, 0.0], [6300.0, -15.0]], "modulation": modulation}
    first = measure_noise(rendered(made, 1, 4 * COUNT), RATE)
    again = measure_noise(rendered(noise_op(first), 2, 4 * COUNT), RATE)
    for rate_hz, depth in modulation:
        assert first.modulation[rate_hz] == pytest.approx(depth, rel=0.25)
        assert again.modulation[rate_hz] == pytest.approx(first.modulation[rate_hz], rel=0.35)
    assert again.l10_db - again.l90_db == pytest.approx(first.l10_db - first.l90_db, abs=2.0)


def test_a_steady_noise_is_given_no_modulation():
    assert "modulation" not in noise_op(measure_noise(rendered(load_preset("noise", "pink"), 1), RATE))


def clap(response, range_db, seed=0):
    """A burst of 3 ms in a room, the noise `range_db` below the first 20 ms of it."""
    from scipy.signal import fftconvolve

    rng = np.random.default_rng(seed)
    burst = rng.standard_normal(48) * np.hanning(48)
    sound = np.zeros(5 * RATE)
    heard = fftconvolve(burst, response)[: 3 * RATE]
    sound[RATE : RATE + heard.size] += heard
    top = np.convolve(heard**2, np.full(320, 1 / 320)).max()
    return sound + rng.standard_normal(sound.size) * np.sqrt(top * 10 ** (-range_db / 10))


@pytest.mark.parametrize("t60_s", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("range_db", [60, 40])
def test_clap_tells_the_decay(response, t60_s, range_db):
    found = measure_room(clap(response(t60_s, seed=2), range_db), RATE)
    assert found.t60_s == pytest.approx(t60_s, rel=0.07)


def test_clap_in_rooms_of_the_bank():
    from roomtone.augment.rooms.acoustics import measure_response
    from roomtone.augment.rooms.bank import build_bank
    from roomtone.augment.rooms.simulate import DIRECT_SAMPLE

    bank = build_bank(parse_preset("room", "exam_room", load_preset("room", "exam_room")), RATE)
    entry = bank.entry(0)
    found = measure_room(clap(np.asarray(entry.speech, dtype=np.float64), 40), RATE)
    assert found.t60_s == pytest.approx(measure_response(entry.speech, RATE, DIRECT_SAMPLE).t30_s, rel=0.07)
    mid_s = (found.bands_s[500.0] + found.bands_s[1000.0]) / 2  # the label of a room of materials
    assert mid_s == pytest.approx(entry.t30_s, rel=0.07)
    assert found.c50_db == pytest.approx(entry.c50_db, abs=1.1)  # the just noticeable difference of C50


@pytest.mark.parametrize("apart_s", [0.8, 1.7])
def test_of_several_claps_one_decay_is_measured(response, apart_s):
    """The later claps once counted as late energy: C50 of three claps was some 10 dB below that of the loudest alone."""
    alone = clap(response(0.5, seed=3), 60)
    later = round(apart_s * RATE)
    several = alone.copy()
    several[later:] += 0.8 * alone[:-later]
    several[2 * later :] += 0.9 * alone[: -2 * later]
    one, first = measure_room(alone, RATE), measure_room(several, RATE)
    energy = response(0.5, seed=3) ** 2
    border = round(0.05 * RATE)
    assert first.c50_db == pytest.approx(10 * np.log10(energy[:border].sum() / energy[border:].sum()), abs=1.1)
    assert first.c50_db == pytest.approx(one.c50_db, abs=0.2)
    assert first.t60_s == pytest.approx(one.t60_s, rel=0.03)
    assert first.response.size < later


def test_too_little_range_is_refused_with_what_is_missing(response):
    with pytest.raises(
        RoomtoneError, match=r"falls by only 1\d dB .* 30 dB are needed: make the impulse 2\d dB louder"
    ):
        measure_room(clap(response(0.6), 15), RATE)


def test_known_sweep(response):
    from scipy.signal import chirp, fftconvolve

    time = np.arange(4 * RATE) / RATE
    sweep = chirp(time, 50, 4, 7800, method="logarithmic")
    heard = np.concatenate([np.zeros(RATE // 2), fftconvolve(sweep, response(0.5)), np.zeros(RATE)])
    heard += 0.01 * np.random.default_rng(0).standard_normal(heard.size)
    assert measure_room(heard, RATE, sweep=sweep).t60_s == pytest.approx(0.5, rel=0.07)


def test_room_preset_is_a_room(response):
    found = measure_room(clap(response(0.6), 60), RATE)
    parse_preset("room", "ours", room_op(found, (5.0, 4.0, 2.7), (0.5, 1.5)))
