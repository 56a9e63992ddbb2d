"""The length of a FLAC file that does not state it (RFC 9639): one that was written to a pipe says 0 samples, which means unknown.

The last frame says where it begins, in samples or in frames, and how long it is.
"""

from __future__ import annotations

import functools

#: Block sizes by the code in a frame's header; 6 and 7 stand before the header's end.
_BLOCK_SIZES = {1: 192, **{n: 576 << (n - 2) for n in range(2, 6)}, **{n: 256 << (n - 8) for n in range(8, 16)}}
#: Bytes of the longest frame header.
_LONGEST_HEADER = 17
#: So many places that look like a header, its check included, are held against the end of the file: among samples one in 256 does by chance.
_MOST_TRIED = 16


def last_sample(tail: bytes, block_size: int) -> int | None:
    """Return how many samples of each channel end with the last frame; None where no whole frame ends the file.

    Args:
        tail: the end of the file, longer than any frame.
        block_size: the largest of the stream, which all frames but the last have where the stream counts in frames.
    """
    at, tried = tail.rfind(b"\xff"), 0
    while at >= 0 and tried < _MOST_TRIED:
        if tail[at + 1 : at + 2] in (b"\xf8", b"\xf9"):
            end = _end_of_frame(tail[at : at + _LONGEST_HEADER], block_size)
            if end is not None:
                tried += 1
                if _crc(tail[at:], 16, 0x8005) == 0:  # the frame with its own CRC behind it, to the file's end
                    return end
        at = tail.rfind(b"\xff", 0, at)
    return None


def _end_of_frame(frame: bytes, block_size: int) -> int | None:
    """Return the number of the sample behind a frame, None where the header is none."""
    if len(frame) < 10:
        return None
    variable, code, rate = frame[1] & 1, frame[2] >> 4, frame[2] & 15
    number, used = _coded_number(frame[4:])
    if number is None or code == 0 or rate == 15:
        return None
    position = 4 + used
    size = _BLOCK_SIZES.get(code)
    if size is None:
        width = code - 5  # code 6: one byte, code 7: two
        size = int.from_bytes(frame[position : position + width], "big") + 1
        position += width
    position += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if _crc(frame[: position + 1], 8, 0x07):
        return None
    return (number if variable else number * block_size) + size


def _coded_number(code: bytes) -> tuple[int | None, int]:
    """Return a number coded as UTF-8 codes characters, of up to 36 bits, and its bytes."""
    first = code[0]
    if first < 0x80:
        return first, 1
    more = 7 - (first ^ 0xFF).bit_length()  # ones before the first zero, less one
    if not 1 <= more <= 6 or any(byte >> 6 != 2 for byte in code[1 : 1 + more]):
        return None, 1
    number = first & ((1 << (6 - more)) - 1)
    for byte in code[1 : 1 + more]:
        number = number << 6 | byte & 0x3F
    return number, 1 + more


@functools.cache
def _table(bits: int, polynomial: int) -> tuple[int, ...]:
    top, mask, found = 1 << (bits - 1), (1 << bits) - 1, []
    for value in range(256):
        value <<= bits - 8
        for _ in range(8):
            value = (value << 1 ^ polynomial if value & top else value << 1) & mask
        found.append(value)
    return tuple(found)


def _crc(content: bytes, bits: int, polynomial: int) -> int:
    """Return the cyclic redundancy check of FLAC's frames; 0 over content with its own check behind it."""
    table, mask, value = _table(bits, polynomial), (1 << bits) - 1, 0
    for byte in content:
        value = (value << 8 & mask) ^ table[value >> (bits - 8) ^ byte]
    return value
