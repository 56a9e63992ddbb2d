"""Wind at the microphone: `op: wind_noise`, after a published generator.

Source: D. Mirabilii, A. Lodermeyer, F. Czwielong, S. Becker and E. A. P. Habets, "Simulating wind noise with airflow speed-dependent
characteristics", IWAENC 2022. The paper itself was not at hand; method and regressions are those of the authors' program (single-channel wind
noise generator, FAU Erlangen-Nuernberg 2023, MIT licence), which was read; the code here is our own.

White noise gets a long-term gain of 8 dB for each m/s of the airflow's speed, a short-term gain from a GARCH(1,1) process, and an all-pole
spectrum of order 5, whose line spectral frequencies are polynomials of the speed. Other than the program: speeds stay within 0 to 8 m/s, the
spectrum's and the GARCH's within 2 to 8 m/s, where all regressions describe a stable process; points of the speed are joined by straight lines
instead of a Fourier interpolation, which can swing below zero; the tails of the filter are kept. The turbulence is made at the capsule: no room
changes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from roomtone.augment.ops.sources.noise import SeededNoise
from roomtone.augment.ops.sources.periodic_tone import NOMINAL_RMS
from roomtone.augment.ops.table import Drawn, Fetch, number
from roomtone.core.audio.resampling import fit_length, resample
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: The rate for which the regressions hold.
RATE_HZ = 48000
#: Speeds for which they are used, m/s.
SLOWEST_M_S, FASTEST_M_S = 2.0, 8.0
LEVEL_DB_PER_M_S = 8.00071
#: Standard deviation of the speed within 100 ms: 10 m/s of white noise at 48 kHz, smoothed by a Hann window of 4,800 samples.
_FLUCTUATION_M_S = 10.0 * (1.5 / 4800) ** 0.5
_FLUCTUATION_S = 0.1
#: Line spectral frequencies in radians at 48 kHz: polynomials of the speed, highest power first, a row each.
_LSF = np.array(
    [
        [-2.634125e-06, 9.502401e-05, -6.991992e-04, 1.068497e-02, -9.668511e-04],
        [5.931622e-05, -2.717412e-03, 4.287142e-02, -2.346881e-01, 5.416931e-01],
        [2.156139e-04, -1.037836e-02, 1.772508e-01, -1.213376e00, 3.247969e00],
        [-1.497238e-04, 4.839637e-03, -3.295421e-02, -1.680532e-01, 2.549844e00],
        [-2.137031e-04, 9.318649e-03, -1.299101e-01, 5.683714e-01, 1.860975e00],
    ]
)
#: alpha, beta and omega of the GARCH process, likewise.
_ALPHA = (-2.732444e-05, 1.411297e-03, -2.746528e-02, 2.576132e-01, -1.398246e-01)
_BETA = (-9.751609e-05, 4.643001e-03, -8.719698e-02, 6.510140e-01)
_OMEGA = (9.695853e-05, -2.318538e-03, 1.246812e-02)
#: Samples between steps of the short-term gain, and between changes of the spectrum.
_GAIN_STEP, _FILTER_STEP = 64, 1024


@dataclass(frozen=True)
class WindNoise(SeededNoise):
    """Wind that blows over a microphone.

    Attributes:
        speed_m_s: mean speed of the airflow, above 0 to 8; gusts follow a Weibull distribution of shape 2 around it.
        gust_s: time from one drawn speed to the next, which is how long gusts last; 0 for one constant speed.
    """

    op = "wind_noise"
    at_microphone: ClassVar[bool] = True
    speed_m_s: Drawn = 1.8
    gust_s: Drawn = 1.6

    def __post_init__(self) -> None:
        if not 0.0 < np.min(self.speed_m_s) <= np.max(self.speed_m_s) <= FASTEST_M_S:
            raise RoomtoneError(
                f"wind_noise: speed_m_s must lie in 0 to {FASTEST_M_S:g}, got {self.speed_m_s} (in km/h?)"
            )
        if np.min(self.gust_s) < 0.0 or 0.0 < np.min(self.gust_s) < 0.2:
            raise RoomtoneError(f"wind_noise: gust_s must be 0.2 or more, or 0 for a constant speed, got {self.gust_s}")

    def render(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, *, preroll_samples: int = 0) -> Samples:
        """Return the noise, float32 [shape=(preroll_samples + num_samples,)], with the nominal RMS over all of it."""
        del fetch
        total = preroll_samples + num_samples
        length = -(-total * RATE_HZ // sample_rate_hz)
        rng = self._rng()
        speed = self._speed(rng, -(-length // _GAIN_STEP) + 1)
        steps = np.arange(length) / _GAIN_STEP
        gain = np.interp(steps, np.arange(speed.size), self._gain(rng, speed))
        whole = _all_pole(rng.standard_normal(length) * gain, speed[:: _FILTER_STEP // _GAIN_STEP])
        noise = fit_length(resample(whole.astype(np.float32), RATE_HZ, sample_rate_hz, quality="HQ"), total)
        return (noise * (NOMINAL_RMS / max(float(np.sqrt(np.mean(noise.astype(np.float64) ** 2))), 1e-30))).astype(
            np.float32
        )

    def speed_profile(self, duration_s: float) -> np.ndarray:
        """Return the speed that a render of this length has, in m/s, [shape=(steps,)], a step each 64 samples at 48 kHz."""
        return self._speed(self._rng(), -(-round(duration_s * RATE_HZ) // _GAIN_STEP) + 1)

    def _speed(self, rng: np.random.Generator, steps: int) -> np.ndarray:
        mean, gust_s, step_s = number(self.speed_m_s), number(self.gust_s), _GAIN_STEP / RATE_HZ
        speed = np.full(steps, mean)
        if gust_s:
            points = (
                mean / 0.886227 * rng.weibull(2.0, int(steps * step_s / gust_s) + 2)
            )  # gamma(1.5): the mean of shape 2
            speed = np.interp(np.arange(steps) * step_s, np.arange(points.size) * gust_s, points)
            window = np.hanning(round(_FLUCTUATION_S / step_s))
            rough = np.convolve(rng.standard_normal(steps + window.size), window, "same")[:steps]
            speed = speed + _FLUCTUATION_M_S * rough / np.sqrt(np.sum(window**2))
        return np.clip(speed, 0.0, FASTEST_M_S)

    def _gain(self, rng: np.random.Generator, speed: np.ndarray) -> np.ndarray:
        """Return long-term times short-term gain a step; relative to the gain at the mean speed."""
        inside = np.clip(speed, SLOWEST_M_S, FASTEST_M_S)
        alpha, beta, omega = (np.polyval(coefficients, inside) for coefficients in (_ALPHA, _BETA, _OMEGA))
        normal = rng.standard_normal(speed.size)
        short = np.empty(speed.size)
        variance = omega[0] / (1.0 - alpha[0] - beta[0])
        for step in range(speed.size):
            short[step] = np.sqrt(variance) * normal[step]
            following = min(step + 1, speed.size - 1)
            variance = omega[following] + alpha[following] * short[step] ** 2 + beta[following] * variance
        long_db = LEVEL_DB_PER_M_S * (speed - number(self.speed_m_s))
        return 10.0 ** (long_db / 20.0) * np.sqrt(np.abs(short))


def _all_pole(excitation: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """Return the excitation behind the spectrum of each speed, float64 [shape=(samples,)]; Hann windows that overlap by half."""
    from scipy.fft import irfft, next_fast_len, rfft

    size = 2 * _FILTER_STEP
    window = np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2
    length = int(next_fast_len(4 * size))
    frames = -(-excitation.size // _FILTER_STEP) + 1
    padded = np.concatenate([np.zeros(_FILTER_STEP), fit_length(excitation, (frames + 1) * _FILTER_STEP)])
    out = np.zeros(padded.size + length)
    for frame in range(frames):
        start = frame * _FILTER_STEP
        response = all_pole_response(speed[min(frame, speed.size - 1)], length)
        out[start : start + length] += irfft(rfft(padded[start : start + size] * window, n=length) * response, n=length)
    return out[_FILTER_STEP : _FILTER_STEP + excitation.size]


def all_pole_response(speed_m_s: float, length: int) -> np.ndarray:
    """Return the frequency response of the spectrum at a speed, complex [shape=(length // 2 + 1,)], from 0 to 24 kHz.

    Args:
        speed_m_s: of the airflow; held within 2 to 8 m/s.
        length: of the transform.
    """
    speed = float(np.clip(speed_m_s, SLOWEST_M_S, FASTEST_M_S))
    frequencies = [float(np.polyval(row, speed)) for row in _LSF]
    z = np.exp(-2j * np.pi * np.arange(length // 2 + 1) / length)

    def product(of: list[float]) -> np.ndarray:
        return np.prod([1.0 - 2.0 * np.cos(w) * z + z * z for w in of], axis=0)

    # A(z) is half the sum of its symmetric and its antisymmetric polynomial; of order 5, the latter has roots at 1 and -1 too
    return 2.0 / (product(frequencies[0::2]) + (1.0 - z * z) * product(frequencies[1::2]))
