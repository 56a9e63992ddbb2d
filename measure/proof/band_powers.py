"""Powers over time in bands of a third of an octave, of recordings and of renders alike.

Conventions: powers are mean squares re full scale; a band is at least as wide as a bin of the window. Times in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomtone.measure.spectra.spectrogram import Spectrogram, spectrogram

#: Lowest edge of the lowest band, and the least width of a band, in Hz.
_LOWEST_HZ, _LEAST_HZ = 50.0, 100.0
#: Highest edge, as a share of the rate.
_HIGHEST = 0.45
#: `(longest span, window, hop)`: short cycles need a finer look.
_LOOKS = ((0.5, 0.010, 0.00125), (np.inf, 0.020, 0.005))


@dataclass(frozen=True)
class Look:
    """A time-frequency resolution.

    Attributes:
        window_s: length of the Hann window.
        hop_s: time between frames.
        edges_hz: edges of the bands [shape=(bands + 1,)].
    """

    window_s: float
    hop_s: float
    edges_hz: np.ndarray


def look_at(span_s: float, sample_rate_hz: int) -> Look:
    """Return the resolution for a cycle of this length in seconds."""
    window_s, hop_s = next((window, hop) for longest, window, hop in _LOOKS if span_s <= longest)
    edges = [_LOWEST_HZ]
    while edges[-1] < _HIGHEST * sample_rate_hz:
        edges.append(edges[-1] + max(_LEAST_HZ, 1.0 / window_s, edges[-1] * (2.0 ** (1.0 / 3.0) - 1.0)))
    return Look(window_s, hop_s, np.array(edges[:-1] if edges[-1] > 0.5 * sample_rate_hz else edges))


def band_powers(samples: np.ndarray, sample_rate_hz: int, look: Look) -> np.ndarray:
    """Return the power of each band and frame [shape=(bands, frames)].

    Args:
        samples: [shape=(samples,)].
        sample_rate_hz: their rate.
        look: the resolution.
    """
    import librosa

    size, hop = round(look.window_s * sample_rate_hz), round(look.hop_s * sample_rate_hz)
    spectrum = librosa.stft(samples.astype(np.float32), n_fft=size, hop_length=hop, window="hann", pad_mode="constant")
    power = (np.abs(spectrum) ** 2 * np.float32(8.0 / size**2)).astype(np.float64) / 1.5  # Hann: a sine in 1.5 bins
    return _shares(sample_rate_hz / size, power.shape[0], look.edges_hz) @ power


def background_powers(view: Spectrogram, look: Look) -> np.ndarray:
    """Return the power of the background in each band [shape=(bands,)], from the quietest quarter of the time.

    Args:
        view: spectrogram of the recording.
        look: the resolution.
    """
    return np.asarray(_shares(view.bin_hz, view.floor.size, look.edges_hz) @ (view.floor / 1.5))


def fine_view(samples: np.ndarray, sample_rate_hz: int) -> Spectrogram:
    """Return the spectrogram from which `background_powers` are taken."""
    return spectrogram(samples, sample_rate_hz, window_s=0.064, hop_s=0.005)


def _shares(bin_hz: float, bins: int, edges_hz: np.ndarray) -> np.ndarray:
    """Return the share of each bin in each band [shape=(bands, bins)]."""
    hz = np.arange(bins) * bin_hz
    low, high = np.maximum(hz - 0.5 * bin_hz, 0.0), hz + 0.5 * bin_hz
    inside = np.minimum(high, edges_hz[1:, None]) - np.maximum(low, edges_hz[:-1, None])
    return np.asarray(np.clip(inside / bin_hz, 0.0, 1.0))
