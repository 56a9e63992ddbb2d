"""What an echo canceller leaves of the far end: `op: echo_residue`.

Another talker of the corpus, at the far end of a call, comes out of the device's loudspeaker, which bends (scaled error function,
`loudspeaker`), reaches the device's own microphone over a direct path and a decay, and a linear adaptive filter takes out what it can: a
constrained frequency-domain block NLMS (overlap-save; J. J. Shynk, IEEE Signal Processing Magazine 9, 14 (1992), recalled) as the linear
stage of cancellers is. The residue is thus large while the filter still converges, and later what the loudspeaker bent and what lies beyond
the filter's length. It is not known to the filter when the near end talks: it adapts on the echo alone. Suppression behind the canceller is
the handset's (`op: webrtc`). The path is the device's own, so that no room preset changes it.

Source: the scaled error function and its strengths 0.2, 0.5, 1, 10 were read in a public program that simulates echo for cancellers.
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Self

import numpy as np

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.sources.babble import Babble
from roomtone.augment.ops.sources.periodic_tone import NOMINAL_RMS
from roomtone.augment.ops.table import Drawn, Fetch, number, pin_ranges
from roomtone.core.audio.resampling import fit_length
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: Noise of the microphone below the echo, dB: a canceller never sees an echo alone.
_NOISE_DB = -60.0
_STEP = 0.7
_FORGETTING = 0.9


@dataclasses.dataclass(frozen=True)
class EchoResidue(Babble):
    """The residue of one far-end talker.

    Attributes:
        far_level_dbov: active level of the far end's voice at the loudspeaker; 0 dBov is its full scale.
        bend: strength of the loudspeaker's bend, variance of the scaled error function at full scale 1: 0.2 strong, 10 hardly any.
        low_hz: below this the loudspeaker fades, 12 dB an octave.
        direct_db: energy of the direct path over that of the decay.
        decay_s: time in which the decay falls by 60 dB.
        filter_s: length of the adaptive filter.
        running_s: for how long the far end has talked before the file begins; 0: the canceller knows nothing yet.
        seed: drawn; of the decay and the microphone's noise.
    """

    op = "echo_residue"
    at_microphone: ClassVar[bool] = True
    talkers: int = 1
    far_level_dbov: Drawn = -20.0
    bend: Drawn = 1.0
    low_hz: Drawn = 300.0
    direct_db: Drawn = 10.0
    decay_s: Drawn = 0.2
    filter_s: float = 0.064
    running_s: Drawn = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not np.min(self.bend) > 0.0 or not np.min(self.low_hz) > 0.0:
            raise RoomtoneError("echo_residue: bend and low_hz must be above 0")
        if not 0.01 <= np.min(self.decay_s) <= np.max(self.decay_s) <= 3.0 or not 0.01 <= self.filter_s <= 1.0:
            raise RoomtoneError("echo_residue: decay_s must lie in 0.01..3 and filter_s in 0.01..1 (in ms?)")
        if not 0.0 <= np.min(self.running_s) <= np.max(self.running_s) <= 60.0:
            raise RoomtoneError(f"echo_residue: running_s must lie in 0..60, got {self.running_s}")

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        """Draw the far end's talker and utterances, the ranges and the seed."""
        drawn = super().draw(rng, context)
        pinned = pin_ranges(drawn, rng)
        seed = int(rng.integers(2**31))
        return dataclasses.replace(pinned, seed=seed) if self.seed is None else pinned

    def render(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, *, preroll_samples: int = 0) -> Samples:
        """Return the residue, float32 [shape=(preroll_samples + num_samples,)], with the nominal RMS over all of it.

        Raises:
            RoomtoneError: the op is not drawn yet, or the far end's voice is silent.
        """
        before = preroll_samples + round(number(self.running_s) * sample_rate_hz)
        voice = super().render(num_samples, sample_rate_hz, fetch, preroll_samples=before)
        # the voice has an active level of NOMINAL_RMS
        far = voice.astype(np.float64) * (10.0 ** (number(self.far_level_dbov) / 20.0) / NOMINAL_RMS)
        rng = np.random.Generator(np.random.PCG64(self.seed or 0))
        echo = self._echo(far, sample_rate_hz, rng)
        echo += np.sqrt(np.mean(echo**2)) * 10.0 ** (_NOISE_DB / 20.0) * rng.standard_normal(echo.size)
        left = cancel(far, echo, round(self.filter_s * sample_rate_hz))[before - preroll_samples :]
        return (left * (NOMINAL_RMS / max(float(np.sqrt(np.mean(left**2))), 1e-30))).astype(np.float32)

    def _echo(self, far: np.ndarray, sample_rate_hz: int, rng: np.random.Generator) -> np.ndarray:
        """Return the far end's voice as the microphone hears it, float64 [shape=(samples,)]."""
        from scipy.signal import butter, oaconvolve, sosfilt

        played = sosfilt(butter(2, number(self.low_hz), "highpass", fs=sample_rate_hz, output="sos"), far)
        taps = round(number(self.decay_s) * sample_rate_hz)
        path = rng.standard_normal(taps) * 10.0 ** (-3.0 * np.arange(taps) / taps)
        path *= 10.0 ** (-number(self.direct_db) / 20.0) / np.sqrt(np.sum(path**2))
        path[0] += 1.0
        heard: np.ndarray = oaconvolve(loudspeaker(played, number(self.bend)), path)[: far.size]
        return heard


def loudspeaker(samples: np.ndarray, bend: float) -> np.ndarray:
    """Return what a loudspeaker makes of samples: the integral of exp(-x^2 / (2 bend)), which is linear for small ones.

    Args:
        samples: float [shape=(samples,)], full scale +-1.0.
        bend: 0.2 strong, 10 hardly any.
    """
    from scipy.special import erf

    bent: np.ndarray = np.sqrt(np.pi * bend / 2.0) * erf(samples / np.sqrt(2.0 * bend))
    return bent


def cancel(far: np.ndarray, microphone: np.ndarray, taps: int) -> np.ndarray:
    """Return what a linear adaptive filter leaves of the echo in a microphone's signal, float64 [shape=(samples,)].

    Args:
        far: what was sent to the loudspeaker, float64 [shape=(samples,)].
        microphone: the echo and what else there is, likewise.
        taps: length of the filter, and of the blocks in which it adapts.
    """
    from scipy.fft import irfft, rfft

    blocks = -(-far.size // taps)
    reference = np.concatenate([np.zeros(taps), fit_length(far, blocks * taps)])
    wanted = fit_length(microphone, blocks * taps).reshape(blocks, taps)
    spectrum = np.zeros(taps + 1, dtype=np.complex128)
    power = np.zeros(taps + 1)
    floor = 1e-6 * taps * float(np.mean(far**2)) + 1e-20
    left = np.empty_like(wanted)
    for block in range(blocks):
        x = rfft(reference[block * taps : (block + 2) * taps])
        left[block] = wanted[block] - irfft(spectrum * x, n=2 * taps)[taps:]
        error = rfft(np.concatenate([np.zeros(taps), left[block]]))
        now = np.abs(x) ** 2
        power = np.maximum(_FORGETTING * power + (1.0 - _FORGETTING) * now, now)
        step = irfft(_STEP * np.conj(x) * error / (power + floor), n=2 * taps)
        step[taps:] = 0.0  # a filter no longer than a block
        spectrum += rfft(step)
    return left.reshape(-1)[: far.size]
