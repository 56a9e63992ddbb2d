"""The most likely gates of a segment: one or several, constant or decaying.

Coordinate search over the likelihood of `gate_likelihood`; a further gate must raise it by a fixed amount.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from roomtone.measure.gating.gate_likelihood import GateLikelihood, GateSequence, PulseSegment, RoomStatistics

#: Time constants (T60 / 6.91), shares of direct sound, and lengths of edges that are tried.
TAU_S = (0.03, 0.06, 0.1, 0.16)
DIRECT = (0.05, 0.3, 0.7)
EDGE_S = (0.006, 0.025, 0.05)
DECAYING_EDGE_S = 0.004
#: Gain in log-likelihood by which a further gate is justified, for each partial.
_WORTH = 40.0
#: ... and the share of it by which decaying gates must be better than as many constant ones.
_DECAYING = 0.1
#: A gate is removed if that costs less than this share of it, or less than all of it where the gap is about the shortest allowed.
_DROPPED = 0.4
#: ... but only a gate below this share of the power of the loudest: fluctuations of a decay are not higher.
_WEAK = 0.35
#: Gaps tried, the shortest pulse, and the shortest gap.
_GAPS_S = (0.03, 0.06, 0.1)
_SHORTEST_S = 0.012
_LEAST_GAP_S = 0.025
_MOST = 6
#: Reverberation makes the end of a span late by less than this, so no earlier end is tried.
_LATE_S = 0.5
#: A longer sound is not taken for a decaying one.
_DECAYING_S = 3.0
#: Time before and after the start of a further decaying gate over which its power is told.
_RISES_S = 0.04
#: Time constants tried of decaying gates, of which each has fallen by half before the next begins; and the finer steps around one of them.
_TAUS_S = np.geomspace(0.003, 1.0, 24)
_FINER = 1.29 ** (np.arange(-9, 4) / 6.0)
#: Reverberation makes decays long, so of those that are as likely within so much (two standard errors) the shortest is taken.
_ALIKE = 2.0


@dataclass(frozen=True)
class GateFit:
    """Gates, the assumed room, and the log-likelihood of both."""

    gates: GateSequence
    room: RoomStatistics
    likelihood: float


def fit_gates(
    segment: PulseSegment,
    spans_s: Sequence[tuple[float, float]],
    *,
    latest_s: float,
    earlier: GateSequence | None = None,
    told: bool = False,
) -> GateFit:
    """Return the most likely gates of a segment.

    Args:
        segment: the partials around a pulse.
        spans_s: `(on, off)` of each sound as its level shows it: late by some 10 ms at the start and more at the end; reverberation merges some and
            splits others.
        latest_s: end of the last gate at the latest.
        earlier: gates found with other frequencies, from which the search starts as well.
        told: whether the spans are gates told from the waveform: they are refined where they are as well, since a search of one end after the other, in
            a room that is not theirs yet, may leave them for a lower maximum.
    """
    gate_model = GateLikelihood(segment)
    worth = _WORTH * segment.z.shape[1]
    decaying = _fit_decaying(gate_model, spans_s, worth)
    rough = [(on, off - on) for on, off in spans_s]
    starts = [rough] if len(rough) > 1 else [rough, [_grid_search(gate_model, *rough[0], latest_s, RoomStatistics())]]
    if earlier is not None and not earlier.decaying:
        starts.append(list(earlier.rows))
    fits = [_fit_gates_near(gate_model, list(rows), latest_s) for rows in starts]
    if told:
        fits.append(_refine_with_room(gate_model, GateFit(GateSequence(tuple(rough)), RoomStatistics(), -np.inf)))
    held = max(fits, key=lambda fit: fit.likelihood)
    while len(held.gates.rows) > 1:
        fewer = _remove_gate(gate_model, held)
        if fewer.likelihood < held.likelihood - (_DROPPED * worth if _clear(held.gates) else worth):
            break
        held = fewer
    while len(held.gates.rows) < _MOST:
        more = _split_gate(gate_model, held)
        if more.likelihood < held.likelihood + worth or not _clear(more.gates):
            break
        held = more
    if decaying.likelihood > held.likelihood:
        held = _refine_with_room(gate_model, held)
    further = max(len(decaying.gates.rows) - len(held.gates.rows), _DECAYING)
    return decaying if decaying.likelihood > held.likelihood + worth * further else held


def fit_short_cycle(segment: PulseSegment, period_s: float) -> GateFit:
    """Return the most likely gate of a segment of one period so short that reverberation never falls silent.

    Args:
        segment: the partials over one period.
        period_s: the period.
    """
    gate_model = GateLikelihood(segment, period_s)
    coarse = max(2.0 * segment.step_s, period_s / 40.0)
    ons = np.arange(0.0, period_s, coarse)
    lengths = np.arange(_SHORTEST_S, 0.97 * period_s, coarse)
    room = RoomStatistics(edge_s=0.008)
    scores = {
        (on, length): gate_model.score(GateSequence(((float(on), float(length)),)), room)
        for on in ons
        for length in lengths
    }
    on, length = max(scores, key=scores.__getitem__)
    return refined(gate_model, GateSequence(((float(on), float(length)),)), coarse)


def refined(gate_model: GateLikelihood, gates: GateSequence, coarse_s: float) -> GateFit:
    """Return gates refined from a grid of `coarse_s`, and their room.

    Args:
        gate_model: the likelihood.
        gates: found on the grid.
        coarse_s: the grid's step.
    """
    for reach in (0.5 * coarse_s, 0.25 * coarse_s):
        room = best_room(gate_model, gates)
        gates = _hill_climb(gate_model, gates, room, reach)
    return GateFit(gates, room, gate_model.score(gates, room))


def _clear(gates: GateSequence) -> bool:
    """Return whether all gaps are longer than the shortest allowed: a gap that shrinks to that is interference in the reverberation."""
    ends = [on + length for on, length in gates.rows]
    return all(row[0] - end > _LEAST_GAP_S + 0.01 for row, end in zip(gates.rows[1:], ends))


def _fit_gates_near(gate_model: GateLikelihood, rows: list[tuple[float, float]], latest_s: float) -> GateFit:
    """Return the most likely gates near rough ones: each start and end optimised in turn."""
    coarse = max(2.0 * gate_model.segment.step_s, 0.006)
    room = RoomStatistics()
    for _ in range(2):
        for k in range(len(rows)):
            least = max(sum(rows[k - 1]) + _LEAST_GAP_S if k else 0.0, gate_model.earliest_s)
            most = rows[k + 1][0] - _LEAST_GAP_S if k + 1 < len(rows) else latest_s
            rows[k] = _moved(gate_model, rows, k, (least, most), room, coarse)
        room = best_room(gate_model, GateSequence(tuple(rows)))
    return _refine(gate_model, GateSequence(tuple(rows)), room, coarse)


def _moved(
    gate_model: GateLikelihood,
    rows: list[tuple[float, float]],
    k: int,
    limits_s: tuple[float, float],
    room: RoomStatistics,
    coarse_s: float,
) -> tuple[float, float]:
    """Return one of several gates with its end, its start and its end again optimised."""
    on, length = rows[k]

    def score(on: float, off: float) -> float:
        gates = GateSequence((*rows[:k], (on, off - on), *rows[k + 1 :]))
        return gate_model.score(gates, room) if off - on >= _SHORTEST_S else -np.inf

    earliest = max(on + 0.02, on + length - _LATE_S)
    offs = np.arange(earliest, max(min(limits_s[1], on + length + 0.06), earliest + 0.02), coarse_s)
    off = _best(offs, lambda v: score(on, v), on + length)
    ons = np.arange(on - 0.09, min(on + 0.03, off - 0.01), coarse_s)
    begin = _best(ons[ons > limits_s[0]], lambda v: score(v, off), on)
    off = _best(offs[offs > begin + _SHORTEST_S], lambda v: score(begin, v), off)
    return begin, off - begin


def _grid_search(
    gate_model: GateLikelihood, on_s: float, length_s: float, latest_s: float, room: RoomStatistics
) -> tuple[float, float]:
    """Return the best gate of a coarse grid of starts and ends: a coordinate search from a rough gate may find a local maximum."""
    step = float(np.clip(length_s / 20.0, 0.008, 0.03))
    ons = np.arange(on_s - 0.08, on_s + 0.03, min(step, 0.016))
    earliest = max(on_s + 0.02, on_s + length_s - _LATE_S)
    offs = np.arange(earliest, max(min(latest_s, on_s + length_s + 0.06), earliest + 0.02), step)
    rows = [
        (float(on), float(off - on))
        for on, off in itertools.product(ons[ons > gate_model.earliest_s], offs)
        if off - on >= _SHORTEST_S
    ]
    return max(rows, key=lambda row: gate_model.score(GateSequence((row,)), room), default=(on_s, length_s))


def _refine(gate_model: GateLikelihood, gates: GateSequence, room: RoomStatistics, coarse_s: float) -> GateFit:
    for reach in (coarse_s, 0.5 * coarse_s, 0.25 * coarse_s):
        gates = _hill_climb(gate_model, gates, room, reach)
    return GateFit(gates, room, gate_model.score(gates, room))


def _refine_with_room(gate_model: GateLikelihood, fit: GateFit) -> GateFit:
    """Return a fit with room and gates optimised in turn, until neither gains."""
    coarse = max(2.0 * gate_model.segment.step_s, 0.006)
    for _ in range(4):
        more = _refine(gate_model, fit.gates, best_room(gate_model, fit.gates), coarse)
        if more.likelihood < fit.likelihood + 1.0:
            break
        fit = more
    return fit


def _power(gate_model: GateLikelihood, row: tuple[float, float]) -> float:
    """Return the mean power of a segment over a gate."""
    step = gate_model.segment.step_s
    begin, end = int(row[0] / step), int(sum(row) / step) + 1
    part = gate_model.segment.z[begin : max(end, begin + 1)]
    return float((np.abs(part) ** 2).mean()) if part.size else 0.0


def _remove_gate(gate_model: GateLikelihood, fit: GateFit) -> GateFit:
    """Return the best fit with one gate less: two merged, or one removed that is interference in the reverberation."""
    rows = fit.gates.rows
    coarse = max(2.0 * gate_model.segment.step_s, 0.006)
    tried = []
    for k in range(len(rows) - 1):
        one = (rows[k][0], rows[k + 1][0] + rows[k + 1][1] - rows[k][0])
        gates = GateSequence((*rows[:k], one, *rows[k + 2 :]))
        tried.append((gate_model.score(gates, fit.room), gates))
    power = np.array([_power(gate_model, row) for row in rows])
    for k in np.flatnonzero(power < _WEAK * power.max()).tolist():
        gates = GateSequence((*rows[:k], *rows[k + 1 :]))
        tried.append((gate_model.score(gates, fit.room), gates))
    gates = max(tried, key=lambda pair: pair[0])[1]
    found = _refine(gate_model, gates, fit.room, coarse)
    room = best_room(gate_model, found.gates)
    return _refine(gate_model, found.gates, room, coarse)


def _split_gate(gate_model: GateLikelihood, fit: GateFit) -> GateFit:
    """Return the best fit with one gate split in two."""
    found: list[tuple[float, GateSequence]] = []
    rows = fit.gates.rows
    step = max(2.0 * gate_model.segment.step_s, 0.012)
    for k, (on, length) in enumerate(rows):
        for gap, begin in itertools.product(_GAPS_S, np.arange(0.02, length, step)):
            if begin + gap + 0.02 < length:
                two = ((on, float(begin)), (on + float(begin) + gap, length - float(begin) - gap))
                gates = GateSequence((*rows[:k], *two, *rows[k + 1 :]))
                found.append((gate_model.score(gates, fit.room), gates))
    if not found:
        return GateFit(fit.gates, fit.room, -np.inf)
    gates = max(found, key=lambda pair: pair[0])[1]
    gates = _refine(gate_model, gates, fit.room, step).gates
    return _refine(gate_model, gates, best_room(gate_model, gates), 0.5 * step)


def _fit_decaying(gate_model: GateLikelihood, spans_s: Sequence[tuple[float, float]], worth: float) -> GateFit:
    """Return decaying gates: one at the first span, and more as long as each is justified."""
    fit = GateFit(GateSequence((), True), RoomStatistics(edge_s=DECAYING_EDGE_S), -np.inf)
    first, last = spans_s[0][0], spans_s[-1][1]
    if max(off - on for on, off in spans_s) > _DECAYING_S:
        return fit
    while len(fit.gates.rows) < _MOST:
        rows = fit.gates.rows
        ons = np.arange(rows[-1][0] + 0.04, last, 0.006) if rows else np.arange(first - 0.06, first + 0.03, 0.004)
        ons = ons[ons > gate_model.earliest_s]
        ons = np.array([on for on in ons if not rows or _rises(gate_model, on)])
        if not ons.size:
            return fit
        more = _one_more(gate_model, fit, ons, rows[0][1] if rows else 0.02)
        if more.likelihood < fit.likelihood + worth:
            return fit
        fit = more
    return fit


def _rises(gate_model: GateLikelihood, on_s: float) -> bool:
    """Return whether the power of a segment doubles at a time, as it does with each knock: the end of a long tone is none."""
    step = gate_model.segment.step_s
    middle, reach = round(on_s / step), max(2, round(_RISES_S / step))
    power = (np.abs(gate_model.segment.z) ** 2).sum(axis=1)
    before, after = power[max(middle - reach, 0) : middle], power[middle : middle + reach]
    return bool(before.size and after.size and after.mean() > 2.0 * before.mean())


def _one_more(gate_model: GateLikelihood, fit: GateFit, ons: np.ndarray, tau: float) -> GateFit:
    begun, room = [on for on, _ in fit.gates.rows], fit.room

    def gates(on: float, tau: float) -> GateSequence:
        return GateSequence(tuple((one, tau) for one in (*begun, on)), True)

    def best_tau(on: float, taus_s: np.ndarray, alike: float = 0.0) -> float:
        gap_s = float(np.diff([*begun, on]).min(initial=np.inf))
        died = taus_s[taus_s * np.log(2.0) <= gap_s].tolist() or taus_s[:1].tolist()
        scores = [gate_model.score(gates(on, v), room) for v in died]
        return next(v for v, score in zip(died, scores) if score >= max(scores) - alike)

    on = _best(ons, lambda v: gate_model.score(gates(v, tau), room))
    first = best_tau(on, _TAUS_S)
    room = best_room(gate_model, gates(on, first))
    again = _best(ons, lambda v: gate_model.score(gates(v, first), room))
    tau = best_tau(again, _TAUS_S)
    tau = best_tau(again, tau * _FINER, _ALIKE)
    return GateFit(gates(again, tau), room, gate_model.score(gates(again, tau), room))


def _hill_climb(gate_model: GateLikelihood, gates: GateSequence, room: RoomStatistics, reach_s: float) -> GateSequence:
    """Return gates with each start and end moved by a step or none, one gate at a time."""
    for k, (on, length) in enumerate(gates.rows):
        moves = []
        for a, b in itertools.product((-1, 0, 1), repeat=2):
            row = (on + a * reach_s, length + (b - a) * reach_s)
            before, after = gates.rows[k - 1] if k else None, gates.rows[k + 1] if k + 1 < len(gates.rows) else None
            apart = (before is None or row[0] - sum(before) >= _LEAST_GAP_S) and (
                after is None or after[0] - sum(row) >= _LEAST_GAP_S
            )
            if row[1] >= _SHORTEST_S and apart:
                moves.append(GateSequence((*gates.rows[:k], row, *gates.rows[k + 1 :]), gates.decaying))
        gates = max(moves, key=lambda one: gate_model.score(one, room), default=gates)
    return gates


def _best(values: Iterable[float], score: Callable[[float], float], otherwise: float | None = None) -> float:
    tried = [float(value) for value in values]
    if not tried and otherwise is not None:
        return otherwise
    return max(tried, key=score)


def best_room(gate_model: GateLikelihood, gates: GateSequence) -> RoomStatistics:
    """Return the most likely room under some gates.

    Args:
        gate_model: the likelihood.
        gates: when the source is on.
    """
    room = RoomStatistics(edge_s=DECAYING_EDGE_S if gates.decaying else RoomStatistics().edge_s)
    rooms = [RoomStatistics(tau, direct, room.edge_s) for tau, direct in itertools.product(TAU_S, DIRECT)]
    room = max(rooms, key=lambda one: gate_model.score(gates, one))
    edges = (DECAYING_EDGE_S,) if gates.decaying else EDGE_S
    return max(
        (RoomStatistics(room.tau_s, room.direct, edge) for edge in edges), key=lambda one: gate_model.score(gates, one)
    )
