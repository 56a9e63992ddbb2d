"""One cycle of a repeating machine: cycles laid upon one another, its pulses found, timed and taken apart into partials.

A room lengthens what is heard: after a pulse has ended its sound dies away, and half height comes late. But a pulse that
is switched on and off excites the same response twice, once with each sign. So the length is where the derivative of
a partial's complex envelope, taken around the onset, comes back inverted (`switch_off`); the room drops out.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass

import numpy as np

from roomtone.augment.place.spectrum import (
    Partial,
    Spectrogram,
    baseband,
    interpolated_peaks,
    spectrogram,
)

WINDOW_S = 0.032
HOP_S = 0.002
#: A shorter period lets no room fall silent between the pulses.
SHORT_S = 0.16


@dataclass(frozen=True)
class Pulse:
    """One pulse of a cycle: its start in the cycle, its length between half heights, its partials and its glide.

    Attributes:
        onset_s: half height of the rise, from the start of the cycle.
        length_s: to half height of the fall.
        partials: tonal components, strongest first; empty for a burst of noise.
        glide: pitch at the end over pitch at the start.
        noise_power: mean square of what is not tonal while the pulse sounds.
        noise_band_hz: where most of that lies.
        decaying: it dies away from its start, as a knock does.
    """

    onset_s: float
    length_s: float
    partials: tuple[Partial, ...]
    glide: float = 1.0
    noise_power: float = 0.0
    noise_band_hz: tuple[float, float] = (100.0, 4000.0)
    decaying: bool = False


@dataclass(frozen=True)
class Cycle:
    """What comes back: starts of the cycles in the recording, and the pulses of one."""

    starts_s: np.ndarray
    span_s: float
    pulses: tuple[Pulse, ...]


def fold(picture: np.ndarray, starts: np.ndarray, span: int) -> np.ndarray:
    """Return the mean over cycles of a picture [shape=(bins, frames)] -> [shape=(bins, span)]; frames outside are left out."""
    total, count = np.zeros((picture.shape[0], span)), np.zeros(span)
    for start in np.round(starts).astype(int):
        low, high = max(start, 0), min(start + span, picture.shape[1])
        if high > low:
            total[:, low - start : high - start] += picture[:, low:high]
            count[low - start : high - start] += 1
    return np.asarray(total / np.maximum(count, 1.0))


def measure_cycle(samples: np.ndarray, sample_rate_hz: int, rows_hz: np.ndarray, period_s: float) -> Cycle:
    """Return the cycle of a machine.

    Args:
        samples: the recording.
        sample_rate_hz: its rate.
        rows_hz: frequencies at which the machine was seen to repeat [shape=(rows,)].
        period_s: its period; 0 takes the whole recording as one cycle.
    """
    window_s = float(np.clip(period_s / 4.0, 0.012, WINDOW_S)) if period_s else WINDOW_S
    hop_s = HOP_S if not period_s or period_s > SHORT_S else HOP_S / 4.0
    if hop_s < HOP_S:
        samples = samples[: 30 * sample_rate_hz]
    view = spectrogram(samples, sample_rate_hz, window_s=WINDOW_S, hop_s=HOP_S)
    power = np.abs(bins_at(samples, sample_rate_hz, rows_hz, window_s, hop_s)) ** 2
    power = np.maximum(power - 1.2 * np.quantile(power, 0.25, axis=1, keepdims=True) / 0.28768, 0.0)
    frames = power.shape[1]
    starts = aligned_starts(power, period_s / hop_s) if period_s else np.array([0.0])
    span = max(8, round(period_s / hop_s)) if period_s else frames
    level = fold(power.sum(axis=0)[None, :], starts, span)[0]
    if period_s:  # the cycle begins where it is most silent for long
        shift = _quietest(level)
        starts, level = starts + shift, np.roll(level, -shift)
        starts = np.concatenate([[2.0 * starts[0] - starts[1]], starts]) if starts.size > 1 else starts
        starts = starts[(starts > -0.95 * span) & (starts < frames)]
    found = sounding_spans(level, hop_s)
    if not period_s or period_s > SHORT_S:
        found = split_spans(found, fold(power, starts, span), hop_s)
    pulses = []
    for index, (on, off) in enumerate(found):
        following = found[index + 1][0] if index + 1 < len(found) else span + found[0][0]
        struck = _struck(level[on:following], hop_s)
        rooms = (following - on) * hop_s
        pulses.append(
            (
                rooms,
                _pulse(
                    samples,
                    sample_rate_hz,
                    view,
                    rows_hz,
                    starts * hop_s + on * hop_s,
                    on * hop_s,
                    (off - on) * hop_s,
                    struck,
                ),
            )
        )
    return Cycle(starts * hop_s, span * hop_s, tuple(_timed(samples, sample_rate_hz, view, starts * hop_s, pulses)))


def _pulse(
    samples: np.ndarray,
    rate: int,
    view: Spectrogram,
    rows_hz: np.ndarray,
    times: np.ndarray,
    onset_s: float,
    length_s: float,
    struck: bool,
) -> Pulse:
    rows = np.unique(np.round(rows_hz / view.bin_hz).astype(int))
    glide = _glide(view, rows, times, length_s) if length_s > 0.1 else 1.0
    partials = _partials_of(samples, rate, times, length_s, view)
    return Pulse(onset_s, length_s, tuple(partials), glide, decaying=struck)


def _timed(
    samples: np.ndarray, rate: int, view: Spectrogram, starts_s: np.ndarray, pulses: list[tuple[float, Pulse]]
) -> list[Pulse]:
    """Return the pulses with the lengths that their switching tells, and partials taken over those."""
    clear = [
        i for i, (_, p) in enumerate(pulses) if p.partials and p.glide == 1.0 and not p.decaying and p.length_s > 0.02
    ]
    cache: dict[tuple[int, int], np.ndarray] = {}
    curves = [
        switch_off(samples, rate, starts_s + p.onset_s, list(p.partials[:6]), p.length_s, room_s, cache)
        for room_s, p in (pulses[i] for i in clear)
    ]
    lengths = common_length(curves, [pulses[i][1].length_s for i in clear])
    out = [p for _, p in pulses]
    for i, length_s in zip(clear, lengths):
        partials = _partials_of(samples, rate, starts_s + out[i].onset_s, length_s, view)
        out[i] = dataclasses.replace(out[i], length_s=length_s, partials=tuple(partials) or out[i].partials)
    return without_ghosts(out)


def without_ghosts(pulses: list[Pulse]) -> list[Pulse]:
    """Return the pulses without those that are the room's: after a switch-off its parts may beat, and swell once more.

    Such a swelling follows within 0.12 s of the end, on one of its partials, and is short beside the pulse itself.
    """
    kept: list[Pulse] = []
    for pulse in pulses:
        last = kept[-1] if kept else None
        if last is not None and last.partials and pulse.length_s < min(0.12, 0.45 * last.length_s):
            gap = pulse.onset_s - last.onset_s - last.length_s
            same = not pulse.partials or any(abs(pulse.partials[0].hz / p.hz - 1.0) < 0.04 for p in last.partials)
            if gap < 0.12 and same:
                continue
        kept.append(pulse)
    return kept


def sounding_spans(level: np.ndarray, hop_s: float) -> list[tuple[int, int]]:
    """Return from where to where a cycle sounds, in frames: with hysteresis, re the level while it sounds.

    A room leaves the ends late and, where pulses follow one another fast, the gaps shallow: the ends are only rough.
    """
    short = level.size * hop_s < SHORT_S
    width = max(1, round((0.004 if short else 0.026) / hop_s))
    smooth = np.convolve(np.pad(level, width, mode="wrap"), np.full(width, 1.0 / width), mode="same")[width:-width]
    loud = loudness(smooth)
    if short:  # so fast that a room hardly lets it fall: one pulse, from the lower to the upper half
        loud = np.sqrt(smooth.max() * max(smooth.min(), 1e-3 * smooth.max()))
    rises, stays = (1.0, 1.0) if short else (0.35, 0.2)
    spans: list[tuple[int, int]] = []
    on: int | None = None
    for k, value in enumerate(smooth):
        if on is None and value >= rises * loud:
            on = k
        elif on is not None and value < stays * loud:
            spans.append((on, k))
            on = None
    if on is not None:
        spans.append((on, smooth.size))
    least = max(2, round(0.012 / hop_s))
    merged: list[tuple[int, int]] = []
    for begin, end in spans:
        if merged and (begin - merged[-1][1]) * hop_s < (0.004 if short else 0.025):
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((begin, end))
    return [(begin, end) for begin, end in merged if end - begin >= least or short]


def split_spans(spans: list[tuple[int, int]], power: np.ndarray, hop_s: float) -> list[tuple[int, int]]:
    """Return the spans, cut where a new pulse sets in before the last one has died away in the room.

    A pulse sets in where 40 % of the power or more was not in the same bins 24 ms before.
    """
    from scipy.ndimage import uniform_filter1d
    from scipy.signal import find_peaks

    step = round(0.012 / hop_s)
    smooth = np.maximum(uniform_filter1d(power, max(1, round(0.008 / hop_s)), axis=1), 0.0)
    rise = np.zeros(power.shape[1])
    rise[step:-step] = np.maximum(smooth[:, 2 * step :] - smooth[:, : -2 * step], 0.0).sum(axis=0)
    level = smooth.sum(axis=0)
    loud = loudness(level)
    share = rise / np.maximum(np.roll(level, -step), 0.3 * loud)
    peaks, _ = find_peaks(share, height=0.4, distance=round(0.09 / hop_s), prominence=0.25)
    least = round(0.09 / hop_s)
    out: list[tuple[int, int]] = []
    for begin, end in spans:
        cuts = [int(k) for k in peaks if begin + least <= k <= end - round(0.04 / hop_s) and _new(smooth, int(k), step)]
        edges = [begin, *cuts, end]
        out += [(a, b if b == end else b - round(0.006 / hop_s)) for a, b in itertools.pairwise(edges)]
    return out


def _new(smooth: np.ndarray, cut: int, step: int) -> bool:
    """Return whether other bins sound after a cut than before, or the level had fallen by 6 dB: interference does neither."""
    before, after = (
        smooth[:, max(cut - 4 * step, 0) : cut - step].mean(axis=1),
        smooth[:, cut + step : cut + 4 * step].mean(axis=1),
    )
    dip = smooth.sum(axis=0)[max(cut - 2 * step, 0) : cut + 1].min()
    top = min(smooth.sum(axis=0)[max(cut - 12 * step, 0) : cut].max(), after.sum())
    shared = np.sqrt(before * after).sum() / max(np.sqrt(before.sum() * after.sum()), 1e-30)
    return bool(shared < 0.75 or dip < 0.5 * top)


def loudness(smooth: np.ndarray) -> float:
    """Return the power of a machine while it sounds: the median of what lies above a tenth of the loudest."""
    top = float(np.quantile(smooth, 0.99))
    top = top if top > 0.02 * smooth.max() else float(smooth.max())
    return float(np.median(smooth[smooth >= 0.1 * top]))


def _struck(level: np.ndarray, hop_s: float) -> bool:
    """Return whether a sound dies away from its start: 40 ms after its height it has lost 5 dB."""
    width = max(1, round(0.008 / hop_s))
    smooth = np.convolve(level, np.full(width, 1.0 / width), mode="same")
    top = int(np.argmax(smooth))
    later = top + round(0.04 / hop_s)
    return bool(
        top * hop_s < 0.03 and later < smooth.size and smooth[later] < 0.3 * smooth[top] and level.size * hop_s > 0.15
    )


def _quietest(level: np.ndarray) -> int:
    """Return the frame at which the quietest tenth of the cycle has nearly passed: the best place to begin."""
    width = max(2, level.size // 10)
    around = np.concatenate([level, level[:width]])
    smooth = np.convolve(around, np.full(width, 1.0 / width), mode="valid")[: level.size]
    return int((np.argmin(smooth) + round(0.5 * width)) % level.size)


def bins_at(samples: np.ndarray, sample_rate_hz: int, rows_hz: np.ndarray, window_s: float, hop_s: float) -> np.ndarray:
    """Return the complex bins that hold these frequencies [shape=(rows, frames)]."""
    import librosa

    size, hop = round(window_s * sample_rate_hz), round(hop_s * sample_rate_hz)
    spectrum = librosa.stft(samples.astype(np.float32), n_fft=size, hop_length=hop, window="hann", pad_mode="constant")
    rows = np.round(rows_hz * size / sample_rate_hz).astype(int)
    return np.asarray(spectrum[np.unique(np.clip(rows, 1, spectrum.shape[0] - 2))] * np.float32(np.sqrt(8.0) / size))


def aligned_starts(excess: np.ndarray, period: float) -> np.ndarray:
    """Return the starts of all cycles in frames, each moved to where it fits the mean of all best (a heart is no clock)."""
    frames, span = excess.shape[1], round(period)
    starts = np.arange(0.0, frames - 0.3 * period, period)
    if period < 60 or starts.size < 3:
        return starts
    envelope = np.sqrt(excess.sum(axis=0))
    reach = round(0.15 * period)
    for _ in range(2):
        template = fold(envelope[None, :], starts, span)[0]
        template = template - template.mean()
        moved = []
        for start in starts:
            scores = [_overlap(envelope, template, round(start) + d) for d in range(-reach, reach + 1)]
            moved.append(start + int(np.argmax(scores)) - reach)
        wobble = np.array(moved) - starts
        if np.median(np.abs(wobble - np.median(wobble))) < 2.0:
            return starts  # a clock after all
        starts = starts + wobble - np.median(wobble)
    return starts


def _overlap(envelope: np.ndarray, template: np.ndarray, start: int) -> float:
    low, high = max(start, 0), min(start + template.size, envelope.size)
    return float((envelope[low:high] * template[low - start : high - start]).sum()) if high > low else 0.0


def _partials_of(
    samples: np.ndarray, rate: int, times: np.ndarray, length_s: float, view: Spectrogram
) -> list[Partial]:
    spectrum, bin_hz, noise, lobe_hz = _pulse_spectrum(samples, rate, times, length_s, view)
    return _pulse_partials(spectrum, bin_hz, noise, lobe_hz)


def _pulse_spectrum(
    samples: np.ndarray, rate: int, times_s: np.ndarray, length_s: float, view: Spectrogram
) -> tuple[np.ndarray, float, np.ndarray, float]:
    """Return the mean power spectrum of a pulse over its occurrences, its bin width, the background in it, and the width of a line."""
    from scipy import fft

    edge = min(0.008, 0.15 * length_s)
    size = max(64, round((length_s - 2 * edge) * rate))
    padded = fft.next_fast_len(max(4 * size, round(0.5 * rate)), real=True)
    window = np.hanning(size)
    total, count = np.zeros(padded // 2 + 1), 0
    for time in times_s:
        begin = round((time + edge) * rate)
        if begin >= 0 and begin + size <= samples.size:
            total += np.abs(fft.rfft(samples[begin : begin + size] * window, padded)) ** 2
            count += 1
    scale = 2.0 / max(window.sum(), 1e-9) ** 2
    power = total * scale / max(count, 1)
    bin_hz = rate / padded
    hz = np.arange(power.size) * bin_hz
    density = np.interp(hz, np.arange(view.floor.size) * view.bin_hz, view.floor / (1.5 * view.bin_hz))
    return power, bin_hz, density * 1.5 * rate / size, 4.0 * rate / size


def _pulse_partials(power: np.ndarray, bin_hz: float, noise: np.ndarray, lobe_hz: float) -> list[Partial]:
    """Return the tonal peaks of a pulse's spectrum, those within 35 dB of the strongest, at least 8 dB above the noise."""
    least = np.maximum(8.0 * noise, 10**-3.3 * power.max())
    least[: round(40.0 / bin_hz)] = np.inf
    found = interpolated_peaks(power, bin_hz, least)
    kept: list[Partial] = []
    for partial in found:
        if all(_resolved(partial, other, lobe_hz) for other in kept):
            kept.append(partial)
    return kept[:24]


def _resolved(weak: Partial, strong: Partial, lobe_hz: float) -> bool:
    """Return whether a peak is no side lobe of a stronger one (Hann: -31 dB next to it, falling by 18 dB an octave)."""
    apart = abs(weak.hz - strong.hz)
    if apart < 0.55 * lobe_hz:
        return False
    limit_db = -20.0 - 15.0 * np.log2(max(2.0 * apart / lobe_hz, 1.0))
    return bool(10.0 * np.log10(weak.power / strong.power) > limit_db or apart > 8 * lobe_hz)


def _glide(view: Spectrogram, rows: np.ndarray, times_s: np.ndarray, length_s: float) -> float:
    """Return the ratio of the pitch at the end of a pulse to that at its start, from its strongest ridge."""
    low, high = max(int(rows.min()) - 6, 1), min(int(rows.max()) + 7, view.power.shape[0] - 1)
    end = round(length_s / view.hop_s)
    mean = fold(view.power[low:high], times_s / view.hop_s, end)
    edge = min(8, end // 6)
    ridge = mean[:, edge : end - edge] if end > 2 * edge + 6 else mean
    k = _ridge(ridge)
    frames = np.arange(ridge.shape[1])
    left, middle, right = (np.log(ridge[k + s, frames] + 1e-20) for s in (-1, 0, 1))
    hz = (
        low + k + np.clip(0.5 * (left - right) / np.minimum(left - 2 * middle + right, -1e-9), -0.5, 0.5)
    ) * view.bin_hz
    time = (frames + 0.5) / frames.size
    slopes = np.polyfit(time, hz, 1)
    rest = hz - np.polyval(slopes, time)
    keep = np.abs(rest) < 3.0 * np.median(np.abs(rest)) + 1.0
    slope, start = np.polyfit(time[keep], hz[keep], 1)
    moved = abs(slope)
    if (
        start <= 0
        or start + slope <= 0
        or moved < max(0.02 * start, 0.5 * view.bin_hz)
        or np.std(rest[keep]) > 0.25 * moved
    ):
        return 1.0
    return float((start + slope) / start)


def _ridge(power: np.ndarray) -> np.ndarray:
    """Return the bin of the strongest line in each frame, followed from its loudest moment both ways, 2 bins a frame at most."""
    bins, frames = power.shape
    peak = int(np.argmax(power.max(axis=0)))
    line = np.zeros(frames, dtype=int)
    line[peak] = int(np.argmax(power[:, peak]))
    for frame, last in [(f, f - 1) for f in range(peak + 1, frames)] + [(f, f + 1) for f in range(peak - 1, -1, -1)]:
        low, high = max(line[last] - 2, 0), min(line[last] + 3, bins)
        line[frame] = low + int(np.argmax(power[low:high, frame]))
    return np.clip(line, 1, bins - 2)


def switch_off(
    samples: np.ndarray,
    rate: int,
    times_s: np.ndarray,
    partials: list[Partial],
    rough_s: float,
    room_s: float,
    cache: dict[tuple[int, int], np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return lengths in seconds, and how far the onset comes back with the opposite sign there: -1 wholly, 0 not at all.

    Args:
        samples: the recording.
        rate: its rate in Hz.
        times_s: starts of the pulse in the recording, one for each cycle.
        partials: its tonal components, strongest first.
        rough_s: length as the envelope has it, which a room makes too long.
        room_s: time up to the next pulse.
        cache: basebands of this recording, kept between calls.
    """
    from scipy.signal import correlate

    step_hz = 1000.0
    hz = [partial.hz for partial in partials]
    low = max(5, round(min(max(0.35 * rough_s, rough_s - 0.11), rough_s - 0.02) * step_hz))
    high = round(min(rough_s + 0.03, max(room_s - 0.006, 0.5 * room_s)) * step_hz)
    if room_s <= SHORT_S:
        low, high = max(5, round(0.2 * room_s * step_hz)), round(0.85 * room_s * step_hz)
    if high <= low + 4:
        return np.zeros(0), np.zeros(0)
    before, after = round(min(0.03, 0.15 * room_s) * step_hz), round(min(0.05, 0.25 * room_s, 0.6 * rough_s) * step_hz)
    score, energy = np.zeros(high - low + 1), np.full(high - low + 1, 1e-30)
    onset_energy = 1e-30
    for partial in partials:
        apart = min([abs(partial.hz - other) for other in hz if other != partial.hz], default=200.0)
        key = (round(partial.hz), round(float(np.clip(0.5 * apart, 20.0, 110.0)) / 10.0))
        if key not in cache:
            cache[key] = baseband(samples, rate, partial.hz, 10.0 * key[1], step_hz)
        z = cache[key]
        change = np.diff(z)
        starts = times_s[:40] if room_s > SHORT_S else np.zeros(1)
        for time in starts:
            at = round(time * step_hz)
            begin, stop = at - before, at + after
            if room_s <= SHORT_S:  # pulses so fast that each onset lies in the last one's tail: all of them together
                begin, stop = 0, change.size - high - 1
            if begin < 0 or stop + high >= change.size:
                continue
            part = z[at + round(0.4 * low) : at + low]
            turn = np.angle((np.conj(part[:-1]) * part[1:]).sum()) if part.size > 8 and room_s > SHORT_S else 0.0
            on, later = change[begin:stop], change[begin + low : stop + high]
            products = correlate(later, on, mode="valid", method="auto")
            score += (products * np.exp(-1j * turn * np.arange(low, high + 1))).real
            energy += np.convolve(np.abs(later) ** 2, np.ones(stop - begin), mode="valid") if room_s > SHORT_S else 1.0
            onset_energy += float((np.abs(on) ** 2).sum())
    score = score / np.sqrt(energy * onset_energy)
    return np.arange(low, high + 1) / step_hz, score


def common_length(curves: list[tuple[np.ndarray, np.ndarray]], rough_s: list[float]) -> list[float]:
    """Return the length of each pulse: that of all together where a pulse agrees with it, else its own best.

    A machine mostly makes pulses of one length, and what the room adds by chance differs from partial to partial.
    """
    if not curves:
        return []
    top = max((lags[-1] for lags, _ in curves if lags.size), default=0.0)
    grid = np.arange(0, round(top * 1000) + 2) / 1000.0
    spread = [
        np.interp(grid, lags, score, left=0.0, right=0.0) if lags.size else np.zeros(grid.size)
        for lags, score in curves
    ]
    together = np.mean(spread, axis=0)
    k = int(np.argmin(together)) if together.size else 0
    out = []
    for one, rough in zip(spread, rough_s):
        own = int(np.argmin(one)) if one.size else 0
        chosen = k if one.size and one[k] < 0.6 * one[own] and abs(grid[k] - rough) < 0.6 * rough + 0.05 else own
        if not one.size or not 0 < chosen < one.size - 1 or one[chosen] > -0.12:
            out.append(rough)
            continue
        left, middle, right = one[chosen - 1 : chosen + 2]
        bend = left - 2 * middle + right
        out.append(float(grid[chosen] + (0.0005 * (left - right) / bend if bend > 0 else 0.0)))
    return out
