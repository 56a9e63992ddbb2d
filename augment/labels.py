"""The label is the truth: what is measured on a render, how far it may miss, and what happens when it does.

All measures are taken from finished signals, by other code than the code that set them: SNRs from the stems as they were summed,
levels and delays from the 16-bit output itself, room figures from the impulse response that was used.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from roomtone.augment.ops.table import Samples
from roomtone.coverage.errors import RoomtoneError

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
    from roomtone.augment.ops._kernels import dot

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
    from roomtone.augment.ops._kernels import dot

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


#: Where so much of an output is its reference at lag 0, no lag needs to be looked for: moved by one sample, anything with a mean
#: frequency above a 2000th of the rate (8 Hz at 16 kHz) explains less of itself, since the share lost is about (2 pi f / rate)^2.
IN_TIME = 1.0 - 1e-5


#: Blocks that the delay is measured on; lags up to half a block can be seen.
_BLOCK = 4096
_MAX_BLOCKS = 12


class Blocks(NamedTuple):
    """The loudest blocks of a reference: where they lie [shape=(blocks, samples)], and their spectra [shape=(blocks, bins)]."""

    places: np.ndarray
    spectra: np.ndarray


def loudest_blocks(reference: Samples, most: int = _MAX_BLOCKS) -> Blocks:
    """Return the blocks of a reference on which delays are measured, so many at most."""
    size = min(_BLOCK, 1 << max(int(reference.size).bit_length() - 1, 4))
    places = np.array(_loudest_starts(reference, size, most))[:, None] + np.arange(size)
    return Blocks(places, _spectra(reference, places))


def _spectra(signal: Samples, places: np.ndarray) -> np.ndarray:
    from scipy import fft

    size = places.shape[1]
    # all blocks in one call: transforms side by side are several times as fast as one after another
    spectra: np.ndarray = fft.rfft(signal[places] * _hann(size), 2 * size, axis=1)
    return spectra


def measured_delay(reference: Samples | Blocks, output: Samples, *, whiten: bool = False) -> int:
    """Return by how many samples `output` lags `reference`, found between +-2048 samples.

    The peak of the cross-correlation, summed over the loudest blocks. That is right where the two have the same spectrum, as a stem
    behind a handset's linear part has. A room changes the spectrum: with `whiten` the peak is taken of the estimated impulse
    response instead (the cross-spectrum over the geometric mean of both power spectra), which neither reflections nor a low-pitched voice blur.
    """
    from scipy import fft

    places, spectra = reference if isinstance(reference, Blocks) else loudest_blocks(reference)
    heard, size = _spectra(output, places), places.shape[1]
    cross = (np.conj(spectra) * heard).sum(axis=0, dtype=np.complex128)
    if whiten:
        powers = np.stack([(np.abs(side) ** 2).sum(axis=0, dtype=np.float64) for side in (spectra, heard)])
        floor = 1e-4 * powers.max(axis=1, keepdims=True) + 1e-20
        cross /= np.sqrt((powers + floor).prod(axis=0))
    lag = int(np.argmax(np.abs(fft.irfft(cross, 2 * size))))
    return lag if lag < size else lag - 2 * size


@functools.lru_cache(maxsize=8)
def _hann(size: int) -> np.ndarray:
    return np.hanning(size).astype(np.float32)


def _loudest_starts(samples: Samples, size: int, most: int) -> list[int]:
    """Return the starts of the loudest half-overlapping blocks, in the order of time."""
    hop = max(size // 2, 1)
    starts = range(0, max(samples.size - size, 0) + 1, hop)
    whole = samples.size // hop * hop
    halves = (samples[:whole].reshape(-1, hop).astype(np.float64) ** 2).sum(axis=1).tolist()
    halves.append(float((samples[whole:].astype(np.float64) ** 2).sum()))
    energies = [sum(halves[i : i + 2]) for i in range(len(starts))]
    loudest = np.argsort(energies, kind="stable")[::-1][:most]
    return sorted(starts[int(i)] for i in loudest)
