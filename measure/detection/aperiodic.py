"""Machines that sound once, or several times without a fixed period: beeps of constant pitch in a recording that is otherwise quiet.

Without a period, repetition is no evidence. The evidence here is that everything above the background is a few tones, each with a pitch that
stays within 0.25 % and a level that stays within 4 dB from its first half to its second. The pitch of a voice moves by more within a vowel,
a struck or plucked tone decays, and both are one sound among many.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roomtone.measure.gating.basebands import BASE_HZ, coherent_mean
from roomtone.measure.pulses.pulses import draft_pulse
from roomtone.measure.pulses.tonality import tonal_share
from roomtone.measure.spectra.cycle import Pulse
from roomtone.measure.spectra.draft_cycle import HOP_S, WINDOW_S, CycleDraft
from roomtone.measure.spectra.epoch_folding import bins_at
from roomtone.measure.spectra.onset_spans import sounding_spans
from roomtone.measure.spectra.spectrogram import LOWER_QUARTILE, Spectrogram, baseband, spectrogram

#: Most tones of a machine that sounds once, most sounds in a recording, and the largest share of the recording that they may take.
_MOST_TONES = 12
_MOST_SPANS = 40
_LONGEST_PART = 0.5
#: Silence before and after it, so that neither end of the recording cuts it off: reverberation has fallen by some 30 dB.
_STILL_S = 0.25
#: Fewest beeps of a machine without a period, the longest gap that room interference makes in one beep, and the share of their power that must be one waveform.
_FEWEST = 5
_BEAT_S = 0.08
_ONE_WAVE = 0.8
#: Tolerance within which a beep repeats a period.
_ON_TIME_S = 0.02
#: Half the bandwidth in which beeps are aligned, and the largest shift of their starts, in steps of 1 / BASE_HZ.
_HALF_BAND_HZ = 60.0
_OFF = 30
#: Share of a tone's power in its partials, greatest change of its pitch, greatest change of its level in dB.
_TONAL = 0.4
_PITCH_MOVES = 0.0025
_LEVEL_MOVES_DB = 4.0
#: Most partials whose level is asked, and the least power of one re the strongest.
_STRONGEST, _STRONG = 3, 0.1
_SHORTEST_S = 0.06


def aperiodic_cycle(samples: np.ndarray, rate: int) -> tuple[CycleDraft, np.ndarray, float] | None:
    """Return a draft of the cycle, the frequencies (Hz) of its bins, and its mean period in seconds (0 for a single occurrence).

    Args:
        samples: the recording.
        rate: its rate in Hz.

    Returns:
        None where such a machine is not certain.
    """
    view = spectrogram(samples, rate, window_s=WINDOW_S, hop_s=HOP_S)
    rows_hz = _loud_rows(view) * view.bin_hz
    if not rows_hz.size:
        return None
    whole, spans = _spans(samples, rate, rows_hz)
    if not spans or len(spans) > _MOST_SPANS:
        return None
    onsets, beeps = _beeps(samples, rate, view, rows_hz, whole, spans)
    if beeps:
        return _irregular(onsets, beeps), rows_hz, mean_period(onsets)
    pulses = [draft_pulse(samples, rate, view, rows_hz, whole, span) for span in spans]
    if not all(_is_tonal(view, whole, pulse) and is_constant_tone(samples, rate, pulse) for pulse in pulses):
        return None
    begin, end = pulses[0].onset_s, pulses[-1].onset_s + pulses[-1].length_s
    inside = begin > _STILL_S and end < whole.span_s - _STILL_S and end - begin < _LONGEST_PART * whole.span_s
    if len(pulses) > _MOST_TONES or not inside:
        return None
    return whole, rows_hz, 0.0


def is_aperiodic(samples: np.ndarray, rate: int, period_s: float) -> bool:
    """Return whether everything that sounds is one beep, several times, and not at a period: a few beeps may repeat a gap by chance.

    Args:
        samples: the recording.
        rate: its rate in Hz.
        period_s: the period in question.
    """
    view = spectrogram(samples, rate, window_s=WINDOW_S, hop_s=HOP_S)
    rows_hz = _loud_rows(view) * view.bin_hz
    if not rows_hz.size:
        return False
    whole, spans = _spans(samples, rate, rows_hz)
    if len(spans) > _MOST_SPANS:
        return False
    onsets, beeps = _beeps(samples, rate, view, rows_hz, whole, spans)
    return bool(beeps) and not repeats_after(onsets, period_s)


def repeats_after(onsets_s: np.ndarray, period_s: float) -> bool:
    """Return whether events repeat after a period: three in four of those that could, and two at least.

    Args:
        onsets_s: in order of time [shape=(events,)].
        period_s: the period in question.

    >>> repeats_after(np.array([0.0, 1.0, 7.0, 8.0]), 7.0), repeats_after(np.array([0.0, 3.1, 5.9, 9.2]), 5.9)
    (True, False)
    """
    due = onsets_s[onsets_s + period_s <= onsets_s[-1] + _ON_TIME_S] + period_s
    kept = int((np.abs(due[:, None] - onsets_s[None, :]).min(axis=1, initial=np.inf) < _ON_TIME_S).sum())
    return kept >= max(2, 0.75 * due.size)


def _beeps(
    samples: np.ndarray,
    rate: int,
    view: Spectrogram,
    rows_hz: np.ndarray,
    whole: CycleDraft,
    spans: Sequence[tuple[float, float]],
) -> tuple[np.ndarray, list[Pulse]]:
    """Return onsets and drafts of beeps that all have one waveform; none where they do not."""
    beeps = [draft_pulse(samples, rate, view, rows_hz, whole, span) for span in merge_spans(spans, _BEAT_S)]
    if len(beeps) >= _FEWEST and all(_is_tonal(view, whole, beep) for beep in beeps) and _alike(beeps):
        onsets, share = align_pulses(samples, rate, beeps)
        if share > _ONE_WAVE:
            return onsets, beeps
    return np.zeros(0), []


def _loud_rows(view: Spectrogram) -> np.ndarray:
    """Return the bins that at some time exceed their background by 17 dB, those within 30 dB of the strongest."""
    top = np.quantile(view.power, 1.0 - 0.03 / (view.power.shape[1] * view.hop_s), axis=1)
    return np.flatnonzero((top > 50.0 * view.floor) & (top > 1e-3 * top[3:].max()) & (np.arange(top.size) > 2))


def _spans(samples: np.ndarray, rate: int, rows_hz: np.ndarray) -> tuple[CycleDraft, list[tuple[float, float]]]:
    power = np.abs(bins_at(samples, rate, rows_hz, WINDOW_S, HOP_S)) ** 2
    level = np.maximum(power - 1.2 * np.quantile(power, 0.25, axis=1, keepdims=True) / LOWER_QUARTILE, 0.0).sum(axis=0)
    spans = [(on * HOP_S, (off - on) * HOP_S) for on, off in sounding_spans(level, HOP_S)]
    return CycleDraft(np.array([0.0]), level.size * HOP_S, 0.0, True, tuple(spans)), spans


def merge_spans(spans: Sequence[tuple[float, float]], gap_s: float) -> list[tuple[float, float]]:
    """Return spans, `(onset, length)` in seconds, with those merged that are closer than a gap.

    Args:
        spans: (onset, length) in seconds.
        gap_s: below which two are one.

    >>> merge_spans([(0.0, 0.2), (0.25, 0.05), (1.0, 0.2)], 0.06)
    [(0.0, 0.3), (1.0, 0.2)]
    """
    out: list[tuple[float, float]] = []
    for onset, length in spans:
        if out and onset - sum(out[-1]) < gap_s:
            out[-1] = (out[-1][0], onset + length - out[-1][0])
        else:
            out.append((onset, length))
    return out


def align_pulses(samples: np.ndarray, rate: int, beeps: Sequence[Pulse]) -> tuple[np.ndarray, float]:
    """Return the onsets at which the waveforms of beeps agree best, and the share of their power that is one waveform.

    A level has a time resolution of some 10 ms; the waveform around the strongest partial has one of 1 ms.

    Args:
        samples: the recording.
        rate: its rate in Hz.
        beeps: drafts, in order of time.

    Returns:
        Onsets in seconds [shape=(beeps,)]; the share, 0 to 1.
    """
    hz = float(np.median([beep.partials[0].hz for beep in beeps]))
    z = np.pad(baseband(samples, rate, hz, _HALF_BAND_HZ, BASE_HZ), 2 * _OFF)
    size = round(BASE_HZ * float(np.median([beep.length_s for beep in beeps]))) + 2 * _OFF
    firsts = np.array([round(BASE_HZ * beep.onset_s) for beep in beeps]) + _OFF
    rows = np.lib.stride_tricks.sliding_window_view(np.pad(z, (0, size)), size)
    for _ in range(3):
        mean, share = coherent_mean(rows[firsts].T)
        tried = np.clip(firsts[:, None] + np.arange(-_OFF // 2, _OFF // 2 + 1), 0, rows.shape[0] - 1)
        likeness = np.abs(rows[tried] @ mean.conj())
        firsts = np.take_along_axis(tried, likeness.argmax(axis=1)[:, None], axis=1)[:, 0]
    return (firsts - _OFF) / BASE_HZ, share


def _is_tonal(view: Spectrogram, whole: CycleDraft, pulse: Pulse) -> bool:
    """Return whether a pulse is a sum of tones of constant pitch, and nothing else."""
    if pulse.length_s < _SHORTEST_S or not pulse.partials or pulse.glide != 1.0:
        return False
    return tonal_share(view, whole, pulse.partials, (pulse.onset_s, pulse.length_s)) > _TONAL


def is_constant_tone(samples: np.ndarray, rate: int, pulse: Pulse) -> bool:
    """Return whether a pulse keeps its pitch and level from its first half to its second.

    While a room builds up it moves level and phase of one partial. A voice moves all its harmonics, and a plucked string falls in all of them. So
    what the strong partials have in common counts.

    Args:
        samples: the recording.
        rate: its rate in Hz.
        pulse: in a recording that is one cycle.
    """
    begin = max(round((pulse.onset_s - 0.05) * rate), 0)
    part = samples[begin : round((pulse.onset_s + pulse.length_s + 0.05) * rate)]
    first = round(1000.0 * (pulse.onset_s - begin / rate + 0.2 * pulse.length_s))
    last = round(1000.0 * (pulse.onset_s - begin / rate + 0.75 * pulse.length_s))
    middle = (first + last) // 2
    if middle - first < 12:
        return True
    halves = ((first, middle), (middle, last))
    half_hz = max(40.0, 3.0 / pulse.length_s)
    strong = [p.hz for p in pulse.partials[:_STRONGEST] if p.power > _STRONG * pulse.partials[0].power]
    waves = [baseband(part, rate, hz, half_hz, 1000.0) for hz in strong]
    turns = np.array([[np.angle((z[a + 1 : b] * z[a : b - 1].conj()).sum()) for a, b in halves] for z in waves])
    moved_hz = (turns[:, 1] - turns[:, 0]) / (2.0 * np.pi) * 1000.0
    moved = abs(
        float((moved_hz * strong).sum() / np.square(strong).sum())
    )  # least squares: harmonics move in proportion
    levels = np.array([[(np.abs(z[a:b]) ** 2).mean() for a, b in halves] for z in waves])
    change_db = float((10.0 * np.log10(levels[:, 1] / levels[:, 0])).mean())
    return bool(moved < max(_PITCH_MOVES, 0.25 / pulse.length_s / strong[0]) and abs(change_db) < _LEVEL_MOVES_DB)


def _alike(pulses: Sequence[Pulse]) -> bool:
    """Return whether all pulses are the same beep: the same strongest partial and length, never two within twice their length."""
    hz = np.array([pulse.partials[0].hz for pulse in pulses])
    length = np.array([pulse.length_s for pulse in pulses])
    gaps = np.diff([pulse.onset_s for pulse in pulses])
    same = np.abs(hz / np.median(hz) - 1.0).max() < 0.005
    return bool(same and np.abs(length / np.median(length) - 1.0).max() < 0.3 and gaps.min() > 2.0 * length.max())


def _irregular(onsets: np.ndarray, pulses: Sequence[Pulse]) -> CycleDraft:
    lead = 0.4 * float(np.diff(onsets).min())
    starts = onsets - lead
    length = float(np.median([pulse.length_s for pulse in pulses]))
    return CycleDraft(starts, float(np.diff(onsets).min()), 0.0, True, ((lead, length),))


def mean_period(onsets_s: np.ndarray) -> float:
    """Return the mean period of events in seconds: the minimax line through them.

    For deviations that are uniform within a bound, the extremes estimate the period best.

    Args:
        onsets_s: in order of time [shape=(events,)].

    >>> mean_period(np.array([0.0, 2.3, 3.9, 6.1, 7.9]))
    1.9502
    """
    index = np.arange(onsets_s.size)
    mean = float(np.polyfit(index, onsets_s, 1)[0])
    tried = mean * np.linspace(0.85, 1.15, 601)
    spread = [np.ptp(onsets_s - index * period) for period in tried]
    return round(float(tried[int(np.argmin(spread))]), 4)
