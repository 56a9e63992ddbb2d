"""How the pitch of a pulse changes while it sounds, from the strongest ridge of its spectrogram."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roomtone.measure.spectra.epoch_folding import fold
from roomtone.measure.spectra.spectrogram import Partial, Spectrogram


def glide_of(
    view: Spectrogram, rows: np.ndarray, times_s: np.ndarray, length_s: float, partials: Sequence[Partial]
) -> float:
    """Return the ratio of the pitch at the end of a pulse to that at its start; 1 for a constant pitch.

    Args:
        view: spectrogram of the recording.
        rows: bins of the machine.
        times_s: starts of the pulse.
        length_s: of the pulse.
        partials: of its mean spectrum.
    """
    low, high = max(int(rows.min()) - 6, 1), min(int(rows.max()) + 7, view.power.shape[0] - 1)
    end = round(length_s / view.hop_s)
    mean = fold(view.power[low:high], times_s / view.hop_s, end)
    edge = min(8, end // 6)
    ridge = mean[:, edge : end - edge] if end > 2 * edge + 6 else mean
    k = _ridge(ridge)
    frames = np.arange(ridge.shape[1])
    left, middle, right = (np.log(ridge[k + s, frames] + 1e-20) for s in (-1, 0, 1))
    hz = (
        low + k + np.clip(0.5 * (left - right) / np.minimum(left - 2 * middle + right, -1e-9), -0.5, 0.5)
    ) * view.bin_hz
    if _held(partials, hz, ridge[k, frames]):
        return 1.0
    time = (frames + 0.5) / frames.size
    slopes = np.polyfit(time, hz, 1)
    rest = hz - np.polyval(slopes, time)
    keep = np.abs(rest) < 3.0 * np.median(np.abs(rest)) + 1.0
    slope, start = np.polyfit(time[keep], hz[keep], 1)
    moved = abs(slope)
    if (
        start <= 0
        or start + slope <= 0
        or moved < max(0.02 * start, 0.5 * view.bin_hz, 4.0 / length_s)
        or np.std(rest[keep]) > 0.25 * moved
    ):
        return 1.0
    return float((start + slope) / start)


def _held(partials: Sequence[Partial], line_hz: np.ndarray, power: np.ndarray) -> bool:
    """Return whether one partial has 70 % of the power of the ridge: that of a glide is spread over its range."""
    low, high = np.quantile(line_hz, [0.05, 0.95])
    near = [p.power for p in partials if 0.94 * low <= p.hz <= 1.06 * high]
    return max(near, default=0.0) > 0.7 * float(power.mean())


def _ridge(power: np.ndarray) -> np.ndarray:
    """Return the bin of the strongest line in each frame, tracked from its loudest frame both ways, by at most 2 bins a frame."""
    bins, frames = power.shape
    peak = int(np.argmax(power.max(axis=0)))
    line = np.zeros(frames, dtype=int)
    line[peak] = int(np.argmax(power[:, peak]))
    for frame, last in [(f, f - 1) for f in range(peak + 1, frames)] + [(f, f + 1) for f in range(peak - 1, -1, -1)]:
        low, high = max(line[last] - 2, 0), min(line[last] + 3, bins)
        line[frame] = low + int(np.argmax(power[low:high, frame]))
    return np.clip(line, 1, bins - 2)
