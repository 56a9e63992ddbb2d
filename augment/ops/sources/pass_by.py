"""`pass_by`: a machine or a vehicle that passes the microphone on a straight line, with the Doppler shift and the level that this has.

A point source at x(e) sounds at its own time e. What arrives at time t left it at the retarded time e, t = e + R(e) / c, and has the pressure
s(e) / (R (1 - M)), M the speed towards the microphone over that of sound (the Lienard-Wiechert solution of the wave equation for a moving
monopole, as textbooks have it). The pitch is de/dt = 1 / (1 - M) times that of the source: above it while it comes near, below it
afterwards. For a straight line at constant speed e has a closed form, which `retarded` gives.

Air without wind, no ground, no absorption on the way. In a room the sound goes through the one response of the machine's place: pitch and
level move, the direction does not. Times are seconds, distances metres; time 0 is the first sample of the file.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Drawn, Fetch, Source, number, parse_op, pin_ranges, to_dict
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: Speed of sound that the rooms have too, m/s.
SOUND_M_S = 343.0
#: Fastest pass: a tenth of the speed of sound, so that a partial below 0.45 of the rate stays below half of it.
FASTEST_M_S = 34.0
#: And slowest: below it nothing passes within a file.
SLOWEST_M_S = 0.1
NEAREST_M, FARTHEST_M = 0.3, 1000.0
#: Half the length of the interpolating filter, samples, and how many positions between two samples it is tabled at.
_HALF, _POSITIONS = 32, 1024


@dataclass(frozen=True)
class PassBy(Source):
    """A source that passes by, at its nearest within the file.

    Attributes:
        sound: the source that moves, as a mapping; made of numbers alone.
        speed_m_s: its speed, above 0 to 34 m/s.
        distance_m: from the microphone to the nearest point of its way, from 0.3 m up.
        closest_s: drawn: file time at which the sound of that point arrives.
    """

    op = "pass_by"

    sound: dict[str, Any]
    speed_m_s: Drawn
    distance_m: Drawn
    closest_s: float | None = None

    def __post_init__(self) -> None:
        if not SLOWEST_M_S <= np.min(self.speed_m_s) <= np.max(self.speed_m_s) <= FASTEST_M_S:
            raise RoomtoneError(
                f"pass_by: speed_m_s must lie from {SLOWEST_M_S:g} to {FASTEST_M_S:g}, got {self.speed_m_s!r} (in km/h?)"
            )
        if not NEAREST_M <= np.min(self.distance_m) <= np.max(self.distance_m) <= FARTHEST_M:
            raise RoomtoneError(
                f"pass_by: distance_m must lie from {NEAREST_M:g} to {FARTHEST_M:g}, got {self.distance_m!r}"
            )
        if _passes(self.sound):
            raise RoomtoneError(
                "pass_by: sound: a pass_by within a pass_by; give the sound of the machine itself, e.g. op periodic_tone"
            )
        source = self._source()
        if source.recordings_needed() is not None or source.at_microphone:
            raise RoomtoneError(
                f"pass_by: {source.op} cannot pass by; its sound must be made of numbers, away from the microphone"
            )

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        """Pin ranges, the moment at which it is nearest, and its sound, which is heard in the file."""
        child = np.random.Generator(np.random.PCG64(int(rng.integers(2**63))))
        pinned, share, rate = pin_ranges(self, rng), float(rng.random()), context.sample_rate_hz
        closest_s = share * context.num_samples / rate if self.closest_s is None else self.closest_s
        placed = dataclasses.replace(pinned, closest_s=closest_s)
        heard = max(1, math.floor(placed._own_time_s(np.array([context.num_samples / rate]))[0] * rate))
        drawn = self._source().draw(child, dataclasses.replace(context, num_samples=heard))
        return dataclasses.replace(placed, sound=to_dict(drawn))

    def render(self, num_samples: int, sample_rate_hz: int, fetch: Fetch, *, preroll_samples: int = 0) -> Samples:
        """Return the sound as it arrives, float32 [shape=(preroll_samples + num_samples,)]; nominal level at the nearest point."""
        from roomtone.augment.ops.sources._moving_kernel import interpolate

        time_s = np.arange(-preroll_samples, num_samples) / sample_rate_hz
        own = self._own_time_s(time_s) * sample_rate_hz
        before = max(0, math.ceil(-own[0])) + _HALF
        length = max(1, math.ceil(own[-1])) + _HALF + 1
        sound = self._source().render(length, sample_rate_hz, fetch, preroll_samples=before)
        _, gain = self._retarded(time_s)
        return (gain * interpolate(sound.astype(np.float64), own + before, _filters())).astype(np.float32)

    def sounding(self, num_samples: int, sample_rate_hz: int) -> np.ndarray:
        """Return where what arrives left a source that sounded, bool [shape=(num_samples,)]."""
        own = self._own_time_s(np.arange(num_samples) / sample_rate_hz) * sample_rate_hz
        mask = self._source().sounding(math.ceil(own[-1]) + _HALF + 1, sample_rate_hz)
        heard = np.concatenate([[0], np.cumsum(mask)])  # the interpolating filter reaches a little beyond the edges
        low = np.clip(np.floor(own).astype(int) - _HALF, 0, mask.size)
        high = np.clip(np.floor(own).astype(int) + _HALF + 1, 0, mask.size)
        return np.asarray(heard[high] > heard[low])

    @property
    def always_sounds(self) -> bool:
        """Whether the source never falls silent by itself."""
        return self._source().always_sounds

    def pitch_ratio(self, time_s: np.ndarray) -> np.ndarray:
        """Return the pitch that arrives over that of the source, at file times in seconds [shape=(n,)]."""
        speed = number(self.speed_m_s)
        since, _ = self._retarded(time_s)
        far = np.hypot(number(self.distance_m), speed * since)
        return np.asarray(1.0 / (1.0 + speed**2 * since / (far * SOUND_M_S)))

    def _retarded(self, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the retarded time since the nearest point in s, and the gain re that point, at file times [shape=(n,)] each."""
        speed, near = number(self.speed_m_s), number(self.distance_m)
        if self.closest_s is None:
            raise RoomtoneError("pass_by: closest_s is not drawn; call draw() before render()")
        late = time_s - self.closest_s + near / SOUND_M_S
        rest = SOUND_M_S**2 - speed**2
        since = (SOUND_M_S**2 * late - np.sqrt((SOUND_M_S * speed * late) ** 2 + rest * near**2)) / rest
        far = SOUND_M_S * (late - since)
        return since, near / (far + speed**2 * since / SOUND_M_S)

    def _own_time_s(self, time_s: np.ndarray) -> np.ndarray:
        """Return the source's own time of what arrives at file times, 0 at the first sample of the file [shape=(n,)]."""
        return np.asarray(self._retarded(time_s)[0] - self._retarded(np.zeros(1))[0])

    def _source(self) -> Source:
        return parse_op(self.sound, Source, where="pass_by, sound")


def _passes(node: Any) -> bool:
    """Return whether a mapping of ops holds a `pass_by`."""
    if isinstance(node, Mapping):
        return node.get("op") == PassBy.op or any(map(_passes, node.values()))
    return isinstance(node, list | tuple) and any(map(_passes, node))


@functools.cache
def _filters() -> np.ndarray:
    """Return windowed sines (Kaiser, beta 9: 90 dB) [shape=(positions + 1, taps)], row by row later between two samples."""
    offset = np.arange(-_HALF + 1, _HALF + 1)[None, :] - np.arange(_POSITIONS + 1)[:, None] / _POSITIONS
    window = np.i0(9.0 * np.sqrt(np.clip(1.0 - (offset / _HALF) ** 2, 0.0, None))) / np.i0(9.0)
    return np.asarray(np.sinc(offset) * window)
