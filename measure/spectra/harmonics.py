"""Which partials are harmonics of one fundamental, and which stand alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roomtone.measure.spectra.spectrogram import Partial

#: Partials this near to a multiple count as harmonics: a share of the frequency, or a few Hz for the lowest.
TOLERANCE = 0.006
#: The highest harmonic number considered.
HIGHEST = 40
#: Score by which a lower fundamental must be better to be preferred to a higher one.
_WORTH = 0.05
#: Penalty for the share of harmonic numbers, up to the highest one used, at which there is no partial.
_HOLES = 0.12
#: With more of them empty, and the first one too, a few partials fit by chance: the modes of a plate, the two tones of a telephone.
_MOST_EMPTY = 0.6


def fundamental(partials: Sequence[Partial], *, lowest_hz: float = 35.0, tolerance_hz: float = 1.0) -> float:
    """Return the fundamental that explains a set of partials best, in Hz.

    The candidates are the partials and their integer fractions. The score of a candidate is the share of the amplitude on its
    multiples less a penalty for empty ones; among nearly equal scores the highest candidate wins. Where no candidate explains more
    than the strongest partial alone (two tones of a telephone, modes of a plate), that partial is returned.

    Args:
        partials: at least one.
        lowest_hz: no fundamental below this is considered.
        tolerance_hz: how far a partial may be off a multiple, if that is more than 0.6 % of its frequency.

    >>> round(fundamental([Partial(200.0, 1.0, 20.0), Partial(300.0, 0.8, 20.0), Partial(400.0, 0.5, 20.0)]), 1)
    100.0
    """
    strong = [p for p in partials if p.power > 0.003 * max(q.power for q in partials)]
    hz, power = np.array([p.hz for p in strong]), np.array([p.power for p in strong])
    power = np.sqrt(power)  # amplitudes: the third harmonic counts beside a strong first
    power = power / power.sum()
    best_hz, best_score = strong[int(np.argmax(power))].hz, -np.inf
    candidates = sorted({f / k for f in hz for k in range(1, 9) if f / k >= lowest_hz}, reverse=True)
    scored = [(f, *_score(f, hz, power, tolerance_hz)) for f in candidates]
    scored = [(f, s, u) for f, s, u in scored if s > 0]
    if not scored:
        return best_hz
    best_score = max(s for _, s, _ in scored)
    chosen, score, used = next((f, s, u) for f, s, u in scored if s >= best_score - _WORTH)
    if used < 2 and score <= float(power.max()):
        return best_hz
    return refine(chosen, hz, power, tolerance_hz)


def harmonic_numbers(hz: np.ndarray, f0: float, tolerance_hz: float) -> np.ndarray:
    """Return the harmonic number of each partial, 0 where it is none [shape=(partials,)].

    Args:
        hz: frequencies of the partials [shape=(partials,)].
        f0: the fundamental in Hz.
        tolerance_hz: as of `fundamental`.
    """
    number = np.maximum(np.round(hz / f0), 1.0)
    off = np.abs(hz - number * f0)
    inside = (off <= np.maximum(TOLERANCE * hz, tolerance_hz)) & (off < 0.2 * f0) & (number <= HIGHEST)
    return np.where(inside, number, 0.0)


def refine(f0: float, hz: np.ndarray, weight: np.ndarray, tolerance_hz: float) -> float:
    """Return the fundamental in Hz that fits all its harmonics best: weighted least squares on frequencies.

    Args:
        f0: a first estimate.
        hz, weight: of the partials [shape=(partials,)].
        tolerance_hz: as of `fundamental`.
    """
    for _ in range(3):
        number = harmonic_numbers(hz, f0, tolerance_hz)
        if not number.any():
            return f0
        f0 = float((weight * number * hz).sum() / (weight * number**2).sum())
    return f0


def _score(f0: float, hz: np.ndarray, amplitude: np.ndarray, tolerance_hz: float) -> tuple[float, int]:
    f0 = refine(f0, hz, amplitude, tolerance_hz)
    number = harmonic_numbers(hz, f0, tolerance_hz)
    used = np.unique(number[number > 0])
    if not used.size:
        return -1.0, 0
    strong = number[(number > 0) & (amplitude > 0.1 * amplitude.max())]
    reach = float(strong.max()) if strong.size else float(used.max())
    held = np.unique(strong).size
    holes = 1.0 - held / reach
    if holes > _MOST_EMPTY and used.min() > 1:
        return -1.0, 0
    # without any low harmonic there is no pitch: 440 + 480 Hz is not the 11th and 12th of 40 Hz
    bare = max(0.0, float(used.min()) - 6.0) * 0.2
    return float(amplitude[number > 0].sum()) - _HOLES * holes - bare - (
        0.6 if holes > 0.75 and used.min() > 1 else 0.0
    ), used.size
