"""Delay in rooms from its cause: no false delay, whatever the room and however short the word."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from roomtone.augment import Condition
from roomtone.augment.rendering.delays import direct_offset, room_delay
from roomtone.augment.rooms.bank import DIRECT_SAMPLE
from roomtone.core.audio.convolution import ImpulseResponse
from roomtone.core.audio.resampling import resample

REAL = Path(__file__).parents[4] / "shared" / "real"
DIGITS = REAL / "digits"


def words(rate, every=6):
    paths = sorted(DIGITS.glob("*.wav"))[::every]
    if not paths:
        pytest.skip("the real input is not at hand")
    for path in paths:
        samples, own = soundfile.read(path, dtype="float32")
        yield resample(samples, own, rate), path.name


def difficult_response(number, rate=44100):
    """A measured-looking response: pre-delay, early peaks of which one may be twice the direct sound, decay, noise floor."""
    rng = np.random.default_rng(number)
    t60_s = rng.uniform(0.15, 1.2)
    count = int((t60_s + 0.1) * rate)
    response = 0.05 * rng.standard_normal(count) * 10 ** (-3 * np.arange(count) / rate / t60_s)
    response[0] = 1.0
    for _ in range(4):
        response[int(rng.uniform(0.0015, 0.02) * rate)] += rng.uniform(-0.9, 2.0)
    before = np.zeros(int(rng.uniform(0.0, 0.05) * rate))
    return np.concatenate([before, response]) + 1e-5 * rng.standard_normal(before.size + count)


def room_of(tmp_path):
    """A room preset that draws from the folder `responses`."""
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "measured.yaml").write_text("op: recorded_room\npath: ../responses\n")
    return Condition("measured", config_dir=tmp_path)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_ten_difficult_responses_have_no_false_delay(rate, tmp_path):
    """102 of 153 recorded responses were refused: an early reflection larger than the direct sound was taken for it."""
    folder = tmp_path / "responses"
    folder.mkdir()
    for number in range(10):
        soundfile.write(folder / f"{number}.wav", difficult_response(number) / 4, 44100, subtype="FLOAT")
    condition = room_of(tmp_path)
    used = set()
    for samples, name in words(rate, every=3):
        for key in (0, 1):
            made = condition.render(samples, rate, key=f"{name}{key}")
            assert (made.measured["delay_samples"], made.measured["measured_delay_samples"]) == (0, 0)
            used.add(made.measured["measured_t30_s"])
    assert len(used) == 10


@pytest.mark.skipif(not (REAL / "rooms").is_dir(), reason="the real input is not at hand")
@pytest.mark.parametrize("rate", [8000, 16000])
def test_real_rooms_have_no_false_delay(rate, tmp_path):
    shutil.copytree(REAL / "rooms", tmp_path / "responses")
    condition = room_of(tmp_path)
    for samples, name in words(rate):
        made = condition.render(samples, rate, key=name)
        assert (made.measured["delay_samples"], made.measured["measured_delay_samples"]) == (0, 0)


@pytest.mark.parametrize("room", ["kitchen", "car_cabin", "ward", "bathroom"])
def test_real_words_in_simulated_rooms_have_no_false_delay(room):
    """ "asked_delay_samples asked 0, got 501" for a word of 0.3 s in `kitchen`; 13 of 60 words there."""
    condition = Condition(room)
    for samples, name in words(8000, every=2):
        made = condition.render(samples, 8000, key=name)
        assert (made.measured["delay_samples"], made.measured["measured_delay_samples"]) == (0, 0)


@pytest.mark.parametrize("handset", ["voip_opus_loss", "gsm_loss"])
def test_lost_packets_move_no_time(handset):
    """They were said to: got -1 and -468."""
    told = 0
    for samples, name in words(8000, every=2):
        made = Condition(handset).render(samples, 8000, key=name)
        assert made.measured["delay_samples"] == 0
        assert made.measured["measured_delay_samples"] in (0, None)
        told += made.measured["measured_delay_samples"] == 0
    assert told >= 24


class TestRoomDelay:
    @pytest.fixture
    def passed(self):
        """Clean samples, a response of which a reflection is larger than the direct sound, and their convolution."""
        rng = np.random.default_rng(0)
        clean = rng.standard_normal(6000).astype(np.float32)
        response = 0.1 * rng.standard_normal(DIRECT_SAMPLE + 3000) * np.logspace(0, -3, DIRECT_SAMPLE + 3000)
        response[:DIRECT_SAMPLE] = 0.0
        response[DIRECT_SAMPLE] = 1.0
        response[DIRECT_SAMPLE + 501] = -1.7
        whole = np.convolve(clean, response)
        return clean, ImpulseResponse(response.astype(np.float32)), whole

    @pytest.mark.parametrize("shift", [-1500, -1, 0, 1, 501, 1500])
    def test_it_is_that_of_the_direct_sound(self, passed, shift):
        clean, response, whole = passed
        speech = 0.3 * np.pad(whole, 2000)[2000 + DIRECT_SAMPLE - shift :][: clean.size]
        assert room_delay(clean, speech.astype(np.float32), response) == shift

    def test_another_signal_has_none(self, passed):
        clean, response, _ = passed
        assert room_delay(clean, np.roll(clean, 7), response) is None

    def test_a_slow_tone_tells_it_too(self):
        clean = np.sin(2 * np.pi * 60 * np.arange(16000) / 16000).astype(np.float32)
        response = np.zeros(200, np.float32)
        response[DIRECT_SAMPLE] = 1.0
        for shift in (-1, 0, 1):
            assert room_delay(clean, np.roll(clean, shift), ImpulseResponse(response)) == shift

    def test_a_direct_sound_that_is_not_where_it_should_be(self):
        taps = np.zeros(300, np.float32)
        taps[[DIRECT_SAMPLE + 2, DIRECT_SAMPLE + 90]] = 1.0, -1.4
        assert direct_offset(ImpulseResponse(taps)) == 2
        assert direct_offset(ImpulseResponse(np.full(300, 0.5, np.float32))) is None
