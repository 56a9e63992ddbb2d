"""When the cycles of a machine start, to a fraction of a sample where their waveforms agree.

Convention: starts are in seconds from the first sample of the recording.
"""

from __future__ import annotations

import numpy as np

#: How far a start from the level may be off.
_REACH_S = 0.02
#: Median correlation of the cycles from which their waveforms are taken to agree.
_AGREE = 0.75
#: Cycles whose waveforms agree and that are this close to a fixed period have one.
_CLOCK_S = 0.0005


def align_waveforms(
    samples: np.ndarray, sample_rate_hz: int, starts_s: np.ndarray, span_s: float, *, fixed: bool
) -> np.ndarray:
    """Return the starts of cycles, refined by cross-correlation where the waveforms agree [shape=(cycles,)].

    Waveforms of free-running oscillators may agree at the wrong time, a period of the tone early or late. So where the level shows a fixed
    period, the refined starts must have one too. Cycles that are not wholly inside the recording keep their starts.

    Args:
        samples: the recording [shape=(samples,)].
        sample_rate_hz: its rate.
        starts_s: of the cycles, from their level.
        span_s: length of a cycle.
        fixed: whether the level shows a fixed period.
    """
    size, reach = round(span_s * sample_rate_hz), round(min(_REACH_S, 0.1 * span_s) * sample_rate_hz)
    firsts = np.round(starts_s * sample_rate_hz).astype(int)
    inside = np.flatnonzero((firsts >= reach) & (firsts + size + reach <= samples.size))
    if inside.size < 2:
        return starts_s
    firsts = firsts[inside] - reach
    cycles = np.stack([samples[first : first + size + 2 * reach] for first in firsts])
    template = cycles[int(np.argmax((cycles**2).sum(axis=1))), reach : reach + size]
    for _ in range(3):
        lags, likeness = _lags(cycles, template)
        whole = np.round(lags).astype(int)
        template = np.mean([cycle[lag : lag + size] for cycle, lag in zip(cycles, whole)], axis=0)
    refined = (firsts + lags) / sample_rate_hz
    if np.median(likeness) < _AGREE or (fixed and _deviation_s(refined, span_s) > _CLOCK_S):
        return starts_s
    out = np.array(starts_s, dtype=np.float64)
    out[inside] = refined
    return out


def _lags(cycles: np.ndarray, template: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where each cycle fits a template best, in samples, and their correlation there [shape=(cycles,)]."""
    from scipy import fft

    span, size = cycles.shape[1], template.size
    length = fft.next_fast_len(span + size, real=True)
    found = fft.irfft(fft.rfft(cycles, length, axis=1) * fft.rfft(template, length).conj(), length, axis=1)
    lags, likeness = [], []
    for cycle, values in zip(cycles, found[:, : span - size + 1]):
        k = int(np.argmax(values))
        offset = 0.0
        if 0 < k < values.size - 1:
            left, middle, right = values[k - 1 : k + 2]
            offset = 0.5 * (left - right) / min(left - 2.0 * middle + right, -1e-30)
        energy = float((cycle[k : k + size] ** 2).sum() * (template**2).sum())
        lags.append(k + offset)
        likeness.append(values[k] / max(np.sqrt(energy), 1e-30))
    return np.array(lags), np.array(likeness)


def _deviation_s(starts_s: np.ndarray, period_s: float) -> float:
    """Return the standard deviation of starts from a fixed period near `period_s`."""
    number = np.round((starts_s - starts_s[0]) / period_s)
    if np.unique(number).size < 3:
        return 0.0
    return float(np.std(starts_s - np.polyval(np.polyfit(number, starts_s, 1), number)))
