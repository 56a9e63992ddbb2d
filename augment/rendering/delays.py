"""Delays from their causes: where a room's response has its direct sound, and whether the speech passed it in time.

Speech in a room is the convolution of two known signals, so whether it is in time needs no estimate: a few of its samples are computed
again by the sum that defines a convolution, and compared. That holds for any room, however strong its early reflections, and for
any word, however short.
"""

from __future__ import annotations

import functools

import numpy as np

from roomtone.augment.rooms.bank import DIRECT_SAMPLE
from roomtone.core.audio.convolution import ImpulseResponse
from roomtone.core.audio.types import Samples

#: Samples that are computed again, and over how many they are spread, about the loudest one.
_CHECKED = 32
_SPREAD = 2048
#: Of those, so many must lie inside the file at a shift that is tried.
_LEAST = 8
#: Largest shift that is looked for, either way.
_REACH = 2048
#: Share of the energy by which the computed samples may differ: single precision takes 1e-11, a shift of one sample of a 20 Hz tone 6e-5.
_DIFFERENCE = 1e-6


def room_delay(clean: Samples, speech: Samples, response: ImpulseResponse) -> int | None:
    """Return by how many samples speech at the microphone lags the clean speech, direct sound to direct sound.

    Args:
        clean: before the room, float32 [shape=(samples,)].
        speech: at the microphone, at any gain [shape=(samples,)].
        response: the talker's, with its direct sound as large as 1 (which it has in every bank).

    Returns:
        None where the response has no direct sound, or the speech is not its convolution with the clean speech.
    """
    direct = direct_offset(response)
    passed = _convolution_lag(clean, speech, response)
    return None if direct is None or passed is None else direct + passed


@functools.lru_cache(maxsize=256)
def direct_offset(response: ImpulseResponse) -> int | None:
    """Return by how many samples the direct sound of a bank's response is later than where it should be, or None without one.

    Banks scale a response so that its direct sound is exactly 1, which marks it.
    """
    marked = np.flatnonzero(np.abs(response.taps - 1.0) < 1e-6)
    if not marked.size:
        return None
    offsets = marked - DIRECT_SAMPLE
    return int(offsets[np.argmin(np.abs(offsets))])


def _convolution_lag(clean: Samples, speech: Samples, response: ImpulseResponse) -> int | None:
    """Return by how many samples `speech` lags the convolution of `clean` and `response`; None where it is another signal."""
    spread = min(_SPREAD, speech.size)
    first = max(min(int(np.argmax(np.abs(speech))) - spread // 2, speech.size - spread), 0)
    # unevenly spread, so that no tone looks alike one period later
    places = first + np.unique((spread - 1) * np.linspace(0.0, 1.0, _CHECKED) ** 1.5).astype(np.int64)
    taps = np.asarray(response.taps, dtype=np.float64)[::-1]
    expected = np.array([_convolved_at(clean, taps, int(place) + DIRECT_SAMPLE) for place in places])
    for lag in sorted(range(-_REACH, _REACH + 1), key=abs):
        inside = (places + lag >= 0) & (places + lag < speech.size)
        if inside.sum() < _LEAST or _difference(expected[inside], speech[places[inside] + lag]) > _DIFFERENCE:
            continue
        return lag
    return None


def _convolved_at(samples: Samples, reversed_taps: np.ndarray, place: int) -> float:
    """Return one sample of the full convolution by its definition, sum of h[k] x[place - k]."""
    begin = place - reversed_taps.size + 1
    first, last = max(begin, 0), min(place + 1, samples.size)
    return (
        float(reversed_taps[first - begin : last - begin] @ samples[first:last].astype(np.float64))
        if last > first
        else 0.0
    )


def _difference(expected: np.ndarray, found: Samples) -> float:
    """Return which share of the energy of `found` is not `expected` at the best gain, which is positive."""
    wide = found.astype(np.float64)
    energy, power = float(expected @ expected), float(wide @ wide)
    if energy <= 0.0 or power <= 0.0:
        return 0.0 if energy == power else 1.0
    return max(1.0 - max(float(expected @ wide), 0.0) ** 2 / (energy * power), 0.0)
