"""A room from a clap, a balloon or a sweep: decay times by octave band, C50, and the range over which the decay can be followed.

Sources: ISO 3382-2 (interrupted and impulse methods, needed decay range) and W. T. Chu, J. Acoust. Soc. Am. 63, 1444 (1978), for
subtracting the power of the noise before integrating backwards; both as recalled. `augment.rooms.acoustics` has the plain integration, for
responses that were computed and have no noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from roomtone.augment.rooms.acoustics import EARLY_S, OCTAVES_HZ, decay_time_s, octave_band
from roomtone.core.errors import RoomtoneError

#: The decay must fall this far before it reaches the noise.
LEAST_RANGE_DB = 30.0
#: The fit stays this far above the noise.
_MARGIN_DB = 7.0
_LONGEST_S = 4.0
#: The next clap: the level of 20 ms is this far above its lowest since the first 50 ms; the response ends so long before it.
_NEXT_DB, _BEFORE_NEXT_S = 12.0, 0.03


@dataclass(frozen=True)
class RoomFound:
    """What was measured of a room: times in seconds, ratios in dB.

    Attributes:
        t60_s: broadband, from the fit between -5 dB and `fit_db`, as a time for 60 dB; T30 where `fit_db` is -35.
        bands_s: the same for each octave band that falls far enough: `{centre in Hz: seconds}`.
        c50_db: early to late energy (border at 50 ms) of the same decay, noise subtracted.
        range_db: how far the decay falls before it reaches the noise.
        fit_db: lower end of the fit.
        response: the response itself, float64, its direct sound at `direct`.
        direct: index of the direct sound.
    """

    t60_s: float
    bands_s: dict[float, float]
    c50_db: float
    range_db: float
    fit_db: float
    response: np.ndarray
    direct: int


def measure_room(samples: np.ndarray, sample_rate_hz: int, *, sweep: np.ndarray | None = None) -> RoomFound:
    """Return what a recorded impulse, or a recorded sweep, tells about its room.

    Args:
        samples: the recording, float [shape=(samples,)].
        sample_rate_hz: its rate.
        sweep: the sweep that was played, at the same rate; None where a clap or a balloon was the source.

    Raises:
        RoomtoneError: no impulse stands out, or its decay meets the noise too early (with the level that is missing).
    """
    impulse = samples if sweep is None else deconvolved(samples, sweep)
    response, direct, noise = _cut(impulse, sample_rate_hz)
    range_db = _range_db(response, direct, noise, sample_rate_hz)
    if range_db < LEAST_RANGE_DB:
        raise RoomtoneError(
            f"room: the decay falls by only {range_db:.0f} dB before it reaches the noise; {LEAST_RANGE_DB:.0f} dB are needed: make the "
            f"impulse {LEAST_RANGE_DB - range_db + 5:.0f} dB louder, or the room quieter by as much"
        )
    fit_db = max(-35.0, -(range_db - _MARGIN_DB))
    t60_s = _decay_time(response, direct, noise, sample_rate_hz, fit_db)
    if not np.isfinite(t60_s):
        raise RoomtoneError("room: no straight decay was found; record one clap in a quiet room")
    bands = _bands(response, direct, sample_rate_hz)
    return RoomFound(t60_s, bands, _c50_db(response, direct, noise, sample_rate_hz), range_db, fit_db, response, direct)


def deconvolved(samples: np.ndarray, sweep: np.ndarray) -> np.ndarray:
    """Return the impulse response from a recorded and the played sweep: a regularised division of spectra.

    Args:
        samples: the recorded sweep [shape=(samples,)].
        sweep: the played one, at the same rate.

    Returns:
        The response [shape=(samples,)], as long as the recording.
    """
    from scipy import fft

    size = fft.next_fast_len(samples.size + sweep.size, real=True)
    played = fft.rfft(sweep, size)
    power = np.abs(played) ** 2
    return np.asarray(
        fft.irfft(fft.rfft(samples, size) * np.conj(played) / (power + 1e-4 * power.max()), size)[: samples.size]
    )


def _cut(samples: np.ndarray, rate: int) -> tuple[np.ndarray, int, float]:
    """Return the loudest impulse with its decay, the index of its direct sound, and the power of the noise around it."""
    block = max(1, round(0.005 * rate))
    power = np.convolve(samples**2, np.full(block, 1.0 / block), mode="same")
    peak = int(np.argmax(power))
    lead = min(peak, round(0.02 * rate))
    near = np.abs(samples[peak - lead : peak + block])
    direct = peak - lead + int(np.flatnonzero(near >= 0.3 * near.max())[0])
    end = _end(samples, direct, rate)
    quiet = samples[max(0, direct - rate) : max(0, direct - round(0.02 * rate))]
    tail = samples[end - max(1, (end - direct) // 10) : end]
    levels = [float((part**2).mean()) for part in (quiet, tail) if part.size > 0.05 * rate]
    if end - direct < 0.1 * rate or not levels:
        raise RoomtoneError(
            "room: less than 0.1 s after the loudest sound; let the recording run on for 2 s after the clap"
        )
    before = max(0, direct - round(0.002 * rate))
    return samples[before:end], direct - before, min(levels)


def _end(samples: np.ndarray, direct: int, rate: int) -> int:
    """Return where the decay of an impulse ends at the latest: before the next one, and after 4 s."""
    end = min(samples.size, direct + round(_LONGEST_S * rate))
    block, first = max(1, round(0.02 * rate)), direct + round(EARLY_S * rate)
    if end - first < 2 * block:
        return end
    level = np.convolve(
        samples[first:end] ** 2, np.full(block, 1.0 / block), mode="valid"
    )  # of the 20 ms that start here
    rises = np.flatnonzero(level > 10.0 ** (_NEXT_DB / 10.0) * np.minimum.accumulate(level))
    return first + max(int(rises[0]) + block - round(_BEFORE_NEXT_S * rate), 0) if rises.size else end


def _range_db(response: np.ndarray, direct: int, noise: float, rate: int) -> float:
    """Return the level of the first 40 ms from the direct sound on, above the noise, in dB.

    Not of the loudest 5 ms: these hold the direct sound, which says nothing about how far the reverberation can be followed.
    """
    block = max(1, round(0.02 * rate))
    after = response[direct : direct + 2 * block]
    return float(10.0 * np.log10((after**2).mean() / max(noise, 1e-30)))


def _schroeder(response: np.ndarray, direct: int, noise: float, rate: int) -> np.ndarray:
    """Return the decay in dB with the power of the noise subtracted (Chu 1978), up to where it reaches the noise [shape=(samples,)]."""
    energy = response[direct:] ** 2 - noise
    block = max(1, round(0.02 * rate))
    smooth = np.convolve(response[direct:] ** 2, np.full(block, 1.0 / block), mode="same")
    met = np.flatnonzero(smooth < 2.0 * noise)
    end = int(met[0]) if met.size else energy.size
    left = np.cumsum(energy[:end][::-1])[::-1]
    # the energy beyond the cut: the rest of an exponential with the level and slope that the decay has before the cut
    part = smooth[max(0, end - 4 * block) : end] - noise
    if part.size > 2 * block and part[0] > 0 and part[-1] > 0:
        slope = np.log(max(part[0], 1e-30) / max(part[-1], 1e-30)) / part.size
        if slope > 0:
            left = left + max(part[-1], 0.0) / slope
    return np.asarray(10.0 * np.log10(np.maximum(left, 1e-30) / max(left[0], 1e-30)))


def _decay_time(response: np.ndarray, direct: int, noise: float, rate: int, fit_db: float) -> float:
    decay = _schroeder(response, direct, noise, rate)
    if np.count_nonzero((decay <= -5.0) & (decay >= fit_db)) < 0.02 * rate:
        return float("nan")
    return decay_time_s(decay, rate, -5.0, fit_db)


def _bands(response: np.ndarray, direct: int, rate: int) -> dict[float, float]:
    """Return the decay time of each octave band that falls far enough: `{centre in Hz: seconds}`."""
    found = {}
    for centre in OCTAVES_HZ:
        if centre * 2**0.5 >= 0.49 * rate:
            continue
        band = octave_band(response, rate, centre)
        noise = float((band[-max(1, response.size // 10) :] ** 2).mean())
        range_db = _range_db(band, direct, noise, rate)
        if range_db >= LEAST_RANGE_DB:
            value = _decay_time(band, direct, noise, rate, max(-35.0, -(range_db - _MARGIN_DB)))
            if np.isfinite(value):
                found[centre] = value
    return found


def _c50_db(response: np.ndarray, direct: int, noise: float, rate: int) -> float:
    """Return the early-to-late ratio of the decay from which the decay time comes, so no later clap counts."""
    decay = _schroeder(response, direct, noise, rate)
    late = 10.0 ** (float(decay[min(round(EARLY_S * rate), decay.size - 1)]) / 10.0)
    return float(10.0 * np.log10(max(1.0 - late, 1e-30) / late))


def room_op(
    found: RoomFound, dimensions_m: tuple[float, float, float], talker_distance_m: tuple[float, float]
) -> dict[str, Any]:
    """Return the `shoebox` op that is calibrated to the measured decay.

    Args:
        found: the measured room.
        dimensions_m: length, width, height.
        talker_distance_m: least and greatest distance from talker to microphone.
    """
    op: dict[str, Any] = {
        "op": "shoebox",
        "dimensions_m": list(dimensions_m),
        "t60_s": round(found.t60_s, 4),
        "talker_distance_m": list(talker_distance_m),
    }
    if len(found.bands_s) >= 3:
        op["t60_bands_s"] = [[centre, round(value, 4)] for centre, value in sorted(found.bands_s.items())]
    return op
