"""How much of the power of a span is tones, noise, and continuous sound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roomtone.measure.spectra.draft_cycle import CycleDraft
from roomtone.measure.spectra.epoch_folding import fold
from roomtone.measure.spectra.spectrogram import Partial, Spectrogram

#: Share of the power of a burst of noise below its band, and above it; the steepest slope of its density, dB per octave.
_OUTSIDE, _STEEPEST = 0.01, 24.0


def excess(view: Spectrogram, rough: CycleDraft, span: tuple[float, float]) -> np.ndarray:
    """Return the mean power of each bin in a span, less its power while the machine is silent [shape=(bins,)].

    Args:
        view: spectrogram of the recording.
        rough: the cycle.
        span: `(onset, length)` in seconds.
    """
    begin, end = round(span[0] / view.hop_s), max(round(sum(span) / view.hop_s), round(span[0] / view.hop_s) + 1)
    power = fold(view.power, rough.starts_s / view.hop_s, round(rough.span_s / view.hop_s))
    quiet = max(1, round(0.06 * power.shape[1]))
    still = 0.5 * (power[:, :quiet].mean(axis=1) + power[:, -quiet:].mean(axis=1)) if rough.silent else view.floor
    return np.asarray(np.maximum(power[:, begin:end].mean(axis=1) - still, 0.0))


def tonal_share(view: Spectrogram, rough: CycleDraft, partials: Sequence[Partial], span: tuple[float, float]) -> float:
    """Return the share of the power of a span in its partials; a burst of noise has peaks too, at the modes of the room.

    Args:
        view: the spectrogram.
        rough: the draft of the cycle.
        partials: of the span.
        span: start and end in seconds.
    """
    whole = float(excess(view, rough, span).sum()) / 1.5
    return sum(p.power for p in partials) / max(whole, 1e-30)


def noise_spectrum(
    view: Spectrogram, rough: CycleDraft, span: tuple[float, float]
) -> tuple[float, tuple[float, float], float]:
    """Return mean square, band in Hz, and density slope in dB per octave of a burst of noise.

    The band holds 98 % of the power; the slope is a least-squares line through the density in thirds of an octave, each weighted by its power.

    Args:
        view: the spectrogram.
        rough: the draft of the cycle.
        span: start and end in seconds.
    """
    power = excess(view, rough, span)
    share = np.cumsum(power) / max(float(power.sum()), 1e-30)
    low_hz, high_hz = (float((np.searchsorted(share, at) + 0.5) * view.bin_hz) for at in (_OUTSIDE, 1.0 - _OUTSIDE))
    low_hz, high_hz = max(low_hz, 20.0), max(high_hz, low_hz + 2.0 * view.bin_hz)
    octaves = np.log2(np.maximum(np.arange(power.size) * view.bin_hz, 1.0) / low_hz)
    third = np.floor(3.0 * octaves).astype(int)
    inside = (octaves >= 0.0) & (octaves <= np.log2(high_hz / low_hz))
    groups = [np.flatnonzero(inside & (third == k)) for k in np.unique(third[inside])]
    density_db = [10.0 * np.log10(max(float(power[group].mean()), 1e-30)) for group in groups]
    weights = np.sqrt([max(float(power[group].sum()), 0.0) for group in groups])
    slope = 0.0
    if len(groups) > 2 and np.count_nonzero(weights) > 2:
        slope = float(np.polyfit([octaves[group].mean() for group in groups], density_db, 1, w=weights)[0])
    return float(power.sum()) / 1.5, (low_hz, high_hz), float(np.clip(slope, -_STEEPEST, _STEEPEST))


def is_continuous_line(view: Spectrogram, rough: CycleDraft, hz: float, span: tuple[float, float]) -> bool:
    """Return whether a line is half as strong at the quietest time of the cycle as in a span, so part of a continuous sound.

    Args:
        view: the spectrogram.
        rough: the draft of the cycle.
        hz: of the line.
        span: start and end in seconds.
    """
    k = max(round(hz / view.bin_hz), 6)
    near = fold(view.power[k - 6 : k + 7], rough.starts_s / view.hop_s, round(rough.span_s / view.hop_s))
    own, beside = near[5:8].sum(axis=0), 1.5 * np.concatenate([near[:2], near[-2:]]).mean(axis=0)
    still = max(1, round(0.06 * own.size))
    begin, end = round(span[0] / view.hop_s), round(sum(span) / view.hop_s)
    loud = float(own[begin : max(end, begin + 1)].mean())
    quiet = np.r_[0:still, own.size - still : own.size]
    return float(own[quiet].mean()) > max(0.5 * loud, 2.5 * float(beside[quiet].mean()))
