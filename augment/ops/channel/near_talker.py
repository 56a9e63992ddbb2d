"""A talker close to a directional microphone: more bass in the voice, and in nothing else: `op: near_talker`.

In the field of a near point source the pressure gradient is sqrt(1 + (c / (w r))^2) times what it is for the same pressure far away (L. L. Beranek,
Acoustics, chapter on microphones, as recalled; it follows from p = exp(-jkr) / r). A microphone that takes the share `pressure_share` from the pressure
and the rest from the gradient so hears a voice straight ahead with the gain sqrt(1 + ((1 - share) c / (w r))^2). Noise and machines are far away and
stay as they are. The filter acts on the talker alone, in front of the sum at the microphone, so the SNR is that of the voice as the microphone has it.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from roomtone.augment.ops.channel.filters import design_fir
from roomtone.augment.ops.table import Drawn, Processor, number
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: Speed of sound at 20 degrees Celsius, m/s.
_SPEED_M_S = 343.0
#: Below it the gain stays what it is there: no voice has power there, and the formula has no bound.
_LOWEST_HZ = 50.0


@dataclass(frozen=True)
class NearTalker(Processor):
    """The bass that a directional microphone adds to a close voice; first in the chain, as it is the microphone's.

    Attributes:
        talker_distance_m: mouth to microphone in metres, 0.005 to 2.
        pressure_share: of the pattern: 1 is omnidirectional (and adds nothing), 0.5 a cardioid, 0 a pure gradient (figure of eight).
    """

    op: ClassVar[str] = "near_talker"
    linear: ClassVar[bool] = True
    talker_distance_m: Drawn
    pressure_share: float = 0.5

    def __post_init__(self) -> None:
        distances = self.talker_distance_m if isinstance(self.talker_distance_m, tuple) else (self.talker_distance_m,)
        if not all(0.005 <= distance <= 2.0 for distance in distances):
            raise RoomtoneError(
                f"near_talker: talker_distance_m must be 0.005 to 2 (metres), got {self.talker_distance_m}"
            )
        if not 0.0 <= self.pressure_share <= 1.0:
            raise RoomtoneError(f"near_talker: pressure_share must be a share from 0 to 1, got {self.pressure_share}")

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """Return the samples as they are: what is in the mix already has the gain, or is far away."""
        return samples

    def fir(self, sample_rate_hz: int) -> np.ndarray:
        return np.ones(1)

    def talker_fir(self, sample_rate_hz: int) -> np.ndarray:
        return _bass_fir(number(self.talker_distance_m), self.pressure_share, sample_rate_hz)


@functools.lru_cache(maxsize=64)
def _bass_fir(distance_m: float, pressure_share: float, sample_rate_hz: int) -> np.ndarray:
    """Return the linear-phase filter of a close voice, float64 [shape=(odd taps,)]."""
    hertz = np.geomspace(_LOWEST_HZ, sample_rate_hz / 2.0, 200)
    ratio = (1.0 - pressure_share) * _SPEED_M_S / (2.0 * math.pi * hertz * distance_m)
    gains_db = 10.0 * np.log10(1.0 + ratio**2)
    return design_fir(tuple(zip(hertz.tolist(), gains_db.tolist())), sample_rate_hz)
