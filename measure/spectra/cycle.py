"""The data of a repeating machine: one pulse, and one cycle of pulses with the times at which cycles start. Times in seconds, frequencies in Hz."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomtone.measure.spectra.spectrogram import Partial


@dataclass(frozen=True)
class Pulse:
    """One pulse of a cycle.

    Attributes:
        onset_s: half height of the rise, counted from the start of the cycle.
        length_s: from there to half height of the fall.
        partials: tonal components, strongest first; empty for a burst of noise.
        glide: pitch at the end over pitch at the start.
        noise_power: mean square of a burst of noise while it sounds; 0 for tones.
        noise_band_hz: the band that holds 98 % of that power.
        noise_slope_db_per_octave: slope of its density within the band.
        rise_s, fall_s: edges from 0 to 100 %, of a burst of noise; those of tones are not measured.
        decaying: the level falls from the start on, as that of a knock.
    """

    onset_s: float
    length_s: float
    partials: tuple[Partial, ...]
    glide: float = 1.0
    noise_power: float = 0.0
    noise_band_hz: tuple[float, float] = (100.0, 4000.0)
    noise_slope_db_per_octave: float = 0.0
    rise_s: float = 0.01
    fall_s: float = 0.01
    decaying: bool = False


@dataclass(frozen=True)
class Cycle:
    """One cycle of a machine, and when it repeats.

    Attributes:
        starts_s: start of each cycle in the recording, at the quietest time of the cycle [shape=(cycles,)].
        span_s: length of a cycle.
        pulses: of one cycle, in order of time.
        silent: whether the machine is silent at the start of a cycle.
        clock: whether cycles follow a fixed period; False where only a mean period is known.
    """

    starts_s: np.ndarray
    span_s: float
    pulses: tuple[Pulse, ...]
    silent: bool = True
    clock: bool = True
