"""Signals and measures of the handset tests; the measures share no code with the ops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import correlate, lfilter


def _speech_like(sample_rate_hz: int, seconds: float = 4.0, seed: int = 0) -> np.ndarray:
    """Return voiced and unvoiced syllables with pauses, wide-band, peak about 12 dB above an active level near -26 dBov."""
    rng = np.random.default_rng(seed)
    n = np.arange(round(seconds * sample_rate_hz))
    pitch_hz = 120 + 30 * np.sin(2 * np.pi * 0.7 * n / sample_rate_hz)
    phase = np.cumsum(pitch_hz) / sample_rate_hz
    pulses = np.diff(np.floor(phase), prepend=0.0)
    voiced = pulses + 0.01 * rng.normal(size=n.size)
    for hz, bandwidth in ((500, 90), (1500, 120), (2500, 180), (3500, 250)):
        radius = np.exp(-np.pi * bandwidth / sample_rate_hz)
        angle = 2 * np.pi * hz / sample_rate_hz
        if hz < sample_rate_hz / 2:
            voiced = lfilter([1 - radius], [1, -2 * radius * np.cos(angle), radius**2], voiced) + 0.1 * voiced
    hiss = lfilter([1, -0.9], [1], rng.normal(size=n.size))
    glottis = np.exp(-2 * np.pi * 150 / sample_rate_hz)
    voiced = lfilter([1 - glottis], [1, -glottis], voiced)
    voiced, hiss = voiced / voiced.std(), hiss / hiss.std()
    syllable = np.clip(np.sin(2 * np.pi * 2.0 * n / sample_rate_hz), 0, None)
    sibilant = np.clip(np.sin(2 * np.pi * 2.0 * n / sample_rate_hz + 2.5), 0, None) * 0.2
    signal = voiced * syllable + hiss * sibilant
    return (signal * 0.05 / np.sqrt((signal**2).mean()) * 0.8).astype(np.float32)


def _gain_db(fir: np.ndarray, sample_rate_hz: int, frequency_hz: np.ndarray) -> np.ndarray:
    """Return the gain of an FIR at these frequencies by its own sum over the taps (DTFT), in dB."""
    n = np.arange(len(fir))
    kernel = np.exp(-2j * np.pi * np.outer(frequency_hz, n) / sample_rate_hz)
    return 20 * np.log10(np.abs((kernel * fir).sum(axis=1)) + 1e-12)


def _lag(reference: np.ndarray, heard: np.ndarray, reach: int = 400) -> int:
    """Return where the plain cross-correlation of two equally long signals peaks."""
    scores = correlate(heard.astype(np.float64), reference.astype(np.float64), mode="full", method="fft")
    middle = len(reference) - 1
    return int(np.argmax(scores[middle - reach : middle + reach + 1])) - reach


@pytest.fixture(scope="session")
def speech_like() -> Callable[..., np.ndarray]:
    """`speech_like(sample_rate_hz, seconds=4.0, seed=0)` -> float32."""
    return _speech_like


@pytest.fixture(scope="session")
def gain_db() -> Callable[..., np.ndarray]:
    """`gain_db(fir, sample_rate_hz, frequency_hz)` -> dB."""
    return _gain_db


@pytest.fixture(scope="session")
def lag() -> Callable[..., int]:
    """`lag(reference, heard)` -> samples."""
    return _lag
