"""How well the render of a preset agrees with the recording: third-octave levels, and the course of each band over the cycle.

In a room the level of a tone departs from its expectation by some 6 dB, for a few hundredths of a second after each start and end even by more. So only larger
differences count: energy that the preset lacks (the recording is 6 dB above it) and energy that it invents (it is 6 dB above the recording).
The room that the preset assumes is the one under which both are least.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roomtone.measure.machine import CycleWaveform, Machine, Proof
from roomtone.measure.proof.band_powers import Look, background_powers, band_powers, look_at
from roomtone.measure.proof.rerender import cycle_powers, reverberation, waveform_powers
from roomtone.measure.spectra.cycle import Cycle
from roomtone.measure.spectra.epoch_folding import fold
from roomtone.measure.spectra.spectrogram import Spectrogram

#: Rooms tried: time constants of the amplitude (T60 / 6.91), and shares of the energy in the reverberation.
TAUS_S = (0.02, 0.04, 0.06, 0.08, 0.11, 0.15, 0.2)
LATE = (0.0, 0.3, 0.6, 0.8, 0.95, 1.0)
#: Walls are not grey: the time constant may fall with frequency, tau (f / 1 kHz) ^ -slope, up to the longest.
SLOPES, LONGEST_S = (0.0, 0.3, 0.6), 0.4
#: Ratio of powers from which a difference counts: 6 dB.
_FACTOR = 4.0
#: After a start or end, energy that the preset lacks does not count for so long: there the room departs from its expectation most.
_TRANSIENT_S = 0.06
#: A window sees a start so much before it.
_EARLY_S = 0.01
#: Time over which powers are averaged.
_SMOOTH_S = 0.015
#: Before the first pulse and after the last, so much time is compared.
_BEFORE_S, _AFTER_S = 0.1, 0.7
#: Least share of the energy of a band whose level is compared.
_BAND = 0.02
#: Share of a cycle, at its start and end, that tells the background of a machine which falls silent; the quietest share of any cycle.
_QUIET, _QUIETEST = 0.06, 0.1


@dataclass(frozen=True)
class CyclePowers:
    """One cycle of a machine as recorded.

    Attributes:
        powers: above the background [shape=(bands, frames)].
        error: standard deviation of the background in each band, in the mean over all cycles [shape=(bands,)].
        look: the resolution.
        repeating: whether the cycle repeats at a fixed period.
    """

    powers: np.ndarray
    error: np.ndarray
    look: Look
    repeating: bool


def recorded_powers(samples: np.ndarray, rate: int, view: Spectrogram, cycle: Cycle, period_s: float) -> CyclePowers:
    """Return the band powers of a cycle, averaged over all its repeats.

    Args:
        samples: the recording.
        rate: its rate in Hz.
        view: its spectrogram, for the background.
        cycle: of the machine.
        period_s: of the machine; 0 where it sounds once.
    """
    look = look_at(cycle.span_s if period_s else np.inf, rate)
    frames = max(8, round(cycle.span_s / look.hop_s))
    mean = fold(band_powers(samples, rate, look), cycle.starts_s / look.hop_s, frames)
    if cycle.silent:
        quiet = max(2, round(_QUIET * frames))
        background = 0.5 * (mean[:, :quiet].mean(axis=1) + mean[:, -quiet:].mean(axis=1))
        # a band that is quieter at another time of the cycle sounds at its ends: two tones in turns
        background = np.minimum(background, np.quantile(_smooth(mean, look.hop_s, bool(period_s)), _QUIETEST, axis=1))
    else:
        background = np.minimum(background_powers(view, look), mean.min(axis=1))
    independent = np.maximum(np.diff(look.edges_hz) * look.window_s * max(cycle.starts_s.size, 1), 1.0)
    repeating = bool(period_s) and cycle.clock
    return CyclePowers(np.maximum(mean - background[:, None], 0.0), background / np.sqrt(independent), look, repeating)


def compare(machine: Machine, cycle: Cycle, recorded: CyclePowers, rate: int) -> Proof:
    """Return how well a machine's parametric preset agrees with its recorded cycle, in the room under which it agrees best.

    Args:
        machine: its preset is rendered.
        cycle: for a steady machine one period of its modulation; else the machine's own.
        recorded: that cycle as recorded.
        rate: of the recording in Hz.
    """
    dry = cycle_powers(machine, rate, recorded.look, recorded.powers.shape[1])
    if machine.cycle is None:
        dry = _in_phase(dry, recorded.powers)
    rooms = list(itertools.product(TAUS_S, LATE, SLOPES))
    return _best(dry, rooms, cycle, recorded, whole=machine.cycle is not None)


def compare_waveform(waveform: CycleWaveform, cycle: Cycle, recorded: CyclePowers) -> Proof:
    """Return how well the waveform of a cycle, repeated as its preset repeats it, agrees with the recorded cycle; it has its room in it.

    Args:
        waveform: of the cycle.
        cycle: as measured.
        recorded: that cycle as recorded.
    """
    period_s = cycle.span_s if recorded.repeating else 0.0
    dry = waveform_powers(waveform, cycle, period_s, recorded.look, recorded.powers.shape[1])
    proof = _best(dry, [(TAUS_S[0], 0.0, 0.0)], cycle, recorded, whole=True)
    return dataclasses.replace(proof, t60_s=0.0)


def _best(
    dry: np.ndarray,
    rooms: Sequence[tuple[float, float, float]],
    cycle: Cycle,
    recorded: CyclePowers,
    *,
    whole: bool,
) -> Proof:
    """Return the agreement of a dry cycle in the room under which least is missing and added.

    Args:
        dry: band powers of one cycle [shape=(bands, frames)].
        rooms: `(time constant in s at 1 kHz, share of the energy in the reverberation, slope of the time constant)` of each.
        cycle, recorded: as of `compare`.
        whole: whether everything that repeats belongs to the machine, or only what is in the bands of its preset: others sound as well.
    """
    hop_s, repeating = recorded.look.hop_s, recorded.repeating
    mask, transient = _times(cycle, dry.shape[1], hop_s, repeating)
    heard = _smooth(recorded.powers, hop_s, repeating) * mask
    certain = np.maximum(heard - 2.0 * recorded.error[:, None] * mask, 0.0)
    allowed = _FACTOR * (heard + 2.0 * recorded.error[:, None])
    found = []
    centre_khz = np.sqrt(recorded.look.edges_hz[1:] * recorded.look.edges_hz[:-1]) / 1000.0
    taus_s = np.array([*TAUS_S, 1.4 * TAUS_S[-1], LONGEST_S])
    tails = reverberation(dry, hop_s, taus_s, repeating=repeating)
    for tau_s, late, slope in rooms:
        nearest = np.abs(np.log(tau_s * centre_khz[:, None] ** -slope / taus_s)).argmin(axis=1)
        made = ((1.0 - late) * dry + late * tails[nearest, np.arange(dry.shape[0])]) * mask
        own = made.sum(axis=1) > 1e-4 * made.sum()
        gain = np.where(own, certain.sum(axis=1) / np.maximum(made.sum(axis=1), 1e-30), 0.0)
        scaled = _smooth(made * gain[:, None], hop_s, repeating)
        lacks = (np.maximum(certain - _FACTOR * scaled, 0.0) * ~transient)[own].sum() / max(certain[own].sum(), 1e-30)
        adds = np.maximum(scaled - allowed, 0.0)[own].sum() / max(scaled[own].sum(), 1e-30)
        found.append((float(lacks + adds), tau_s, late, made, scaled))
    misfit, tau_s, late, made, scaled = min(found, key=lambda one: one[0])
    if not whole:
        certain = certain * (made.sum(axis=1) > _BAND * made.sum())[:, None]
    bands = _band_levels(made, certain, recorded.look)
    within = (scaled <= _FACTOR * heard) & (heard <= _FACTOR * scaled)
    explained = float((certain * within).sum() / max(float(certain.sum()), 1e-30))
    off_db = max((abs(band[2]) for band in bands), default=0.0)
    course = np.stack([heard.sum(axis=0), scaled.sum(axis=0)])
    return Proof(explained, misfit, off_db, round(6.91 * tau_s, 3), round(1.0 - late, 3), bands, course, hop_s)


def _band_levels(made: np.ndarray, certain: np.ndarray, look: Look) -> tuple[tuple[float, float, float], ...]:
    """Return `(lowest Hz, highest Hz, dB)` of each band with a fair share of the energy: the render re the recording, at equal medians."""
    wanted, got = certain.sum(axis=1), made.sum(axis=1)
    strong = np.flatnonzero(wanted > _BAND * wanted.sum())
    if not strong.size:
        return ()
    off_db = 10.0 * np.log10(np.maximum(got[strong], 1e-30) / wanted[strong])
    off_db = off_db - np.median(off_db)
    return tuple((float(look.edges_hz[k]), float(look.edges_hz[k + 1]), float(db)) for k, db in zip(strong, off_db))


def _smooth(powers: np.ndarray, hop_s: float, repeating: bool) -> np.ndarray:
    from scipy.ndimage import uniform_filter1d

    mode = "wrap" if repeating else "nearest"
    return np.asarray(uniform_filter1d(powers, max(1, round(_SMOOTH_S / hop_s)), axis=1, mode=mode))


def _times(cycle: Cycle, frames: int, hop_s: float, repeating: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return which frames are compared, and which follow a start or an end closely, bool [shape=(frames,)] each."""
    times = np.arange(frames) * hop_s
    compared, transient = np.ones(frames, dtype=bool), np.zeros(frames, dtype=bool)
    if not cycle.pulses:
        return compared, transient
    first = min(pulse.onset_s for pulse in cycle.pulses)
    last = max(pulse.onset_s + pulse.length_s for pulse in cycle.pulses)
    if cycle.span_s > last - first + _BEFORE_S + _AFTER_S:
        compared = (times > first - _BEFORE_S) & (times < last + _AFTER_S)
    for edge_s in (edge for p in cycle.pulses for edge in (p.onset_s, p.onset_s + p.length_s)):
        since = times - edge_s + _EARLY_S
        transient |= (since % cycle.span_s if repeating else np.abs(since)) < _TRANSIENT_S + _EARLY_S
    return compared, transient


def _in_phase(dry: np.ndarray, recorded: np.ndarray) -> np.ndarray:
    """Return a cycle shifted to where it resembles the recorded one most: the phase of a modulation is not measured."""
    from scipy import fft

    one, other = dry.sum(axis=0), recorded.sum(axis=0)
    alike = fft.irfft(fft.rfft(other) * fft.rfft(one).conj(), one.size)
    return np.roll(dry, int(np.argmax(alike)), axis=1)
