"""What a worker keeps of recordings in memory: the latest used, up to a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np

#: Bytes of samples that are kept: 44 minutes at 16 kHz.
KEPT_BYTES = 168_000_000


class KeptSamples:
    """Arrays by key, of which the latest used are kept.

    Args:
        most_bytes: how much is kept beside the latest.
    """

    def __init__(self, most_bytes: int = KEPT_BYTES) -> None:
        self.most_bytes = most_bytes
        self.held_bytes = 0
        self._arrays: OrderedDict[Hashable, np.ndarray] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the array of a key, read-only; `make` makes it where it is not kept."""
        found = self._arrays.get(key)
        if found is not None:
            self._arrays.move_to_end(key)
            return found
        made = make()  # which may ask for others
        made.flags.writeable = False
        self._arrays[key] = made
        self.held_bytes += made.nbytes
        while self.held_bytes > self.most_bytes and len(self._arrays) > 1:
            self.held_bytes -= self._arrays.popitem(last=False)[1].nbytes
        return made

    def clear(self) -> None:
        """Keep nothing."""
        self._arrays.clear()
        self.held_bytes = 0
