"""Noise floor and bandwidth: planted ones are found, a real recording passes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from roomtone.augment.corpora.corpus_report import problems_of
from roomtone.augment.corpora.recording_quality import bandwidth_hz, measure_quality, noise_floor_dbov
from roomtone.core.audio.reading import read_audio
from roomtone.core.audio.segment import AudioRef

LIBRIVOX = Path("/usr/share/pocketsphinx/test/data/librivox")
DEMO = ["american-f1-02", "scottish-f1-05", "spanish_l1-f2-03", "hindi_l1-m2-04"]


def _speech(name: str) -> np.ndarray:
    return read_audio(AudioRef(f"package:demo/{name}.flac"), 16000)


@pytest.mark.parametrize("name", DEMO)
@pytest.mark.parametrize("below_db", [10.0, 15.0, 20.0, 25.0])
def test_a_planted_floor_is_measured(name: str, below_db: float) -> None:
    """White noise at a known level under speech; the quietest 5 % of 20 ms frames of it lie up to 1 dB lower, and speech
    that never quite stops adds as much the other way."""
    speech = _speech(name)
    level = measure_quality(speech, 16000).level_dbov
    noise = np.random.default_rng(4).standard_normal(speech.size).astype(np.float32) * 10 ** ((level - below_db) / 20)
    assert noise_floor_dbov(speech + noise, 16000) == pytest.approx(level - below_db, abs=1.5)


@pytest.mark.parametrize("name", DEMO)
def test_a_low_pass_at_4_khz_is_flagged(name: str) -> None:
    """Of filters as steep as a coder's: one of 48 dB an octave falls as fast as some speech does, and cannot be told from it."""
    speech = _speech(name)
    assert bandwidth_hz(speech, 16000) > 6000.0
    filters = {
        "butter": signal.sosfilt(signal.butter(12, 4000, fs=16000, output="sos"), speech),
        "elliptic": signal.sosfilt(signal.ellip(8, 0.5, 60, 4000, fs=16000, output="sos"), speech),
        "telephone": signal.resample_poly(signal.resample_poly(speech, 1, 2), 2, 1),
    }
    for kind, filtered in filters.items():
        measured = bandwidth_hz(filtered.astype(np.float32), 16000)
        assert 3400.0 <= measured <= 4600.0, kind  # bands are a sixth of an octave wide
        quality = measure_quality(filtered.astype(np.float32), 16000)
        assert any("bandwidth" in problem for problem in problems_of(quality))


def test_a_planted_floor_is_flagged_and_the_demo_is_not() -> None:
    speech = _speech(DEMO[0])
    level = measure_quality(speech, 16000).level_dbov
    noise = np.random.default_rng(4).standard_normal(speech.size).astype(np.float32) * 10 ** ((level - 15.0) / 20)
    assert any("noise floor" in problem for problem in problems_of(measure_quality(speech + noise, 16000)))
    assert not problems_of(measure_quality(speech, 16000))


@pytest.mark.skipif(not LIBRIVOX.is_dir(), reason="needs Debian's pocketsphinx-testdata")
def test_real_librivox_recordings_are_not_flagged() -> None:
    clips = sorted(LIBRIVOX.glob("*.wav"))
    assert clips
    for clip in clips:
        assert not problems_of(measure_quality(read_audio(AudioRef(str(clip)), 16000), 16000)), clip.name


def test_digital_silence_is_no_floor() -> None:
    speech = _speech(DEMO[0]).copy()
    speech[: speech.size // 4] = 0.0
    assert noise_floor_dbov(speech, 16000) == float("-inf")


@pytest.mark.parametrize("percent", [0.0, 2.0, 5.0])
def test_a_planted_offset_and_rumble_are_measured_and_change_nothing_else(percent: float) -> None:
    speech = _speech(DEMO[0])
    speech += (
        np.random.default_rng(2).standard_normal(speech.size).astype(np.float32) * 1e-4
    )  # a quiet room, at -80 dBov
    clean = measure_quality(speech, 16000)
    assert clean.rumble_to_speech_db < -40.0
    offset = percent / 100.0
    shaken = (
        speech + np.float32(offset) + 0.01 * np.sin(2 * np.pi * 6 * np.arange(speech.size) / 16000).astype(np.float32)
    )
    quality = measure_quality(shaken, 16000)
    assert quality.offset == pytest.approx(offset, abs=1e-4)
    assert quality.rumble_dbov == pytest.approx(10 * np.log10(offset**2 + 0.01**2 / 2), abs=0.3)
    assert quality.level_dbov == pytest.approx(clean.level_dbov, abs=0.02)
    assert quality.floor_dbov == pytest.approx(clean.floor_dbov, abs=0.5)
    assert quality.bandwidth_hz == clean.bandwidth_hz


def test_clipping_is_counted_and_flagged() -> None:
    speech = np.clip(_speech(DEMO[0]) * 300.0, -1.0, 1.0)
    quality = measure_quality(speech, 16000)
    assert quality.clipped_share == pytest.approx(float((np.abs(speech) >= 1.0).mean()), abs=1e-3)
    assert any("clipped" in problem for problem in problems_of(quality))
