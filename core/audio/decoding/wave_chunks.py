"""The chunks of a RIFF or RF64 WAVE file: its sample format, and whether all of its sound is there.

A recorder that writes to a pipe cannot know the length beforehand. It leaves a placeholder in the header: 0 (GStreamer, many
recorders), 0x7FFFF000 (SoX), 0x7FFFFFFF, 0x80000000 (arecord) or 0xFFFFFFFF (FFmpeg), some less the size of the header. The
sound of such a file goes to its end.

Sources: Multimedia Programming Interface 1.0 (RIFF), EBU Tech 3306 (RF64).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

#: WAVE format tags that are decoded: PCM, IEEE float, A-law, mu-law. IMA-ADPCM (17), GSM (49) and the rest are not.
WAVE_TAGS = {1: "PCM", 3: "float", 6: "A-law", 7: "mu-law"}
_EXTENSIBLE = 0xFFFE
_PLACEHOLDERS = (0x7FFFF000, 0x80000000, 0x100000000)
#: A placeholder may be less by the size of the header.
_HEADER_BYTES = 4096
_LONG = 0xFFFFFFFF


@dataclass(frozen=True)
class Wave:
    """What a WAVE file holds.

    Attributes:
        tag: format tag; None where there is no format chunk before the sound.
        data_at: position of the first byte of sound; None where there is no data chunk.
        stated: bytes of sound that the header states; None for a placeholder.
        size: bytes of the file.
        overlay: position -> bytes that a decoder must read in the header instead, for sound that goes to the end.
    """

    tag: int | None
    data_at: int | None
    stated: int | None
    size: int
    overlay: Mapping[int, bytes] = field(default_factory=dict)


def read_wave(file: BinaryIO, start: int, size: int) -> Wave:
    """Return what a WAVE file holds, from its chunks up to `data`.

    Args:
        file: open; its position is changed.
        start: where `RIFF` or `RF64` is in the file; positions of the answer count from there.
        size: bytes of the file from there on.
    """
    long_data: int | None = None
    tag: int | None = None
    position = 12
    while position + 8 <= size:
        file.seek(start + position)
        name, length = struct.unpack("<4sI", file.read(8))
        body = position + 8
        if name == b"ds64":
            long_data = struct.unpack("<QQ", file.read(16).ljust(16, b"\0"))[1]
        elif name == b"fmt ":
            tag = _format_tag(file.read(min(length, 40)))
        elif name == b"data":
            stated = long_data if length == _LONG and long_data not in (None, 0, (1 << 64) - 1) else length
            return _with_sound(file, start, Wave(tag, body, stated, size))
        position = body + length + (length & 1)
    return Wave(tag, None, None, size)


def _with_sound(file: BinaryIO, start: int, wave: Wave) -> Wave:
    """Return the file with its placeholder resolved, if its header has one."""
    assert wave.data_at is not None
    assert wave.stated is not None
    left = wave.size - wave.data_at
    if not _is_placeholder(wave.stated) or (not wave.stated and _is_chunk(file, start + wave.data_at, left)):
        return wave
    overlay = {
        wave.data_at - 4: struct.pack("<I", min(left, _LONG)),
        0: b"RIFF" + struct.pack("<I", min(wave.size - 8, _LONG)),
    }
    return Wave(wave.tag, wave.data_at, None, wave.size, overlay)


def _is_placeholder(length: int) -> bool:
    return length == 0 or any(0 <= top - length <= _HEADER_BYTES for top in _PLACEHOLDERS)


def _is_chunk(file: BinaryIO, at: int, left: int) -> bool:
    """Return whether nothing follows, or a chunk that ends with the file: then a size of 0 is no placeholder."""
    if left < 8:
        return True
    file.seek(at)
    name, length = struct.unpack("<4sI", file.read(8))
    return name.isalnum() and 8 + length + (length & 1) in (left, left + 1)


def _format_tag(fmt: bytes) -> int | None:
    """Return the format tag; that of WAVE_FORMAT_EXTENSIBLE is the first word of its sub-format GUID, at byte 24."""
    if len(fmt) < 16:
        return None
    tag = int.from_bytes(fmt[:2], "little")
    return int.from_bytes(fmt[24:26], "little") if tag == _EXTENSIBLE and len(fmt) >= 26 else tag
