"""Sounders whose overtones come near half the rate."""

import pytest

from roomtone.measure.detection.machines import measure_equipment

RATE = 16000


@pytest.mark.parametrize("hz", [2350.0, 3400.0, 3900.0])
def test_the_band_beside_the_last_overtone_may_lie_beyond_half_the_rate(ward, hz):
    """Half a fundamental above the second multiple of 3.4 kHz is 8.5 kHz: asked of a recording at 16 kHz, this once raised a ValueError."""
    machine = {
        "op": "periodic_tone", "fundamental_hz": hz, "harmonics": [[1.0, 0.0]], "pulses": [[0.0, 0.3]], "period_s": 1.0,
        "rise_s": 0.005, "fall_s": 0.005,
    }  # fmt: skip
    _, recording = ward(machine)
    found = measure_equipment(recording, RATE).machines[0]
    assert found.fundamental_hz == pytest.approx(hz, rel=0.005)
    assert found.period_s == pytest.approx(1.0, rel=0.02)
