"""The label is the truth: how far a measured value may lie from its label.

A measurement has three answers. A label is *held*, or it is *missed*, or it *cannot be told* from this signal (too short, too noisy,
too reverberant): then the measured value is null, its reason is recorded, and nothing is claimed. Only a missed label is a fault,
and it is a fault of one sample.

All measures are taken from finished signals, by other code than the code that set them: SNRs from the stems as they were summed,
levels from the samples of the file, delays from responses, from probes and from the file, room figures from the response that was used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from roomtone.core.errors import RoomtoneError

#: How far a measured value may lie from its label: (measured column, asked column, tolerance, unit).
TOLERANCES: tuple[tuple[str, str, float, str], ...] = (
    ("measured_codec", "asked_codec", 0.0, ""),
    ("measured_codec_rate_hz", "asked_codec_rate_hz", 0.0, "Hz"),
    ("delay_samples", "asked_delay_samples", 0.0, "samples"),
    ("measured_delay_samples", "asked_delay_samples", 0.0, "samples"),
    ("measured_snr_db", "snr_db", 0.1, "dB"),
    ("measured_equipment_snr_db", "equipment_snr_db", 0.2, "dB"),
    ("active_level_dbov", "level_dbov", 0.1, "dB"),
)
#: The active level of a file: what a gain has to reach.
LEVEL_TOLERANCE_DB = TOLERANCES[-1][2]
#: T30 of the response that was used, against the bank's record of it: relative.
T30_TOLERANCE = 0.05


@dataclass(frozen=True)
class MissedLabel:
    """A label that a render missed.

    Attributes:
        label: name of the asked column.
        asked, measured: both figures.
        tolerance: how far apart they may lie, with its unit.
    """

    label: str
    asked: Any
    measured: Any
    tolerance: str
    unit: str = ""

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.label} asked {self.asked}{unit}, got {_shown(self.measured)} (tolerance {self.tolerance})"


class LabelError(RoomtoneError):
    """A render missed a label; it is not written.

    Attributes:
        missed: every label that was missed.
    """

    def __init__(self, message: str, missed: tuple[MissedLabel, ...] = ()) -> None:
        super().__init__(message)
        self.missed = missed

    def __reduce__(self) -> tuple[type[LabelError], tuple[str, tuple[MissedLabel, ...]]]:
        return LabelError, (str(self), self.missed)


class UnmetLevelError(RoomtoneError):
    """A level that cannot be met, such as an SNR on silence; found before anything is rendered."""


def missed_labels(
    asked: Mapping[str, Any], measured: Mapping[str, Any], reasons: Mapping[str, str]
) -> tuple[MissedLabel, ...]:
    """Return the labels that a render missed.

    Args:
        asked, measured: by the column names of `TOLERANCES`; absent or None on both sides is no label.
        reasons: why a measured column is null where that cannot be told; such a column misses nothing.
    """
    missed = []
    for got_key, asked_key, tolerance, unit in TOLERANCES:
        want, got = asked.get(asked_key), measured.get(got_key)
        if got is None and (want is None or got_key in reasons):
            continue
        if want is None or got is None or not _within(want, got, tolerance):
            missed.append(MissedLabel(asked_key, want, got, f"{tolerance} {unit}".strip(), unit))
    want, got = asked.get("t30_s"), measured.get("measured_t30_s")
    untold = got is None and "measured_t30_s" in reasons
    if want is not None and not untold and (got is None or not abs(got - want) <= T30_TOLERANCE * want):
        missed.append(MissedLabel("t30_s", want, got, f"{T30_TOLERANCE:.0%}", "s"))
    return tuple(missed)


def check_labels(
    sample: str, asked: Mapping[str, Any], measured: Mapping[str, Any], reasons: Mapping[str, str] | None = None
) -> None:
    """Raise where a measured value misses its label.

    Args:
        sample: names the sample in the message.
        asked, measured, reasons: see `missed_labels`.

    Raises:
        LabelError: names the sample and, for each label that was missed, asked, got and the tolerance.
    """
    missed = missed_labels(asked, measured, reasons or {})
    if missed:
        raise LabelError(f"{sample}: {'; '.join(map(str, missed))}", missed)


def _within(want: Any, got: Any, tolerance: float) -> bool:
    if isinstance(want, str) or isinstance(got, str):
        return bool(want == got)
    return bool(abs(got - want) <= tolerance + 1e-9)


def _shown(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
