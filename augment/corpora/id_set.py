"""A set of ids that millions fit into: eight bytes an id, by open addressing over 64-bit hashes."""

from __future__ import annotations

import hashlib
from array import array


class IdSet:
    """Which ids have been seen.

    Two different ids are taken for one with a chance of about 1e-7 among two million.
    """

    def __init__(self) -> None:
        self._slots = array("Q", bytes(8 * 1024))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, name: str) -> bool:
        """Add an id; return False where it was there already."""
        key = int.from_bytes(hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
        if not _insert(self._slots, key or 1):  # 0 marks an empty slot
            return False
        self._count += 1
        if 2 * self._count > len(self._slots):
            self._grow()
        return True

    def _grow(self) -> None:
        larger = array("Q", bytes(16 * len(self._slots)))
        for key in self._slots:
            if key:
                _insert(larger, key)
        self._slots = larger


def _insert(slots: array[int], key: int) -> bool:
    mask = len(slots) - 1
    at = key & mask
    while slots[at]:
        if slots[at] == key:
            return False
        at = (at + 1) & mask
    slots[at] = key
    return True
