"""A first estimate of a cycle from its level over time: when cycles start, and roughly when something sounds in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomtone.measure.cycles.alignment import align_waveforms
from roomtone.measure.spectra.epoch_folding import aligned_starts, bins_at, fold, quietest
from roomtone.measure.spectra.onset_spans import SHORT_S, sounding_spans, split_spans
from roomtone.measure.spectra.spectrogram import LOWER_QUARTILE

WINDOW_S = 0.032
HOP_S = 0.002
#: A cycle as short as this is taken to hold one pulse: reverberation fills any gap in it.
SHORT_CYCLE_S = 0.45


@dataclass(frozen=True)
class CycleDraft:
    """A cycle as its level shows it; reverberation makes every end late.

    Attributes:
        starts_s: start of each cycle [shape=(cycles,)].
        span_s: length of a cycle.
        period_s: from cycle to cycle; 0 where the whole recording is one cycle.
        silent: whether the machine is silent at the start of a cycle.
        spans: `(onset, length)` of each sound in the cycle, in seconds from its start.
    """

    starts_s: np.ndarray
    span_s: float
    period_s: float
    silent: bool
    spans: tuple[tuple[float, float], ...]


def draft_cycle(samples: np.ndarray, rate: int, rows_hz: np.ndarray, period_s: float) -> CycleDraft:
    """Return a first estimate of a cycle.

    Args:
        samples: the recording.
        rate: its rate in Hz.
        rows_hz: frequencies at which the machine repeats [shape=(rows,)].
        period_s: its period; 0 takes the whole recording as one cycle.
    """
    window_s = float(np.clip(period_s / 4.0, 0.012, WINDOW_S)) if period_s else WINDOW_S
    hop_s = HOP_S if not period_s or period_s > SHORT_S else HOP_S / 4.0
    if hop_s < HOP_S:
        samples = samples[: 30 * rate]
    power = np.abs(bins_at(samples, rate, rows_hz, window_s, hop_s)) ** 2
    whole = power.sum(axis=0)
    power = np.maximum(power - 1.2 * np.quantile(power, 0.25, axis=1, keepdims=True) / LOWER_QUARTILE, 0.0)
    frames = power.shape[1]
    starts = aligned_starts(power, period_s / hop_s) if period_s else np.array([0.0])
    span = max(8, round(period_s / hop_s)) if period_s else frames
    if starts.size > 2 and np.ptp(np.diff(starts)) > 1.0:
        # no fixed period: waveforms align cycles better than levels do, once no sound straddles the border of two cycles
        starts = starts + quietest(fold(power.sum(axis=0)[None, :], starts, span)[0])
        starts = align_waveforms(samples, rate, starts * hop_s, span * hop_s, fixed=False) / hop_s
    level = fold(power.sum(axis=0)[None, :], starts, span)[0]
    if period_s:  # the cycle starts where it is quietest
        shift = quietest(level)
        starts, level = starts + shift, np.roll(level, -shift)
        starts = np.concatenate([[2.0 * starts[0] - starts[1]], starts]) if starts.size > 1 else starts
        starts = starts[(starts > -0.95 * span) & (starts < frames)]
    found = sounding_spans(level, hop_s)
    if not period_s or period_s > SHORT_S:
        found = split_spans(found, fold(power, starts, span), hop_s)
    whole = fold(whole[None, :], starts, span)[0]
    silent = not 0.0 < period_s <= SHORT_CYCLE_S or bool(np.quantile(whole, 0.05) < 0.03 * np.quantile(whole, 0.9))
    spans = tuple((on * hop_s, (off - on) * hop_s) for on, off in found)
    return CycleDraft(starts * hop_s, span * hop_s, period_s, silent, spans)
