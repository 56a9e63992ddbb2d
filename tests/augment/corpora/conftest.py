"""Recordings for the tests of readers: short, real in form, made on the spot."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


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
