"""Short pulses of a few tones that share no fundamental: when they were switched, which tones they have, and at what frequency.

In a room, the spectrum of tones of 80 ms is off by 5 to 7 Hz, for each tone differently; frequencies and gate have to be estimated together. So all
gates near a rough one are tried, and for each of them all frequencies near the rough ones (`gate_likelihood`); decaying knocks are left to `timing`.
Whether a gate switched a tone, or the tone is only reverberation of the gate before, is decided by two likelihoods.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from roomtone.measure.gating.basebands import Basebands, segment_of
from roomtone.measure.gating.gate_likelihood import GateLikelihood, GateSequence, PulseSegment, RoomStatistics
from roomtone.measure.gating.gate_search import GateFit, best_room
from roomtone.measure.pulses.partials import without_close, without_skirts
from roomtone.measure.pulses.timing import half_band, refine_frequencies
from roomtone.measure.spectra.cycle import Pulse
from roomtone.measure.spectra.harmonics import fundamental, harmonic_numbers
from roomtone.measure.spectra.spectrogram import Partial

Span = tuple[float, float]
Chord = tuple[Span, Sequence[Partial]]

#: The spectrum of longer pulses is precise enough.
SHORT_S = 0.3
#: Least power of a tone re the strongest (-20 dB), most tones of a pulse, and most tones from which its gate is estimated.
_WEAKEST = 0.01
_MOST, _ASKED = 6, 4
#: How much earlier and later than the rough onset a gate may begin, how much later than the rough end it may end, and its least length.
_EARLIER_S, _LATER_S, _LEAST_S = 0.06, 0.02, 0.03
_GRID_S = 0.01
#: Time constants tried of decaying gates.
_DECAYING_S = (0.004, 0.008, 0.015, 0.025, 0.04)
#: How much before its rough onset the next pulse may start.
_NEXT_S = 0.03
#: Frequencies tried beside each rough one, in Hz, and rooms.
_OFFSETS_HZ = np.linspace(-12.0, 12.0, 49)
_ROOMS = tuple(RoomStatistics(tau_s, direct, 0.006) for tau_s in (0.06, 0.12) for direct in (0.05, 0.3))
#: The spectrum of a shorter pulse is as precise.
_TELLS_S = 0.04
#: By so much the log-likelihood of reverberation alone must exceed that of a gate, for a tone not to belong to the gate.
_CLEARLY = 10.0
#: The reverberation of a gate that began so long before is over.
_FAR_S = 0.6
#: Most alternations between the room and the frequency of a tone.
_TURNS = 3


@dataclasses.dataclass(frozen=True)
class PulseNeighbours:
    """The neighbours of a pulse, in seconds.

    Attributes:
        free_s: time since the end of the pulse before.
        last_s: length of the pulse before.
        room_s: time from the onset to the next onset.
    """

    free_s: float
    last_s: float
    room_s: float


def is_inharmonic(partials: Sequence[Partial]) -> bool:
    """Return whether strong partials share no fundamental: neither all nor three of them are multiples of one.

    >>> is_inharmonic([Partial(1336.0, 1.0, 30.0), Partial(770.0, 0.6, 30.0)])
    True
    >>> is_inharmonic([Partial(400.0, 1.0, 30.0), Partial(800.0, 0.6, 30.0), Partial(1200.0, 0.6, 30.0), Partial(505.0, 0.02, 20.0)])
    False
    """
    strong = _strong(partials, _MOST)
    if len(strong) < 2:
        return False
    f0 = fundamental(strong, tolerance_hz=0.8 / SHORT_S)
    multiples = np.count_nonzero(harmonic_numbers(np.array([p.hz for p in strong]), f0, 0.8 / SHORT_S))
    return bool(multiples < min(len(strong), 3))


def refine_inharmonic_tones(
    drafts: list[Pulse],
    span_s: float,
    told: Callable[[Span, tuple[Partial, ...], PulseNeighbours], Chord | None],
    only: set[float] | None = None,
) -> list[Pulse]:
    """Return pulses, with the short inharmonic ones refined.

    Args:
        drafts: in order of time.
        span_s: length of the cycle.
        told: refines one pulse, given onset and length, partials, and neighbours; returns None where it cannot.
        only: onsets of the pulses to be refined; None for all.
    """
    out = []
    for index, pulse in enumerate(drafts):
        short = pulse.length_s < SHORT_S and pulse.glide == 1.0 and not pulse.decaying
        if short and is_inharmonic(pulse.partials) and (only is None or pulse.onset_s in only):
            before, following = drafts[index - 1], drafts[(index + 1) % len(drafts)]
            free_s = (pulse.onset_s - before.onset_s - before.length_s) % span_s
            room_s = (following.onset_s - pulse.onset_s) % span_s or span_s
            around = PulseNeighbours(free_s, before.length_s, room_s)
            chord = told((pulse.onset_s, pulse.length_s), pulse.partials, around)
            if chord is not None:
                (onset_s, length_s), partials = chord
                pulse = dataclasses.replace(pulse, onset_s=onset_s, length_s=length_s, partials=tuple(partials))
        out.append(pulse)
    return out


def fit_inharmonic_gate(
    bands: Basebands, starts_s: np.ndarray, span: Span, partials: Sequence[Partial], around: PulseNeighbours
) -> Chord | None:
    """Return the most likely gate near a rough one, and its tones at their most likely frequencies; None where the pulse decays.

    A rough span may reach into the next pulse. A tone of both is two lines in its spectrum, others have lines beside them, and the filters that would
    tell these apart ring for longer than a pulse. So what so short a gate cannot have apart is left out, and the gate is sought again through wider filters.

    Args:
        bands: of the recording.
        starts_s: of the cycles.
        span: onset from the start of a cycle and length, as the level shows them.
        partials: of the spectrum, strongest first.
        around: neighbours as the level shows them.
    """
    found = _gate_and_tones(bands, starts_s, span, partials, around)
    while found is not None:
        gate, told = found
        kept = without_close(without_skirts(told, gate[1]), gate[1])
        if len(kept) == len(told):
            break
        found = _gate_and_tones(bands, starts_s, span, kept, around)
    return found


def _gate_and_tones(
    bands: Basebands, starts_s: np.ndarray, span: Span, partials: Sequence[Partial], around: PulseNeighbours
) -> Chord | None:
    """Return the most likely gate, and its tones, with the partials given; None where the pulse decays."""
    asked = _strong(partials, _ASKED)
    half_hz = half_band(asked)
    lead_s = float(np.clip(around.free_s, 0.03, 0.09 + 0.5 / half_hz))
    duration_s = lead_s + min(around.room_s - _NEXT_S, span[1] + 0.15)
    segment = segment_of(bands, [p.hz for p in asked], half_hz, starts_s + span[0] - lead_s, duration_s)
    if segment is None:
        return None
    gate_model = GateLikelihood(segment)
    offsets = np.tile(_OFFSETS_HZ, (len(segment.columns), 1))
    tried = [
        (gates, gate_model.pitch_likelihood(gates, room, offsets))
        for gates in _gates(gate_model, lead_s, lead_s + span[1], duration_s)
        for room in _ROOMS
    ]
    if not tried:
        return None
    gates, scores = max(tried, key=lambda pair: float(pair[1].max(axis=1).sum()))
    if gates.decaying:
        return None
    on_s, length_s = gates.rows[0]
    moved = {asked[k].hz: float(_OFFSETS_HZ[row.argmax()]) for k, row in zip(segment.columns, scores)}
    told = [dataclasses.replace(p, hz=p.hz + moved.get(p.hz, 0.0)) for p in partials]
    return (span[0] + on_s - lead_s, length_s), told


def tones_of_gate(
    bands: Basebands, starts_s: np.ndarray, gate: Span, partials: Sequence[Partial], around: PulseNeighbours
) -> Chord:
    """Return a gate and the tones that it switched, each at its most likely frequency; all tones where none is certain.

    Args:
        bands, starts_s, partials: as of `fit_inharmonic_gate`.
        gate: onset from the start of a cycle, and length.
        around: its neighbours.
    """
    if gate[1] < _TELLS_S:
        return gate, partials
    strong = _strong(partials, _MOST)
    half_hz = half_band(strong)
    told = [_own_tone(bands, starts_s, gate, p, half_hz, around) for p in strong]
    return gate, [p for p in told if p is not None] or partials


def _strong(partials: Sequence[Partial], most: int) -> list[Partial]:
    return [p for p in partials if p.power > _WEAKEST * partials[0].power][:most]


def _gates(gate_model: GateLikelihood, on_s: float, off_s: float, duration_s: float) -> list[GateSequence]:
    """Return the gates to be tried near a rough one, constant and decaying."""
    ons = np.arange(max(on_s - _EARLIER_S, gate_model.earliest_s), on_s + _LATER_S, _GRID_S).tolist()
    latest_s = min(off_s + _LATER_S, duration_s)
    held = [(on, off - on) for on in ons for off in np.arange(on + _LEAST_S, latest_s, _GRID_S).tolist()]
    decaying = [GateSequence(((on, tau_s),), True) for on in ons for tau_s in _DECAYING_S]
    return [*(GateSequence((row,)) for row in held), *decaying]


def _own_tone(
    bands: Basebands,
    starts_s: np.ndarray,
    gate: Span,
    partial: Partial,
    half_hz: float,
    around: PulseNeighbours,
) -> Partial | None:
    """Return one tone at its most likely frequency; None where it is only reverberation of the pulse before."""
    lead_s = float(np.clip(around.free_s, 0.02, 0.03 + 0.5 / half_hz))
    gates = GateSequence(((lead_s, gate[1]),))
    duration_s = lead_s + min(around.room_s - 0.006, gate[1] + 0.15)
    first = segment_of(bands, [partial.hz], half_hz, starts_s + gate[0] - lead_s, duration_s)
    if first is None:
        return partial
    moved, segment = partial, first
    for _ in range(_TURNS):
        gate_model = GateLikelihood(segment)
        room = best_room(gate_model, gates)
        likelihood = gate_model.score(gates, room)
        last, moved = moved, refine_frequencies(segment, GateFit(gates, room, likelihood), [moved])[0]
        if abs(moved.hz - last.hz) < 0.08 / gate[1]:
            break
        segment = _moved(first, moved.hz - partial.hz)
    return moved if _switched(bands, starts_s, gate, partial.hz, moved.hz - partial.hz, half_hz, around) else None


def _switched(
    bands: Basebands,
    starts_s: np.ndarray,
    gate: Span,
    hz: float,
    off_hz: float,
    half_hz: float,
    around: PulseNeighbours,
) -> bool:
    """Return whether a gate switched a tone, and the tone is not only reverberation of the gate before."""
    lead_s = around.free_s + around.last_s + 0.03
    if lead_s > _FAR_S:
        return True
    duration_s = lead_s + min(around.room_s - 0.006, gate[1] + 0.15)
    segment = segment_of(bands, [hz], half_hz, starts_s + gate[0] - lead_s, duration_s)
    if segment is None:
        return True
    gate_model = GateLikelihood(_moved(segment, off_hz))
    before, own = (0.03, around.last_s), (lead_s, gate[1])
    earlier, now, both = (_score(gate_model, GateSequence(rows)) for rows in ((before,), (own,), (before, own)))
    return max(now, both) > earlier - _CLEARLY


def _score(gate_model: GateLikelihood, gates: GateSequence) -> float:
    return gate_model.score(gates, best_room(gate_model, gates))


def _moved(segment: PulseSegment, off_hz: float) -> PulseSegment:
    """Return a segment demodulated to frequencies some Hz higher."""
    times_s = np.arange(segment.z.shape[0]) * segment.step_s
    return dataclasses.replace(segment, z=segment.z * np.exp(-2j * np.pi * off_hz * times_s)[:, None])
