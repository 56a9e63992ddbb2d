"""The recorded cycle of a machine as its preset holds it: aligned, cleaned, faded at its ends, at the nominal level of sources."""

from __future__ import annotations

import numpy as np

from roomtone.measure.cycles.alignment import align_waveforms
from roomtone.measure.cycles.extraction import extract_cycle
from roomtone.measure.machine import CycleWaveform
from roomtone.measure.spectra.cycle import Cycle
from roomtone.measure.spectra.epoch_folding import fold
from roomtone.measure.spectra.onset_spans import sounding_spans

#: RMS while it sounds, as of the sources that are made from numbers.
NOMINAL_RMS = 0.1
#: Crossfade from cycle to cycle; at most a quarter of the cycle.
_SEAM_S = 0.03
#: Blocks in which the level of the waveform is read.
_BLOCK_S = 0.004
#: A machine that sounds for this share of its cycle never falls silent.
_ALWAYS = 0.93
#: Bins in which halves of the repeats are compared: their width, and the ratio of powers that counts as a difference.
_BAND_HZ, _FACTOR = 100.0, 4.0


def recorded_cycle(
    samples: np.ndarray, sample_rate_hz: int, cycle: Cycle, period_s: float, *, fixed: bool
) -> tuple[CycleWaveform, float] | None:
    """Return the recorded cycle of a machine, and its level in dB re full scale while it sounds; None where no whole cycle is recorded.

    Args:
        samples: the recording [shape=(samples,)].
        sample_rate_hz: its rate.
        cycle: when it repeats.
        period_s: from cycle to cycle; 0 for a single occurrence.
        fixed: whether cycles follow a fixed period.
    """
    starts_s = align_waveforms(samples, sample_rate_hz, cycle.starts_s, cycle.span_s, fixed=fixed)
    seam_s = min(_SEAM_S, 0.25 * cycle.span_s) if period_s else 0.0
    seam, size = round(seam_s * sample_rate_hz), round((cycle.span_s + seam_s) * sample_rate_hz)
    made = extract_cycle(samples, sample_rate_hz, starts_s - 0.5 * seam_s, size, None)
    if made is None:
        return None
    wave, repeats = made
    fade = np.sin(0.5 * np.pi * (np.arange(seam) + 0.5) / max(seam, 1)) ** 2
    wave[:seam] *= fade
    wave[size - seam :] *= fade[::-1]
    sounds = _sounds(wave, sample_rate_hz, cycle.span_s)
    rms = _rms(wave, sample_rate_hz, sounds, cycle.span_s)
    if rms <= 0.0:
        return None
    likeness = _likeness(samples, sample_rate_hz, starts_s, cycle.span_s)
    recorded = CycleWaveform(
        wave * (NOMINAL_RMS / rms), sample_rate_hz, repeats, float(starts_s[0]) - 0.5 * seam_s, sounds, likeness
    )
    return recorded, float(20.0 * np.log10(rms))


def _sounds(wave: np.ndarray, rate: int, span_s: float) -> tuple[tuple[float, float], ...]:
    """Return `(onset, length)` in seconds of each sound in a waveform; none where it never falls silent."""
    block = round(_BLOCK_S * rate)
    level = (wave[: wave.size // block * block].reshape(-1, block) ** 2).mean(axis=1)
    spans = [(on * _BLOCK_S, (off - on) * _BLOCK_S) for on, off in sounding_spans(level, _BLOCK_S)]
    if not spans or sum(length for _, length in spans) > _ALWAYS * span_s:
        return ()
    return tuple((round(onset, 4), round(length, 4)) for onset, length in spans)


def _rms(wave: np.ndarray, rate: int, sounds: tuple[tuple[float, float], ...], span_s: float) -> float:
    """Return the RMS of a repeating waveform while it sounds."""
    if not sounds:
        return float(np.sqrt((wave**2).sum() / (span_s * rate)))
    parts = [wave[round(onset * rate) : round((onset + length) * rate)] for onset, length in sounds]
    return float(np.sqrt(np.mean(np.concatenate(parts) ** 2)))


def _likeness(samples: np.ndarray, rate: int, starts_s: np.ndarray, span_s: float) -> float:
    """Return the share of the energy of even repeats, above their quietest, that odd repeats predict within 6 dB; 1 for a single one."""
    import librosa

    if starts_s.size < 2:
        return 1.0
    size, hop = round(rate / _BAND_HZ * 2.0), round(0.005 * rate)
    spectrum = np.abs(librosa.stft(samples.astype(np.float32), n_fft=size, hop_length=hop, pad_mode="constant")) ** 2
    frames = max(8, round(span_s * rate / hop))
    even, odd = (fold(spectrum, starts_s[first::2] * rate / hop, frames) for first in (0, 1))
    quiet = np.quantile(0.5 * (even + odd), 0.1, axis=1, keepdims=True)
    even, odd = np.maximum(even - quiet, 0.0), np.maximum(odd - quiet, 0.0)
    certain = np.maximum(even - quiet, 0.0)
    within = (even <= _FACTOR * (odd + quiet)) & (odd <= _FACTOR * (even + quiet))
    return float((certain * within).sum() / max(float(certain.sum()), 1e-30))
