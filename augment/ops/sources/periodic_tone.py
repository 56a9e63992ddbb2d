"""Equipment: machines that beep, buzz, knock and whirr in a pattern, as numbers in a preset.

`periodic_tone` is one pulse shape repeated in a pattern: partials of a fundamental, pulses within a burst, bursts
with a period. An alarm melody, an MR sequence, a fan and a ringing tone are all settings of it, so every preset under
`conf/equipment/` is data. Times are seconds, frequencies Hz, levels dB; time 0 is the first sample of the file.

A machine that is silent while somebody speaks must not be the file's label. So the start is drawn under a condition:
at least one whole pulse lies inside the file; if the file is shorter than every pulse, the whole file lies inside a
pulse. Among all starts that hold this, every one is equally likely.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.sources.schedule import Timing, burst_starts, check_poisson, draw_start, uniform_of
from roomtone.augment.ops.sources.spectra import Spectrum, gaussian_noise
from roomtone.augment.ops.table import Drawn, Fetch, Op, Source, number, pin_ranges
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: Partials above this share of the sampling rate are left out, so that nothing folds back.
BAND_LIMIT = 0.45
#: RMS of all named partials together while a pulse is at full height; leaves headroom for mixes.
NOMINAL_RMS = 0.1
#: Of a partial or a pulse re the others; beyond it one of them is all there is.
LARGEST_LEVEL_DB = 120.0
#: Faster ones are frequency modulation, whose sidebands are partials of their own.
FASTEST_VIBRATO_HZ = 30.0
#: Fields that are drawn after all others, so that tones without them draw what they always drew.
_DRAWN_LAST = ("vibrato_hz", "vibrato_depth")


@dataclass(frozen=True)
class PeriodicTone(Source):
    """Pulses of a harmonic (or any other) set of partials, repeated in a pattern.

    A pulse row is `[onset_s, length_s, pitch, level_db, glide, bend]`, from left to right as many as needed: the onset
    counts from the start of the burst; the length runs from the start of the rise to the end of the fall; `pitch`
    multiplies the fundamental (1); `level_db` is relative (0); the pitch glides to `glide` times its start (1), linearly in
    Hz, or along a curve where `bend` (0) is not 0: above 0 fast first, as a capacitor is charged, below 0 slow first;
    -ln(glide) is equal intervals in equal times. Pulses may overlap. Without pulses the tone is continuous.
    """

    op = "periodic_tone"

    #: Pitch of a pulse with pitch 1. With `1.0` the ratios below read as Hz.
    fundamental_hz: Drawn = 440.0
    #: `[ratio to the pulse's pitch, level in dB]` for each partial; empty for pure noise.
    harmonics: tuple[tuple[float, float], ...] = ((1.0, 0.0),)
    #: The pulses of one burst; empty for a continuous sound.
    pulses: tuple[tuple[float, ...], ...] = ()
    #: From the start of one burst to the start of the next; 0 for a single burst.
    period_s: Drawn = 0.0
    #: Multiplies onsets and lengths of the pulses, not the period.
    stretch: Drawn = 1.0
    #: Raised-cosine edges of each pulse, 0 % to 100 % (10 % to 90 % takes 0.59 of it); never 0, so that no pulse clicks.
    rise_s: Drawn = 0.005
    fall_s: Drawn = 0.005
    #: Time constant of an exponential decay of the amplitude within a pulse (a knock); 0 for none.
    decay_s: Drawn = 0.0
    #: Whether each pulse starts at the same phases (re-triggered); otherwise the oscillators run on silently.
    restart: bool = False
    #: Amplitude modulation `1 + depth * cos`, over pulses and gaps alike; sidebands lie `am_hz` beside each partial.
    am_hz: Drawn = 0.0
    am_depth: Drawn = 0.0
    #: The pitch wanders slowly by at most this share (0.001 = 0.1 %), as sum of two sines of 4 to 20 s period.
    drift: Drawn = 0.0
    #: Each burst but the first drawn one starts early or late by at most this much, uniformly.
    jitter_s: Drawn = 0.0
    #: Early or late re a grid; re the last burst, so that it adds up (`accumulate`); or at random, a period apart on average (`poisson`).
    timing: Timing = "grid"
    #: Time constant of each partial's own decay, in the order of `harmonics`; `decay_s` then is that of the broadband part alone.
    partial_decays_s: tuple[float, ...] = ()
    #: The pitch swings `vibrato_hz` times a second by at most this share (0.03 is half a semitone), as a sine; drawn after all else.
    vibrato_hz: Drawn = 0.0
    vibrato_depth: Drawn = 0.0
    #: Level of a broadband part re all partials together, gated by the pulses; null for none.
    noise_db: float | None = None
    #: Limits and density slope of the broadband part.
    noise_band_hz: tuple[float, float] = (100.0, 4000.0)
    noise_slope_db_per_octave: float = 0.0
    #: Drawn: file time at which one burst starts; the others lie whole periods away.
    start_s: float | None = None
    #: Drawn: start phases in turns, one for each partial and one for the modulation.
    phases: tuple[float, ...] | None = None
    #: Drawn: seed of jitter, drift, vibrato and broadband part.
    seed: int | None = None
    #: Drawn by a `mix` of one clock: seed of the timing, in place of `seed`.
    clock_seed: int | None = None

    def __post_init__(self) -> None:
        _check(self)

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        """Pin ranges, seed, phases and a start at which the machine sounds in the file (see the module)."""
        pinned = pin_ranges(self, rng, skip=_DRAWN_LAST)
        seed = int(rng.integers(2**31))
        phases = tuple(rng.random(len(self.harmonics) + 1).tolist())
        share = float(rng.random())
        duration_s = context.num_samples / context.sample_rate_hz
        period_s = 0.0 if self.timing == "poisson" else number(pinned.period_s)
        start_s = draw_start(_pulse_table(pinned), period_s, duration_s, share) if self.pulses else 0.0
        drawn = dataclasses.replace(
            pinned,
            seed=seed if self.seed is None else self.seed,
            phases=phases if self.phases is None else self.phases,
            start_s=start_s if self.start_s is None else self.start_s,
        )
        drawn._check_audible(context.sample_rate_hz)
        return pin_ranges(drawn, rng)

    def render(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, *, preroll_samples: int = 0) -> Samples:
        """Return the sound, float32 [shape=(preroll_samples + num_samples,)]; its tones do not depend on the pre-roll."""
        del fetch
        length = preroll_samples + num_samples
        begin_s = -preroll_samples / sample_rate_hz
        rows = self._rows(begin_s, num_samples / sample_rate_hz)
        edges = np.array([self.rise_s, self.fall_s, self.decay_s]) if self.pulses else np.zeros(3)
        ceiling_hz = BAND_LIMIT * sample_rate_hz - (number(self.am_hz) if self.am_depth else 0.0)
        tone, gate = self._pulses(length, begin_s, float(sample_rate_hz), rows, edges, ceiling_hz)
        if self.noise_db is not None:
            tone += gate * (10.0 ** (self.noise_db / 20.0) * self._broadband(length, sample_rate_hz))
        if self.am_depth:
            tone *= self._modulation(begin_s + np.arange(length) / sample_rate_hz)
        return (NOMINAL_RMS * tone).astype(np.float32)

    def _pulses(
        self, length: int, begin_s: float, rate_hz: float, rows: np.ndarray, edges: np.ndarray, ceiling_hz: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the tones and the envelope of their broadband part, by the kernel that such tones need."""
        from roomtone.augment.ops.sources._shaped_kernel import render_shaped
        from roomtone.augment.ops.sources._tone_kernel import render_pulses

        partials, drift = self._partials(), self._drift()
        if not (self.partial_decays_s or self.vibrato_depth or rows[:, 5].any()):
            return render_pulses(length, begin_s, rate_hz, rows, partials, edges, drift, self.restart, ceiling_hz)
        decays = np.array(self.partial_decays_s or (0.0,) * len(partials))
        phase = 0.0 if self.restart else float(uniform_of(np.array([4]), (self.seed or 0) ^ 0x5EED)[0])
        vibrato = np.array([number(self.vibrato_hz), number(self.vibrato_depth), phase])
        partials = np.column_stack([partials, decays])
        return render_shaped(length, begin_s, rate_hz, rows, partials, edges, drift, vibrato, self.restart, ceiling_hz)

    def sounding(self, num_samples: int, sample_rate_hz: int) -> np.ndarray:
        """Return where a pulse is between the start of its rise and the end of its fall, bool [shape=(num_samples,)]."""
        if not self.pulses:
            return np.ones(num_samples, dtype=bool)
        mask = np.zeros(num_samples, dtype=bool)
        for onset, length in self._rows(0.0, num_samples / sample_rate_hz)[:, :2].tolist():
            begin = max(0, math.ceil(onset * sample_rate_hz))
            mask[begin : max(begin, math.floor((onset + length) * sample_rate_hz) + 1)] = True
        return mask

    def onsets_s(self, begin_s: float, end_s: float) -> tuple[float, ...]:
        """Return the starts of all pulses that sound between the file times `begin_s` and `end_s`, in order of time."""
        return tuple(sorted(float(row[0]) for row in self._rows(begin_s, end_s))) if self.pulses else ()

    def _rows(self, begin_s: float, end_s: float) -> np.ndarray:
        """Return kernel rows [shape=(pulses, 6)] of everything that sounds between two file times."""
        if not self.pulses:
            return np.array([[begin_s - 1.0, end_s - begin_s + 2.0, self.fundamental_hz, 1.0, 1.0, 0.0]])
        pulses = _pulse_table(self)
        starts = self._burst_starts(begin_s, end_s, span_s=float((pulses[:, 0] + pulses[:, 1]).max()))
        rows = np.tile(pulses, (starts.size, 1))
        rows[:, 0] += np.repeat(starts, len(pulses))
        rows[:, 2] *= self.fundamental_hz
        rows[:, 3] = 10.0 ** (rows[:, 3] / 20.0)
        return rows[(rows[:, 0] < end_s) & (rows[:, 0] + rows[:, 1] > begin_s)]

    def _burst_starts(self, begin_s: float, end_s: float, *, span_s: float) -> np.ndarray:
        start, period, jitter = self.start_s, number(self.period_s), number(self.jitter_s)
        if start is None:
            raise RoomtoneError("periodic_tone: start_s is not drawn; call draw() before render()")
        if not period:
            return np.array([start])
        seed = self.seed if self.clock_seed is None else self.clock_seed
        return burst_starts(self.timing, start, period, jitter, seed or 0, begin_s - span_s, end_s)[1]

    def _partials(self) -> np.ndarray:
        ratio, level_db = np.array(self.harmonics, dtype=np.float64).reshape(-1, 2).T
        phases = self.phases if self.phases is not None else (0.0,) * (len(self.harmonics) + 1)
        amplitude: np.ndarray = 10.0 ** (level_db / 20.0)
        if amplitude.size:
            amplitude = amplitude / math.sqrt(float((amplitude**2).sum()) / 2.0)
        return np.column_stack([ratio, amplitude, phases[:-1]])

    def _drift(self) -> np.ndarray:
        share = uniform_of(np.arange(4), (self.seed or 0) ^ 0x5EED)
        periods = 4.0 * 5.0 ** share[:2]  # 4 to 20 s
        return np.array([self.drift, periods[0], periods[1], share[2], share[3]])

    def _modulation(self, time_s: np.ndarray) -> np.ndarray:
        phase = self.phases[-1] if self.phases else 0.0
        turns: np.ndarray = (number(self.am_hz) * time_s + phase) % 1.0
        return 1.0 + number(self.am_depth) * np.cos(2.0 * np.pi * turns)

    def _broadband(self, length: int, sample_rate_hz: int) -> np.ndarray:
        low, high = self.noise_band_hz
        octaves = math.log2(high / low)
        spectrum = Spectrum(((low, 0.0), (high, self.noise_slope_db_per_octave * octaves)), low, high)
        rng = np.random.Generator(np.random.PCG64(self.seed or 0))
        return gaussian_noise(rng, length, sample_rate_hz, spectrum).astype(np.float64)

    def _check_audible(self, sample_rate_hz: int) -> None:
        ceiling_hz = BAND_LIMIT * sample_rate_hz
        if self.noise_db is not None and self.noise_band_hz[0] < ceiling_hz:
            return
        pitch = min((float(row[2] * max(1.0, row[4])) for row in _pulse_table(self)), default=1.0)
        lowest = min((ratio for ratio, _ in self.harmonics), default=math.inf) * pitch * number(self.fundamental_hz)
        if lowest > ceiling_hz:
            raise RoomtoneError(
                f"periodic_tone: inaudible at {sample_rate_hz} Hz: the lowest partial is at {lowest:.0f} Hz, "
                f"the limit is {ceiling_hz:.0f} Hz; raise the sampling rate or choose another machine"
            )


def _pulse_table(tone: PeriodicTone) -> np.ndarray:
    """Return the pulses with all six columns, stretched [shape=(pulses, 6)]."""
    default = (0.0, 0.0, 1.0, 0.0, 1.0, 0.0)
    table = np.array([tuple(row) + default[len(row) :] for row in tone.pulses], dtype=np.float64).reshape(-1, 6)
    table[:, :2] *= tone.stretch
    return table


def _check(tone: PeriodicTone) -> None:
    """Refuse what cannot be rendered, with the reason."""
    _check_ranges(tone)
    low = {f.name: np.min(getattr(tone, f.name)) for f in dataclasses.fields(tone) if f.type == "Drawn"}
    if low["fundamental_hz"] <= 0 or low["stretch"] <= 0:
        raise RoomtoneError("periodic_tone: fundamental_hz and stretch must be above 0")
    for name in ("period_s", "decay_s", "am_hz", "am_depth", "drift", "jitter_s", "vibrato_hz", "vibrato_depth"):
        if low[name] < 0:
            raise RoomtoneError(f"periodic_tone: {name} must not be negative, got {getattr(tone, name)!r}")
    if low["rise_s"] < 0.0005 or low["fall_s"] < 0.0005:
        raise RoomtoneError("periodic_tone: rise_s and fall_s must be at least 0.0005 s, or pulses click")
    if np.max(tone.am_depth) > 1 or np.max(tone.drift) > 0.2:
        raise RoomtoneError("periodic_tone: am_depth goes up to 1 and drift up to 0.2 (shares, not percent)")
    _check_vibrato_and_decays(tone)
    if not tone.harmonics and tone.noise_db is None:
        raise RoomtoneError("periodic_tone: give harmonics or noise_db, or nothing sounds")
    if any(ratio <= 0 or abs(level_db) > LARGEST_LEVEL_DB for ratio, level_db in tone.harmonics):
        raise RoomtoneError(
            f"periodic_tone: harmonics are [ratio above 0, level from {-LARGEST_LEVEL_DB:g} to {LARGEST_LEVEL_DB:g} dB], "
            f"got {[list(row) for row in tone.harmonics]!r}"
        )
    if not 0 < tone.noise_band_hz[0] < tone.noise_band_hz[1]:
        raise RoomtoneError(f"periodic_tone: noise_band_hz must be [low, high] above 0, got {tone.noise_band_hz!r}")
    if tone.phases is not None and len(tone.phases) != len(tone.harmonics) + 1:
        raise RoomtoneError(
            f"periodic_tone: phases needs {len(tone.harmonics) + 1} values, one for each partial and the AM"
        )
    _check_pulses(tone)


def _check_vibrato_and_decays(tone: PeriodicTone) -> None:
    if (
        np.max(tone.vibrato_hz) > FASTEST_VIBRATO_HZ
        or np.max(tone.vibrato_depth) > 0.5
        or (np.max(tone.vibrato_depth) > 0 and not np.min(tone.vibrato_hz) > 0)
    ):
        raise RoomtoneError(
            f"periodic_tone: vibrato needs vibrato_hz above 0 and up to {FASTEST_VIBRATO_HZ:g}, and a vibrato_depth up to 0.5 (a share, not percent or Hz), "
            f"got {tone.vibrato_hz!r} and {tone.vibrato_depth!r}"
        )
    decays = tone.partial_decays_s
    if decays and (len(decays) != len(tone.harmonics) or min(decays) <= 0 or not tone.pulses):
        raise RoomtoneError(
            f"periodic_tone: partial_decays_s needs pulses and a time above 0 for each of the {len(tone.harmonics)} harmonics, "
            f"got {list(decays)!r}"
        )


def _check_ranges(op: Op) -> None:
    for field in dataclasses.fields(op):
        value = getattr(op, field.name)
        if field.type == "Drawn" and isinstance(value, tuple) and value[0] > value[1]:
            raise RoomtoneError(f"{op.op}: {field.name} must be [low, high], got {list(value)!r}")


def _check_pulses(tone: PeriodicTone) -> None:
    for row in tone.pulses:
        if (
            not 2 <= len(row) <= 6
            or row[0] < 0
            or row[1] <= 0
            or (len(row) > 2 and row[2] <= 0)
            or max(map(abs, row[3:4]), default=0) > LARGEST_LEVEL_DB
            or min(row[4:5], default=1) <= 0
            or abs(max(row[5:], default=0, key=abs)) > 20
        ):
            raise RoomtoneError(
                "periodic_tone: a pulse is [onset_s >= 0, length_s > 0, pitch > 0, level_db within +-120, glide > 0, bend -20 to 20], "
                f"at least the first two; got {list(row)!r}"
            )
    if not tone.pulses:
        if np.max(tone.period_s) > 0:
            raise RoomtoneError(
                "periodic_tone: period_s without pulses; give pulses, or leave it out for a continuous tone"
            )
        return
    if tone.timing == "poisson":
        check_poisson("periodic_tone", tone.period_s, tone.jitter_s)
    elif np.max(tone.period_s) > 0:
        _check_room_for_bursts(tone)


def _check_room_for_bursts(tone: PeriodicTone) -> None:
    burst_s = max(row[0] + row[1] for row in tone.pulses) * float(np.max(tone.stretch))
    both = 2.0 if tone.timing == "grid" else 1.0  # on a grid one burst may be late and the next one early
    free_s = float(np.min(tone.period_s)) - both * float(np.max(tone.jitter_s))
    if burst_s > free_s + 1e-9:
        raise RoomtoneError(
            f"periodic_tone: a burst lasts {burst_s:.4g} s but the next may start after {free_s:.4g} s; "
            "lengthen period_s or shorten the pulses (all in seconds)"
        )
