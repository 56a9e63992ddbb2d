"""Shared here: recordings of places made from presets, with a room of the tests' own (a decaying noise) and pink noise below."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.sources.noise import ColouredNoise
from roomtone.augment.scenarios.presets import load_preset, parse_preset

RATE = 16000


@pytest.fixture(scope="session", autouse=True)
def one_thread_below():
    """As `measure_equipment` has it: tests run side by side, and threads for small matrices only get in each other's way."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield


def own_response(t60_s, *, seed=0, direct=1.0):
    """A response whose decay is known in closed form: a direct sound and Gaussian noise that falls by 60 dB in t60_s."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(1.3 * t60_s * RATE)) / RATE
    tail = rng.standard_normal(time.size) * 10.0 ** (-3.0 * time / t60_s)
    tail[: round(0.004 * RATE)] = 0.0
    tail *= 1.0 / np.sqrt((tail**2).sum())
    tail[0] = direct
    return tail


@pytest.fixture(scope="session")
def response():
    return own_response


@pytest.fixture(scope="session")
def ward():
    """ward(mapping or preset name, seconds=, below_db=, t60_s=, seed=) -> (drawn op, recording float64)."""
    from scipy.signal import fftconvolve

    def make(machine, *, seconds=20.0, below_db=20.0, t60_s=0.4, seed=0):
        preset = load_preset("equipment", machine) if isinstance(machine, str) else machine
        rng = np.random.default_rng(seed)
        context = DrawContext(round(seconds * RATE), RATE)
        op = parse_preset("equipment", "test", preset).draw(rng, context)
        dry = op.render(context.num_samples, RATE, None, preroll_samples=RATE).astype(np.float64)
        stem = fftconvolve(dry, own_response(t60_s, seed=seed))[RATE : RATE + context.num_samples]
        stem *= 0.1 / np.sqrt((stem[op.sounding(context.num_samples, RATE)] ** 2).mean())
        noise = ColouredNoise(slope_db_per_octave=-3.01).draw(rng, context).render(context.num_samples, RATE, None)
        noise = noise / np.sqrt((noise.astype(np.float64) ** 2).mean())
        return op, stem + 0.1 * 10 ** (-below_db / 20) * noise

    return make


@pytest.fixture(scope="session")
def wav(tmp_path_factory):
    """wav(samples, name) -> path of a 16-bit file."""
    import soundfile

    folder = tmp_path_factory.mktemp("recordings")

    def write(samples, name, *, rate=RATE, subtype="PCM_16"):
        path = folder / name
        soundfile.write(path, samples, rate, subtype=subtype)
        return path

    return write


def load_module(path):
    """A file as a module, by its name."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def bench():
    """bench(name) -> one of the benches as a module."""
    return lambda name: load_module(Path(__file__).parents[2] / "bench" / f"{name}.py")


@pytest.fixture(scope="session")
def helper():
    """helper(name) -> a file beside the tests as a module."""
    return lambda name: load_module(Path(__file__).parent / f"{name}.py")


@pytest.fixture(scope="session")
def round_trip(bench):
    """The bench as a module."""
    return bench("measure_round_trip")
