"""What measures a label must itself be right: known gains, known lags, and a miss that is named."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roomtone.augment.rendering.stem_fit import fit_stems, rms_db
from roomtone.augment.rendering.tolerances import LabelError, check_labels
from roomtone.core.audio.delay import IN_TIME, measured_delay


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
    assert list(fit_stems(first * a + second * b, [a, b]).gains) == pytest.approx([first, second], rel=1e-4)


def test_a_silent_stem_has_no_gain():
    a = speechlike(np.random.default_rng(0))
    gains = fit_stems(a, [a, np.zeros_like(a)]).gains
    assert gains[0] == pytest.approx(1.0)
    assert np.isnan(gains[1])


@pytest.mark.parametrize("lag", [-40, -3, -1, 0, 1, 3, 160])
@pytest.mark.parametrize("band_hz", [8000, 3400])
def test_a_planted_delay_is_found(lag, band_hz):
    rng = np.random.default_rng(5)
    x = speechlike(rng)
    spectrum = np.fft.rfft(x)
    spectrum[np.fft.rfftfreq(x.size, 1 / 16000) > band_hz] = 0
    y = np.roll(np.fft.irfft(spectrum, x.size), lag).astype(np.float32) + 1e-4 * rng.standard_normal(x.size).astype(
        np.float32
    )
    assert measured_delay(x, y) == measured_delay(x, y, whiten=True) == lag


def test_a_short_clip_has_a_delay_too():
    x = speechlike(np.random.default_rng(1), seconds=0.05)
    assert measured_delay(x, np.roll(x, 2)) == 2


@pytest.mark.parametrize(
    ("asked", "measured", "message"),
    [
        ({"snr_db": 10.0}, {"measured_snr_db": 10.3}, r"snr_db asked 10.0 dB, got 10.300 \(tolerance 0.1 dB\)"),
        ({"snr_db": 10.0}, {}, "snr_db asked 10.0 dB, got None"),
        ({"asked_delay_samples": 0}, {"delay_samples": 3}, "asked 0 samples, got 3"),
        ({"asked_codec": "ULAW"}, {"measured_codec": "ALAW"}, "asked ULAW , got ALAW"),
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
        {"measured_snr_db": 10.1, "active_level_dbov": -25.95, "delay_samples": 0, "measured_t30_s": 0.52},
    )


@pytest.mark.parametrize("lag", [-1, 1])
def test_no_lag_hides_behind_what_counts_as_in_time(lag):
    """The dullest thing that is speech, a voice's lowest note, moved by one sample, explains less of itself than `IN_TIME`."""
    note = np.sin(2 * np.pi * 75 * np.arange(32000) / 16000).astype(np.float32)
    assert fit_stems(note, [note]).together > IN_TIME
    assert fit_stems(np.roll(note, lag), [note]).together < IN_TIME
