"""The gates of pulses, and the frequencies of their partials, refined from rough spans.

Frequencies and gates are estimated alternately: an error of a good part of 1 / length in frequency biases the gate, and reverberation biases a
frequency read from a spectrum; each step reduces the error of the other.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from roomtone.measure.gating.basebands import Basebands, segment_of
from roomtone.measure.gating.gate_likelihood import GateLikelihood, GateSequence, PulseSegment
from roomtone.measure.gating.gate_search import GateFit, fit_gates, fit_short_cycle
from roomtone.measure.pulses.partials import without_close, without_skirts
from roomtone.measure.spectra.harmonics import fundamental
from roomtone.measure.spectra.spectrogram import Partial

#: Partials from which a gate is estimated.
_ASKED = 4
#: Narrowest and widest half bandwidth around a partial, Hz: the filter of a narrower one rings for too long.
_NARROWEST_HZ, _WIDEST_HZ = 12.0, 100.0
#: During the search for gates, the pitch may be off by so much of 1 / length, in so many steps.
_LOOSE, _LOOSE_TRIES = 0.6, 13
#: Largest deviation of a partial from a harmonic, as a share of the fundamental: three modes of a plate are as near to some harmonics.
_OFF = 0.04
#: A pulse is short where the half length of the kernel is more than this share of its length.
_SHORT = 0.25


@dataclasses.dataclass(frozen=True)
class TimedPulses:
    """Pulses with the same partials.

    Attributes:
        onsets_s: from the start of the cycle.
        lengths_s: between half heights.
        decaying: whether their level falls from the start on.
        partials: at their refined frequencies, strongest first.
    """

    onsets_s: tuple[float, ...]
    lengths_s: tuple[float, ...]
    decaying: bool
    partials: tuple[Partial, ...]


def time_pulses(
    bands: Basebands,
    partials: Sequence[Partial],
    starts_s: np.ndarray,
    spans: Sequence[tuple[float, float]],
    free_s: float,
    room_s: float,
    *,
    others: Sequence[Partial] = (),
    apart: bool = False,
) -> TimedPulses | None:
    """Return the pulses of a span; None where no whole cycle of it is inside the recording.

    Args:
        bands: of the recording.
        partials: strongest first.
        starts_s: of the cycles.
        spans: onset from the start of the cycle and length of each, as the level shows them.
        free_s: time since the end of the sound before.
        room_s: time to the start of the next sound.
        others: partials of other sounds at the same time, to be excluded.
        apart: whether each partial has its own frequency offset, and the spans are gates told from the waveform (`inharmonic_tones`).
    """
    onset_s = spans[0][0]
    length_s = spans[-1][0] + spans[-1][1] - onset_s
    lead_s = float(np.clip(free_s, 0.03, 0.09 + 0.5 / half_band(partials, others)))
    duration_s = lead_s + min(room_s - 0.006, 1.15 * length_s + 0.25)

    def segment_at(strong: Sequence[Partial], half_hz: float) -> PulseSegment | None:
        return segment_of(bands, [p.hz for p in strong], half_hz, starts_s + onset_s - lead_s, duration_s)

    def fit(segment: PulseSegment, earlier: GateSequence | None) -> GateFit:
        rough = [(lead_s + on - onset_s, lead_s + on + length - onset_s) for on, length in spans]
        return fit_gates(segment, rough, latest_s=lead_s + room_s, earlier=earlier, told=apart)

    if not apart:  # reverberation lengthens a knock by up to 0.15 s, and its spectrum is as wide as it is short
        longest_s = max(length for _, length in spans)
        partials = without_skirts(partials, max(0.1 * longest_s, longest_s - 0.15))
    found = _in_turns(partials, segment_at, fit, min(length for _, length in spans), others=others, apart=apart)
    if found is None:
        return None
    fitted, strong = found
    onsets = tuple(onset_s + on - lead_s for on, _ in fitted.gates.rows)
    return TimedPulses(onsets, fitted.gates.lengths_s(), fitted.gates.decaying, tuple(strong))


def time_short_cycle(
    bands: Basebands, partials: Sequence[Partial], starts_s: np.ndarray, period_s: float
) -> TimedPulses | None:
    """Return the one pulse of a cycle so short that reverberation never falls silent.

    Args:
        bands: of the recording.
        partials: of the pulse.
        starts_s: of the cycles.
        period_s: of the cycle.
    """

    def segment_at(strong: Sequence[Partial], half_hz: float) -> PulseSegment | None:
        found = segment_of(bands, [p.hz for p in strong], half_hz, starts_s, period_s)
        return None if found is None else dataclasses.replace(found, before=0.0)

    found = _in_turns(
        partials, segment_at, lambda segment, _: fit_short_cycle(segment, period_s), 0.6 * period_s, period_s
    )
    if found is None:
        return None
    fitted, strong = found
    onsets = tuple(on for on, _ in fitted.gates.rows)
    return TimedPulses(onsets, fitted.gates.lengths_s(), False, tuple(strong))


def _in_turns(
    partials: Sequence[Partial],
    segment_at: Callable[[Sequence[Partial], float], PulseSegment | None],
    fit: Callable[[PulseSegment, GateSequence | None], GateFit],
    rough_s: float,
    period_s: float = 0.0,
    others: Sequence[Partial] = (),
    apart: bool = False,
) -> tuple[GateFit, list[Partial]] | None:
    """Return gates and partials, estimated alternately; partials in the skirt of a stronger one are left out once the length is known."""
    fitted, kept = None, list(partials)
    length_s = rough_s
    for _ in range(3):
        strong = snap_to_harmonics(kept[:_ASKED], length_s)
        half_hz = half_band(kept, others)
        segment = segment_at(strong, half_hz)
        if segment is None:
            return None
        segment = with_pitch_offsets(segment, strong, _LOOSE / max(length_s, 0.02), _LOOSE_TRIES, apart=apart)
        fitted = fit(segment, None if fitted is None else fitted.gates)
        length_s = max(fitted.gates.lengths_s())
        moved = refine_frequencies(segment, fitted, strong, period_s, apart=apart or fitted.gates.decaying)
        close = all(abs(one.hz - other.hz) < 0.08 / max(length_s, 0.02) for one, other in zip(moved, strong))
        kept = without_skirts([*moved, *kept[_ASKED:]], length_s, decaying=fitted.gates.decaying)
        if not fitted.gates.decaying:
            kept = without_close(kept, length_s)
        again = snap_to_harmonics(kept[:_ASKED], length_s)
        same = len(again) == len(strong) and all(abs(p.hz - q.hz) < 0.1 / length_s for p, q in zip(again, strong))
        if close and same and half_band(kept, others) < 1.3 * half_hz:
            break
    assert fitted is not None
    return fitted, [*snap_to_harmonics(kept[:_ASKED], length_s), *kept[_ASKED:]]


def half_band(partials: Sequence[Partial], others: Sequence[Partial] = ()) -> float:
    """Return half the bandwidth in Hz around each partial: a third of the smallest distance between two, so that the others are excluded.

    Args:
        partials: strongest first.
        others: partials of other sounds.
    """
    hz = sorted(p.hz for p in partials if p.power > 0.01 * partials[0].power)
    apart = float(np.diff(hz).min()) if len(hz) > 1 else 3.0 * _WIDEST_HZ
    foreign = [q.hz for q in others if q.power > 0.01 * partials[0].power]
    apart = min([apart, *(1.5 * abs(one - other) for one in hz[:_ASKED] for other in foreign)])
    return float(np.clip(apart / 3.0, _NARROWEST_HZ, _WIDEST_HZ))


def with_pitch_offsets(
    segment: PulseSegment, partials: Sequence[Partial], reach_hz: float, tries: int, *, apart: bool
) -> PulseSegment:
    """Return a segment whose partials may have frequency offsets.

    Args:
        segment: of these partials.
        partials: at their estimated frequencies.
        reach_hz: largest offset of the highest partial; where they move together, that of the others is in proportion.
        tries: number of offsets.
        apart: whether tones that share no fundamental move each by itself; otherwise all move by one share, like harmonics.
    """
    owners = np.array(segment.columns)
    hz = np.array([p.hz for p in partials])
    together = len(partials) > 1 and (not apart or are_harmonics(partials))
    scale = hz[owners] / hz[owners].max() if together else np.ones(owners.size)
    offsets = scale[:, None] * np.linspace(-reach_hz, reach_hz, tries)[None, :]
    return dataclasses.replace(segment, offsets_hz=offsets, together=together)


def refine_frequencies(
    segment: PulseSegment, fitted: GateFit, partials: Sequence[Partial], period_s: float = 0.0, *, apart: bool = False
) -> list[Partial]:
    """Return the partials of a segment at their most likely frequencies.

    Args:
        segment: of these partials.
        fitted: gates and room.
        partials: at their estimated frequencies.
        period_s: after which every gate repeats; 0 for a single pulse.
        apart: as of `with_pitch_offsets`.
    """
    fine = with_pitch_offsets(segment, partials, 0.6 / max(*fitted.gates.lengths_s(), 0.015), 41, apart=apart)
    gate_model = GateLikelihood(segment, period_s)
    short = segment.kernel_s > _SHORT * max(fitted.gates.lengths_s())
    asked = gate_model.offset_likelihood if short else gate_model.pitch_likelihood
    scores = asked(fitted.gates, fitted.room, fine.offsets_hz)
    owners = np.array(segment.columns)
    out = list(partials)
    if fine.together:
        best = int(np.argmax(scores.sum(axis=0)))
        share = fine.offsets_hz[0, best] / partials[owners[0]].hz
        return [dataclasses.replace(p, hz=float(p.hz * (1.0 + share))) for p in partials]
    for k in set(segment.columns):
        best = int(np.argmax(scores[owners == k].sum(axis=0)))
        out[k] = dataclasses.replace(partials[k], hz=float(partials[k].hz + fine.offsets_hz[owners == k][0, best]))
    return out


def are_harmonics(partials: Sequence[Partial]) -> bool:
    """Return whether there are two partials or more, all multiples of one frequency within 1e-5.

    >>> are_harmonics([Partial(400.0, 1.0, 20.0), Partial(800.0, 1.0, 20.0)])
    True
    >>> are_harmonics([Partial(770.0, 1.0, 20.0), Partial(1336.0, 1.0, 20.0)])
    False
    """
    moved = _on_multiples(partials, np.inf)
    return moved is not None and all(abs(p.hz - q.hz) < 1e-5 * p.hz for p, q in zip(partials, moved))


def snap_to_harmonics(partials: Sequence[Partial], length_s: float = np.inf) -> list[Partial]:
    """Return partials moved to the multiples of their fundamental, where all are within 0.8 / length of one: a room biases a peak by so much.

    Args:
        partials: strongest first.
        length_s: of the pulse.
    """
    return _on_multiples(partials, length_s) or list(partials)


def _on_multiples(partials: Sequence[Partial], length_s: float) -> list[Partial] | None:
    """Return partials at the multiples of their fundamental; None where there are fewer than two, or one is far from any multiple."""
    if len(partials) < 2:
        return None
    f0 = fundamental(partials, tolerance_hz=min(0.8 / length_s, 12.0))
    number = np.round([p.hz / f0 for p in partials])
    if (
        number.min() >= 1
    ):  # the error of a line in Hz does not depend on its number, so the higher ones are more precise
        weight = np.array([p.power for p in partials]) ** 0.25
        f0 = float((weight * number * [p.hz for p in partials]).sum() / (weight * number**2).sum())
    off = np.abs(np.array([p.hz for p in partials]) - number * f0)
    if (
        number.min() < 1
        or np.unique(number).size < number.size
        or off.max() > max(0.006 * f0, min(0.8 / length_s, _OFF * f0), 1e-6)
    ):
        return None
    return [dataclasses.replace(p, hz=float(n * f0)) for p, n in zip(partials, number)]
