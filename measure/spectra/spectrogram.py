"""Time-frequency views of a recording: a spectrogram with its background, interpolated spectral peaks, one partial shifted to 0 Hz.

Conventions: samples are float64 [shape=(samples,)], full scale +-1; levels are in dB re full scale (a sine of amplitude 1
has -3.01 dB); spectra are Hann-windowed and scaled so that a steady sine shows its power in its own bin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: -log(1 - 0.25): the lower quartile of an exponential distribution re its mean, so of the power of Gaussian noise in one bin.
LOWER_QUARTILE = 0.28768


@dataclass(frozen=True)
class Partial:
    """One tonal component.

    Attributes:
        hz: frequency, interpolated between bins.
        power: mean square while it sounds, full scale = 1.
        excess_db: how far it stands above the background in its own bin.
    """

    hz: float
    power: float
    excess_db: float


@dataclass(frozen=True)
class Spectrogram:
    """Power over frequency and time [shape=(bins, frames)], with the background of each bin [shape=(bins,)]."""

    power: np.ndarray
    floor: np.ndarray
    bin_hz: float
    hop_s: float


def spectrogram(samples: np.ndarray, sample_rate_hz: int, *, window_s: float, hop_s: float) -> Spectrogram:
    """Return the power of each bin and frame, and the background of each bin, estimated from the quietest quarter of the frames.

    A line that never stops would count as its own background, so the background of a bin is at most 6 dB above that of its neighbours.

    Args:
        samples: the recording [shape=(samples,)].
        sample_rate_hz: its rate in Hz.
        window_s: length of the Hann window.
        hop_s: time between frames.
    """
    import librosa

    size = round(window_s * sample_rate_hz)
    hop = round(hop_s * sample_rate_hz)
    if samples.size < size:
        samples = np.pad(samples, (0, size - samples.size))
    spectrum = librosa.stft(samples.astype(np.float32), n_fft=size, hop_length=hop, window="hann", pad_mode="constant")
    power = (np.abs(spectrum) ** 2 * np.float32(8.0 / size**2)).astype(np.float32)  # Hann: sum of weights is size / 2
    quiet = np.quantile(power, 0.25, axis=1) / LOWER_QUARTILE
    around = smooth_background(quiet)
    return Spectrogram(power, np.minimum(quiet, 4.0 * around) + 1e-20, sample_rate_hz / size, hop / sample_rate_hz)


def smooth_background(power: np.ndarray, *, half_width: int = 12) -> np.ndarray:
    """Return the 40th percentile of a spectrum around each bin, on a logarithmic scale [shape=(bins,)].

    Args:
        power: of each bin [shape=(bins,)].
        half_width: of the window, in bins; near 0 Hz the window is 9 bins wide.
    """
    from scipy.ndimage import percentile_filter

    logs = np.log(np.maximum(power, 1e-30))
    wide = percentile_filter(logs, 40, size=2 * half_width + 1, mode="nearest")
    narrow = percentile_filter(logs, 40, size=9, mode="nearest")
    edge = np.arange(power.size) < half_width
    return np.asarray(np.exp(np.where(edge, narrow, wide)))


def interpolated_peaks(power: np.ndarray, bin_hz: float, least: np.ndarray) -> list[Partial]:
    """Return the local maxima of a Hann-windowed spectrum that exceed a threshold, strongest first.

    The frequency is that of a parabola through the logarithms of three bins, which for a Hann window is right to 0.02
    bins or better; the power is the height of the parabola.

    Args:
        power: of each bin [shape=(bins,)].
        bin_hz: width of a bin.
        least: the threshold of each bin [shape=(bins,)].
    """
    centre = power[1:-1]
    index = np.flatnonzero((centre > power[:-2]) & (centre >= power[2:]) & (centre > least[1:-1])) + 1
    found = []
    for k in index:
        left, middle, right = np.log(np.maximum(power[k - 1 : k + 2], 1e-30))
        offset = 0.5 * (left - right) / min(left - 2.0 * middle + right, -1e-9)
        height = float(np.exp(middle - 0.25 * (left - right) * offset))
        found.append(Partial(float((k + offset) * bin_hz), height, float(10.0 * np.log10(height / least[k]))))
    return sorted(found, key=lambda partial: -partial.power)


def baseband(samples: np.ndarray, sample_rate_hz: int, hz: float, half_band_hz: float, rate_hz: float) -> np.ndarray:
    """Return one partial shifted to 0 Hz, complex [shape=(about duration * rate_hz,)], without delay.

    Args:
        samples: the recording.
        sample_rate_hz: its rate.
        hz: the frequency that becomes 0 Hz.
        half_band_hz: half the bandwidth that is kept (-6 dB), by a Hann-shaped kernel of half length 1 / half_band_hz.
        rate_hz: the rate of the result; a divisor of the rate.
    """
    from scipy.signal import oaconvolve, windows

    step = round(sample_rate_hz / rate_hz)
    kernel = windows.hann(2 * round(sample_rate_hz / half_band_hz) // 2 + 1, sym=True)
    turns = (np.arange(samples.size) * (hz / sample_rate_hz)) % 1.0
    moved = samples * np.exp(-2j * np.pi * turns)
    return np.asarray(oaconvolve(moved, kernel / kernel.sum(), mode="same")[::step])
