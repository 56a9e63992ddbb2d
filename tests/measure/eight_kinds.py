"""Eight kinds of machines in ray-traced rooms, made without any code of the package: what is true of each recording is known.

Times in seconds, frequencies in Hz, signals float64 at 16 kHz. A recording is the machine, convolved with a response that pyroomacoustics
traced (T30 0.5 s, direct sound 12 dB below the rest), and pink noise some dB below the machine while it sounds.
"""

import functools
from dataclasses import dataclass, field

import numpy as np

RATE = 16000
SECONDS = 24.0
LEAD_S = 2.0  # rendered before the recording begins, so that the room is filled


@dataclass
class Truth:
    """What is true of a machine.

    Attributes:
        tones: `(lowest, highest)` frequency of each tone; a sweep covers a range.
        bands: `(lowest, highest)` frequency of each noise, click or clunk.
        gates: `(on, off)` of everything that is switched, in the recording's time.
        onsets: of one cycle, from its first.
        period_s: of what repeats; 0 for what does not.
        machines: how many there are.
    """

    tones: list = field(default_factory=list)
    bands: list = field(default_factory=list)
    gates: list = field(default_factory=list)
    onsets: tuple = (0.0,)
    period_s: float = 0.0
    machines: int = 1


def edge(since, length_s, edge_s=0.005):
    """A gate with raised-cosine edges inside its length."""
    rise = np.clip(since / edge_s, 0.0, 1.0)
    fall = np.clip((length_s - since) / edge_s, 0.0, 1.0)
    return (0.5 - 0.5 * np.cos(np.pi * rise)) * (0.5 - 0.5 * np.cos(np.pi * fall))


def harmonics(turns, levels_db, rng):
    """Sines at multiples of a pitch whose phase in turns is given, each with its level and a phase of its own."""
    return sum(10 ** (db / 20) * np.sin(2 * np.pi * (n * turns + rng.random())) for n, db in enumerate(levels_db, 1))


def starts_of(period_s, rng, wobble=lambda count: np.zeros(count)):
    """Starts of cycles over lead and recording, in time of the recording, at a random phase."""
    count = int((SECONDS + LEAD_S) / period_s) + 2
    return -LEAD_S + rng.uniform(0, 1) * period_s + period_s * np.arange(-1, count) + wobble(count + 1)


def place(cycle, starts_s):
    """Copies of a sound at starts."""
    out = np.zeros(round((SECONDS + LEAD_S) * RATE))
    for start in starts_s:
        first = round((start + LEAD_S) * RATE)
        low, high = max(first, 0), min(first + cycle.size, out.size)
        if high > low:
            out[low:high] += cycle[low - first : high - first]
    return out


def clock(length_s):
    return np.arange(round(length_s * RATE)) / RATE


def triple_beep(rng):
    """Three beeps on a grid of 0.25 s, then a pause."""
    hz, length, period = rng.uniform(600, 1000), rng.uniform(0.11, 0.16), rng.uniform(1.8, 2.6)
    since = clock(0.5 + length)
    tone = harmonics(hz * since, [0, -8, -13], rng)
    beep = sum(edge(since - on, length) * ((since >= on) & (since < on + length)) for on in (0.0, 0.25, 0.5))
    starts = starts_of(period, rng)
    gates = [(s + on, s + on + length) for s in starts for on in (0.0, 0.25, 0.5)]
    return place(tone * beep, starts), Truth([(n * hz, n * hz) for n in (1, 2, 3)], [], gates, (0.0, 0.25, 0.5), period)


def jittered_pulse(rng):
    """A pulse of 80 ms whose times stray from the grid by 8 ms (standard deviation), normally distributed."""
    hz, length, period = rng.uniform(900, 1900), 0.08, rng.uniform(0.6, 0.95)
    since = clock(length)
    pulse = harmonics(hz * since, [0, -9], rng) * edge(since, length)
    starts = starts_of(period, rng, lambda count: 0.008 * rng.standard_normal(count))
    return place(pulse, starts), Truth(
        [(hz, hz), (2 * hz, 2 * hz)], [], [(s, s + length) for s in starts], (0.0,), period
    )


def two_tone_siren(rng):
    """Two pitches in turns without a gap, one oscillator."""
    low, ratio, length = rng.uniform(440, 620), rng.uniform(1.22, 1.38), rng.uniform(0.45, 0.65)
    period = 2 * length
    time = clock(SECONDS + LEAD_S)
    phase = rng.uniform(0, period)
    second = (time + phase) % period >= length
    turns = np.cumsum(np.where(second, ratio, 1.0) * low) / RATE
    starts = np.arange(-LEAD_S - phase, SECONDS + period, period)
    gates = [(s + k * length, s + (k + 1) * length) for s in starts for k in (0, 1)]
    tones = [(n * f, n * f) for n in (1, 2, 3) for f in (low, low * ratio)]
    return harmonics(turns, [0, -6, -10], rng), Truth(tones, [], gates, (0.0, length), period)


def falling_chirp(rng):
    """A sweep down by an octave or so, linear in Hz, again and again with a pause."""
    high, ratio, length, period = (
        rng.uniform(1300, 2000), rng.uniform(0.42, 0.6), rng.uniform(0.45, 0.7), rng.uniform(1.2, 1.7),
    )  # fmt: skip
    since = clock(length)
    turns = high * (since + 0.5 * (ratio - 1.0) * since**2 / length)
    starts = starts_of(period, rng)
    sound = harmonics(turns, [0, -10], rng) * edge(since, length, 0.01)
    tones = [(n * high * ratio, n * high) for n in (1, 2)]
    return place(sound, starts), Truth(tones, [], [(s, s + length) for s in starts], (0.0,), period)


def pump_stroke(rng):
    """A stroke of noise, new each time, and a clunk of three damped modes at its end."""
    length, period, tau = rng.uniform(0.35, 0.5), rng.uniform(1.1, 1.5), rng.uniform(0.02, 0.035)
    modes = rng.uniform(160, 220) * np.array([1.0, 2.31, 5.17])
    starts = starts_of(period, rng)
    since = clock(0.3)
    clunk = sum(
        np.sin(2 * np.pi * hz * since + 6 * rng.random()) * np.exp(-since / tau) / (k + 1) for k, hz in enumerate(modes)
    )
    clunk *= np.clip(since / 0.001, 0, 1)
    out = place(2.0 * clunk, starts + length)
    time = clock(length)
    for start in starts:
        spectrum = np.fft.rfft(rng.standard_normal(time.size))
        hz = np.fft.rfftfreq(time.size, 1 / RATE)
        band = np.exp(-0.5 * (np.log2(np.maximum(hz, 1) / 900) / 0.8) ** 2)
        noise = np.fft.irfft(spectrum * band, time.size)
        out += place(noise / noise.std() * edge(time, length, 0.03), [start])
    gates = [g for s in starts for g in ((s, s + length), (s + length, s + length + 4 * tau))]
    return out, Truth([(hz, hz) for hz in modes], [(200, 4000)], gates, (0.0, length), period)


def clicks_over_hum(rng):
    """A relay's click, always the same, over a hum that never stops."""
    hz, period, tau = rng.choice([100.0, 120.0]), rng.uniform(0.45, 0.8), rng.uniform(0.002, 0.004)
    time, since = clock(SECONDS + LEAD_S), clock(0.04)
    hum = harmonics(hz * time, [0, -4, -7, -12, -16], rng)
    click = sum(np.sin(2 * np.pi * f * since + 6 * rng.random()) for f in rng.uniform(700, 3500, 6))
    click *= np.exp(-since / tau) * np.clip(since / 0.0005, 0, 1)
    starts = starts_of(period, rng)
    clicks = place(click, starts)
    clicks *= np.sqrt(0.4 * (hum**2).mean() / (clicks**2).mean())
    tones = [(n * hz, n * hz) for n in range(1, 6)]
    gates = [(s, s + 4 * tau) for s in starts]
    return hum + clicks, Truth(tones, [(500, 4500)], gates, (0.0,), period, machines=2)


def am_hum(rng):
    """A hum whose level swings as a sine."""
    hz, rate, depth = rng.choice([100.0, 120.0]), rng.uniform(2.5, 6.5), rng.uniform(0.5, 0.85)
    time = clock(SECONDS + LEAD_S)
    hum = harmonics(hz * time, [0, -3, -8, -9, -15], rng) * (1 + depth * np.sin(2 * np.pi * rate * time))
    return hum, Truth([(n * hz - rate, n * hz + rate) for n in range(1, 6)], [], [], (0.0,), 1 / rate)


def struck_bell(rng):
    """A bell: partials that share no fundamental, each with a decay of its own."""
    hz, period, slowest = rng.uniform(420, 700), rng.uniform(2.2, 3.2), rng.uniform(0.35, 0.6)
    ratios = np.array([0.5, 1.0, 1.19, 1.506, 2.0, 2.662, 3.01])
    levels = np.array([-6, 0, -4, -9, -2, -10, -12])
    since = clock(4 * slowest)
    bell = sum(
        10 ** (db / 20) * np.sin(2 * np.pi * hz * r * since + 6 * rng.random()) * np.exp(-since / (slowest / r**0.7))
        for r, db in zip(ratios, levels)
    )
    bell *= np.clip(since / 0.001, 0, 1)
    starts = starts_of(period, rng)
    return place(bell, starts), Truth(
        [(hz * r, hz * r) for r in ratios], [], [(s, s + slowest) for s in starts], (0.0,), period
    )


KINDS = {
    "triple_beep": triple_beep,
    "jittered_pulse": jittered_pulse,
    "two_tone_siren": two_tone_siren,
    "falling_chirp": falling_chirp,
    "pump_stroke": pump_stroke,
    "clicks_over_hum": clicks_over_hum,
    "am_hum": am_hum,
    "struck_bell": struck_bell,
}


@functools.cache
def ray_traced(seed, t30_s=0.5, drr_db=-12.0):
    """A response of image sources and rays, its direct sound `drr_db` below the rest by distance; direct sound at sample 0."""
    import pyroomacoustics as pra

    rng = np.random.default_rng([31, seed])
    size = np.array([rng.uniform(5, 8), rng.uniform(4, 6), rng.uniform(2.6, 3.4)])
    absorption, order = pra.inverse_sabine(1.09 * t30_s, size)
    pra.random.seed(seed)
    room = pra.ShoeBox(
        size,
        fs=RATE,
        materials=pra.Material(absorption, 0.2),
        max_order=min(order, 10),
        ray_tracing=True,
        air_absorption=True,
    )
    room.set_ray_tracing(n_rays=8000)
    far = 0.057 * np.sqrt(np.prod(size) / t30_s) * 10 ** (-drr_db / 20)
    source = np.array([0.7, 0.8, 1.1]) + rng.uniform(0, 0.3, 3)
    toward = np.array([1.0, 0.75, 0.1])
    microphone = np.clip(
        source + min(far, 0.95 * np.linalg.norm(size[:2]) - 1.0) * toward / np.linalg.norm(toward), 0.4, size - 0.4
    )
    room.add_source(source)
    room.add_microphone(microphone)
    room.compute_rir()
    response = np.asarray(room.rir[0][0], dtype=np.float64)
    direct = int(np.argmax(np.abs(response) > 0.3 * np.abs(response[:2000]).max()))
    response = response[max(direct - 8, 0) :][: round(1.2 * t30_s * RATE)]
    first = 8 + round(0.0025 * RATE)
    late = (response[first:] ** 2).sum()
    response[:first] *= np.sqrt(10 ** (drr_db / 10) * late / (response[:first] ** 2).sum())
    return response / np.sqrt((response**2).sum())


def pink(count, rng):
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / RATE)
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, 20.0)), count)
    return noise / noise.std()


def response_of(kind, seed):
    """The response of the room in which a recording was made."""
    return ray_traced((seed + sum(map(ord, kind))) % 6)


def recording(kind, seed, below_db):
    """A recording of a machine: `(samples, the machine alone at the microphone, truth)`; the machine has -20 dB RMS while it sounds."""
    from scipy.signal import fftconvolve

    rng = np.random.default_rng([seed, *map(ord, kind)])
    dry, truth = KINDS[kind](rng)
    wet = fftconvolve(dry, response_of(kind, seed))[: dry.size]
    lead = round(LEAD_S * RATE)
    stem = wet[lead:]
    time = np.arange(stem.size) / RATE
    on = np.zeros(stem.size, dtype=bool)
    for begin, end in truth.gates:
        on |= (time >= begin) & (time < end)
    stem = stem * (0.1 / np.sqrt((stem[on if on.any() else slice(None)] ** 2).mean()))
    return stem + 0.1 * 10 ** (-below_db / 20) * pink(stem.size, rng), stem, truth


def sixteen():
    """The kinds, twice each: another machine, another room, another noise."""
    return [(kind, seed, below) for kind in KINDS for seed, below in ((1, 25.0), (2, 15.0))]
