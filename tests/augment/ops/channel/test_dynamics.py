"""Automatic gain, limiter, clipping and self-noise: what they promise, measured back."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import bilinear_zpk, sosfilt, zpk2sos

from roomtone.augment.ops.channel.dynamics import Agc, Clipping, Limiter
from roomtone.augment.ops.channel.self_noise import SelfNoise, a_weighted_bandwidth_hz
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Processor, parse_op, to_dict
from roomtone.core.errors import RoomtoneError


def tone(level_dbov: float, seconds: float, sample_rate_hz: int = 16000) -> np.ndarray:
    """Return a 1 kHz tone of this RMS level."""
    n = np.arange(round(seconds * sample_rate_hz))
    return (10 ** ((level_dbov + 3.0103) / 20) * np.sin(2 * np.pi * 1000 * n / sample_rate_hz)).astype(np.float32)


def rms_db(samples: np.ndarray) -> float:
    return float(10 * np.log10((samples.astype(np.float64) ** 2).mean()))


def pinned(mapping: dict, seed: int = 0) -> Processor:
    return parse_op(mapping, Processor, where="test").draw(np.random.default_rng(seed), DrawContext(16000, 16000))


@pytest.mark.parametrize("sample_rate_hz", [8000, 16000, 48000])
@pytest.mark.parametrize(
    ("level_in", "level_out"),
    [(-30.0, -20.0), (-10.0, -20.0), (-20.0, -20.0), (-45.0, -33.0), (-2.0, -14.0)],  # the last two at the gain's ends
)
def test_agc_settles_at_its_target_or_at_the_end_of_its_range(
    level_in: float, level_out: float, sample_rate_hz: int
) -> None:
    op = pinned({"op": "agc", "target_dbov": -20, "max_gain_db": 12, "max_cut_db": 12, "release_s": 0.2})
    heard = op.apply(tone(level_in, 3.0, sample_rate_hz), sample_rate_hz)
    assert rms_db(heard[2 * sample_rate_hz :]) == pytest.approx(level_out, abs=0.2)


def test_agc_is_fast_down_and_slow_up() -> None:
    op = pinned({"op": "agc", "target_dbov": -20, "max_gain_db": 30, "attack_s": 0.02, "release_s": 0.5})
    samples = np.concatenate([tone(-20, 2), tone(-10, 2), tone(-20, 2)])
    gain_db = [
        rms_db(op.apply(samples, 16000)[s : s + 160]) - rms_db(samples[s : s + 160]) for s in range(0, 96000, 160)
    ]
    # 10 dB down: 63 % after attack (20 ms) plus the averaging of the level (20 ms), so within 60 ms
    assert gain_db[200 + 6] < -6.3
    # and back up: 63 % after half a second, not before a quarter
    assert gain_db[400 + 25] < -5.0
    assert -5.0 < gain_db[400 + 56] < -1.0


def test_agc_does_not_pump_up_pauses() -> None:
    op = pinned({"op": "agc", "target_dbov": -20, "max_gain_db": 30, "gate_dbov": -50, "release_s": 0.1})
    samples = np.concatenate([tone(-20, 1), tone(-60, 3)])
    heard = op.apply(samples, 16000)
    # the gate closes within 35 ms of the tone's end, of which a release of 100 ms makes less than 2 dB
    assert rms_db(heard[48000:]) == pytest.approx(-60, abs=2.0)


def test_agc_and_limiter_look_at_no_later_sample() -> None:
    """Causal and without delay: what comes later changes nothing before it."""
    rng = np.random.default_rng(0)
    samples = (0.2 * rng.normal(size=8000)).astype(np.float32)
    other = samples.copy()
    other[5000:] *= 4
    for mapping in ({"op": "agc"}, {"op": "limiter", "threshold_dbov": -10.0}):
        op = pinned(mapping)
        np.testing.assert_array_equal(op.apply(samples, 16000)[:5000], op.apply(other, 16000)[:5000])


def test_limiter_lets_no_peak_through_and_leaves_quiet_sound_alone() -> None:
    rng = np.random.default_rng(1)
    op = pinned({"op": "limiter", "threshold_dbov": -6.0, "release_s": 0.05})
    loud = rng.normal(size=32000).astype(np.float32)
    assert np.abs(op.apply(loud, 16000)).max() <= 10 ** (-6 / 20) * (1 + 1e-6)
    quiet = np.clip(0.1 * loud, -0.5, 0.5)
    np.testing.assert_array_equal(op.apply(quiet, 16000), quiet)


def test_limiter_recovers_with_its_time_constant() -> None:
    op = pinned({"op": "limiter", "threshold_dbov": -20.0, "release_s": 0.1})
    samples = np.full(16000, 0.05, np.float32)
    samples[1000] = 1.0  # 20 dB above the threshold of 0.1
    gain = op.apply(samples, 16000) / samples
    # the held peak exp(-t / 0.1 s) is back at the threshold after 0.1 s x ln(10) = 3684 samples
    assert gain[1000] == pytest.approx(0.1, rel=1e-4)
    assert gain[1000 + 1600] == pytest.approx(0.1 * np.e, rel=1e-3)
    assert (gain[1000 + 3690 :] == 1.0).all()


def test_hard_clipping_cuts_and_counts() -> None:
    samples = np.linspace(-1, 1, 2001).astype(np.float32)
    heard, report = pinned({"op": "clip", "level_dbov": -6.0206}).apply_measured(samples, 16000)
    np.testing.assert_allclose(heard, np.clip(samples, -0.5, 0.5), atol=1e-6)
    assert report["clipped_share"] == pytest.approx(0.5, abs=0.002)


def test_a_converter_folds_nothing_back_and_sees_between_the_samples() -> None:
    """A clipped tone of 3 kHz has harmonics at 9 and 15 kHz, which cut samples put at 7 and 1 kHz; a converter's filter keeps them out."""
    n = np.arange(16000)
    samples = (0.9 * np.sin(2 * np.pi * 3000.0 * n / 16000)).astype(np.float32)
    levels = {}
    for kind in ("hard", "converter"):
        heard = pinned({"op": "clip", "level_dbov": -6.0206, "kind": kind}).apply(samples, 16000)[4000:12000]
        levels[kind] = 20 * np.log10(np.abs(np.fft.rfft(heard * np.hanning(8000)))[[500, 1500, 3500]] / 2000)
    assert (levels["hard"][[0, 2]] > -45).all()
    assert (levels["converter"][[0, 2]] < -60).all()
    assert levels["converter"][1] == pytest.approx(levels["hard"][1], abs=0.3)  # the tone itself
    # a tone of a quarter of the rate whose samples all lie at 0.71 of its peak: only the wave between them is cut
    quarter = (0.6 * np.sin(np.pi * (n / 2 + 0.25))).astype(np.float32)
    _, report = pinned({"op": "clip", "level_dbov": -6.0206, "kind": "converter"}).apply_measured(quarter, 16000)
    assert np.abs(quarter).max() < 0.5
    assert report["clipped_share"] == pytest.approx(
        1 - 2 / np.pi * np.arcsin(0.5 / 0.6), abs=0.065
    )  # eight places a sample
    quiet, report = pinned({"op": "clip", "kind": "converter"}).apply_measured(quarter, 16000)
    np.testing.assert_array_equal(quiet, quarter)
    assert report["clipped_share"] == 0.0


def test_soft_clipping_stays_below_its_level_with_gain_1_for_small_signals() -> None:
    op = pinned({"op": "clip", "level_dbov": -6.0206, "kind": "soft"})
    loud = op.apply(np.linspace(-4, 4, 1001).astype(np.float32), 16000)
    assert np.abs(loud).max() <= 0.5 * (1 + 1e-6)
    assert (np.diff(loud) >= 0).all()
    small = np.array([1e-3, -1e-3], np.float32)
    np.testing.assert_allclose(op.apply(small, 16000), small, rtol=1e-4)


@pytest.mark.parametrize("sample_rate_hz", [8000, 16000, 48000])
def test_self_noise_has_the_level_that_is_asked(sample_rate_hz: int) -> None:
    op = pinned({"op": "self_noise", "level_dbov": -50})
    noise = op.apply(np.zeros(10 * sample_rate_hz, np.float32), sample_rate_hz)
    assert rms_db(noise) == pytest.approx(-50, abs=0.1)
    samples = tone(-20, 1, sample_rate_hz)
    np.testing.assert_allclose(op.apply(samples, sample_rate_hz) - samples, noise[: samples.size], atol=1e-6)


def _a_weighting(sample_rate_hz: int) -> np.ndarray:
    """IEC 61672-1's analogue prototype through the bilinear transform: independent of the op's closed formula."""
    poles = -2 * np.pi * np.array([20.598997, 20.598997, 107.65265, 737.86223, 12194.217, 12194.217])
    zeros, poles, gain = bilinear_zpk(
        np.zeros(4), poles, (2 * np.pi * 12194.217) ** 2 * 10 ** (2.0 / 20), sample_rate_hz
    )
    return np.asarray(zpk2sos(zeros, poles, gain))


def test_a_data_sheets_snr_is_found_again_after_a_weighting() -> None:
    """65 dB(A) re 94 dB SPL is a noise of 29 dB(A); with speech of 70 dB SPL at -26 dBov that is -67 dBov, A-weighted.

    At 192 kHz, so that the bilinear transform is exact enough and all of 20 Hz to 20 kHz is there; the little that lies
    above 20 kHz is filtered out first.
    """
    rate = 192_000
    op = pinned({"op": "self_noise", "microphone_snr_db": 65, "speech_db_spl": 70})
    noise = op.apply(np.zeros(4 * rate, np.float32), rate).astype(np.float64)
    spectrum = np.fft.rfft(noise)
    spectrum[np.fft.rfftfreq(noise.size, 1 / rate) > 20_000] = 0
    weighted = sosfilt(_a_weighting(rate), np.fft.irfft(spectrum))
    assert rms_db(weighted) == pytest.approx(-26 + 29 - 70, abs=0.15)


def test_the_a_weighted_bandwidth_is_the_textbook_one() -> None:
    """White noise, 20 Hz to 20 kHz, loses about 2 dB by A-weighting."""
    assert 10 * np.log10(a_weighted_bandwidth_hz() / 19_980) == pytest.approx(-2.0, abs=0.3)


def test_self_noise_draws_its_seed_and_round_trips() -> None:
    first, second = (pinned({"op": "self_noise", "level_dbov": [-60, -50]}, seed) for seed in (1, 2))
    assert isinstance(first, SelfNoise)
    assert isinstance(second, SelfNoise)
    assert first.seed != second.seed
    assert parse_op(to_dict(first), Processor, where="test") == first
    silence = np.zeros(1000, np.float32)
    np.testing.assert_array_equal(first.apply(silence, 16000), first.apply(silence, 16000))
    assert not np.array_equal(first.apply(silence, 16000), second.apply(silence, 16000))


def test_defaults_agree_with_the_docstrings_names() -> None:
    assert {Agc.op, Limiter.op, Clipping.op} == {"agc", "limiter", "clip"}


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"op": "agc", "attack_s": 0}, "attack_s: expected a number from 0.0001 to 60"),
        ({"op": "agc", "max_gain_db": -3}, "max_gain_db: expected a number from 0 to 60"),
        ({"op": "limiter", "release_s": [0.0, 0.1]}, "release_s: expected a number from 0.0001 to 60"),
        ({"op": "clip", "kind": "sofft"}, "did you mean 'soft'"),
        ({"op": "self_noise"}, "give either level_dbov, or"),
        ({"op": "self_noise", "level_dbov": -60, "microphone_snr_db": 60, "speech_db_spl": 60}, "give either"),
        ({"op": "self_noise", "microphone_snr_db": 60}, "give either"),
    ],
)
def test_what_cannot_be_is_refused_at_load(mapping: dict, message: str) -> None:
    with pytest.raises(RoomtoneError, match=message):
        parse_op(mapping, Processor, where="test")
