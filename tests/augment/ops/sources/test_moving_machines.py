"""Timing, decays by partial, vibrato, curved sweeps, locked parts and passes, each measured on the samples by code that knows no op."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.signal import butter, hilbert, sosfiltfilt
from scipy.stats import kstest

from roomtone.augment.condition import Condition
from roomtone.augment.ops.sources.mix import Mix
from roomtone.augment.ops.sources.pass_by import PassBy
from roomtone.augment.ops.sources.periodic_tone import PeriodicTone
from roomtone.augment.ops.table import Source, parse_op
from roomtone.core.errors import RoomtoneError

RATE = 16000


def onsets_of(samples, rate, gap_s):
    """Return when sound follows at least `gap_s` of silence."""
    loud = np.flatnonzero(np.abs(samples) > 1e-3 * np.abs(samples).max())
    return loud[np.append(0, 1 + np.flatnonzero(np.diff(loud) > gap_s * rate))] / rate


def pitch_of(samples, rate):
    """Return the instantaneous frequency in Hz, one value a sample."""
    return np.gradient(np.unwrap(np.angle(hilbert(samples.astype(np.float64))))) * rate / (2 * np.pi)


def clicks(drawn, timing, period_s, jitter_s, seconds, **changes):
    tone = PeriodicTone(1500.0, pulses=((0.0, 0.004),), period_s=period_s, jitter_s=jitter_s, timing=timing)
    tone = dataclasses.replace(tone, rise_s=0.001, fall_s=0.001, restart=True, **changes)
    return onsets_of(drawn(tone, seconds, 8000, 3).render(round(seconds * 8000), 8000, None), 8000, 0.003)


@pytest.mark.parametrize(("timing", "after_16"), [("grid", 1.0), ("accumulate", 16.0)])
def test_deviations_stay_on_a_grid_and_add_up_otherwise(drawn, timing, after_16):
    """Var(t[n + k] - t[n]) is 2 s^2 at any k on a grid, and k s^2 where each burst counts from the last; s = jitter / sqrt 3."""
    onsets = clicks(drawn, timing, 0.05, 0.01, 150.0)
    assert np.diff(onsets).mean() == pytest.approx(0.05, rel=0.01)
    one, sixteen = (np.var(onsets[k:] - onsets[:-k]) for k in (1, 16))
    assert one == pytest.approx((2 if timing == "grid" else 1) * 0.01**2 / 3, rel=0.1)
    assert sixteen / one == pytest.approx(after_16, rel=0.3)  # some 180 independent stretches of 16


def test_random_bursts_are_poisson(drawn):
    """Beyond a dead time of 10 ms, in which clicks run into each other, intervals are exponential: CV 1, whatever came before."""
    between = np.diff(clicks(drawn, "poisson", 0.1, 0.0, 240.0))
    between = between[between > 0.01] - 0.01
    assert between.std() / between.mean() == pytest.approx(1.0, abs=0.08)
    assert kstest(between, "expon", args=(0.0, 0.1)).pvalue > 1e-3
    assert abs(np.corrcoef(between[1:], between[:-1])[0, 1]) < 0.08


@pytest.mark.parametrize("timing", ["accumulate", "poisson"])
def test_times_are_the_rows_own_whatever_stretch_is_rendered(drawn, timing):
    tone = PeriodicTone(pulses=((0.0, 0.1), (0.15, 0.05, 2.0)), period_s=0.6, timing=timing, restart=True)
    op = drawn(dataclasses.replace(tone, jitter_s=0.1 if timing == "accumulate" else 0.0), 4.0, RATE, 5)
    late, early = op.render(4 * RATE, RATE, None), op.render(4 * RATE, RATE, None, preroll_samples=3 * RATE)
    np.testing.assert_allclose(early[3 * RATE :], late, atol=1e-7)
    assert np.abs(early[: 3 * RATE]).max() > 0.05
    assert not late[~op.sounding(4 * RATE, RATE)].any()
    assert op.onsets_s(1.0, 2.0) == tuple(at for at in op.onsets_s(-5.0, 9.0) if at in op.onsets_s(1.0, 2.0))
    other = dataclasses.replace(op, seed=op.seed + 1)
    assert op.onsets_s(-9.0, 9.0) != other.onsets_s(-9.0, 9.0)


def test_every_partial_dies_away_at_its_own_rate(drawn):
    """A bell: the amplitude of each partial in frames of 25 ms, whole periods of all of them, against a straight line in dB."""
    decays = (0.6, 0.25, 0.1)
    tone = PeriodicTone(400.0, ((1.0, 0.0), (2.4, -3.0), (5.6, -6.0)), ((0.0, 1.2),), partial_decays_s=decays)
    samples = drawn(tone, 1.5, RATE, start_s=0.1).render(round(1.5 * RATE), RATE, None).astype(np.float64)
    frames = samples[round(0.12 * RATE) :][: 16 * 400].reshape(16, 400)
    assert samples[round(0.12 * RATE) :].size > 6400
    for hz, decay_s in zip((400.0, 960.0, 2240.0), decays):
        waves = np.exp(-2j * np.pi * hz * np.arange(400) / RATE)
        slope = np.polyfit(np.arange(16) * 400 / RATE, np.log(np.abs(frames @ waves)), 1)[0]
        assert -1.0 / slope == pytest.approx(decay_s, rel=0.03)  # neighbours leak a little into a decaying line


def test_vibrato_has_its_rate_and_depth(drawn):
    samples = drawn(PeriodicTone(1000.0, vibrato_hz=6.0, vibrato_depth=0.03), 4.0, RATE).render(4 * RATE, RATE, None)
    pitch = pitch_of(samples, RATE)[RATE // 2 : -RATE // 2]
    assert np.ptp(pitch) / 2000.0 == pytest.approx(0.03, rel=0.01)
    swing = np.abs(np.fft.rfft((pitch - pitch.mean()) * np.hanning(pitch.size), 16 * pitch.size))
    assert swing.argmax() * RATE / (16 * pitch.size) == pytest.approx(6.0, abs=0.02)
    assert pitch.mean() == pytest.approx(1000.0, rel=1e-3)


@pytest.mark.parametrize("bend", [-np.log(3.0), 3.0, -4.0])
def test_a_bent_sweep_follows_its_curve(drawn, bend):
    """-ln(glide) sweeps equal intervals in equal times; else the pitch is that of a capacitor that is charged."""
    tone = PeriodicTone(400.0, pulses=((0.0, 2.0, 1.0, 0.0, 3.0, bend),))
    samples = drawn(tone, 2.2, RATE, start_s=0.1).render(round(2.2 * RATE), RATE, None)
    u = np.linspace(0.05, 0.95, 19)
    pitch = np.interp(0.1 + 2.0 * u, np.arange(samples.size) / RATE, pitch_of(samples, RATE))
    expected = 400.0 * 3.0**u if bend == -np.log(3.0) else 400.0 + 800.0 * (1 - np.exp(-bend * u)) / (1 - np.exp(-bend))
    np.testing.assert_allclose(pitch, expected, rtol=3e-3)


def test_parts_of_one_clock_are_locked_and_sound_apart(drawn):
    """A stroke of hiss and a clunk 120 ms later, early or late together; without the clock each goes its own way."""
    hiss = {"harmonics": [], "noise_db": 0.0, "noise_band_hz": [4000.0, 7000.0], "pulses": [[0.0, 0.08]]}
    clunk = {"fundamental_hz": 900.0, "pulses": [[0.12, 0.05]], "restart": True, "level_db": -3.0}
    fields = {"op": "mix", "one_clock": True}
    parts = [{"op": "periodic_tone", "rise_s": 0.002, "fall_s": 0.002, **part} for part in (hiss, clunk)]
    parts[0] |= {"period_s": [0.4, 0.6], "jitter_s": 0.08}
    op = drawn(parse_op(fields | {"parts": parts}, Source, where="test"), 20.0, RATE)
    samples = op.render(20 * RATE, RATE, None).astype(np.float64)
    high = onsets_of(sosfiltfilt(butter(8, 3500, "high", fs=RATE, output="sos"), samples), RATE, 0.05)
    low = onsets_of(sosfiltfilt(butter(10, 2000, fs=RATE, output="sos"), samples), RATE, 0.05)
    assert high.size > 30
    assert np.diff(high).std() > 0.03
    nearest = np.abs((low[1:-1, None] - high[None, :]) - 0.12).min(axis=1)
    assert nearest.max() < 0.004
    free = drawn(Mix((parts[0], parts[1] | {"period_s": 0.5}), one_clock=False), 20.0, RATE)
    apart = np.subtract.outer(free._sources()[1][0].onsets_s(0, 20), free._sources()[0][0].onsets_s(0, 20)) - 0.12
    assert np.abs(apart).min(axis=1).max() > 0.02


def test_a_pass_has_the_textbooks_pitch_and_level(drawn):
    """30 m/s at 5 m: f / (1 - M cos) and 1 / (R (1 - M cos)) at the retarded time, which is solved for numerically here."""
    op = drawn(PassBy({"op": "periodic_tone", "fundamental_hz": 1000.0}, 30.0, 5.0), 4.0, RATE, closest_s=2.0)
    samples = op.render(4 * RATE, RATE, None).astype(np.float64)
    pitch, envelope = pitch_of(samples, RATE), np.abs(hilbert(samples))
    levels = []
    for at in np.linspace(0.2, 3.8, 37):
        late = at - 2.0 + 5.0 / 343.0  # since the source was at its nearest
        since = brentq(lambda e, late=late: late - e - np.hypot(5.0, 30.0 * e) / 343.0, late - 3.0, late)
        far = np.hypot(5.0, 30.0 * since)
        towards = -30.0 / 343.0 * (30.0 * since / far)
        assert pitch[round(at * RATE)] == pytest.approx(1000.0 / (1.0 - towards), rel=1e-3)
        assert op.pitch_ratio(np.array([at]))[0] == pytest.approx(1.0 / (1.0 - towards), rel=1e-9)
        levels.append(20 * np.log10(envelope[round(at * RATE)] * far * (1.0 - towards)))
    assert np.ptp(levels) < 0.05
    assert pitch[RATE // 10] / pitch[-RATE // 10] == pytest.approx((343 + 30) / (343 - 30), rel=0.01)
    np.testing.assert_allclose(op.render(4 * RATE, RATE, None, preroll_samples=999)[999:], samples, atol=1e-6)


def test_a_pass_adds_nothing_to_a_high_tone(drawn):
    """6 kHz at 16 kHz, so slow and far that the pitch hardly moves: what is not the line is 80 dB down."""
    op = drawn(PassBy({"op": "periodic_tone", "fundamental_hz": 6000.0}, 0.5, 50.0), 2.0, RATE, closest_s=1.0)
    samples = op.render(2 * RATE, RATE, None).astype(np.float64) * np.blackman(2 * RATE)
    power = np.abs(np.fft.rfft(samples)) ** 2
    line = np.abs(np.fft.rfftfreq(samples.size, 1 / RATE) - 6000.0) < 30.0
    assert 10 * np.log10(power[~line].sum() / power[line].sum()) < -80


@pytest.mark.parametrize(
    "own",
    [
        {"op": "periodic_tone", "pulses": [[0.0, 0.05]], "period_s": 0.3, "timing": "poisson"},
        {"op": "pass_by", "speed_m_s": [5, 20], "distance_m": 3, "sound": {"op": "periodic_tone", "pulses": [[0, 0.4]], "period_s": 0.7}},
        {"op": "pass_by", "speed_m_s": 15, "distance_m": 8, "sound": {"op": "coloured_noise"}},
    ],
    ids=["poisson", "beeps pass", "noise passes"],
)  # fmt: skip
def test_labels_are_measured_on_what_is_heard(tmp_path, speech, own):
    """SNR while it sounds and over the loudest 10 ms, from the stems."""
    import yaml

    (tmp_path / "equipment").mkdir()
    (tmp_path / "equipment" / "own.yaml").write_text(yaml.safe_dump({"description": "own", "source": "test"} | own))
    for key in range(3):
        made = Condition(equipment="own@5dB", config_dir=tmp_path).render(speech, RATE, key=key)
        level = made.measured["measured_equipment_snr_db"]
        assert level == pytest.approx(5.0, abs=0.2)
        stem, mask = made.stems.equipment.astype(np.float64), made.stems.sounding
        heard = stem if mask is None else stem[mask]
        assert mask is None or not stem[~mask].any()
        loudest = max((stem[at : at + 160] ** 2).mean() for at in range(0, stem.size - 160, 16))
        said = made.measured["measured_equipment_snr_loudest_db"]
        assert said - level == pytest.approx(10 * np.log10((heard**2).mean() / loudest), abs=0.5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"timing": "possion"}, "poisson"),
        ({"pulses": [[0, 0.1]], "period_s": 1.0, "timing": "poisson", "jitter_s": 0.1}, "no jitter_s"),
        ({"pulses": [[0, 0.1]], "timing": "poisson"}, "needs period_s"),
        ({"pulses": [[0, 0.5]], "period_s": 0.6, "timing": "accumulate", "jitter_s": 0.2}, "after 0.4 s"),
        ({"pulses": [[0, 0.1]], "partial_decays_s": [0.1, 0.2]}, "each of the 1 harmonics"),
        ({"partial_decays_s": [0.1]}, "needs pulses"),
        ({"vibrato_depth": 3.0, "vibrato_hz": 5.0}, "not percent"),
        ({"vibrato_depth": 0.1}, "vibrato_hz above 0"),
        ({"pulses": [[0, 0.1, 1, 0, 2, 50]]}, "bend -20 to 20"),
        ({"op": "pass_by", "sound": {"op": "coloured_noise"}, "speed_m_s": 50.0, "distance_m": 3.0}, "in km/h"),
        ({"op": "pass_by", "sound": {"op": "coloured_noise"}, "speed_m_s": 5.0, "distance_m": 0.0}, "distance_m"),
        ({"op": "pass_by", "sound": {"op": "wind_noise"}, "speed_m_s": 5.0, "distance_m": 3.0}, "cannot pass by"),
        ({"op": "pass_by", "sound": {"op": "periodic_ton"}, "speed_m_s": 5.0, "distance_m": 3.0}, "did you mean"),
        ({"op": "mix", "one_clock": True, "parts": [{"op": "coloured_noise"}]}, "one_clock needs"),
        ({"op": "mix", "one_clock": True, "parts": [{"op": "periodic_tone", "pulses": [[0, 0.1]], "period_s": p} for p in (1, 2)]}, "take out"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(fields, message):
    with pytest.raises(RoomtoneError, match=message) as caught:
        parse_op({"op": "periodic_tone"} | fields, Source, where="preset")
    assert "\n" not in str(caught.value)
