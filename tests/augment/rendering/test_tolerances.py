"""What measures a label must itself be right: known gains, known lags, and a miss that is named."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roomtone.augment.rendering.stem_fit import fit_stems, rms_db
from roomtone.augment.rendering.tolerances import LabelError, check_labels


def speechlike(rng, seconds=2.0, rate=16000):
    """Noise with speech's long-term slope and syllabic envelope; no library of ours is used to make it."""
    n = int(seconds * rate)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequency = np.fft.rfftfreq(n, 1 / rate)
    spectrum *= 1 / (1 + (frequency / 500) ** 2)
    envelope = 0.5 * (1 + np.sin(2 * np.pi * 4 * np.arange(n) / rate))
    x = np.fft.irfft(spectrum, n) * envelope
    return (0.05 * x / x.std()).astype(np.float32)


def test_full_scale_square_wave_is_0_dbov():
    assert rms_db(np.tile(np.array([1.0, -1.0], dtype=np.float32), 500)) == pytest.approx(0.0, abs=1e-9)
    sine = np.sin(2 * np.pi * np.arange(16000) / 16).astype(np.float32)
    assert rms_db(sine) == pytest.approx(-3.0103, abs=1e-4)
    assert rms_db(np.zeros(10, dtype=np.float32)) == -np.inf


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 3.0), st.floats(0.01, 3.0), st.integers(0, 100))
def test_stem_gains_are_found_in_a_sum(first, second, seed):
    rng = np.random.default_rng(seed)
    a, b = speechlike(rng), rng.standard_normal(32000).astype(np.float32) * 0.03
    assert list(fit_stems(first * a + second * b, [a, b])) == pytest.approx([first, second], rel=1e-4)


def test_a_silent_stem_has_no_gain():
    a = speechlike(np.random.default_rng(0))
    gains = fit_stems(a, [a, np.zeros_like(a)])
    assert gains[0] == pytest.approx(1.0)
    assert np.isnan(gains[1])


@pytest.mark.parametrize(
    ("asked", "measured", "message"),
    [
        ({"snr_db": 10.0}, {"measured_snr_db": 10.3}, r"snr_db asked 10.0 dB, got 10.300 \(tolerance 0.1 dB\)"),
        ({"snr_db": 10.0}, {}, "snr_db asked 10.0 dB, got None"),
        ({"asked_delay_samples": 0}, {"delay_samples": 3, "measured_delay_samples": 0}, "asked 0 samples, got 3"),
        ({"asked_codec": "ULAW"}, {"measured_codec": "ALAW"}, "asked ULAW, got ALAW"),
        ({"t30_s": 0.5}, {"measured_t30_s": 0.53}, "t30_s asked 0.5 s, got 0.530"),
        ({"level_dbov": -26.0}, {"active_level_dbov": float("nan")}, "level_dbov asked -26.0"),
    ],
)
def test_a_miss_names_sample_label_asked_and_got(asked, measured, message):
    with pytest.raises(LabelError, match=message) as caught:
        check_labels("u1 in ward", asked, measured)
    assert str(caught.value).startswith("u1 in ward: ")


def test_labels_within_tolerance_pass():
    check_labels(
        "u1",
        {"snr_db": 10.0, "equipment_snr_db": None, "level_dbov": -26.0, "asked_delay_samples": 0, "t30_s": 0.5},
        {
            "measured_snr_db": 10.1,
            "active_level_dbov": -25.95,
            "delay_samples": 0,
            "measured_delay_samples": 0,
            "measured_t30_s": 0.52,
        },
    )


def test_every_missed_label_is_named_with_both_figures():
    with pytest.raises(
        LabelError, match="snr_db asked 5.0 dB, got 4.000 .*; level_dbov asked -26.0 dB, got -25.000"
    ) as caught:
        check_labels("u1", {"snr_db": 5.0, "level_dbov": -26.0}, {"measured_snr_db": 4.0, "active_level_dbov": -25.0})
    assert [(m.label, m.asked, m.measured) for m in caught.value.missed] == [
        ("snr_db", 5.0, 4.0),
        ("level_dbov", -26.0, -25.0),
    ]
    assert (
        pickle.loads(pickle.dumps(caught.value)).missed == caught.value.missed
    )  # it crosses from a worker to its driver


def test_what_cannot_be_told_misses_nothing_and_needs_a_reason():
    asked, measured = {"asked_delay_samples": 0}, {"delay_samples": 0, "measured_delay_samples": None}
    check_labels("u1", asked, measured, {"measured_delay_samples": "too short"})
    with pytest.raises(LabelError, match="asked_delay_samples asked 0 samples, got None"):
        check_labels("u1", asked, measured)
    with pytest.raises(LabelError, match="got 1"):
        check_labels("u1", asked, measured | {"measured_delay_samples": 1}, {"measured_delay_samples": "stale"})
