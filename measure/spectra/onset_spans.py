"""When a cycle sounds, estimated from its level and its spectrogram. Only rough: reverberation makes every end late."""

from __future__ import annotations

import itertools

import numpy as np

#: With a shorter period, reverberation never falls silent between the pulses.
SHORT_S = 0.16


def sounding_spans(level: np.ndarray, hop_s: float) -> list[tuple[int, int]]:
    """Return `(begin, end)` in frames of each sound in a cycle: thresholds with hysteresis, re the level while it sounds.

    Args:
        level: power of each frame of one cycle [shape=(frames,)].
        hop_s: time between frames.
    """
    short = level.size * hop_s < SHORT_S
    width = max(1, round((0.004 if short else 0.026) / hop_s))
    smooth = np.convolve(np.pad(level, width, mode="wrap"), np.full(width, 1.0 / width), mode="same")[width:-width]
    loud = loudness(smooth)
    if short:  # the level hardly falls between pulses: one threshold in the middle
        loud = np.sqrt(smooth.max() * max(smooth.min(), 1e-3 * smooth.max()))
    rises, stays = (1.0, 1.0) if short else (0.35, 0.2)
    spans: list[tuple[int, int]] = []
    on: int | None = None
    for k, value in enumerate(smooth):
        if on is None and value >= rises * loud:
            on = k
        elif on is not None and value < stays * loud:
            spans.append((on, k))
            on = None
    if on is not None:
        spans.append((on, smooth.size))
    least = max(2, round(0.012 / hop_s))
    merged: list[tuple[int, int]] = []
    for begin, end in spans:
        if merged and (begin - merged[-1][1]) * hop_s < (0.004 if short else 0.025):
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((begin, end))
    return [(begin, end) for begin, end in merged if end - begin >= least or short]


def split_spans(spans: list[tuple[int, int]], power: np.ndarray, hop_s: float) -> list[tuple[int, int]]:
    """Return the spans, cut where a new pulse starts before the reverberation of the last one has died away.

    A pulse starts where 40 % of the power or more was not in the same bins 24 ms before.

    Args:
        spans: `(begin, end)` in frames.
        power: above the background [shape=(bins, frames)].
        hop_s: time between frames.
    """
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import find_peaks

    step = round(0.012 / hop_s)
    smooth = np.maximum(uniform_filter1d(power, max(1, round(0.008 / hop_s)), axis=1), 0.0)
    rise = np.zeros(power.shape[1])
    rise[step:-step] = np.maximum(smooth[:, 2 * step :] - smooth[:, : -2 * step], 0.0).sum(axis=0)
    level = smooth.sum(axis=0)
    loud = loudness(level)
    share = rise / np.maximum(np.roll(level, -step), 0.3 * loud)
    peaks, _ = find_peaks(share, height=0.4, distance=round(0.09 / hop_s), prominence=0.25)
    least = round(0.09 / hop_s)
    out: list[tuple[int, int]] = []
    for begin, end in spans:
        cuts = [int(k) for k in peaks if begin + least <= k <= end - round(0.04 / hop_s) and _new(smooth, int(k), step)]
        edges = [begin, *cuts, end]
        out += [(a, b if b == end else b - round(0.006 / hop_s)) for a, b in itertools.pairwise(edges)]
    return out


def _new(smooth: np.ndarray, cut: int, step: int) -> bool:
    """Return whether other bins are loud after a cut than before, or the level falls by 3 dB before it: interference does neither."""
    before, after = (
        smooth[:, max(cut - 4 * step, 0) : cut - step].mean(axis=1),
        smooth[:, cut + step : cut + 4 * step].mean(axis=1),
    )
    dip = smooth.sum(axis=0)[max(cut - 2 * step, 0) : cut + 1].min()
    top = min(smooth.sum(axis=0)[max(cut - 12 * step, 0) : cut].max(), after.sum())
    shared = np.sqrt(before * after).sum() / max(np.sqrt(before.sum() * after.sum()), 1e-30)
    return bool(shared < 0.75 or dip < 0.5 * top)


def loudness(smooth: np.ndarray) -> float:
    """Return the power of a machine while it sounds: the median of the frames that exceed a tenth of the loudest one."""
    top = float(np.quantile(smooth, 0.99))
    top = top if top > 0.02 * smooth.max() else float(smooth.max())
    return float(np.median(smooth[smooth >= 0.1 * top]))
