"""What comes back: the pulses of one cycle, and when the cycles begin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomtone.measure.spectra.spectrogram import Partial


@dataclass(frozen=True)
class Pulse:
    """One pulse of a cycle: its start in the cycle, its length between half heights, its partials and its glide.

    Attributes:
        onset_s: half height of the rise, from the start of the cycle.
        length_s: to half height of the fall.
        partials: tonal components, strongest first; empty for a burst of noise.
        glide: pitch at the end over pitch at the start.
        noise_power: mean square of what is not tonal while the pulse sounds.
        noise_band_hz: where nine tenths of that lie.
        rise_s, fall_s: edges from foot to foot, of a burst of noise; of tones they are not measured.
        decaying: it dies away from its start, as a knock does.
    """

    onset_s: float
    length_s: float
    partials: tuple[Partial, ...]
    glide: float = 1.0
    noise_power: float = 0.0
    noise_band_hz: tuple[float, float] = (100.0, 4000.0)
    rise_s: float = 0.01
    fall_s: float = 0.01
    decaying: bool = False


@dataclass(frozen=True)
class Cycle:
    """What comes back: starts of the cycles in the recording, each at its quietest, the pulses of one, whether it falls silent, whether by a clock."""

    starts_s: np.ndarray
    span_s: float
    pulses: tuple[Pulse, ...]
    silent: bool = True
    clock: bool = True
