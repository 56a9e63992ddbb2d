"""Folders and files of one's own as levels, without any YAML."""

import json
import re

import numpy as np
import pytest
import soundfile

from roomtone.augment.scenarios.conditions import split_level
from roomtone.augment.scenarios.own_material import own_levels, shared_names, with_own_material
from roomtone.cli.main import main
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError


@pytest.fixture
def folder(tmp_path):
    """Three recordings of noise in a folder called `our-hall`."""
    home = tmp_path / "our-hall"
    home.mkdir()
    rng = np.random.default_rng(0)
    for i in range(3):
        soundfile.write(home / f"n{i}.wav", rng.normal(0, 0.1, 8 * 16000), 16000)
    return home


def test_a_folder_is_a_level_by_its_own_name_or_by_another(folder):
    levels, presets = own_levels("noise", ["none", f"folder:{folder}@5dB", f"hall=folder:{folder}@0..10dB"])
    assert levels == ["none", "our_hall@5dB", "hall@0..10dB"]
    assert presets["hall"] == presets["our_hall"]
    assert presets["hall"]["path"] == str(folder)


def test_a_noise_of_ones_own_with_the_name_of_a_room_is_told_apart(folder):
    """`listen kitchen@5dB` and the packaged room `kitchen` were taken for one another."""
    _, noises = own_levels("noise", [f"kitchen=folder:{folder}@5dB", f"hall=folder:{folder}@5dB"])
    said = shared_names({"noise": noises, "room": {"ward": {"op": "x"}}})
    assert said == [
        "noise: your own 'kitchen' has the name of a preset of room, which it is not; my_kitchen=… tells them apart"
    ]


def test_each_factor_takes_its_own_kind(folder):
    scenario = {"name": "x", "factors": {"room": [f"r=folder:{folder}"], "equipment": [f"m=folder:{folder}@3dB"]}}
    found, presets = with_own_material(scenario, {})
    assert found["factors"] == {"room": ["r"], "equipment": ["m@3dB"]}
    assert presets["room"]["r"]["op"] == "recorded_room"
    assert presets["equipment"]["m"]["op"] == "recording"


#: Corpus -> (files of its layout, the licence that the card states, what the card says of passing the set on).
KNOWN = {
    "musan": ([f"noise/free-sound/noise-{i}.wav" for i in range(2)], "CC-BY-4.0", None),
    "demand": (["DKITCHEN/ch01.wav", "PCAFETER/ch01.wav"], "CC-BY-SA-3.0", None),
    "esc50": (["audio/1-100032-A-0.wav", "audio/2-100210-B-36.wav"], "CC-BY-NC-3.0", "may not be used commercially"),
    "wham": (["tr/loc01_day1_a.wav", "tt/loc02_day2_b.wav"], "CC-BY-NC-4.0", "may not be used commercially"),
    "rirs_noises": (
        ["pointsource_noises/noise-free-sound-0000.wav", "real_rirs_isotropic_noises/RVB2014_type1_noise_a.wav"],
        "Apache-2.0",
        None,
    ),
}


@pytest.mark.parametrize("kind", KNOWN)
def test_a_known_noise_corpus_is_read_as_it_lies_and_its_licence_is_in_the_card(kind, tmp_path):
    from roomtone.augment.output.dataset_card import _recorded_material
    from roomtone.augment.recordings.layouts import scan_noise

    names, licence, warning = KNOWN[kind]
    beside = {"rirs_noises": "simulated_rirs/smallroom/Room001/Room001-00001.wav"}.get(kind, "README-tone.wav")
    for name in (*names, beside):
        file = tmp_path / "their_copy" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(file, np.random.default_rng(0).normal(0, 0.1, 1600), 16000)
    levels, presets = own_levels("noise", ["none", f"{kind}:{tmp_path / 'their_copy'}@5dB"])
    assert levels == ["none", "their_copy@5dB"]
    preset = presets["their_copy"]
    assert [noise.id for noise in scan_noise(preset["path"], preset["kind"])] == [
        f"{kind}/{name}" for name in sorted(names)
    ]
    card = "\n".join(_recorded_material({"runs": [{"config": {"presets": {"noise": presets}}}]}))
    assert licence in card
    assert (warning or "") in card
    assert ("commercially" in card) == (warning is not None)


def test_two_folders_of_one_name_are_told(folder, tmp_path):
    other = tmp_path / "b" / "our-hall"
    other.mkdir(parents=True)
    with pytest.raises(RoomtoneError, match="two folders are called 'our_hall'; give one a name"):
        own_levels("noise", [f"folder:{folder}@5dB", f"folder:{other}@5dB"])


@pytest.mark.parametrize("snr", ["5", "5db", "5 dB", "[5"])
def test_an_snr_that_is_written_otherwise_is_not_called_a_missing_folder(folder, snr):
    with pytest.raises(RoomtoneError, match=re.escape(f"not '{snr}'; write hall=folder:{folder}@5dB")):
        own_levels("noise", [f"hall=folder:{folder}@{snr}"])
    with pytest.raises(RoomtoneError, match=re.escape(f"is a place of your own: noise=folder:{folder}@5dB")):
        split_level("noise", f"{folder}@5dB")


def test_packaged_levels_pass_as_they_are():
    assert own_levels("noise", ["none", "babble@5dB", "babble@env65dBA"]) == (
        ["none", "babble@5dB", "babble@env65dBA"],
        {},
    )


@pytest.mark.slow
def test_a_set_with_a_folder_of_ones_own_from_the_command_line(folder, tmp_path, monkeypatch, capsys):
    """The label is the folder's name, and every render plays one of its files at its SNR; the set is called by its own levels. A noise
    of which little sounds is said to be one, in the summary and on the card."""
    monkeypatch.chdir(tmp_path)
    bursts = np.random.default_rng(0).normal(0, 0.1, 30 * 16000) * (np.arange(30 * 16000) % 16000 < 5600)
    soundfile.write(tmp_path / "dogs.wav", bursts, 16000)
    noises = f"noise=[none,folder:{folder}@5dB,file:{tmp_path}/dogs.wav@5dB]"
    words = [noises, "room=none", "equipment=none", "handset=none", "design=full"]
    assert main(["generate", *words, "executor=serial", "corpus.select.max_per_accent=1", "output.dir=set"]) == 0
    rows = read_manifest(tmp_path / "set")
    assert json.loads((tmp_path / "set" / "dataset.json").read_text())["name"] == "our_hall@5dB, dogs@5dB"
    said = "oise dogs@5dB sounds in"
    assert said in capsys.readouterr().out
    card = (tmp_path / "set" / "README.md").read_text()
    assert said in card
    assert "our_hall@5dB sounds in" not in card
    noisy = rows[rows["noise"] == "our_hall@5dB"]
    assert set(noisy["noise"]) == {"our_hall@5dB"}
    assert noisy["measured_snr_db"].to_numpy() == pytest.approx(5.0, abs=0.1)
    assert set(noisy["noise_asset"]) <= {f"folder/n{i}.wav" for i in range(3)}
