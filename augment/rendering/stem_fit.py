"""Least-squares gains of the stems in a rendered file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roomtone.core.audio.types import Samples


def rms_db(samples: Samples) -> float:
    """Return the RMS level of float samples [shape=(samples,)] in dBov; silence is -inf."""
    from roomtone.core.audio._kernels import dot

    power = dot(samples, samples) / max(samples.size, 1)
    return 10.0 * math.log10(power) if power > 0.0 else -math.inf


@dataclass(frozen=True)
class StemFit:
    """The stems in an output.

    Attributes:
        gains: of each stem, by joint least squares; NaN for a stem without energy.
        together: share of the output's power that the plain sum of the stems, at one gain and without any delay, explains.
    """

    gains: tuple[float, ...]
    together: float


def fit_stems(output: Samples, stems: Sequence[Samples]) -> StemFit:
    """Return the gains of stems in an output, by least squares.

    Args:
        output: float, or int16 as it is (the gains are then in its units) [shape=(samples,)].
        stems: each after the linear part of the chain [shape=(samples,)]; the residual (codec noise, clipping) is taken to be
            uncorrelated with them.
    """
    from roomtone.core.audio._kernels import dot

    order = range(len(stems))
    products = {(i, j): dot(stems[i], stems[j]) for i in order for j in order if i <= j}
    moments = [dot(stem, output) for stem in stems]
    norms = [math.sqrt(products[i, i]) for i in order]
    kept = [i for i in order if norms[i] > 1e-5 * max(norms)]
    gains = [math.nan for _ in order]
    if len(kept) == 1:
        gains[kept[0]] = moments[kept[0]] / products[kept[0], kept[0]]
    elif kept:
        unit = [[products[min(i, j), max(i, j)] / (norms[i] * norms[j]) for j in kept] for i in kept]
        for i, gain in zip(kept, np.linalg.solve(unit, [moments[i] / norms[i] for i in kept]).tolist(), strict=True):
            gains[i] = gain / norms[i]
    power = sum(value if i == j else 2.0 * value for (i, j), value in products.items()) * dot(output, output)
    return StemFit(tuple(gains), sum(moments) ** 2 / power if power > 0.0 else 0.0)
