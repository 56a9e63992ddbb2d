"""One cycle of a repeating machine: its pulses, when they sound, and their partials.

Reverberation lengthens pulses and fills gaps, so the level shows only roughly where a pulse ends (`draft_cycle`). The gates are then estimated
from the waveform (`timing`), and the partials over those gates.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import numpy as np

from roomtone.measure.gating.basebands import Basebands
from roomtone.measure.gating.noise_bursts import combined_level, fit_bursts
from roomtone.measure.pulses.chirps import overtones, sweep_of
from roomtone.measure.pulses.glides import glide_of
from roomtone.measure.pulses.inharmonic_tones import fit_inharmonic_gate, refine_inharmonic_tones, tones_of_gate
from roomtone.measure.pulses.overlapping import find_late_pulses, without_late_pulses
from roomtone.measure.pulses.partials import partials_of, without_skirts
from roomtone.measure.pulses.repeated_pulses import retimed
from roomtone.measure.pulses.short_periods import time_short_tonal_cycle
from roomtone.measure.pulses.timing import TimedPulses, time_pulses, time_short_cycle
from roomtone.measure.pulses.tonality import is_continuous_line, noise_spectrum, tonal_share
from roomtone.measure.spectra.cycle import Cycle, Pulse
from roomtone.measure.spectra.draft_cycle import HOP_S, SHORT_CYCLE_S, WINDOW_S, CycleDraft, draft_cycle
from roomtone.measure.spectra.epoch_folding import bins_at, fold
from roomtone.measure.spectra.spectrogram import Spectrogram, spectrogram

#: A pulse with a smaller share of its power in partials is a burst of noise ...
_TONAL = 0.35
#: ... unless it is so short that the skirts of a tone have much of its power.
_SHORT_TONE_S = 0.25


def measure_cycle(samples: np.ndarray, sample_rate_hz: int, rows_hz: np.ndarray, period_s: float) -> Cycle:
    """Return the cycle of a machine.

    Args:
        samples: the recording.
        sample_rate_hz: its rate.
        rows_hz: frequencies at which the machine was seen to repeat [shape=(rows,)].
        period_s: its period; 0 takes the whole recording as one cycle.
    """
    return cycle_of(samples, sample_rate_hz, rows_hz, draft_cycle(samples, sample_rate_hz, rows_hz, period_s))


def cycle_of(samples: np.ndarray, sample_rate_hz: int, rows_hz: np.ndarray, rough: CycleDraft) -> Cycle:
    """Return the cycle that a draft describes.

    Args:
        samples, sample_rate_hz, rows_hz: as of `measure_cycle`.
        rough: the draft.
    """
    view = spectrogram(samples, sample_rate_hz, window_s=WINDOW_S, hop_s=HOP_S)
    sweep = sweep_of(samples, sample_rate_hz, view, rough)
    swept = []
    if sweep is not None:
        partials = overtones(samples, sample_rate_hz, rough.starts_s, sweep)
        swept = [Pulse(sweep.on_s, sweep.length_s, partials, sweep.last_hz / sweep.first_hz)]
        left = [span for k, span in enumerate(rough.spans) if k not in sweep.spans]
        rough = dataclasses.replace(rough, spans=tuple(left))
    drafts = [draft_pulse(samples, sample_rate_hz, view, rows_hz, rough, span) for span in rough.spans]
    if not drafts:
        timed = []
    elif any(pulse.partials and pulse.glide == 1.0 for pulse in drafts):
        timed = _timed(samples, sample_rate_hz, view, rough, drafts)
    else:
        timed = _bursts(samples, sample_rate_hz, view, rows_hz, rough, drafts)
    return Cycle(
        rough.starts_s,
        rough.span_s,
        tuple(sorted([*without_echoes(timed), *swept], key=lambda p: p.onset_s)),
        rough.silent,
    )


def draft_pulse(
    samples: np.ndarray,
    rate: int,
    view: Spectrogram,
    rows_hz: np.ndarray,
    rough: CycleDraft,
    span: tuple[float, float],
) -> Pulse:
    """Return a pulse with the partials of its mean spectrum over a rough span.

    Args:
        samples, rate: the recording.
        view: its spectrogram.
        rows_hz: frequencies at which the machine repeats.
        rough: the cycle.
        span: `(onset, length)` in seconds.
    """
    onset_s, length_s = span
    rows = np.unique(np.round(rows_hz / view.bin_hz).astype(int))
    times = rough.starts_s + onset_s
    # reverberation lengthens a pulse by up to 0.1 s, and a shorter one has wider skirts
    partials = without_skirts(partials_of(samples, rate, times, length_s, view), max(0.2 * length_s, length_s - 0.12))
    partials = [p for p in partials if not (rough.silent and is_continuous_line(view, rough, p.hz, span))]
    if length_s > _SHORT_TONE_S and tonal_share(view, rough, partials, span) < _TONAL:
        return Pulse(onset_s, length_s, ())
    glide = glide_of(view, rows, times, length_s, partials) if length_s > 0.1 else 1.0
    return Pulse(onset_s, length_s, tuple(partials), glide)


def _bursts(
    samples: np.ndarray, rate: int, view: Spectrogram, rows_hz: np.ndarray, rough: CycleDraft, drafts: list[Pulse]
) -> list[Pulse]:
    """Return pulses without a constant pitch, timed by their power in all bins."""
    merged: list[Pulse] = []
    for pulse in drafts:
        last = merged[-1] if merged else None
        if last is not None and pulse.onset_s - last.onset_s - last.length_s < 0.03:
            length_s = pulse.onset_s + pulse.length_s - last.onset_s
            merged[-1] = dataclasses.replace(
                max(last, pulse, key=lambda p: p.length_s), onset_s=last.onset_s, length_s=length_s
            )
        else:
            merged.append(pulse)
    power = np.abs(bins_at(samples, rate, rows_hz, 0.5 * WINDOW_S, HOP_S)) ** 2
    folded = fold(power, rough.starts_s / HOP_S, round(rough.span_s / HOP_S))
    level = combined_level(folded)
    found = fit_bursts(level, HOP_S, [(p.onset_s, p.length_s) for p in merged], window_s=0.5 * WINDOW_S)
    out = []
    for pulse, burst in zip(merged, found):
        changes: dict[str, Any] = {"onset_s": burst.on_s, "length_s": burst.length_s}
        if not pulse.partials:
            power, band_hz, slope = noise_spectrum(view, rough, (burst.on_s, burst.length_s))
            changes |= {"noise_power": power, "noise_band_hz": band_hz, "noise_slope_db_per_octave": slope}
            changes |= {"rise_s": burst.rise_s, "fall_s": burst.fall_s}
        out.append(dataclasses.replace(pulse, **changes))
    return out


def _timed(samples: np.ndarray, rate: int, view: Spectrogram, rough: CycleDraft, drafts: list[Pulse]) -> list[Pulse]:
    """Return the pulses with gates estimated from the waveform, and partials over those gates."""
    bands = Basebands(samples, rate)
    if (
        rough.period_s
        and rough.period_s <= SHORT_CYCLE_S
        and not rough.silent
        and any(p.partials and p.glide == 1.0 for p in drafts)
    ):
        first = max(drafts, key=lambda p: sum(q.power for q in p.partials))
        found = time_short_tonal_cycle(bands, first.partials, rough.starts_s, rough.period_s)
        if found is None:
            found = time_short_cycle(bands, first.partials, rough.starts_s, rough.period_s)
        if found is not None:
            return _apart(samples, rate, view, rough.starts_s, first, found)
    chords = refine_inharmonic_tones(drafts, rough.span_s, partial(fit_inharmonic_gate, bands, rough.starts_s))
    told = {pulse.onset_s for pulse, draft in zip(chords, drafts) if pulse is not draft}
    drafts, out = _overlapping(samples, rate, view, bands, rough, chords)
    groups, own = group_same_tones(drafts), set[float]()
    for index, group in enumerate(groups):
        begin = group[0].onset_s
        before, following = groups[index - 1][-1], groups[(index + 1) % len(groups)][0]
        free_s = (begin - before.onset_s - before.length_s) % rough.span_s if len(groups) > 1 else rough.span_s
        room_s = (following.onset_s - begin) % rough.span_s or rough.span_s
        loudest = max(group, key=lambda p: sum(q.power for q in p.partials) * p.length_s)
        spans = [(p.onset_s, p.length_s) for p in group]
        found = None
        if loudest.glide == 1.0 and loudest.partials:
            apart = loudest.onset_s in told
            found = time_pulses(bands, loudest.partials, rough.starts_s, spans, free_s, room_s, apart=apart)
        gates = group if found is None else _apart(samples, rate, view, rough.starts_s, loudest, found)
        own |= {pulse.onset_s for pulse in gates if loudest.onset_s in told}
        out += gates
    out.sort(key=lambda pulse: pulse.onset_s)
    refined = refine_inharmonic_tones(out, rough.span_s, partial(tones_of_gate, bands, rough.starts_s), own)
    return retimed(bands, rough.starts_s, refined)


def _overlapping(
    samples: np.ndarray, rate: int, view: Spectrogram, bands: Basebands, rough: CycleDraft, drafts: list[Pulse]
) -> tuple[list[Pulse], list[Pulse]]:
    """Return drafts without the partials of pulses that start within them, and those pulses, timed."""
    left, late = [], []
    for draft in drafts:
        late_pulses = find_late_pulses(bands, rough.starts_s, (draft.onset_s, draft.length_s), draft.partials)
        rest = tuple(without_late_pulses(draft.partials, late_pulses))
        if not rest:
            late_pulses, rest = [], draft.partials
        for span, own in late_pulses:
            free_s, room_s = span[0] - draft.onset_s, rough.span_s - span[0]
            found = time_pulses(bands, own, rough.starts_s, [span], free_s, room_s, others=rest)
            if found is not None:
                late += _apart(samples, rate, view, rough.starts_s, dataclasses.replace(draft, glide=1.0), found)
        left.append(dataclasses.replace(draft, partials=rest))
    return left, late


def group_same_tones(drafts: list[Pulse]) -> list[list[Pulse]]:
    """Return groups of pulses that may be one, split by fluctuations in the room: closer than 0.06 s, with the same strong partials.

    Args:
        drafts: in order of time.
    """
    groups: list[list[Pulse]] = []
    for pulse in drafts:
        last = groups[-1][-1] if groups else None
        near = last is not None and pulse.onset_s - last.onset_s - last.length_s < 0.06
        short = near and pulse.onset_s + pulse.length_s - groups[-1][0].onset_s < 1.5
        if last is not None and short and last.glide == pulse.glide == 1.0 and _same_tones(last, pulse):
            groups[-1].append(pulse)
        else:
            groups.append([pulse])
    return groups


def _same_tones(one: Pulse, other: Pulse) -> bool:
    """Return whether the strong partials of the shorter are partials of the longer; of two of about one length, of each."""
    short, long = sorted((one, other), key=lambda p: p.length_s)
    width_hz = 3.0 / short.length_s
    pairs = [(short, long), (long, short)] if short.length_s > 0.5 * long.length_s else [(short, long)]
    for this, that in pairs:
        strong = [p for p in this.partials if p.power > 0.2 * this.partials[0].power]
        if not strong or any(all(abs(p.hz - q.hz) > width_hz for q in that.partials) for p in strong):
            return False
    return True


def _apart(
    samples: np.ndarray, rate: int, view: Spectrogram, starts_s: np.ndarray, draft: Pulse, found: TimedPulses
) -> list[Pulse]:
    """Return one pulse for each gate, its partials taken over it."""
    out = []
    for onset_s, length_s in zip(found.onsets_s, found.lengths_s):
        kept = without_skirts(found.partials, length_s, decaying=found.decaying)
        out.append(
            dataclasses.replace(
                draft, partials=tuple(kept), onset_s=onset_s, length_s=length_s, decaying=found.decaying
            )
        )
    return out


def without_echoes(pulses: list[Pulse]) -> list[Pulse]:
    """Return the pulses without those that are a rise of the level in the reverberation of the pulse before.

    Such an echo follows within 0.12 s of the end of a pulse, has one of its partials, and is short beside it.

    Args:
        pulses: in order of time.
    """
    kept: list[Pulse] = []
    for pulse in pulses:
        last = kept[-1] if kept else None
        if last is not None and last.partials and pulse.length_s < min(0.12, 0.45 * last.length_s):
            gap = pulse.onset_s - last.onset_s - last.length_s
            same = not pulse.partials or any(abs(pulse.partials[0].hz / p.hz - 1.0) < 0.04 for p in last.partials)
            if gap < 0.12 and same:
                continue
        kept.append(pulse)
    return kept
