"""The demo corpus comes from its script: the same synthesiser gives the same samples."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
import soundfile

from roomtone.augment.corpora.make_demo import ACCENTS, ORDERS, VOICES, _speak, in_quiet_room
from roomtone.core.audio.recording_files import audio_path


def _version() -> str:
    if shutil.which("espeak-ng") is None:
        return ""
    return subprocess.run(["espeak-ng", "--version"], check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(" 1.51 " not in _version(), reason="needs espeak-ng 1.51, which made the bundle")
@pytest.mark.parametrize(("accent", "voice", "order"), [("american", "m1", 0), ("spanish_l1", "f2", 11)])
def test_the_script_makes_the_bundled_samples(accent: str, voice: str, order: int) -> None:
    """Resampling may differ in the last bit between platforms, hence 1 LSB."""
    name = f"{accent}-{voice}-{order + 1:02d}"
    variant, pitch, rate, _ = VOICES[voice]
    made = in_quiet_room(_speak(ORDERS[order], f"{ACCENTS[accent]}+{variant}", pitch, rate), name)
    bundled, _ = soundfile.read(audio_path(f"package:demo/{name}.flac"), dtype="int16")
    assert made.shape == bundled.shape
    assert np.abs(made.astype(int) - bundled).max() <= 1


def test_the_floor_is_seeded_by_name() -> None:
    tone = (0.1 * np.sin(np.arange(16000) * 0.3)).astype(np.float32)
    np.testing.assert_array_equal(in_quiet_room(tone, "a"), in_quiet_room(tone, "a"))
    assert (in_quiet_room(tone, "a") != in_quiet_room(tone, "b")).any()
