"""What there is, what it looks like, what it sounds like: the three commands by which a newcomer finds a ward."""

import json
import re

import numpy as np
import pytest
import soundfile

from roomtone.augment.gallery.info import find_presets
from roomtone.augment.gallery.pictures import curve
from roomtone.augment.gallery.sound import preset_sound
from roomtone.augment.scenarios.presets import packaged_dir, preset_names
from roomtone.cli.commands import list as list_command
from roomtone.cli.commands.listen import measured_lines
from roomtone.cli.main import COMMANDS, main
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


@pytest.mark.parametrize("name", ["hospital_imaging_floor", "scenario/hospital_imaging_floor"])
def test_show_prints_a_scenario(name, capsys):
    assert main(["show", name]) == 0
    out = capsys.readouterr().out
    assert "mri_epi@10dB" in out
    assert "192 conditions where all levels are combined" in out  # 4 rooms, 3 noises, 4 machines, 4 handsets


@pytest.fixture
def noise_folder(tmp_path):
    (tmp_path / "noises").mkdir()
    soundfile.write(tmp_path / "noises" / "n.wav", np.random.default_rng(0).normal(0, 0.1, 160000), 16000)
    return tmp_path / "noises"


@pytest.mark.parametrize("word", ["hall=folder:{}@5dB", "[none,hall=file:{}/n.wav@5dB]"])
def test_listen_plays_a_folder_or_a_file_of_ones_own(word, noise_folder, capsys):
    """Without a handset there is no SNR behind one, and no figure is minus nought."""
    target = noise_folder.parent / "heard.wav"
    assert main(["listen", f"noise={word.format(noise_folder)}", f"to={target}"]) == 0
    out = capsys.readouterr().out
    assert "in hall@5dB: " in out
    assert "SNR at the microphone 5.0 dB" in out
    assert "behind the handset" not in out


def test_what_listen_measured_is_said_with_reasons_and_without_minus_nought():
    measured = {"measured_snr_db": -0.04, "clipped_share": 0.0, "unmeasured": '{"output_snr_db": "too much noise"}'}
    assert measured_lines(measured, behind_handset=True) == [
        "SNR at the microphone 0.0 dB (active speech over noise)",
        "SNR behind the handset: cannot be told (too much noise)",
        "clipped samples 0.00%",
    ]
    assert measured_lines({"measured_snr_db": -0.06, "output_snr_db": 3.0}, behind_handset=False) == [
        "SNR at the microphone -0.1 dB (active speech over noise)"
    ]


def test_of_a_walk_listen_says_both_ends():
    ends = {"start": {"distance_m": 1.25, "t30_s": 0.701, "c50_db": 4.59, "drr_db": -3.514}}
    ends["end"] = {"distance_m": 3.78, "t30_s": 0.711, "c50_db": 1.744, "drr_db": -10.07}
    reasons = {
        name: "the talker moves; see time_map" for name in ("measured_t30_s", "measured_c50_db", "delay_samples")
    }
    measured = {"measured_path_ends": json.dumps(ends), "unmeasured": json.dumps(reasons)}
    assert measured_lines(measured, behind_handset=False) == [
        "at the start the talker is 1.2 m away, T30 0.70 s, C50 4.6 dB, direct to reverberant -3.5 dB",
        "at the end the talker is 3.8 m away, T30 0.71 s, C50 1.7 dB, direct to reverberant -10.1 dB",
        "delay: cannot be told (the talker moves)",
    ]


def test_of_a_jitter_buffer_listen_says_what_it_added_and_removed(tmp_path, capsys):
    """It said "delay: cannot be told (…; see time_map)" of a map that it does not write."""
    assert main(["listen", "voip_opus_jitter", "seed=5", f"to={tmp_path / 'heard.wav'}"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"time added by the jitter buffer 0\.\d\d\d s\n", out)
    assert re.search(r"time removed by the jitter buffer 0\.\d\d\d s\n", out)
    assert "time_map" not in out
    assert "delay" not in out


def test_the_way_of_a_talker_is_no_folder(capsys):
    """`list room` said that `ward_walk` "needs a folder of recordings at its path ([[0.0, 1.5, 2.0], …])", and `show` stopped there."""
    assert find_presets("ward_walk")[0].needs is None
    assert find_presets("noise/recordings")[0].needs.startswith("a folder of recordings at its path (")
    assert main(["list", "room"]) == 0
    assert "folder of recordings" not in capsys.readouterr().out


@pytest.mark.slow
def test_show_draws_the_decay_of_a_room_in_which_the_talker_walks(capsys):
    assert main(["show", "ward_walk"]) == 0
    out = capsys.readouterr().out
    assert "decay (Schroeder)" in out
    assert 'hear it: roomtone listen "ward_walk" to=heard.wav' in out


@pytest.mark.parametrize(
    ("name", "figure"),
    [("wind", "wind speed 1.8 to 5 m/s"), ("trolley_pass", "passes at 1 to 1.5 m/s")],
)
def test_a_wind_passes_nobody(name, figure):
    assert figure in find_presets(name)[0].figures


@pytest.mark.parametrize(
    ("name", "figure"),
    [
        ("busy_tone", "480 + 620 Hz"),
        ("ringback", "440 + 480 Hz"),
        ("dtmf", "697 to 1477 Hz"),
        ("hum", "50 Hz"),
        ("scanner_800hz", "800 Hz"),
    ],
)
def test_the_key_figure_of_a_tone_is_its_pitch(name, figure):
    """The fundamental of 1 Hz, by which the YAML counts in hertz, was shown as the pitch."""
    assert find_presets(name)[0].figures[0] == figure


def test_the_picture_of_hum_shows_the_hum():
    """It began above 50 Hz."""
    info = find_presets("hum")[0]
    _, _, centres, levels = curve(info, preset_sound(info))
    fifty = np.argmin(np.abs(centres - 50))
    assert centres[0] < 40
    assert levels[fifty] > max(levels[fifty - 2], levels[fifty + 1])


def test_the_line_under_a_list_is_for_its_group():
    """Under the list of export formats stood `hear one: roomtone listen …`."""
    assert set(list_command._NEXT) == set(list_command.GROUPS)
    for group, line in list_command._NEXT.items():
        commands = re.findall(r"roomtone (\w+)((?: [^\s:]+)*)", line)
        assert commands
        assert all(name in COMMANDS for name, _ in commands)
        named = [
            word.partition("=")[2] for _, words in commands for word in words.split() if word.startswith(f"{group}=")
        ]
        if group not in (*FACTORS, "export"):
            assert named
            assert all((packaged_dir() / group / f"{name}.yaml").is_file() for name in named), line
