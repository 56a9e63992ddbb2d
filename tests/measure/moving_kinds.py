"""Machines without a clock and machines that move, made without any code of the package; conventions as in `eight_kinds`."""

import numpy as np


def arrived(sound_of, kinds, speed_m_s, near_m, at_s):
    """What a microphone hears of a source on a straight line: arrival times of all own times, read backwards; level 1 / (R (1 - M))."""
    own = np.arange(-6 * kinds.RATE, round((kinds.SECONDS + 2) * kinds.RATE)) / kinds.RATE
    arrival = own + np.hypot(near_m, speed_m_s * (own - at_s)) / 343.0
    heard = np.arange(-round(kinds.LEAD_S * kinds.RATE), round(kinds.SECONDS * kinds.RATE)) / kinds.RATE
    left = np.interp(heard, arrival, own)
    far = np.hypot(near_m, speed_m_s * (left - at_s))
    return sound_of(left) * near_m / (far + speed_m_s**2 * (left - at_s) / 343.0)


def passing_siren(kinds, rng):
    """Two pitches in turns that drive past."""
    low, length = rng.uniform(400, 470), rng.uniform(0.5, 0.75)
    phases = rng.random(3)

    def siren(own):
        second = own % (2 * length) >= length
        turns = np.cumsum(np.where(second, 4 / 3, 1.0) * low * np.gradient(own))
        return sum(10 ** (-0.3 * n) * np.sin(2 * np.pi * (n * turns + p)) for n, p in enumerate(phases, 1))

    return arrived(siren, kinds, rng.uniform(10, 18), rng.uniform(5, 12), rng.uniform(8, 16))


def passing_hum(kinds, rng):
    """A motor that drives past."""
    hz, phases = rng.uniform(180, 320), rng.random(4)

    def motor(own):
        return sum(10 ** (-0.15 * n) * np.sin(2 * np.pi * (n * hz * own + p)) for n, p in enumerate(phases, 1))

    return arrived(motor, kinds, rng.uniform(10, 20), rng.uniform(4, 8), rng.uniform(8, 16))


def beep(kinds, rng, length_s):
    since, hz = kinds.clock(length_s), rng.uniform(900, 1900)
    return kinds.harmonics(hz * since, [0, -9], rng) * kinds.edge(since, length_s)


def random_beeps(kinds, rng):
    """Beeps with exponential pauses between their starts."""
    starts = -kinds.LEAD_S + np.cumsum(rng.exponential(rng.uniform(0.5, 1.0), 200))
    return kinds.place(beep(kinds, rng, 0.08), starts)


def adding_up(kinds, rng):
    """Beeps that each come 0.7 s after the last one, early or late by up to 42 ms."""
    starts = -kinds.LEAD_S + np.cumsum(0.7 + 0.042 * rng.uniform(-1, 1, 60))
    return kinds.place(beep(kinds, rng, 0.12), starts)


KINDS = {one.__name__: one for one in (passing_siren, passing_hum, random_beeps, adding_up)}


def recording(kinds, kind, seed, below_db):
    """The machine in a ray-traced room, -20 dB RMS over all of it, and pink noise below."""
    from scipy.signal import fftconvolve

    rng = np.random.default_rng([seed, *map(ord, kind)])
    dry = KINDS[kind](kinds, rng)
    stem = fftconvolve(dry, kinds.response_of(kind, seed))[: dry.size][round(kinds.LEAD_S * kinds.RATE) :]
    stem *= 0.1 / np.sqrt((stem**2).mean())
    return stem + 0.1 * 10 ** (-below_db / 20) * kinds.pink(stem.size, rng)
