"""Shared tools of the sound tests: presets as ops, recordings in memory, and a spectrum estimate that knows no op."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from roomtone.augment.ops.draw_context import Asset, DrawContext
from roomtone.augment.ops.sources import mix
from roomtone.augment.ops.sources import periodic_tone as equipment
from roomtone.augment.ops.sources.pass_by import PassBy
from roomtone.augment.ops.table import Source, parse_op

CONF = Path(__file__).parents[4] / "conf"


def preset_names(group: str) -> list[str]:
    names = sorted(path.stem for path in (CONF / group).glob("*.yaml"))
    assert names, f"no presets in {group}"
    return names


def load(group: str, name: str) -> Source:
    mapping = yaml.safe_load((CONF / group / f"{name}.yaml").read_text())
    fields = {key: value for key, value in mapping.items() if key not in ("description", "source")}
    return parse_op(fields, Source, where=name)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`equipment_name` and `noise_name` walk the presets; the names of `_KINDS` walk tones, those of a mix by part."""
    if "equipment_name" in metafunc.fixturenames:
        metafunc.parametrize("equipment_name", preset_names("equipment"))
    if "noise_name" in metafunc.fixturenames:
        metafunc.parametrize("noise_name", preset_names("noise"))
    for fixture, wanted in _KINDS.items():
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, sorted(name for name, tone in _tones().items() if wanted(tone)))


#: Which tones a test can measure.
_KINDS: dict[str, Callable[[equipment.PeriodicTone], bool]] = {
    "steady_name": lambda tone: bool(tone.harmonics) and not tone.decay_s and not tone.partial_decays_s,
    "pulsed_name": lambda tone: bool(tone.harmonics) and _falls_silent(tone) and tone.timing == "grid",
    "noisy_name": lambda tone: tone.noise_db is not None,
}


def _falls_silent(tone: equipment.PeriodicTone) -> bool:
    ends = [row[0] + row[1] for row in tone.pulses]
    return bool(ends) and (not np.max(tone.period_s) or max(ends) < 0.999 * np.min(tone.period_s))


def _tones() -> dict[str, equipment.PeriodicTone]:
    found = {}
    for name in preset_names("equipment"):
        op = load("equipment", name)
        if isinstance(op, PassBy):  # standing still
            op = parse_op(op.sound, Source, where=name)
        if isinstance(op, mix.Mix):
            for index, part in enumerate(op.parts):
                fields = {key: value for key, value in part.items() if key != "level_db"}
                if part["op"] == "periodic_tone":
                    found[f"{name}[{index}]"] = parse_op(fields, equipment.PeriodicTone, where=name)
        else:
            assert isinstance(op, equipment.PeriodicTone), f"{name}: measured by no test here"
            found[name] = op
    return found


@pytest.fixture(scope="session")
def tones() -> dict[str, equipment.PeriodicTone]:
    return _tones()


@pytest.fixture(scope="session")
def load_preset() -> Callable[[str, str], Source]:
    return load


@pytest.fixture(scope="session")
def drawn() -> Callable[..., Any]:
    """Return `drawn(op, seconds, rate, seed, **changes)`: the op with changes, drawn for a file of that length."""

    def draw(op: Source, seconds: float, rate: int, seed: int = 0, **changes: Any) -> Any:
        context = DrawContext(round(seconds * rate), rate)
        return dataclasses.replace(op, **changes).draw(np.random.default_rng(seed), context)

    return draw


@dataclasses.dataclass
class Shelf:
    """Recordings in memory, their assets, and a fetch that counts what was read."""

    sounds: dict[str, np.ndarray]
    assets: tuple[Asset, ...]

    def fetch(self, asset_id: str, start: int, frames: int) -> np.ndarray:
        assert start >= 0
        sound = self.sounds[asset_id]
        return sound[start:] if frames < 0 else sound[start : start + frames]


@pytest.fixture(scope="session")
def shelf() -> Shelf:
    """Twenty speakers of three utterances of 1.5 to 2.5 s at 16 kHz: noise bursts at a syllable rate, unequal in level."""
    rng = np.random.default_rng(5)
    sounds = {}
    for speaker in range(20):
        for take in range(3):
            size = int(rng.integers(24000, 40000))
            gate = np.sin(2 * np.pi * 3 * np.arange(size) / 16000) > -0.5
            sounds[f"s{speaker:02d}/u{take}"] = (0.2 * rng.random() * gate * rng.standard_normal(size)).astype(
                np.float32
            )
    assets = tuple(Asset(key, sound.size, key.split("/")[0]) for key, sound in sounds.items())
    return Shelf(sounds, assets)


@pytest.fixture(scope="session")
def power_spectrum() -> Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]:
    """Return frequencies and a spectrum whose sum over a line is the line's power (4-term Blackman-Harris, -92 dB)."""

    def spectrum(samples: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
        turn = 2 * np.pi * np.arange(samples.size) / samples.size
        window = 0.35875 - 0.48829 * np.cos(turn) + 0.14128 * np.cos(2 * turn) - 0.01168 * np.cos(3 * turn)
        bins = np.abs(np.fft.rfft(samples.astype(np.float64) * window)) ** 2
        return np.fft.rfftfreq(samples.size, 1 / rate), 2 * bins / (samples.size * (window**2).sum())

    return spectrum
