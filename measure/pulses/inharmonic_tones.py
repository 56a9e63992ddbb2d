"""Short pulses of a few tones that share no fundamental: when they were switched, which tones are theirs, and at what frequency.

A room draws the tones of 80 ms aside by 5 to 7 Hz as a spectrum has them, and differently each; what frequencies were played, and when, can only be
told together. So all gates near a rough one are tried, and for each of them all frequencies near the rough ones (`switching` says how likely they
are); knocks, which die away, are left to others. Which tones a gate switched, and which only ring on from the gate before, is again a question of
two likelihoods.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from roomtone.measure.gating.basebands import Basebands, stretch_of
from roomtone.measure.gating.gate_likelihood import Gates, Room, Stretch, Switching
from roomtone.measure.gating.gate_search import Fit, best_room
from roomtone.measure.pulses.timing import half_band, moved_partials
from roomtone.measure.spectra.cycle import Pulse
from roomtone.measure.spectra.harmonics import fundamental, harmonic_numbers
from roomtone.measure.spectra.spectrogram import Partial

Span = tuple[float, float]
Chord = tuple[Span, Sequence[Partial]]

#: Longer pulses tell a frequency well enough from their spectrum.
SHORT_S = 0.3
#: Tones weaker than this re the strongest (20 dB) are none of a chord, nor are more than so many; the strongest are asked for its gate.
_WEAKEST = 0.01
_MOST, _ASKED = 6, 4
#: How much earlier and later than the rough onset a gate may begin, how much later than the rough end it may end, and its least length.
_EARLIER_S, _LATER_S, _LEAST_S = 0.06, 0.02, 0.03
_GRID_S = 0.01
#: Time constants tried of what dies away.
_STRUCK_S = (0.004, 0.008, 0.015, 0.025, 0.04)
#: How much before the next rough onset the next pulse may set in.
_NEXT_S = 0.03
#: Frequencies tried beside each rough one, in Hz, and rooms.
_OFFSETS_HZ = np.linspace(-12.0, 12.0, 49)
_ROOMS = tuple(Room(tau_s, direct, 0.006) for tau_s in (0.06, 0.12) for direct in (0.05, 0.3))
#: A shorter gate tells less of its tones than their spectrum does.
_TELLS_S = 0.04
#: By so much must the log-likelihood of ringing alone exceed that of a gate, for a tone to be none of the gate's.
_CLEARLY = 10.0
#: A gate that began so long before rings no more.
_FAR_S = 0.6
#: Turns in which the room and the frequency of a tone are told.
_TURNS = 3


@dataclasses.dataclass(frozen=True)
class Around:
    """What surrounds a pulse: time since the one before had ended, how long that lasted, and time from the onset to the next one's."""

    free_s: float
    last_s: float
    room_s: float


def is_chord(partials: Sequence[Partial]) -> bool:
    """Return whether strong partials share no fundamental, as a spectrum tells: not all are multiples of one, nor are three.

    >>> is_chord([Partial(1336.0, 1.0, 30.0), Partial(770.0, 0.6, 30.0)])
    True
    >>> is_chord([Partial(400.0, 1.0, 30.0), Partial(800.0, 0.6, 30.0), Partial(1200.0, 0.6, 30.0), Partial(505.0, 0.02, 20.0)])
    False
    """
    strong = _strong(partials, _MOST)
    if len(strong) < 2:
        return False
    f0 = fundamental(strong, tolerance_hz=0.8 / SHORT_S)
    multiples = np.count_nonzero(harmonic_numbers(np.array([p.hz for p in strong]), f0, 0.8 / SHORT_S))
    return bool(multiples < min(len(strong), 3))


def told_as_chords(
    drafts: list[Pulse],
    span_s: float,
    told: Callable[[Span, tuple[Partial, ...], Around], Chord | None],
    only: set[float] | None = None,
) -> list[Pulse]:
    """Return pulses, those of a few tones at once and too short for their spectra as waves tell of them.

    Args:
        drafts: in order of time.
        span_s: of the cycle.
        told: asked with onset and length, partials, and what is around; None where they tell nothing.
        only: onsets of those asked; None asks all.
    """
    out = []
    for index, pulse in enumerate(drafts):
        short = pulse.length_s < SHORT_S and pulse.glide == 1.0 and not pulse.decaying
        if short and is_chord(pulse.partials) and (only is None or pulse.onset_s in only):
            before, following = drafts[index - 1], drafts[(index + 1) % len(drafts)]
            free_s = (pulse.onset_s - before.onset_s - before.length_s) % span_s
            room_s = (following.onset_s - pulse.onset_s) % span_s or span_s
            around = Around(free_s, before.length_s, room_s)
            chord = told((pulse.onset_s, pulse.length_s), pulse.partials, around)
            if chord is not None:
                (onset_s, length_s), partials = chord
                pulse = dataclasses.replace(pulse, onset_s=onset_s, length_s=length_s, partials=tuple(partials))
        out.append(pulse)
    return out


def chord_gate(
    bands: Basebands, starts_s: np.ndarray, span: Span, partials: Sequence[Partial], around: Around
) -> Chord | None:
    """Return the likeliest gate near a rough one, and its tones at their likeliest frequencies; None where it rather dies away.

    Args:
        bands: of the recording.
        starts_s: of the cycles.
        span: onset from the start of a cycle and length, as a level has them.
        partials: strongest first, as a spectrum has them.
        around: as levels have it.
    """
    asked = _strong(partials, _ASKED)
    half_hz = half_band(asked)
    lead_s = float(np.clip(around.free_s, 0.03, 0.09 + 0.5 / half_hz))
    duration_s = lead_s + min(around.room_s - _NEXT_S, span[1] + 0.15)
    stretch = stretch_of(bands, [p.hz for p in asked], half_hz, starts_s + span[0] - lead_s, duration_s)
    if stretch is None:
        return None
    switching = Switching(stretch)
    offsets = np.tile(_OFFSETS_HZ, (len(stretch.columns), 1))
    tried = [
        (gates, switching.pitch_likelihood(gates, room, offsets))
        for gates in _gates(switching, lead_s, lead_s + span[1], duration_s)
        for room in _ROOMS
    ]
    if not tried:
        return None
    gates, scores = max(tried, key=lambda pair: float(pair[1].max(axis=1).sum()))
    if gates.struck:
        return None
    on_s, length_s = gates.rows[0]
    moved = {asked[k].hz: float(_OFFSETS_HZ[row.argmax()]) for k, row in zip(stretch.columns, scores)}
    told = [dataclasses.replace(p, hz=p.hz + moved.get(p.hz, 0.0)) for p in partials]
    return (span[0] + on_s - lead_s, length_s), told


def own_tones(bands: Basebands, starts_s: np.ndarray, gate: Span, partials: Sequence[Partial], around: Around) -> Chord:
    """Return a gate and the tones that were switched with it, each at its likeliest frequency; all of them, where none can be told.

    Args:
        bands, starts_s, partials: as of `chord_gate`.
        gate: onset from the start of a cycle, and length.
        around: as told.
    """
    if gate[1] < _TELLS_S:
        return gate, partials
    strong = _strong(partials, _MOST)
    half_hz = half_band(strong)
    told = [_own_tone(bands, starts_s, gate, p, half_hz, around) for p in strong]
    return gate, [p for p in told if p is not None] or partials


def _strong(partials: Sequence[Partial], most: int) -> list[Partial]:
    return [p for p in partials if p.power > _WEAKEST * partials[0].power][:most]


def _gates(switching: Switching, on_s: float, off_s: float, duration_s: float) -> list[Gates]:
    """Return the gates that are tried near a rough one, held and struck."""
    ons = np.arange(max(on_s - _EARLIER_S, switching.earliest_s), on_s + _LATER_S, _GRID_S).tolist()
    latest_s = min(off_s + _LATER_S, duration_s)
    held = [(on, off - on) for on in ons for off in np.arange(on + _LEAST_S, latest_s, _GRID_S).tolist()]
    struck = [Gates(((on, tau_s),), True) for on in ons for tau_s in _STRUCK_S]
    return [*(Gates((row,)) for row in held), *struck]


def _own_tone(
    bands: Basebands,
    starts_s: np.ndarray,
    gate: Span,
    partial: Partial,
    half_hz: float,
    around: Around,
) -> Partial | None:
    """Return one tone at its likeliest frequency; None where it only rings from before."""
    lead_s = float(np.clip(around.free_s, 0.02, 0.03 + 0.5 / half_hz))
    gates = Gates(((lead_s, gate[1]),))
    duration_s = lead_s + min(around.room_s - 0.006, gate[1] + 0.15)
    first = stretch_of(bands, [partial.hz], half_hz, starts_s + gate[0] - lead_s, duration_s)
    if first is None:
        return partial
    moved, stretch = partial, first
    for _ in range(_TURNS):
        switching = Switching(stretch)
        room = best_room(switching, gates)
        likelihood = switching.score(gates, room)
        last, moved = moved, moved_partials(stretch, Fit(gates, room, likelihood), [moved])[0]
        if abs(moved.hz - last.hz) < 0.08 / gate[1]:
            break
        stretch = _moved(first, moved.hz - partial.hz)
    return moved if _switched(bands, starts_s, gate, partial.hz, moved.hz - partial.hz, half_hz, around) else None


def _switched(
    bands: Basebands, starts_s: np.ndarray, gate: Span, hz: float, off_hz: float, half_hz: float, around: Around
) -> bool:
    """Return whether a tone was switched by a gate, and not only by the gate before: the latter rings on."""
    lead_s = around.free_s + around.last_s + 0.03
    if lead_s > _FAR_S:
        return True
    duration_s = lead_s + min(around.room_s - 0.006, gate[1] + 0.15)
    stretch = stretch_of(bands, [hz], half_hz, starts_s + gate[0] - lead_s, duration_s)
    if stretch is None:
        return True
    switching = Switching(_moved(stretch, off_hz))
    before, own = (0.03, around.last_s), (lead_s, gate[1])
    earlier, now, both = (_score(switching, Gates(rows)) for rows in ((before,), (own,), (before, own)))
    return max(now, both) > earlier - _CLEARLY


def _score(switching: Switching, gates: Gates) -> float:
    return switching.score(gates, best_room(switching, gates))


def _moved(stretch: Stretch, off_hz: float) -> Stretch:
    """Return a stretch as it is about frequencies some Hz higher."""
    times_s = np.arange(stretch.z.shape[0]) * stretch.step_s
    return dataclasses.replace(stretch, z=stretch.z * np.exp(-2j * np.pi * off_hz * times_s)[:, None])
