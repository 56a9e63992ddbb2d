"""The label is the truth: how far a measured value may lie from its label.

All measures are taken from finished signals, by other code than the code that set them: SNRs from the stems as they were summed,
levels and delays from the 16-bit output itself, room figures from the impulse response that was used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
