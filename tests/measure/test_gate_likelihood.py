"""GateSequence of tones heard through random rooms of known statistics, and bursts through rooms of known decay."""

import numpy as np
import pytest

from roomtone.measure.detection.aperiodic import mean_period
from roomtone.measure.gating.basebands import coherent_mean
from roomtone.measure.gating.gate_likelihood import (
    GateLikelihood,
    GateSequence,
    PulseSegment,
    RoomStatistics,
    gate_envelope,
    log_likelihood,
    room_covariance,
)
from roomtone.measure.gating.gate_search import fit_gates
from roomtone.measure.gating.noise_bursts import add_reverberant_tail, fit_bursts, squared_gate
from roomtone.measure.pulses.partials import without_close, without_skirts
from roomtone.measure.pulses.timing import snap_to_harmonics, with_pitch_offsets
from roomtone.measure.spectra.spectrogram import Partial

STEP_S = 0.002
KERNEL_S = 0.005


def through_random_rooms(envelope, *, tau_s, columns=4, seed=0):
    """An envelope convolved with complex Gaussian responses of a known decay, and hiss 50 dB below."""
    rng = np.random.default_rng(seed)

    def complex_noise(*shape):
        return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)

    size = envelope.size
    decay = np.exp(-np.arange(size) * STEP_S / tau_s)
    heard = [np.convolve(envelope, complex_noise(size) * decay)[:size] for _ in range(columns)]
    z = np.stack([one / np.sqrt(np.quantile(np.abs(one) ** 2, 0.9)) for one in heard], axis=1)
    return z + 0.002 * complex_noise(*z.shape)


@pytest.mark.parametrize("tau_s", [0.06, 0.1])
@pytest.mark.parametrize("length_s", [0.05, 0.12])
def test_a_gate_comes_back_out_of_a_room(length_s, tau_s):
    """Rooms of 0.4 and 0.7 s: levels would be late by tau * ln 2 = 40 to 70 ms."""
    times = np.arange(150) * STEP_S
    envelope = gate_envelope(0.06, length_s, False, 0.01, KERNEL_S, times)
    segment = PulseSegment(through_random_rooms(envelope, tau_s=tau_s), STEP_S, KERNEL_S, 1e-5)
    fit = fit_gates(segment, [(0.07, 0.07 + length_s + 0.05)], latest_s=0.29)
    assert not fit.gates.decaying
    (found,) = fit.gates.rows
    assert found[0] == pytest.approx(0.06, abs=0.006)
    assert found[1] == pytest.approx(length_s, abs=0.006)


def test_a_level_with_a_dip_in_it_is_one_gate():
    times = np.arange(140) * STEP_S
    whole = gate_envelope(0.06, 0.16, False, 0.01, KERNEL_S, times)
    segment = PulseSegment(through_random_rooms(whole, tau_s=0.08, seed=4), STEP_S, KERNEL_S, 1e-5)
    (row,) = fit_gates(segment, [(0.065, 0.09), (0.12, 0.25)], latest_s=0.27).gates.rows
    assert row == pytest.approx((0.06, 0.16), abs=0.01)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_knock_is_not_longer_for_its_room(seed):
    """Struck once, dying away with 20 ms, in a room of 0.6 s: of time constants that are about as likely the shortest is taken."""
    times = np.arange(150) * STEP_S
    envelope = gate_envelope(0.06, 0.02, True, 0.004, KERNEL_S, times)
    segment = PulseSegment(through_random_rooms(envelope, tau_s=0.09, seed=seed), STEP_S, KERNEL_S, 1e-5)
    fit = fit_gates(segment, [(0.065, 0.2)], latest_s=0.29)
    assert fit.gates.decaying
    ((on_s, decay_s),) = fit.gates.rows
    assert on_s == pytest.approx(0.06, abs=0.006)
    assert 0.01 < decay_s < 0.03


def test_partials_of_two_pulses_are_one_partial_of_each():
    """Two pulses 0.245 s apart put sidebands 4 and 8 Hz beside each partial; one pulse of 0.174 s has none there."""
    tones = [
        Partial(hz, power, 20.0)
        for hz, power in ((261.7, 1.0), (785.0, 0.7), (531.2, 0.6), (1046.5, 0.5), (523.2, 0.4))
    ]
    assert [p.hz for p in without_close(tones, 0.174)] == [261.7, 785.0, 1046.5, 523.2]
    assert [p.hz for p in without_close(tones, 0.3)] == [261.7, 785.0, 531.2, 1046.5, 523.2]


def test_a_gate_comes_back_though_its_pitch_is_off():
    """By 4 Hz over 0.12 s, half a turn: asked at 0 Hz, two gates with a gap would be likelier."""
    times = np.arange(150) * STEP_S
    turning = gate_envelope(0.06, 0.12, False, 0.01, KERNEL_S, times) * np.exp(8j * np.pi * times)
    segment = PulseSegment(
        through_random_rooms(turning, tau_s=0.08, seed=1), STEP_S, KERNEL_S, 1e-5, columns=(0, 1, 2, 3)
    )
    tones = [Partial(hz, 1.0, 20.0) for hz in (500.0, 500.0, 500.0, 500.0)]
    loose = with_pitch_offsets(segment, tones, 5.0, 13, apart=True)
    (row,) = fit_gates(loose, [(0.07, 0.23)], latest_s=0.29).gates.rows
    assert row == pytest.approx((0.06, 0.12), abs=0.006)


def test_a_knock_beside_the_middle_of_its_band_is_heard_where_it_is():
    """25 Hz beside the middle of a kernel that is 20 ms long: turned back whole, kernel and all, it seems nearer than it is."""
    times, kernel_s = np.arange(120) * STEP_S, 0.01
    knock = gate_envelope(0.05, 0.006, True, 0.004, kernel_s, times, off_hz=25.0)
    segment = PulseSegment(through_random_rooms(knock, tau_s=0.08, columns=12), STEP_S, kernel_s, 1e-5)
    gates, room, tried = (
        GateSequence(((0.05, 0.006),), True),
        RoomStatistics(0.08, 0.02, 0.004),
        np.linspace(0.0, 40.0, 41),
    )
    offsets = np.tile(tried, (12, 1))
    exact = GateLikelihood(segment).offset_likelihood(gates, room, offsets).sum(axis=0)
    turned_back = GateLikelihood(segment).pitch_likelihood(gates, room, offsets).sum(axis=0)
    assert tried[exact.argmax()] == pytest.approx(25.0, abs=3.0)
    assert tried[turned_back.argmax()] < 18.0


def test_what_comes_back_does_so_at_any_time():
    """The covariance of a gate by a sum over delays of 2 ms is that of one over 0.5 ms, at steps of 8 ms too."""
    room, size, step_s = RoomStatistics(0.08, 0.2, 0.006), 40, 0.008
    found = []
    for finer in (1, 4, 16):
        delays = round(4.0 * room.tau_s / step_s) * finer
        times = np.arange(-delays, size * finer) * step_s / finer
        heard = gate_envelope(0.05, 0.1, False, room.edge_s, KERNEL_S, times)
        found.append(room_covariance(heard, room, step_s, size, finer))
    assert np.abs(found[1] - found[2]).max() < 0.02 * found[2].max()
    assert np.abs(found[0] - found[2]).max() > 0.05 * found[2].max()


def test_gate_edges_are_at_half_height():
    times = np.arange(0, 0.3, 0.0005)
    plain = gate_envelope(0.1, 0.1, False, 0.02, 0.0, times)
    assert np.interp([0.1, 0.2], times, plain) == pytest.approx([0.5, 0.5], abs=0.02)
    assert plain[times < 0.089].max() == 0.0
    decaying = gate_envelope(0.1, 0.05, True, 0.001, 0.0, times)
    assert np.interp(0.1 + 0.05 * np.log(2), times, decaying) == pytest.approx(0.5, abs=0.01)


def test_likelihood_of_white_noise_is_that_of_its_formula():
    """Identity covariance: -n log of the mean square, nothing from the determinant."""
    z = np.random.default_rng(1).standard_normal((64, 1)) + 0j
    assert log_likelihood(z, np.eye(64)) == pytest.approx(-64 * np.log(np.mean(np.abs(z) ** 2)))


def test_bursts_of_noise_in_a_decaying_room():
    hop_s = 0.002
    times = np.arange(1000) * hop_s
    power = squared_gate(0.3, 0.4, 0.05, 0.2, times) + 0.3 * squared_gate(1.0, 0.5, 0.05, 0.2, times)
    rng = np.random.default_rng(3)
    level = (1e-3 + add_reverberant_tail(power, hop_s, 0.09, 0.7)) * rng.gamma(60, 1 / 60, times.size)
    found = fit_bursts(level, hop_s, [(0.28, 0.6), (0.97, 0.7)])
    assert [burst.length_s for burst in found] == pytest.approx([0.4, 0.5], abs=0.015)


def test_cycles_at_any_phase_add_up():
    rng = np.random.default_rng(0)
    one = rng.standard_normal(50) + 1j * rng.standard_normal(50)
    turned = one[:, None] * np.exp(2j * np.pi * rng.random(9))
    mean, share = coherent_mean(turned)
    assert share == pytest.approx(1.0)
    assert np.abs(np.vdot(mean, one)) == pytest.approx(np.linalg.norm(mean) * np.linalg.norm(one))
    assert coherent_mean(rng.standard_normal((50, 9)))[1] < 0.4


def test_harmonics_are_moved_onto_one_fundamental():
    drawn_aside = [Partial(103.0, 1.0, 20.0), Partial(199.5, 0.5, 20.0), Partial(300.5, 0.5, 20.0)]
    moved = [p.hz for p in snap_to_harmonics(drawn_aside, 0.15)]
    assert moved == pytest.approx([moved[0], 2 * moved[0], 3 * moved[0]])
    assert moved[0] == pytest.approx(100.3, abs=0.5)
    modes = [Partial(330.0, 1.0, 20.0), Partial(604.0, 0.5, 20.0), Partial(894.0, 0.3, 20.0)]
    assert snap_to_harmonics(modes, 0.5) == modes
    assert snap_to_harmonics(modes, 0.014) == modes  # a knock so short that 330 Hz / 7 has multiples near all three


def test_skirts_are_no_partials():
    """Beside a tone of 50 ms, 20 Hz away: its spectrum is 10 dB down there, and so is this peak; 500 Hz away it is a partial."""
    tone, skirt, other = Partial(1000.0, 1.0, 30.0), Partial(1020.0, 0.1, 20.0), Partial(1500.0, 0.1, 20.0)
    assert without_skirts([tone, skirt, other], 0.05) == [tone, other]


def test_period_of_what_comes_early_or_late():
    """Uniformly by up to 10 %: the extremes tell it better than a mean, 1 % with twelve events."""
    rng = np.random.default_rng(2)
    onsets = 2.0 * np.arange(12) + rng.uniform(-0.2, 0.2, 12)
    assert mean_period(onsets) == pytest.approx(2.0, rel=0.01)
