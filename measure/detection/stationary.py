"""Machines that never stop: lines that exceed the background in nearly every second, and their amplitude modulation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomtone.measure.spectra.spectrogram import Partial, baseband, smooth_background

#: Share of the frames in which a line must exceed the background.
_PRESENT = 0.8
#: How far the frequency of a line may drift, as a share, and at least so many Hz.
_DRIFT = 0.0012
_DRIFT_HZ = 1.0
#: The strongest of several bins of noise jumps from frame to frame, by a bin or by a share of their number; a line drifts smoothly.
_JUMPS, _JUMPS_SHARE = 0.4, 0.15
#: Range of modulation rates, and the least depth.
_AM_HZ = (0.4, 8.0)
_AM_LEAST = 0.08


@dataclass(frozen=True)
class SteadyLine:
    """A steady partial, and the drift of its frequency: half the range of the middle 80 % of the frames, as a share."""

    partial: Partial
    drift: float


def find_steady_lines(samples: np.ndarray, sample_rate_hz: int) -> list[SteadyLine]:
    """Return the lines that sound all the time, strongest first.

    Args:
        samples: the recording [shape=(samples,)].
        sample_rate_hz: its rate in Hz.

    The spectrum is taken over frames of about one second. In Gaussian noise the power of a bin is exponential, so that of m bins the
    largest exceeds x times their mean in a share m * exp(-x) of the frames; a line must exceed `1.6 + log(m)` times the background
    in 80 % of them. Over 20 independent frames and 8000 bins that is less than one false line in a hundred recordings.
    """
    import librosa

    size = min(round(1.024 * sample_rate_hz), max(256, samples.size // 8))
    spectrum = librosa.stft(samples.astype(np.float32), n_fft=size, hop_length=size // 2, window="hann", center=False)
    power = np.abs(spectrum).astype(np.float64) ** 2 * (8.0 / size**2)
    if power.shape[1] < 6:
        return []
    bin_hz = sample_rate_hz / size
    median = np.median(power, axis=1) / np.log(2.0)
    background = smooth_background(median, half_width=round(20 / bin_hz)) / 0.91  # the 40th percentile re the median
    hz = np.arange(power.shape[0]) * bin_hz
    reach = np.maximum(np.round(np.maximum(_DRIFT * hz, _DRIFT_HZ) / bin_hz), 1).astype(int)
    found: list[SteadyLine] = []
    for k in _candidates(power, background, reach):
        line = _follow(power, background, int(k), int(reach[k]), bin_hz)
        if line is not None and not any(_same(line.partial, other.partial) for other in found):
            found.append(line)
    return found


def _candidates(power: np.ndarray, background: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Return bins in which a line, which may drift, exceeds the background in nearly every frame; the strongest first."""
    from scipy.ndimage import maximum_filter1d

    chosen = np.zeros(power.shape[0])
    for width in np.unique(reach):
        rows = np.flatnonzero(reach == width)
        low, high = max(rows[0] - width, 0), min(rows[-1] + width + 1, power.shape[0])
        widest = maximum_filter1d(power[low:high], 2 * int(width) + 1, axis=0)[rows - low]
        present = np.quantile(widest, 1.0 - _PRESENT, axis=1)
        threshold = (1.6 + np.log(2 * width + 1)) * background[rows]
        chosen[rows] = np.where(present > threshold, np.median(power[rows], axis=1), 0.0)
    index = np.flatnonzero(chosen[1:-1] > 0) + 1
    index = index[(chosen[index] >= chosen[index - 1]) & (chosen[index] >= chosen[index + 1])]
    return index[np.argsort(-chosen[index])]


def _follow(power: np.ndarray, background: np.ndarray, k: int, reach: int, bin_hz: float) -> SteadyLine | None:
    """Return the line near bin k, from the strongest bin of each frame; None where there is none, and at the edges of the band."""
    low, high = k - reach, k + reach + 1
    if low < 3 or high > power.shape[0] - 3:
        return None
    highest = power[low:high].argmax(axis=0) + low
    frames = np.arange(power.shape[1])
    left, middle, right = (np.log(np.maximum(power[highest + s, frames], 1e-30)) for s in (-1, 0, 1))
    bend = np.minimum(left - 2 * middle + right, -1e-9)
    offset = np.clip(0.5 * (left - right) / bend, -0.6, 0.6)
    hz = (highest + offset) * bin_hz
    # sum over the main lobe: a Hann window spreads a sine over bins whose powers add up to 1.5 times its own
    lobe = sum(power[highest + s, frames] for s in range(-2, 3)) / 1.5 - 5.0 * background[k] / 1.5
    level = float(np.median(lobe))
    jumps = float(np.median(np.abs(np.diff(hz, 2)))) > max(_JUMPS, _JUMPS_SHARE * reach) * bin_hz
    drifts = not jumps and float(np.ptp(hz)) > 3.0 * bin_hz  # and so crosses frequencies that the room cancels
    if level <= 0 or np.quantile(lobe, 0.1) < (0.003 if drifts else 0.1) * np.quantile(lobe, 0.9):
        return None  # a note that comes and goes
    beside = np.median(power[np.r_[low - 3 : low - 1, high + 1 : high + 3]], axis=1).max()
    if beside > (0.03 if jumps else 0.3) * level:
        return None  # a room resonance or coloured noise: too broad for a line
    weight = power[highest, frames]
    centre = float((weight * hz).sum() / weight.sum())
    drift = float((np.quantile(hz, 0.9) - np.quantile(hz, 0.1)) / 2.0 / centre)
    return SteadyLine(Partial(centre, level, float(10 * np.log10(level / background[k]))), drift)


def _same(one: Partial, other: Partial) -> bool:
    """Return whether a line is the flank or a sideband of a stronger one."""
    near = abs(one.hz - other.hz)
    return near < max(5.0, 2.5 * _DRIFT * other.hz) or (near < 12.0 and one.power < 0.2 * other.power)


def amplitude_modulation(samples: np.ndarray, sample_rate_hz: int, partials: list[Partial]) -> tuple[float, float]:
    """Return rate in Hz and depth (0 to 1) of the amplitude modulation that the strongest partials share; zeros for none.

    The strongest line of the summed spectrum of their envelopes must exceed the median around it by a factor of 40, and the depth 8 %.

    Args:
        samples: the recording.
        sample_rate_hz: its rate in Hz.
        partials: strongest first; five are used.
    """
    from scipy import fft

    rate_hz, total, weights = 100.0, np.zeros(0), 0.0
    envelopes = []
    for partial in partials[:5]:
        z = np.abs(baseband(samples, sample_rate_hz, partial.hz, 15.0, rate_hz))
        trimmed = z[10:-10] / max(float(z.mean()), 1e-12) - 1.0
        envelopes.append((partial.power, trimmed))
    for weight, envelope in envelopes:
        spectrum = np.abs(fft.rfft(envelope * np.hanning(envelope.size), 8 * envelope.size)) ** 2
        total = spectrum * weight if not total.size else total + spectrum * weight
        weights += weight
    length = envelopes[0][1].size
    hz = np.arange(total.size) * rate_hz / (8 * length)
    inside = (hz >= max(_AM_HZ[0], 3.0 * rate_hz / length)) & (hz <= _AM_HZ[1])
    if not inside.any():
        return 0.0, 0.0
    k = int(np.flatnonzero(inside)[np.argmax(total[inside])])
    depth = 4.0 * np.sqrt(total[k] / weights) / length  # Hann: half the length; a cosine: half its depth
    around = np.median(total[inside])
    if depth < _AM_LEAST or total[k] < 40.0 * around:
        return 0.0, 0.0
    return float(hz[k]), float(min(depth, 1.0))
