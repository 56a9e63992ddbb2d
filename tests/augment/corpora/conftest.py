"""Recordings for the tests of readers: short, real in form, made on the spot."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="session")
def voice() -> np.ndarray:
    """One second of the demo corpus at 16 kHz, float32."""
    from roomtone.core.audio.reading import read_audio
    from roomtone.core.audio.segment import AudioRef

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


@pytest.fixture(scope="session")
def corpora_script() -> ModuleType:
    """The script that makes corpora in the layouts of the real ones."""
    path = Path(__file__).parent / "make_corpora.py"
    spec = importlib.util.spec_from_file_location("roomtone_make_corpora", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def layout(corpora_script: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """Return a function that makes one of those corpora, once, and returns the keys with which it is read."""
    voices = corpora_script.Voices()
    made: dict[str, dict[str, Any]] = {}

    def make(name: str) -> dict[str, Any]:
        if name not in made:
            home = tmp_path_factory.mktemp(name) / name
            home.mkdir()
            made[name] = corpora_script.MAKERS[name](home, voices)
        return dict(made[name])

    return make
