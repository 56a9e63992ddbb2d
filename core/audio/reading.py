"""Recordings in, rendered files out: the border at which hostile input is stopped.

Everything past `read_audio` is float32 mono samples [shape=(samples,)], full scale +-1.0, finite, at the rate asked for,
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

from roomtone.core.audio.headers import BadAudioError, container
from roomtone.core.audio.rates import is_recorded_rate, recorded_bounds
from roomtone.core.audio.recording_files import audio_path
from roomtone.core.audio.resampling import fit_length, resample
from roomtone.core.audio.segment import AudioRef

__all__ = ["AudioInfo", "BadAudioError", "Limits", "OpenRecordings", "inspect", "read_audio"]

_BLOCK_FRAMES = 1 << 18
#: What libsndfile may call what `container` let through.
_DECODED = {"wav": {"WAV", "WAVEX", "RF64"}, "flac": {"FLAC"}, "ogg": {"OGG"}, "mp3": {"MP3", "MPEG"}}
#: A mono sum this far below its channels is cancellation; equal uncorrelated channels lose only 3 dB.
_CANCELLED_DB = -25.0


@dataclass(frozen=True)
class Limits:
    """Bounds that are checked before anything is decoded.

    Attributes:
        max_channels: libsndfile itself accepts 1024.
        max_read_s: longest stretch that one read may ask for, so that a header cannot make a worker allocate without end.
        max_file_s: longest file of which a segment may be read.
    """

    max_channels: int = 32
    max_read_s: float = 3_600.0
    max_file_s: float = 172_800.0


@dataclass(frozen=True)
class AudioInfo:
    """What a file declares of itself."""

    format: str
    subtype: str
    sample_rate_hz: int
    channels: int
    frames: int

    @property
    def duration_s(self) -> float:
        """Return the declared length in seconds."""
        return self.frames / self.sample_rate_hz


def inspect(path: str | os.PathLike[str], *, limits: Limits | None = None) -> AudioInfo:
    """Return what a recording declares, after its bytes and bounds were checked; nothing is decoded.

    Raises:
        BadAudioError: not a regular file, not an allowed format, cut, or out of bounds.
    """
    place = audio_path(path)
    kind = container(place)
    with _opened(place) as file:
        return _checked_info(place, kind, file, limits or Limits())


def _opened(path: Path) -> Any:
    import soundfile

    try:
        return soundfile.SoundFile(path)
    except (soundfile.SoundFileError, OSError, RuntimeError, ValueError) as error:
        raise BadAudioError(path, f"cannot be decoded: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    text = str(getattr(error, "error_string", error)).splitlines()[0].rstrip(". ") or type(error).__name__
    # what libsndfile says of MPEG audio in which it finds no frame; the file is there, and regular
    return "no sound is found in it" if text.startswith("File does not exist") else text


def _checked_info(path: Path, kind: str, file: Any, limits: Limits) -> AudioInfo:
    info = AudioInfo(file.format, file.subtype, file.samplerate, file.channels, file.frames)
    if info.format not in _DECODED[kind]:
        raise BadAudioError(path, f"opens as {kind} and decodes as {info.format}")
    if not is_recorded_rate(info.sample_rate_hz):
        raise BadAudioError(path, f"has a sample rate of {info.sample_rate_hz} Hz; {recorded_bounds()} are read")
    if not 1 <= info.channels <= limits.max_channels:
        raise BadAudioError(path, f"has {info.channels} channels; up to {limits.max_channels} are read")
    if info.frames <= 0:
        raise BadAudioError(path, "holds no samples")
    if info.duration_s > limits.max_file_s:  # also how an unfinished FLAC shows: it declares 2**63 - 1 samples
        raise BadAudioError(
            path, f"declares {info.duration_s:.3g} s; up to {limits.max_file_s:g} s are read (unfinished?)"
        )
    return info


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
    kind = container(path)
    with _opened(path) as file:
        info = _checked_info(path, kind, file, limits)
        return _read_segment(path, ref, file, info, sample_rate_hz, limits)


class OpenRecordings:
    """Recordings of which many stretches are read: the last few stay open, checked once, and anew when the file has changed.

    Args:
        most: how many stay open.
    """

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._open: OrderedDict[tuple[Any, ...], tuple[Path, Any, AudioInfo]] = OrderedDict()

    def read(self, ref: AudioRef, sample_rate_hz: int) -> np.ndarray:
        """Return what `read_audio` returns, and raise what it raises."""
        limits = Limits()
        try:
            found = os.stat(ref.path)
        except OSError:
            return read_audio(ref, sample_rate_hz)  # bundled, or it says what is wrong
        key = (ref.path, found.st_ino, found.st_size, found.st_mtime_ns)
        path, file, info = self._open.pop(key, (None, None, None))
        if path is None or info is None:
            path = Path(ref.path)
            kind = container(path)
            file = _opened(path)
            info = _checked_info(path, kind, file, limits)
        samples = _read_segment(path, ref, file, info, sample_rate_hz, limits)
        self._open[key] = path, file, info  # not one whose reading failed
        while len(self._open) > self._most:
            self._open.popitem(last=False)[1][1].close()
        return samples


def _read_segment(
    path: Path, ref: AudioRef, file: Any, info: AudioInfo, sample_rate_hz: int, limits: Limits
) -> np.ndarray:
    start, frames = _stretch(path, ref, info, limits)
    mono = _decode(path, file, start, frames)
    if not np.isfinite(mono).all():
        raise BadAudioError(
            path, f"holds {int((~np.isfinite(mono)).sum())} samples that are not finite (NaN or infinity)"
        )
    wanted = max(1, round(mono.size * sample_rate_hz / info.sample_rate_hz))
    return fit_length(resample(mono.astype(np.float32, copy=False), info.sample_rate_hz, sample_rate_hz), wanted)


def _stretch(path: Path, ref: AudioRef, info: AudioInfo, limits: Limits) -> tuple[int, int]:
    """Return the first frame and the number of frames that a reference asks for."""
    start = round(ref.offset_s * info.sample_rate_hz)
    end = info.frames if ref.duration_s is None else start + round(ref.duration_s * info.sample_rate_hz)
    # tables round times to hundredths: an end that far past the file's is the file's
    if info.frames < end <= info.frames + math.ceil(0.02 * info.sample_rate_hz):
        end = info.frames
    if not 0 <= start < end <= info.frames:
        asked = f"{ref.offset_s:g} s to {end / info.sample_rate_hz:g} s"
        raise BadAudioError(path, f"has no segment from {asked}: it lasts {info.duration_s:g} s")
    if (end - start) / info.sample_rate_hz > limits.max_read_s:
        raise BadAudioError(
            path, f"lasts {(end - start) / info.sample_rate_hz:g} s; up to {limits.max_read_s:g} s are read"
        )
    return start, end - start


def _decode(path: Path, file: Any, start: int, frames: int) -> np.ndarray:
    """Return the average of the channels; decoded in blocks, so that memory holds one channel."""
    import soundfile

    blocks: list[np.ndarray] = []
    kind = "int16" if file.subtype == "PCM_16" else "float32"  # the same numbers, which numpy scales faster
    energy = np.zeros(file.channels)
    try:
        if start != file.tell():
            file.seek(start)
        left = frames
        while left > 0:
            block = file.read(min(left, _BLOCK_FRAMES), dtype=kind, always_2d=True)
            if not block.shape[0]:
                break
            if kind == "int16":
                block = block * np.float32(1.0 / 32768.0)
            if file.channels > 1:
                energy += np.square(block, dtype=np.float64).sum(axis=0)
            blocks.append(block)
            left -= block.shape[0]
    except (soundfile.SoundFileError, RuntimeError, ValueError, AssertionError) as error:
        raise BadAudioError(path, f"cannot be decoded: {_reason(error)}") from error
    if left:
        raise BadAudioError(path, f"is cut: {frames - left} of {frames} declared samples can be decoded")
    return _mix(path, blocks, energy)


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
