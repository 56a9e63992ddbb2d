"""Sounders that glide, whose every number is known."""

import numpy as np
import pytest

from roomtone.measure.detection.machines import measure_equipment
from roomtone.measure.gating.chirp_gates import swept_covariance
from roomtone.measure.gating.gate_likelihood import RoomStatistics
from roomtone.measure.presets import machine_op
from roomtone.measure.pulses.chirps import line_of

RATE = 16000


@pytest.mark.parametrize(("first_hz", "last_hz", "length_s"), [(422.0, 775.0, 0.85), (1200.0, 700.0, 0.5)])
def test_a_sweep_is_one_pulse(ward, first_hz, last_hz, length_s):
    """Once it came back as a row of short tones, wherever the room let the sweep be loud."""
    machine = {
        "op": "periodic_tone", "fundamental_hz": first_hz, "harmonics": [[1.0, 0.0], [2.0, -12.0]],
        "pulses": [[0.0, length_s, 1.0, 0.0, last_hz / first_hz]], "period_s": 1.85, "rise_s": 0.01, "fall_s": 0.01,
    }  # fmt: skip
    _, recording = ward(machine, t60_s=0.5)
    (found,) = measure_equipment(recording, RATE).machines
    (pulse,) = found.cycle.pulses
    assert pulse.length_s == pytest.approx(length_s - 0.01, abs=0.015)
    assert pulse.glide == pytest.approx(last_hz / first_hz, rel=0.03)
    assert found.fundamental_hz == pytest.approx(first_hz, rel=0.02)
    ((_, _, pitch, _, glide),) = machine_op(found)["pulses"]
    assert (pitch, glide) == (1.0, pytest.approx(pulse.glide, abs=1e-3))


def test_a_held_pitch_is_no_sweep():
    """Nor is a row of held ones: a melody's line holds no more than that of its longest note."""
    held = np.full((100, 200), 1e-3)
    held[30] = 1.0
    assert line_of(held, 31.25, 0.002, 0.0, 0.4) is None
    melody = np.full((100, 200), 1e-3)
    for k, note in enumerate((20, 24, 28, 33)):
        melody[note, 50 * k : 50 * k + 50] = 1.0
    assert line_of(melody, 31.25, 0.002, 0.0, 0.4) is None
    swept = np.full((100, 200), 1e-3)
    swept[np.round(np.linspace(20, 40, 200)).astype(int), np.arange(200)] = 1.0
    line = line_of(swept, 31.25, 0.002, 0.0, 0.4)
    assert (line.first_hz, line.last_hz) == (pytest.approx(625.0, abs=32.0), pytest.approx(1250.0, abs=32.0))


def test_covariance_along_a_line_without_slope_is_that_of_a_held_tone():
    """Real, and the power of a dry gate where the room has no tail."""
    dry = swept_covariance(0.1, 0.3, RoomStatistics(0.03, 1.0), 0.0, 64)
    assert np.abs(dry.imag).max() == 0.0
    assert dry[30, 30] == pytest.approx(1.0)
    assert dry[2, 2] == pytest.approx(0.0)
