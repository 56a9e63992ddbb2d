"""What a preset sounds like: one cycle of it, rendered by its own op, as band powers, and those powers in a reverberant room.

The power of a source in a room of random response is `(1 - late) p + late (p * exp(-2 t / tau) 2 / tau)` on average, with p the power of the dry source,
late the share of the energy in the reverberation, and tau the time constant of its amplitude (T60 / 6.91).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.sources.periodic_tone import PeriodicTone
from roomtone.augment.ops.sources.recorded_cycle import RecordedCycle
from roomtone.augment.ops.table import parse_op
from roomtone.measure.machine import CycleWaveform, Machine, NoiseBeside
from roomtone.measure.presets import machine_op
from roomtone.measure.proof.band_powers import Look, band_powers
from roomtone.measure.spectra.cycle import Cycle

#: Repeats that are averaged: of tones, whose phases differ from repeat to repeat, and of noise.
_REPEATS, _NOISE_REPEATS = 3, 16


def cycle_powers(machine: Machine, sample_rate_hz: int, look: Look, frames: int) -> np.ndarray:
    """Return the mean band powers of one cycle of a machine's preset, dry [shape=(bands, frames)].

    Args:
        machine: pulsed: frame 0 is the start of a cycle; steady: with the phase of its modulation as drawn.
        sample_rate_hz: rate of the render.
        look: the resolution.
        frames: of the cycle.
    """
    return _op_powers(machine, machine_op(machine) | {"jitter_s": 0.0}, sample_rate_hz, look, frames)


def noise_powers(machine: Machine, noise: NoiseBeside, sample_rate_hz: int, look: Look, frames: int) -> np.ndarray:
    """Return the mean band powers of noise alone that sounds with the tones of a machine [shape=(bands, frames)].

    Args:
        machine: pulsed.
        noise: its band, slope and level.
        sample_rate_hz, look, frames: as of `cycle_powers`.
    """
    mapping = machine_op(dataclasses.replace(machine, noise=noise)) | {"jitter_s": 0.0, "harmonics": []}
    return _op_powers(machine, mapping, sample_rate_hz, look, frames)


def _op_powers(machine: Machine, mapping: dict[str, Any], sample_rate_hz: int, look: Look, frames: int) -> np.ndarray:
    """Return the mean band powers of one cycle of an op of a machine."""
    repeats = _REPEATS if "noise_db" not in mapping else _NOISE_REPEATS
    span_s = frames * look.hop_s
    if machine.cycle is None or not machine.cycle.pulses:
        return _mean_of_repeats(_drawn(mapping, 0.0), span_s, repeats, sample_rate_hz, look, frames)
    onset_s = burst_start_s(machine, mapping)
    if not machine.period_s or not machine.cycle.clock:
        source = _drawn(mapping | {"period_s": 0.0}, onset_s)
        return _rendered(source, frames * look.hop_s, sample_rate_hz, look)[:, :frames]
    span_s = machine.cycle.span_s
    source = _drawn(mapping, span_s + onset_s)
    return _mean_of_repeats(source, span_s, repeats, sample_rate_hz, look, frames)


def waveform_powers(waveform: CycleWaveform, cycle: Cycle, period_s: float, look: Look, frames: int) -> np.ndarray:
    """Return the band powers of one cycle of a waveform, as the op of its preset repeats it [shape=(bands, frames)].

    Args:
        waveform: of the cycle.
        cycle: as measured; frame 0 is its start.
        period_s: of the preset; 0 for a single occurrence.
        look: the resolution.
        frames: of the cycle.
    """
    start_s = waveform.start_s - float(cycle.starts_s[0])
    op = RecordedCycle("cycle", period_s, waveform.sounds, asset="cycle", start_s=start_s, seed=0)
    rate, duration_s = waveform.sample_rate_hz, (3.0 * period_s if period_s else cycle.span_s)
    samples = op.render(round(duration_s * rate), rate, lambda asset, start, count: waveform.samples)
    first = round(period_s / look.hop_s)
    return band_powers(samples, rate, look)[:, first : first + frames]


def burst_start_s(machine: Machine, mapping: Mapping[str, Any]) -> float:
    """Return where the burst of a pulsed machine's preset starts, in seconds from the start of the cycle.

    Args:
        machine: whose pulses count from half height.
        mapping: its preset, whose pulses count from the start of the rise.
    """
    assert machine.cycle is not None
    return float(min(pulse.onset_s for pulse in machine.cycle.pulses) - 0.5 * mapping["rise_s"])


def _drawn(mapping: dict[str, Any], start_s: float) -> PeriodicTone:
    source = parse_op(mapping, PeriodicTone, where="measured machine")
    drawn = source.draw(np.random.Generator(np.random.PCG64(0)), DrawContext(1 << 30, 16000))
    return dataclasses.replace(drawn, start_s=start_s)


def _rendered(source: PeriodicTone, duration_s: float, rate: int, look: Look) -> np.ndarray:
    return band_powers(source.render(round(duration_s * rate), rate, _no_fetch), rate, look)


def _no_fetch(asset: str, start: int, frames: int) -> np.ndarray:
    raise LookupError(f"{asset}: a measured machine plays no recordings")


def _mean_of_repeats(
    source: PeriodicTone, span_s: float, repeats: int, rate: int, look: Look, frames: int
) -> np.ndarray:
    """Return the mean over repeats, each read between frames where a cycle is no whole number of them [shape=(bands, frames)]."""
    powers = _rendered(source, (repeats + 2) * span_s, rate, look)
    total = np.zeros((powers.shape[0], frames))
    for repeat in range(1, repeats + 1):
        place = np.arange(frames) + repeat * span_s / look.hop_s
        whole = np.minimum(place.astype(int), powers.shape[1] - 2)
        share = place - whole
        total += powers[:, whole] * (1.0 - share) + powers[:, whole + 1] * share
    return total / repeats


def reverberation(powers: np.ndarray, hop_s: float, taus_s: np.ndarray, *, repeating: bool) -> np.ndarray:
    """Return the reverberation of band powers for each time constant, with the energy of the dry source [shape=(taus, bands, frames)].

    Args:
        powers: of the dry source, one cycle.
        hop_s: time between frames.
        taus_s: time constants of the amplitude [shape=(taus,)].
        repeating: whether the cycle repeats, so that the reverberation of earlier cycles is heard.
    """
    from scipy.signal import lfilter

    frames = powers.shape[1]
    tails = []
    for tau_s in taus_s:
        keep = np.exp(-2.0 * hop_s / tau_s)
        cycles = int(np.ceil(3.0 * tau_s / (frames * hop_s))) + 1 if repeating else 1
        tails.append(lfilter([1.0 - keep], [1.0, -keep], np.tile(powers, (1, cycles)), axis=1)[:, -frames:])
    return np.array(tails)
