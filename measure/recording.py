"""A recording of a place, read within bounds and checked before anything is measured: silence, clipping, resolution, length."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomtone.core.audio.reading import inspect, read_audio
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError

#: Quieter than this, the microphone was off; dB re full scale.
SILENT_DB = -85.0
#: Share of samples at the highest value from which clipping is noted, and refused.
CLIPPED_NOTED, CLIPPED_REFUSED = 1e-4, 0.02


@dataclass(frozen=True)
class PlaceRecording:
    """A stretch of a recording, and what a reader of the measurement must know about it.

    Attributes:
        path: the file.
        samples: float64 [shape=(samples,)], full scale +-1, mean removed.
        sample_rate_hz: their rate.
        offset_s: where in the file the stretch begins.
        file_s: length of the whole file.
        notes: sentences for the user: stretch, clipping, resolution, bandwidth.
    """

    path: Path
    samples: np.ndarray
    sample_rate_hz: int
    offset_s: float
    file_s: float
    notes: tuple[str, ...]

    @property
    def duration_s(self) -> float:
        """Return the length of what was read, in seconds."""
        return self.samples.size / self.sample_rate_hz


def read_recording(
    path: str | Path, *, sample_rate_hz: int, offset_s: float = 0.0, longest_s: float = 120.0, shortest_s: float = 1.0
) -> PlaceRecording:
    """Return a stretch of a recording; memory is bounded by `longest_s`, whatever the length of the file.

    Args:
        path: the file.
        sample_rate_hz: the rate wanted.
        offset_s: where to begin.
        longest_s: at most so much is read.
        shortest_s: at least so much must be there.

    Raises:
        RoomtoneError: unreadable, too short, silent, or clipped in more than 2 % of its samples.
    """
    place = Path(path).expanduser()
    info = inspect(place)
    left = info.duration_s - offset_s
    if left < shortest_s:
        raise RoomtoneError(
            f"{place}: {max(left, 0.0):.2g} s to measure; at least {shortest_s:g} s are needed (offset_s in seconds?)"
        )
    wanted = None if left <= longest_s else longest_s
    # as it is in the file: without its DC and rumble a clipped recording would no longer lie flat at its highest value
    samples = read_audio(AudioRef(str(place), offset_s, wanted), sample_rate_hz, rumble=True).astype(np.float64)
    notes = []
    if wanted is not None:
        notes.append(f"the file lasts {info.duration_s:.0f} s; {longest_s:g} s from {offset_s:g} s on were measured")
    samples = samples - samples.mean()
    level = 10.0 * np.log10(float((samples**2).mean()) + 1e-30)
    if level < SILENT_DB:
        raise RoomtoneError(f"{place}: silent ({level:.0f} dB re full scale); was the microphone on?")
    top = float(np.abs(samples).max())
    clipped = float((np.abs(samples) > 0.985 * top).mean()) if top > 0.5 else 0.0
    if clipped > CLIPPED_REFUSED:
        raise RoomtoneError(f"{place}: {100 * clipped:.1f} % of the samples are clipped; record again at a lower gain")
    if clipped > CLIPPED_NOTED:
        notes.append(f"{100 * clipped:.2f} % of the samples are clipped, so harmonics may be too strong")
    if info.subtype in ("PCM_U8", "PCM_S8", "ULAW", "ALAW"):
        notes.append(f"{info.subtype} has 8 bits: its quantisation noise hides weak sounds")
    if info.sample_rate_hz < sample_rate_hz:
        notes.append(f"recorded at {info.sample_rate_hz} Hz: nothing above {info.sample_rate_hz / 2:g} Hz was measured")
    return PlaceRecording(place, samples, sample_rate_hz, offset_s, info.duration_s, tuple(notes))
