"""Recordings for the tests of readers: short, real in form, made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="session")
def voice() -> np.ndarray:
    """One second of the demo corpus at 16 kHz, float32."""
    from roomtone.augment.audio_io import read_audio
    from roomtone.augment.corpora.utterance import AudioRef

    return read_audio(AudioRef("package:demo/american-m1-01.flac", 0.3, 1.0), 16000)


@pytest.fixture(scope="session")
def write_audio(voice: np.ndarray) -> Callable[..., Path]:
    """Return a function that writes a recording in the format its name says and returns its path."""

    def write(path: Path, samples: np.ndarray | None = None, rate_hz: int = 16000, **options: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        defaults = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
        soundfile.write(path, voice if samples is None else samples, rate_hz, **(defaults | options))
        return path

    return write
