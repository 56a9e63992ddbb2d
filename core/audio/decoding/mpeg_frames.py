"""Frames of MPEG audio (ISO/IEC 11172-3 and 13818-3), counted from their headers without decoding.

A file with a Xing or Info header in its first frame states how many frames and bytes follow. One without states nothing, and a
decoder's estimate from the first frame's bit rate is wrong wherever the bit rate varies.
"""

from __future__ import annotations

import functools
import mmap
from dataclasses import dataclass

#: Bit rates in kbit/s by (MPEG 1 or not, layer), index 1 to 14.
_KBIT_S: dict[tuple[bool, int], tuple[int, ...]] = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = (44100, 48000, 32000)
_SAMPLES = {(True, 1): 384, (True, 2): 1152, (True, 3): 1152, (False, 1): 384, (False, 2): 1152, (False, 3): 576}


@dataclass(frozen=True)
class FrameHeader:
    """The header of one frame: its size in bytes, its samples a channel, and what all frames of a stream share."""

    size: int
    samples: int
    stream: tuple[int, int, int]


@functools.lru_cache(maxsize=4096)
def frame_header(head: bytes) -> FrameHeader | None:
    """Return what four bytes say as a frame header, None where they are none.

    Args:
        head: four bytes or more; sync, version, layer, bit rate and sampling rate must exist. Free formats are none here.

    >>> frame_header(bytes.fromhex("fffb54c4"))
    FrameHeader(size=192, samples=1152, stream=(3, 3, 1))
    """
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = (head[1] >> 3) & 3, 4 - ((head[1] >> 1) & 3)
    bit_rate, rate, padding = head[2] >> 4, (head[2] >> 2) & 3, (head[2] >> 1) & 1
    if version == 1 or layer == 4 or bit_rate in (0, 15) or rate == 3:
        return None
    first = version == 3
    rate_hz = _RATES_HZ[rate] // {3: 1, 2: 2, 0: 4}[version]
    samples = _SAMPLES[first, layer]
    slot = 4 if layer == 1 else 1  # ISO/IEC 11172-3, 2.4.3.1: layer I counts in slots of four bytes
    size = (samples // 8 // slot * _KBIT_S[first, layer][bit_rate - 1] * 1000 // rate_hz + padding) * slot
    return FrameHeader(size, samples, (version, layer, rate))


@dataclass(frozen=True)
class Counts:
    """What the Xing or Info header in a stream's first frame states; None where it does not."""

    frames: int | None
    size: int | None


def stated_counts(stream: bytes) -> Counts | None:
    """Return the counts of frames and bytes that a stream states of itself, None where it has no such header.

    Args:
        stream: the beginning of the stream, from its first frame on.
    """
    at = max(stream.find(b"Xing", 0, 64), stream.find(b"Info", 0, 64))
    if at < 0 or len(stream) < at + 16:
        return None
    flags, values = stream[at + 7], stream[at + 8 : at + 16]
    frames = int.from_bytes(values[:4], "big") if flags & 1 else None
    skip = 4 if flags & 1 else 0
    return Counts(frames, int.from_bytes(values[skip : skip + 4], "big") if flags & 2 else None)


def count_samples(stream: bytes | mmap.mmap, start: int = 0) -> int:
    """Return how many samples of each channel the whole frames of a stream hold.

    Args:
        stream: all of it; what follows the last frame (tags) is passed over, and so is what is between two frames.
        start: position of its first frame.
    """
    first = frame_header(stream[start : start + 4])
    position, samples = start, 0
    while first is not None and 0 <= position <= len(stream) - 4:
        header = frame_header(stream[position : position + 4])
        if header is None or header.stream != first.stream:
            position = stream.find(b"\xff", position + 1)
            continue
        if position + header.size > len(stream):
            break
        samples += header.samples
        position += header.size
    return samples
