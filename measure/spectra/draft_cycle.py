"""A cycle as its level shows it: when it begins, and roughly when something sounds in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomtone.measure.spectra.epoch_folding import aligned_starts, bins_at, fold, quietest
from roomtone.measure.spectra.onset_spans import SHORT_S, sounding_spans, split_spans

WINDOW_S = 0.032
HOP_S = 0.002
#: A cycle as short as this is taken to hold one pulse: no room lets a gap in it be seen.
ROUND_S = 0.45


@dataclass(frozen=True)
class Rough:
    """A cycle as its level shows it: starts, length, whether it falls silent, and `(onset, length)` of what sounds in it, in seconds."""

    starts_s: np.ndarray
    span_s: float
    period_s: float
    silent: bool
    spans: tuple[tuple[float, float], ...]


def rough_cycle(samples: np.ndarray, rate: int, rows_hz: np.ndarray, period_s: float) -> Rough:
    """Return the cycle as its level shows it."""
    window_s = float(np.clip(period_s / 4.0, 0.012, WINDOW_S)) if period_s else WINDOW_S
    hop_s = HOP_S if not period_s or period_s > SHORT_S else HOP_S / 4.0
    if hop_s < HOP_S:
        samples = samples[: 30 * rate]
    power = np.abs(bins_at(samples, rate, rows_hz, window_s, hop_s)) ** 2
    whole = power.sum(axis=0)
    power = np.maximum(power - 1.2 * np.quantile(power, 0.25, axis=1, keepdims=True) / 0.28768, 0.0)
    frames = power.shape[1]
    starts = aligned_starts(power, period_s / hop_s) if period_s else np.array([0.0])
    span = max(8, round(period_s / hop_s)) if period_s else frames
    level = fold(power.sum(axis=0)[None, :], starts, span)[0]
    if period_s:  # the cycle begins where it is most silent for long
        shift = quietest(level)
        starts, level = starts + shift, np.roll(level, -shift)
        starts = np.concatenate([[2.0 * starts[0] - starts[1]], starts]) if starts.size > 1 else starts
        starts = starts[(starts > -0.95 * span) & (starts < frames)]
    found = sounding_spans(level, hop_s)
    if not period_s or period_s > SHORT_S:
        found = split_spans(found, fold(power, starts, span), hop_s)
    whole = fold(whole[None, :], starts, span)[0]
    silent = not 0.0 < period_s <= ROUND_S or bool(np.quantile(whole, 0.05) < 0.03 * np.quantile(whole, 0.9))
    spans = tuple((on * hop_s, (off - on) * hop_s) for on, off in found)
    return Rough(starts * hop_s, span * hop_s, period_s, silent, spans)
