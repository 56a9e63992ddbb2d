"""What a file is, read from its own bytes before any decoder opens it.

libsndfile recognises some thirty formats by content, whatever the file's name, and its released version has open
memory-safety faults in several of them (MAT4, IMA-ADPCM, CAF, AIFF, VOX). So only four containers reach it: RIFF/RF64
with PCM, float, mu-law or A-law; FLAC; Ogg; MPEG audio layers I to III. Each is also checked to be whole,
because libsndfile reads a truncated WAV, Ogg or MP3 as a shorter one and reports nothing. Other known formats need the optional
decoder PyAV (FFmpeg), which opens each with the demuxer of that format and no other.

Sources: RFC 9639 (FLAC), RFC 3533 (Ogg), id3.org (ID3v2.3 and 2.4); `decoding.wave_chunks` and `decoding.mpeg_frames` have theirs.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from roomtone.core.audio.decoding.flac_frames import last_sample
from roomtone.core.audio.decoding.mpeg_frames import count_samples, frame_header, stated_counts
from roomtone.core.audio.decoding.wave_chunks import WAVE_TAGS, read_wave
from roomtone.core.bounded.regular_files import open_regular
from roomtone.core.errors import RoomtoneError

#: What is read without the optional decoder, for messages.
ALLOWED = "WAV (PCM, float, mu-law, A-law), FLAC, Ogg or MP3"
_HEAD_BYTES = 4096
#: The end of a FLAC file in which its last frame is looked for: 65,535 samples of eight channels are longer, and no encoder writes such frames.
_FLAC_TAIL_BYTES = 1 << 18
#: The longest Ogg page: 27 + 255 + 255 * 255 bytes; the last page starts within so much of the end.
_OGG_PAGE_BYTES = 65307
#: First bytes -> (what a message calls the format, FFmpeg's demuxer); formats that need PyAV.
_OTHER_FORMATS = {
    b"\x1aE\xdf\xa3": ("WebM or Matroska", "matroska"),
    b"#!AMR": ("AMR", "amr"),
    b"riff\x2e\x91\xcf\x11": ("Wave64 (W64)", "w64"),
    b"FORM": ("AIFF", "aiff"),
    b"caff": ("CAF", "caf"),
    b".snd": ("AU", "au"),
    b"NIST_1A": ("NIST SPHERE", "nistsphere"),
    b"0&\xb2u\x8ef\xcf\x11": ("WMA (ASF)", "asf"),
}
_JOIN = "decoders read the first alone: write them as one with `ffmpeg -i IN OUT.flac`, or split them"
#: So many pages of an Ogg file are looked through for a second beginning: two days of speech have as many.
_MOST_PAGES = 200_000
#: So many chunks of a Core Audio file are looked through for its sound.
_MOST_CHUNKS = 1000
#: Encoders disagree on whether the first frame counts; so many frames behind the stated end are another recording.
_MORE_FRAMES = 4
#: A Wave64 file that states more than this was streamed: its length was never written.
_LONGEST_BYTES = 1 << 48
#: WAVE format tags that need PyAV.
_COMPRESSED_WAVE_TAGS = {2: "Microsoft ADPCM", 17: "IMA ADPCM", 49: "GSM 6.10", 85: "MP3"}
_BRANDS = {b"M4A": "M4A", b"M4B": "M4A", b"3gp": "3GP", b"3g2": "3GP", b"qt ": "QuickTime"}


class BadAudioError(RoomtoneError):
    """A recording that cannot be used; the message says why, in one line."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{os.fspath(path)}: {reason}")
        self.path = os.fspath(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[BadAudioError], tuple[str, str]]:
        return type(self), (self.path, self.reason)


@dataclass(frozen=True)
class Container:
    """What a file is, and how its decoder must open it.

    Attributes:
        name: `wav`, `flac`, `ogg`, `mp3`, or the name of an FFmpeg demuxer.
        words: what a message calls a format that needs PyAV; empty where libsndfile reads it.
        start: bytes before the audio (ID3 tags).
        overlay: position after `start` -> bytes to be read there instead, where a header was never completed.
        samples: samples of each channel, where they had to be counted and the decoder cannot know them.
    """

    name: str
    words: str = ""
    start: int = 0
    overlay: Mapping[int, bytes] = field(default_factory=dict)
    samples: int | None = None


def container(path: Path) -> Container:
    """Return what a regular file is, from its bytes.

    Args:
        path: the file; its name and ending play no part.

    Raises:
        BadAudioError: no regular file, no known format, a sample format that is not decoded, or a cut file.
    """
    try:
        opened = open_regular(path)
    except OSError as error:
        reason = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise BadAudioError(path, reason) from error
    with opened as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_HEAD_BYTES)
        start = _tag_bytes(file, head, size)
        if start:
            file.seek(start)
            head = file.read(_HEAD_BYTES)
        found = _recognised(path, file, head, start, size)
    if found is None:
        raise BadAudioError(path, _not_audio(head, size))
    return found


def _recognised(path: Path, file: BinaryIO, head: bytes, start: int, size: int) -> Container | None:
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return _checked_wave(path, file, start, size)
    if head[:4] == b"fLaC":
        return _checked_flac(path, file, head, start, size)
    if head[:4] == b"OggS":
        _check_ogg(path, file, size)
        _check_one_ogg_link(path, file, start)
        return Container("ogg", start=start)
    if head[:4] == b"caff":
        _check_caf(path, file, size)
    other = _other_format(path, head, size)
    if other is not None:
        return other
    padding = len(head) - len(head.lstrip(b"\0"))
    if frame_header(head[padding : padding + 4]) is not None:
        return _checked_mpeg(path, file, head[padding:], start + padding, size)
    return None


def _other_format(path: Path, head: bytes, size: int) -> Container | None:
    """Return a format that needs PyAV; in a frame of ADTS the layer is 0, which MPEG audio never has."""
    if head[4:8] == b"ftyp":
        return Container("mov", next((words for brand, words in _BRANDS.items() if head[8:].startswith(brand)), "MP4"))
    for magic, (words, name) in _OTHER_FORMATS.items():
        if head.startswith(magic):
            if name == "w64" and size < (stated := int.from_bytes(head[16:24], "little")) <= _LONGEST_BYTES:
                # FFmpeg reads a cut one as a shorter one and reports nothing
                raise BadAudioError(path, f"is cut: its header states {stated} bytes, {size} are there")
            return Container(name, words)
    if len(head) > 7 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return Container("aac", "AAC (ADTS)")
    return None


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
    if head[:4] == b"RIFF":
        return f"is a RIFF file without sound; convert it to {ALLOWED}"
    return f"is not {ALLOWED}"


def _checked_wave(path: Path, file: BinaryIO, start: int, size: int) -> Container:
    """Check that the sample format is allowed, and that there are as many bytes as the header states."""
    wave = read_wave(file, start, size - start)
    if wave.data_at is None:
        raise BadAudioError(path, "is a WAV without a data chunk")
    there = wave.size - wave.data_at
    if wave.stated is not None and wave.stated > there:
        raise BadAudioError(path, f"is cut: its header states {wave.stated} bytes of sound, {there} are there")
    if wave.tag in WAVE_TAGS:
        return Container("wav", start=start, overlay=wave.overlay)
    if wave.tag in _COMPRESSED_WAVE_TAGS and not start:
        return Container("wav", f"WAV with {_COMPRESSED_WAVE_TAGS[wave.tag]} (format tag {wave.tag})")
    allowed = ", ".join(WAVE_TAGS.values())
    raise BadAudioError(path, f"is a WAV of format tag {wave.tag}, which is not read; allowed: {allowed}")


def _checked_flac(path: Path, file: BinaryIO, head: bytes, start: int, size: int) -> Container:
    """Fill in the length where the header does not state it (36 bits in STREAMINFO; RFC 9639, section 8.2)."""
    unstated = len(head) >= 42 and head[4] & 0x7F == 0 and not head[21] & 0x0F and not any(head[22:26])
    if not unstated:
        return Container("flac", start=start)
    file.seek(max(start, size - _FLAC_TAIL_BYTES))
    samples = last_sample(file.read(), int.from_bytes(head[10:12], "big"))
    if samples is None:
        raise BadAudioError(path, "is cut: it does not state its length, and no whole frame ends it")
    stated = (head[21] & 0xF0) << 32 | samples
    return Container("flac", start=start, overlay={21: stated.to_bytes(5, "big")})


def _check_ogg(path: Path, file: BinaryIO, size: int) -> None:
    """Check the last page: it must be whole and have the end-of-stream flag (RFC 3533, section 6)."""
    file.seek(max(0, size - _OGG_PAGE_BYTES))
    tail = file.read()
    at = tail.rfind(b"OggS")
    page = tail[at:]
    if at < 0 or len(page) < 27 or len(page) < 27 + page[26] or not page[5] & 4:
        raise BadAudioError(path, "is cut: its last Ogg page does not end the stream")
    if len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]]):
        raise BadAudioError(path, "is cut: its last Ogg page is not whole")


def _check_one_ogg_link(path: Path, file: BinaryIO, start: int) -> None:
    """Check that no stream begins behind the first ones (RFC 3533, section 4): decoders would read the first link alone."""
    file.seek(start)
    begun = False
    for _ in range(_MOST_PAGES):
        head = file.read(27)
        if not head.startswith(b"OggS") or len(head) < 27:
            return
        begins = bool(head[5] & 2)
        if begins and begun:
            raise BadAudioError(path, f"is several recordings one after another (chained Ogg streams); {_JOIN}")
        begun = begun or not begins
        file.seek(sum(file.read(head[26])), os.SEEK_CUR)


def _check_caf(path: Path, file: BinaryIO, size: int) -> None:
    """Check that a Core Audio file holds as many bytes of sound as it states: FFmpeg reads a cut one as a shorter one.

    Chunks follow a header of 8 bytes, each with a type of 4 bytes and a size of 8; -1 is to the end (Apple's CAF specification).
    """
    position = 8
    for _ in range(_MOST_CHUNKS):
        file.seek(position)
        head = file.read(12)
        if len(head) < 12:
            return
        stated = int.from_bytes(head[4:], "big", signed=True)
        if head[:4] == b"data" and stated > size - position - 12:
            there = size - position - 12
            raise BadAudioError(path, f"is cut: its header states {stated} bytes of sound, {there} are there")
        if stated < 0:
            return
        position += 12 + stated


def _tag_bytes(file: BinaryIO, head: bytes, size: int) -> int:
    """Return the length of the ID3v2 tags at the start, 0 where there is none; sizes have seven bits a byte.

    A tag of version 2.4 may have a footer of ten bytes, which its size does not count (id3v2.4.0-structure, 3.1 and 3.4).
    """
    start = 0
    while head[:3] == b"ID3" and len(head) >= 10 and start < size:
        footer = 10 if head[5] & 0x10 else 0
        start += 10 + footer + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0)))
        file.seek(start)
        head = file.read(10)
    return start


def _checked_mpeg(path: Path, file: BinaryIO, head: bytes, start: int, size: int) -> Container:
    """Compare the bytes that a Xing or Info header states with those that are there; without one, count the frames."""
    counts = stated_counts(head)
    if counts is not None and counts.size is not None and size - start < counts.size:
        raise BadAudioError(path, f"is cut: its header states {counts.size} bytes of sound, {size - start} are there")
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        if counts is not None and counts.frames is not None:
            if counts.size is not None and _goes_on(whole, start + counts.size):
                raise BadAudioError(path, f"is several recordings one after another (joined MP3 files); {_JOIN}")
            return Container("mp3", start=start)
        return Container("mp3", start=start, samples=count_samples(whole, start))


def _goes_on(whole: mmap.mmap, end: int) -> bool:
    """Return whether frames follow the stated end of a stream, at once or behind the tag of another file."""
    for _ in range(_MORE_FRAMES):
        if whole[end : end + 3] == b"ID3" and len(whole) >= end + 10:
            end += 10 + sum((byte & 0x7F) << shift for byte, shift in zip(whole[end + 6 : end + 10], (21, 14, 7, 0)))
        header = frame_header(whole[end : end + 4])
        if header is None:
            return False
        end += header.size
    return True
