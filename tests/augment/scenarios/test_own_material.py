"""Folders and files of one's own as levels, without any YAML."""

import numpy as np
import pytest
import soundfile

from roomtone.augment.scenarios.own_material import own_levels, with_own_material
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


def test_each_factor_takes_its_own_kind(folder):
    scenario = {"name": "x", "factors": {"room": [f"r=folder:{folder}"], "equipment": [f"m=folder:{folder}@3dB"]}}
    found, presets = with_own_material(scenario, {})
    assert found["factors"] == {"room": ["r"], "equipment": ["m@3dB"]}
    assert presets["room"]["r"]["op"] == "recorded_room"
    assert presets["equipment"]["m"]["op"] == "recording"


def test_two_folders_of_one_name_are_told(folder, tmp_path):
    other = tmp_path / "b" / "our-hall"
    other.mkdir(parents=True)
    with pytest.raises(RoomtoneError, match="two folders are called 'our_hall'; give one a name"):
        own_levels("noise", [f"folder:{folder}@5dB", f"folder:{other}@5dB"])


def test_packaged_levels_pass_as_they_are():
    assert own_levels("noise", ["none", "babble@5dB", "babble@env65dBA"]) == (
        ["none", "babble@5dB", "babble@env65dBA"],
        {},
    )


@pytest.mark.slow
def test_a_set_with_a_folder_of_ones_own_from_the_command_line(folder, tmp_path, monkeypatch, capsys):
    """The label is the folder's name, and every render plays one of its files at its SNR."""
    monkeypatch.chdir(tmp_path)
    words = [f"noise=[none,folder:{folder}@5dB]", "room=none", "equipment=none", "handset=none", "design=full"]
    assert main(["generate", *words, "executor=serial", "corpus.select.max_per_accent=1", "output.dir=set"]) == 0
    rows = read_manifest(tmp_path / "set")
    noisy = rows[rows["noise"] != "none"]
    assert set(noisy["noise"]) == {"our_hall@5dB"}
    assert noisy["measured_snr_db"].to_numpy() == pytest.approx(5.0, abs=0.1)
    assert set(noisy["noise_asset"]) <= {f"folder/n{i}.wav" for i in range(3)}
