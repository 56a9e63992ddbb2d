"""Whether a pattern repeats, and after which time: autocorrelation of a spectrogram, tested cycle by cycle.

A repetition is one of the whole spectrogram, not of a level: speech has rhythm and music a beat, but neither repeats its
spectrogram after a fixed time, cycle by cycle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Least correlation of a repetition with the cycle before ...
LEAST_LIKENESS = 0.5
#: ... and in the worst quarter of its cycles (a cough may spoil one in four).
LEAST_CYCLE = 0.3
#: With fewer cycles than this the correlation must be higher: two sentences of one talker may resemble each other.
FEW_CYCLES = 2.6
LIKENESS_OF_FEW = 0.8
#: A shorter lag is the period if its correlation is this share of the highest one.
_NEARLY = 0.90


@dataclass(frozen=True)
class Repetition:
    """A period, how alike its cycles are (0 to 1), and how many of them the recording holds."""

    period_s: float
    likeness: float
    cycles: float


def autocorrelation(pictures: np.ndarray) -> np.ndarray:
    """Return the correlation of spectrograms with themselves over lag [shape=(frames,)], 1 at lag 0.

    Each lag is normalised over the frames that overlap there, so that late lags are not weak because they are late.

    Args:
        pictures: [shape=(rows, frames)]; each row has its mean removed here.
    """
    from scipy import fft

    rows = np.asarray(pictures, dtype=np.float64)
    rows = rows - rows.mean(axis=1, keepdims=True)
    frames = rows.shape[1]
    size = fft.next_fast_len(2 * frames, real=True)
    total = np.zeros(frames)
    for row in rows:  # one at a time: a two-minute recording has 500 rows
        spectrum = fft.rfft(row, size)
        total += fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[:frames]
    energy = np.concatenate([[0.0], np.cumsum((rows * rows).sum(axis=0))])
    head, tail = energy[frames - np.arange(frames)], energy[-1] - energy[np.arange(frames)]
    return np.asarray(total / np.maximum(np.sqrt(head * tail), 1e-30))


def find_repetition(
    pictures: np.ndarray, hop_s: float, *, shortest_s: float, likeness: float = LEAST_LIKENESS
) -> Repetition | None:
    """Return the shortest time after which a spectrogram repeats, or None where it does not.

    Args:
        pictures: amplitude of each bin and frame [shape=(rows, frames)].
        hop_s: time between frames.
        shortest_s: the shortest period considered.
        likeness: least correlation at the period.
    """
    alike = autocorrelation(pictures)
    frames = alike.size
    first = max(2, round(shortest_s / hop_s))
    last = int(0.8 * frames)  # at least a fifth of the recording must be seen twice
    if last <= first + 2:
        return None
    lags = np.arange(first, last)
    peaks = lags[(alike[lags] >= alike[lags - 1]) & (alike[lags] > alike[lags + 1])]
    peaks = peaks[_seen_twice(pictures, peaks)]
    few = frames / np.maximum(peaks, 1) < FEW_CYCLES
    peaks = peaks[alike[peaks] >= np.where(few, LIKENESS_OF_FEW, likeness)]
    # between a peak and lag 0 the correlation must have fallen: a slow change of level is no repetition
    lowest = np.minimum.accumulate(alike[: last + 1])
    peaks = np.array([p for p in peaks if alike[p] - lowest[p] > 0.25 * max(alike[p], 0.3)], dtype=int)
    if not peaks.size:
        return None
    best = float(alike[peaks].max())
    for peak in peaks[alike[peaks] >= _NEARLY * best]:
        if cycles_alike(pictures, int(peak)):
            period = refined_lag(alike, int(peak), last)
            return Repetition(period * hop_s, float(alike[peak]), frames / period)
    return None


def _seen_twice(pictures: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Return at which lags both of the compared parts hold a tenth of the energy or more; else noise is compared with noise."""
    rows = pictures - pictures.mean(axis=1, keepdims=True)
    energy = np.concatenate([[0.0], np.cumsum((rows * rows).sum(axis=0))])
    head, tail = energy[energy.size - 1 - lags], energy[-1] - energy[lags]
    return np.asarray(np.minimum(head, tail) >= 0.1 * energy[-1])


def cycles_alike(pictures: np.ndarray, lag: int) -> bool:
    """Return whether three in four cycles resemble the one before.

    Args:
        pictures: amplitude of each bin and frame [shape=(rows, frames)].
        lag: the period in frames.
    """
    rows = pictures - pictures.mean(axis=1, keepdims=True)
    frames = rows.shape[1]
    starts = list(range(0, frames - 2 * lag + 1, lag)) or [0]
    found = []
    for start in starts:
        stop = min(start + lag, frames - lag)
        one, two = rows[:, start:stop], rows[:, start + lag : stop + lag]
        scale = np.sqrt((one * one).sum() * (two * two).sum())
        found.append(float((one * two).sum() / scale) if scale > 0 else 0.0)
    return float(np.quantile(found, 0.25)) >= LEAST_CYCLE


def refined_lag(alike: np.ndarray, lag: int, last: int) -> float:
    """Return a period in frames, refined by the peaks at its multiples: the n-th is n times as precise.

    Args:
        alike: autocorrelation [shape=(frames,)].
        lag: a first estimate of the period.
        last: the longest lag considered.
    """
    period = float(lag)
    multiple = 1
    while (multiple + 1) * period < last:
        multiple += 1
        centre = round(multiple * period)
        reach = max(1, min(round(0.2 * period), 2 + round(0.03 * period)))
        window = alike[centre - reach : centre + reach + 1]
        k = int(np.argmax(window))
        if not 0 < k < window.size - 1 or window[k] < 0.5 * alike[lag]:
            break
        period = (centre - reach + k + _parabola(window, k)) / multiple
    if multiple == 1 and 0 < lag < alike.size - 1:
        period = lag + _parabola(alike, lag)
    return period


def _parabola(values: np.ndarray, k: int) -> float:
    left, middle, right = values[k - 1 : k + 2]
    bend = left - 2.0 * middle + right
    return float(0.5 * (left - right) / bend) if bend < 0 else 0.0
