"""Tones with noise that sounds while they sound: a tick of a motor, whose contact hisses."""

import numpy as np
import pytest

from roomtone.measure.detection.machines import measure_equipment
from roomtone.measure.figures import machine_figures, machine_words
from roomtone.measure.presets import machine_op

RATE = 16000
LEAD, COUNT = 2 * RATE, 20 * RATE


def ticks(rng, *, noise_db, low_hz=3000.0, high_hz=5500.0):
    """Two tones that decay within 20 ms and a band of noise with the same course, each 0.9 s; and where the noise lies."""
    since = np.arange(LEAD + COUNT) / RATE % 0.9
    course = np.exp(-since / 0.02) * np.minimum(since / 0.001, 1.0)
    tones = np.sin(2 * np.pi * 820 * since) + 0.5 * np.sin(2 * np.pi * 1410 * since + 1)
    spectrum = np.fft.rfft(rng.standard_normal(since.size))
    hz = np.fft.rfftfreq(since.size, 1 / RATE)
    noise = np.fft.irfft(np.where((hz > low_hz) & (hz < high_hz), spectrum, 0), since.size)
    noise *= np.sqrt((1 + 0.25) / 2) / noise.std() * 10 ** (noise_db / 20)
    return course * (tones + noise)


def in_a_room(dry, rng):
    from scipy.signal import fftconvolve

    response = rng.standard_normal(RATE // 2) * 10 ** (-3 * np.arange(RATE // 2) / RATE / 0.4)
    response[0] = np.sqrt((response**2).sum())
    heard = fftconvolve(dry, response)[LEAD:][:COUNT]
    return 0.1 * heard / heard.std() + 0.003 * rng.standard_normal(COUNT)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_noise_that_sounds_with_tones_is_measured(seed):
    """Such a machine was kept as its recorded cycle, without its pitches."""
    rng = np.random.default_rng(seed)
    (found,) = measure_equipment(in_a_room(ticks(rng, noise_db=-8.0), rng), RATE).machines
    op = machine_op(found)
    assert found.recorded is None
    assert [p.hz for p in found.partials[:2]] == [pytest.approx(820, rel=0.01), pytest.approx(1410, rel=0.01)]
    assert op["noise_db"] == pytest.approx(-8.0, abs=3.0)
    low_hz, high_hz = op["noise_band_hz"]
    assert low_hz < 4000.0
    assert 5000.0 < high_hz < 7500.0
    assert f"with noise {-op['noise_db']:.0f} dB below them" in machine_words(found)
    assert machine_figures(found)["noise"]["level_db"] == found.noise.level_db


@pytest.mark.slow
def test_tones_alone_have_no_noise():
    rng = np.random.default_rng(3)
    (found,) = measure_equipment(in_a_room(ticks(rng, noise_db=-200.0), rng), RATE).machines
    assert found.noise is None
    assert "noise_db" not in machine_op(found)


@pytest.mark.slow
def test_a_click_has_neither_tones_nor_noise_beside_them(helper, tmp_path):
    """Five peaks of the ring of a click were claimed as tones, since noise made good for the rest; but a click is the same each time, and noise is not."""
    ghosts, *_ = helper("rerendering").measured(helper("eight_kinds"), tmp_path, "clicks_over_hum", 31, 25.0)
    assert ghosts == []


def test_bursts_in_silence_are_timed():
    """A burst 60 dB above what is between bursts ended in an error of the optimiser: its first guess lay below the lowest floor it may try."""
    from roomtone.measure.gating.noise_bursts import fit_bursts

    level = np.full(200, 1e-8)
    level[50:100] = 1.0
    (burst,) = fit_bursts(level, 0.005, [(0.25, 0.25)])
    (noisy,) = fit_bursts(level + 1e-4, 0.005, [(0.25, 0.25)])
    assert burst.on_s == pytest.approx(0.25, abs=0.01)
    assert burst.length_s == pytest.approx(noisy.length_s, abs=0.005)
