"""What there is, what it looks like, what it sounds like: the three commands by which a newcomer finds a ward."""

import re

import numpy as np
import pytest
import soundfile

from roomtone.augment.scenarios.presets import preset_names
from roomtone.cli.main import main
from roomtone.core.vocabulary import FACTORS


def test_list_names_every_preset_with_its_description(capsys):
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    for factor in FACTORS:
        for name in preset_names(factor):
            assert re.search(rf"^{name} +\S", out, re.MULTILINE), name
    for name in ("hospital_imaging_floor", "common_voice", "webdataset", "pocketsphinx", "kaldi", "covering"):
        assert re.search(rf"^{name} +\S", out, re.MULTILINE), name


def test_a_folder_of_ones_own_is_listed_too(tmp_path, capsys):
    (tmp_path / "noise").mkdir()
    (tmp_path / "noise" / "our_hall.yaml").write_text("description: Our hall\nsource: us\nop: coloured_noise\n")
    assert main(["list", "noise", "--config-dir", str(tmp_path)]) == 0
    assert re.search(r"^our_hall +Our hall", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("scanner_800hz", ["the example's pitch", "800 Hz, every 2 s", "spectrum", "█"]),
        ("gsm", ["GSM 06.10", "gsm_fr at 8 kHz", "response to white noise"]),
        ("babble@5dB", ["in the middle of 4 to 8", "6 talkers"]),
    ],
)
def test_show_prints_the_yaml_with_its_comments_and_a_picture(name, words, capsys, tmp_path):
    picture = tmp_path / "x.png"
    assert main(["show", name, f"to={picture}"]) == 0
    out = capsys.readouterr().out
    for word in words:
        assert word in out
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_show_draws_the_decay_of_a_room_at_its_own_t60(capsys):
    """The decay falls by 50 dB, from bottom to top of the picture, in five sixths of T60 = 0.7 s."""
    assert main(["show", "ward"]) == 0
    out = capsys.readouterr().out
    assert "decay (Schroeder)" in out
    seconds = float(re.search(r"0 s +([\d.]+) s", out)[1])
    assert 0.5 < seconds < 1.1


@pytest.mark.slow
def test_listen_writes_what_it_says(tmp_path, capsys, active_level):
    """The file's own level, by the tests' own P.56, and its length and rate."""
    target = tmp_path / "heard.wav"
    assert main(["listen", "ward+babble@5dB+gsm", f"to={target}"]) == 0
    out = capsys.readouterr().out
    samples, rate = soundfile.read(target)
    assert rate == 16000
    assert "SNR at the microphone 5.0 dB" in out
    said = float(re.search(r"active speech level (-[\d.]+)", out)[1])
    assert said == pytest.approx(-26.0, abs=0.3)
    assert np.abs(samples).max() < 1.0
    assert f"({samples.size / rate:.1f} s at 16000 Hz)" in out


def test_listen_takes_ones_own_speech(tmp_path, capsys, speech, active_level):
    own = tmp_path / "mine.wav"
    soundfile.write(own, speech, 16000)
    target = tmp_path / "heard.flac"
    assert main(["listen", "white@20dB", f"audio={own}", f"to={target}"]) == 0
    samples, rate = soundfile.read(target)
    assert samples.size == speech.size
    assert "mine.wav in white@20dB" in capsys.readouterr().out
    assert active_level(samples, rate)[0] == pytest.approx(-26.0, abs=0.2)  # noise 20 dB below adds 0.04 dB
