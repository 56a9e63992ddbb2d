"""What may be claimed of a machine: a parametric preset that re-renders to the recording, else its recorded cycle, else nothing.

Bounds: third-octave levels within 3 dB, at most a fifth of the energy missing or invented in time by more than 6 dB, and half of the machine's energy
explained within 6 dB. The machines that these bounds were set with, where measured rightly, had up to 0.19 and at least 0.61; two beeps taken for one
and sirens taken for beeps missed them by far.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from roomtone.measure.cycles.recorded import recorded_cycle
from roomtone.measure.machine import Machine, Proof
from roomtone.measure.proof.compare import CyclePowers, compare, compare_waveform, recorded_powers
from roomtone.measure.proof.noise_beside import with_noise
from roomtone.measure.proof.shown_gates import gate_lead
from roomtone.measure.spectra.cycle import Cycle, Pulse
from roomtone.measure.spectra.spectrogram import Partial, Spectrogram

#: Bounds of a parametric preset.
MOST_MISFIT, MOST_BAND_OFF_DB, LEAST_EXPLAINED = 0.2, 3.0, 0.5
#: With no more misfit and this much explained, the times of the pulses are right though their spectra may not be.
_TIMES_MISFIT, _TIMES_EXPLAINED = 0.1, 0.5
#: ... and tones of pulses that last so long, where the level of their band is right within so much.
_TONE_S, _TONE_BAND_DB = 0.05, 4.0
#: Power of a strong tone re the strongest one of its pulse.
_STRONG = 0.03
#: What a recorded cycle must explain, of the recording and, made of one half of the repeats, of the other half.
_LEAST_LIKENESS = 0.7
#: With periods as those of a vibrato the preset must explain so much of the variance of the level over a cycle, unless the lines show the gate: machines
#: that were measured rightly had 0.69 and more in rooms of 0.5 s, vibratos that were taken for pulses at most 0.16; a ward hides it.
_BEATS_S, _LEAST_COURSE = (0.1, 0.5), 0.3
#: Length of a stretch in which a steady machine is compared.
_STEADY_S = 0.5


def proved(machine: Machine, samples: np.ndarray, sample_rate_hz: int, view: Spectrogram) -> Machine | None:
    """Return a machine with what may be claimed of it; None where nothing explains its energy.

    Args:
        machine: as measured.
        samples: the recording, without machines that were separated from it [shape=(samples,)].
        sample_rate_hz: its rate.
        view: its spectrogram.
    """
    if machine.cycle is None:
        return _steady(machine, samples, sample_rate_hz, view)
    sounding = tuple(pulse for pulse in machine.cycle.pulses if pulse.partials or pulse.noise_power)
    cycle = dataclasses.replace(machine.cycle, pulses=sounding)
    machine = dataclasses.replace(machine, cycle=cycle)
    recorded = recorded_powers(samples, sample_rate_hz, view, cycle, machine.period_s)
    proof = None
    if sounding and not any(_is_knock(pulse) for pulse in sounding):
        for spectra in _spectra(machine, recorded, samples, sample_rate_hz):
            found = compare(spectra, cycle, recorded, sample_rate_hz)
            if found.band_off_db <= MOST_BAND_OFF_DB and _holds(found):
                if recorded.repeating and _may_swing(machine, found, samples, sample_rate_hz):
                    proof = None
                    break
                return dataclasses.replace(spectra, proof=found)
            proof = proof or found
    return _recorded(machine, proof, recorded, samples, sample_rate_hz)


def _spectra(machine: Machine, recorded: CyclePowers, samples: np.ndarray, rate: int) -> Iterator[Machine]:
    """Yield a machine with one spectrum, with a level of each tone, and both with noise beside the tones."""
    both = (machine, dataclasses.replace(machine, one_spectrum=False))
    yield from both
    if machine.partials:
        yield from (made for one in both if (made := with_noise(one, recorded, samples, rate)) is not None)


def _may_swing(machine: Machine, proof: Proof, samples: np.ndarray, rate: int) -> bool:
    """Return whether no gate shows: a pitch that swings repeats as well."""
    if not _BEATS_S[0] <= machine.period_s < _BEATS_S[1]:
        return False
    lead = gate_lead(machine, samples, rate)
    if lead is not None and (lead.shown or lead.swings):
        return lead.swings
    return _course_likeness(proof) < _LEAST_COURSE


def _holds(proof: Proof) -> bool:
    return proof.misfit <= MOST_MISFIT and proof.explained >= LEAST_EXPLAINED


def _course_likeness(proof: Proof) -> float:
    """Return which share of the variance of the recorded level over a cycle the preset explains, in its room; below 0 where it adds to it."""
    assert proof.course is not None
    heard, made = proof.course
    return float(1.0 - ((heard - made) ** 2).sum() / max(float(((heard - heard.mean()) ** 2).sum()), 1e-30))


def _is_knock(pulse: Pulse) -> bool:
    """Return whether a short pulse has strong tones that are closer than one over its length, and so cannot be told apart."""
    strong = sorted(p.hz for p in pulse.partials if p.power > _STRONG * pulse.partials[0].power)
    return pulse.length_s < _TONE_S and bool((np.diff(strong) < 1.0 / pulse.length_s).any())


def _steady(machine: Machine, samples: np.ndarray, rate: int, view: Spectrogram) -> Machine | None:
    span_s = 1.0 / machine.am_hz if machine.am_depth else _STEADY_S
    starts_s = np.arange(0.0, samples.size / rate - span_s, span_s)
    cycle = Cycle(starts_s, span_s, (), silent=False)
    recorded = recorded_powers(samples, rate, view, cycle, span_s)
    proof = compare(machine, cycle, recorded, rate)
    return dataclasses.replace(machine, proof=proof) if _holds(proof) else None


def _recorded(
    machine: Machine, proof: Proof | None, recorded: CyclePowers, samples: np.ndarray, rate: int
) -> Machine | None:
    """Return a machine whose preset is its recorded cycle, with those of its pulses and tones that hold; None where its repeats differ."""
    assert machine.cycle is not None
    made = recorded_cycle(samples, rate, machine.cycle, machine.period_s, fixed=not machine.jitter_s)
    if made is None:
        return None
    waveform, level_db = made
    whole = compare_waveform(waveform, machine.cycle, recorded)
    whole = dataclasses.replace(whole, explained=min(whole.explained, waveform.likeness))
    if whole.explained < _LEAST_LIKENESS:
        return None
    pulses: tuple[Pulse, ...] = ()
    if proof is not None and proof.misfit <= _TIMES_MISFIT and proof.explained >= _TIMES_EXPLAINED:
        pulses = tuple(
            dataclasses.replace(pulse, partials=_tones(pulse.partials, pulse.length_s, proof))
            for pulse in machine.cycle.pulses
        )
    tones = {p.hz for pulse in pulses for p in pulse.partials}
    partials = tuple(p for p in machine.partials if any(abs(p.hz - hz) < 0.012 * hz for hz in tones))
    return dataclasses.replace(
        machine,
        fundamental_hz=machine.fundamental_hz if partials else 0.0,
        partials=partials,
        cycle=dataclasses.replace(machine.cycle, pulses=pulses),
        level_db=level_db,
        above_background_db=machine.above_background_db + level_db - machine.level_db,
        proof=whole,
        recorded=waveform,
    )


def _tones(partials: tuple[Partial, ...], length_s: float, proof: Proof) -> tuple[Partial, ...]:
    """Return the partials that explain the level of their band; of short pulses none, whose spectra are those of knocks."""
    if length_s < _TONE_S:
        return ()
    right = [(low, high) for low, high, off_db in proof.bands if abs(off_db) <= _TONE_BAND_DB]
    return tuple(p for p in partials if any(low <= p.hz < high for low, high in right))
