"""Room figures against closed forms: an exponential decay has its T30, C50 and DRR on paper."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from roomtone.augment.rooms.acoustics import decay_db, measure_response, noise_knee, octave_t30_s
from roomtone.core.errors import RoomtoneError


def exponential(t60_s: float, rate_hz: int, length_s: float) -> np.ndarray:
    """Amplitude falls by 60 dB in `t60_s`."""
    return np.exp(-math.log(1000) * np.arange(round(length_s * rate_hz)) / rate_hz / t60_s)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
@pytest.mark.parametrize("t60_s", [0.08, 0.4, 1.25])
def test_exponential_decay_has_its_reverberation_time(t60_s: float, rate_hz: int) -> None:
    rir = exponential(t60_s, rate_hz, 1.5 * t60_s)
    found = measure_response(rir, rate_hz, 0)
    # The backward sum ends at -90 dB: at -35 dB that is 3e-6 of the energy, far below 0.1 %.
    assert found.t30_s == pytest.approx(t60_s, rel=1e-3)
    assert found.t20_s == pytest.approx(t60_s, rel=1e-3)
    assert found.edt_s == pytest.approx(t60_s, rel=1e-3)


@pytest.mark.parametrize("t60_s", [0.3, 0.8])
def test_c50_of_an_exponential_decay(t60_s: float) -> None:
    """Energy e^(-2at) integrates to 1 - e^(-0.1a) before 50 ms and e^(-0.1a) after, a = ln 1000 / T60."""
    late = math.exp(-0.1 * math.log(1000) / t60_s)
    rir = exponential(t60_s, 16000, 2 * t60_s)
    assert measure_response(rir, 16000, 0).c50_db == pytest.approx(10 * math.log10((1 - late) / late), abs=0.01)


@pytest.mark.parametrize("drr_db", [-10.0, 0.0, 8.0])
def test_drr_of_a_pulse_before_a_tail(drr_db: float) -> None:
    """The tail begins 5 ms after the direct sound, outside its window of 2.5 ms."""
    tail = exponential(0.5, 16000, 1.0) * np.random.default_rng(1).choice([-1.0, 1.0], 16000)
    rir = np.concatenate([np.zeros(100), [math.sqrt((tail**2).sum() * 10 ** (drr_db / 10))], np.zeros(80), tail])
    assert measure_response(rir, 16000, 100).drr_db == pytest.approx(drr_db, abs=1e-6)


def test_decay_curve_is_the_energy_that_is_left() -> None:
    np.testing.assert_allclose(decay_db(np.array([9.0, 1.0, 1.0, 1.0]), 1), 10 * np.log10([1, 2 / 3, 1 / 3]))


def test_bands_are_told_apart(schroeder_t30: Callable[[np.ndarray, int, int], float]) -> None:
    """Two tones' worth of noise with different decays: each band shows its own. 10 %: a band of 180 Hz for 0.6 s is random."""
    from scipy import signal

    rng = np.random.default_rng(3)
    parts = []
    for centre, t60_s in ((250.0, 0.6), (2000.0, 0.3)):
        sos = signal.butter(4, [centre / 1.3, centre * 1.3], "bandpass", fs=16000, output="sos")
        parts.append(signal.sosfilt(sos, rng.standard_normal(20000))[2000:18000] * exponential(t60_s, 16000, 1.0))
    found = octave_t30_s(parts[0] + parts[1], 16000, 0)
    assert found[250.0] == pytest.approx(0.6, rel=0.1)
    assert found[2000.0] == pytest.approx(0.3, rel=0.1)
    assert list(octave_t30_s(parts[0], 8000, 0)) == [125.0, 250.0, 500.0, 1000.0, 2000.0]


@pytest.mark.parametrize(("noise_db", "t30", "t20"), [(-60.0, True, True), (-40.0, False, True), (-25.0, False, False)])
def test_noise_leaves_what_it_leaves(noise_db: float, t30: bool, t20: bool) -> None:
    """ISO 3382-2: 45 dB of range for T30, 35 dB for T20; below, the answer is NaN and the range is given."""
    rng = np.random.default_rng(5)
    rir = exponential(0.4, 16000, 1.0) * rng.standard_normal(16000)
    rir += 10 ** (noise_db / 20) * rng.standard_normal(16000)
    found = measure_response(rir, 16000, 0)
    assert math.isfinite(found.t30_s) == t30
    assert math.isfinite(found.t20_s) == t20
    assert found.decay_range_db == pytest.approx(
        -noise_db, abs=3.0
    )  # blocks of 5 ms of noise scatter by a decibel or two


def test_knee_lies_where_decay_meets_noise() -> None:
    """A fall of 60 dB in 0.4 s meets noise at -50 dB after 0.33 s."""
    rng = np.random.default_rng(6)
    rir = exponential(0.4, 16000, 1.0) * rng.standard_normal(16000) + 10**-2.5 * rng.standard_normal(16000)
    assert noise_knee(rir, 16000, 0) / 16000 == pytest.approx(0.33, abs=0.05)


def test_padding_is_no_noise_floor() -> None:
    rir = np.concatenate([exponential(0.4, 16000, 0.2), np.zeros(16000)])  # ends at -30 dB
    assert measure_response(rir, 16000, 0).decay_range_db < 35
    assert math.isnan(measure_response(rir, 16000, 0).t30_s)


def test_a_single_pulse_has_no_ratios() -> None:
    found = measure_response(np.eye(1, 800, 10)[0], 16000, 10)
    assert math.isnan(found.c50_db)
    assert math.isnan(found.drr_db)
    assert math.isnan(found.t30_s)


@pytest.mark.parametrize(
    ("rir", "direct", "match"),
    [
        (np.ones((2, 100)), 0, "one channel"),
        (np.ones(100), 100, "sample 100 of 100"),
        (np.array([1.0, np.nan]), 0, "not finite"),
        (np.array([1.0, 0.0, 0.0]), 1, "silent from the direct"),
    ],
)
def test_what_is_no_response_is_refused(rir: np.ndarray, direct: int, match: str) -> None:
    with pytest.raises(RoomtoneError, match=match):
        measure_response(rir, 16000, direct)
