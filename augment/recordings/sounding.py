"""Where a recording sounds: clips are padded with zeros to a common length, and some hold one click.

A frame of 20 ms sounds where its RMS is within 50 dB of the loudest frame's and above -90 dBov. So a steady noise sounds all the
time, and so does one that swells by 40 dB; padding, dropouts and the silence around a click do not.
"""

from __future__ import annotations

import numpy as np

FRAME_S = 0.020
_RANGE_DB = 50.0
_FLOOR_DBOV = -90.0
#: A noise that sounds in less of a render than this is refused: an SNR over the whole render says nothing of so short a sound.
LEAST_SHARE = 0.10


def frame_samples(sample_rate_hz: int) -> int:
    """Return the length of a frame in samples."""
    return max(round(FRAME_S * sample_rate_hz), 1)


def frame_powers(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Return the mean square of each frame, float64 [shape=(frames,)]; samples after the last whole frame are left out.

    Args:
        samples: float32 [shape=(samples,)], full scale +-1.0; what is shorter than a frame is one.
        sample_rate_hz: their rate in Hz.
    """
    size = frame_samples(sample_rate_hz)
    count = samples.size // size
    if not count:
        return np.array([float(np.mean(np.square(samples, dtype=np.float64)))]) if samples.size else np.zeros(0)
    from roomtone.core.audio._kernels import block_energies

    powers: np.ndarray = block_energies(samples, size) / size
    return powers


def sounding_frames(powers: np.ndarray) -> np.ndarray:
    """Return which frames sound, bool [shape=(frames,)].

    Args:
        powers: of all frames of one recording or render, as `frame_powers` returns them.
    """
    if not powers.size:
        return np.zeros(0, dtype=bool)
    least = max(float(powers.max()) * 10.0 ** (-_RANGE_DB / 10.0), 10.0 ** (_FLOOR_DBOV / 10.0))
    sounds: np.ndarray = powers > least
    return sounds


def sounding_share(samples: np.ndarray, sample_rate_hz: int) -> float:
    """Return the share of the time in which a signal sounds, 0 to 1.

    Args:
        samples: float32 [shape=(samples,)], full scale +-1.0.
        sample_rate_hz: their rate in Hz.

    >>> second = np.zeros(8000, dtype=np.float32)
    >>> second[:2000] = 0.1
    >>> round(sounding_share(second, 8000), 2)
    0.26
    """
    frames = sounding_frames(frame_powers(samples, sample_rate_hz))
    return float(frames.mean()) if frames.size else 0.0


def offset_where_it_sounds(
    sounds: np.ndarray, sample_rate_hz: int, num_samples: int, last: int, lead: int, draw: float
) -> int:
    """Return where a recording is entered: one of the offsets at which an excerpt sounds at least nine tenths as much as at the best.

    Args:
        sounds: which frames of the recording sound, bool [shape=(frames,)].
        sample_rate_hz: rate at which samples are counted, Hz.
        num_samples: length of the excerpt.
        last: the last offset at which the recording is long enough.
        lead: offsets from here on are preferred, so that a pre-roll finds recorded sound.
        draw: uniform in [0, 1); chooses among them.
    """
    size = frame_samples(sample_rate_hz)
    starts = np.arange(0, last + 1, size)
    wanted = max(num_samples // size, 1)
    before = np.concatenate([[0], np.cumsum(sounds)])
    first = np.minimum(starts // size, sounds.size)
    heard = before[np.minimum(first + wanted, sounds.size)] - before[first]
    good = starts[heard >= 0.9 * heard.max()]
    preferred = good[good >= min(lead, last)]
    chosen = preferred if preferred.size else good
    return int(chosen[int(draw * chosen.size)])
