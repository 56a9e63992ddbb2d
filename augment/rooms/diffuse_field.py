"""A diffuse field: plane waves from many directions, each with a decay of its own, so that what they carry is decorrelated.

The directions are spread evenly over the sphere. If each wave carries a signal independent of the others, two points at a distance d have the
coherence sin(k d) / (k d) of a diffuse field (R. K. Cook et al., J. Acoust. Soc. Am. 27, 1072 (1955), as recalled), as long as k d is
well below the square root of four times the number of directions. The room's decay is in each wave.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from roomtone.augment.rooms.bands import ALL_CENTRES_HZ, NEPER_60_DB, apply_losses, centres_hz, split_bands
from roomtone.augment.rooms.simulate import DIRECT_SAMPLE, speed_of_sound
from roomtone.core.random_streams import stream


def directions(count: int) -> np.ndarray:
    """Return unit vectors spread evenly over the sphere (a Fibonacci spiral), float64 [shape=(count, 3)]."""
    height = 1.0 - (2.0 * np.arange(count) + 1.0) / count
    angle = math.pi * (1.0 + math.sqrt(5.0)) * np.arange(count)
    across = np.sqrt(1.0 - height**2)
    return np.stack([across * np.cos(angle), across * np.sin(angle), height], axis=1)


def wave_responses(
    parameters: Mapping[str, Any],
    sample_rate_hz: int,
    num_samples: int,
    place_m: Sequence[float] = (0.0, 0.0, 0.0),
) -> np.ndarray:
    """Return the response of each wave at a place, float32 [shape=(directions, samples)]; at the microphone they begin at `DIRECT_SAMPLE`.

    Args:
        parameters: of a realisation; `noise_directions` is their number.
        sample_rate_hz: rate in Hz.
        num_samples: length of the responses.
        place_m: of a probe, from the microphone, within 0.8 m of it.
    """
    from scipy import fft

    speed = speed_of_sound(parameters["temperature_c"], parameters["humidity_percent"])
    centres = centres_hz(sample_rate_hz, ALL_CENTRES_HZ)
    known = np.array(parameters.get("t60_octaves_s") or [[1000.0, parameters["t60_s"]]])
    losses = NEPER_60_DB / np.interp(np.log2(centres), np.log2(known[:, 0]), known[:, 1])
    rows = np.zeros((parameters["noise_directions"], num_samples))
    for index, towards in enumerate(directions(len(rows))):
        wave = np.zeros(num_samples)
        rng = stream(parameters["seed"], "diffuse field", index)
        wave[DIRECT_SAMPLE:] = rng.standard_normal(num_samples - DIRECT_SAMPLE)
        rows[index] = apply_losses(
            split_bands(wave, sample_rate_hz, centres, sharp=True), losses, sample_rate_hz, DIRECT_SAMPLE
        )
        if any(place_m):
            delay_s = -float(towards @ np.asarray(place_m)) / speed
            hertz = fft.rfftfreq(num_samples, 1.0 / sample_rate_hz)
            rows[index] = fft.irfft(fft.rfft(rows[index]) * np.exp(-2j * np.pi * hertz * delay_s), num_samples)
    return rows.astype(np.float32)
