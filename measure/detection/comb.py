"""A fast machine as a comb: a sound that repeats exactly, many times a second, is a sum of lines at the multiples of one frequency.

A line that keeps its phase for 20 s is 0.05 Hz wide, and the lines of a machine with 15 pulses a second are 15 Hz apart: subtracted as a
waveform, they remove 1/300 of any other sound. So a slow machine under a fast one is left nearly intact, which subtraction of power
spectrograms cannot do.

Conventions: the n-th coefficient of a comb is the mean of `samples * exp(-2 pi i n phase)`, phase counted in periods from the first sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomtone.measure.detection.periodicity import refined_lag

#: Periods considered: a shorter one is that of a steady tone, a longer one removes too much of other machines.
SHORTEST_S, LONGEST_S = 0.03, 0.35
#: Block over which phase and strength of the lines are compared.
_BLOCK_S = 0.5
#: Share of the power of the comb that must keep both: a machine that sounds a quarter of the time reaches 0.25, noise 0.03.
_HELD = 0.5
#: Least strength of the weakest fifth of the periods, re the mean.
_EVERY = 0.6
#: Least share of the power of a recording in a comb, and the share of that which the shortest period may miss.
_LEAST_SHARE = 0.03
_MISSED = 0.03
#: A bin with so many times the power of those around it may be a line.
_LINE = 10.0
#: Grid points of a period for each of its samples.
_FINE = 16


@dataclass(frozen=True)
class Comb:
    """A sound that repeats exactly.

    Attributes:
        period_s: its period.
        coefficients: its complex Fourier coefficients from 0 Hz up [shape=(lines,)].
        held: share of their power that keeps its phase over the recording.
    """

    period_s: float
    coefficients: np.ndarray
    held: float

    def wave(self, count: int, sample_rate_hz: int) -> np.ndarray:
        """Return the waveform of the comb [shape=(count,)].

        Args:
            count: of samples.
            sample_rate_hz: their rate.
        """
        from scipy import fft

        size = _grid(self.period_s, sample_rate_hz)
        spectrum = np.zeros(size // 2 + 1, dtype=complex)
        spectrum[: self.coefficients.size] = self.coefficients * size
        one = fft.irfft(spectrum, size)
        phase = (np.arange(count) / (self.period_s * sample_rate_hz)) % 1.0
        return np.asarray(np.interp(phase * size, np.arange(size + 1), np.append(one, one[0])))


def find_comb(samples: np.ndarray, sample_rate_hz: int) -> Comb | None:
    """Return the comb that explains most of the power of a recording, or None where none explains enough.

    Args:
        samples: float64 [shape=(samples,)].
        sample_rate_hz: its rate.
    """
    whole = float((samples**2).mean())
    best: Comb | None = None
    most = _LEAST_SHARE * whole
    for spacing_hz in _spacings(samples, sample_rate_hz):
        comb = _comb(samples, sample_rate_hz, 1.0 / spacing_hz)
        power = 2.0 * float((np.abs(comb.coefficients[1:]) ** 2).sum())
        if comb.held >= _HELD and power > most and not _of_tones(comb) and _never_pauses(samples, sample_rate_hz, comb):
            best, most = comb, power / (1.0 - _MISSED)
    return best


def _of_tones(comb: Comb) -> bool:
    """Return whether all but 3 % of a comb lies on the multiples of one line: steady tones, whose period is shorter."""
    power = np.abs(comb.coefficients) ** 2
    power[0] = 0.0
    first = int(comb.period_s / SHORTEST_S) + 1
    return any(power[n::n].sum() > (1.0 - _MISSED) * power.sum() for n in range(first, power.size // 2))


def _never_pauses(samples: np.ndarray, rate: int, comb: Comb) -> bool:
    """Return whether a comb sounds in every period: a machine that pauses has a longer period, of which this one is a fraction."""
    each = _blocks(samples, rate, comb.period_s, 1)
    strength = (each * comb.coefficients.conj()).sum(axis=1).real / (np.abs(comb.coefficients) ** 2).sum()
    return bool(np.quantile(strength, 0.2) > _EVERY)


def _spacings(samples: np.ndarray, rate: int) -> list[float]:
    """Return up to six candidate spacings of lines, in Hz, the widest first."""
    from scipy import fft
    from scipy.ndimage import percentile_filter

    bin_hz = rate / samples.size
    power = np.abs(fft.rfft(samples * np.hanning(samples.size))) ** 2
    power = power[: round(5000.0 / bin_hz)]
    width = max(9, round(3.0 / bin_hz))
    coarse = max(1, width // 12)
    around = percentile_filter(power[::coarse], 50, size=12)
    around = np.repeat(around, coarse)[: power.size]
    lines = np.log(np.maximum(power / np.maximum(around * _LINE, 1e-30), 1.0))
    lines = lines - lines.mean()
    size = fft.next_fast_len(2 * lines.size, real=True)
    alike = fft.irfft(np.abs(fft.rfft(lines, size)) ** 2, size)[: lines.size]
    alike /= max(float(alike[0]), 1e-30)
    low, high = round(1.0 / LONGEST_S / bin_hz), round(1.0 / SHORTEST_S / bin_hz)
    lags = np.arange(low, high)
    peaks = lags[(alike[lags] > alike[lags - 1]) & (alike[lags] >= alike[lags + 1])]
    peaks = sorted(peaks, key=lambda k: -alike[k])[:6]
    return [refined_lag(alike, int(k), lines.size // 2) * bin_hz for k in sorted(peaks, reverse=True)]


def _comb(samples: np.ndarray, rate: int, period_s: float) -> Comb:
    """Return the comb of a period, refined from an estimate."""
    cycles = max(1, round(_BLOCK_S / period_s))
    blocks = _blocks(samples, rate, period_s, cycles)
    for lag in (1, 1, 4, 16):
        if lag < blocks.shape[0]:
            period_s = _retuned(blocks, period_s, cycles, lag)
            blocks = _blocks(samples, rate, period_s, cycles)
    mean = blocks.mean(axis=0)
    power = (np.abs(blocks[:, 1:]) ** 2).mean(axis=0)
    held = float((np.abs(mean[1:]) ** 2).sum() / max(float(power.sum()), 1e-30))
    return Comb(period_s, mean, held)


def _blocks(samples: np.ndarray, rate: int, period_s: float, cycles: int) -> np.ndarray:
    """Return the coefficients of each block of so many periods [shape=(blocks, lines)]."""
    from scipy import fft

    phase = np.arange(samples.size) / (period_s * rate)
    count = int(phase[-1] / cycles)
    inside = int(np.searchsorted(phase, count * cycles))
    phase, x = phase[:inside], samples[:inside]
    block = (phase / cycles).astype(np.intp)
    size = _grid(period_s, rate)
    place = (phase - np.floor(phase)) * size
    low = place.astype(np.intp)
    share = place - low
    first = block * size
    flat = np.bincount(first + low, x * (1.0 - share), minlength=count * size)
    flat += np.bincount(first + (low + 1) % size, x * share, minlength=count * size)
    lines = int(0.5 * rate * period_s)
    found = fft.rfft(flat.reshape(count, size), axis=1)[:, :lines]
    number = np.bincount(block, minlength=count)[:, None]
    return np.asarray(found / number / np.sinc(np.arange(lines) / size) ** 2)


def _grid(period_s: float, rate: int) -> int:
    from scipy import fft

    return int(fft.next_fast_len(round(_FINE * period_s * rate), real=True))


def _retuned(blocks: np.ndarray, period_s: float, cycles: int, lag: int) -> float:
    """Return the period at which the phases of the lines do not change over `lag` blocks."""
    turn = (blocks[lag:] * blocks[:-lag].conj()).sum(axis=0)[1:]
    number = np.arange(1, turn.size + 1)
    weight = np.abs(turn)
    turns = float((weight * number * np.angle(turn)).sum() / (weight * number**2).sum()) / (2.0 * np.pi * lag * cycles)
    return period_s / (1.0 + turns)
