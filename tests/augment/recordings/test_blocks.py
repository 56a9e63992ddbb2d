"""Long recordings in blocks of a fixed grid: the same samples as the whole file's, the same bits in any order, and a bound on what is kept."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import fftconvolve

from roomtone.augment import rerender, stems
from roomtone.augment.generation import generate
from roomtone.augment.recordings import fetcher
from roomtone.augment.recordings.fetcher import Fetcher
from roomtone.augment.recordings.kept import KeptSamples
from roomtone.augment.runs import worker
from roomtone.core.audio.convolution import ImpulseResponse
from roomtone.core.audio.reading import read_audio
from roomtone.core.audio.segment import AudioRef
from roomtone.core.dataset.manifest import read_manifest

RATE = 16000
SECONDS = 65
DIRECT = 40


def write_noise(path: Path, rate: int = RATE, seed: int = 0) -> Path:
    """Low noise whose power changes, longer than what is read whole."""
    samples = np.random.default_rng(seed).normal(size=SECONDS * rate + 123) * 0.05
    soundfile.write(path, np.cumsum(samples) * 0.1 % 0.5 + samples, rate, subtype="PCM_16")
    return path


def decay(seconds: float = 0.3) -> np.ndarray:
    tail = np.random.default_rng(1).normal(size=int(seconds * RATE)) * np.exp(-np.arange(int(seconds * RATE)) / 900)
    response = np.concatenate([np.zeros(DIRECT), [1.0], 0.1 * tail])
    return response.astype(np.float32)


@pytest.fixture(autouse=True)
def nothing_kept():
    fetcher._kept.clear()


@pytest.mark.parametrize("rate", [RATE, 44100])
def test_excerpts_are_those_of_the_whole_file(tmp_path, rate):
    path = write_noise(tmp_path / "noise.wav", rate)
    whole = read_audio(AudioRef(str(path)), RATE)
    read = Fetcher({"a": AudioRef(str(path))}, RATE)
    # one with many seams, at the beginning, inside one block, at the end and past it
    for start, frames in ((5, 9 * RATE), (0, 100), (3 * RATE + 7, 1000), (whole.size - 3 * RATE, 3 * RATE)):
        error = read("a", start, frames) - whole[start : start + frames]
        assert np.abs(error).max() < (1e-6 if rate == RATE else 2e-5)
    assert not read("a", whole.size, 50).any()
    assert read("a", 10, -1).size in (whole.size - 11, whole.size - 10)


def test_a_segment_of_a_file_has_a_grid_of_its_own(tmp_path):
    path = write_noise(tmp_path / "noise.wav")
    clip = AudioRef(str(path), 1.23456, 62.5)
    whole = read_audio(clip, RATE)
    found = Fetcher({"a": clip}, RATE)("a", RATE, 61 * RATE)
    assert np.abs(found - whole[RATE : 62 * RATE]).max() < 1e-6


def test_the_bits_do_not_depend_on_what_was_read_before(tmp_path):
    path, response = write_noise(tmp_path / "noise.wav"), ImpulseResponse(decay())
    read = Fetcher({"a": AudioRef(str(path))}, RATE)

    def both(start):
        return read("a", start, 6 * RATE), read.reverberant("a", start, 6 * RATE, response, DIRECT)[0]

    places = [100, 5 * RATE + 1, 3 * RATE, 40 * RATE]
    alone = []
    for start in places:
        fetcher._kept.clear()
        alone.append(both(start))
    fetcher._kept.clear()
    for start, expected in reversed(list(zip(places, alone))):
        for found, once in zip(both(start), expected):
            np.testing.assert_array_equal(found, once)


@pytest.mark.parametrize("start", [0, 1000, 2 * RATE - 3, 50 * RATE])
def test_a_recording_in_a_room_is_its_convolution(tmp_path, start):
    path, response = write_noise(tmp_path / "noise.wav"), decay()
    read = Fetcher({"a": AudioRef(str(path))}, RATE)
    found, sounds = read.reverberant("a", start, 5 * RATE, ImpulseResponse(response), DIRECT)
    whole = np.pad(read_audio(AudioRef(str(path)), RATE).astype(float), (response.size, 0), mode="reflect")
    expected = fftconvolve(whole, response.astype(float))[response.size + DIRECT + start :][: 5 * RATE]
    assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()
    assert sounds.size == 250
    assert sounds.all()


def test_a_file_that_has_changed_is_read_anew(tmp_path):
    path = write_noise(tmp_path / "noise.wav")
    before = Fetcher({"a": AudioRef(str(path))}, RATE)("a", 0, RATE)
    write_noise(path, seed=1)
    assert np.abs(Fetcher({"a": AudioRef(str(path))}, RATE)("a", 0, RATE) - before).max() > 0.01


def test_what_is_kept_has_a_bound():
    kept = KeptSamples(most_bytes=1000)
    for number in range(50):
        kept.get(number, lambda: np.zeros(25, np.float32))
        assert kept.held_bytes <= 1000
    made = []
    assert kept.get(49, lambda: made.append(1)).size == 25
    assert not made
    kept.get(0, lambda: made.append(1) or np.zeros(25, np.float32))
    assert made == [1]
    assert kept.get("large", lambda: np.zeros(1000, np.float32)).size == 1000  # alone it may be larger
    assert kept.held_bytes == 4000


@pytest.fixture
def rendered(composed, small_table, tmp_path):
    """A set with a recorded room and two long noises, as `generate` makes it."""
    presets = tmp_path / "presets"
    for folder in ("room/response", "noise/street", "equipment/fan"):
        (presets / folder).mkdir(parents=True)
    soundfile.write(presets / "room/response/a.wav", decay(0.5), RATE, subtype="FLOAT")
    write_noise(presets / "noise/street/a.wav", seed=2)
    write_noise(presets / "equipment/fan/a.wav", seed=3)
    (presets / "room/measured.yaml").write_text("op: recorded_room\npath: response\n")
    (presets / "noise/street.yaml").write_text("op: recordings\npath: street\n")
    (presets / "equipment/fan.yaml").write_text("op: recording\npath: fan\n")

    def one(name):
        words = (
            "corpus=table", f"corpus.path={small_table}", "design=full", "executor=serial", f"output.dir={tmp_path / name}",
            "scenario.factors.room=[measured]", "scenario.factors.noise=[street@5dB]",
            "scenario.factors.equipment=[fan@0dB]", "scenario.factors.handset=[landline_mulaw]",
        )  # fmt: skip
        assert generate(composed(*words, config_dir=presets)).rejected == ()
        rows = read_manifest(tmp_path / name)
        return rows[rows["noise"] != "none"]

    return one


def test_sets_share_blocks_and_come_back_from_one_row(rendered, tmp_path, active_level, monkeypatch):
    rows = rendered("set")
    for text in rows["recipe"]:  # both files are called a.wav: each factor played its own
        recipe = json.loads(text)
        played = [recipe["clips"][recipe[factor]["asset"]]["path"] for factor in ("noise", "equipment")]
        assert played == ["noise_street:a.wav", "equipment_fan:a.wav"]
    for row in rows.to_dict("records"):
        assert json.loads(row["recipe"])["room_blocks"]
        fetcher._kept.clear()
        pcm, _ = rerender(tmp_path / "set", row["sample_id"])
        np.testing.assert_array_equal(pcm, soundfile.read(tmp_path / "set" / row["audio_path"], dtype="int16")[0])
        parts = stems(tmp_path / "set", row["sample_id"])
        speech_db = active_level(parts.speech, RATE)[0]
        for part, snr_db in ((parts.noise, 5.0), (parts.equipment, 0.0)):
            assert speech_db - 10 * np.log10(np.mean(np.square(part))) == pytest.approx(snr_db, abs=0.1)
    # where recordings and rooms are too many, each render makes its own: the same sound
    monkeypatch.setattr(worker, "KEPT_BYTES", 1000)
    for row in rendered("apart").to_dict("records"):
        assert not json.loads(row["recipe"])["room_blocks"]
        together, apart = stems(tmp_path / "set", row["sample_id"]), stems(tmp_path / "apart", row["sample_id"])
        for one, other in ((together.noise, apart.noise), (together.equipment, apart.equipment)):
            # but for the end, where a render of its own does not know what follows within a response's lead
            assert np.abs(one - other)[: -2 * DIRECT].max() < 2e-3 * np.abs(other).max()
