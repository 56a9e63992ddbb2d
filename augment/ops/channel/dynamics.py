"""Level control of a handset: automatic gain, limiter, clipping. None of them delays.

Levels are in dBov: for `agc` the short-time RMS, for `limiter` and `clip` the peak, of which 0 dBov is full scale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from roomtone.augment.ops.table import Drawn, Processor, number
from roomtone.core.audio.resampling import fit_length, resample
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError
from roomtone.core.settings import Bounds

_AVERAGING_S = 0.02
#: Of the waveform that a converter clips; harmonics above the ninth of the highest frequency are weak.
_OVERSAMPLING = 8
# The gate must close before the level has fallen far, or the gain would rise in every pause.
_GATE_AVERAGING_S = 0.005


def _per_sample(time_constant_s: float, sample_rate_hz: int) -> float:
    """Return the one-pole coefficient that covers 63 % of a step within the time constant."""
    return 1.0 - math.exp(-1.0 / (time_constant_s * sample_rate_hz))


def _check_positive(op: str, **values: Any) -> None:
    for name, value in values.items():
        if not np.min(value) > 0.0:
            raise RoomtoneError(f"{op}: {name} must be above 0, got {value}")


@dataclass(frozen=True)
class Agc(Processor):
    """Automatic gain control: feed-forward, the gain follows the one that brings the level to its target.

    Attributes:
        target_dbov: short-time RMS level that the gain aims at.
        max_gain_db, max_cut_db: how far the gain may go up and down from 0 dB.
        attack_s, release_s: time constants of a falling and of a rising gain.
        gate_dbov: below this level the gain is held, so that noise in pauses is not raised.
    """

    op: ClassVar[str] = "agc"
    limits: ClassVar[Mapping[str, Bounds]] = {
        "target_dbov": Bounds(-90.0, 0.0, "full scale is 0 dBov"),
        "max_gain_db": Bounds(0.0, 60.0),
        "max_cut_db": Bounds(0.0, 60.0),
        "attack_s": Bounds(1e-4, 60.0, "in seconds"),
        "release_s": Bounds(1e-4, 60.0, "in seconds"),
        "gate_dbov": Bounds(-120.0, 0.0, "full scale is 0 dBov"),
    }
    target_dbov: Drawn = -20.0
    max_gain_db: Drawn = 12.0
    max_cut_db: Drawn = 12.0
    attack_s: Drawn = 0.02
    release_s: Drawn = 0.5
    gate_dbov: Drawn = -50.0

    def __post_init__(self) -> None:
        _check_positive(self.op, attack_s=self.attack_s, release_s=self.release_s)
        if np.min(self.max_gain_db) < 0.0 or np.min(self.max_cut_db) < 0.0:
            raise RoomtoneError("agc: max_gain_db and max_cut_db are sizes and cannot be negative")

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        from roomtone.core.audio._kernels import automatic_gain

        gained: Samples = automatic_gain(
            samples,
            number(self.target_dbov),
            number(self.max_gain_db),
            number(self.max_cut_db),
            number(self.gate_dbov),
            _per_sample(_AVERAGING_S, sample_rate_hz),
            _per_sample(_GATE_AVERAGING_S, sample_rate_hz),
            _per_sample(number(self.attack_s), sample_rate_hz),
            _per_sample(number(self.release_s), sample_rate_hz),
        )
        return gained


@dataclass(frozen=True)
class Limiter(Processor):
    """Peak limiter: immediate attack, slow release; no output sample lies above its threshold.

    Attributes:
        threshold_dbov: highest peak of the output.
        release_s: time constant with which the gain returns to 0 dB.
    """

    op: ClassVar[str] = "limiter"
    limits: ClassVar[Mapping[str, Bounds]] = {
        "threshold_dbov": Bounds(-60.0, 0.0, "full scale is 0 dBov"),
        "release_s": Bounds(1e-4, 60.0, "in seconds"),
    }
    threshold_dbov: Drawn = -3.0
    release_s: Drawn = 0.1

    def __post_init__(self) -> None:
        _check_positive(self.op, release_s=self.release_s)

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        from roomtone.core.audio._kernels import peak_limit

        ceiling = 10.0 ** (number(self.threshold_dbov) / 20.0)
        limited: Samples = peak_limit(samples, ceiling, math.exp(-1.0 / (number(self.release_s) * sample_rate_hz)))
        return limited


@dataclass(frozen=True)
class Clipping(Processor):
    """Clipping, of a converter (hard) or of an amplifier (soft).

    Attributes:
        level_dbov: peak that is never exceeded.
        kind: `hard` cuts the samples; `soft` is a hyperbolic tangent, of gain 1 for small signals; `converter` cuts the waveform between
            the samples too, as a converter that oversamples does: what it cuts does not fold back, its filter then rings above the level,
            and its words end at full scale.
    """

    op: ClassVar[str] = "clip"
    limits: ClassVar[Mapping[str, Bounds]] = {"level_dbov": Bounds(-60.0, 0.0, "full scale is 0 dBov")}
    level_dbov: Drawn = 0.0
    kind: Literal["hard", "soft", "converter"] = "hard"

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        return self.apply_measured(samples, sample_rate_hz)[0]

    def apply_measured(self, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
        """Return the clipped samples and `clipped_share`, the share of samples that came in above the level."""
        peak = np.float32(10.0 ** (number(self.level_dbov) / 20.0))
        if self.kind == "converter":
            fine_hz = _OVERSAMPLING * sample_rate_hz
            wave = resample(samples, sample_rate_hz, fine_hz, quality="HQ")
            share = float(np.count_nonzero(np.abs(wave) > peak)) / max(wave.size, 1)
            if not share:  # most files: no filter touches them
                return samples.astype(np.float32), {"clipped_share": 0.0}
            cut = resample(np.clip(wave, -peak, peak), fine_hz, sample_rate_hz, quality="HQ")
            words = np.clip(fit_length(cut, samples.size), -1.0, 1.0)
            return words.astype(np.float32), {"clipped_share": share}
        share = float(np.count_nonzero(np.abs(samples) > peak)) / max(samples.size, 1)
        clipped = np.clip(samples, -peak, peak) if self.kind == "hard" else peak * np.tanh(samples / peak)
        return clipped.astype(np.float32), {"clipped_share": share}
