"""Shared here: a Schroeder integration of the tests' own, and the banks of all presets at 16 kHz, built once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor

import numpy as np
import pytest

from roomtone.augment.rooms.bank import RoomBank, build_bank
from roomtone.augment.rooms.op import ShoeBoxRoom
from roomtone.augment.scenarios.presets import load_preset, parse_preset, preset_names

RATE = 16000


@pytest.fixture(scope="session")
def schroeder_t30() -> Callable[[np.ndarray, int, int], float]:
    """T30 by ISO 3382-1, written apart from the code under test: backward sum, straight line from -5 to -35 dB."""

    def t30(rir: np.ndarray, sample_rate_hz: int, direct: int) -> float:
        energy = np.asarray(rir[direct:], dtype=float) ** 2
        curve = 10 * np.log10(np.maximum(energy[::-1].cumsum()[::-1] / energy.sum(), 1e-30))
        begin, end = np.argmax(curve <= -5), np.argmax(curve <= -35)
        slope, _ = np.polyfit(np.arange(begin, end) / sample_rate_hz, curve[begin:end], 1)
        return float(-60 / slope)

    return t30


@pytest.fixture(scope="session")
def two_workers() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture(scope="session")
def rooms() -> dict[str, ShoeBoxRoom]:
    """Every packaged room preset."""
    found = {name: parse_preset("room", name, load_preset("room", name)) for name in preset_names("room")}
    return {name: op for name, op in found.items() if isinstance(op, ShoeBoxRoom)}


@pytest.fixture(scope="session")
def banks(rooms: dict[str, ShoeBoxRoom], two_workers: Executor) -> dict[str, RoomBank]:
    """In the cache of all tests, where tests that render find them too."""
    return {name: build_bank(op, RATE, executor=two_workers) for name, op in rooms.items()}


@pytest.fixture
def small_room() -> ShoeBoxRoom:
    return ShoeBoxRoom(((3.0, 4.0), 3.0, 2.5), 0.25, (0.5, 1.5), realisations=3)
