"""A slow machine under a fast one: the fast one is subtracted as a comb, and the slow one is measured in the rest.

Where both sound, the spectrogram repeats with neither period, or only with that of the louder machine. The period of the fast one is
known precisely enough (`comb`) to subtract it as a waveform. The slow one is not: the phase of its tones may differ from cycle to
cycle. So its bands are attenuated in the rest to their level in the quietest quarter of the time, and that rest is added to the fast
machine again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from roomtone.measure.detection.comb import Comb, find_comb

#: A machine under a comb is another one if its period is more than so many times that of the comb.
_SLOWER = 3.0
#: Half the bandwidth attenuated around a partial of the slow machine: a share of its frequency, at least so many Hz.
_BAND, _BAND_HZ = 0.015, 40.0
_WINDOW_S, _HOP_S = 0.064, 0.016


def split_fast_machine(samples: np.ndarray, sample_rate_hz: int) -> tuple[Comb, np.ndarray] | None:
    """Return the comb of a fast machine and the rest of the recording [shape=(samples,)]; None where there is no fast machine.

    Args:
        samples: the recording.
        sample_rate_hz: its rate.
    """
    comb = find_comb(samples, sample_rate_hz)
    if comb is None:
        return None
    return comb, samples - comb.wave(samples.size, sample_rate_hz)


def is_slower(period_s: float, comb: Comb) -> bool:
    """Return whether a period (seconds; 0 for none) is that of another machine than the comb.

    Args:
        period_s: in seconds; 0 for none.
        comb: of the other machine.
    """
    return period_s == 0.0 or period_s > _SLOWER * comb.period_s


def suppress_bands(rest: np.ndarray, sample_rate_hz: int, partials_hz: Sequence[float]) -> np.ndarray:
    """Return a signal whose bands around some partials are never louder than in the quietest quarter of the time [shape=(samples,)].

    Args:
        rest: the signal.
        sample_rate_hz: its rate.
        partials_hz: centres of the bands.
    """
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
