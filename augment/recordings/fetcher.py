"""Reads the segments of recordings that a recipe names; those used last are kept in memory."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Mapping

import numpy as np

from roomtone.augment.recordings.sounding import frame_powers, frame_samples, sounding_frames
from roomtone.core.audio.reading import OpenRecordings, inspect, read_audio
from roomtone.core.audio.segment import AudioRef
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: Recordings up to this length are read whole and kept; longer ones are read by offset.
_WHOLE_S = 60.0


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
            whole = _read_whole(clip, self._rate)
            return _exactly(whole[start:], frames)
        if frames < 0:
            frames = int(seconds * self._rate) - start
        offset_s = clip.offset_s + start / self._rate
        length_s = min((frames + 1) / self._rate, clip.offset_s + seconds - offset_s)
        return _exactly(_open_recordings.read(AudioRef(clip.path, offset_s, length_s), self._rate), frames)

    def _clip(self, asset_id: str) -> AudioRef:
        if asset_id not in self._clips:
            raise RoomtoneError(f"recording {asset_id!r} is not in the recipe")
        return self._clips[asset_id]

    @staticmethod
    def _seconds(clip: AudioRef) -> float:
        return clip.duration_s or _file_seconds(clip.path) - clip.offset_s

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


@functools.lru_cache(maxsize=4096)
def _file_seconds(path: str) -> float:
    return inspect(path).duration_s


#: Recordings kept in memory, the latest used last, and how many bytes of them.
_KEPT_BYTES = 48_000_000
_kept: OrderedDict[tuple[AudioRef, int], Samples] = OrderedDict()


def _read_whole(clip: AudioRef, sample_rate_hz: int) -> Samples:
    key = (clip, sample_rate_hz)
    if key not in _kept:
        samples = read_audio(clip, sample_rate_hz)
        samples.flags.writeable = False
        _kept[key] = samples
        held = sum(kept.nbytes for kept in _kept.values())
        while held > _KEPT_BYTES and len(_kept) > 1:
            held -= _kept.popitem(last=False)[1].nbytes
    _kept.move_to_end(key)
    return _kept[key]
