"""Echo residue against what least squares say can be cancelled at best, and its course while the canceller converges."""

import numpy as np
import pytest
import scipy.integrate
import soxr

from roomtone.augment.condition import Condition
from roomtone.augment.ops.sources.echo import EchoResidue, cancel, loudspeaker
from roomtone.core.errors import RoomtoneError

RATE = 8000
TAPS = 128


def decibels(part, whole):
    return 10 * np.log10(np.mean(part**2) / np.mean(whole**2))


def best_linear(far, echo):
    """What the best filter of that length leaves: least squares over all delays at once."""
    delayed = np.stack([np.concatenate([np.zeros(k), far[: far.size - k]]) for k in range(TAPS)], axis=1)
    weights, *_ = np.linalg.lstsq(delayed, echo, rcond=None)
    return echo - delayed @ weights


def test_the_loudspeaker_is_the_integral_of_a_gaussian():
    for x in (-1.0, -0.3, 0.05, 0.8):
        wanted, _ = scipy.integrate.quad(lambda z: np.exp(-(z**2) / (2 * 0.2)), 0, x)
        assert loudspeaker(np.array([x]), 0.2)[0] == pytest.approx(wanted, rel=1e-9)
    assert loudspeaker(np.array([0.5]), 1e4)[0] == pytest.approx(0.5, rel=1e-4)


def test_a_linear_echo_within_the_filter_disappears_and_a_bent_one_does_not():
    rng = np.random.default_rng(0)
    far = 0.3 * rng.standard_normal(3 * RATE)
    path = rng.standard_normal(TAPS) * 10 ** (-2 * np.arange(TAPS) / TAPS)
    end = slice(2 * RATE, None)
    straight = np.convolve(far, path)[: far.size]
    left = cancel(far, straight, TAPS)
    assert decibels(left[:TAPS], straight[:TAPS]) == pytest.approx(0.0, abs=0.01)  # it knows nothing yet
    assert decibels(left[end], straight[end]) < -60
    bent = np.convolve(loudspeaker(far, 0.2), path)[: far.size]
    found, best = decibels(cancel(far, bent, TAPS)[end], bent[end]), decibels(best_linear(far, bent)[end], bent[end])
    assert best < -10
    assert best - 0.1 < found < best + 4  # an adaptive filter follows its own noise: misadjustment


def test_what_lies_beyond_the_filter_stays():
    rng = np.random.default_rng(1)
    far = 0.1 * rng.standard_normal(4 * RATE)
    path = np.zeros(3 * TAPS)
    path[5], path[2 * TAPS] = 1.0, 0.1
    echo = np.convolve(far, path)[: far.size]
    left = cancel(far, echo, TAPS)[3 * RATE :]
    assert decibels(left, echo[3 * RATE :]) == pytest.approx(-20.0, abs=3.0)


def test_the_residue_falls_while_the_canceller_converges_and_a_call_that_runs_begins_lower():
    """By 10 dB and more from the first 0.3 s to the last second, re the far end's voice; a call 3 s old begins converged."""
    rng = np.random.default_rng(2)
    voice = (0.1 * rng.standard_normal(4 * RATE)).astype(np.float32)
    fresh = EchoResidue(voices=(("a",),), offsets=(0.0,), bend=10.0, seed=1, decay_s=0.05)
    course = fresh.render(4 * RATE, RATE, lambda *_: voice)
    assert decibels(course[: RATE // 20], course[3 * RATE :]) > 10
    old = EchoResidue(voices=(("a",),), offsets=(0.0,), bend=10.0, seed=1, decay_s=0.05, running_s=3.0)
    course = old.render(4 * RATE, RATE, lambda *_: voice)
    assert abs(decibels(course[: RATE // 2], course[3 * RATE :])) < 3


@pytest.mark.parametrize("rate", [8000, 48000])
def test_its_level_is_the_labels(speech, rate):
    render = Condition(noise="echo_residue@10dB").render(soxr.resample(speech, 16000, rate), rate, key="a")
    assert render.measured["measured_snr_db"] == pytest.approx(10.0, abs=0.1)
    assert EchoResidue.at_microphone  # no room changes it: tests/augment/ops/sources/test_wind.py


@pytest.mark.parametrize(
    ("fields", "match"), [({"decay_s": 200.0}, "in ms"), ({"bend": 0.0}, "above 0"), ({"running_s": -1.0}, r"0\.\.60")]
)
def test_what_cannot_be_is_refused(fields, match):
    with pytest.raises(RoomtoneError, match=match):
        EchoResidue(**fields)
