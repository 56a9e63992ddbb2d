"""The label is the truth: what is measured on a render, how far it may miss, and what happens when it does.

All measures are taken from finished signals, by other code than the code that set them: SNRs from the stems as they were summed,
levels and delays from the 16-bit output itself, room figures from the impulse response that was used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
    wide = samples.astype(np.float64)
    power = float((wide * wide).sum()) / max(wide.size, 1)
    return 10.0 * float(np.log10(power)) if power > 0.0 else -np.inf


def stem_gains(output: Samples, stems: Sequence[Samples]) -> list[float]:
    """Return with which gain each stem stands in `output`, by joint least squares.

    The stems must have passed the linear part of the chain; what is left over (codec noise, clipping) is uncorrelated with them.
    A stem without energy has gain NaN.
    """
    # sums of products, not BLAS: its bits change with the number of threads
    columns = [stem.astype(np.float64) for stem in stems]
    norms = [float(np.sqrt((column * column).sum())) for column in columns]
    loudest = max(norms, default=0.0)
    kept = [i for i, norm in enumerate(norms) if norm > 1e-5 * loudest]
    gains = [float("nan")] * len(stems)
    if not kept:
        return gains
    unit = [columns[i] / norms[i] for i in kept]
    target = output.astype(np.float64)
    gram = np.array([[float((a * b).sum()) for b in unit] for a in unit])
    moment = np.array([float((a * target).sum()) for a in unit])
    for i, value in zip(kept, np.linalg.solve(gram, moment), strict=True):
        gains[i] = float(value) / norms[i]
    return gains


#: Blocks that the delay is measured on; lags up to half a block can be seen.
_BLOCK = 4096
_MAX_BLOCKS = 12


def measured_delay(reference: Samples, output: Samples, *, whiten: bool = False) -> int:
    """Return by how many samples `output` lags `reference`, found between +-2048 samples.

    The peak of the cross-correlation, summed over the loudest blocks. That is right where the two have the same spectrum, as a stem
    behind a handset's linear part has. A room changes the spectrum: with `whiten` the peak is taken of the estimated impulse
    response instead (the cross-spectrum over the geometric mean of both power spectra), which neither reflections nor a low-pitched voice blur.
    """
    from scipy import fft

    size = min(_BLOCK, 1 << max(int(reference.size).bit_length() - 1, 4))
    window = np.hanning(size).astype(np.float32)
    places = np.array(_loudest_blocks(reference, size))[:, None] + np.arange(size)
    # all blocks in one call: transforms side by side are several times as fast as one after another
    spectra, heard = (fft.rfft(signal[places] * window, 2 * size, axis=1) for signal in (reference, output))
    cross = (np.conj(spectra) * heard).sum(axis=0, dtype=np.complex128)
    if whiten:
        powers = np.stack([(np.abs(side) ** 2).sum(axis=0, dtype=np.float64) for side in (spectra, heard)])
        floor = 1e-4 * powers.max(axis=1, keepdims=True) + 1e-20
        cross /= np.sqrt((powers + floor).prod(axis=0))
    lag = int(np.argmax(np.abs(fft.irfft(cross, 2 * size))))
    return lag if lag < size else lag - 2 * size


def _loudest_blocks(samples: Samples, size: int) -> list[int]:
    """Return the starts of the loudest half-overlapping blocks, in the order of time."""
    hop = max(size // 2, 1)
    starts = range(0, max(samples.size - size, 0) + 1, hop)
    whole = samples.size // hop * hop
    halves = (samples[:whole].reshape(-1, hop).astype(np.float64) ** 2).sum(axis=1).tolist()
    halves.append(float((samples[whole:].astype(np.float64) ** 2).sum()))
    energies = [sum(halves[i : i + 2]) for i in range(len(starts))]
    loudest = np.argsort(energies, kind="stable")[::-1][:_MAX_BLOCKS]
    return sorted(starts[int(i)] for i in loudest)
