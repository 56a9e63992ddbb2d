"""Reads the segments of recordings that a recipe names; those used last are kept in memory.

Short recordings are read whole. Long ones are read in blocks of a fixed grid: what a block holds depends on the recording and the
block's number alone, so a render that needs a block gets the same bits from memory and from the file, in any order.
"""

from __future__ import annotations

import atexit
import functools
from collections.abc import Callable, Mapping

import numpy as np

from roomtone.augment.recordings.kept import KeptSamples
from roomtone.augment.recordings.sounding import frame_powers, frame_samples, sounding_frames
from roomtone.core.audio.convolution import ImpulseResponse, convolve
from roomtone.core.audio.reading import OpenRecordings, inspect, read_audio
from roomtone.core.audio.recording_files import file_state
from roomtone.core.audio.segment import AudioRef
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: Recordings up to this length are read whole; longer ones in blocks.
_WHOLE_S = 60.0
#: Length of a block. Whole seconds are whole numbers of samples at any rate.
BLOCK_S = 2
#: What is read on either side of a block that is resampled, so that blocks join without a seam.
_MARGIN_S = 1


class Fetcher:
    """Reads recordings by asset id at one rate; short ones are kept whole, long ones are read by offset.

    Args:
        clips: asset id -> its file or segment.
        sample_rate_hz: the rate at which all are read, Hz.
    """

    def __init__(self, clips: Mapping[str, AudioRef], sample_rate_hz: int) -> None:
        self._clips = clips
        self._rate = sample_rate_hz

    def __call__(self, asset_id: str, start: int, frames: int) -> Samples:
        """Return samples of a recording.

        Args:
            asset_id: a key of `clips`.
            start: first sample, at the rate of this fetcher.
            frames: how many; -1 reads to the end.

        Returns:
            float32 [shape=(frames,)], zeros past the end of the recording.

        Raises:
            RoomtoneError: no recording of this id, or it cannot be read.
        """
        clip = self._clip(asset_id)
        seconds = self._seconds(clip)
        if seconds <= _WHOLE_S:
            whole = _kept.get((clip, self._rate, _written(clip)), lambda: read_audio(clip, self._rate))
            return _exactly(whole[start:], frames)
        if frames < 0:
            frames = int(seconds * self._rate) - start
        written = _written(clip)
        return _joined(lambda number: self._block(clip, written, number), start, frames, BLOCK_S * self._rate)

    def reverberant(
        self, asset_id: str, start: int, frames: int, response: ImpulseResponse, direct_sample: int
    ) -> tuple[Samples, np.ndarray]:
        """Return samples of a recording in a room, and which of their frames sound without it.

        Made in blocks too. Before its beginning the recording is mirrored in time.

        Args:
            asset_id: a key of `clips`.
            start: first sample, at the rate of this fetcher.
            frames: how many.
            response: of the room.
            direct_sample: index of its time 0.

        Returns:
            float32 [shape=(frames,)], and bool [shape=(frames of 20 ms,)], see `sounding`.

        Raises:
            RoomtoneError: no recording of this id, or it cannot be read.
        """
        clip, size = self._clip(asset_id), BLOCK_S * self._rate
        key = (clip, self._rate, _written(clip), response.digest)
        reach = response.taps.size - 1

        def dry(number: int) -> Samples:
            begin, end = number * size - reach, (number + 1) * size + direct_sample
            samples = self(asset_id, max(begin, 0), end - max(begin, 0))
            return np.pad(samples, (max(-begin, 0), 0), mode="reflect")

        def wet(number: int) -> Samples:
            return _kept.get((*key, number), lambda: convolve(dry(number), response, reach + direct_sample, size))

        def powers(number: int) -> np.ndarray:
            samples = functools.partial(dry, number)
            return _kept.get(
                (*key, number, "powers"), lambda: frame_powers(samples()[reach : reach + size], self._rate)
            )

        step = frame_samples(self._rate)
        of_frames = _joined(powers, start // step, max(frames // step, 1), size // step)
        return _joined(wet, start, frames, size), sounding_frames(of_frames)

    def _block(self, clip: AudioRef, written: tuple[int, ...], number: int) -> Samples:
        """Return a block of a recording, float32 [shape=(block,)]; zeros past its end."""
        return _kept.get((clip, self._rate, written, number), lambda: self._read_block(clip, number))

    def _read_block(self, clip: AudioRef, number: int) -> Samples:
        file_rate = _file(clip.path)[1]
        margin_s = 0 if file_rate == self._rate else _MARGIN_S
        begin_s = max(number * BLOCK_S - margin_s, 0)
        end_s = (number + 1) * BLOCK_S + margin_s
        offset, length = round(clip.offset_s * file_rate), round(self._seconds(clip) * file_rate)
        left = min(end_s * file_rate, length) - begin_s * file_rate
        size = BLOCK_S * self._rate
        if left <= 0:
            return np.zeros(size, dtype=np.float32)
        to_end = (
            clip.duration_s is None and end_s * file_rate >= length
        )  # where the length is an estimate, decoding tells
        ref = AudioRef(clip.path, offset / file_rate + begin_s, None if to_end else left / file_rate)
        samples = _open_recordings.read(ref, self._rate)
        return _exactly(samples[(number * BLOCK_S - begin_s) * self._rate :], size).copy()

    def _clip(self, asset_id: str) -> AudioRef:
        if asset_id not in self._clips:
            raise RoomtoneError(f"recording {asset_id!r} is not in the recipe")
        return self._clips[asset_id]

    @staticmethod
    def _seconds(clip: AudioRef) -> float:
        return clip.duration_s or _file(clip.path)[0] - clip.offset_s

    def sounding(self, asset_id: str) -> np.ndarray:
        """Return which frames of a recording sound, bool [shape=(frames,)]; see `sounding`.

        Args:
            asset_id: a key of `clips`.

        Raises:
            RoomtoneError: no recording of this id, or it cannot be read.
        """
        key = (self._clip(asset_id), self._rate)
        if key not in _sounding:
            if len(_sounding) >= _SOUNDING_KEPT:
                _sounding.pop(next(iter(_sounding)))
            _sounding[key] = sounding_frames(self._powers(asset_id))
        return _sounding[key]

    def _powers(self, asset_id: str) -> np.ndarray:
        """Return the powers of a recording's frames, read in pieces of whole frames."""
        piece = frame_samples(self._rate) * _PIECE_FRAMES
        powers: list[np.ndarray] = []
        left = int(self._seconds(self._clip(asset_id)) * self._rate)
        for start in range(0, left, piece):
            powers.append(frame_powers(self(asset_id, start, min(piece, left - start)), self._rate))
        return np.concatenate(powers) if powers else np.zeros(0)


_open_recordings = OpenRecordings()
atexit.register(_open_recordings.close)  # a file that is closed later has lost its library, and says so
#: Of so many recordings it is kept where they sound.
_SOUNDING_KEPT = 4096
#: Frames that are read at once to see where a recording sounds: a minute.
_PIECE_FRAMES = 3000
_sounding: dict[tuple[AudioRef, int], np.ndarray] = {}


def _exactly(samples: Samples, frames: int) -> Samples:
    if frames < 0 or samples.size == frames:
        return samples
    if samples.size > frames:
        return samples[:frames]
    return np.concatenate([samples, np.zeros(frames - samples.size, dtype=np.float32)])


def _joined(block: Callable[[int], np.ndarray], start: int, frames: int, size: int) -> np.ndarray:
    """Return values `start` to `start + frames` of blocks that are `size` long [shape=(frames,)]."""
    parts = []
    for number in range(start // size, -(-(start + frames) // size)):
        begin = number * size
        parts.append(block(number)[max(start - begin, 0) : start + frames - begin])
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.float32)


def _written(clip: AudioRef) -> tuple[int, ...]:
    """Return what tells whether a file has changed; nothing where it cannot be found, which reading it says."""
    try:
        return file_state(clip.path)
    except OSError:
        return ()


@functools.lru_cache(maxsize=4096)
def _file(path: str) -> tuple[float, int]:
    """Return a file's length in seconds and its rate in Hz."""
    found = inspect(path)
    return found.duration_s, found.sample_rate_hz


_kept = KeptSamples()
