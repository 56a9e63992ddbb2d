"""The bounds of a sampling rate, Hz: of recordings that are read, and of sets that are rendered."""

from __future__ import annotations

from roomtone.core.errors import RoomtoneError

#: Recordings: libsndfile itself accepts 1 Hz; 384 kHz is the fastest converter sold.
LOWEST_RECORDED_HZ = 4_000
HIGHEST_RECORDED_HZ = 384_000
#: Sets: room responses are simulated from 8 kHz (the telephone) to 96 kHz.
LOWEST_RENDERED_HZ = 8_000
HIGHEST_RENDERED_HZ = 96_000


def is_recorded_rate(sample_rate_hz: float) -> bool:
    """Return whether recordings of this rate are read."""
    return LOWEST_RECORDED_HZ <= sample_rate_hz <= HIGHEST_RECORDED_HZ


def recorded_bounds() -> str:
    """Return the bounds of what is read, for a message."""
    return f"{LOWEST_RECORDED_HZ} to {HIGHEST_RECORDED_HZ} Hz"


def check_rendered_rate(value: object, where: str = "sample_rate_hz") -> int:
    """Return the rate of a set as a whole number of Hz.

    Args:
        value: the rate in Hz, as a user gave it.
        where: the name of the key, for the message.

    Raises:
        RoomtoneError: not a whole number, or one at which rooms cannot be rendered.

    >>> check_rendered_rate(16000)
    16000
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise RoomtoneError(f"{where}: expected a whole number of Hz, got {value!r}")
    if not LOWEST_RENDERED_HZ <= value <= HIGHEST_RENDERED_HZ:
        slip = " (in kHz?)" if value <= HIGHEST_RENDERED_HZ // 1000 else ""
        raise RoomtoneError(f"{where}: expected {LOWEST_RENDERED_HZ} to {HIGHEST_RENDERED_HZ} Hz, got {value}{slip}")
    return value
