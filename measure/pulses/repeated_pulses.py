"""Pulses of a cycle that are the same sound, timed against one another.

In one room the same sound is heard the same way each time. So what a room hides of a single pulse, its start and length, it does not hide of the
difference between two: their basebands agree at the right lag, whatever the response.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from roomtone.measure.gating.basebands import BASE_HZ, Basebands, coherent_mean, cut_cycles
from roomtone.measure.spectra.cycle import Pulse

#: Partials compared, half the bandwidth around each, and the least power of one re the strongest.
_PARTIALS, _HALF_HZ, _WEAKEST = 3, 60.0, 0.03
#: Frequencies of the same partial are this close, as a share.
_SAME = 0.01
#: Lags tried, and the time compared before and after a pulse.
_REACH_S, _BEFORE_S, _AFTER_S = 0.04, 0.02, 0.08
#: Likeness from which two pulses are the same sound.
_ALIKE = 0.9


def retimed(bands: Basebands, starts_s: np.ndarray, pulses: Sequence[Pulse]) -> list[Pulse]:
    """Return pulses in order of time, those of the same sound with lengths in common and onsets that agree with their lags.

    Args:
        bands: of the recording.
        starts_s: of the cycles.
        pulses: of one cycle, in order of time.
    """
    out = list(pulses)
    for group in _same_sounds(pulses):
        model = pulses[group[0]]
        length_s = _length_s([pulses[k].length_s for k in group])
        wave = _waves(bands, starts_s, model, model.onset_s - _BEFORE_S, _BEFORE_S + length_s + _AFTER_S)
        if wave is None:
            continue
        lags = {group[0]: 0.0}
        for k in group[1:]:
            begin_s = pulses[k].onset_s - _BEFORE_S - _REACH_S
            other = _waves(bands, starts_s, model, begin_s, _BEFORE_S + length_s + _AFTER_S + 2.0 * _REACH_S)
            found = None if other is None else _lag_s(wave, other)
            if found is not None:
                lags[k] = pulses[k].onset_s - model.onset_s + found
        if len(lags) > 1:
            first_s = float(np.median([pulses[k].onset_s - lag_s for k, lag_s in lags.items()]))
            length_s = _length_s([pulses[k].length_s for k in lags])
            for k, lag_s in lags.items():
                out[k] = dataclasses.replace(out[k], onset_s=first_s + lag_s, length_s=length_s)
    return sorted(out, key=lambda pulse: pulse.onset_s)


def _length_s(lengths_s: Sequence[float]) -> float:
    """Return the median length, of an even number the lower of the two: reverberation fills gaps, so errors are long rather than short."""
    return sorted(lengths_s)[(len(lengths_s) - 1) // 2]


def _same_sounds(pulses: Sequence[Pulse]) -> list[list[int]]:
    """Return groups of two pulses or more, by index, with the same strong partials, constant or decaying alike."""
    groups: list[list[int]] = []
    for k, pulse in enumerate(pulses):
        if not pulse.partials or pulse.glide != 1.0:
            continue
        same = next((group for group in groups if _is_same(pulses[group[0]], pulse)), None)
        if same is None:
            groups.append([k])
        else:
            same.append(k)
    return [group for group in groups if len(group) > 1]


def _is_same(one: Pulse, other: Pulse) -> bool:
    def strong(pulse: Pulse) -> list[float]:
        return [p.hz for p in pulse.partials[:_PARTIALS] if p.power > 10.0 * _WEAKEST * pulse.partials[0].power]

    pairs = ((strong(one), other), (strong(other), one))
    return one.decaying == other.decaying and all(
        any(abs(hz / p.hz - 1.0) < _SAME for p in pulse.partials) for own, pulse in pairs for hz in own
    )


def _waves(
    bands: Basebands, starts_s: np.ndarray, pulse: Pulse, begin_s: float, duration_s: float
) -> list[np.ndarray] | None:
    """Return the strong partials of a stretch of the cycle at 0 Hz, averaged over cycles [shape=(samples,)] each; None at the recording's ends."""
    out = []
    for partial in pulse.partials[:_PARTIALS]:
        if partial.power > _WEAKEST * pulse.partials[0].power:
            z = bands.at(partial.hz, _HALF_HZ)
            cycles = cut_cycles(z, starts_s + begin_s, 1.0 / BASE_HZ, round(duration_s * BASE_HZ))
            if not cycles.shape[1]:
                return None
            out.append(coherent_mean(cycles)[0])
    return out


def _lag_s(waves: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> float | None:
    """Return by how much later the others are like the waves, in seconds re the middle; None where they never are."""
    scores, most = 0.0, 0.0
    for wave, other in zip(waves, others):
        moved = np.lib.stride_tricks.sliding_window_view(other, wave.size)
        energy = float((np.abs(wave) ** 2).sum())
        own = np.abs(moved @ wave.conj()) / np.sqrt(np.maximum((np.abs(moved) ** 2).sum(axis=1) * energy, 1e-30))
        scores, most = scores + energy * own, most + energy
    alike = np.asarray(scores / max(most, 1e-30))
    k = int(np.argmax(alike))
    if alike[k] < _ALIKE:
        return None
    offset = 0.0
    if 0 < k < alike.size - 1:
        left, middle, right = alike[k - 1 : k + 2]
        offset = 0.5 * (left - right) / min(left - 2.0 * middle + right, -1e-12)
    return float((k + offset) / BASE_HZ - _REACH_S)
