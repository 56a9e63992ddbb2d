"""Sounders whose pitch sweeps: the line of the sweep in the spectrogram of a cycle, and its harmonics.

A line is a sweep if it has much of the power of each frame, more than any constant pitch, over its whole time and over each third of it.

Conventions: seconds from the start of a cycle; a sweep is linear in Hz.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from roomtone.measure.gating.chirp_gates import SweepLine, demodulate_along, fit_sweep_gate
from roomtone.measure.spectra.draft_cycle import CycleDraft
from roomtone.measure.spectra.epoch_folding import fold
from roomtone.measure.spectra.spectrogram import Partial, Spectrogram, baseband

#: Shortest sweep, and least change of pitch as a share.
_SHORTEST_S = 0.25
_LEAST_MOVED = 0.12
#: Least mean share of the power of a frame on the line, and least ratio to that of the best constant pitch.
_LEAST_SHARE = 0.3
_RE_HELD = 1.6
#: Parts of a line for each of which the best constant pitch is compared too, and the least ratio to those.
_PARTS = 3
_RE_NOTES = 1.08
#: Spans closer than this may be one sweep, split by fluctuations of its level in the room.
_NEAR_S = 0.12
#: Sample rate of the baseband in which a line is refined.
_RATE_HZ = 2000.0
#: The highest harmonic considered.
_MOST = 8


@dataclass(frozen=True)
class Sweep:
    """A sweep.

    Attributes:
        on_s: from the start of the cycle.
        length_s: of the sweep.
        first_hz, last_hz: pitch at its start and end.
        spans: indices of the spans of the cycle that it explains.
    """

    on_s: float
    length_s: float
    first_hz: float
    last_hz: float
    spans: tuple[int, ...]


def sweep_of(samples: np.ndarray, rate: int, view: Spectrogram, rough: CycleDraft) -> Sweep | None:
    """Return the sweep that explains most of a cycle; None where there is none.

    Args:
        samples: the recording.
        rate: its rate.
        view: its spectrogram.
        rough: its cycle.
    """
    if not rough.period_s:
        return None
    frames = round(rough.span_s / view.hop_s)
    picture = fold(view.power, rough.starts_s / view.hop_s, frames) - view.floor[:, None]
    found: tuple[float, SweepLine, tuple[int, ...]] | None = None
    for first, last in _runs(rough.spans):
        begin, end = rough.spans[first][0], sum(rough.spans[last])
        line = line_of(np.maximum(picture, 0.0), view.bin_hz, view.hop_s, begin, end)
        if line is not None and (found is None or line.share * (end - begin) > found[0]):
            found = line.share * (end - begin), line, tuple(range(first, last + 1))
    if found is None:
        return None
    _, line, spans = found
    line = fine_line(samples, rate, rough.starts_s, line)
    before = rough.spans[spans[0] - 1] if spans[0] else None
    lead_s = min(0.12, line.begin_s - (sum(before) if before else 0.0))
    line, on_s, length_s = fit_sweep_gate(samples, rate, rough.starts_s, line, max(lead_s, 0.04))
    first_hz = line.first_hz + line.slope * (on_s - line.begin_s)
    return Sweep(on_s, length_s, first_hz, first_hz + line.slope * length_s, spans)


def _runs(spans: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """Return first and last index of all runs of spans that may be one sweep."""
    out = []
    for first in range(len(spans)):
        last = first
        while True:
            if sum(spans[last]) - spans[first][0] >= _SHORTEST_S:
                out.append((first, last))
            if last + 1 >= len(spans) or spans[last + 1][0] - sum(spans[last]) > _NEAR_S:
                break
            last += 1
    return out


def line_of(picture: np.ndarray, bin_hz: float, hop_s: float, begin_s: float, end_s: float) -> SweepLine | None:
    """Return the line with the largest share of the power between two times; None where a constant pitch has nearly as much.

    Args:
        picture: power above the background [shape=(bins, frames)].
        bin_hz, hop_s: width of a bin, and time between frames.
        begin_s, end_s: of the line, from the start of the cycle.
    """
    begin, end = round(begin_s / hop_s), min(round(end_s / hop_s), picture.shape[1])
    columns = np.unique(np.linspace(begin, end - 1, 50).astype(int))
    part = picture[: min(picture.shape[0], round(4000.0 / bin_hz)), columns]
    part = part / np.maximum(part.sum(axis=0), 1e-30)
    near = part.copy()
    near[1:] += part[:-1]
    near[:-1] += part[1:]
    top = near.shape[0] - 1
    rows = np.flatnonzero(near.max(axis=1) > 0.2)
    rows = rows[(rows > 0) & (rows < top)]
    if not rows.size:
        return None
    ends = np.arange(max(rows.min() - 1, 1), min(rows.max() + 2, top))
    way = np.linspace(0.0, 1.0, columns.size)
    lines = np.round(ends[:, None, None] * (1.0 - way) + ends[None, :, None] * way).astype(int)
    share = near[lines, np.arange(columns.size)].mean(axis=2)
    i, j = np.unravel_index(int(np.argmax(share)), share.shape)
    low, high = sorted((float(ends[i]), float(ends[j])))
    held = float(np.diag(share).max())
    best = float(share[i, j])
    if high < (1.0 + _LEAST_MOVED) * low or high - low < 2.0 or best < _LEAST_SHARE or best < _RE_HELD * held:
        return None
    # a melody has a constant pitch for a part of the time: the line must have more power than any pitch in each part
    parts = np.array_split(np.arange(columns.size), _PARTS)
    own = [near[lines[i, j][part], part].mean() for part in parts]
    if sum(own) < _RE_NOTES * sum(near[:, part].mean(axis=1).max() for part in parts):
        return None
    return SweepLine(begin_s, end_s, float(ends[i] * bin_hz), float(ends[j] * bin_hz), best)


def fine_line(samples: np.ndarray, rate: int, starts_s: np.ndarray, line: SweepLine) -> SweepLine:
    """Return a line refined for the largest coherent sum over blocks of about 1 / sqrt(slope).

    Args:
        samples, rate: the recording.
        starts_s: of the cycles.
        line: a first estimate.
    """
    middle = 0.5 * (line.first_hz + line.last_hz)
    half_hz = min(0.5 * abs(line.last_hz - line.first_hz) + 80.0, 900.0)
    z = baseband(samples, rate, middle, half_hz, _RATE_HZ)
    times = np.arange(round((line.end_s - line.begin_s) * _RATE_HZ)) / _RATE_HZ
    firsts = np.round((starts_s + line.begin_s) * _RATE_HZ).astype(int)
    firsts = firsts[(firsts >= 0) & (firsts + times.size <= z.size)][:8]
    if not firsts.size:
        return line
    cycles = z[firsts[None, :] + np.arange(times.size)[:, None]]
    block = max(8, round(_RATE_HZ / np.sqrt(max(abs(line.slope), 50.0))))
    count = times.size // block

    def together(first_hz: float, last_hz: float) -> float:
        phase = (first_hz - middle) * times + 0.5 * (last_hz - first_hz) * times**2 / times[-1]
        turned = cycles * np.exp(-2j * np.pi * phase)[:, None]
        blocks = turned[: count * block].reshape(count, block, -1).sum(axis=1)
        return float((np.abs(blocks) ** 2).sum())

    first, last = line.first_hz, line.last_hz
    for step in (16.0, 8.0, 4.0):
        tried = [(first + a * step, last + b * step) for a, b in itertools.product(range(-2, 3), repeat=2)]
        first, last = max(tried, key=lambda pair: together(*pair))
    return SweepLine(line.begin_s, line.end_s, first, last, line.share)


def overtones(samples: np.ndarray, rate: int, starts_s: np.ndarray, sweep: Sweep) -> tuple[Partial, ...]:
    """Return the harmonics of a sweep at their pitches at its start, strongest first, with their mean power while it sounds.

    A harmonic is there if its power is three times that half a fundamental beside it.

    Args:
        samples, rate: the recording.
        starts_s: of the cycles.
        sweep: the sweep.
    """
    line = SweepLine(sweep.on_s, sweep.on_s + sweep.length_s, sweep.first_hz, sweep.last_hz, 1.0)
    top_hz = max(sweep.first_hz, sweep.last_hz)

    def power(number: float) -> float:
        z = demodulate_along(samples, rate, starts_s, line, number, 0.0, sweep.length_s)
        return 2.0 * float((np.abs(z) ** 2).mean()) if z.size else 0.0

    found = []
    for number in range(1, min(_MOST, int(0.45 * rate / top_hz - 0.5)) + 1):
        own, beside = power(number), max(power(number - 0.5), power(number + 0.5), 1e-30)
        if number == 1 or own > 3.0 * beside:
            found.append(Partial(number * sweep.first_hz, own, float(10.0 * np.log10(max(own / beside, 1e-3)))))
    return tuple(sorted(found, key=lambda p: -p.power))
