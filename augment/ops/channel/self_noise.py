"""Self-noise of a microphone and its amplifier: `op: self_noise`.

A data sheet gives it as SNR in dB(A) re 94 dB SPL; the equivalent input noise is 94 dB minus that. The speech arrives at
-26 dBov, so the sound pressure level of the speech relates that noise to dBov.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Drawn, Processor, number, pin_ranges
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError
from roomtone.core.settings import Bounds

#: Active level of the speech where a handset begins, which `speech_db_spl` refers to.
_SPEECH_DBOV = -26.0
_REFERENCE_DB_SPL = 94.0


@dataclass(frozen=True)
class SelfNoise(Processor):
    """White Gaussian noise of the device's own, at a level in dBov or from a microphone's data sheet.

    Attributes:
        level_dbov: RMS level within the band up to half the rate.
        microphone_snr_db: dB(A) re 94 dB SPL, as in a data sheet; instead of `level_dbov`.
        speech_db_spl: level of the speech at the microphone, which `microphone_snr_db` needs.
        seed: of the noise; drawn.
    """

    op: ClassVar[str] = "self_noise"
    limits: ClassVar[Mapping[str, Bounds]] = {
        "level_dbov": Bounds(-140.0, 0.0, "full scale is 0 dBov"),
        "microphone_snr_db": Bounds(0.0, 120.0, "dB(A) re 94 dB SPL"),
        "speech_db_spl": Bounds(20.0, 130.0, "people speak at 60 dB SPL, a metre away"),
    }
    level_dbov: Drawn | None = None
    microphone_snr_db: Drawn | None = None
    speech_db_spl: Drawn | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        by_sheet = self.microphone_snr_db is not None and self.speech_db_spl is not None
        half = (self.microphone_snr_db is None) != (self.speech_db_spl is None)
        if half or by_sheet == (self.level_dbov is not None):
            raise RoomtoneError(
                "self_noise: give either level_dbov, or microphone_snr_db with speech_db_spl "
                f"(got {self.level_dbov}, {self.microphone_snr_db}, {self.speech_db_spl})"
            )

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        del context
        pinned = pin_ranges(self, rng)
        seed = int(rng.integers(2**31))
        return dataclasses.replace(pinned, seed=seed if self.seed is None else self.seed)

    def rms_level_dbov(self, sample_rate_hz: int) -> float:
        """Return the RMS level in dBov of the noise in the band up to half of `sample_rate_hz`.

        Raises:
            RoomtoneError: a range is not drawn yet.
        """
        if self.level_dbov is not None:
            return number(self.level_dbov)
        noise_dba_spl = _REFERENCE_DB_SPL - number(self.microphone_snr_db)
        band_db = 10.0 * math.log10(sample_rate_hz / 2.0 / a_weighted_bandwidth_hz())
        return _SPEECH_DBOV + noise_dba_spl - number(self.speech_db_spl) + band_db

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        if self.seed is None:
            raise RoomtoneError("self_noise: the seed is not drawn yet")
        noise = np.random.Generator(np.random.Philox(key=self.seed)).standard_normal(samples.size, dtype=np.float32)
        scale = np.float32(10.0 ** (self.rms_level_dbov(sample_rate_hz) / 20.0))
        return (samples + scale * noise).astype(np.float32)


@functools.cache
def a_weighted_bandwidth_hz() -> float:
    """Return the noise bandwidth in Hz of A-weighting from 20 Hz to 20 kHz (IEC 61672-1)."""
    hz = np.linspace(20.0, 20_000.0, 20_000)
    squared = hz**2
    weight = (12194.0**2 * squared**2) / (
        (squared + 20.6**2) * (squared + 12194.0**2) * np.sqrt((squared + 107.7**2) * (squared + 737.9**2))
    )
    weight *= 10.0 ** (2.0 / 20.0)  # 0 dB at 1 kHz
    return float((weight**2).sum() * (hz[1] - hz[0]))
