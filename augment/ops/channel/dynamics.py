"""What a handset does to the level of its own signal: automatic gain, limiter, clipping. No stage delays.

Levels are in dBov: for `agc` the short-time RMS, for `limiter` and `clip` the peak, of which 0 dBov is full scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from roomtone.augment.ops.table import Drawn, Processor
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

_AVERAGING_S = 0.02
# The gate must be shut before the level has fallen far, or the gain would rise into every pause.
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
    """Automatic gain control: feed-forward, the gain pulled towards what brings the level to its target.

    Attributes:
        target_dbov: short-time RMS level that the gain aims at.
        max_gain_db, max_cut_db: how far the gain may go up and down from 0 dB.
        attack_s, release_s: time constants of a falling and of a rising gain.
        gate_dbov: below this level the gain stands still, so that pauses are not pumped up.
    """

    op: ClassVar[str] = "agc"
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

        assert isinstance(self.attack_s, float)
        assert isinstance(self.release_s, float)
        return automatic_gain(
            samples,
            self.target_dbov,
            self.max_gain_db,
            self.max_cut_db,
            self.gate_dbov,
            _per_sample(_AVERAGING_S, sample_rate_hz),
            _per_sample(_GATE_AVERAGING_S, sample_rate_hz),
            _per_sample(self.attack_s, sample_rate_hz),
            _per_sample(self.release_s, sample_rate_hz),
        )


@dataclass(frozen=True)
class Limiter(Processor):
    """Peak limiter: acts at once, lets go slowly; no output sample lies above its threshold.

    Attributes:
        threshold_dbov: highest peak that is let through.
        release_s: time constant with which the gain comes back.
    """

    op: ClassVar[str] = "limiter"
    threshold_dbov: Drawn = -3.0
    release_s: Drawn = 0.1

    def __post_init__(self) -> None:
        _check_positive(self.op, release_s=self.release_s)

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        from roomtone.core.audio._kernels import peak_limit

        assert isinstance(self.threshold_dbov, float)
        assert isinstance(self.release_s, float)
        return peak_limit(
            samples, 10.0 ** (self.threshold_dbov / 20.0), math.exp(-1.0 / (self.release_s * sample_rate_hz))
        )


@dataclass(frozen=True)
class Clip(Processor):
    """Clipping, of a converter (hard) or of an amplifier (soft).

    Attributes:
        level_dbov: peak that is never exceeded.
        kind: `hard` cuts; `soft` is a hyperbolic tangent, of gain 1 for small signals.
    """

    op: ClassVar[str] = "clip"
    level_dbov: Drawn = 0.0
    kind: Literal["hard", "soft"] = "hard"

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        return self.apply_measured(samples, sample_rate_hz)[0]

    def apply_measured(self, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
        """Return the clipped samples and `clipped_share`, the share of samples that came in above the level."""
        del sample_rate_hz
        assert isinstance(self.level_dbov, float)
        peak = np.float32(10.0 ** (self.level_dbov / 20.0))
        share = float(np.count_nonzero(np.abs(samples) > peak)) / max(samples.size, 1)
        clipped = np.clip(samples, -peak, peak) if self.kind == "hard" else peak * np.tanh(samples / peak)
        return clipped.astype(np.float32), {"clipped_share": share}
