"""The label is the truth: what is measured on a render, how far it may miss, and what happens when it does.

All measures are taken from finished signals, by other code than the code that set them: SNRs from the stems as they were summed,
levels and delays from the 16-bit output itself, room figures from the impulse response that was used.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: How far a measured value may lie from its label: (measured column, asked column, tolerance, unit).
TOLERANCES: tuple[tuple[str, str, float, str], ...] = (
    ("measured_codec", "asked_codec", 0.0, ""),
    ("measured_codec_rate_hz", "asked_codec_rate_hz", 0.0, "Hz"),
    ("delay_samples", "asked_delay_samples", 0.0, "samples"),
    ("measured_snr_db", "snr_db", 0.1, "dB"),
    ("measured_equipment_snr_db", "equipment_snr_db", 0.2, "dB"),
    ("active_level_dbov", "level_dbov", 0.1, "dB"),
)
#: T30 of the response that was used, against the bank's record of it: relative.
T30_TOLERANCE = 0.05


class LabelError(RoomtoneError):
    """A render missed its label; it is not written."""


class UnmetLevelError(RoomtoneError):
    """A level that cannot be met, such as an SNR on silence; found before anything is rendered."""


def check_labels(sample: str, asked: Mapping[str, Any], measured: Mapping[str, Any]) -> None:
    """Raise where a measured value misses its label.

    Args:
        sample: names the sample in the message.
        asked, measured: by the column names of `TOLERANCES`; absent or None on both sides is no label.

    Raises:
        LabelError: names sample, label, asked and got.
    """
    for got_key, asked_key, tolerance, unit in TOLERANCES:
        want, got = asked.get(asked_key), measured.get(got_key)
        if want is None and got is None:
            continue
        if want is None or got is None or not _within(want, got, tolerance):
            raise LabelError(
                f"{sample}: {asked_key} asked {want} {unit}, got {_shown(got)} (tolerance {tolerance} {unit})"
            )
    want, got = asked.get("t30_s"), measured.get("measured_t30_s")
    if want is not None and (got is None or not abs(got - want) <= T30_TOLERANCE * want):
        raise LabelError(f"{sample}: t30_s asked {want} s, got {_shown(got)} s (tolerance {T30_TOLERANCE:.0%})")


def _within(want: Any, got: Any, tolerance: float) -> bool:
    if isinstance(want, str) or isinstance(got, str):
        return bool(want == got)
    return bool(abs(got - want) <= tolerance + 1e-9)


def _shown(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def rms_db(samples: Samples) -> float:
    """Return the RMS level in dB re full scale (dBov); silence is -inf."""
    from roomtone.core.audio._kernels import dot

    power = dot(samples, samples) / max(samples.size, 1)
    return 10.0 * math.log10(power) if power > 0.0 else -math.inf


@dataclass(frozen=True)
class StemFit:
    """How stems stand in an output.

    Attributes:
        gains: of each stem, by joint least squares; NaN for a stem without energy.
        together: share of the output's power that the plain sum of the stems, at one gain and without any delay, explains.
    """

    gains: tuple[float, ...]
    together: float


def fit_stems(output: Samples, stems: Sequence[Samples]) -> StemFit:
    """Return how the stems stand in `output` (float, or int16 as it is: the gains are then in its units).

    The stems must have passed the linear part of the chain; what is left over (codec noise, clipping) is uncorrelated with them.
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
