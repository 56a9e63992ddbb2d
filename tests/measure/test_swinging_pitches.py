"""A gate and a pitch that swings, with one period, in a room that rings for longer than it: the level over a cycle tells neither, the lines do."""

import numpy as np
import pytest

from roomtone.measure.detection.machines import measure_equipment

RATE = 16000
LEAD, COUNT = 2 * RATE, 20 * RATE


def in_a_ward(dry, rng):
    """Sound in a room of 0.9 s, far from the source, with pink-like hiss 26 dB below; -20 dB RMS."""
    from scipy.signal import fftconvolve

    time = np.arange(RATE) / RATE
    response = rng.standard_normal(RATE) * 10 ** (-3 * time / 0.9) * (time > 0.004)
    response[0] = 0.2 * np.sqrt((response**2).sum())
    heard = fftconvolve(dry, response)[LEAD:][:COUNT]
    return 0.1 * heard / heard.std() + 0.005 * rng.standard_normal(COUNT)


def harmonics(phase, rng):
    return sum(10 ** (-0.5 * k) * np.sin(n * phase + 6 * rng.random()) for k, n in enumerate((1, 2, 3, 4)))


def gated(period_s, length_s, hz, rng):
    since = np.arange(LEAD + COUNT) / RATE % period_s
    return harmonics(2 * np.pi * hz * since, rng) * np.clip(np.minimum(since, length_s - since) / 0.008, 0, 1)


def swinging(period_s, depth, hz, rng):
    time = np.arange(LEAD + COUNT) / RATE
    swing = depth * period_s / (2 * np.pi) * np.sin(2 * np.pi * time / period_s)
    return harmonics(2 * np.pi * hz * (time + swing), rng)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "period_s", "length_s", "hz"), [(1, 0.32, 0.25, 950.0), (2, 0.25, 0.15, 1080.0), (3, 0.19, 0.11, 630.0)]
)
def test_a_gate_is_found_where_the_room_hides_it(seed, period_s, length_s, hz):
    """An oximeter's alarm in a ward was written as its recorded cycle, without pitch or length; the room leaves 30 ms of the length uncertain."""
    rng = np.random.default_rng([seed, 0])
    found = measure_equipment(in_a_ward(gated(period_s, length_s, hz, rng), rng), RATE).machines[0]
    assert found.recorded is None
    assert found.fundamental_hz == pytest.approx(hz, rel=0.005)
    assert found.period_s == pytest.approx(period_s, rel=0.02)
    assert [pulse.length_s for pulse in found.cycle.pulses] == [pytest.approx(length_s, abs=0.03)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "period_s", "depth", "hz"), [(1, 0.24, 0.017, 806.0), (2, 0.36, 0.026, 436.0), (3, 0.15, 0.018, 656.0)]
)
def test_a_pitch_that_swings_is_no_gate(seed, period_s, depth, hz):
    rng = np.random.default_rng([seed, 1])
    found = measure_equipment(in_a_ward(swinging(period_s, depth, hz, rng), rng), RATE).machines
    assert all(machine.recorded is not None or machine.kind == "steady" for machine in found)
