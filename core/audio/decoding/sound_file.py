"""WAV, FLAC, Ogg and MPEG audio, decoded by libsndfile once `headers.container` has let them pass."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from roomtone.core.audio.decoding.base import BLOCK_FRAMES, AudioInfo
from roomtone.core.audio.decoding.file_view import FileView
from roomtone.core.audio.decoding.quiet import mpg123_is_quiet
from roomtone.core.audio.headers import BadAudioError, Container
from roomtone.core.bounded.regular_files import open_regular

#: What libsndfile may call what `container` let pass.
_FORMATS = {"wav": {"WAV", "WAVEX", "RF64"}, "flac": {"FLAC"}, "ogg": {"OGG"}, "mp3": {"MP3", "MPEG"}}
#: Encoders of MPEG audio disagree on whether the frame with the count is counted: so many samples fewer are no cut.
_MISCOUNTED_FRAMES = 2 * 1152
#: What libsndfile says -> what is meant: of MPEG audio without a frame (the file is there), of damaged frames, of a header that states no rate.
_PLAINLY = {
    "File does not exist": "no sound is found in it",
    "Unspecified internal error": "its frames are damaged",
    "SF_INFO struct incomplete": "its header is damaged (no sample rate, or two chunks of sound)",
}


class SoundFileDecoder:
    """A file that libsndfile has open.

    Args:
        path: the file.
        container: what it is.

    Raises:
        BadAudioError: libsndfile cannot open it, or takes it for something else.
    """

    def __init__(self, path: Path, container: Container) -> None:
        self._path = path
        self._quiet = mpg123_is_quiet if container.name == "mp3" else contextlib.nullcontext
        self._view: FileView | None = None
        self._file = self._opened(container)
        if container.samples is not None and self._file.frames < container.samples:
            # libsndfile stops at its estimate, which is made from the size of the file: a larger one lets it go on
            more = 2 * container.samples / max(self._file.frames, 1)
            self.close()
            self._file = self._opened(container, more)
        frames = self._file.frames if container.samples is None else container.samples
        self.info = AudioInfo(
            self._file.format, self._file.subtype, self._file.samplerate, self._file.channels, frames,
            exact=container.name != "mp3",
        )  # fmt: skip
        self._least_frames = 0
        if container.name == "mp3" and container.samples is None:
            self._least_frames = frames - _MISCOUNTED_FRAMES
        if self.info.format not in _FORMATS[container.name]:
            self.close()
            raise BadAudioError(path, f"opens as {container.name} and decodes as {self.info.format}")

    def _opened(self, container: Container, times: float = 1.0) -> Any:
        import soundfile

        try:
            if not container.start and not container.overlay and times == 1.0:
                with self._quiet():
                    return soundfile.SoundFile(self._path)
            size = int(times * self._path.stat().st_size)
            self._view = FileView(
                open_regular(self._path), start=container.start, overlay=container.overlay,
                claimed_size=size if times > 1.0 else 0,
            )  # fmt: skip
            with self._quiet():
                return soundfile.SoundFile(self._view)
        except (soundfile.SoundFileError, OSError, RuntimeError, ValueError) as error:
            if self._view is not None:
                self._view.close()
            raise BadAudioError(self._path, f"cannot be decoded: {_reason(error)}") from error

    def blocks(self, start: int, frames: int | None) -> Iterator[np.ndarray]:
        """Yield the samples of a segment; see `Decoder`."""
        import soundfile

        file, path = self._file, self._path
        kind = "int16" if file.subtype == "PCM_16" else "float32"  # the same numbers, which numpy scales faster
        left = frames
        try:
            if start != file.tell():
                file.seek(start)
            while left is None or left > 0:
                wanted = BLOCK_FRAMES if left is None else min(left, BLOCK_FRAMES)
                with self._quiet():
                    block = file.read(wanted, dtype=kind, always_2d=True)
                if not block.shape[0]:
                    break
                yield block * np.float32(1.0 / 32768.0) if kind == "int16" else block
                left = None if left is None else left - block.shape[0]
        except (soundfile.SoundFileError, RuntimeError, ValueError, AssertionError) as error:
            raise BadAudioError(path, f"cannot be decoded: {_reason(error)}") from error
        if left != 0 and file.tell() < self._least_frames:
            raise BadAudioError(path, f"is cut: {file.tell()} of {self.info.frames} declared samples can be decoded")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        if self._view is not None:
            self._view.close()


def _reason(error: Exception) -> str:
    text = str(getattr(error, "error_string", error)).splitlines()[0].rstrip(". ") or type(error).__name__
    return next((plain for said, plain in _PLAINLY.items() if said in text), text)
