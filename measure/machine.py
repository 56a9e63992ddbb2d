"""What is known of a machine, and how well its preset agrees with the recording. Times in seconds, frequencies in Hz, levels in dB re full scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomtone.augment.ops.sources.schedule import Timing
from roomtone.measure.spectra.cycle import Cycle
from roomtone.measure.spectra.spectrogram import Partial


@dataclass(frozen=True)
class Proof:
    """How a preset, rendered through the room that it assumes, agrees with the recording, in cells of a third of an octave and some 15 ms.

    Attributes:
        explained: share of the machine's energy in cells in which preset and recording differ by less than 6 dB.
        misfit: share of the energy that the preset lacks in time, and that it adds in time, by more than 6 dB.
        band_off_db: largest difference of third-octave levels, of those that hold 2 % of the energy or more.
        t60_s: reverberation time of the assumed room; 0 where the room is part of the preset.
        direct: share of the energy in its direct sound.
        bands: `(lowest Hz, highest Hz, level of the preset re the recording in dB)` of those bands.
        course: power over one cycle, of the recording above its background and of the preset [shape=(2, frames)]; None where nothing was compared.
        hop_s: time between its frames.
    """

    explained: float
    misfit: float
    band_off_db: float
    t60_s: float = 0.0
    direct: float = 1.0
    bands: tuple[tuple[float, float, float], ...] = ()
    course: np.ndarray | None = None
    hop_s: float = 0.0


@dataclass(frozen=True)
class CycleWaveform:
    """One cycle of a machine as a waveform.

    Attributes:
        samples: float64 [shape=(samples,)], 0.1 RMS while it sounds; its first and last `seam_s` are faded, so that repeats add up.
        sample_rate_hz: their rate.
        repeats: how many cycles of the recording it was made from.
        start_s: where the first cycle starts in the recording.
        sounds: `(onset, length)` of each sound in it; empty where it never falls silent.
        likeness: share of the energy of one half of the repeats that the other half predicts within 6 dB.
    """

    samples: np.ndarray
    sample_rate_hz: int
    repeats: int
    start_s: float
    sounds: tuple[tuple[float, float], ...]
    likeness: float


@dataclass(frozen=True)
class NoiseBeside:
    """Noise that sounds while the tones of a machine sound.

    Attributes:
        level_db: its level re all tones together.
        band_hz: the band that holds 98 % of its power.
        slope_db_per_octave: slope of its density within the band.
    """

    level_db: float
    band_hz: tuple[float, float]
    slope_db_per_octave: float


@dataclass(frozen=True)
class Machine:
    """One machine.

    Attributes:
        kind: `pulsed` or `steady`.
        fundamental_hz: pitch to which the ratios of partials refer; for pulses of several pitches that of the first; 0 for noise.
        partials: all of its partials, strongest first; power while it sounds.
        period_s: time from burst to burst; 0 for a steady machine.
        cycle: its pulses; None for a steady machine.
        jitter_s: largest deviation of a burst from the period.
        likeness: correlation of the cycles, 0 to 1; of a steady machine the share of its power on harmonics.
        level_db: level while it sounds, dB re full scale (RMS).
        above_background_db: the same re the background of the whole recording.
        drift: share by which a steady pitch drifts.
        am_hz, am_depth: amplitude modulation of a steady machine.
        one_spectrum: whether all its pulses have the harmonics of one spectrum, at a pitch each; else each tone of each pulse has its own level.
        proof: how its preset agrees with the recording.
        recorded: its recorded cycle, where no parametric preset agrees; None otherwise.
        timing: whether deviations are from a grid, or add up.
        noise: what sounds together with its tones; None where they explain everything.
    """

    kind: str
    fundamental_hz: float
    partials: tuple[Partial, ...]
    period_s: float = 0.0
    cycle: Cycle | None = None
    jitter_s: float = 0.0
    likeness: float = 0.0
    level_db: float = 0.0
    above_background_db: float = 0.0
    drift: float = 0.0
    am_hz: float = 0.0
    am_depth: float = 0.0
    one_spectrum: bool = True
    proof: Proof | None = None
    recorded: CycleWaveform | None = None
    timing: Timing = "grid"
    noise: NoiseBeside | None = None


@dataclass(frozen=True)
class EquipmentFound:
    """The machines of a recording.

    Attributes:
        machines: loudest first.
        background_db: level of everything else, dB re full scale.
        duration_s: length of the recording.
    """

    machines: tuple[Machine, ...]
    background_db: float
    duration_s: float
