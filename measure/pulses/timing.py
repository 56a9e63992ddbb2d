"""The pulses of a cycle, timed: from rough spans to gates, and frequencies that fit them.

Pitch and gates are found in turns. A gate asked at a frequency that is off by a good part of 1 / length sees a wave that turns while it
sounds, and a frequency read from a spectrum is drawn aside by the room; each step makes the other's error smaller.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from roomtone.measure.gating.basebands import Basebands, stretch_of
from roomtone.measure.gating.gate_likelihood import Stretch, Switching
from roomtone.measure.gating.gate_search import Fit, fit_gates, fit_round
from roomtone.measure.pulses.partials import without_skirts
from roomtone.measure.spectra.harmonics import fundamental
from roomtone.measure.spectra.spectrogram import Partial

#: Partials that are asked when a pulse was switched.
_ASKED = 4
#: Narrowest and widest band around a partial, Hz: narrower ones ring for longer than they tell.
_NARROWEST_HZ, _WIDEST_HZ = 12.0, 100.0
#: While gates are sought, pitch may be off by so much of 1 / length, in so many steps.
_LOOSE, _LOOSE_TRIES = 0.6, 13
#: ... and no partial off a multiple by more of the fundamental: three modes of a plate lie as near to some.
_OFF = 0.04
#: A pulse is short to a kernel whose half length is so much of its own.
_SHORT = 0.25


@dataclasses.dataclass(frozen=True)
class Timed:
    """Pulses of one pitch: their starts from that of the cycle, lengths, whether struck, and the partials that fit best."""

    onsets_s: tuple[float, ...]
    lengths_s: tuple[float, ...]
    struck: bool
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
) -> Timed | None:
    """Return the pulses of a span; None where no whole cycle of it lies in the recording or nothing is tonal.

    Args:
        bands: of the recording.
        partials: strongest first.
        starts_s: of the cycles.
        spans: onset from the start of the cycle and length of each, as a level has them.
        free_s: time since what sounded before had ended.
        room_s: time up to what follows.
        others: partials of what sounds meanwhile, to be kept out.
        apart: whether the partials are tones that move each by itself.
    """
    onset_s = spans[0][0]
    length_s = spans[-1][0] + spans[-1][1] - onset_s
    lead_s = float(np.clip(free_s, 0.03, 0.09 + 0.5 / half_band(partials, others)))
    duration_s = lead_s + min(room_s - 0.006, 1.15 * length_s + 0.25)

    def stretch_at(strong: Sequence[Partial], half_hz: float) -> Stretch | None:
        return stretch_of(bands, [p.hz for p in strong], half_hz, starts_s + onset_s - lead_s, duration_s)

    def fit(stretch: Stretch) -> Fit:
        rough = [(lead_s + on - onset_s, lead_s + on + length - onset_s) for on, length in spans]
        return fit_gates(stretch, rough, latest_s=lead_s + room_s)

    if not apart:  # a knock rings on in a room for up to 0.15 s, and is as wide as it is short
        longest_s = max(length for _, length in spans)
        partials = without_skirts(partials, max(0.1 * longest_s, longest_s - 0.15))
    found = _in_turns(partials, stretch_at, fit, min(length for _, length in spans), others=others, apart=apart)
    if found is None:
        return None
    fitted, strong = found
    onsets = tuple(onset_s + on - lead_s for on, _ in fitted.gates.rows)
    return Timed(onsets, fitted.gates.lengths_s(), fitted.gates.struck, tuple(strong))


def time_round(bands: Basebands, partials: Sequence[Partial], starts_s: np.ndarray, period_s: float) -> Timed | None:
    """Return the one pulse of a cycle so short that the room never falls silent; as `time_pulses`."""

    def stretch_at(strong: Sequence[Partial], half_hz: float) -> Stretch | None:
        found = stretch_of(bands, [p.hz for p in strong], half_hz, starts_s, period_s)
        return None if found is None else dataclasses.replace(found, before=0.0)

    found = _in_turns(partials, stretch_at, lambda stretch: fit_round(stretch, period_s), 0.6 * period_s, period_s)
    if found is None:
        return None
    fitted, strong = found
    onsets = tuple(on for on, _ in fitted.gates.rows)
    return Timed(onsets, fitted.gates.lengths_s(), False, tuple(strong))


def _in_turns(
    partials: Sequence[Partial],
    stretch_at: Callable[[Sequence[Partial], float], Stretch | None],
    fit: Callable[[Stretch], Fit],
    rough_s: float,
    period_s: float = 0.0,
    others: Sequence[Partial] = (),
    apart: bool = False,
) -> tuple[Fit, list[Partial]] | None:
    """Return gates and partials: those that are part of a stronger one's skirt left out as soon as the length is known."""
    fitted, kept = None, list(partials)
    length_s = rough_s
    for _ in range(3):
        strong = snapped(kept[:_ASKED], length_s)
        half_hz = half_band(kept, others)
        stretch = stretch_at(strong, half_hz)
        if stretch is None:
            return None
        stretch = loosened(stretch, strong, _LOOSE / max(length_s, 0.02), _LOOSE_TRIES, apart=apart)
        fitted = fit(stretch)
        length_s = max(fitted.gates.lengths_s())
        moved = moved_partials(stretch, fitted, strong, period_s, apart=apart or fitted.gates.struck)
        close = all(abs(one.hz - other.hz) < 0.08 / max(length_s, 0.02) for one, other in zip(moved, strong))
        kept = without_skirts([*moved, *kept[_ASKED:]], length_s, struck=fitted.gates.struck)
        again = snapped(kept[:_ASKED], length_s)
        same = len(again) == len(strong) and all(abs(p.hz - q.hz) < 0.1 / length_s for p, q in zip(again, strong))
        if close and same and half_band(kept, others) < 1.3 * half_hz:
            break
    assert fitted is not None
    return fitted, [*snapped(kept[:_ASKED], length_s), *kept[_ASKED:]]


def half_band(partials: Sequence[Partial], others: Sequence[Partial] = ()) -> float:
    """Return the half band kept around each partial: a third of the distance of the nearest two, so that others stay out."""
    hz = sorted(p.hz for p in partials if p.power > 0.01 * partials[0].power)
    apart = float(np.diff(hz).min()) if len(hz) > 1 else 3.0 * _WIDEST_HZ
    foreign = [q.hz for q in others if q.power > 0.01 * partials[0].power]
    apart = min([apart, *(1.5 * abs(one - other) for one in hz[:_ASKED] for other in foreign)])
    return float(np.clip(apart / 3.0, _NARROWEST_HZ, _WIDEST_HZ))


def loosened(stretch: Stretch, partials: Sequence[Partial], reach_hz: float, tries: int, *, apart: bool) -> Stretch:
    """Return a stretch whose partials may lie some Hz off their places.

    Args:
        stretch: of these partials.
        partials: as they are thought to be.
        reach_hz: how far off the highest may lie; the others by their share of it, where they move together.
        tries: steps that this is tried in.
        apart: tones that share no fundamental move each by itself; otherwise all by one share, as do harmonics (and modes, of which a knock tells
            too little for more).
    """
    owners = np.array(stretch.columns)
    hz = np.array([p.hz for p in partials])
    together = len(partials) > 1 and (not apart or are_harmonics(partials))
    scale = hz[owners] / hz[owners].max() if together else np.ones(owners.size)
    offsets = scale[:, None] * np.linspace(-reach_hz, reach_hz, tries)[None, :]
    return dataclasses.replace(stretch, offsets_hz=offsets, together=together)


def moved_partials(
    stretch: Stretch, fitted: Fit, partials: Sequence[Partial], period_s: float = 0.0, *, apart: bool = False
) -> list[Partial]:
    """Return the partials that a stretch holds, at their most likely frequencies.

    Args:
        stretch: of these partials.
        fitted: gates and room.
        partials: as they were thought to be.
        period_s: after which every gate comes again; 0 for none.
        apart: as of `loosened`.
    """
    fine = loosened(stretch, partials, 0.6 / max(*fitted.gates.lengths_s(), 0.015), 41, apart=apart)
    switching = Switching(stretch, period_s)
    short = stretch.kernel_s > _SHORT * max(fitted.gates.lengths_s())
    asked = switching.offset_likelihood if short else switching.pitch_likelihood
    scores = asked(fitted.gates, fitted.room, fine.offsets_hz)
    owners = np.array(stretch.columns)
    out = list(partials)
    if fine.together:
        best = int(np.argmax(scores.sum(axis=0)))
        share = fine.offsets_hz[0, best] / partials[owners[0]].hz
        return [dataclasses.replace(p, hz=float(p.hz * (1.0 + share))) for p in partials]
    for k in set(stretch.columns):
        best = int(np.argmax(scores[owners == k].sum(axis=0)))
        out[k] = dataclasses.replace(partials[k], hz=float(partials[k].hz + fine.offsets_hz[owners == k][0, best]))
    return out


def are_harmonics(partials: Sequence[Partial]) -> bool:
    """Return whether two partials or more are multiples of one frequency, to a hundred-thousandth.

    >>> are_harmonics([Partial(400.0, 1.0, 20.0), Partial(800.0, 1.0, 20.0)])
    True
    >>> are_harmonics([Partial(770.0, 1.0, 20.0), Partial(1336.0, 1.0, 20.0)])
    False
    """
    moved = _on_multiples(partials, np.inf)
    return moved is not None and all(abs(p.hz - q.hz) < 1e-5 * p.hz for p, q in zip(partials, moved))


def snapped(partials: Sequence[Partial], length_s: float = np.inf) -> list[Partial]:
    """Return partials moved onto the multiples of their fundamental, where they all lie near such.

    Near is less than a spectral line (0.8 / length): that much a room draws a peak aside.
    """
    return _on_multiples(partials, length_s) or list(partials)


def _on_multiples(partials: Sequence[Partial], length_s: float) -> list[Partial] | None:
    """Return partials on the multiples of their fundamental; None where fewer than two are given, or one lies far from any."""
    if len(partials) < 2:
        return None
    f0 = fundamental(partials, tolerance_hz=min(0.8 / length_s, 12.0))
    number = np.round([p.hz / f0 for p in partials])
    if (
        number.min() >= 1
    ):  # a line's error is one of Hz whatever its number, so the higher ones tell more, weak as they are
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
