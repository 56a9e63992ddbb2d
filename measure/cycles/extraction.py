"""One cycle of a machine as a waveform: what all its repeats share, and of a typical repeat also what they do not share.

In time and frequency each repeat is `X_k = S + R_k + N_k`: S is the same each time (a beep, a clunk), R_k is new each time (a stroke of noise, a
tone of another phase), N_k is background. The mean of the repeats estimates S. The rest of each repeat is R_k and N_k; the power of the background is
known from the quiet part of the cycle, so the rest of a typical repeat is scaled to the power that R alone has. So any mixture of beeps and
noise has the right spectrum over time, and a steady sound under the machine is taken for background.
"""

from __future__ import annotations

import numpy as np

#: Window and hop of the short-time spectra.
_WINDOW_S, _HOP_S = 0.032, 0.008
#: At most so many repeats are used.
_MOST = 40
#: Quantile of the power over the cycle that is taken for the background of a machine which falls silent.
_QUIET = 0.1
#: Power re that of the background's error, from which a cell is kept.
_CERTAIN = 2.0


def extract_cycle(
    samples: np.ndarray, sample_rate_hz: int, starts_s: np.ndarray, size: int, background: np.ndarray | None
) -> tuple[np.ndarray, int] | None:
    """Return the waveform of a cycle [shape=(size,)] and the number of repeats used; None where no repeat is inside the recording.

    Args:
        samples: the recording [shape=(samples,)].
        sample_rate_hz: its rate.
        starts_s: where each repeat starts.
        size: samples of the waveform.
        background: power of the background per bin of a window of 32 ms [shape=(bins,)]; None takes it from the quietest tenth of the cycle.
    """
    from scipy.signal import ShortTimeFFT, windows

    window, hop = round(_WINDOW_S * sample_rate_hz), round(_HOP_S * sample_rate_hz)
    transform = ShortTimeFFT(windows.hann(window, sym=False), hop, sample_rate_hz)
    pieces = [_piece(samples, start * sample_rate_hz - window, size + 2 * window) for start in starts_s]
    repeats = np.stack([transform.stft(piece) for piece in pieces if piece is not None][:_MOST] or [np.zeros((0, 0))])
    count = repeats.shape[0]
    if not repeats.size:
        return None
    mean = repeats.mean(axis=0)
    rest = repeats - mean
    power, shared, apart = (
        _smooth(p) for p in ((np.abs(repeats) ** 2).mean(axis=0), np.abs(mean) ** 2, (np.abs(rest) ** 2).mean(axis=0))
    )
    noise = (np.quantile(power, _QUIET, axis=1) if background is None else background)[:, None]
    wanted = np.maximum(power - noise, 0.0)
    # the mean holds the background divided by the number of repeats
    held = np.maximum(shared - _CERTAIN * noise / count, 0.0) if count > 1 else wanted
    kept = np.sqrt(held / np.maximum(shared, 1e-30))
    gain = np.sqrt(np.maximum(wanted - held, 0.0) / np.maximum(apart, 1e-30))
    gain[wanted < _CERTAIN * noise / np.sqrt(count)] = 0.0
    typical = int(np.argsort((np.abs(rest) ** 2).sum(axis=(1, 2)))[count // 2])
    made = transform.istft(mean * np.minimum(kept, 1.0) + np.minimum(gain, 1.0) * rest[typical], k1=size + 2 * window)
    return np.asarray(np.real(made)[window : window + size]), count


def _smooth(power: np.ndarray) -> np.ndarray:
    from scipy.ndimage import uniform_filter

    return np.asarray(uniform_filter(power, size=(3, 3), mode="nearest"))


def _piece(samples: np.ndarray, first: float, size: int) -> np.ndarray | None:
    """Return samples from a fractional index on, by a linear phase [shape=(size,)]; None where some are outside the recording."""
    from scipy import fft

    whole = int(np.floor(first))
    if whole < 0 or whole + size > samples.size:
        return None
    length = fft.next_fast_len(size + 64, real=True)
    spectrum = fft.rfft(samples[whole : whole + size], length)
    ahead = (first - whole) * np.arange(spectrum.size) / length
    return np.asarray(fft.irfft(spectrum * np.exp(2j * np.pi * ahead), length)[:size])
