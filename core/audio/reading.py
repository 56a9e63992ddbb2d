"""Recordings in: the border at which hostile input is stopped.

Everything that `read_audio` returns is float32 mono samples [shape=(samples,)], full scale +-1.0, finite, at the rate asked for,
with sample 0 where the recording (or its segment) began: soxr's delay is compensated.

What is below 20 Hz is removed (`decoding.high_pass`): DC and rumble are neither speech nor noise, and count in no level.

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
from typing import Any, NamedTuple

import numpy as np

from roomtone.core.audio.decoding.base import AudioInfo, Decoder
from roomtone.core.audio.decoding.high_pass import context_samples, high_pass
from roomtone.core.audio.decoding.pyav import PyavDecoder
from roomtone.core.audio.decoding.sound_file import SoundFileDecoder
from roomtone.core.audio.headers import BadAudioError, container
from roomtone.core.audio.rates import is_recorded_rate, recorded_bounds
from roomtone.core.audio.recording_files import audio_path
from roomtone.core.audio.resampling import fit_length, resample
from roomtone.core.audio.segment import AudioRef

__all__ = ["AudioInfo", "BadAudioError", "Limits", "OpenRecordings", "inspect", "read_audio", "read_channels"]

#: A channel is digital silence, with or without an offset, where its power is no more: -120 dB re full scale.
_SILENT_POWER = 1e-12
#: A mono sum this far below its channels is cancellation; equal uncorrelated channels lose only 3 dB.
_CANCELLED_DB = -25.0
#: Float samples may pass full scale, as mixes do; what is so far above it is no recording at full scale 1.
_LARGEST_SAMPLE = 100.0
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


def read_audio(ref: AudioRef, sample_rate_hz: int, *, limits: Limits | None = None, rumble: bool = False) -> np.ndarray:
    """Return the samples of a recording or of its segment; the rest of the file is not read.

    Args:
        ref: file, offset and length; a length of None reads to the end.
        sample_rate_hz: the rate wanted; a recording at another is resampled at zero delay.
        limits: the bounds; None is `Limits()`.
        rumble: True keeps DC and rumble, to measure how much of it there is.

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
        return _read_segment(path, ref, decoder, sample_rate_hz, limits, rumble)
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
    _check_range(found, samples)
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
            samples = _read_segment(path, ref, decoder, sample_rate_hz, limits, rumble=False)
        except BadAudioError:
            decoder.close()
            raise
        self._open[key] = path, decoder  # not one whose reading failed
        while len(self._open) > self._most:
            self._open.popitem(last=False)[1][1].close()
        return samples

    def close(self) -> None:
        """Close all of them."""
        while self._open:
            self._open.popitem()[1][1].close()


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
    if info.duration_s > limits.max_file_s:
        return f"declares {info.duration_s:.3g} s; up to {limits.max_file_s:g} s are read (unfinished?)"
    return None


def _read_segment(
    path: Path, ref: AudioRef, decoder: Decoder, sample_rate_hz: int, limits: Limits, rumble: bool
) -> np.ndarray:
    rate = decoder.info.sample_rate_hz
    start, frames = _bounds(path, ref, decoder.info, limits)
    # the high-pass looks at what is around the segment
    lead = 0 if rumble else min(context_samples(rate), start)
    tail = 0 if rumble else context_samples(rate)
    mono = _decode(path, decoder, _Excerpt(start, frames, lead, tail), limits)
    _check_range(path, mono)
    if not rumble:
        mono = high_pass(mono, rate)[lead : None if frames is None else lead + frames]
    wanted = max(1, round(mono.size * sample_rate_hz / rate))
    return fit_length(resample(mono, rate, sample_rate_hz), wanted)


def _check_range(path: Path, samples: np.ndarray) -> None:
    if not np.isfinite(samples).all():
        wrong = int((~np.isfinite(samples)).sum())
        raise BadAudioError(path, f"holds {wrong} samples that are not finite (NaN or infinity)")
    peak = float(np.abs(samples).max(initial=0.0))
    if peak > _LARGEST_SAMPLE:
        raise BadAudioError(
            path, f"holds samples up to {peak:,.0f} times full scale: integers stored as float? divide them by 32768"
        )


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


class _Excerpt(NamedTuple):
    """What is decoded: a segment from `start` (None: to the end), and so many frames before it, and after it where there are any."""

    start: int
    frames: int | None
    lead: int
    tail: int


def _decode(path: Path, decoder: Decoder, wanted: _Excerpt, limits: Limits) -> np.ndarray:
    """Return the average of the channels, float32 [shape=(frames,)]; decoded in blocks, so that memory holds one channel."""
    info, frames = decoder.info, wanted.frames
    longest = None if frames is None else wanted.lead + frames + wanted.tail
    if longest is not None and info.exact:
        longest = min(longest, info.frames - wanted.start + wanted.lead)
    blocks: list[np.ndarray] = []
    decoded = 0
    for block in decoder.blocks(wanted.start - wanted.lead, longest):
        blocks.append(block)
        decoded += block.shape[0]
        if frames is None and decoded - wanted.lead > limits.max_read_s * info.sample_rate_hz:
            raise BadAudioError(path, _too_long(decoded / info.sample_rate_hz, limits))
    inside = decoded - wanted.lead
    if (
        inside <= 0
        or (frames is not None and inside < frames)
        or (info.exact and longest is not None and decoded < longest)
    ):
        raise BadAudioError(path, _missing(info, wanted.start, frames, max(inside, 0)))
    end = wanted.lead + (inside if frames is None else frames)
    return _mix(path, blocks, wanted.lead, end)


def _missing(info: AudioInfo, start: int, frames: int | None, decoded: int) -> str:
    if frames is not None and not info.exact:
        rate = info.sample_rate_hz
        return _no_segment(start / rate, (start + frames) / rate, (start + decoded) / rate)
    return f"is cut: {decoded} of {info.frames - start if frames is None else frames} declared samples can be decoded"


def _mix(path: Path, blocks: list[np.ndarray], begin: int, end: int) -> np.ndarray:
    """Return the average of the channels that are not silent between two frames, float32 [shape=(frames,)].

    Raises:
        BadAudioError: they cancel each other there.
    """
    if blocks[0].shape[1] == 1:
        return np.ascontiguousarray(blocks[0][:, 0]) if len(blocks) == 1 else np.concatenate([b[:, 0] for b in blocks])
    power = _powers(blocks, begin, end)
    live = np.flatnonzero(~(power <= _SILENT_POWER))
    if live.size <= 1:
        one = int(live[0]) if live.size else 0
        return np.ascontiguousarray(np.concatenate([block[:, one] for block in blocks]))
    mono = np.concatenate([block[:, live].mean(axis=1, dtype=np.float64) for block in blocks])
    with np.errstate(invalid="ignore", over="ignore"):
        share = np.var(mono[begin:end]) / power[live].mean()
    if share < 10 ** (_CANCELLED_DB / 10):
        raise BadAudioError(path, "its channels cancel each other (one is inverted); split them into files")
    return mono.astype(np.float32)


def _powers(blocks: list[np.ndarray], begin: int, end: int) -> np.ndarray:
    """Return the power of each channel between two frames without its mean, float64 [shape=(channels,)]."""
    sums = np.zeros((2, blocks[0].shape[1]))
    position = 0
    for block in blocks:
        part = block[max(begin - position, 0) : max(end - position, 0)].astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            sums += part.sum(axis=0), np.square(part).sum(axis=0)
        position += block.shape[0]
    mean, square = sums / max(end - begin, 1)
    with np.errstate(invalid="ignore", over="ignore"):
        power: np.ndarray = square - mean * mean
    return power
