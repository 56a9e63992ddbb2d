"""Epoch folding: cycles aligned with one another and averaged."""

from __future__ import annotations

import numpy as np

#: Cycles whose likeness to the mean cycle is less than this share of the best do not hold the sound: a signal of five beeps is over.
_SOUNDS = 0.3


def fold(picture: np.ndarray, starts: np.ndarray, span: int) -> np.ndarray:
    """Return the mean over cycles of a spectrogram [shape=(bins, span)]; frames outside the recording are left out.

    Args:
        picture: [shape=(bins, frames)].
        starts: of the cycles, in frames [shape=(cycles,)].
        span: length of a cycle, in frames.
    """
    total, count = np.zeros((picture.shape[0], span)), np.zeros(span)
    for start in np.round(starts).astype(int):
        low, high = max(start, 0), min(start + span, picture.shape[1])
        if high > low:
            total[:, low - start : high - start] += picture[:, low:high]
            count[low - start : high - start] += 1
    return np.asarray(total / np.maximum(count, 1.0))


def aligned_starts(excess: np.ndarray, period: float) -> np.ndarray:
    """Return the starts of all cycles in frames; where the period varies (a heart beat), each is moved to where it fits the mean cycle best.

    Args:
        excess: power above the background [shape=(bins, frames)].
        period: in frames.
    """
    frames, span = excess.shape[1], round(period)
    starts = np.arange(0.0, frames - 0.3 * period, period)
    if period < 60 or starts.size < 3:
        return starts
    envelope = np.sqrt(excess.sum(axis=0))
    reach = round(0.15 * period)
    for _ in range(2):
        template = fold(envelope[None, :], starts, span)[0]
        template = template - template.mean()
        scores = np.array(
            [[_overlap(envelope, template, round(start) + d) for d in range(-reach, reach + 1)] for start in starts]
        )
        wobble = scores.argmax(axis=1) - float(reach)
        sounds = scores.max(axis=1) > _SOUNDS * scores.max()
        wobble[~sounds] = np.median(wobble[sounds])  # a cycle without the sound has no start of its own
        if np.median(np.abs(wobble - np.median(wobble))[sounds]) < 2.0:
            return starts  # the period is fixed
        starts = starts + wobble - np.median(wobble)
    return starts


def _overlap(envelope: np.ndarray, template: np.ndarray, start: int) -> float:
    low, high = max(start, 0), min(start + template.size, envelope.size)
    return float((envelope[low:high] * template[low - start : high - start]).sum()) if high > low else 0.0


def quietest(level: np.ndarray) -> int:
    """Return the middle of the quietest tenth of a cycle, in frames: the best place to start it."""
    width = max(2, level.size // 10)
    around = np.concatenate([level, level[:width]])
    smooth = np.convolve(around, np.full(width, 1.0 / width), mode="valid")[: level.size]
    return int((np.argmin(smooth) + round(0.5 * width)) % level.size)


def bins_at(samples: np.ndarray, sample_rate_hz: int, rows_hz: np.ndarray, window_s: float, hop_s: float) -> np.ndarray:
    """Return the complex bins that hold these frequencies [shape=(rows, frames)].

    Args:
        samples: the recording [shape=(samples,)].
        sample_rate_hz: its rate.
        rows_hz: the frequencies [shape=(rows,)].
        window_s: of each frame.
        hop_s: from frame to frame.
    """
    import librosa

    size, hop = round(window_s * sample_rate_hz), round(hop_s * sample_rate_hz)
    spectrum = librosa.stft(samples.astype(np.float32), n_fft=size, hop_length=hop, window="hann", pad_mode="constant")
    rows = np.round(rows_hz * size / sample_rate_hz).astype(int)
    return np.asarray(spectrum[np.unique(np.clip(rows, 1, spectrum.shape[0] - 2))] * np.float32(np.sqrt(8.0) / size))
