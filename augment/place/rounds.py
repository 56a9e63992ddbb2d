"""The pulse of a cycle that comes round so fast that the room never falls silent: its gate and its pitch, found together.

With no silence before the pulse there is little to tell a gate from its gap, and at a pitch that is half a per cent off the gap may be the
likelier one. At the right pitch and the right gate all partials agree, so both are searched over one grid; the covariance of a gate is the same
for every pitch, which makes that cheap. The best places of the grid are then taken further, and the likeliest wins.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from roomtone.augment.place.coherent import Basebands, stretch_of
from roomtone.augment.place.gates import Fit, refined
from roomtone.augment.place.grouping import fundamental
from roomtone.augment.place.spans import SHORT_S
from roomtone.augment.place.spectrum import Partial
from roomtone.augment.place.switching import Gates, Room, Switching
from roomtone.augment.place.timing import Timed, are_harmonics, half_band, snapped

#: Partials asked of those seen; the highest multiple of their fundamental that is asked too if it is there; the most asked in all.
_SEEN, _HIGHEST, _ASKED = 4, 7, 6
#: A multiple is there if it is so many times as strong as what lies half a fundamental beside it.
_CLEAR = 4.0
#: Shares by which the pitch may be off, and places of the grid that are taken further.
_PITCHES = np.linspace(-0.01, 0.01, 21)
_FURTHER = 3
_SHORTEST_S = 0.012
_ROOM = Room(edge_s=0.008)


def time_tone_round(
    bands: Basebands, partials: Sequence[Partial], starts_s: np.ndarray, period_s: float
) -> Timed | None:
    """Return the one pulse of a short cycle; None of a longer one, or where no whole one is recorded, or no pitch is common to its partials.

    Args:
        bands: of the recording.
        partials: strongest first.
        starts_s: of the cycles.
        period_s: after which all comes again.
    """
    strong = snapped(partials[:_SEEN], 0.6 * period_s)
    if period_s > SHORT_S or not are_harmonics(strong):
        return None
    strong = [*strong, *_multiples(bands, strong)][:_ASKED]
    first = _at(bands, strong, starts_s, period_s)
    if first is None:
        return None
    fit, share = _searched(first, _offsets(first, strong, _PITCHES))
    strong = _moved(strong, share)
    second = _at(bands, strong, starts_s, period_s)
    assert second is not None
    fine = 0.1 * _PITCHES
    scores = second.pitch_likelihood(fit.gates, fit.room, _offsets(second, strong, fine)).sum(axis=0)
    fit = refined(second, fit.gates, 2.0 * second.stretch.step_s)
    strong = _moved(strong, float(fine[int(np.argmax(scores))]))
    others = [p for p in partials if all(abs(p.hz - q.hz) > max(0.012 * q.hz, 0.6 / period_s) for q in strong)]
    kept = sorted([*strong, *others], key=lambda p: -p.power)
    return Timed(tuple(on for on, _ in fit.gates.rows), fit.gates.lengths_s(), False, tuple(kept))


def _at(bands: Basebands, partials: Sequence[Partial], starts_s: np.ndarray, period_s: float) -> Switching | None:
    """Return what is asked about one period of some partials."""
    stretch = stretch_of(bands, [p.hz for p in partials], half_band(partials), starts_s, period_s)
    return None if stretch is None else Switching(dataclasses.replace(stretch, before=0.0), period_s)


def _offsets(switching: Switching, partials: Sequence[Partial], shares: np.ndarray) -> np.ndarray:
    hz = np.array([partials[k].hz for k in switching.stretch.columns])
    return np.asarray(hz[:, None] * shares[None, :])


def _moved(partials: Sequence[Partial], share: float) -> list[Partial]:
    return [dataclasses.replace(p, hz=p.hz * (1.0 + share)) for p in partials]


def _multiples(bands: Basebands, partials: Sequence[Partial]) -> list[Partial]:
    """Return the multiples of a pitch that are there and not yet among its partials, strongest first."""
    f0 = fundamental(partials)
    seen = {round(p.hz / f0) for p in partials}
    half_hz = min(0.2 * f0, 100.0)

    def power(hz: float) -> float:
        return float((np.abs(bands.at(hz, half_hz)) ** 2).mean())

    found = []
    top = int(0.45 * bands.sample_rate_hz / f0 - 0.5)
    for n in sorted(set(range(1, min(_HIGHEST, top) + 1)) - seen):
        own, beside = power(n * f0), max(power((n - 0.5) * f0), power((n + 0.5) * f0))
        if own > _CLEAR * beside:
            found.append(Partial(n * f0, 2.0 * own, float(10.0 * np.log10(own / beside))))
    return sorted(found, key=lambda p: -p.power)


def _searched(switching: Switching, offsets_hz: np.ndarray) -> tuple[Fit, float]:
    """Return the likeliest gate, and by which of `_PITCHES` the pitch is off."""
    period_s = switching.period_s
    coarse = max(2.0 * switching.stretch.step_s, period_s / 25.0)
    grid = [
        (float(on), float(length))
        for on in np.arange(0.0, period_s, coarse)
        for length in np.arange(_SHORTEST_S, 0.97 * period_s, coarse)
    ]
    z, times = switching.stretch.z, switching.times_s
    turned = z[:, :, None] * np.exp(-2j * np.pi * times[:, None, None] * offsets_hz[None])
    scores = np.array([_scores(switching, Gates((row,)), turned) for row in grid])
    found = []
    for pitch in np.argsort(-scores.max(axis=0))[:_FURTHER]:
        one = Switching(dataclasses.replace(switching.stretch, z=turned[:, :, pitch]), period_s)
        best = grid[int(np.argmax(scores[:, pitch]))]
        found.append((refined(one, Gates((best,)), coarse), float(_PITCHES[pitch])))
    return max(found, key=lambda pair: pair[0].likelihood)


def _scores(switching: Switching, gates: Gates, turned: np.ndarray) -> np.ndarray:
    """Return the log-likelihood of a gate at each pitch [shape=(tries,)].

    Args:
        switching: of the stretch.
        gates: one gate.
        turned: the stretch at each pitch [shape=(samples, columns, tries)].
    """
    from scipy.linalg import solve_triangular

    root = np.linalg.cholesky(switching.covariance(gates, _ROOM))
    size, columns, tries = turned.shape
    white = solve_triangular(root, turned.reshape(size, -1), lower=True, check_finite=False)
    power = (np.abs(white) ** 2).sum(axis=0).reshape(columns, tries) / size
    return np.asarray(-size * np.log(power).sum(axis=0) - 2.0 * columns * np.log(np.diag(root)).sum())
