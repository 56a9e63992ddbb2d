"""The machines of a recording: those that repeat and those that never stop.

Order of work: does the spectrogram repeat after a fixed time (`periodicity`)? The bins that do are one machine, and its cycle is taken
apart into pulses (`pulses`); the other bins are tested again, which separates a second machine with another period. Lines that are there
all the time are a steady machine (`stationary`), grouped under a fundamental (`harmonics`).

A machine is claimed only where a test says so: cycles that resemble each other, a line in 80 % of all seconds, or, where nothing repeats, a few
tones of constant pitch in a recording that is otherwise quiet (`aperiodic`). Where none of these holds, nothing is claimed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from roomtone.augment.ops.sources.schedule import Timing
from roomtone.measure.detection.aperiodic import aperiodic_cycle, is_aperiodic
from roomtone.measure.detection.modulation import is_amplitude_modulated, with_sidebands
from roomtone.measure.detection.periodicity import Repetition, find_repetition
from roomtone.measure.detection.stationary import SteadyLine, amplitude_modulation, find_steady_lines
from roomtone.measure.detection.two_machines import is_slower, split_fast_machine, suppress_bands
from roomtone.measure.detection.weak_harmonics import weak_multiples
from roomtone.measure.machine import EquipmentFound, Machine
from roomtone.measure.proof.prove import proved
from roomtone.measure.pulses.band_energy import add_weak_harmonics, distribute_levels, is_same_partial, partial_levels
from roomtone.measure.pulses.pulses import cycle_of, measure_cycle
from roomtone.measure.pulses.steady_levels import without_noise_peaks
from roomtone.measure.spectra.cycle import Cycle, Pulse
from roomtone.measure.spectra.epoch_folding import fold
from roomtone.measure.spectra.harmonics import fundamental, harmonic_numbers
from roomtone.measure.spectra.onset_spans import SHORT_S
from roomtone.measure.spectra.spectrogram import Partial, Spectrogram, baseband, spectrogram

#: Least correlation of a bin with itself one period later to belong to the machine.
_BIN_LIKENESS = 0.3
#: Most periodic machines in one recording.
_MOST = 3
#: Fewer cycles than this, and a period may be chance.
_FEW_CYCLES = 4.0
#: The strongest partial of a steady machine must exceed the background by this.
_LONE_LINE_DB = 12.0
#: Tolerance for the distance of a sideband.
_SIDEBAND_HZ = 0.5
#: Smaller deviations of bursts are those of the measurement; bursts from which on their kind can be told.
_LEAST_JITTER_S, _TELLING = 0.006, 12
#: Lines so far below a pulsed machine, 1 % of its power, that swell with its period are its own.
_FAINT_DB = 20.0
#: A line whose level varies over a cycle by this ratio of powers is part of that cycle.
_VARIES = 4.0


def measure_equipment(samples: np.ndarray, sample_rate_hz: int) -> EquipmentFound:
    """Return the machines that a recording holds; none where nothing repeats and no line is there all the time.

    Args:
        samples: float [shape=(samples,)], full scale +-1; at least a second.
        sample_rate_hz: its rate in Hz.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # matrices of a hundred rows: threads cost more time than they save
        return _measure(np.asarray(samples, dtype=np.float64), sample_rate_hz)


def _measure(samples: np.ndarray, sample_rate_hz: int) -> EquipmentFound:
    """Return all machines; a slow and a fast one are separated first where both are there."""
    apart = split_fast_machine(samples, sample_rate_hz)
    if apart is not None:
        comb, rest = apart
        slow = [m for m in _measure_single(rest, sample_rate_hz).machines if m.cycle and is_slower(m.period_s, comb)]
        if slow:
            taken = rest - suppress_bands(rest, sample_rate_hz, [p.hz for machine in slow for p in machine.partials])
            fast = _measure_single(samples - taken, sample_rate_hz)
            others = [m for m in fast.machines if not m.cycle or not is_slower(m.period_s, comb)]
            machines = sorted([*slow, *others], key=lambda machine: -machine.level_db)
            return dataclasses.replace(fast, machines=tuple(machines))
    return _measure_single(samples, sample_rate_hz)


def _measure_single(samples: np.ndarray, sample_rate_hz: int) -> EquipmentFound:
    """Return the machines that one spectrogram shows."""
    view = spectrogram(samples, sample_rate_hz, window_s=0.064, hop_s=0.005)
    picture = np.sqrt(np.maximum(view.power - 2.0 * view.floor[:, None], 0.0))
    background = float(10.0 * np.log10(view.floor.sum() / 1.5 + 1e-30))  # a Hann window spreads noise over 1.5 bins
    left = np.ones(picture.shape[0], dtype=bool)
    left[:2] = False
    machines: list[Machine] = []
    for _ in range(_MOST):
        found = _repeating_bins(picture * left[:, None], view.hop_s)
        if found is None:
            break
        repetition, rows = found
        few = repetition.period_s > samples.size / sample_rate_hz / _FEW_CYCLES
        if few and not machines and is_aperiodic(samples, sample_rate_hz, repetition.period_s):
            break
        if not is_amplitude_modulated(samples, sample_rate_hz, rows * view.bin_hz, repetition.period_s):
            machine = _pulsed(samples, sample_rate_hz, rows * view.bin_hz, repetition, background)
            machines += _claimed([machine], machines, samples, sample_rate_hz, view)
        left[np.unique(np.clip(np.concatenate([rows + d for d in (-2, -1, 0, 1, 2)]), 0, left.size - 1))] = False
    if not machines:
        machines += _claimed(_aperiodic(samples, sample_rate_hz, background), [], samples, sample_rate_hz, view)
    lines = _free_lines(samples, sample_rate_hz, find_steady_lines(samples, sample_rate_hz), machines)
    machines += _claimed(_steady(samples, sample_rate_hz, lines, background), machines, samples, sample_rate_hz, view)
    machines.sort(key=lambda machine: -machine.level_db)
    return EquipmentFound(tuple(machines), background, samples.size / sample_rate_hz)


def _claimed(
    candidates: list[Machine], claimed: Sequence[Machine], samples: np.ndarray, rate: int, view: Spectrogram
) -> list[Machine]:
    """Return what is proved of some candidates.

    A recorded cycle already holds everything that repeats with its period; what has the period and the tones of a machine is what the search left of it; and
    faint lines that swell with the period of a machine are part of it.
    """
    found = []
    for candidate in candidates:
        own_s = 1.0 / candidate.am_hz if candidate.am_depth else candidate.period_s
        whole = [
            m.period_s
            for m in claimed
            if m.period_s
            and own_s
            and (m.recorded is not None or (candidate.am_depth and candidate.level_db < m.level_db - _FAINT_DB))
        ]
        if any(_is_multiple(own_s, period_s) for period_s in whole) or any(_is_same(candidate, m) for m in claimed):
            continue
        machine = proved(candidate, samples, rate, view)
        if machine is not None:
            found.append(machine)
    return found


def _is_same(candidate: Machine, claimed: Machine) -> bool:
    """Return whether a candidate is what a claimed machine left: its period, and the strongest partials of its pulses."""
    own = [pulse.partials[0].hz for pulse in (candidate.cycle.pulses if candidate.cycle else ()) if pulse.partials]
    return (
        bool(own and claimed.period_s and candidate.period_s)
        and _is_multiple(candidate.period_s, claimed.period_s)
        and all(any(is_same_partial(hz, p.hz) for p in claimed.partials) for hz in own)
    )


def _is_multiple(one_s: float, other_s: float) -> bool:
    """Return whether one period is a multiple of another, within 1 % of the shorter one."""
    ratio = max(one_s, other_s) / min(one_s, other_s)
    return abs(ratio - round(ratio)) < 0.01 * max(round(ratio), 1)


def _repeating_bins(picture: np.ndarray, hop_s: float) -> tuple[Repetition, np.ndarray] | None:
    """Return the repetition of a spectrogram and the bins that take part in it; None where nothing repeats.

    One loud steady or irregular sound hides a machine from a correlation over all bins, so bins whose level varies are tested as a group.
    """
    power = (picture - picture.mean(axis=1, keepdims=True)) ** 2
    energy = power.sum(axis=1)
    if not energy.any():
        return None
    found = find_repetition(picture, hop_s, shortest_s=0.05)
    if found is None:
        rows = _varying_bins(picture)
        if rows.size < 2:
            return None
        weighted = picture[rows] / np.maximum(np.sqrt(energy[rows])[:, None], 1e-20)
        found = find_repetition(weighted, hop_s, shortest_s=0.05)
        if found is None:
            return None
    lag = round(found.period_s / hop_s)
    alike = _alike(picture, lag)
    rows = np.flatnonzero((alike > _BIN_LIKENESS) & (energy > 2e-4 * energy.max()))
    return (found, rows) if rows.size else None


def _varying_bins(picture: np.ndarray) -> np.ndarray:
    """Return the bins whose level varies: their 98th percentile is four times the 40th or more."""
    high, middle = np.quantile(picture, 0.98, axis=1), np.quantile(picture, 0.4, axis=1)
    strong = high > 0.05 * high.max()
    return np.flatnonzero(strong & (high > 4.0 * middle))


def _alike(picture: np.ndarray, lag: int) -> np.ndarray:
    rows = picture - picture.mean(axis=1, keepdims=True)
    one, two = rows[:, :-lag], rows[:, lag:]
    scale = np.sqrt((one * one).sum(axis=1) * (two * two).sum(axis=1))
    return np.asarray((one * two).sum(axis=1) / np.maximum(scale, 1e-30))


def _pulsed(samples: np.ndarray, rate: int, rows_hz: np.ndarray, found: Repetition, background: float) -> Machine:
    cycle = without_noise_peaks(samples, rate, measure_cycle(samples, rate, rows_hz, found.period_s))
    return _machine(samples, rate, cycle, found.period_s, found.likeness, background)


def _aperiodic(samples: np.ndarray, rate: int, background: float) -> list[Machine]:
    """Return the machine that sounds once or without a fixed period, if nothing else sounds."""
    found = aperiodic_cycle(samples, rate)
    if found is None:
        return []
    rough, rows_hz, period_s = found
    cycle = cycle_of(samples, rate, rows_hz, rough)
    if not cycle.pulses or any(pulse.decaying for pulse in cycle.pulses):
        return []
    cycle = dataclasses.replace(cycle, clock=not period_s)
    return [_machine(samples, rate, cycle, period_s, 1.0, background)]


def _machine(
    samples: np.ndarray, rate: int, cycle: Cycle, period_s: float, likeness: float, background: float
) -> Machine:
    """Return the machine of a cycle, with the levels of its partials."""
    cycle = dataclasses.replace(cycle, pulses=tuple(add_weak_harmonics(samples, rate, cycle)))
    held = [pulse for pulse in cycle.pulses if pulse.glide == 1.0]  # the levels of sweeps are those along their lines
    swept = [pulse for pulse in cycle.pulses if pulse.glide != 1.0]
    partials, steady_hz = partial_levels(samples, rate, cycle, merged_partials(held))
    shared = distribute_levels(held, partials, steady_hz)
    cycle = dataclasses.replace(cycle, pulses=tuple(sorted([*shared, *swept], key=lambda pulse: pulse.onset_s)))
    partials += merged_partials(swept)
    powers = [sum(p.power for p in pulse.partials) + pulse.noise_power for pulse in cycle.pulses]
    level = float(10.0 * np.log10(float(np.mean(powers or [0.0])) + 1e-30))
    f0 = burst_pitch(cycle.pulses)
    jitter, timing = _jitter(cycle, period_s)
    machine = Machine("pulsed", f0, tuple(partials), period_s, cycle, jitter, likeness, level, level - background)
    return dataclasses.replace(machine, timing=timing)


def _jitter(cycle: Cycle, period_s: float) -> tuple[float, Timing]:
    """Return the largest deviation of a burst, and whether deviations add up, which is told from a dozen bursts on."""
    starts = cycle.starts_s[1:-1] if cycle.starts_s.size > 5 else cycle.starts_s  # the ends of the recording cut cycles
    if starts.size < 4 or period_s <= SHORT_S:
        return 0.0, "grid"
    index = np.round((starts - starts[0]) / period_s) if cycle.clock else np.arange(float(starts.size))
    off = starts - np.polyval(np.polyfit(index, starts, 1), index)
    spread = float(np.std(off) * np.sqrt(3.0))  # uniform within +-jitter has a standard deviation of jitter / sqrt(3)
    if spread > _LEAST_JITTER_S and _adds_up(starts, off, index):
        return float(np.std(np.diff(starts)) * np.sqrt(3.0)), "accumulate"
    if not cycle.clock:
        return float(np.ptp(starts - period_s * index) / 2.0), "grid"
    return (spread if spread > _LEAST_JITTER_S else 0.0), "grid"


def _adds_up(starts_s: np.ndarray, off_s: np.ndarray, index: np.ndarray) -> bool:
    """Return whether each burst counts from the last one: steps then vary far less than twice as much as deviations do (von Neumann 1941)."""
    count = starts_s.size
    if count < _TELLING or (np.diff(index) != 1.0).any():
        return False
    ratio = np.var(np.diff(starts_s)) / (2.0 * np.var(off_s))
    return bool(ratio < 1.0 - 3.0 * np.sqrt((count - 2.0) / (count**2 - 1.0)))  # three standard errors on a grid


def burst_pitch(pulses: Sequence[Pulse]) -> float:
    """Return the fundamental of the first tonal pulse, in Hz; 0 where there is none."""
    tonal = [pulse for pulse in pulses if pulse.partials]
    return fundamental(tonal[0].partials, tolerance_hz=2.0) if tonal else 0.0


def merged_partials(pulses: Sequence[Pulse]) -> list[Partial]:
    """Return the partials of all pulses, near frequencies merged, each with its mean power over the time for which the machine sounds."""
    total = sum(pulse.length_s for pulse in pulses) or 1.0
    merged: list[list[float]] = []
    for pulse in pulses:
        for partial in pulse.partials:
            weight = partial.power * pulse.length_s / total
            same = next((m for m in merged if is_same_partial(m[0], partial.hz)), None)
            if same is None:
                merged.append([partial.hz, weight, partial.excess_db])
            else:
                same[0] = (same[0] * same[1] + partial.hz * weight) / (same[1] + weight)
                same[1] += weight
                same[2] = max(same[2], partial.excess_db)
    return sorted((Partial(*m) for m in merged), key=lambda partial: -partial.power)


def _free_lines(samples: np.ndarray, rate: int, lines: list[SteadyLine], machines: list[Machine]) -> list[SteadyLine]:
    """Return the lines that are not those of a pulsed machine: pulses that repeat exactly have lines 1 / period apart."""
    kept = []
    for line in lines:
        hz = line.partial.hz
        for machine in machines:
            pulses = machine.cycle.pulses if machine.cycle else ()
            width = max(25.0, 4.0 / max(min((p.length_s for p in pulses), default=0.1), 0.02)) if pulses else 0.0
            if 0 < machine.period_s < SHORT_S or any(
                abs(hz - p.hz) < width and line.partial.power < 1.5 * p.power for p in machine.partials
            ):
                break
            if machine.recorded is not None and machine.cycle is not None and _varies(samples, rate, hz, machine.cycle):
                break
        else:
            kept.append(line)
    return kept


def _varies(samples: np.ndarray, rate: int, hz: float, cycle: Cycle) -> bool:
    """Return whether the level around a frequency varies over a cycle by 6 dB or more."""
    z = baseband(samples, rate, hz, min(25.0, 0.2 * hz), 200.0)
    level = fold(np.abs(z)[None, :] ** 2, cycle.starts_s * 200.0, max(4, round(cycle.span_s * 200.0)))[0]
    low, high = np.quantile(level, (0.1, 0.9))
    return bool(high > _VARIES * low)


def _steady(samples: np.ndarray, rate: int, lines: list[SteadyLine], background: float) -> list[Machine]:
    """Return the steady machines: lines grouped under fundamentals, the strongest group first."""
    machines: list[Machine] = []
    left = list(lines)
    while left and len(machines) < 2:
        partials = [line.partial for line in left]
        f0 = fundamental(partials)
        number = harmonic_numbers(np.array([p.hz for p in partials]), f0, 1.0)
        fractional = harmonic_numbers(np.array([p.hz * 7 for p in partials]), f0, 2.0)
        own = [i for i in range(len(left)) if number[i] > 0 or (0 < fractional[i] < 7)]
        chosen = [left[i] for i in own] or left[:1]
        strong = [line.partial for line in chosen]
        power = sum(p.power for p in strong)
        if strong[0].excess_db < _LONE_LINE_DB or (
            machines and power < 0.003 * sum(p.power for m in machines for p in m.partials)
        ):
            break
        am_hz, depth = amplitude_modulation(samples, rate, strong)
        share = power / sum(p.power for p in partials)
        tones = [*strong, *weak_multiples(samples, rate, strong, f0)]
        if depth:
            tones = with_sidebands(samples, rate, tones, am_hz)
            power = sum(p.power for p in tones)
        level = float(10.0 * np.log10(power))
        drift = float(np.median([line.drift for line in chosen[:5]]))
        machines.append(
            Machine("steady", f0, tuple(tones), 0.0, None, 0.0, share, level, level - background, drift, am_hz, depth)
        )
        own_hz = [p.hz for p in tones]
        left = [line for line in left if line not in chosen and not _is_sideband(line.partial.hz, own_hz, am_hz)]
        if not any(line.partial.excess_db > _LONE_LINE_DB for line in left):
            break
    return machines


def _is_sideband(hz: float, partials_hz: Sequence[float], am_hz: float) -> bool:
    """Return whether a line is a sideband of a modulated partial, which a room may leave weaker than it."""
    return bool(am_hz) and any(abs(abs(hz - own) - am_hz) < _SIDEBAND_HZ for own in partials_hz)
