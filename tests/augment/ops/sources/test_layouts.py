"""Noise corpora laid out on disk as they are published, in small."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from roomtone.augment.recordings.layouts import NoiseFile, scan_noise
from roomtone.core.errors import RoomtoneError


@pytest.fixture
def lay_out(tmp_path):
    """Return a function that writes one second of noise under each of the names."""

    def write(*names, rate=16000, channels=1):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            rng = np.random.default_rng(len(name))
            soundfile.write(path, 0.1 * rng.standard_normal((rate, channels)), rate)
        return tmp_path

    return write


def summary(files: list[NoiseFile]) -> list[tuple[str, str, str | None]]:
    return [(file.id, file.group, file.split) for file in files]


def test_musan(lay_out):
    root = lay_out("musan/noise/free-sound/noise-0001.wav", "musan/music/fma/m-1.wav", "musan/speech/librivox/s-1.wav")
    (root / "musan/noise/free-sound/ANNOTATIONS").write_text("x")
    (root / "musan/noise/free-sound/._noise-0001.wav").write_text("x")
    assert summary(scan_noise(root, "musan")) == [
        ("musan/music/fma/m-1.wav", "music/fma/m-1.wav", "music"),
        ("musan/noise/free-sound/noise-0001.wav", "noise/free-sound/noise-0001.wav", "noise"),
        ("musan/speech/librivox/s-1.wav", "speech/librivox/s-1.wav", "speech"),
    ]
    assert scan_noise(root / "musan", "musan") == scan_noise(root, "musan")


def test_demand_is_one_recording_of_sixteen_microphones(lay_out):
    root = lay_out(*(f"{env}/ch{n:02d}.wav" for env in ("PCAFETER", "DKITCHEN") for n in (1, 2, 16)))
    assert summary(scan_noise(root, "demand")) == [
        ("demand/DKITCHEN/ch01.wav", "DKITCHEN", None),
        ("demand/PCAFETER/ch01.wav", "PCAFETER", None),
    ]
    assert [f.path.name for f in scan_noise(root, "demand", channel=16)] == ["ch16.wav", "ch16.wav"]
    with pytest.raises(RoomtoneError, match="1 to 16"):
        scan_noise(root, "demand", channel=17)


def test_esc50_keeps_fragments_of_one_source_together(lay_out):
    root = lay_out(
        "audio/1-100032-A-0.wav", "audio/1-100032-B-0.wav", "audio/5-9032-A-49.wav", "audio/notes.wav", rate=44100
    )
    assert summary(scan_noise(root, "esc50")) == [
        ("esc50/audio/1-100032-A-0.wav", "fold1/100032", "fold1"),
        ("esc50/audio/1-100032-B-0.wav", "fold1/100032", "fold1"),
        ("esc50/audio/5-9032-A-49.wav", "fold5/9032", "fold5"),
    ]


def test_wham_and_qut(lay_out):
    root = lay_out(
        "wham_noise/tr/file000_a_loc01_day2.wav", "wham_noise/tt/xyz.wav", "wham_noise/metadata/x.wav", channels=2
    )
    assert summary(scan_noise(root, "wham")) == [
        ("wham/tr/file000_a_loc01_day2.wav", "loc01_day2", "tr"),
        ("wham/tt/xyz.wav", "tt/xyz.wav", "tt"),
    ]
    root = lay_out("QUT-NOISE/CAFE-FOODCOURTB-1.wav", "QUT-NOISE/CAFE-FOODCOURTB-2.wav", "QUT-NOISE/CAR-WINUPB-1.wav")
    assert summary(scan_noise(root, "qut")) == [
        ("qut/CAFE-FOODCOURTB-1.wav", "CAFE-FOODCOURTB", "cafe"),
        ("qut/CAFE-FOODCOURTB-2.wav", "CAFE-FOODCOURTB", "cafe"),
        ("qut/CAR-WINUPB-1.wav", "CAR-WINUPB", "car"),
    ]


def test_plain_folders_and_single_files(lay_out):
    root = lay_out("pump.wav", "ward/a.flac", "ward/b.wav", "test/icu/c.wav", rate=8000)
    files = scan_noise(root, "folder")
    assert summary(files) == [
        ("folder/pump.wav", "pump.wav", None),
        ("folder/test/icu/c.wav", "test/icu", "test"),
        ("folder/ward/a.flac", "ward", None),
        ("folder/ward/b.wav", "ward", None),
    ]
    assert {(f.num_frames, f.sample_rate_hz) for f in files} == {(8000, 8000)}
    assert summary(scan_noise(root / "pump.wav", "folder")) == [("pump.wav", "pump.wav", None)]


def test_what_is_not_there_is_said(lay_out, tmp_path):
    with pytest.raises(RoomtoneError, match="no folder"):
        scan_noise(tmp_path / "nowhere", "folder")
    with pytest.raises(RoomtoneError, match=r"unknown kind 'musann'; did you mean 'musan'"):
        scan_noise(tmp_path, "musann")
    with pytest.raises(RoomtoneError, match="expected files ending in"):
        scan_noise(tmp_path, "folder")
    with pytest.raises(RoomtoneError, match="expected music/, speech/ and noise/"):
        scan_noise(lay_out("a.wav"), "musan")
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "broken.wav").write_bytes(b"<html>not here</html>")
    with pytest.raises(
        RoomtoneError, match=r"none of 1 files under .* can be read; the first: .*broken\.wav: is a web page"
    ):
        scan_noise(tmp_path / "html", "folder")


def test_one_broken_file_does_not_stop_a_run(lay_out, caplog):
    root = lay_out("a.wav", "b.wav")
    (root / "broken.wav").write_bytes(b"<html>not here</html>")
    assert [file.id for file in scan_noise(root, "folder")] == ["folder/a.wav", "folder/b.wav"]
    assert "noise recording rejected: " in caplog.text
    assert "broken.wav: is a web page" in caplog.text
