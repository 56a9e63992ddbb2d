"""One Roomtone condition as an audiomentations transform. This file imports that library, which takes a second, so it is imported when asked for."""

from __future__ import annotations

import random
from typing import Protocol

from audiomentations.core.transforms_interface import BaseWaveformTransform

from roomtone.core.audio.types import Samples


class _Callable(Protocol):
    """What a condition is here: `roomtone.augment.Condition` itself imports this file when it is asked for a transform."""

    def __call__(self, samples: Samples, sample_rate_hz: int, *, key: str | int | None = None) -> Samples: ...


class RoomtoneCondition(BaseWaveformTransform):
    """Applies one condition with probability `p`.

    Args:
        condition: what is applied.
        p: probability, 0 to 1.
    """

    supports_multichannel = False

    def __init__(self, condition: _Callable, p: float) -> None:
        super().__init__(p)
        self.condition = condition

    def randomize_parameters(self, samples: Samples, sample_rate: int) -> None:
        """Draw whether to apply, and the key, from the global `random` as audiomentations does."""
        super().randomize_parameters(samples, sample_rate)
        if self.parameters["should_apply"]:
            self.parameters["key"] = random.getrandbits(64)

    def apply(self, samples: Samples, sample_rate: int) -> Samples:
        """Return the samples in the condition."""
        heard: Samples = self.condition(samples, sample_rate, key=self.parameters["key"])
        return heard.reshape(samples.shape)
