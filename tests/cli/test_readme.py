"""What the README shows must work: its presets, its commands, its Python."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from roomtone.cli.main import COMMANDS, main
from roomtone.core.dataset.manifest import read_manifest

README = Path(__file__).parents[2] / "README.md"

pytestmark = pytest.mark.skipif(not README.is_file(), reason="the repository's README is not beside the tests")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def my_conf(tmp_path, monkeypatch):
    """The README's own presets, written where their first lines say."""
    monkeypatch.chdir(tmp_path)
    for text in blocks("yaml"):
        path = tmp_path / text.splitlines()[0].removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    rng = np.random.default_rng(0)
    folder = tmp_path / "my_conf" / "noise" / "corridor_recordings"
    folder.mkdir()
    for name in ("a", "b"):
        soundfile.write(folder / f"{name}.wav", 0.05 * rng.standard_normal(8 * 22050), 22050)
    return tmp_path


def test_the_readmes_presets_make_a_set_whose_labels_hold(my_conf):
    commands = [line for block in blocks("bash") for line in block.splitlines() if "--config-dir my_conf" in line]
    assert len(commands) == 1
    words = commands[0].split()[1:]
    assert main([*words, "executor=serial"]) == 0
    rows = read_manifest("our-set")
    assert set(rows["condition"]) == {"clean", "our_ward", "our_corridor@10dB", "our_pump@5dB", "our_pager"}
    noisy = rows[rows["noise"] == "our_corridor@10dB"]
    assert (noisy["measured_snr_db"] - 10).abs().max() <= 0.1
    assert set(noisy["noise_asset"]) == {"folder/a.wav", "folder/b.wav"}
    used = noisy["noise_asset"].value_counts()
    assert used.max() - used.min() <= 1  # dealt out evenly
    pumped = rows[rows["equipment"] == "our_pump@5dB"]
    assert (pumped["measured_equipment_snr_db"] - 5).abs().max() <= 0.2
    assert (rows.loc[rows["room"] == "our_ward", "measured_t30_s"] / 0.6 - 1).abs().max() <= 0.1
    assert set(rows.loc[rows["handset"] == "our_pager", "measured_codec"]) == {"g726_24"}


def test_every_command_in_the_readme_exists():
    lines = [line for block in blocks("bash") for line in block.splitlines()]
    named = {line.split()[1] for line in lines if line.startswith("roomtone ")}
    assert named >= {"generate", "plan", "coverage", "verify", "evaluate", "export"}
    assert named <= set(COMMANDS)


def test_the_first_two_commands_are_targets_of_the_makefile():
    makefile = (README.parent / "Makefile").read_text()
    first = [line.split()[1] for line in blocks("bash")[0].splitlines()]
    assert first == ["demo", "test"]
    assert all(f"\n{name}:" in makefile for name in first)


def test_every_public_name_in_the_readme_can_be_imported():
    import importlib

    found = re.findall(r"^from (roomtone\.\w+) import (.*)$", README.read_text(), re.MULTILINE)
    assert found
    for module, names in found:
        for name in names.split(", "):
            assert hasattr(importlib.import_module(module), name)
