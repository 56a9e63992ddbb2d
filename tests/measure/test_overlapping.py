"""Pulses that set in while another sounds."""

import numpy as np
import pytest

from roomtone.measure.detection.machines import burst_pitch, measure_equipment
from roomtone.measure.gating.basebands import Basebands
from roomtone.measure.pulses.overlapping import find_late_pulses, without_late_pulses
from roomtone.measure.spectra.spectrogram import Partial

RATE = 16000


def test_a_beep_over_a_whirr_is_a_pulse_of_its_own(ward):
    """Both are heard at once: their level tells of one pulse, and its pitch and length were the whirr's alone."""
    machine = {
        "op": "periodic_tone", "fundamental_hz": 180.0, "harmonics": [[1.0, 0.0], [2.0, -3.0], [3.0, -8.0]],
        "pulses": [[0.0, 1.5], [0.6, 0.4, 5.0, -3.0]], "period_s": 4.0, "rise_s": 0.02, "fall_s": 0.02,
    }  # fmt: skip
    _, recording = ward(machine)
    (found,) = measure_equipment(recording, RATE).machines
    whirr, beep = found.cycle.pulses
    assert burst_pitch([whirr]) == pytest.approx(180.0, rel=0.005)
    assert burst_pitch([beep]) == pytest.approx(900.0, rel=0.005)
    assert whirr.length_s == pytest.approx(1.48, abs=0.015)
    assert beep.length_s == pytest.approx(0.38, abs=0.015)
    assert beep.onset_s - whirr.onset_s == pytest.approx(0.6, abs=0.02)


def test_what_begins_together_is_one_pulse():
    time = np.arange(10 * RATE) / RATE
    since = time % 2.5
    low, high = np.sin(2 * np.pi * 300 * time), np.sin(2 * np.pi * 1000 * time)
    recording = low * ((since > 0.5) & (since < 1.5)) + 1e-3 * np.random.default_rng(0).standard_normal(time.size)
    partials = [Partial(300.0, 0.5, 40.0), Partial(1000.0, 0.5, 40.0)]
    starts = 2.5 * np.arange(4)
    span = (0.5, 1.0)
    same = Basebands(recording + high * ((since > 0.5) & (since < 1.5)), RATE)
    assert find_late_pulses(same, starts, span, partials) == []
    later = Basebands(recording + high * ((since > 0.9) & (since < 1.2)), RATE)
    (((onset, length), own),) = find_late_pulses(later, starts, span, partials)
    assert (onset, length) == (pytest.approx(0.9, abs=0.02), pytest.approx(0.3, abs=0.04))
    assert own == partials[1:]
    assert without_late_pulses(partials, [((onset, length), own)]) == partials[:1]
