"""`recorded_cycle`: one recorded cycle of a machine, repeated with a period, a pitch and a level that can be varied.

For machines whose sound no set of tones and bursts describes. `roomtone measure` writes the recording: one period of the machine, averaged over its
repeats, with the reverberation that it had. Its first and last moments are faded, so that repeats at the recorded period add up to a constant
gain; at a shorter period they overlap, and at a longer one there is silence between them.

Times are seconds, levels dB; time 0 is the first sample of the file. As with `periodic_tone`, the machine sounds in every file.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Self

import numpy as np

from roomtone.augment.ops.draw_context import Asset, DrawContext, RecordingsNeeded
from roomtone.augment.ops.sources.schedule import Timing, burst_starts, check_poisson, draw_start, uniform_of
from roomtone.augment.ops.table import Drawn, Fetch, Source, number, pin_ranges
from roomtone.core.audio.resampling import resample
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: Seeds of the two kinds of deviation differ in this, so that a late repeat is not always a loud one.
_LEVEL_SEED = 0x1E7E1


@dataclass(frozen=True)
class RecordedCycle(Source):
    """One recorded cycle, repeated."""

    op = "recorded_cycle"

    #: The recording of one cycle: a file, or a folder with `asset` in it.
    path: str
    #: From the start of one repeat to the start of the next; 0 for a single one.
    period_s: Drawn
    #: `[onset_s, length_s]` of each sound in the recording; empty where it never falls silent.
    sounds: tuple[tuple[float, float], ...] = ()
    #: Multiplies all frequencies, and divides all times within a repeat.
    pitch: Drawn = 1.0
    #: Each repeat but the first drawn one starts early or late by at most this much, uniformly.
    jitter_s: Drawn = 0.0
    #: Early or late re a grid; re the last repeat, so that it adds up (`accumulate`); or at random, a period apart on average (`poisson`).
    timing: Timing = "grid"
    #: Each repeat is louder or softer by at most this much, uniformly in dB.
    level_jitter_db: Drawn = 0.0
    #: Drawn, or named where `path` is a folder: id of the recording.
    asset: str | None = None
    #: Drawn: file time at which one repeat starts; the others are whole periods away.
    start_s: float | None = None
    #: Drawn: seed of the deviations.
    seed: int | None = None

    def __post_init__(self) -> None:
        _check(self)

    @property
    def level_is_nominal(self) -> bool:
        """Whether the level keeps its relation in a `mix`: the recording is at the nominal level of synthetic sources."""
        return True

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        """Pin ranges, seed, the recording, and a start at which the machine sounds in the file.

        Args:
            rng, context: as `Op.draw`.

        Raises:
            RoomtoneError: no recording, or the named one is not there.
        """
        pinned = pin_ranges(self, rng)
        seed, share = int(rng.integers(2**31)), float(rng.random())
        asset = self._asset(context)
        length_s = asset.num_samples / context.sample_rate_hz
        spans = np.array(self.sounds or ((0.0, length_s),)) / number(pinned.pitch)
        duration_s = context.num_samples / context.sample_rate_hz
        period_s = 0.0 if self.timing == "poisson" else number(pinned.period_s)
        start_s = draw_start(spans, period_s, duration_s, share)
        return dataclasses.replace(
            pinned,
            asset=asset.id,
            seed=seed if self.seed is None else self.seed,
            start_s=start_s if self.start_s is None else self.start_s,
        )

    def _asset(self, context: DrawContext) -> Asset:
        usable = sorted((asset for asset in context.assets if asset.num_samples > 0), key=lambda asset: asset.id)
        if self.asset is not None:
            usable = [asset for asset in usable if asset.id == self.asset]
        if not usable:
            which = "no recording" if self.asset is None else f"{self.asset!r} is not"
            raise RoomtoneError(f"recorded_cycle: {which} under {self.path!r}")
        return usable[0]

    def render(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, *, preroll_samples: int = 0) -> Samples:
        """Return the repeats, float32 [shape=(preroll_samples + num_samples,)].

        Args:
            num_samples, sample_rate_hz, fetch, preroll_samples: as `Source.render`.

        Raises:
            RoomtoneError: the op is not drawn yet, or the recording is silent or not finite.
        """
        if self.asset is None or self.start_s is None:
            raise RoomtoneError("recorded_cycle: asset is not drawn; call draw() before render()")
        cycle = np.asarray(fetch(self.asset, 0, -1), dtype=np.float64)
        if not np.isfinite(cycle).all() or not cycle.any():
            raise RoomtoneError(f"recorded_cycle: {self.asset} is silent, or holds values that are not finite")
        pitch = number(self.pitch)
        if pitch != 1.0:
            cycle = resample(cycle, round(sample_rate_hz * pitch), sample_rate_hz)
        begin_s, end_s = -preroll_samples / sample_rate_hz, num_samples / sample_rate_hz
        starts_s, gains = self._repeats(begin_s, end_s, cycle.size / sample_rate_hz)
        total = np.zeros(preroll_samples + num_samples)
        for start_s, gain in zip(starts_s, gains):
            first = round((start_s - begin_s) * sample_rate_hz)
            low, high = max(first, 0), min(first + cycle.size, total.size)
            if high > low:
                total[low:high] += gain * cycle[low - first : high - first]
        return total.astype(np.float32)

    def sounding(self, num_samples: int, sample_rate_hz: int) -> np.ndarray:
        """Return where the machine sounds, bool [shape=(num_samples,)]; arguments as `Source.sounding`."""
        if not self.sounds:
            return np.ones(num_samples, dtype=bool)
        mask = np.zeros(num_samples, dtype=bool)
        spans = np.array(self.sounds) / number(self.pitch)
        for start_s in self._repeats(0.0, num_samples / sample_rate_hz, float(spans.sum(axis=1).max()))[0]:
            for onset_s, length_s in spans:
                begin = max(0, math.ceil((start_s + onset_s) * sample_rate_hz))
                end = math.floor((start_s + onset_s + length_s) * sample_rate_hz) + 1
                mask[begin : max(begin, end)] = True
        return mask

    @property
    def always_sounds(self) -> bool:
        """Whether the machine never falls silent."""
        return not self.sounds

    def onsets_s(self, begin_s: float, end_s: float) -> tuple[float, ...]:
        """Return the starts of all sounds between two file times in seconds, in order of time."""
        spans = np.array(self.sounds).reshape(-1, 2) / number(self.pitch)
        if not spans.size:
            return ()
        starts_s, _ = self._repeats(begin_s, end_s, float(spans.sum(axis=1).max()))
        onsets = (starts_s[:, None] + spans[None, :, 0]).ravel()
        return tuple(sorted(float(onset) for onset in onsets if begin_s <= onset < end_s))

    def recordings_needed(self) -> RecordingsNeeded:
        """Return that the recording under `path` is needed."""
        return RecordingsNeeded(self.path)

    def assets_used(self) -> tuple[str, ...]:
        """Return the id of the drawn recording."""
        return () if self.asset is None else (self.asset,)

    def _repeats(self, begin_s: float, end_s: float, span_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Return start in seconds and gain of each repeat that may sound between two file times [shape=(repeats,)]."""
        if self.start_s is None:
            raise RoomtoneError("recorded_cycle: start_s is not drawn; call draw() before render()")
        period, jitter, seed = number(self.period_s), number(self.jitter_s), self.seed or 0
        if not period:
            return np.array([self.start_s]), np.ones(1)
        index, starts_s = burst_starts(self.timing, self.start_s, period, jitter, seed, begin_s - span_s, end_s)
        level_db = number(self.level_jitter_db) * (2.0 * uniform_of(index, seed ^ _LEVEL_SEED) - 1.0)
        return starts_s, 10.0 ** (level_db / 20.0)


def _check(cycle: RecordedCycle) -> None:
    """Refuse what cannot be rendered, with the reason."""
    bounds = (("period_s", 0.0), ("pitch", 0.1), ("jitter_s", 0.0), ("level_jitter_db", 0.0))
    for name, least in bounds:
        value = getattr(cycle, name)
        if isinstance(value, tuple) and value[0] > value[1]:
            raise RoomtoneError(f"recorded_cycle: {name} must be [low, high], got {list(value)!r}")
        if np.min(value) < least:
            raise RoomtoneError(f"recorded_cycle: {name} must be at least {least:g}, got {value!r}")
    if 0.0 < np.min(cycle.period_s) < 0.01:
        raise RoomtoneError(f"recorded_cycle: period_s must be 0, or at least 0.01, got {cycle.period_s!r} (in ms?)")
    if np.max(cycle.pitch) > 10.0:
        raise RoomtoneError(f"recorded_cycle: pitch is a ratio up to 10, got {cycle.pitch!r} (in Hz?)")
    if np.max(cycle.jitter_s) > 0.5 * float(np.min(cycle.period_s)):
        raise RoomtoneError(f"recorded_cycle: jitter_s must be at most half of period_s, got {cycle.jitter_s!r}")
    if cycle.timing == "poisson":
        check_poisson("recorded_cycle", cycle.period_s, cycle.jitter_s)
    for row in cycle.sounds:
        if row[0] < 0.0 or row[1] <= 0.0:
            raise RoomtoneError(
                f"recorded_cycle: a sound is [onset_s >= 0, length_s > 0] in the recording, got {list(row)!r}"
            )
