"""Waveform and spectrogram measured back: a known tone is where it belongs, an envelope has its shape."""

from __future__ import annotations

import io

import numpy as np
import pytest

from roomtone.coverage.views.matrix_view.pictures import HEIGHT, PEAK_SIGNS, WIDTH, peaks, spectrogram_png

RATE_HZ = 16000


def pixels(png: bytes) -> np.ndarray:
    """Return the greys of a PNG, 0 black to 1 white, as another program decodes it [shape=(height, width)]."""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(png)).convert("L")) / 255


def mel(hertz: float) -> float:
    return 2595 * np.log10(1 + hertz / 700)


@pytest.mark.parametrize("hertz", [300, 1000, 3000, 6000])
def test_a_tone_is_dark_at_its_pitch(hertz):
    tone = 0.5 * np.sin(2 * np.pi * hertz * np.arange(2 * RATE_HZ) / RATE_HZ)
    picture = pixels(spectrogram_png(tone, RATE_HZ))
    assert picture.shape == (HEIGHT, WIDTH)
    row = int(picture.mean(axis=1).argmin())
    expected = (
        HEIGHT - 1 - (mel(hertz) / (mel(8000) / (HEIGHT + 1)) - 1)
    )  # bands lie evenly in mel, the lowest at the bottom
    assert abs(row - expected) <= 1.0


def test_time_runs_to_the_right_and_silence_is_white():
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(2 * RATE_HZ) / RATE_HZ)
    tone[:RATE_HZ] = 0
    picture = pixels(spectrogram_png(tone, RATE_HZ))
    assert picture[:, : WIDTH // 2 - 2].min() == 1.0
    assert picture[:, WIDTH // 2 + 2 :].min(axis=0).max() < 0.1


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(100), np.zeros(5000), np.full(3, 0.5)])
def test_nothing_and_next_to_nothing_have_a_picture(samples):
    assert pixels(spectrogram_png(samples.astype(np.float32), RATE_HZ)).shape == (HEIGHT, WIDTH)
    assert len(peaks(samples)) == WIDTH


def test_peaks_follow_the_envelope():
    envelope = np.linspace(0, 0.25, 3 * RATE_HZ)
    noise = envelope * np.where(np.arange(envelope.size) % 2, 1, -1)
    heights = np.array([PEAK_SIGNS.index(sign) / 63 for sign in peaks(noise)])
    assert np.allclose(heights, np.linspace(1 / WIDTH, 1, WIDTH), atol=0.5 / 63 + 1e-9)


def test_a_picture_is_small():
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(3 * RATE_HZ) * 0.1  # the least compressible sound
    assert len(spectrogram_png(noise, RATE_HZ)) < 2500
