"""Stretches of the signal that are missing: `op: dropouts`.

So many stretches of equal length are silent, with fades of 5 ms outside of them; they do not touch each other. Time is kept. So masks the
program of Ginjala and others to "Do LLM decoders listen fairly?" (arXiv 2604.21276; the program was read, the places are drawn otherwise).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Processor
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

_FADE_S = 0.005


@dataclass(frozen=True)
class Dropouts(Processor):
    """Silent stretches.

    Attributes:
        share: of the file that is silent, 0 to 0.9.
        stretches: how many there are.
        places: where they begin, as shares of the time that is left beside them, ascending; drawn.
    """

    op: ClassVar[str] = "dropouts"
    share: float
    stretches: int = 1
    places: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 0.9:
            raise RoomtoneError(f"dropouts: share must lie in 0..0.9, got {self.share} (in per cent?)")
        if not 1 <= self.stretches <= 1000:
            raise RoomtoneError(f"dropouts: stretches must lie in 1..1000, got {self.stretches}")

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        places = tuple(np.sort(rng.random(self.stretches)).tolist())
        return dataclasses.replace(self, places=places) if self.places is None else self

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        return self.apply_measured(samples, sample_rate_hz)[0]

    def apply_measured(self, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
        """Return the samples with the stretches silent, and `lost_share`, the share of the file that they are.

        Raises:
            RoomtoneError: the places are not drawn yet.
        """
        if self.places is None:
            raise RoomtoneError("dropouts: the places are not drawn yet")
        length = int(samples.size * self.share) // self.stretches
        left = samples.size - self.stretches * length
        fade = min(round(_FADE_S * sample_rate_hz), left // (2 * self.stretches))
        ramp = (np.arange(fade, dtype=np.float32) + np.float32(0.5)) / np.float32(max(fade, 1))
        free = left - 2 * self.stretches * fade
        out = np.array(samples, dtype=np.float32)
        for index, place in enumerate(self.places):
            start = int(place * free) + index * (length + 2 * fade)
            out[start : start + fade] *= ramp[::-1]
            out[start + fade : start + fade + length] = 0.0
            out[start + fade + length : start + length + 2 * fade] *= ramp
        return out, {"lost_share": self.stretches * length / max(samples.size, 1)}
