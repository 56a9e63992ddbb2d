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

    def settled(self, samples: Samples, sample_rate_hz: int, reserve_samples: int = 0) -> Self:
        """Return the op with what it decides by the signal decided for this one; of this one it makes what it made before.

        Args:
            samples, sample_rate_hz: as `apply`.
            reserve_samples: how many samples at the end of these lie behind the end of the file. Nothing is decided in them, and no
                report counts them, but where time was removed they are heard in the file. The op that is returned is for signals
                that end with such a reserve.
        """
        raise NotImplementedError

    def reserve_samples(self, sample_rate_hz: int) -> int:
        """Return of how many samples behind the end of a file something may be heard in it, at most.

        Args:
            sample_rate_hz: rate of the file in Hz.
        """
        del sample_rate_hz
        return 0
