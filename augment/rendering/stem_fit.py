"""The RMS level of a signal, and the least-squares gains of signals in a rendered file."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from roomtone.core.audio.types import Samples


def rms_db(samples: Samples) -> float:
    """Return the RMS level of float samples [shape=(samples,)] in dBov; silence is -inf, as an SNR needs it.

    `rms_level_dbov` gives the same with -100 for silence, as a table needs it.
    """
    from roomtone.core.audio._kernels import dot

    power = dot(samples, samples) / max(samples.size, 1)
    return 10.0 * math.log10(power) if power > 0.0 else -math.inf


def fit_stems(output: np.ndarray, stems: Sequence[Samples]) -> tuple[float, ...]:
    """Return the gain of each stem in an output, by joint least squares; NaN for a stem without energy.

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
    return tuple(gains)


def explained_share(output: np.ndarray, signal: Samples) -> float:
    """Return the share of an output's energy that a signal explains at the best gain and without any delay, 0 to 1.

    Args:
        output: float or int16 [shape=(samples,)].
        signal: float32 [shape=(samples,)].
    """
    from roomtone.core.audio._kernels import dot

    energy = dot(signal, signal) * dot(output, output)
    return dot(signal, output) ** 2 / energy if energy > 0.0 else 0.0


def gain_of(output: np.ndarray, signal: Samples) -> float:
    """Return the least-squares gain of `signal` in `output`, in the units of the output; 0 for silence.

    Args:
        output: float, or int16 as it is [shape=(samples,)].
        signal: float32 [shape=(samples,)].
    """
    from roomtone.core.audio._kernels import dot

    power = dot(signal, signal)
    return dot(signal, output) / power if power > 0.0 else 0.0
