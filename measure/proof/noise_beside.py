"""Noise that sounds together with the tones of a machine: the contact of a tick, the air of a motor.

Partials explain the bands in which they lie. What is left of the energy of the others is taken for noise that sounds while the tones sound: its band, a
straight line through its density, and its level. Noise differs from repeat to repeat; what does not, a click, is none. Whether the preset is right is for the
proof to say, as of any.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from roomtone.measure.gating.basebands import Basebands
from roomtone.measure.machine import Machine, NoiseBeside
from roomtone.measure.proof.compare import CyclePowers
from roomtone.measure.proof.rerender import cycle_powers, noise_powers
from roomtone.measure.pulses.steady_levels import varies_as_noise
from roomtone.measure.spectra.cycle import Cycle

#: Share of the energy of the tones in a band that tells their level; share of a band's energy in tones below which the rest is noise.
_TELLS, _CLEAR = 0.02, 0.5
#: Share of the noise below its band, and above it; the steepest slope of its density in dB per octave.
_OUTSIDE, _STEEPEST = 0.01, 24.0
#: The fewest bands of noise alone, and the energy of noise re the tones: at least -20 dB, and at most -4, for else peaks of noise are taken for tones.
_FEWEST, _LEAST, _MOST = 2, 0.01, 0.4
#: Bands, the strongest, whose energy must vary over repeats: half of those or more in which the background does not hide it.
_ASKED, _VARY = 8, 0.5
#: Only pulses up to this length: what longer ones leave may be other tones.
_SHORT_S = 0.08


def with_noise(machine: Machine, recorded: CyclePowers, samples: np.ndarray, sample_rate_hz: int) -> Machine | None:
    """Return a machine of tones with noise that sounds with them; None where its bands leave too little for noise, or the same in each repeat.

    Args:
        machine: pulsed, with partials.
        recorded: its cycle as recorded.
        samples: the recording [shape=(samples,)].
        sample_rate_hz: its rate.
    """
    assert machine.cycle is not None
    if max(pulse.length_s for pulse in machine.cycle.pulses) > _SHORT_S:
        return None
    frames = recorded.powers.shape[1]
    heard = np.maximum(recorded.powers - 2.0 * recorded.error[:, None], 0.0).sum(axis=1)
    dry = cycle_powers(machine, sample_rate_hz, recorded.look, frames).sum(axis=1)
    own = dry > _TELLS * dry.sum()
    if not own.any() or not heard[own].all():
        return None
    tones = dry * np.median(heard[own] / dry[own])
    left = np.where(tones < _CLEAR * heard, heard - tones, 0.0)
    share = np.cumsum(left) / max(float(left.sum()), 1e-30)
    inside = np.flatnonzero((share > _OUTSIDE) & (share - left / max(float(left.sum()), 1e-30) < 1.0 - _OUTSIDE))
    clear = inside[left[inside] > 0.0]
    if clear.size < _FEWEST or left.sum() < _LEAST * tones.sum():
        return None
    edges_hz = recorded.look.edges_hz
    centres_hz = np.sqrt(edges_hz[clear] * edges_hz[clear + 1])
    if not _varies(machine.cycle, centres_hz[np.argsort(-left[clear])[:_ASKED]], samples, sample_rate_hz):
        return None
    octaves = 0.5 * np.log2(edges_hz[clear] * edges_hz[clear + 1])
    density_db = 10.0 * np.log10(left[clear] / np.diff(edges_hz)[clear])
    slope = float(np.polyfit(octaves, density_db, 1, w=np.sqrt(left[clear]))[0]) if clear.size > 2 else 0.0
    band_hz = float(edges_hz[clear[0]]), float(edges_hz[clear[-1] + 1])
    beside = NoiseBeside(0.0, band_hz, float(np.clip(slope, -_STEEPEST, _STEEPEST)))
    unit = noise_powers(machine, beside, sample_rate_hz, recorded.look, frames).sum(axis=1)
    scale = float(tones.sum() / max(dry.sum(), 1e-30))
    gain = float(left[clear].sum() / max(scale * unit[clear].sum(), 1e-30))
    if gain > _MOST:
        return None
    beside = dataclasses.replace(beside, level_db=float(10.0 * np.log10(gain)))
    louder_db = float(10.0 * np.log10(1.0 + scale * gain * unit.sum() / tones.sum()))
    return dataclasses.replace(
        machine,
        noise=beside,
        level_db=machine.level_db + louder_db,
        above_background_db=machine.above_background_db + louder_db,
    )


def _varies(cycle: Cycle, hz: np.ndarray, samples: np.ndarray, rate: int) -> bool:
    """Return whether the energy at half of the frequencies or more varies over repeats as that of noise does, in the loudest pulse."""
    bands = Basebands(samples, rate)
    loudest = max(cycle.pulses, key=lambda pulse: sum(p.power for p in pulse.partials))
    said = [varies_as_noise(bands, cycle.starts_s, loudest, float(one)) for one in hz]
    told = [one for one in said if one is not None]
    return len(told) >= _FEWEST and float(np.mean(told)) >= _VARY
