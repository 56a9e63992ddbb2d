"""Linear filters of a handset: a tabulated response, a band pass, a measured device, a plain gain.

Every filter is one FIR with its time 0 at the centre tap, applied without delay. Those designed here are linear-phase;
a measured device keeps its own phase, with its strongest tap at time 0. Magnitudes are in dB, frequencies in Hz.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from roomtone.augment.ops.table import Drawn, Processor, number
from roomtone.core.audio.convolution import ImpulseResponse, convolve
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: Length of every designed FIR: the corner of P.341 at 50 Hz needs it to hold within 0.3 dB.
FIR_DURATION_S = 0.128

#: Gain below which a tabulated response is not followed: nothing of a 16-bit signal is left there.
FLOOR_DB = -100.0
#: And the highest that is taken: no device amplifies one band by a thousand over another.
HIGHEST_DB = 60.0

Points = tuple[tuple[float, float], ...]


@functools.lru_cache(maxsize=64)
def design_fir(points: Points, sample_rate_hz: int) -> np.ndarray:
    """Return a linear-phase FIR of this magnitude response, float64 [shape=(odd taps,)], read-only.

    Between the points the gain in dB follows a monotone cubic over log frequency; outside them it stays at the outermost
    point. Points above half the rate are used as far as they reach below it.

    Args:
        points: (frequency in Hz, gain in dB) pairs, frequencies ascending.
        sample_rate_hz: rate of the signals to be filtered, in Hz.
    """
    from scipy.signal import firwin2

    taps = 2 * round(FIR_DURATION_S * sample_rate_hz / 2) + 1
    grid_hz = np.linspace(0.0, sample_rate_hz / 2, (1 << taps.bit_length()) + 1)
    gains = 10.0 ** (np.maximum(interpolate_db(points, grid_hz), FLOOR_DB) / 20.0)
    fir = firwin2(taps, grid_hz, gains, nfreqs=grid_hz.size, fs=sample_rate_hz)
    fir.flags.writeable = False
    return fir


def interpolate_db(points: Points, frequency_hz: np.ndarray) -> np.ndarray:
    """Return the gains in dB, float64 [shape=(frequencies,)], of a response tabulated at ascending points.

    Args:
        points: (frequency in Hz, gain in dB) pairs.
        frequency_hz: where the gains are wanted [shape=(frequencies,)].
    """
    from scipy.interpolate import PchipInterpolator

    table_hz, table_db = np.array(points, dtype=np.float64).T
    if table_hz.size == 1:
        return np.full(frequency_hz.shape, table_db[0])
    log_hz = np.log(np.clip(frequency_hz, table_hz[0], table_hz[-1]))
    return np.asarray(PchipInterpolator(np.log(table_hz), table_db)(log_hz))


def apply_fir(samples: Samples, fir: np.ndarray) -> Samples:
    """Return `samples` through an odd-length FIR whose centre tap is time 0.

    Args:
        samples: float [shape=(samples,)].
        fir: float [shape=(odd taps,)].

    Returns:
        float32 [shape=(samples,)].
    """
    if samples.size == 0:
        return samples.astype(np.float32)
    return convolve(samples, ImpulseResponse(fir), fir.size // 2, samples.size)


def check_points(points: Points, op: str) -> None:
    """Check a table of a response.

    Args:
        points: (frequency in Hz, gain in dB) pairs.
        op: names the table in the message.

    Raises:
        RoomtoneError: it is empty, its frequencies do not ascend, or are not above 0 Hz, or a gain is out of reach.
    """
    frequencies = [hz for hz, _ in points]
    if not points or frequencies[0] <= 0.0 or any(b <= a for a, b in itertools.pairwise(frequencies)):
        raise RoomtoneError(f"{op}: points must be [Hz, dB] pairs with ascending frequencies above 0 Hz, got {points}")
    for hz, gain_db in points:
        if not FLOOR_DB <= gain_db <= HIGHEST_DB:
            raise RoomtoneError(
                f"{op}: points: expected gains from {FLOOR_DB:g} to {HIGHEST_DB:g} dB, got {gain_db:g} at {hz:g} Hz"
            )


@dataclass(frozen=True)
class LinearFilter(Processor):
    """A processor that is nothing but its FIR."""

    linear: ClassVar[bool] = True

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        return apply_fir(samples, self.fir(sample_rate_hz))


@dataclass(frozen=True)
class Response(LinearFilter):
    """A magnitude response given by a table.

    Attributes:
        points: [Hz, dB] pairs, frequencies ascending; the outermost gains hold beyond them.
    """

    op: ClassVar[str] = "response"
    points: Points

    def __post_init__(self) -> None:
        check_points(self.points, self.op)

    def fir(self, sample_rate_hz: int) -> np.ndarray:
        return design_fir(self.points, sample_rate_hz)


@dataclass(frozen=True)
class BandPass(LinearFilter):
    """The magnitude of Butterworth filters, -3 dB at each edge, without their phase.

    Attributes:
        low_hz: lower edge; 0 leaves it open.
        high_hz: upper edge; 0, or one above half the rate, leaves it open.
        slope_db_per_octave: how steep both edges fall; 6 dB a filter order.
    """

    op: ClassVar[str] = "band_pass"
    low_hz: Drawn = 0.0
    high_hz: Drawn = 0.0
    slope_db_per_octave: float = 36.0

    def __post_init__(self) -> None:
        if self.slope_db_per_octave <= 0.0:
            raise RoomtoneError(f"band_pass: slope_db_per_octave must be above 0, got {self.slope_db_per_octave}")
        if 0.0 < np.max(self.high_hz) <= np.min(self.low_hz):
            raise RoomtoneError(f"band_pass: high_hz {self.high_hz} must lie above low_hz {self.low_hz}")

    def fir(self, sample_rate_hz: int) -> np.ndarray:
        return _band_pass_fir(self, sample_rate_hz)

    def design(self, sample_rate_hz: int) -> np.ndarray:
        """Return the taps at `sample_rate_hz`, designed anew, float64 [shape=(odd taps,)]."""
        low_hz, high_hz = number(self.low_hz), number(self.high_hz)
        exponent = self.slope_db_per_octave / (10.0 * math.log10(2.0))
        grid_hz = np.geomspace(5.0, sample_rate_hz / 2.0, 600)
        power = np.ones(grid_hz.size)
        if low_hz > 0.0:
            power *= 1.0 / (1.0 + (low_hz / grid_hz) ** exponent)
        if high_hz > 0.0:
            power *= 1.0 / (1.0 + (grid_hz / high_hz) ** exponent)
        gains_db = np.maximum(10.0 * np.log10(power), FLOOR_DB)
        return design_fir(tuple(zip(grid_hz.tolist(), gains_db.tolist())), sample_rate_hz)


@functools.lru_cache(maxsize=64)
def _band_pass_fir(op: BandPass, sample_rate_hz: int) -> np.ndarray:
    return op.design(sample_rate_hz)


@dataclass(frozen=True)
class Gain(Processor):
    """A fixed gain, for instance from the microphone's level to the converter's.

    Attributes:
        gain_db: positive is louder.
    """

    op: ClassVar[str] = "level"
    linear: ClassVar[bool] = True
    gain_db: Drawn = 0.0

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        return (samples * np.float32(self.fir(sample_rate_hz)[0])).astype(np.float32)

    def fir(self, sample_rate_hz: int) -> np.ndarray:
        return np.array([10.0 ** (number(self.gain_db) / 20.0)])
