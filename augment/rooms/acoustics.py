"""Figures of a room, measured on its impulse response: decay, T30, C50 and DRR, after ISO 3382.

Conventions: a response is a float array [shape=(samples,)]; the index of its direct sound is given, never guessed here.
Times are in seconds, ratios in dB. A figure that cannot be told from a response, because it is too short or too noisy, is NaN.

Sources: ISO 3382-1:2009 (Schroeder decay, T20, T30, EDT, C50), ISO 3382-2:2008 (needed decay range) and IEC 61260-1:2014 (octave
filters), as recalled; the text of the standards was not at hand. Tests hold the figures against closed forms.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from roomtone.core.errors import RoomtoneError

#: Centres of the octave bands in which rooms are described, Hz.
OCTAVES_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0)
#: Those whose mean is the reverberation time of a room (ISO 3382-1).
MID_HZ = (500.0, 1000.0)
#: The noise must lie 10 dB below the end of the fitted range (ISO 3382-2, recalled).
T30_RANGE_DB = 45.0
T20_RANGE_DB = 35.0
EDT_RANGE_DB = 20.0
#: Half width of the window that counts as direct sound, and the border between early and late.
DIRECT_S = 0.0025
EARLY_S = 0.050
#: After so many periods of its centre the ringing of an octave filter has fallen by 75 dB.
_RINGING_PERIODS = 8
#: Orders of Butterworth's low-pass prototype: of the octave filter that times are read by, and of a steep one. Both are of class 1 of IEC 61260-1.
_ORDER, _STEEP_ORDER = 3, 6
#: T30 of an octave is told where the steep filters read it this near, relative: the just noticeable difference of ISO 3382-1.
OCTAVE_TOLERANCE = 0.05
#: The level of a decay is read over blocks of this length.
_BLOCK_S = 0.005


@dataclass(frozen=True)
class RoomMeasures:
    """Figures of one response; NaN where one cannot be told.

    Attributes:
        t30_s, t20_s, edt_s: reverberation times, each scaled to 60 dB.
        c50_db: energy up to 50 ms after the direct sound over the later energy.
        drr_db: energy within 2.5 ms of the direct sound over the later energy.
        decay_range_db: how far the response falls before it ends or meets its noise.
    """

    t30_s: float
    t20_s: float
    edt_s: float
    c50_db: float
    drr_db: float
    decay_range_db: float


def measure_response(rir: np.ndarray, sample_rate_hz: int, direct_sample: int) -> RoomMeasures:
    """Return the room figures of a response.

    Args:
        rir: impulse response [shape=(samples,)].
        sample_rate_hz: its rate in Hz.
        direct_sample: index of the direct sound.

    Raises:
        RoomtoneError: not one-dimensional, silent, not finite, or the direct sound lies outside.

    >>> decay = np.exp(-6.9078 * np.arange(8000) / 8000 / 0.5)  # falls by 60 dB in 0.5 s
    >>> round(measure_response(decay, 8000, 0).t20_s, 2)
    0.5
    """
    energy = _energy(rir, direct_sample)
    level_db = decay_db(rir, direct_sample)
    range_db = _range_db(energy[direct_sample:], sample_rate_hz)
    rate = sample_rate_hz
    late = direct_sample + round(DIRECT_S * sample_rate_hz) + 1
    border = direct_sample + round(EARLY_S * sample_rate_hz)
    return RoomMeasures(
        t30_s=decay_time_s(level_db, rate, -5.0, -35.0) if range_db >= T30_RANGE_DB else math.nan,
        t20_s=decay_time_s(level_db, rate, -5.0, -25.0) if range_db >= T20_RANGE_DB else math.nan,
        edt_s=decay_time_s(level_db, rate, 0.0, -10.0) if range_db >= EDT_RANGE_DB else math.nan,
        c50_db=_ratio_db(energy[:border].sum(), energy[border:].sum()),
        drr_db=_ratio_db(energy[:late].sum(), energy[late:].sum()),
        decay_range_db=range_db,
    )


def room_figures(
    rir: np.ndarray, sample_rate_hz: int, direct_sample: int, octaves_hz: Sequence[float] = ()
) -> tuple[dict[str, float], dict[float, float]]:
    """Return `t30_s`, `c50_db` and `drr_db` of a response, and T30 in the octaves that are asked for.

    Args:
        rir, sample_rate_hz, direct_sample: as `measure_response`.
        octaves_hz: octaves whose times differ on purpose; then `t30_s` is the mean of 500 and 1000 Hz (ISO 3382-1), and broadband where
            none is named.

    Returns:
        the figures, and `{centre in Hz: s}`; NaN for an octave whose time depends on the filter (`octave_is_told`). The mean of 500 and 1000 Hz
        is said all the same.

    Raises:
        RoomtoneError: as `measure_response`.
    """
    found = measure_response(rir, sample_rate_hz, direct_sample)
    # Only simulated rooms claim octaves: no noise, so no range is asked for.
    octaves = {centre: octave_decay_s(rir, sample_rate_hz, direct_sample, centre) for centre in octaves_hz}
    t30_s = sum(octaves[centre] for centre in MID_HZ) / len(MID_HZ) if octaves else found.t30_s
    told = {
        centre: time_s if octave_is_told(rir, sample_rate_hz, direct_sample, centre, time_s) else math.nan
        for centre, time_s in octaves.items()
    }
    return {"t30_s": t30_s, "c50_db": found.c50_db, "drr_db": found.drr_db}, told


def rounded_octaves(octaves: Mapping[float, float]) -> dict[str, float | None]:
    """Return T30 by octave as manifests hold it: centres in Hz as texts, s to three digits; None where it cannot be told.

    Args:
        octaves: from `room_figures`.
    """
    return {f"{centre:g}": round(t30_s, 3) if math.isfinite(t30_s) else None for centre, t30_s in octaves.items()}


def untold_octaves(octaves: Mapping[float, float]) -> str | None:
    """Return in which octaves T30 cannot be told and why, in words; None where it can be in all.

    Args:
        octaves: from `room_figures`.

    >>> untold_octaves({500.0: 0.3, 1000.0: math.nan})
    '1000 Hz: octave filters of orders 3 and 6 do not read one T30 within 5 %'
    """
    untold = ", ".join(f"{centre:g}" for centre, t30_s in octaves.items() if not math.isfinite(t30_s))
    orders, tolerance = f"{_ORDER} and {_STEEP_ORDER}", f"{100.0 * OCTAVE_TOLERANCE:g} %"
    return f"{untold} Hz: octave filters of orders {orders} do not read one T30 within {tolerance}" if untold else None


def decay_db(rir: np.ndarray, direct_sample: int) -> np.ndarray:
    """Return the Schroeder decay from the direct sound on (ISO 3382-1, backward integration).

    Args:
        rir: impulse response [shape=(samples,)].
        direct_sample: index of the direct sound.

    Returns:
        dB re its start, float64 [shape=(samples - direct_sample,)].

    Raises:
        RoomtoneError: as `measure`.
    """
    energy = _energy(rir, direct_sample)[direct_sample:]
    left = np.cumsum(energy[::-1])[::-1]
    with np.errstate(divide="ignore"):
        return 10.0 * np.log10(left / left[0])


def decay_time_s(level_db: np.ndarray, sample_rate_hz: int, top_db: float, bottom_db: float) -> float:
    """Return the time for 60 dB by a straight line through a decay between two levels (ISO 3382-1, least squares).

    Args:
        level_db: the decay in dB, one value a sample [shape=(samples,)].
        sample_rate_hz: its rate in Hz.
        top_db, bottom_db: the range of levels that the line is fitted to.

    Returns:
        seconds; NaN where the decay does not reach `bottom_db`, or does not fall.
    """
    inside = np.flatnonzero((level_db <= top_db) & (level_db >= bottom_db))
    if inside.size < 2 or level_db[-1] > bottom_db:
        return math.nan
    times = inside / sample_rate_hz
    times = times - times.mean()
    fall = float((times * level_db[inside]).sum())
    return -60.0 * float((times * times).sum()) / fall if fall < 0.0 else math.nan


def octave_band(samples: np.ndarray, sample_rate_hz: int, centre_hz: float, *, order: int = _ORDER) -> np.ndarray:
    """Return a response in one octave band, float64 [shape=(samples,)].

    A Butterworth band pass, run backwards in time, so that the filter's own ringing falls before the decay.

    Args:
        samples: impulse response [shape=(samples,)].
        sample_rate_hz: its rate in Hz, whose half cuts the band.
        centre_hz: centre of the band.
        order: of the filter's low-pass prototype; each adds 6 dB an octave on either side.
    """
    from scipy import signal

    edges = (centre_hz / 2**0.5, min(centre_hz * 2**0.5, 0.49 * sample_rate_hz))
    sos = signal.butter(order, edges, "bandpass", fs=sample_rate_hz, output="sos")
    return np.asarray(signal.sosfilt(sos, samples[::-1])[::-1])


def octave_t30_s(rir: np.ndarray, sample_rate_hz: int, direct_sample: int) -> dict[float, float]:
    """Return T30 in each octave band that the rate can hold: `{centre in Hz: seconds}`, NaN where the range is too small.

    Args:
        rir, sample_rate_hz, direct_sample: as `measure`.

    Raises:
        RoomtoneError: as `measure`.
    """
    found: dict[float, float] = {}
    for centre in OCTAVES_HZ:
        if centre * 2**0.5 >= 0.49 * sample_rate_hz:
            continue
        band = octave_with_ringing(rir, sample_rate_hz, direct_sample, centre)
        found[centre] = measure_response(band, sample_rate_hz, 0).t30_s
    return found


def octave_decay_s(rir: np.ndarray, sample_rate_hz: int, direct_sample: int, centre_hz: float) -> float:
    """Return T30 in one octave band without asking for a range, s: for what is simulated and has no noise.

    Args:
        rir, sample_rate_hz, direct_sample: as `measure`.
        centre_hz: of the band; the rate may cut it at its top.

    Raises:
        RoomtoneError: as `measure`.
    """
    band = octave_with_ringing(rir, sample_rate_hz, direct_sample, centre_hz)
    return decay_time_s(decay_db(band, 0), sample_rate_hz, -5.0, -35.0)


def octave_is_told(rir: np.ndarray, sample_rate_hz: int, direct_sample: int, centre_hz: float, t30_s: float) -> bool:
    """Return whether T30 in one octave is the same by every octave filter: those that a standard allows differ in how much they read of the neighbours.

    An octave that decays sooner than its neighbours ends, behind a filter that is not steep, in what that filter lets through of them; one of
    few modes depends on which of them the filter's edges let in, and on where it rings. The curvature of ISO 3382-2, annex B, does not
    find either: a decay of two octaves may well be straight, and a bent one may be bent alike behind every filter. What every octave filter
    reads of a neighbour is told: it is the octave's T30 as the standard has it.

    Args:
        rir, sample_rate_hz, direct_sample: as `measure_response`.
        centre_hz: of the band.
        t30_s: read by `octave_decay_s`; steep filters, which ring before a sound and after it, are to be within `OCTAVE_TOLERANCE` of it.
    """
    spare = np.zeros(2 * round(_RINGING_PERIODS * sample_rate_hz / centre_hz))  # a steep filter rings for longer
    before = max(direct_sample - round(DIRECT_S * sample_rate_hz), 0)
    padded = np.concatenate([spare, np.asarray(rir[before:], dtype=np.float64), spare])
    ringing_before = octave_band(padded, sample_rate_hz, centre_hz, order=_STEEP_ORDER)
    ringing_after = octave_band(padded[::-1], sample_rate_hz, centre_hz, order=_STEEP_ORDER)[::-1]
    steep_s = [decay_time_s(decay_db(band, 0), sample_rate_hz, -5.0, -35.0) for band in (ringing_before, ringing_after)]
    return all(abs(time_s - t30_s) <= OCTAVE_TOLERANCE * t30_s for time_s in steep_s)  # False for NaN


def octave_with_ringing(rir: np.ndarray, sample_rate_hz: int, direct_sample: int, centre_hz: float) -> np.ndarray:
    """Return a response from its direct sound on in one octave band, begun so much earlier that the filter's ringing is in it, float64 [shape=(samples,)].

    A decay starts with all of the band's energy. The filter runs backwards, so most of the direct sound's comes before its time; a decay
    read from there on has lost it, and its -5 dB lie where those of no other filter do.

    Args:
        rir, sample_rate_hz, direct_sample: as `measure_response`.
        centre_hz: of the band.
    """
    lead = np.zeros(round(_RINGING_PERIODS * sample_rate_hz / centre_hz))
    before = max(direct_sample - round(DIRECT_S * sample_rate_hz), 0)  # the direct sound is not one sample
    padded = np.concatenate([lead, np.asarray(rir[before:], dtype=np.float64)])
    return octave_band(padded, sample_rate_hz, centre_hz)


def noise_knee(rir: np.ndarray, sample_rate_hz: int, direct_sample: int) -> int:
    """Return the index at which a measured decay meets its noise: the first block within 5 dB of the last tenth's level.

    A response that decays to its very end has its knee near the end.

    Args:
        rir, sample_rate_hz, direct_sample: as `measure`.

    Raises:
        RoomtoneError: as `measure`.
    """
    energy = _energy(rir, direct_sample)
    after = _trimmed(energy[direct_sample:])
    block = max(round(_BLOCK_S * sample_rate_hz), 1)
    levels = np.convolve(after, np.full(block, 1.0 / block), mode="valid") if after.size > block else after
    floor = float(after[-max(after.size // 10, 1) :].mean())
    below = np.flatnonzero(levels <= floor * 10.0**0.5)
    return direct_sample + (int(below[0]) + block if below.size else after.size)


def _energy(rir: np.ndarray, direct_sample: int) -> np.ndarray:
    samples = np.asarray(rir, dtype=np.float64)
    if samples.ndim != 1:
        raise RoomtoneError(f"room response: expected one channel [shape=(samples,)], got shape {samples.shape}")
    if not 0 <= direct_sample < samples.size:
        raise RoomtoneError(f"room response: direct sound at sample {direct_sample} of {samples.size} (in seconds?)")
    if not np.isfinite(samples).all():
        raise RoomtoneError("room response: it holds values that are not finite")
    energy = samples * samples
    if not energy[direct_sample:].any():
        raise RoomtoneError("room response: it is silent from the direct sound on")
    return energy


def _trimmed(energy: np.ndarray) -> np.ndarray:
    """Return the energy without zeros at its end: padding is neither decay nor noise."""
    return energy[: int(np.flatnonzero(energy)[-1]) + 1]


def _range_db(energy: np.ndarray, sample_rate_hz: int) -> float:
    energy = _trimmed(energy)
    block = max(round(_BLOCK_S * sample_rate_hz), 1)
    if energy.size < 4 * block:
        return 0.0
    starts = np.arange(0, energy.size - block + 1, block)
    loudest = float((np.add.reduceat(energy[: starts[-1] + block], starts) / block).max())
    return _ratio_db(loudest, float(energy[-max(energy.size // 10, 1) :].mean()))


def _ratio_db(early: float, late: float) -> float:
    return float(10.0 * np.log10(early / late)) if early > 0.0 and late > 0.0 else math.nan
