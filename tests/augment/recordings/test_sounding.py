"""Noise files as they are: clips padded with zeros, sounds that come and go, and a click in silence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from roomtone.augment.generation import generate
from roomtone.augment.ops.draw_context import Asset, DrawContext
from roomtone.augment.ops.sources.recordings import Recording, Recordings
from roomtone.augment.recordings.fetcher import Fetcher
from roomtone.augment.recordings.sounding import frame_powers, sounding_frames, sounding_share
from roomtone.core.audio.reading import read_audio
from roomtone.core.audio.segment import AudioRef
from roomtone.core.dataset.manifest import read_manifest
from roomtone.core.errors import RoomtoneError

RATE = 16000


def noise(seconds: float, level: float = 0.1, seed: int = 0) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(round(seconds * RATE))).astype(np.float32)


def padded(before_s: float, sound: np.ndarray, length_s: float) -> np.ndarray:
    """A clip of a fixed length with a sound in it and zeros around, as ESC-50's are."""
    out = np.zeros(round(length_s * RATE), dtype=np.float32)
    start = round(before_s * RATE)
    out[start : start + sound.size] = sound
    return out


def click() -> np.ndarray:
    return padded(2.0, 0.9 * np.hanning(80).astype(np.float32), 5.0)


def draw(folder: Path, samples: np.ndarray, seconds: float, seed: int, rate: int = RATE) -> tuple[Recordings, Fetcher]:
    """Draw an excerpt of a recording on disk, as a run does."""
    path = folder / "a.wav"
    if not path.is_file():
        soundfile.write(path, samples, RATE, subtype="PCM_16")
    fetch = Fetcher({"a": AudioRef(str(path))}, rate)
    asset = Asset("a", round(samples.size * rate / RATE), "a")
    context = DrawContext(round(seconds * rate), rate, (asset,), fetch.sounding)
    return Recordings("x").draw(np.random.default_rng(seed), context), fetch


# how much sounds


@pytest.mark.parametrize(
    ("samples", "share"),
    [
        (noise(2.0), 1.0),
        (padded(0.0, noise(1.0), 5.0), 0.2),
        (padded(3.0, noise(1.5), 5.0), 0.3),
        (click(), 1 / 250),
        (np.zeros(RATE, dtype=np.float32), 0.0),
        (noise(2.0, 1e-6), 0.0),  # -120 dBov: the least bit of 24
        (np.concatenate([noise(1.0, 0.3), noise(1.0, 0.003)]), 1.0),  # a swell of 40 dB is one sound
        (np.concatenate([noise(1.0, 0.3), noise(1.0, 1e-4)]), 0.5),
        (noise(0.005), 1.0),
    ],
)
def test_the_share_in_which_a_signal_sounds(samples: np.ndarray, share: float) -> None:
    assert sounding_share(samples, RATE) == pytest.approx(share, abs=0.011)


def test_a_long_recording_is_looked_at_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read by offset, a minute at a time: the frames must be those of the whole."""
    samples = np.concatenate([noise(70.0), np.zeros(30 * RATE, np.float32), noise(35.0, seed=1)])
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="PCM_16")
    recording = AudioRef(str(tmp_path / "a.wav"))
    found = Fetcher({"a": recording}, RATE).sounding("a")
    np.testing.assert_array_equal(found, sounding_frames(frame_powers(read_audio(recording, RATE), RATE)))
    assert found.mean() == pytest.approx(105 / 135, abs=1e-3)


# where a recording is entered


@pytest.mark.parametrize("before_s", [0.0, 1.7, 4.0])
@pytest.mark.parametrize("rate", [RATE, 8000])
def test_an_excerpt_is_drawn_where_a_padded_clip_sounds(tmp_path: Path, before_s: float, rate: int) -> None:
    """Such a clip was entered at 1.8 s or later, whatever it held there, and rejected as silent."""
    samples = padded(before_s, noise(1.0), 5.0)
    offsets = set()
    for seed in range(25):
        op, fetch = draw(tmp_path, samples, 2.0, seed, rate)
        heard = op.render(2 * rate, rate, fetch, preroll_samples=rate // 2)
        share = sounding_share(heard[rate // 2 :], rate)
        assert share >= 0.9 * 0.5 - 0.02  # two seconds can hold at most the one second of sound
        offsets.add(op.offset_samples)
    assert len(offsets) > 3  # and not always at one place


def test_a_recording_that_sounds_throughout_is_drawn_as_before(tmp_path: Path) -> None:
    samples = noise(30.0)
    for seed in range(10):
        op, _ = draw(tmp_path, samples, 3.0, seed)
        bare = Recordings("x").draw(
            np.random.default_rng(seed), DrawContext(3 * RATE, RATE, (Asset("a", samples.size, "a"),))
        )
        assert op == bare


def test_a_sound_that_comes_and_goes_is_entered_all_over(tmp_path: Path) -> None:
    samples = np.concatenate([padded(0.0, noise(0.5, seed=i), 2.0) for i in range(15)])
    offsets = [draw(tmp_path, samples, 4.0, seed)[0].offset_samples or 0 for seed in range(60)]
    assert np.ptp(offsets) > 18 * RATE
    assert min(offsets) >= 2 * RATE  # a pre-roll finds recorded sound before it


def test_a_clip_shorter_than_the_file_is_looped_as_it_is(tmp_path: Path) -> None:
    op, fetch = draw(tmp_path, padded(0.0, noise(1.0), 5.0), 12.0, 1)
    assert sounding_share(op.render(12 * RATE, RATE, fetch), RATE) == pytest.approx(0.2, abs=0.06)


# what is refused


@pytest.mark.parametrize("seconds", [3.0, 20.0])
def test_a_click_in_silence_is_refused_with_the_figure(tmp_path: Path, seconds: float) -> None:
    """It passed as a noise at 10 dB, and the run stopped: "asked 10, got 21.09". Removing its DC makes a click a few frames longer."""
    op, fetch = draw(tmp_path, click(), seconds, 0)
    with pytest.raises(
        RoomtoneError, match=r"recordings: a sounds in [1-4]\.\d% of the render, at least 10% are needed"
    ):
        op.render(round(seconds * RATE), RATE, fetch)


def test_a_machine_may_be_silent_for_long(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", padded(1.0, noise(0.2), 5.0), RATE)
    op = Recording("x", asset="a", offset_samples=0, asset_samples=5 * RATE)
    assert op.render(5 * RATE, RATE, Fetcher({"a": AudioRef(str(tmp_path / "a.wav"))}, RATE)).size == 5 * RATE


@pytest.fixture
def run(tmp_path: Path, composed: Any, small_table: Path) -> Callable[[], Any]:
    """Return a function that renders six utterances with noise from the folder `config/noise/noises` at 5 dB."""
    folder = tmp_path / "config" / "noise" / "noises"
    folder.mkdir(parents=True)
    (folder.parent / "mine.yaml").write_text("op: recordings\npath: noises\n")
    (tmp_path / "config" / "scenario").mkdir()
    (tmp_path / "config" / "scenario" / "tiny.yaml").write_text("name: tiny\nfactors: {noise: [none, mine@5dB]}\n")
    cfg = composed(
        "scenario=tiny", "design=full", "executor=serial", "corpus=table", f"corpus.path={small_table}", "max_rejected=0.9",
        f"output.dir={tmp_path / 'set'}", config_dir=str(tmp_path / "config"),
    )  # fmt: skip
    return lambda: generate(cfg)


def test_a_run_on_padded_clips_records_the_share(tmp_path: Path, run: Callable[[], Any]) -> None:
    for index in range(4):
        clip = padded(1.2 * index, noise(1.0, seed=index), 5.0)
        soundfile.write(tmp_path / "config" / "noise" / "noises" / f"{index}.wav", clip, RATE)
    assert run().exit_status == 0
    rows = read_manifest(tmp_path / "set")
    noisy = rows[rows["noise"] == "mine@5dB"]
    assert len(noisy) == 6
    assert noisy["noise_sounding_share"].between(0.1, 1.0).all()
    assert noisy["measured_snr_db"].to_numpy() == pytest.approx(5.0, abs=0.1)
    assert rows.loc[rows["noise"] == "none", "noise_sounding_share"].isna().all()


def test_a_run_rejects_a_click_sample_by_sample(tmp_path: Path, run: Callable[[], Any]) -> None:
    soundfile.write(tmp_path / "config" / "noise" / "noises" / "click.wav", click(), RATE)
    soundfile.write(tmp_path / "config" / "noise" / "noises" / "hum.wav", noise(8.0), RATE)
    summary = run()
    assert summary.exit_status == 3
    assert (summary.rendered, len(summary.rejected)) == (9, 3)
    lines = [
        json.loads(line) for path in (tmp_path / "set" / "rejected").iterdir() for line in path.read_text().splitlines()
    ]
    assert all(re.search(r"click\.wav sounds in \d\.\d% of the render", line["reason"]) for line in lines)
