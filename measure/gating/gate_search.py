"""The gates that explain a stretch best: one, or several in a row, held or struck.

Searched in turns, one number at a time, over what `switching` says of each; a further gate must earn its place.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from roomtone.measure.gating.gate_likelihood import Gates, Room, Stretch, Switching

#: Time constants of amplitude (T60 / 6.91), shares of direct sound, and edges that are tried.
TAU_S = (0.03, 0.06, 0.1, 0.16)
DIRECT = (0.05, 0.3, 0.7)
EDGE_S = (0.006, 0.025, 0.05)
STRUCK_EDGE_S = 0.004
#: Gain in log-likelihood that a further gate must bring for each partial heard.
_WORTH = 40.0
#: ... and that what dies away must bring, for as many gates.
_STRUCK = 0.1
#: A gate is taken away again if that costs less than this share of it; less strictly, if it follows as a beat of the room would.
_DROPPED = 0.4
#: ... and none is, that sounds louder than this share of the loudest: no decay beats so high.
_WEAK = 0.35
#: Gaps tried, the shortest pulse, and the shortest gap.
_GAPS_S = (0.03, 0.06, 0.1)
_SHORTEST_S = 0.012
_LEAST_GAP_S = 0.025
_MOST = 6
#: A room makes the end of a span late by less than this: an end is sought no earlier.
_LATE_S = 0.5
#: What sounds for longer than this is not struck.
_STRUCK_S = 1.5
#: Time constants tried of what dies away.
_TAUS_S = np.geomspace(0.003, 0.06, 14)


@dataclass(frozen=True)
class Fit:
    """Gates, the room assumed, and the log-likelihood of both."""

    gates: Gates
    room: Room
    likelihood: float


def fit_gates(stretch: Stretch, spans_s: Sequence[tuple[float, float]], *, latest_s: float) -> Fit:
    """Return the most likely gates of a stretch.

    Args:
        stretch: what was heard.
        spans_s: `(on, off)` as a level has them; a room makes the first late by some 10 ms, the second by more, joins some and parts others.
        latest_s: when all must have ended.
    """
    switching = Switching(stretch)
    worth = _WORTH * stretch.z.shape[1]
    struck = _struck(switching, spans_s, worth)
    rough = [(on, off - on) for on, off in spans_s]
    starts = [rough] if len(rough) > 1 else [rough, [_scanned(switching, *rough[0], latest_s, Room())]]
    held = max((_settled(switching, list(rows), latest_s) for rows in starts), key=lambda fit: fit.likelihood)
    while len(held.gates.rows) > 1:
        fewer = _fewer(switching, held)
        if fewer.likelihood < held.likelihood - (_DROPPED * worth if _clear(held.gates) else worth):
            break
        held = fewer
    while len(held.gates.rows) < _MOST:
        more = _parted(switching, held)
        if more.likelihood < held.likelihood + worth or not _clear(more.gates):
            break
        held = more
    if struck.likelihood > held.likelihood:
        held = _settled_again(switching, held)
    further = max(len(struck.gates.rows) - len(held.gates.rows), _STRUCK)
    return struck if struck.likelihood > held.likelihood + worth * further else held


def fit_round(stretch: Stretch, period_s: float) -> Fit:
    """Return the most likely gate of a stretch of one period, in which it comes round so fast that the room never falls silent."""
    switching = Switching(stretch, period_s)
    coarse = max(2.0 * stretch.step_s, period_s / 40.0)
    ons = np.arange(0.0, period_s, coarse)
    lengths = np.arange(_SHORTEST_S, 0.97 * period_s, coarse)
    room = Room(edge_s=0.008)
    scores = {
        (on, length): switching.score(Gates(((float(on), float(length)),)), room) for on in ons for length in lengths
    }
    on, length = max(scores, key=scores.__getitem__)
    return refined(switching, Gates(((float(on), float(length)),)), coarse)


def refined(switching: Switching, gates: Gates, coarse_s: float) -> Fit:
    """Return gates found to a grid of `coarse_s` at their best, and the room that goes with them."""
    for reach in (0.5 * coarse_s, 0.25 * coarse_s):
        room = best_room(switching, gates)
        gates = _climbed(switching, gates, room, reach)
    return Fit(gates, room, switching.score(gates, room))


def _clear(gates: Gates) -> bool:
    """Return whether no gap is about the least allowed: one that shrinks to it is none, but a beat of the room."""
    ends = [on + length for on, length in gates.rows]
    return all(row[0] - end > _LEAST_GAP_S + 0.01 for row, end in zip(gates.rows[1:], ends))


def _settled(switching: Switching, rows: list[tuple[float, float]], latest_s: float) -> Fit:
    """Return gates near rough ones: each on and off at its best, in turns."""
    coarse = max(2.0 * switching.stretch.step_s, 0.006)
    room = Room()
    for _ in range(2):
        for k in range(len(rows)):
            least = max(sum(rows[k - 1]) + _LEAST_GAP_S if k else 0.0, switching.earliest_s)
            most = rows[k + 1][0] - _LEAST_GAP_S if k + 1 < len(rows) else latest_s
            rows[k] = _moved(switching, rows, k, (least, most), room, coarse)
        room = best_room(switching, Gates(tuple(rows)))
    return _polished(switching, Gates(tuple(rows)), room, coarse)


def _moved(
    switching: Switching,
    rows: list[tuple[float, float]],
    k: int,
    limits_s: tuple[float, float],
    room: Room,
    coarse_s: float,
) -> tuple[float, float]:
    """Return one gate of a row with its end, its start and its end again at their best."""
    on, length = rows[k]

    def score(on: float, off: float) -> float:
        gates = Gates((*rows[:k], (on, off - on), *rows[k + 1 :]))
        return switching.score(gates, room) if off - on >= _SHORTEST_S else -np.inf

    earliest = max(on + 0.02, on + length - _LATE_S)
    offs = np.arange(earliest, max(min(limits_s[1], on + length + 0.06), earliest + 0.02), coarse_s)
    off = _best(offs, lambda v: score(on, v), on + length)
    ons = np.arange(on - 0.09, min(on + 0.03, off - 0.01), coarse_s)
    begin = _best(ons[ons > limits_s[0]], lambda v: score(v, off), on)
    off = _best(offs[offs > begin + _SHORTEST_S], lambda v: score(begin, v), off)
    return begin, off - begin


def _scanned(switching: Switching, on_s: float, length_s: float, latest_s: float, room: Room) -> tuple[float, float]:
    """Return the best gate of a coarse grid of starts and ends: from a rough one, one number at a time may lead astray."""
    step = float(np.clip(length_s / 20.0, 0.008, 0.03))
    ons = np.arange(on_s - 0.08, on_s + 0.03, min(step, 0.016))
    earliest = max(on_s + 0.02, on_s + length_s - _LATE_S)
    offs = np.arange(earliest, max(min(latest_s, on_s + length_s + 0.06), earliest + 0.02), step)
    rows = [
        (float(on), float(off - on))
        for on, off in itertools.product(ons[ons > switching.earliest_s], offs)
        if off - on >= _SHORTEST_S
    ]
    return max(rows, key=lambda row: switching.score(Gates((row,)), room), default=(on_s, length_s))


def _polished(switching: Switching, gates: Gates, room: Room, coarse_s: float) -> Fit:
    for reach in (coarse_s, 0.5 * coarse_s, 0.25 * coarse_s):
        gates = _climbed(switching, gates, room, reach)
    return Fit(gates, room, switching.score(gates, room))


def _settled_again(switching: Switching, fit: Fit) -> Fit:
    """Return a fit with room and gates at their best in turns, until neither gains."""
    coarse = max(2.0 * switching.stretch.step_s, 0.006)
    for _ in range(4):
        more = _polished(switching, fit.gates, best_room(switching, fit.gates), coarse)
        if more.likelihood < fit.likelihood + 1.0:
            break
        fit = more
    return fit


def _power(switching: Switching, row: tuple[float, float]) -> float:
    """Return the mean power of a stretch over a gate."""
    step = switching.stretch.step_s
    begin, end = int(row[0] / step), int(sum(row) / step) + 1
    part = switching.stretch.z[begin : max(end, begin + 1)]
    return float((np.abs(part) ** 2).mean()) if part.size else 0.0


def _fewer(switching: Switching, fit: Fit) -> Fit:
    """Return the best fit with a gate less: two of them are one, or one is none, a beat of the room's decay."""
    rows = fit.gates.rows
    coarse = max(2.0 * switching.stretch.step_s, 0.006)
    tried = []
    for k in range(len(rows) - 1):
        one = (rows[k][0], rows[k + 1][0] + rows[k + 1][1] - rows[k][0])
        gates = Gates((*rows[:k], one, *rows[k + 2 :]))
        tried.append((switching.score(gates, fit.room), gates))
    power = np.array([_power(switching, row) for row in rows])
    for k in np.flatnonzero(power < _WEAK * power.max()).tolist():
        gates = Gates((*rows[:k], *rows[k + 1 :]))
        tried.append((switching.score(gates, fit.room), gates))
    gates = max(tried, key=lambda pair: pair[0])[1]
    found = _polished(switching, gates, fit.room, coarse)
    room = best_room(switching, found.gates)
    return _polished(switching, found.gates, room, coarse)


def _parted(switching: Switching, fit: Fit) -> Fit:
    """Return the best fit in which one gate has a gap."""
    found: list[tuple[float, Gates]] = []
    rows = fit.gates.rows
    step = max(2.0 * switching.stretch.step_s, 0.012)
    for k, (on, length) in enumerate(rows):
        for gap, begin in itertools.product(_GAPS_S, np.arange(0.02, length, step)):
            if begin + gap + 0.02 < length:
                two = ((on, float(begin)), (on + float(begin) + gap, length - float(begin) - gap))
                gates = Gates((*rows[:k], *two, *rows[k + 1 :]))
                found.append((switching.score(gates, fit.room), gates))
    if not found:
        return Fit(fit.gates, fit.room, -np.inf)
    gates = max(found, key=lambda pair: pair[0])[1]
    gates = _polished(switching, gates, fit.room, step).gates
    return _polished(switching, gates, best_room(switching, gates), 0.5 * step)


def _struck(switching: Switching, spans_s: Sequence[tuple[float, float]], worth: float) -> Fit:
    """Return gates that die away: one at the first span, and more as long as each earns its place."""
    fit = Fit(Gates((), True), Room(edge_s=STRUCK_EDGE_S), -np.inf)
    first, last = spans_s[0][0], spans_s[-1][1]
    if max(off - on for on, off in spans_s) > _STRUCK_S:
        return fit
    while len(fit.gates.rows) < _MOST:
        rows = fit.gates.rows
        ons = np.arange(rows[-1][0] + 0.04, last, 0.006) if rows else np.arange(first - 0.06, first + 0.03, 0.004)
        ons = ons[ons > switching.earliest_s]
        if not ons.size:
            return fit
        more = _one_more(switching, fit, ons, rows[0][1] if rows else 0.02)
        if more.likelihood < fit.likelihood + worth:
            return fit
        fit = more
    return fit


def _one_more(switching: Switching, fit: Fit, ons: np.ndarray, tau: float) -> Fit:
    begun, room = [on for on, _ in fit.gates.rows], fit.room

    def gates(on: float, tau: float) -> Gates:
        return Gates(tuple((one, tau) for one in (*begun, on)), True)

    on = _best(ons, lambda v: switching.score(gates(v, tau), room))
    first = _best(_TAUS_S, lambda v: switching.score(gates(on, v), room))
    room = best_room(switching, gates(on, first))
    again = _best(ons, lambda v: switching.score(gates(v, first), room))
    tau = _best(_TAUS_S, lambda v: switching.score(gates(again, v), room))
    return Fit(gates(again, tau), room, switching.score(gates(again, tau), room))


def _climbed(switching: Switching, gates: Gates, room: Room, reach_s: float) -> Gates:
    """Return gates with each on and off moved by a step or none, one gate at a time."""
    for k, (on, length) in enumerate(gates.rows):
        moves = []
        for a, b in itertools.product((-1, 0, 1), repeat=2):
            row = (on + a * reach_s, length + (b - a) * reach_s)
            before, after = gates.rows[k - 1] if k else None, gates.rows[k + 1] if k + 1 < len(gates.rows) else None
            apart = (before is None or row[0] - sum(before) >= _LEAST_GAP_S) and (
                after is None or after[0] - sum(row) >= _LEAST_GAP_S
            )
            if row[1] >= _SHORTEST_S and apart:
                moves.append(Gates((*gates.rows[:k], row, *gates.rows[k + 1 :]), gates.struck))
        gates = max(moves, key=lambda one: switching.score(one, room), default=gates)
    return gates


def _best(values: Iterable[float], score: Callable[[float], float], otherwise: float | None = None) -> float:
    tried = [float(value) for value in values]
    if not tried and otherwise is not None:
        return otherwise
    return max(tried, key=score)


def best_room(switching: Switching, gates: Gates) -> Room:
    room = Room(edge_s=STRUCK_EDGE_S if gates.struck else Room().edge_s)
    rooms = [Room(tau, direct, room.edge_s) for tau, direct in itertools.product(TAU_S, DIRECT)]
    room = max(rooms, key=lambda one: switching.score(gates, one))
    edges = (STRUCK_EDGE_S,) if gates.struck else EDGE_S
    return max((Room(room.tau_s, room.direct, edge) for edge in edges), key=lambda one: switching.score(gates, one))
