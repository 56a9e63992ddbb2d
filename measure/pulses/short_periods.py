"""The pulse of a cycle so short that reverberation never falls silent: its gate and its pitch, estimated together.

Without silence before the pulse a gate is easily confused with its gap, and with a pitch that is 0.5 % off the gap may be more likely. A
spectrum gives the pitch only within a line and a half: the room makes any of the lines around a partial the strongest. So pitch,
length and onset are searched on one grid, by the likelihood of the lines of all partials (`line_spectrum`). The best points of the grid are then
refined, and the most likely one wins.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from roomtone.measure.gating.basebands import Basebands
from roomtone.measure.gating.gate_likelihood import RoomStatistics
from roomtone.measure.gating.gate_search import DIRECT, EDGE_S, TAU_S
from roomtone.measure.gating.line_spectrum import LineSpectrum, line_scores, line_spectrum
from roomtone.measure.pulses.timing import TimedPulses
from roomtone.measure.spectra.harmonics import fundamental
from roomtone.measure.spectra.onset_spans import SHORT_S
from roomtone.measure.spectra.spectrogram import Partial

#: Partials used of those found; the highest harmonic that is used too where it is there; the most used in all.
_SEEN, _HIGHEST, _ASKED = 4, 7, 6
#: A harmonic is there if its power is so many times that half a fundamental beside it.
_CLEAR = 4.0
#: A partial is used if so much of its power is on lines.
_HELD = 0.5
#: By how many lines the fundamental may be off: at first, and after a first search.
_OFF_LINES, _OFF_AGAIN = 2.5, 0.3
#: Steps of the grid: the highest partial by so many lines; lengths and onsets by so many shares of the period.
_LINE_STEP, _SHARES = 0.25, 25
#: Largest half bandwidth around a partial: a share of the fundamental, Hz, lines.
_BAND, _BAND_HZ, _BAND_LINES = 1.0 / 3.0, 250.0, 10.0
#: Points of the grid that are refined, and how often their steps are halved.
_FURTHER, _HALVED = 10, 5
_SHORTEST_S = 0.012
#: Share of the power of the lines that the nearest point of the grid may leave unexplained.
_COARSE_MISFIT = 0.02
_ROOM = RoomStatistics(edge_s=0.008)


@dataclasses.dataclass(frozen=True)
class GateCandidate:
    """A pitch in Hz, a length and an onset in seconds, the assumed room, and the log-likelihood of all."""

    f0_hz: float
    length_s: float
    on_s: float
    room: RoomStatistics
    likelihood: float


def time_short_tonal_cycle(
    bands: Basebands, partials: Sequence[Partial], starts_s: np.ndarray, period_s: float
) -> TimedPulses | None:
    """Return the one pulse of a short cycle; None for a longer cycle, or where fewer than two harmonics repeat exactly.

    Args:
        bands: of the recording.
        partials: strongest first.
        starts_s: of the cycles.
        period_s: from cycle to cycle.
    """
    if period_s > SHORT_S or not partials:
        return None
    line_hz = 1.0 / period_s
    seen = partials[:_SEEN]
    f0 = fundamental(seen, tolerance_hz=_OFF_LINES * line_hz) if len(seen) > 1 else seen[0].hz
    for off in (_OFF_LINES, _OFF_AGAIN):
        strong = _harmonics(bands, partials, f0, _OFF_LINES * line_hz)
        half_hz = min(_BAND * f0, _BAND_HZ, _BAND_LINES * line_hz)
        found = [line_spectrum(bands, number, f0, half_hz, float(starts_s[0]), period_s) for number in strong]
        lines = [one for one in found if one is not None and one.held > _HELD]
        if len(lines) < 2:
            return None
        place = most_likely_gate(lines, f0, min(off * line_hz, 0.1 * f0), period_s)
        f0 = place.f0_hz
    own = [dataclasses.replace(p, hz=number * f0) for number, p in strong.items()]
    others = [p for p in partials if all(abs(p.hz - q.hz) > max(0.012 * q.hz, 0.6 * line_hz) for q in own)]
    kept = sorted([*own, *others], key=lambda p: -p.power)
    return TimedPulses((place.on_s,), (place.length_s,), False, tuple(kept))


def _harmonics(bands: Basebands, partials: Sequence[Partial], f0: float, off_hz: float) -> dict[int, Partial]:
    """Return the partials to be used by harmonic number: those found, and further harmonics that are there."""
    seen: dict[int, Partial] = {}
    for partial in partials[:_SEEN]:
        number = max(1, round(partial.hz / f0))
        if abs(partial.hz - number * f0) < max(off_hz, 0.006 * partial.hz):
            seen.setdefault(number, partial)
    besides = {n: p for n, p in _multiples(bands, f0).items() if n not in seen}
    return dict(list({**seen, **besides}.items())[:_ASKED])


def _multiples(bands: Basebands, f0: float) -> dict[int, Partial]:
    """Return the harmonics of a pitch that are there, by number, strongest first."""
    half_hz = min(0.2 * f0, 100.0)

    def power(hz: float) -> float:
        return float((np.abs(bands.at(hz, half_hz)) ** 2).mean())

    found = {}
    top = int(0.45 * bands.sample_rate_hz / f0 - 0.5)
    for n in range(1, min(_HIGHEST, top) + 1):
        own, beside = power(n * f0), max(power((n - 0.5) * f0), power((n + 0.5) * f0))
        if own > _CLEAR * beside:
            found[n] = Partial(n * f0, 2.0 * own, float(10.0 * np.log10(own / beside)))
    return dict(sorted(found.items(), key=lambda pair: -pair[1].power))


def most_likely_gate(lines: Sequence[LineSpectrum], f0: float, reach_hz: float, period_s: float) -> GateCandidate:
    """Return the most likely pitch, length and onset of one pulse that repeats exactly.

    Args:
        lines: of its partials.
        f0: estimate of its fundamental in Hz.
        reach_hz: by how much the fundamental may be off.
        period_s: from pulse to pulse.
    """
    step_hz = _LINE_STEP / period_s / max(one.number for one in lines)
    pitches = f0 + step_hz * np.arange(-np.ceil(reach_hz / step_hz), np.ceil(reach_hz / step_hz) + 1)
    step_s = period_s / _SHARES
    lengths = np.arange(_SHORTEST_S, 0.97 * period_s, step_s)
    ons = np.arange(0.0, period_s, step_s)
    scores = line_scores(lines, pitches, lengths, ons, _ROOM, _COARSE_MISFIT)
    found = []
    for _ in range(_FURTHER):
        i, j, k = np.unravel_index(int(np.argmax(scores)), scores.shape)
        found.append(_refined(lines, (pitches[i], lengths[j], ons[k]), (step_hz, step_s, step_s), period_s))
        scores[max(i - 2, 0) : i + 3, max(j - 2, 0) : j + 3] = -np.inf
    return max(found, key=lambda place: place.likelihood)


def _refined(
    lines: Sequence[LineSpectrum], place: tuple[float, ...], steps: tuple[float, ...], period_s: float
) -> GateCandidate:
    """Return a refined point of the grid, and its room: steps are halved, and all three numbers searched at once."""
    likelihood = -np.inf
    room = _ROOM
    for _ in range(_HALVED):
        steps = tuple(0.5 * step for step in steps)
        room = _best_room(lines, place, room, period_s)
        pitches, lengths, ons = (at + step * np.arange(-1.0, 2.0) for at, step in zip(place, steps))
        lengths = np.clip(lengths, _SHORTEST_S, 0.98 * period_s)
        scores = line_scores(lines, pitches, lengths, ons, room)
        i, j, k = np.unravel_index(int(np.argmax(scores)), scores.shape)
        place, likelihood = (pitches[i], lengths[j], ons[k]), float(scores[i, j, k])
    f0, length_s, on_s = map(float, place)
    return GateCandidate(f0, length_s, on_s % period_s, room, likelihood)


def _best_room(
    lines: Sequence[LineSpectrum], place: tuple[float, ...], room: RoomStatistics, period_s: float
) -> RoomStatistics:
    at = [np.array([value]) for value in place]
    rooms = [RoomStatistics(tau, direct, room.edge_s) for tau, direct in itertools.product(TAU_S, DIRECT)]
    room = max(rooms, key=lambda one: float(line_scores(lines, at[0], at[1], at[2], one).item()))
    shorter_s = min(place[1], period_s - place[1])  # an edge fits into the pulse and into the gap
    rooms = [dataclasses.replace(room, edge_s=edge) for edge in EDGE_S if edge < shorter_s] or [room]
    return max(rooms, key=lambda one: float(line_scores(lines, at[0], at[1], at[2], one).item()))
