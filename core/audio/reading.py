"""Recordings in: the border at which hostile input is stopped.

Everything that `read_audio` returns is float32 mono samples [shape=(samples,)], full scale +-1.0, finite, at the rate asked for,
with sample 0 where the recording (or its segment) began: soxr's delay is compensated.

Channels are averaged. A channel of digital silence is left out of the average (a telephone recording with one empty
side), and channels that cancel each other are refused, because their average is not the speech.

`package:demo/NAME.flac` names a recording that is bundled, so that a recipe holds no path of one machine.
"""

from __future__ import annotations

import math
import os
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.core.audio.decoding.base import AudioInfo, Decoder
from roomtone.core.audio.decoding.pyav import PyavDecoder
from roomtone.core.audio.decoding.sound_file import SoundFileDecoder
from roomtone.core.audio.headers import BadAudioError, container
from roomtone.core.audio.rates import is_recorded_rate, recorded_bounds
from roomtone.core.audio.recording_files import audio_path
from roomtone.core.audio.resampling import fit_length, resample
from roomtone.core.audio.segment import AudioRef

__all__ = ["AudioInfo", "BadAudioError", "Limits", "OpenRecordings", "inspect", "read_audio", "read_channels"]

#: A mono sum this far below its channels is cancellation; equal uncorrelated channels lose only 3 dB.
_CANCELLED_DB = -25.0
#: Tables round times to hundredths: an end that is so far past the file's is the file's.
_ROUNDED_S = 0.02


@dataclass(frozen=True)
class Limits:
    """Bounds that are checked before anything is decoded.

    Attributes:
        max_channels: libsndfile itself accepts 1024.
        max_read_s: longest segment that one read may ask for, so that a header cannot make a worker allocate without end.
        max_file_s: longest file of which a segment may be read.
    """

    max_channels: int = 32
    max_read_s: float = 3_600.0
    max_file_s: float = 172_800.0


def inspect(path: str | os.PathLike[str], *, limits: Limits | None = None) -> AudioInfo:
    """Return what a recording declares, after its bytes and bounds were checked; nothing is decoded.

    Args:
        path: a file, or `package:demo/NAME.flac`.
        limits: the bounds; None is `Limits()`.

    Raises:
        BadAudioError: not a regular file, not an allowed format, cut, or out of bounds.
    """
    decoder = _opened(audio_path(path), limits or Limits())
    decoder.close()
    return decoder.info


def read_audio(ref: AudioRef, sample_rate_hz: int, *, limits: Limits | None = None) -> np.ndarray:
    """Return the samples of a recording or of its segment; only the segment is read.

    Args:
        ref: file, offset and length; a length of None reads to the end.
        sample_rate_hz: the rate wanted; a recording at another is resampled at zero delay.
        limits: the bounds; None is `Limits()`.

    Returns:
        float32 [shape=(samples,)], `samples = round(frames * sample_rate_hz / rate)`.

    Raises:
        BadAudioError: as `inspect`, or a segment outside of the file, fewer samples than declared, samples that are not
            finite, channels that cancel.
    """
    limits = limits or Limits()
    path = audio_path(ref.path)
    decoder = _opened(path, limits)
    try:
        return _read_segment(path, ref, decoder, sample_rate_hz, limits)
    finally:
        decoder.close()


def read_channels(path: str | os.PathLike[str], longest_s: float) -> tuple[np.ndarray, int]:
    """Return the samples of every channel as they are in the file: for impulse responses, whose channels are no mix.

    Args:
        path: a file, or `package:demo/NAME.flac`.
        longest_s: so many seconds are read at most, from the beginning.

    Returns:
        float32 [shape=(frames, channels)], full scale +-1.0, and the file's rate in Hz.

    Raises:
        BadAudioError: as `inspect`, or fewer samples than declared, or samples that are not finite.
    """
    found, limits = audio_path(path), Limits()
    decoder = _opened(found, limits)
    try:
        wanted = min(decoder.info.frames, round(longest_s * decoder.info.sample_rate_hz))
        blocks = list(decoder.blocks(0, wanted))
    finally:
        decoder.close()
    decoded = sum(block.shape[0] for block in blocks)
    if not decoded or (decoder.info.exact and decoded < wanted):
        raise BadAudioError(found, _missing(decoder.info, 0, wanted, decoded))
    samples = np.concatenate(blocks)
    _check_finite(found, samples)
    return samples, decoder.info.sample_rate_hz


class OpenRecordings:
    """Recordings of which many segments are read: the last few stay open, checked once, and again when the file has changed.

    Args:
        most: how many stay open.
    """

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._open: OrderedDict[tuple[Any, ...], tuple[Path, Decoder]] = OrderedDict()

    def read(self, ref: AudioRef, sample_rate_hz: int) -> np.ndarray:
        """Return what `read_audio` returns, and raise what it raises.

        Args:
            ref: file, offset and length in seconds.
            sample_rate_hz: the rate wanted, Hz.
        """
        limits = Limits()
        try:
            found = os.stat(ref.path)
        except OSError:
            return read_audio(ref, sample_rate_hz)  # bundled, or it says what is wrong
        key = (ref.path, found.st_ino, found.st_size, found.st_mtime_ns)
        path, decoder = self._open.pop(key, (Path(ref.path), None))
        decoder = decoder or _opened(path, limits)
        try:
            samples = _read_segment(path, ref, decoder, sample_rate_hz, limits)
        except BadAudioError:
            decoder.close()
            raise
        self._open[key] = path, decoder  # not one whose reading failed
        while len(self._open) > self._most:
            self._open.popitem(last=False)[1][1].close()
        return samples


def _opened(path: Path, limits: Limits) -> Decoder:
    """Return an open file that is within the bounds."""
    found = container(path)
    decoder: Decoder = PyavDecoder(path, found) if found.words else SoundFileDecoder(path, found)
    reason = _out_of_bounds(decoder.info, limits)
    if reason is not None:
        decoder.close()
        raise BadAudioError(path, reason)
    return decoder


def _out_of_bounds(info: AudioInfo, limits: Limits) -> str | None:
    if not is_recorded_rate(info.sample_rate_hz):
        return f"has a sample rate of {info.sample_rate_hz} Hz; {recorded_bounds()} are read"
    if not 1 <= info.channels <= limits.max_channels:
        return f"has {info.channels} channels; up to {limits.max_channels} are read"
    if info.frames <= 0:
        return "holds no samples"
    if info.duration_s > limits.max_file_s:  # also how an unfinished FLAC shows: it declares 2**63 - 1 samples
        return f"declares {info.duration_s:.3g} s; up to {limits.max_file_s:g} s are read (unfinished?)"
    return None


def _read_segment(path: Path, ref: AudioRef, decoder: Decoder, sample_rate_hz: int, limits: Limits) -> np.ndarray:
    start, frames = _bounds(path, ref, decoder.info, limits)
    mono = _decode(path, decoder, start, frames, limits)
    _check_finite(path, mono)
    rate = decoder.info.sample_rate_hz
    wanted = max(1, round(mono.size * sample_rate_hz / rate))
    return fit_length(resample(mono.astype(np.float32, copy=False), rate, sample_rate_hz), wanted)


def _check_finite(path: Path, samples: np.ndarray) -> None:
    if not np.isfinite(samples).all():
        wrong = int((~np.isfinite(samples)).sum())
        raise BadAudioError(path, f"holds {wrong} samples that are not finite (NaN or infinity)")


def _bounds(path: Path, ref: AudioRef, info: AudioInfo, limits: Limits) -> tuple[int, int | None]:
    """Return the first frame and the number of frames that a reference asks for; None is to an end that decoding tells."""
    rate = info.sample_rate_hz
    start = round(ref.offset_s * rate)
    end = info.frames if ref.duration_s is None else start + round(ref.duration_s * rate)
    if info.frames < end <= info.frames + math.ceil(_ROUNDED_S * rate):
        end = info.frames
    if not 0 <= start < end or (info.exact and end > info.frames):
        raise BadAudioError(path, _no_segment(ref.offset_s, end / rate, info.duration_s))
    if (end - start) / rate > limits.max_read_s:
        raise BadAudioError(path, _too_long((end - start) / rate, limits))
    return start, None if ref.duration_s is None and not info.exact else end - start


def _no_segment(start_s: float, end_s: float, duration_s: float) -> str:
    return f"has no segment from {start_s:g} s to {end_s:g} s: it lasts {duration_s:g} s"


def _too_long(seconds: float, limits: Limits) -> str:
    return f"lasts {seconds:g} s; up to {limits.max_read_s:g} s are read"


def _decode(path: Path, decoder: Decoder, start: int, frames: int | None, limits: Limits) -> np.ndarray:
    """Return the average of the channels, float32 [shape=(frames,)]; decoded in blocks, so that memory holds one channel."""
    info = decoder.info
    blocks: list[np.ndarray] = []
    energy = np.zeros(info.channels)
    decoded = 0
    for block in decoder.blocks(start, frames):
        if info.channels > 1:
            energy += np.square(block, dtype=np.float64).sum(axis=0)
        blocks.append(block)
        decoded += block.shape[0]
        if decoded > limits.max_read_s * info.sample_rate_hz:
            raise BadAudioError(path, _too_long(decoded / info.sample_rate_hz, limits))
    if not decoded or (frames is not None and decoded < frames):
        raise BadAudioError(path, _missing(info, start, frames, decoded))
    return _mix(path, blocks, energy)


def _missing(info: AudioInfo, start: int, frames: int | None, decoded: int) -> str:
    if frames is not None and not info.exact:
        rate = info.sample_rate_hz
        return _no_segment(start / rate, (start + frames) / rate, (start + decoded) / rate)
    return f"is cut: {decoded} of {info.frames - start if frames is None else frames} declared samples can be decoded"


def _mix(path: Path, blocks: list[np.ndarray], energy: np.ndarray) -> np.ndarray:
    live = np.flatnonzero(energy != 0.0)
    if live.size <= 1 and len(blocks) == 1:
        return np.ascontiguousarray(blocks[0][:, int(live[0]) if live.size else 0])
    if live.size <= 1:
        one = int(live[0]) if live.size else 0
        return np.concatenate([block[:, one] for block in blocks])
    mono = np.concatenate([block[:, live].mean(axis=1, dtype=np.float64) for block in blocks])
    with np.errstate(invalid="ignore", over="ignore"):
        share = np.square(mono).sum() / energy[live].mean()
    if share < 10 ** (_CANCELLED_DB / 10):
        raise BadAudioError(path, "its channels cancel each other (one is inverted); split them into files")
    return mono.astype(np.float32)
