"""What a file is, told from its own bytes, before any decoder sees it.

libsndfile guesses among some thirty formats by content, whatever the file's name, and its released version has open
memory-safety faults in several of them (MAT4, IMA-ADPCM, CAF, AIFF, VOX). So only four containers pass here: RIFF/RF64
with PCM, float, mu-law or A-law; FLAC; Ogg; MPEG audio layers I to III. Each is also asked whether it is all there,
because libsndfile reads a truncated WAV, Ogg or MP3 as a shorter one without a word.

Sources: Multimedia Programming Interface 1.0 (RIFF), EBU Tech 3306 (RF64), RFC 9639 (FLAC), RFC 3533 (Ogg),
ISO/IEC 11172-3 (MPEG audio), id3.org (ID3v2).
"""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path
from typing import BinaryIO

from roomtone.core.errors import RoomtoneError

#: WAVE format tags that are decoded: PCM, IEEE float, A-law, mu-law. IMA-ADPCM (17), GSM (49) and the rest are not.
WAVE_TAGS = {1: "PCM", 3: "float", 6: "A-law", 7: "mu-law"}
_EXTENSIBLE = 0xFFFE
_HEAD_BYTES = 65536
#: The longest Ogg page: 27 + 255 + 255 * 255 bytes; the last page starts within so much of the end.
_OGG_PAGE_BYTES = 65307


class BadAudioError(RoomtoneError):
    """A recording that cannot be used; the message says why, in one line."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{os.fspath(path)}: {reason}")
        self.path = os.fspath(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[BadAudioError], tuple[str, str]]:
        return type(self), (self.path, self.reason)


def container(path: Path) -> str:
    """Return `wav`, `flac`, `ogg` or `mp3`, told from the bytes of a regular file.

    Raises:
        BadAudioError: no regular file, none of these four, a sample format that is not decoded, or a cut file.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise BadAudioError(
            path, "there is no such file" if isinstance(error, FileNotFoundError) else str(error)
        ) from error
    if not stat.S_ISREG(mode):
        raise BadAudioError(path, f"is {_kind(mode)}, not a regular file")  # a FIFO would be waited on for ever
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_HEAD_BYTES)
        if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
            _check_wave(path, file, size)
            return "wav"
        if head[:4] == b"fLaC":
            return "flac"
        if head[:4] == b"OggS":
            _check_ogg(path, file, size)
            return "ogg"
        start = _id3_bytes(head)
        file.seek(start)
        frame = file.read(4096).lstrip(b"\0")
        if _is_mpeg_frame(frame[:4]):
            _check_mpeg(path, frame, size - start)
            return "mp3"
    raise BadAudioError(path, _not_audio(head, size))


def _kind(mode: int) -> str:
    kinds = [
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    ]
    return next((name for test, name in kinds if test(mode)), "something else")


def _not_audio(head: bytes, size: int) -> str:
    """Return a reason that names the likely cause."""
    text = head[:512].lstrip().lower()
    if not size:
        return "is empty (0 bytes)"
    if text.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer, not the recording; fetch it with `git lfs pull`"
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "is a web page, not a recording; the download went wrong"
    if b"/annex/objects/" in text:
        return "is a git-annex pointer, not the recording; fetch it with `git annex get`"
    allowed = "WAV (PCM, float, mu-law, A-law), FLAC, Ogg or MP3"
    names = {
        b"FORM": "AIFF",
        b"caff": "CAF",
        b"NIST": "NIST SPHERE",
        b".snd": "AU",
        b"RIFF": "a RIFF file without sound",
    }
    if head[:4] in names:
        return f"is {names[head[:4]]}, which is not read; convert it to {allowed}"
    return f"is not {allowed}"


def _check_wave(path: Path, file: BinaryIO, size: int) -> None:
    """Walk the chunks up to `data`: an allowed sample format, and as many bytes as the header says."""
    long_data: int | None = None
    tag: int | None = None
    position = 12
    while position + 8 <= size:
        file.seek(position)
        name, length = struct.unpack("<4sI", file.read(8))
        body = position + 8
        if name == b"ds64":
            long_data = struct.unpack("<QQ", file.read(16).ljust(16, b"\0"))[1]
        elif name == b"fmt ":
            tag = _wave_tag(file.read(min(length, 40)))
        elif name == b"data":
            if tag not in WAVE_TAGS:
                allowed = ", ".join(WAVE_TAGS.values())
                raise BadAudioError(path, f"is a WAV of format tag {tag}, which is not read; allowed: {allowed}")
            wanted = long_data if length == 0xFFFFFFFF and long_data is not None else length
            if body + wanted > size:
                raise BadAudioError(
                    path, f"is cut: its header speaks of {wanted} bytes of sound, {size - body} are there"
                )
            return
        position = body + length + (length & 1)
    raise BadAudioError(path, "is a WAV without a data chunk")


def _wave_tag(fmt: bytes) -> int | None:
    """Return the format tag; that of WAVE_FORMAT_EXTENSIBLE opens its sub-format GUID, at byte 24."""
    if len(fmt) < 16:
        return None
    tag = int.from_bytes(fmt[:2], "little")
    return int.from_bytes(fmt[24:26], "little") if tag == _EXTENSIBLE and len(fmt) >= 26 else tag


def _check_ogg(path: Path, file: BinaryIO, size: int) -> None:
    """Look at the last page: it must be whole and bear the end-of-stream flag (RFC 3533, section 6)."""
    file.seek(max(0, size - _OGG_PAGE_BYTES))
    tail = file.read()
    at = tail.rfind(b"OggS")
    page = tail[at:]
    if at < 0 or len(page) < 27 or len(page) < 27 + page[26] or not page[5] & 4:
        raise BadAudioError(path, "is cut: its last Ogg page does not end the stream")
    if len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]]):
        raise BadAudioError(path, "is cut: its last Ogg page is not whole")


def _id3_bytes(head: bytes) -> int:
    """Return the length of an ID3v2 tag at the start, 0 where there is none; its size has seven bits a byte."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    return 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0)))


def _is_mpeg_frame(head: bytes) -> bool:
    """Say whether four bytes are a frame header: sync, a version, a layer, a bit rate and a sample rate that exist."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer = (head[1] >> 3) & 3, (head[1] >> 1) & 3
    return version != 1 and layer != 0 and head[2] >> 4 not in (0, 15) and (head[2] >> 2) & 3 != 3


def _check_mpeg(path: Path, frame: bytes, size: int) -> None:
    """Compare the bytes that a Xing/Info header declares with those that are there; files without one cannot be asked."""
    at = max(frame.find(b"Xing", 0, 64), frame.find(b"Info", 0, 64))
    if at < 0 or not frame[at + 7] & 2:
        return
    skip = at + 8 + (4 if frame[at + 7] & 1 else 0)
    declared = int.from_bytes(frame[skip : skip + 4], "big")
    if size < declared:
        raise BadAudioError(path, f"is cut: its header speaks of {declared} bytes of sound, {size} are there")
