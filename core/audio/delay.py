"""Delay of one signal against another, in samples, where the two can tell it.

The reference is what the output should be but for its delay: the same signal behind the linear part of a handset, say. A
cross-correlation gives the candidates. Which of them is right is decided block by block, each of 5 ms with a gain of its own,
so that an automatic gain, a lost packet or a loud consonant cannot outvote the rest: a delay is measured if the blocks
prefer it to every other candidate beyond chance (Wilcoxon's signed-rank test). Otherwise it cannot be told, and the reason says
how far the evidence went.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from roomtone.core.audio.types import Samples

#: Where so much of an output is its reference without delay, none needs to be looked for: moved by one sample, anything with a mean
#: frequency above a 2000th of the rate (8 Hz at 16 kHz) explains less of itself, since the share lost is about (2 pi f / rate)^2.
IN_TIME = 1.0 - 1e-5
#: Largest delay that is looked for, either way.
_REACH = 2048
#: Samples that are looked at: the loudest contiguous ones of a long reference.
_WINDOW = 32768
_HOP = 4096
_BLOCK_S = 0.005
#: Blocks this far below the loudest one hold what the two signals do not share.
_QUIET_DB = 25.0
#: Correlation peaks that are candidates, with their neighbours.
_PEAKS = 6
#: Standard scores by which a delay must be preferred to each other candidate: by chance it happens once in some million tests.
NEEDED_SCORE = 5.0


class Lag(NamedTuple):
    """By how many samples an output lags its reference.

    Attributes:
        samples: the delay; None where it cannot be told.
        reason: why it cannot.
        best: the delay that explains the output best, also where it does not stand out.
        rivals: the delays from which it does not.
    """

    samples: int | None
    reason: str | None = None
    best: int | None = None
    rivals: tuple[int, ...] = ()


def measured_lag(reference: Samples, output: Samples, sample_rate_hz: int, *, whole: bool = False) -> Lag:
    """Return by how many samples `output` lags `reference`, between +-2048.

    Args:
        reference: what the output should be but for delay, gain and noise, float [shape=(samples,)].
        output: as long.
        sample_rate_hz: of both, in Hz.
        whole: whether all of a long signal is looked at, and not only its loudest part.
    """
    if not whole:
        reference, output = _loudest_window(reference, output)
    size = max(round(_BLOCK_S * sample_rate_hz), 16)
    energies = (reference[: reference.size // size * size].reshape(-1, size).astype(np.float64) ** 2).sum(axis=1)
    if not energies.any() or not output.any():
        return Lag(None, "the delay cannot be told from silence")
    loud = energies >= energies.max() * 10.0 ** (-_QUIET_DB / 10.0)
    agreement = {
        lag: _agreement(reference, output, lag, size, energies)[loud] for lag in _candidates(reference, output)
    }
    best = max(agreement, key=lambda lag: float(np.nansum(agreement[lag])))
    scores = {lag: _score(agreement[best] - agreement[lag]) for lag in agreement if lag != best}
    rival = min(scores, key=lambda lag: scores[lag])
    if scores[rival] >= NEEDED_SCORE:
        return Lag(best, best=best)
    return Lag(
        None,
        f"a delay of {best} samples does not stand out from one of {rival}: score {scores[rival]:.1f} on {int(loud.sum())} blocks "
        f"of {1000 * _BLOCK_S:g} ms ({NEEDED_SCORE:g} needed)",
        best,
        tuple(lag for lag, score in scores.items() if score < NEEDED_SCORE),
    )


def _loudest_window(reference: Samples, output: Samples) -> tuple[Samples, Samples]:
    """Return the part of both signals in which the reference is loudest, as float32."""
    start = 0
    if reference.size > _WINDOW:
        hops = (reference[: reference.size // _HOP * _HOP].reshape(-1, _HOP).astype(np.float64) ** 2).sum(axis=1)
        sums = np.convolve(hops, np.ones(_WINDOW // _HOP), mode="valid")
        start = int(np.argmax(sums)) * _HOP
    window = slice(start, start + _WINDOW)
    return reference[window].astype(np.float32, copy=False), output[window].astype(np.float32, copy=False)


def _candidates(reference: Samples, output: Samples) -> list[int]:
    """Return the delays to choose from: the highest peaks of the correlation with their neighbours, and none at all."""
    from scipy import fft

    reach = min(_REACH, reference.size // 2)
    size = fft.next_fast_len(reference.size + reach + 1, real=True)
    cross = np.conj(fft.rfft(reference, size)) * fft.rfft(output, size)
    heights = np.abs(fft.irfft(cross, size)[np.arange(-reach, reach + 1)])
    inner = heights[1:-1]
    peaks = np.flatnonzero((inner >= heights[:-2]) & (inner > heights[2:])) + 1 - reach
    highest = peaks[np.argsort(-heights[peaks + reach], kind="stable")[:_PEAKS]]
    return sorted({int(lag) + step for lag in (0, *highest) for step in (-1, 0, 1)})


def _agreement(reference: Samples, output: Samples, lag: int, size: int, energies: np.ndarray) -> np.ndarray:
    """Return for each block which share of the output's energy the reference explains at a delay, float64 [shape=(blocks,)].

    NaN for blocks that lie outside the output.
    """
    from roomtone.core.audio._kernels import block_products

    cross, powers = block_products(reference, output, lag, size)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = cross**2 / (energies * powers)
    return np.where(powers > 0.0, share, np.where(np.isnan(powers), np.nan, 0.0))


def _score(differences: np.ndarray) -> float:
    """Return the standard score of Wilcoxon's signed-rank test that differences are positive; 0 where there are too few."""
    kept = differences[np.isfinite(differences) & (differences != 0.0)]
    count = kept.size
    if count < 5:
        return 0.0
    ranks = np.empty(count)
    ranks[np.argsort(np.abs(kept), kind="stable")] = np.arange(1, count + 1)
    return float((ranks[kept > 0.0].sum() - count * (count + 1) / 4.0) / _deviation(count))


@functools.lru_cache(maxsize=1024)
def _deviation(count: int) -> float:
    return math.sqrt(count * (count + 1) * (2 * count + 1) / 24.0)
