"""roomtone measure: presets that the loader reads, refusals in one line, a scenario that generates."""

import json

import numpy as np
import pytest

from roomtone.augment.scenarios.presets import load_preset, parse_preset
from roomtone.cli.main import main
from roomtone.core.errors import RoomtoneError
from roomtone.measure.variation import variants

RATE = 16000


def measure(*words):
    return main(["measure", *map(str, words)])


def test_equipment_is_written_with_figures_and_picture(ward, wav, tmp_path, capsys):
    _, recording = ward("scanner_800hz")
    path = wav(recording, "scanner.wav")
    assert measure(f"recording={path}", "as=equipment", "name=ours", f"to={tmp_path}") == 0
    assert "every 2 s" in capsys.readouterr().out
    for name in ("ours", "ours_loop"):
        parse_preset("equipment", name, load_preset("equipment", name, (tmp_path,)))
    text = (tmp_path / "equipment" / "ours.yaml").read_text()
    assert text.startswith("# ")
    figures = json.loads((tmp_path / "equipment" / "ours.measurement.json").read_text())
    assert figures["machines"][0]["period_s"] == pytest.approx(2.0, rel=0.02)
    assert (tmp_path / "equipment" / "ours.png").stat().st_size > 10_000


def test_nothing_periodic_proposes_noise(wav, tmp_path, capsys):
    path = wav(0.05 * np.random.default_rng(0).standard_normal(10 * RATE), "hiss.wav")
    assert measure(f"recording={path}", "as=equipment", "name=ours", f"to={tmp_path}") == 1
    assert "as=noise" in capsys.readouterr().err
    assert measure(f"recording={path}", "as=noise", "name=ours", f"to={tmp_path}") == 0
    parse_preset("noise", "ours", load_preset("noise", "ours", (tmp_path,)))


def clipped(rng):
    return np.clip(3 * rng.standard_normal(5 * RATE), -1, 1)


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (lambda rng: np.zeros(5 * RATE), "silent"),
        (clipped, "clipped; record again at a lower gain"),
        (lambda rng: 0.1 * rng.standard_normal(round(0.3 * RATE)), "at least 2 s are needed"),
    ],
)
def test_hopeless_recordings_are_refused_in_one_line(wav, tmp_path, capsys, samples, says):
    path = wav(samples(np.random.default_rng(0)), f"bad_{len(says)}.wav")
    assert measure(f"recording={path}", "as=noise", "name=ours", f"to={tmp_path}") == 1
    message = capsys.readouterr().err
    assert says in message
    assert message.count("\n") == 1


def test_eight_bits_are_told(ward, wav, tmp_path, capsys):
    _, recording = ward("scanner_800hz", seconds=10)
    path = wav(recording, "coarse.wav", subtype="PCM_U8")
    assert measure(f"recording={path}", "as=equipment", "name=ours", f"to={tmp_path}") == 0
    out = capsys.readouterr().out
    assert "8 bits" in out
    assert "every 2 s" in out


def test_two_hours_are_measured_in_bounded_memory(tmp_path, capsys):
    """A sparse two-hour file: only the stretch asked for is read."""
    import tracemalloc

    import soundfile

    path = tmp_path / "long.flac"
    noise = (0.05 * np.random.default_rng(0).standard_normal(60 * 8000)).astype(np.float32)
    with soundfile.SoundFile(path, "w", 8000, 1, subtype="PCM_16") as file:
        for _ in range(120):
            file.write(noise)
    tracemalloc.start()
    assert measure(f"recording={path}", "as=noise", "name=ours", f"to={tmp_path / 'to'}", "longest_s=60") == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300e6  # two hours at 16 kHz in float64 would be 920 MB
    assert "the file lasts 7200 s; 60 s from 0 s on were measured" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "give either recording=FILE"),
        (("recording=x.wav",), "as=equipment"),
        (("recording=x.wav", "as=machine", "name=a"), "as: 'machine' cannot be measured"),
        (("recording=x.wav", "as=noise", "name=a-b"), "letters, digits and _ only"),
        (("place=/nowhere",), "needs a place.yaml"),
    ],
)
def test_wrong_words(capsys, words, says, tmp_path):
    assert measure(*words, f"to={tmp_path}") == 1
    assert says in capsys.readouterr().err


def test_variants_change_one_thing_each():
    op = {
        "op": "periodic_tone",
        "fundamental_hz": 800.0,
        "harmonics": [[1.0, 0.0]],
        "pulses": [[0.0, 1.2]],
        "period_s": 2.0,
    }
    found = variants("ours", op, pitch=0.2)
    assert found["ours_pitch_up20"]["fundamental_hz"] == pytest.approx(960.0)
    assert found["ours_pitch_down20"]["fundamental_hz"] == pytest.approx(640.0)
    assert found["ours_period_double"]["period_s"] == 4.0
    half = parse_preset("equipment", "half", found["ours_period_half"])
    assert half.period_s == 1.0
    assert 1.2 * half.stretch < 1.0  # the burst is shortened to fit
    with pytest.raises(RoomtoneError, match="in per cent"):
        variants("ours", op, pitch=20)


def test_place_becomes_a_scenario(ward, tmp_path, speech):
    """Speech recorded at the place sets the SNRs: here 10 dB over a machine of known level."""
    import soundfile
    import yaml

    from roomtone.augment import active_speech_level

    home, to = tmp_path / "place", tmp_path / "to"
    home.mkdir()
    op, recording = ward("scanner_800hz")
    soundfile.write(home / "scanner.wav", recording, RATE)
    talk = np.tile(speech, 4)
    talk = talk * 10 ** ((-10.0 - active_speech_level(talk, RATE).level_dbov) / 20)  # the machine sounds at -20 dB
    soundfile.write(home / "talk.wav", np.clip(talk, -1, 1), RATE)
    place = {
        "name": "floor",
        "recordings": [{"file": "scanner.wav", "as": "equipment", "name": "ours"}],
        "speech": "talk.wav",
        "vary": {"equipment": "ours"},
    }
    (home / "place.yaml").write_text(yaml.safe_dump(place))
    assert measure(f"place={home}", f"to={to}") == 0
    scenario = yaml.safe_load((to / "scenario" / "floor.yaml").read_text())
    low, high = map(float, scenario["factors"]["equipment"][1].removeprefix("ours@").removesuffix("dB").split(".."))
    assert (low + high) / 2 == pytest.approx(10.0, abs=1.5)  # clipping and reverberation in the meter
    assert any(level.startswith("ours_period_half@") for level in scenario["factors"]["equipment"])
    del op


def test_place_with_a_wrong_key(tmp_path, capsys):
    (tmp_path / "place.yaml").write_text("name: a\nrecording: []\nrecordings: []\n")
    assert measure(f"place={tmp_path}", f"to={tmp_path}") == 1
    assert "unknown key 'recording'" in capsys.readouterr().err
