"""Recorded rooms, devices, machines and noises of the user's own, by YAML alone, with their labels held."""

import numpy as np
import pytest
import soundfile

from roomtone.augment import Condition
from roomtone.augment.scenarios.conditions import parse_level
from roomtone.augment.scenarios.presets import load_preset
from roomtone.core.errors import RoomtoneError

RATE = 16000


@pytest.fixture
def lab(tmp_path):
    """A folder of presets, and a function that writes one of them."""

    def write(factor, name, text):
        path = tmp_path / factor / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return tmp_path

    return write


def exponential_room(t60_s, rate, delay_s, seed, channels=1):
    """A measured-looking response: a late direct sound, then noise that falls by 60 dB in t60_s, and a noise floor."""
    rng = np.random.default_rng(seed)
    n = int(1.3 * t60_s * rate)
    tail = 0.08 * rng.standard_normal((n, channels)) * 10 ** (-3 * np.arange(n)[:, None] / rate / t60_s)
    tail[0] = 1.0
    return np.concatenate([np.zeros((int(delay_s * rate), channels)), tail]) + 1e-6 * rng.standard_normal(
        (n + int(delay_s * rate), channels)
    )


def test_recorded_rooms_are_aligned_and_measured(lab, tmp_path, speech):
    folder = tmp_path / "room" / "responses"
    folder.mkdir(parents=True)
    for k, delay in enumerate((0.003, 0.0171)):
        soundfile.write(
            folder / f"r{k}.wav", exponential_room(0.5, 44100, delay, k, channels=2), 44100, subtype="FLOAT"
        )
    home = lab("room", "chapel", "op: recorded_room\npath: responses\nchannel: 1\n")
    for key in range(4):
        made = Condition("chapel", config_dir=home).render(speech, RATE, key=key)
        assert made.measured["delay_samples"] == 0
        assert made.measured["measured_t30_s"] == pytest.approx(0.5, rel=0.05)


def test_a_recorded_device_colours_and_keeps_time(lab, tmp_path, speech):
    (tmp_path / "handset").mkdir()
    response = np.zeros(300)
    response[70:73] = [1.0, -0.6, 0.2]
    soundfile.write(tmp_path / "handset" / "cup.wav", response, RATE, subtype="FLOAT")
    home = lab("handset", "cup", "op: recorded_device\npath: cup.wav\n")
    assert Condition("cup", config_dir=home).render(speech, RATE, key=0).measured["delay_samples"] == 0


def test_a_recorded_machine_loops_at_its_snr(lab, tmp_path, speech):
    (tmp_path / "equipment").mkdir()
    t = np.arange(RATE) / RATE
    soundfile.write(tmp_path / "equipment" / "pump.wav", 0.3 * np.sin(2 * np.pi * 440 * t) * (t % 0.5 < 0.4), RATE)
    home = lab("equipment", "pump", "op: recording\npath: pump.wav\n")
    made = Condition("pump@8dB", config_dir=home).render(speech, RATE, key=0)
    assert made.measured["measured_equipment_snr_db"] == pytest.approx(8, abs=0.2)
    assert (made.stems.equipment[-RATE:] ** 2).mean() > 0.2 * (
        made.stems.equipment**2
    ).mean()  # it goes on past its own end


def test_an_empty_folder_of_recordings_is_one_clear_error(lab, tmp_path):
    (tmp_path / "noise" / "nothing").mkdir(parents=True)
    home = lab("noise", "ours", "op: recordings\npath: nothing\n")
    with pytest.raises(RoomtoneError, match="nothing"):
        Condition("ours@5dB", config_dir=home).recipe(RATE, RATE, key=0)


def test_an_environments_snr_follows_its_noise_level():
    """Wu 2018: 20 dB at 40 dBA of noise, falling to 0 dB at 74 dBA."""
    rng = np.random.default_rng(0)
    medians = []
    for dba in (40, 57, 74):
        level = parse_level("noise", f"babble@env{dba}dBA", load_preset)
        medians.append(np.median([level.draw_snr_db(lambda: rng) for _ in range(400)]))
    assert medians == pytest.approx([20.0, 10.0, 0.0], abs=1.0)
