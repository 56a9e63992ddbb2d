"""A weak multiple of a pitch that wanders."""

import numpy as np
import pytest

from roomtone.measure.detection.weak_harmonics import weak_multiples
from roomtone.measure.spectra.spectrogram import Partial

RATE = 16000


def humming(rng, levels, *, hz=300.0, drift=0.001):
    """Multiples of a pitch that wanders by a thousandth, in white noise of 1e-2."""
    time = np.arange(20 * RATE) / RATE
    turns = hz * (time - drift * 7.0 / (2 * np.pi) * np.cos(2 * np.pi * time / 7.0))
    tone = sum(level * np.sin(2 * np.pi * n * turns + n) for n, level in levels.items())
    return tone + 1e-2 * rng.standard_normal(time.size)


def test_a_weak_multiple_has_its_level():
    """The fifth is 40 dB below: a line of 1 Hz would hold as much noise as it, wander and all."""
    recording = humming(np.random.default_rng(1), {1: 0.1, 2: 0.05, 5: 0.001})
    known = [Partial(300.0, 0.005, 40.0), Partial(600.0, 0.00125, 30.0)]
    (fifth,) = weak_multiples(recording, RATE, known, 300.0)
    assert fifth.hz == pytest.approx(1500.0, rel=1e-3)
    assert 10 * np.log10(fifth.power / 5e-7) == pytest.approx(0.0, abs=1.5)


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_no_multiples(seed):
    recording = humming(np.random.default_rng(seed), {1: 0.1})
    assert weak_multiples(recording, RATE, [Partial(300.0, 0.005, 40.0)], 300.0) == []
