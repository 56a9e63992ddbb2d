"""Formats beyond libsndfile's, decoded by FFmpeg through PyAV (the extra `av`).

FFmpeg gets an open file and never a name, the demuxer of the recognised format alone, and decodes only the codecs that are
listed here: a file cannot choose a protocol, a playlist or a second file.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from roomtone.core.audio.decoding.base import AudioInfo
from roomtone.core.audio.headers import ALLOWED, BadAudioError, Container
from roomtone.core.bounded.regular_files import open_regular
from roomtone.core.extras import how_to_install

#: FFmpeg's names of the decoders that may run; raw PCM (`pcm_…`) beside them.
CODECS = frozenset(
    {"aac", "ac3", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "alac", "amrnb", "amrwb", "eac3", "flac", "gsm", "gsm_ms"}
    | {"libopencore_amrnb", "libopencore_amrwb", "libopus", "libvorbis", "mp3", "mp3float", "opus", "vorbis", "wmav1", "wmav2"}
)  # fmt: skip
#: Demuxers that read a length which the file states; those of the others guess it from the bit rate.
_STATES_LENGTH = frozenset({"mov", "matroska", "w64", "aiff", "caf", "au", "nistsphere", "wav"})
#: Decoded length may be less than the stated one by padding that the decoder removes, seconds.
_PADDING_S = 0.2
#: A seek lands so much before the segment, so that a codec with memory is settled where it begins, seconds.
_SETTLE_S = 1.0


class PyavDecoder:
    """A file that FFmpeg has open; its length is exact only after decoding.

    Args:
        path: the file.
        container: what it is; `words` and `name` of a format that needs PyAV.

    Raises:
        BadAudioError: PyAV is not installed, FFmpeg cannot open the file, or its codec is not among those that may run.
    """

    def __init__(self, path: Path, container: Container) -> None:
        try:
            import av
        except ImportError as error:
            raise BadAudioError(
                path,
                f"is {container.words}, which needs the extra av: {how_to_install('av')}; or convert it to {ALLOWED}",
            ) from error
        self._path = path
        self._demuxer = container.name
        self._words = container.words
        self._errors = (av.FFmpegError, OSError, ValueError, ArithmeticError, EOFError, RuntimeError)
        self._file: BinaryIO = open_regular(path)
        try:
            self._open()
            self.info = self._declared()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        import av

        self._file.seek(0)
        try:
            self._input: Any = av.open(self._file, mode="r", format=self._demuxer)
            stream = next(iter(self._input.streams.audio), None)
        except self._errors as error:
            raise BadAudioError(self._path, f"is {self._words} and cannot be opened: {_reason(error)}") from error
        if stream is None:
            raise BadAudioError(self._path, f"is {self._words} without sound")
        codec = stream.codec_context.name if stream.codec_context is not None else "an unknown codec"
        if codec not in CODECS and not codec.startswith("pcm_"):
            raise BadAudioError(
                self._path, f"is {self._words} with {codec}, which is not read; convert it to {ALLOWED}"
            )
        self._stream = stream

    def _declared(self) -> AudioInfo:
        rate = int(self._stream.rate or 0)
        frames = self._stated_frames(rate)
        if frames is None:
            frames = self._counted_frames(rate)
        codec = self._stream.codec_context.name
        return AudioInfo(self._words, codec, rate, int(self._stream.channels), frames, exact=False)

    def _stated_frames(self, rate: int) -> int | None:
        """Return the stated length in samples; None where the file states none."""
        if self._demuxer not in _STATES_LENGTH or not rate:
            return None
        if self._stream.duration:
            return round(self._stream.duration * (self._stream.time_base or Fraction(1)) * rate)
        return round(self._input.duration * rate / 1_000_000) if self._input.duration else None

    def _counted_frames(self, rate: int) -> int:
        """Return the length in samples by the durations of the packets, without decoding."""
        try:
            ticks = sum(packet.duration or 0 for packet in self._input.demux(self._stream))
        except self._errors as error:
            raise BadAudioError(self._path, f"cannot be decoded: {_reason(error)}") from error
        seconds = ticks * (self._stream.time_base or Fraction(0))
        self._open()
        return round(seconds * rate)

    def blocks(self, start: int, frames: int | None) -> Iterator[np.ndarray]:
        """Yield the samples of a segment; see `Decoder`.

        Raises:
            BadAudioError: it does not decode, or ends well before the length that it states.
        """
        self._open()  # a demuxer cannot be trusted to go back to its beginning
        end = None if frames is None else start + frames
        position = None if self._seek(start) else 0
        try:
            for frame in self._input.decode(self._stream):
                if position is None:  # after a seek, the time stamp says where the decoder is
                    position = int(frame.pts or 0)
                block = _samples(frame)
                first, last = max(start - position, 0), block.shape[0]
                position += block.shape[0]
                if end is not None and position >= end:
                    last -= position - end
                if first < last:
                    yield block[first:last]
                if end is not None and position >= end:
                    return
        except self._errors as error:
            raise BadAudioError(self._path, f"cannot be decoded: {_reason(error)}") from error
        short_s = self.info.duration_s - (position or 0) / self.info.sample_rate_hz
        if self._demuxer in _STATES_LENGTH and short_s > _PADDING_S:
            raise BadAudioError(self._path, f"is cut: {position} of {self.info.frames} declared samples can be decoded")

    def _seek(self, start: int) -> bool:
        """Move to shortly before a sample where time stamps count samples; return whether the decoder was moved."""
        rate, base = self.info.sample_rate_hz, self._stream.time_base
        if base != Fraction(1, rate) or start < 2 * _SETTLE_S * rate:
            return False
        try:
            self._input.seek(round(start - _SETTLE_S * rate), stream=self._stream)
        except self._errors as error:
            raise BadAudioError(self._path, f"cannot be decoded: {_reason(error)}") from error
        return True

    def close(self) -> None:
        """Close the file."""
        if hasattr(self, "_input"):
            self._input.close()
        self._file.close()


def _samples(frame: Any) -> np.ndarray:
    """Return the samples of a decoded frame, float32 [shape=(frames, channels)], full scale +-1.0."""
    content = frame.to_ndarray()
    channels = frame.layout.nb_channels
    block: np.ndarray = content.T if frame.format.is_planar else content.reshape(-1, channels)
    if block.dtype == np.uint8:
        return ((block.astype(np.float32) - 128.0) / 128.0).astype(np.float32)
    if np.issubdtype(block.dtype, np.integer):
        return (block.astype(np.float64) / -float(np.iinfo(block.dtype).min)).astype(np.float32)
    return block.astype(np.float32, copy=False)


def _reason(error: Exception) -> str:
    text = str(getattr(error, "strerror", None) or error).splitlines()
    return text[0].rstrip(". ") if text else type(error).__name__
