"""What a phone does to sound before it is coded, by the code that phones run: `op: webrtc` and `op: rnnoise`.

`webrtc` is the audio processing of WebRTC as the package webrtc-noise-gain builds it: a high-pass, noise suppression and automatic gain, in
frames of 10 ms of 16-bit samples at 16 kHz. `rnnoise` is Xiph's RNNoise as pyrnnoise ships it, a recurrent network, in frames of 10 ms at
48 kHz. Every render starts with a fresh state, as a call does: suppression needs about two seconds, gain about five, to settle.
Delays are found once with a probe and taken out.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from roomtone.augment.ops.channel.codec import to_pcm
from roomtone.augment.ops.channel.probe import probed_delay
from roomtone.augment.ops.packages import load_package, missing_package
from roomtone.augment.ops.table import Processor
from roomtone.core.audio.resampling import fit_length, resample, shift
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

_WEBRTC_HZ = 16_000
_RNNOISE_HZ = 48_000
#: Settings of webrtc-noise-gain by WebRTC's names; measured on stationary white noise they lower it by 6, 12, 18 and 21 dB.
_SUPPRESSION = {"off": 0, "low": 1, "moderate": 2, "high": 3, "very_high": 4}
#: WebRTC's high-pass at 16 kHz, as in its source: second order, -3 dB near 60 Hz.
_WEBRTC_HIGH_PASS = ((0.97261, -1.94523, 0.97261), (1.0, -1.94448, 0.94598))

#: RNNoise's high-pass at 48 kHz, as in its source: second order, near 30 Hz.
_RNNOISE_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99599, 0.99600))
_SHARED_LIBRARIES = (".so", ".dylib", ".dll")


@dataclass(frozen=True)
class _Suppressor(Processor):
    """A processor at a rate of its own that works in frames and delays."""

    inner_hz: ClassVar[int]
    #: Numerator and denominator in powers of z^-1, at the inner rate.
    high_pass: ClassVar[tuple[tuple[float, ...], tuple[float, ...]]]

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        return self._at_inner_rate(samples, sample_rate_hz, self._in_time)

    def linear_reference(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """Return the samples in the band of the inner rate and behind the high-pass, float32 [shape=(samples,)]."""
        return self._at_inner_rate(samples, sample_rate_hz, self.linear_part)

    def linear_part(self, samples: np.ndarray) -> np.ndarray:
        """Return samples at the inner rate behind what is linear in the processor: its high-pass."""
        from scipy.signal import lfilter

        return lfilter(*self.high_pass, samples).astype(np.float32)

    def framed(self, samples: np.ndarray) -> np.ndarray:
        """Return what the processor makes of samples at the inner rate, its delay not yet taken out."""
        raise NotImplementedError

    def _in_time(self, samples: np.ndarray) -> np.ndarray:
        # silence brings out what the delayed processor still holds at the end of the file
        heard = self.framed(np.pad(samples, (0, self.inner_hz // 20)))
        return shift(heard, -_delay(self), samples.size)

    def _at_inner_rate(
        self, samples: Samples, sample_rate_hz: int, process: Callable[[np.ndarray], np.ndarray]
    ) -> Samples:
        """Return processed samples; time is kept at the inner rate, where the delay is a whole number of samples."""
        if not samples.size:
            return samples.astype(np.float32)
        inner = resample(samples, sample_rate_hz, self.inner_hz, quality="HQ")
        outer = resample(process(inner).astype(np.float32), self.inner_hz, sample_rate_hz, quality="HQ")
        return fit_length(outer, samples.size)


@functools.lru_cache(maxsize=64)
def _delay(op: _Suppressor) -> int:
    """Return by how many samples at its inner rate a suppressor delays."""
    return probed_delay(
        lambda samples: op.framed(samples)[: samples.size], op.inner_hz, what=f"op {op.op}", reference=op.linear_part
    )


@dataclass(frozen=True)
class Webrtc(_Suppressor):
    """WebRTC's audio processing: high-pass, noise suppression, automatic gain. What lies above 8 kHz is lost.

    Attributes:
        suppression: how strong; on stationary noise 6 dB (`low`), 12, 18 or 21 dB (`very_high`).
        automatic_gain: brings quiet speech up by about 7 dB at once and 12 dB within five seconds, and loud speech down; its
            target is fixed, because the package's own setting changes nothing (measured).
    """

    op: ClassVar[str] = "webrtc"
    inner_hz: ClassVar[int] = _WEBRTC_HZ
    high_pass: ClassVar[tuple[tuple[float, ...], tuple[float, ...]]] = _WEBRTC_HIGH_PASS
    suppression: Literal["off", "low", "moderate", "high", "very_high"] = "moderate"
    automatic_gain: bool = False

    @classmethod
    def packages_for(cls, fields: Mapping[str, Any]) -> tuple[str, ...]:
        return ("webrtc-noise-gain",)

    def framed(self, samples: np.ndarray) -> np.ndarray:
        library = load_package("webrtc_noise_gain", "webrtc-noise-gain", self.op)
        processor = library.AudioProcessor(int(self.automatic_gain), _SUPPRESSION[self.suppression])
        frames = _frames(to_pcm(samples)[0], _WEBRTC_HZ // 100)
        heard = b"".join(processor.Process10ms(frame.tobytes()).audio for frame in frames)
        return np.frombuffer(heard, dtype=np.int16) / np.float32(32768.0)


@dataclass(frozen=True)
class Rnnoise(_Suppressor):
    """RNNoise: a recurrent network that estimates gains in bands of hearing, 22 up to 20 kHz."""

    op: ClassVar[str] = "rnnoise"
    inner_hz: ClassVar[int] = _RNNOISE_HZ
    high_pass: ClassVar[tuple[tuple[float, ...], tuple[float, ...]]] = _RNNOISE_HIGH_PASS

    @classmethod
    def packages_for(cls, fields: Mapping[str, Any]) -> tuple[str, ...]:
        return ("pyrnnoise",)

    def framed(self, samples: np.ndarray) -> np.ndarray:
        library = _rnnoise_library()
        frames = _frames((samples * np.float32(32768.0)).astype(np.float32), library.rnnoise_get_frame_size())
        heard = np.empty_like(frames)
        state = library.rnnoise_create(None)
        try:
            for before, after in zip(frames, heard, strict=True):
                library.rnnoise_process_frame(state, after.ctypes.data, before.ctypes.data)
        finally:
            library.rnnoise_destroy(state)
        return heard.reshape(-1) / np.float32(32768.0)


def _frames(samples: np.ndarray, size: int) -> np.ndarray:
    """Return the samples as whole frames, the last one filled with silence, [shape=(frames, size)]."""
    return np.pad(samples, (0, -samples.size % size)).reshape(-1, size)


@functools.cache
def _rnnoise_library() -> ctypes.CDLL:
    """Return librnnoise as pyrnnoise ships it; the package itself imports FFmpeg and a plotting library and rounds to 16 bits."""
    spec = importlib.util.find_spec("pyrnnoise")
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    files = [path for folder in folders for path in Path(folder).glob("*rnnoise.*") if path.suffix in _SHARED_LIBRARIES]
    if not files:
        raise RoomtoneError(missing_package("rnnoise", "pyrnnoise"))
    library = ctypes.CDLL(str(files[0]))
    library.rnnoise_create.argtypes, library.rnnoise_create.restype = [ctypes.c_void_p], ctypes.c_void_p
    library.rnnoise_destroy.argtypes, library.rnnoise_destroy.restype = [ctypes.c_void_p], None
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p] * 3
    library.rnnoise_process_frame.restype = ctypes.c_float
    return library
