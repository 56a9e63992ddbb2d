"""`periodic_tone` beyond its presets: band limit, drift, jitter, pre-roll, the conditional start, and what it refuses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.sources.periodic_tone import PeriodicTone
from roomtone.augment.ops.sources.schedule import draw_start
from roomtone.core.errors import RoomtoneError

RATE = 16000


def rendered(tone, seconds=2.0, rate=RATE, **kwargs):
    return tone.render(round(seconds * rate), rate, None, **kwargs)


def test_it_equals_the_closed_form(drawn):
    """A second implementation: the sum of sines, straight from the drawn numbers, in float64."""
    tone = drawn(PeriodicTone(fundamental_hz=523.25, harmonics=((1.0, 0.0), (2.5, -6.0), (4.0, -20.0))), 4.0, RATE)
    time = np.arange(4 * RATE) / RATE
    amplitude = 10 ** (np.array([0.0, -6.0, -20.0]) / 20)
    amplitude *= 0.1 / np.sqrt((amplitude**2).sum() / 2)
    expected = sum(
        a * np.cos(2 * np.pi * (ratio * 523.25 * time + phase))
        for a, (ratio, _), phase in zip(amplitude, tone.harmonics, tone.phases)
    )
    np.testing.assert_allclose(rendered(tone, 4.0), expected, atol=2e-8)  # half a float32 step at 0.2


def test_it_stays_in_tune_for_an_hour(drawn):
    """Rotations that are multiplied up drift away; here each block starts from the closed form."""
    tone = drawn(PeriodicTone(fundamental_hz=1000.1), 3600.0, 8000)
    samples = tone.render(3600 * 8000, 8000, None)[-8000:]
    time = 3599 + np.arange(8000) / 8000
    expected = 0.1 * np.sqrt(2) * np.cos(2 * np.pi * ((1000.1 * time + tone.phases[0]) % 1.0))
    np.testing.assert_allclose(samples, expected, atol=1e-7)


@pytest.mark.parametrize(("rate", "heard"), [(8000, 3), (16000, 7), (48000, 20)])
def test_partials_above_the_band_limit_are_left_out(drawn, power_spectrum, rate, heard):
    """1 kHz with 20 partials of equal level: only those up to 0.45 of the rate, none folded back."""
    tone = drawn(PeriodicTone(fundamental_hz=1000.0, harmonics=tuple((float(k), 0.0) for k in range(1, 21))), 1.0, rate)
    _, power = power_spectrum(rendered(tone, 1.0, rate), rate)
    lines = np.array([power[1000 * k - 4 : 1000 * k + 5].sum() for k in range(1, rate // 2000)])
    assert (lines > 0.5 * lines[0]).sum() == heard
    power[[1000 * k + d for k in range(1, heard + 1) for d in range(-4, 5)]] = 0.0
    assert power.max() < 1e-9 * lines[0]


def test_a_glide_that_would_leave_the_band_is_left_out_whole(drawn, power_spectrum):
    tone = PeriodicTone(fundamental_hz=2000.0, harmonics=((1.0, 0.0), (2.0, 0.0)), pulses=((0.0, 1.0, 1.0, 0.0, 2.0),))
    frequency, power = power_spectrum(rendered(drawn(tone, 1.0, RATE, start_s=0.0), 1.0), RATE)
    assert power[frequency > 4200].sum() < 1e-8 * power.sum()  # the octave would end at 8 kHz: it never starts


def test_nothing_below_the_band_limit_is_an_error(drawn):
    with pytest.raises(RoomtoneError, match="inaudible at 8000 Hz"):
        drawn(PeriodicTone(fundamental_hz=5600.0), 1.0, 8000)


def test_drift_stays_inside_its_share_and_moves(drawn):
    from scipy.signal import hilbert

    tone = drawn(PeriodicTone(fundamental_hz=1000.0, drift=0.01), 30.0, RATE)
    phase = np.unwrap(np.angle(hilbert(rendered(tone, 30.0).astype(np.float64)))) / (2 * np.pi)
    pitch = np.gradient(phase)[RATE:-RATE] * RATE
    assert 0.002 < np.ptp(pitch) / 1000 < 0.0201
    assert np.abs(pitch / 1000 - 1).max() < 0.0101
    assert np.abs(np.diff(pitch)).max() < 0.05  # it wanders, it does not jump


def test_jitter_is_bounded_and_spares_the_burst_that_was_placed(drawn):
    tone = PeriodicTone(pulses=((0.0, 0.1),), period_s=0.5, jitter_s=0.05)
    op = drawn(tone, 60.0, RATE)
    onsets = np.array(op.onsets_s(0.0, 60.0))
    off = (onsets - op.start_s + 0.25) % 0.5 - 0.25
    assert np.abs(off).max() <= 0.05
    assert off.std() == pytest.approx(0.05 / np.sqrt(3), rel=0.25)  # uniform, 120 bursts
    assert np.abs(onsets - op.start_s).min() == 0.0


def test_amplitude_modulation_has_its_depth_and_rate(drawn, power_spectrum):
    tone = drawn(PeriodicTone(fundamental_hz=1000.0, am_hz=20.0, am_depth=0.5), 2.0, RATE)
    _, power = power_spectrum(rendered(tone), RATE)
    lines = [power[2 * f - 4 : 2 * f + 5].sum() for f in (980, 1000, 1020)]  # 0.5 Hz a bin
    assert 10 * np.log10(lines[0] / lines[1]) == pytest.approx(20 * np.log10(0.25), abs=0.01)  # depth/2 each
    assert 10 * np.log10(lines[2] / lines[1]) == pytest.approx(20 * np.log10(0.25), abs=0.01)


@pytest.mark.parametrize("drift", [0.0, 0.001])
def test_the_preroll_is_the_time_before_and_changes_nothing_after(drawn, drift):
    tone = drawn(PeriodicTone(pulses=((0.0, 0.13), (0.2, 0.1, 1.5)), period_s=0.4, drift=drift), 2.0, RATE)
    late, early = rendered(tone), rendered(tone, preroll_samples=12345)
    np.testing.assert_allclose(early[12345:], late, atol=1e-7)  # other block borders, other last bits
    assert np.abs(early[:12345]).max() > 0.1


def test_pulses_do_not_click(drawn, power_spectrum):
    """A raised cosine of 5 ms around 1 kHz leaves less than -60 dB beyond 3 kHz."""
    tone = drawn(PeriodicTone(fundamental_hz=1000.0, pulses=((0.0, 0.1),), period_s=0.25), 2.0, RATE)
    frequency, power = power_spectrum(rendered(tone), RATE)
    assert 10 * np.log10(power[frequency > 3000].sum() / power.sum()) < -60


def test_restart_plays_the_same_pulse_each_time(drawn):
    tone = PeriodicTone(
        fundamental_hz=333.3, harmonics=((1.0, 0.0), (2.7, 0.0)), pulses=((0.0, 0.2),), period_s=0.5, restart=True
    )
    samples = rendered(drawn(tone, 3.0, RATE, start_s=0.25), 3.0)
    first, second = (samples[int(t * RATE) : int(t * RATE) + 3200] for t in (0.25, 0.75))
    np.testing.assert_allclose(first, second, atol=1e-7)
    running = rendered(drawn(dataclasses.replace(tone, restart=False), 3.0, RATE, start_s=0.25), 3.0)
    assert np.abs(running[4000:7200] - running[12000:15200]).max() > 0.01


pulse_rows = st.lists(
    st.tuples(st.floats(0.0, 2.0, allow_subnormal=False), st.floats(0.01, 1.5)), min_size=1, max_size=5
)


@given(
    rows=pulse_rows,
    free_s=st.floats(0.0, 20.0),
    single=st.booleans(),
    seconds=st.floats(0.05, 12.0),
    share=st.floats(0, 1, exclude_max=True),
)
@settings(max_examples=400, deadline=None)
def test_the_start_puts_a_whole_pulse_into_the_file(rows, free_s, single, seconds, share):
    """Or, where no pulse fits, the whole file into a pulse; for any pattern, period and length."""
    pulses = np.array(rows)
    period_s = 0.0 if single else pulses.sum(axis=1).max() + free_s
    start = draw_start(pulses, period_s, seconds, share)
    begins, ends = start + pulses[:, 0], start + pulses.sum(axis=1)
    if (pulses[:, 1] <= seconds).any():
        # the pulses of burst 0 itself: jitter may move the others
        assert ((begins >= -1e-8) & (ends <= seconds + 1e-8)).any()
    else:
        assert ((begins <= 1e-8) & (ends >= seconds - 1e-8)).any()


def test_all_admissible_starts_are_equally_likely():
    """In a file longer than the period every phase is admissible: the phases are uniform (chi-square, 20 classes)."""
    from scipy.stats import chisquare

    pulses, rng = np.array([[0.0, 0.3], [0.5, 0.2]]), np.random.default_rng(1)
    phases = [draw_start(pulses, 2.0, 5.0, share) % 2.0 for share in rng.random(4000)]
    assert chisquare(np.histogram(phases, 20, (0, 2))[0]).pvalue > 1e-3
    # and in a short file the admissible 0.4 + 0.3 s of phases, each pulse by its room: 4 to 3 (within 4 sigma)
    starts = np.array([draw_start(pulses, 20.0, 0.5, share) for share in rng.random(4000)])
    assert abs((starts >= 0).mean() - 0.2 / 0.5) < 0.04


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"fundamental_hz": 0.0}, "above 0"),
        ({"fundamental_hz": (500.0, 400.0)}, r"fundamental_hz must be \[low, high\]"),
        ({"harmonics": ()}, "nothing sounds"),
        ({"harmonics": ((-1.0, 0.0),)}, "ratio above 0"),
        ({"pulses": ((0.0, 1.0),), "period_s": 0.8}, "lasts 1 s but the next may start after 0.8 s"),
        ({"pulses": ((0.0, 1.0),), "period_s": 1.2, "jitter_s": 0.2}, "may start after 0.8 s"),
        ({"pulses": ((0.0,),)}, "a pulse is"),
        ({"pulses": ((0.0, 0.1, 1.0, 0.0, -1.0),)}, "a pulse is"),
        ({"period_s": 1.0}, "without pulses"),
        ({"rise_s": 0.0}, "click"),
        ({"drift": 5.0}, "shares, not percent"),
        ({"jitter_s": -1.0}, "must not be negative"),
        ({"noise_band_hz": (500.0, 100.0)}, "noise_band_hz"),
        ({"phases": (0.0,)}, "phases needs 2 values"),
    ],
)
def test_what_cannot_be_is_refused(fields, message):
    with pytest.raises(RoomtoneError, match=message):
        PeriodicTone(**fields)


def test_an_undrawn_op_says_so():
    with pytest.raises(RoomtoneError, match=r"call draw\(\)"):
        rendered(PeriodicTone(pulses=((0.0, 0.1),), period_s=1.0))


def test_values_given_by_hand_stay_and_move_no_other_draw():
    tone = PeriodicTone(fundamental_hz=(400.0, 500.0), pulses=((0.0, 0.1),), period_s=(1.0, 2.0))
    context = DrawContext(48000, RATE)
    free = tone.draw(np.random.default_rng(1), context)
    pinned = dataclasses.replace(tone, fundamental_hz=440.0, start_s=0.5, seed=7).draw(
        np.random.default_rng(1), context
    )
    assert (pinned.fundamental_hz, pinned.start_s, pinned.seed) == (440.0, 0.5, 7)
    assert (pinned.period_s, pinned.phases) == (free.period_s, free.phases)
