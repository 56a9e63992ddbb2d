"""Two machines at once: a slow alarm over a fast scanner, and the comb that parts them."""

import numpy as np
import pytest

from roomtone.measure.detection.comb import find_comb
from roomtone.measure.detection.machines import measure_equipment

RATE = 16000
SECONDS = 20


@pytest.fixture(scope="module")
def pairs(bench):
    return bench("measure_pairs")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("alarm", "room", "level_db"),
    [
        ("alarm_medium", "exam_room", 0),
        ("alarm_high", "ward", -6),
        ("alarm_high", "exam_room", 6),
    ],
)
def test_alarm_over_epi(pairs, alarm, room, level_db):
    """Both are found, and nothing else; each within the bounds of a machine that sounds alone, or the scanner as its own recorded cycle."""
    truths, recording = pairs.mixed(alarm, "mri_epi", room, level_db, 0)
    found = measure_equipment(recording, RATE).machines
    assert len(found) == 2
    checks = [pairs.best_check(op, tonal, found) for op, tonal in truths]
    assert all(checks[0].values())
    kept = [machine for machine in found if machine.recorded is not None]
    assert all(checks[1].values()) or (len(kept) == 1 and checks[1]["period"] and checks[1]["length"])


def test_a_scanner_alone_is_one_machine(ward):
    _, recording = ward("mri_epi", below_db=10)
    assert find_comb(recording, RATE) is not None
    assert len(measure_equipment(recording, RATE).machines) == 1


def test_a_comb_is_told_to_a_hundredth_of_a_line_and_taken_away():
    """A line of 20 s is 0.05 Hz wide, at 5 kHz 1e-5 of its frequency; a hundredth of that is 1e-7 of the period."""
    rng = np.random.default_rng(2)
    time = np.arange(SECONDS * RATE) / RATE
    period_s = 0.0667133
    hz = np.arange(1, 300) / period_s
    lines = sum(rng.standard_normal() * np.cos(2 * np.pi * (f * time + rng.random())) for f in hz)
    noise = 0.05 * lines.std() * rng.standard_normal(time.size)
    comb = find_comb(lines + noise, RATE)
    assert comb.period_s == pytest.approx(period_s, rel=1e-7)
    rest = lines + noise - comb.wave(time.size, RATE)
    # 500 of 160000 degrees of freedom go with the comb, -0.01 dB; linear interpolation between 16 points a sample adds a little
    assert 20 * np.log10(rest.std() / noise.std()) == pytest.approx(0.0, abs=0.1)


@pytest.mark.parametrize(
    "preset", ["alarm_medium", "busy_tone", "forklift", "reversing_alarm", "mains_hum_50", "mri_gre"]
)
def test_what_is_no_fast_machine_has_no_comb(ward, preset):
    """A tone that pauses has a fraction of its period as a near-comb, a steady one any multiple of its own."""
    _, recording = ward(preset)
    assert find_comb(recording, RATE) is None
