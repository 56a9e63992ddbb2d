"""The interface of a decoder, and what a file declares of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

#: Samples of one channel that are decoded at once.
BLOCK_FRAMES = 1 << 18


@dataclass(frozen=True)
class AudioInfo:
    """What a file declares of itself.

    Attributes:
        format: of the container, e.g. `WAV`.
        subtype: of the samples or the codec, e.g. `PCM_16`.
        sample_rate_hz: in Hz.
        channels: number of channels.
        frames: samples of each channel.
        exact: False where `frames` is an estimate (MPEG audio without a count, streams): only decoding tells.
    """

    format: str
    subtype: str
    sample_rate_hz: int
    channels: int
    frames: int
    exact: bool = True

    @property
    def duration_s(self) -> float:
        """Return the declared length in seconds."""
        return self.frames / self.sample_rate_hz


class Decoder(Protocol):
    """An open recording; `info` is what it declares."""

    info: AudioInfo

    def blocks(self, start: int, frames: int | None) -> Iterator[np.ndarray]:
        """Yield the samples of a segment.

        Args:
            start: first frame.
            frames: how many; None is to the end of the file. Fewer come where the file ends sooner.

        Yields:
            float32 [shape=(frames, channels)], full scale +-1.0.

        Raises:
            BadAudioError: the file does not decode.
        """
        ...

    def close(self) -> None:
        """Close the file."""
        ...
