"""Sample-by-sample loops, compiled by numba. Imported only where they run, because importing numba takes time.

No `fastmath` and no `parallel`: the order of every addition is fixed, so that the bits are too.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def speech_voltmeter(
    samples: np.ndarray, smoothing: float, hangover: int, thresholds: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the sum of squares and, for each of the ascending thresholds, the samples counted as active, int64 [shape=(thresholds,)].

    Args:
        samples: float [shape=(samples,)].
        smoothing: coefficient of both one-pole smoothers of the envelope.
        hangover: in samples.
        thresholds: of the envelope, ascending [shape=(thresholds,)].

    The envelope, two cascaded one-pole smoothers, is compared with all thresholds in one pass. A sample is active for
    threshold j if the envelope reached it no more than `hangover` samples ago; before its first crossing it is not.
    Because the thresholds ascend, it is enough to know the highest one that is active and to sum up at the end.
    """
    levels = thresholds.size
    highest_active = np.zeros(levels + 1, dtype=np.int64)
    last_crossing = np.full(levels, -hangover - 1, dtype=np.int64)
    sum_of_squares, p, q = 0.0, 0.0, 0.0
    crossed = active = 0
    for n in range(samples.size):
        x = np.float64(samples[n])
        sum_of_squares += x * x
        p = smoothing * p + (1.0 - smoothing) * abs(x)
        q = smoothing * q + (1.0 - smoothing) * p
        while crossed < levels and q >= thresholds[crossed]:
            crossed += 1
        while crossed > 0 and q < thresholds[crossed - 1]:
            last_crossing[crossed - 1] = n - 1
            crossed -= 1
        active = max(active, crossed)
        while active > crossed and n - last_crossing[active - 1] > hangover:
            active -= 1
        highest_active[active] += 1
    counts = np.zeros(levels, dtype=np.int64)
    total = 0
    for j in range(levels - 1, -1, -1):
        total += highest_active[j + 1]
        counts[j] = total
    return sum_of_squares, counts


#: Products are added up in so many lanes, so that no addition waits for another.
_LANES = 256


@njit(cache=True)
def dot(one: np.ndarray, other: np.ndarray) -> float:
    """Return the sum of products of `one` and `other` in double precision, the same bits on any processor, however wide its registers.

    BLAS would change them with the number of threads.

    Args:
        one: float samples [shape=(samples,)].
        other: as many.
    """
    sums = np.zeros(_LANES)
    whole = one.size // _LANES * _LANES
    for start in range(0, whole, _LANES):
        x, y = one[start : start + _LANES], other[start : start + _LANES]
        for lane in range(_LANES):
            sums[lane] += np.float64(x[lane]) * np.float64(y[lane])
    total = 0.0
    for lane in range(_LANES):
        total += sums[lane]
    for n in range(whole, one.size):
        total += np.float64(one[n]) * np.float64(other[n])
    return total


@njit(cache=True)
def block_energies(samples: np.ndarray, size: int) -> np.ndarray:
    """Return the sum of squares of each whole block of `size` samples, float64 [shape=(blocks,)].

    Args:
        samples: float [shape=(samples,)].
        size: of a block, in samples.
    """
    energies = np.empty(samples.size // size)
    for b in range(energies.size):
        block = samples[b * size : (b + 1) * size]
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0  # no addition waits for the one before it
        for n in range(0, size - 3, 4):
            x0, x1 = np.float64(block[n]), np.float64(block[n + 1])
            x2, x3 = np.float64(block[n + 2]), np.float64(block[n + 3])
            s0, s1, s2, s3 = s0 + x0 * x0, s1 + x1 * x1, s2 + x2 * x2, s3 + x3 * x3
        for n in range(size // 4 * 4, size):
            s0 += np.float64(block[n]) ** 2
        energies[b] = (s0 + s1) + (s2 + s3)
    return energies


@njit(cache=True)
def block_products(reference: np.ndarray, output: np.ndarray, lag: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the products of `reference` with `output`, later by `lag`, and the power of that output, summed over blocks.

    Args:
        reference, output: float [shape=(samples,)] each.
        lag: in samples; positive where the output is later.
        size: of a block of the reference, in samples.

    Returns:
        both float64 [shape=(blocks,)]; NaN for blocks that reach outside the output.
    """
    blocks = reference.size // size
    products, powers = np.empty(blocks), np.empty(blocks)
    for b in range(blocks):
        start = b * size
        if start + lag < 0 or start + lag + size > output.size:
            products[b] = powers[b] = np.nan
            continue
        product, power = 0.0, 0.0
        for n in range(start, start + size):
            y = np.float64(output[n + lag])
            product += np.float64(reference[n]) * y
            power += y * y
        products[b], powers[b] = product, power
    return products, powers


@njit(cache=True)
def two_stem_powers(
    output: np.ndarray, first: np.ndarray, second: np.ndarray, size: int
) -> tuple[float, float, float, float]:
    """Return the energies of an output's parts, by least squares on two stems in blocks with gains of their own.

    Args:
        output, first, second: float [shape=(samples,)] each.
        size: of a block, in samples.

    Returns:
        the energy of `first` itself, of `first` in the output, of `second` in the output, and of the rest.
    """
    first_in, first_out, second_out, rest = 0.0, 0.0, 0.0, 0.0
    for start in range(0, output.size, size):
        aa, bb, ab, ay, by, yy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for n in range(start, min(start + size, output.size)):
            a, b, y = np.float64(first[n]), np.float64(second[n]), np.float64(output[n])
            aa += a * a
            bb += b * b
            ab += a * b
            ay += a * y
            by += b * y
            yy += y * y
        determinant = aa * bb - ab * ab
        if determinant > 1e-9 * aa * bb:
            one, two = (ay * bb - by * ab) / determinant, (by * aa - ay * ab) / determinant
        elif bb > aa:
            one, two = 0.0, by / bb
        else:
            one, two = (ay / aa if aa > 0.0 else 0.0), 0.0
        first_in += aa
        first_out += one * one * aa
        second_out += two * two * bb
        rest += max(yy - one * ay - two * by, 0.0)
    return first_in, first_out, second_out, rest


@njit(cache=True)
def to_pcm(samples: np.ndarray, gain: np.float32) -> tuple[np.ndarray, int]:
    """Return float32 samples times a gain as int16 [shape=(samples,)], rounded half to even, and how many of them had to be clipped.

    Args:
        samples: float32 [shape=(samples,)], any unit.
        gain: what takes that unit to 16-bit steps: 32768 for a full scale of 1.
    """
    out = np.empty(samples.size, dtype=np.int16)
    clipped = 0
    for n in range(samples.size):
        scaled = np.rint(samples[n] * gain)
        clipped += (scaled > np.float32(32767.0)) | (scaled < np.float32(-32768.0))
        out[n] = np.int16(min(max(scaled, np.float32(-32768.0)), np.float32(32767.0)))
    return out, clipped


@njit(cache=True)
def automatic_gain(
    samples: np.ndarray,
    target_db: float,
    max_gain_db: float,
    max_cut_db: float,
    gate_db: float,
    averaging: float,
    gate_averaging: float,
    attack: float,
    release: float,
) -> np.ndarray:
    """Return samples times a gain that follows the level: float32 [shape=(samples,)].

    Args:
        samples: float32 [shape=(samples,)].
        target_db: power that the gain aims at, dBov.
        max_gain_db, max_cut_db: limits of the gain.
        gate_db: below this power, by an averaging of its own, the gain is held.
        averaging, gate_averaging: one-pole coefficients per sample of the two powers.
        attack, release: the same of the gain in dB, where it falls and where it rises.
    """
    out = np.empty(samples.size, dtype=np.float32)
    power, gate_power, gain_db = 0.0, 0.0, 0.0
    gate = 10.0 ** (gate_db / 10.0)
    for n in range(samples.size):
        x = np.float64(samples[n])
        power += averaging * (x * x - power)
        gate_power += gate_averaging * (x * x - gate_power)
        if gate_power > gate:
            level_db = 10.0 * np.log10(power + 1e-20)
            wanted_db = min(max(target_db - level_db, -max_cut_db), max_gain_db)
            gain_db += (attack if wanted_db < gain_db else release) * (wanted_db - gain_db)
        out[n] = x * 10.0 ** (gain_db / 20.0)
    return out


@njit(cache=True)
def peak_limit(samples: np.ndarray, ceiling: float, release: float) -> np.ndarray:
    """Return samples lowered where their peaks, held with a decay of `release` per sample, exceed `ceiling`, float32 [shape=(samples,)].

    Args:
        samples: float32 [shape=(samples,)], full scale 1.
        ceiling: the largest peak, in the same unit.
        release: what a held peak is multiplied with at each sample, below 1.
    """
    out = np.empty(samples.size, dtype=np.float32)
    held = 0.0
    for n in range(samples.size):
        x = np.float64(samples[n])
        held = max(abs(x), held * release)
        out[n] = x * ceiling / held if held > ceiling else x
    return out
