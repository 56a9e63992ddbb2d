"""What passes and what sounds at random has no period and no steady pitch: nothing is claimed of it. Deviations that add up are told from a grid."""

import numpy as np
import pytest

from roomtone.measure.detection.machines import measure_equipment
from roomtone.measure.presets import machine_op


@pytest.fixture(scope="session")
def kinds(helper):
    return helper("eight_kinds")


@pytest.fixture(scope="session")
def moving(helper):
    return helper("moving_kinds")


@pytest.mark.parametrize(
    "kind", ["random_beeps", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("passing_siren", "passing_hum"))]
)
def test_nothing_is_claimed_of_what_passes_or_comes_at_random(kinds, moving, kind):
    assert measure_equipment(moving.recording(kinds, kind, 1, 25.0), kinds.RATE).machines == ()


@pytest.mark.slow
def test_deviations_that_add_up_are_told_from_a_grid(kinds, moving):
    """On a grid of the same deviations the spread of 34 starts is that of one; here it once was written as a grid's 83 ms."""
    (found,) = measure_equipment(moving.recording(kinds, "adding_up", 1, 25.0), kinds.RATE).machines
    op = machine_op(found)
    assert op["timing"] == "accumulate"
    assert op["period_s"] == pytest.approx(0.7, rel=0.02)  # the mean of 34 steps of +-42 ms
    assert op["jitter_s"] == pytest.approx(0.042, rel=0.3)
    rng = np.random.default_rng(3)
    starts = kinds.starts_of(0.7, rng, lambda count: 0.042 * rng.uniform(-1, 1, count))
    grid = kinds.place(moving.beep(kinds, rng, 0.12), starts)[round(kinds.LEAD_S * kinds.RATE) :]
    (found,) = measure_equipment(grid + 1e-3 * kinds.pink(grid.size, rng), kinds.RATE).machines
    assert "timing" not in machine_op(found)
