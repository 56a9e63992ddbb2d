"""Blocks side by side give the plain sum of products."""

import numpy as np
import pytest

from roomtone.core.audio.convolution import ImpulseResponse, convolve


@pytest.mark.parametrize(
    ("samples", "taps"), [(1, 1), (5, 3), (3, 5), (1000, 5000), (20000, 2049), (96000, 8001), (4097, 4096)]
)
@pytest.mark.parametrize("start", ["first", "centre", "last"])
def test_any_stretch_is_that_of_the_plain_convolution(samples, taps, start):
    rng = np.random.default_rng(samples + taps)
    x, h = rng.standard_normal(samples).astype(np.float32), rng.standard_normal(taps).astype(np.float32)
    whole = np.convolve(x.astype(np.float64), h.astype(np.float64))
    begin = {"first": 0, "centre": taps // 2, "last": whole.size - 1}[start]
    count = min(samples, whole.size - begin)
    found = convolve(x, ImpulseResponse(h), begin, count)
    assert found.dtype == np.float32
    # single precision: 2^-24 of the largest sums, a few times over for the stages of the transform
    np.testing.assert_allclose(found, whole[begin : begin + count], atol=2e-6 * np.linalg.norm(h) * np.abs(x).max() * 4)


def test_past_the_end_there_is_silence():
    found = convolve(np.ones(4, dtype=np.float32), ImpulseResponse(np.array([1.0, 0.5])), 3, 5)
    np.testing.assert_allclose(found, [1.5, 0.5, 0, 0, 0], atol=1e-6)


def test_another_response_has_its_own_spectrum():
    """Spectra were once kept by the response's address, which another response may get later; now by its content."""
    x = np.random.default_rng(0).standard_normal(500).astype(np.float32)
    for gain in np.linspace(0.1, 2.0, 60):
        np.testing.assert_allclose(convolve(x, ImpulseResponse(np.array([gain, 0.0])), 0, 500), gain * x, atol=1e-5)
