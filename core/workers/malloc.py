"""What a worker asks of the C library's memory."""

from __future__ import annotations

import contextlib
import ctypes
import functools

#: mallopt's parameters, as malloc.h of the GNU C library numbers them.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
#: The most that library takes.
_KEPT_BYTES = 32 << 20


@functools.cache
def keep_freed_memory() -> None:
    """Have the C library keep what arrays leave behind for the next ones, where it can be told to.

    As it comes it gives arrays of a megabyte back to the system and has each page cleared again: a convolution then takes twice its time.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_TRIM_THRESHOLD, 4 * _KEPT_BYTES)
