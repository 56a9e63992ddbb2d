"""The recordings of a page's samples: a link where a file lies beside the page, a copy where it lies inside a shard.

Links are relative, so that a set can be moved with its page. Nothing outside of the set is linked or read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from roomtone.core.dataset.sample_bytes import sample_bytes
from roomtone.core.errors import RoomtoneError
from roomtone.core.files import is_remote, write_whole
from roomtone.coverage.counting.source import audio_root
from roomtone.coverage.views.matrix_view.pictures import peaks, picture_text
from roomtone.coverage.views.players import is_member

#: A longer recording gets no picture: it would be read for a minute's worth of pixels.
MAX_PICTURE_S = 120.0
_ENDINGS = (".flac", ".wav", ".ogg", ".opus", ".mp3")


@dataclass
class Recordings:
    """Finds, copies and draws recordings for one page.

    Attributes:
        folder: where the page lies.
        base: the folder beside it that copies go into, relative to `folder`, with a slash at its end.
        budget_bytes: what all copies together may take.
        used_bytes: what they take so far.
        left_out: recordings that were not copied because the budget was spent.
    """

    folder: Path
    base: str
    budget_bytes: int
    used_bytes: int = 0
    left_out: int = 0
    _copies: dict[tuple[str, str], tuple[str | None, str]] = field(default_factory=dict)

    def find(self, part: Any, audio: Any) -> tuple[str | None, str]:
        """Return (link, "") of a recording, or (None, why there is none to play).

        Args:
            part: the file that the row came from.
            audio: the row's path, relative to its set.
        """
        if not isinstance(audio, str) or not audio:
            return None, "No audio file is stated."
        if not isinstance(part, str) or not part:
            return None, "The matrix was made from a table in memory, which has no folder with audio."
        if is_remote(part):
            return None, f"The set lies at a URL; copy it to a folder to listen: {audio}"
        key = (audio_root(part), audio)
        if key not in self._copies:
            self._copies[key] = self._copied(*key) if is_member(audio) else self._linked(*key)
        return self._copies[key]

    def drawn(self, link: str | None) -> tuple[str, str] | None:
        """Return waveform and spectrogram of a recording that `find` has linked, or None where it cannot be drawn."""
        from roomtone.core.audio.headers import BadAudioError
        from roomtone.core.audio.reading import inspect, read_audio
        from roomtone.core.audio.segment import AudioRef

        if link is None:
            return None
        path = self._path(link)
        try:
            info = inspect(path)
            if info.duration_s > MAX_PICTURE_S:
                return None
            samples = read_audio(AudioRef(str(path)), info.sample_rate_hz)
        except (BadAudioError, OSError):
            return None  # the browser may still play it, and says so where it cannot
        return peaks(samples), picture_text(samples, info.sample_rate_hz)

    def _path(self, link: str) -> Path:
        # made plain first: the page's own folder may not be there yet, and then no path leads through it
        return Path(os.path.normpath(self.folder / unquote(link)))

    def _linked(self, root: str, audio: str) -> tuple[str | None, str]:
        root = os.path.abspath(root)
        path = os.path.normpath(os.path.join(root, audio))
        if not path.startswith(root.rstrip(os.sep) + os.sep):
            return None, "Its path leaves the set, so it is not linked."
        if not os.path.isfile(path):
            return None, f"The file is missing: {audio}"
        # "./" first: no file name can be taken for a scheme such as javascript:
        relative = os.path.relpath(path, os.path.abspath(self.folder)).replace(os.sep, "/")
        return f"./{quote(relative)}", ""

    def _copied(self, root: str, audio: str) -> tuple[str | None, str]:
        ending = os.path.splitext(audio)[1].lower()
        if ending not in _ENDINGS:
            return None, f"A browser does not play {ending or 'a file without an ending'}."
        if self.used_bytes >= self.budget_bytes:
            self.left_out += 1
            return None, self.too_much(audio)
        try:
            data = sample_bytes(root, audio)
        except RoomtoneError as error:
            return None, f"It cannot be read: {error}"
        if self.used_bytes + len(data) > self.budget_bytes:
            self.left_out += 1
            return None, self.too_much(audio)
        self.used_bytes += len(data)
        # a number for a name: what a shard calls its members never becomes a path
        name = f"{self.base}audio/{len(self._copies):06d}{ending}"
        write_whole(self.folder / name, data)
        return f"./{quote(name)}", ""

    def too_much(self, audio: str) -> str:
        """Return how to play what the budget left inside its shard."""
        return (
            f"It lies inside a shard ({audio}), and {self.budget_bytes / 1e6:.0f} MB of such recordings are beside the page already."
            " To hear it: CoverageMatrix(…).drill_down(…) in a notebook."
        )
