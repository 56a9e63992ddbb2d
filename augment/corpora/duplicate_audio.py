"""Recordings of a corpus that have the same bytes; only files of one size are hashed."""

from __future__ import annotations

from roomtone.augment.corpora.utterance import Utterance
from roomtone.core.audio.recording_files import audio_path, sha256_file

#: What two duplicates share before anything is hashed: size of the file in bytes, offset and length of the segment in seconds.
_Key = tuple[int, float, float | None]


class DuplicateAudio:
    """Remembers the recordings it was shown, and finds those whose bytes it has seen."""

    def __init__(self) -> None:
        self._first: dict[_Key, str] = {}
        self._hashes: dict[_Key, set[str]] = {}

    def seen(self, utterance: Utterance) -> bool:
        """Return whether an earlier utterance is the same segment of the same bytes, and remember this one.

        Raises:
            BadAudioError: the recording is not a regular file.
        """
        audio = utterance.audio
        key = (audio_path(audio.path).stat().st_size, audio.offset_s, audio.duration_s)
        if key not in self._first:
            self._first[key] = audio.path
            return False
        hashes = self._hashes.setdefault(key, {sha256_file(self._first[key])})
        mine = sha256_file(audio.path)
        if mine in hashes:
            return True
        hashes.add(mine)
        return False
