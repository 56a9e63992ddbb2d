"""Pulses that come round so fast that the room never falls silent: a gate told from its gap, by the lines that both are made of."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

from roomtone.measure.gating.basebands import Basebands
from roomtone.measure.gating.gate_likelihood import gate_envelope
from roomtone.measure.gating.line_spectrum import gate_spectrum, line_spectrum
from roomtone.measure.pulses.short_periods import time_short_tonal_cycle
from roomtone.measure.spectra.spectrogram import Partial

RATE = 16000
SECONDS = 10
PERIOD_S = 0.0667
LEVELS_DB = (0, -18, -9, -24, -16, -28, -24)


def pulses(f0_hz, length_s, *, restart):
    """Harmonics gated once a period, with edges of 8 ms, every pulse alike or of one oscillator."""
    time = np.arange(SECONDS * RATE) / RATE
    since = time % PERIOD_S
    phase = since if restart else time
    rng = np.random.default_rng(int(f0_hz))
    tone = sum(
        10.0 ** (level / 20.0) * np.cos(2 * np.pi * (n * f0_hz * phase + rng.random()))
        for n, level in enumerate(LEVELS_DB, 1)
    )
    grid = np.arange(0.0, PERIOD_S + 0.001, 0.0001)
    return tone * np.interp(since, grid, gate_envelope(0.008, length_s, False, 0.008, 0.0, grid))


def timed(f0_hz, length_s, response, *, restart=True):
    """The pulse as timed in a room, from partials drawn aside to the next line, as a spectrum has them."""
    heard = fftconvolve(pulses(f0_hz, length_s, restart=restart), response)[: SECONDS * RATE]
    heard += 0.01 * heard.std() * np.random.default_rng(1).standard_normal(heard.size)
    partials = [Partial(f0_hz + 0.7 / PERIOD_S, 1.0, 30.0), Partial(3.0 * f0_hz - 0.4 / PERIOD_S, 0.1, 20.0)]
    return time_short_tonal_cycle(Basebands(heard, RATE), partials, np.arange(0.0, SECONDS, PERIOD_S), PERIOD_S)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("length_s", [0.045, 0.022])
def test_a_gate_is_no_gap_where_a_period_is_whole_turns(response, length_s, seed):
    """Of 43 turns a period: gate and gap have the same lines but for one. The direct sound tells them apart."""
    f0_hz = 43.0 / PERIOD_S
    found = timed(f0_hz, length_s, response(0.4, seed=seed))
    assert found.lengths_s[0] == pytest.approx(length_s, abs=0.005)
    assert found.onsets_s[0] == pytest.approx(0.008, abs=0.005)
    assert found.partials[0].hz == pytest.approx(f0_hz, rel=0.001)


@pytest.mark.parametrize("seed", [1, 4])
def test_a_gate_is_no_gap_far_from_the_scanner(response, seed):
    """With less direct sound than room, pulses taken each for itself gave 61 and 23 ms here; the onset is then only rough."""
    found = timed(43.0 / PERIOD_S, 0.045, response(0.4, seed=seed, direct=0.3))
    assert found.lengths_s[0] == pytest.approx(0.045, abs=0.005)


@pytest.mark.parametrize("turns", [43.0, 43.4])
def test_one_oscillator_runs_on(response, turns):
    """Then the lines lie at the tone and 1 / period from there, not at the multiples of 1 / period."""
    found = timed(turns / PERIOD_S, 0.045, response(0.4, seed=5), restart=False)
    assert found.lengths_s[0] == pytest.approx(0.045, abs=0.005)


def test_lines_have_the_amplitudes_of_the_gate():
    """Without a room the lines are the gate's spectrum at multiples of 1 / period, but for a common factor."""
    f0_hz = 43.0 / PERIOD_S
    sound = pulses(f0_hz, 0.045, restart=True)
    lines = line_spectrum(Basebands(sound, RATE), 1, f0_hz, 150.0, 0.0, PERIOD_S)
    assert np.abs(lines.hz * PERIOD_S - np.round(lines.hz * PERIOD_S)).max() < 1e-3
    beside_hz = lines.hz - f0_hz
    truth = gate_spectrum(beside_hz, 0.045, 0.008) * np.exp(-2j * np.pi * beside_hz * (0.008 + 0.0225))
    truth = truth / np.sqrt((np.abs(truth) ** 2).sum())
    assert abs(np.vdot(truth, lines.values)) == pytest.approx(1.0, abs=0.003)
    assert lines.held > 0.97


def test_the_spectrum_of_a_gate_is_that_of_its_samples():
    """At half the inverse of an edge, too, where numerator and denominator are both 0."""
    time = np.arange(-0.05, 0.05, 1e-5)
    shape = gate_envelope(-0.0225, 0.045, False, 0.008, 0.0, time)
    for hz in (0.0, 10.0, 62.5, 100.0):
        assert (shape * np.cos(2 * np.pi * hz * time)).sum() * 1e-5 == pytest.approx(
            float(gate_spectrum(np.array(hz), np.array(0.045), 0.008)), abs=2e-5
        )
