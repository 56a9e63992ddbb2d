"""Delays: found where the signal can tell, to the sample; null with a reason where it cannot; never one that is not there."""

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.signal import lfilter

from roomtone.core.audio.delay import IN_TIME, measured_lag

DIGITS = Path(__file__).parents[4] / "shared" / "real" / "digits"


def speechlike(rng, seconds=2.0, rate=16000):
    """Noise with speech's long-term slope and syllabic envelope; no library of ours is used to make it."""
    n = int(seconds * rate)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    frequency = np.fft.rfftfreq(n, 1 / rate)
    spectrum *= 1 / (1 + (frequency / 500) ** 2)
    envelope = 0.5 * (1 + np.sin(2 * np.pi * 4 * np.arange(n) / rate))
    x = np.fft.irfft(spectrum, n) * envelope
    return (0.05 * x / x.std()).astype(np.float32)


@pytest.mark.parametrize("lag", [-1900, -40, -3, -1, 0, 1, 3, 160, 2000])
@pytest.mark.parametrize("band_hz", [8000, 3400])
def test_a_planted_delay_is_found(lag, band_hz):
    rng = np.random.default_rng(5)
    x = speechlike(rng)
    spectrum = np.fft.rfft(x)
    spectrum[np.fft.rfftfreq(x.size, 1 / 16000) > band_hz] = 0
    y = np.roll(np.fft.irfft(spectrum, x.size), lag) + 1e-3 * rng.standard_normal(x.size)
    assert measured_lag(x, y.astype(np.float32), 16000).samples == lag


def test_a_delay_is_found_in_a_long_file_whose_speech_comes_late():
    x = np.concatenate([np.zeros(200_000, np.float32), speechlike(np.random.default_rng(0))])
    assert measured_lag(x, np.roll(x, 5), 16000).samples == 5


@pytest.mark.skipif(not DIGITS.is_dir(), reason="the real input is not at hand")
@pytest.mark.parametrize("lag", [-1, 0, 1])
def test_real_words_of_a_quarter_of_a_second_show_a_shift_of_one_sample(lag):
    paths = sorted(DIGITS.glob("*.wav"))
    assert len(paths) == 60
    told = 0
    for path in paths:
        x, rate = soundfile.read(path, dtype="float32")
        noise = np.random.default_rng(0).standard_normal(x.size).astype(np.float32)
        found = measured_lag(x, np.roll(x, lag) + 0.1 * x.std() * noise, rate)  # as much noise as a codec makes
        assert found.samples in (lag, None)
        told += found.samples is not None
    assert told >= 54


def test_an_automatic_gain_and_lost_packets_move_no_time():
    """A fifth of the signal replaced by what came 20 ms before it, as concealment does, and a gain that falls by 20 dB."""
    x = speechlike(np.random.default_rng(2), seconds=1.0)
    y = x * np.logspace(0, -1, x.size).astype(np.float32)
    for start in range(1600, x.size - 320, 1600):
        y[start : start + 320] = y[start - 320 : start]
    assert measured_lag(x, y, 16000).samples == 0
    assert measured_lag(x, np.roll(y, 1), 16000).samples == 1


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (np.zeros(16000, np.float32), "cannot be told from silence"),
        (np.ones(16000, np.float32), "does not stand out"),
        (np.sin(2 * np.pi * 0.01 * np.arange(16000)).astype(np.float32), "does not stand out"),
        (speechlike(np.random.default_rng(0), seconds=0.05), r"score .* on \d+ blocks of 5 ms \(5 needed\)"),
    ],
    ids=["silence", "constant", "a steady tone", "50 ms"],
)
def test_what_cannot_be_told_is_null_with_its_reason(signal, reason):
    noise = np.random.default_rng(1).standard_normal(signal.size).astype(np.float32)
    found = measured_lag(signal, signal + 0.3 * signal.std() * noise, 16000)
    assert found.samples is None
    assert re.search(reason, found.reason)


def test_unrelated_signals_have_no_delay():
    """By chance some lag correlates best; it must not be called the delay."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x, y = (lfilter([1], [1, -0.9], rng.standard_normal(8000)).astype(np.float32) for _ in range(2))
        assert measured_lag(x, y, 16000).samples is None


@pytest.mark.parametrize("lag", [-1, 1])
def test_no_lag_hides_behind_what_counts_as_in_time(lag):
    """The dullest thing that is speech, a voice's lowest note, moved by one sample, explains less of itself than `IN_TIME`."""
    from roomtone.augment.rendering.stem_fit import explained_share

    note = np.sin(2 * np.pi * 75 * np.arange(32000) / 16000).astype(np.float32)
    assert explained_share(note, note) > IN_TIME
    assert explained_share(np.roll(note, lag), note) < IN_TIME
