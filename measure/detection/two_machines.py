"""A slow machine under a fast one: the fast one taken away as a comb, the slow one measured in the rest and taken away in turn.

Where both sound, the picture of the recording repeats with neither period, or with the louder one's alone. The comb of the fast one is
known to a thousandth of a line's width (`comb`), so it can be subtracted as a wave. The slow one cannot: a tone that runs on silently and
one that starts anew differ from cycle to cycle. Its bands are taken out of the rest instead, where they are louder than they are for a quarter
of the time, and what is left of the rest is given back to the fast machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roomtone.measure.detection.comb import Comb, find_comb

#: A machine under a comb is another one if its period is at least so many times the comb's.
_SLOWER = 3.0
#: Half the band taken out around a partial of the slow machine: a share of its frequency, at least so many Hz.
_BAND, _BAND_HZ = 0.015, 40.0
_WINDOW_S, _HOP_S = 0.064, 0.016


def parted(samples: np.ndarray, sample_rate_hz: int) -> tuple[Comb, np.ndarray] | None:
    """Return the comb of a fast machine and the rest of the recording [shape=(samples,)]; None where no fast machine is."""
    comb = find_comb(samples, sample_rate_hz)
    if comb is None:
        return None
    return comb, samples - comb.wave(samples.size, sample_rate_hz)


def slower(period_s: float, comb: Comb) -> bool:
    """Return whether a period is that of another machine than the comb."""
    return period_s == 0.0 or period_s > _SLOWER * comb.period_s


def without_bands(rest: np.ndarray, sample_rate_hz: int, partials_hz: Sequence[float]) -> np.ndarray:
    """Return a signal whose bands around some partials are nowhere louder than in the quietest quarter of the time [shape=(samples,)]."""
    import librosa

    size, hop = round(_WINDOW_S * sample_rate_hz), round(_HOP_S * sample_rate_hz)
    spectrum = librosa.stft(rest, n_fft=size, hop_length=hop)
    hz = np.arange(spectrum.shape[0]) * sample_rate_hz / size
    rows = np.zeros(hz.size, dtype=bool)
    for partial_hz in partials_hz:
        rows |= np.abs(hz - partial_hz) < max(_BAND_HZ, _BAND * partial_hz)
    level = np.abs(spectrum[rows])
    floor = (
        np.quantile(level, 0.25, axis=1, keepdims=True) / 0.536
    )  # the lower quartile of a Rayleigh amplitude re its root mean square
    spectrum[rows] *= np.minimum(1.0, floor / np.maximum(level, 1e-30))
    return np.asarray(librosa.istft(spectrum, hop_length=hop, n_fft=size, length=rest.size))
