"""Ops that decide something by the signal, such as where time is stretched, and can be told to decide it as they did for another."""

from __future__ import annotations

from typing import Self

from roomtone.augment.ops.table import Processor
from roomtone.core.audio.types import Samples


class Settling(Processor):
    """A processor that may treat a part of a mix as it treats the mix, so that both stay in time with each other."""

    @property
    def settles(self) -> bool:
        """Whether `settled` changes anything."""
        raise NotImplementedError

    def settled(self, samples: Samples, sample_rate_hz: int) -> Self:
        """Return the op with what it decides by the signal decided for this one; of this one it makes what it made before.

        Args:
            samples, sample_rate_hz: as `apply`.
        """
        raise NotImplementedError
