"""A measured device, by its impulse response on disk: `op: recorded_device`.

Formats: whatever libsndfile reads, any rate, one channel of it. The strongest tap becomes time 0, and the mean power gain
in the telephone band (300 to 3400 Hz) becomes 0 dB, so that the level of the speech stays what the chain expects. The file's
content is pinned by its hash when the op is drawn: another file under the same name is an error, not another label.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from roomtone.augment.ops.channel.filters import LinearFilter
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.core.audio.resampling import resample
from roomtone.core.bounded.regular_files import read_bytes
from roomtone.core.errors import RoomtoneError

_SUFFIXES = (".wav", ".flac", ".aiff", ".aif", ".w64", ".caf")
_MAGIC = (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"FORM", b"riff", b"caff")
#: Longest response taken as a device's: beyond this it is a room's.
MAX_DURATION_S = 1.0
_MAX_BYTES = 50_000_000
_BAND_HZ = (300.0, 3400.0)


@dataclass(frozen=True)
class RecordedDevice(LinearFilter):
    """The response of a device as somebody measured it.

    Attributes:
        path: an audio file, or a folder of them, of which one is drawn.
        channel: which channel of the file, from 0.
        file: the drawn file's name within a folder; null for a single file.
        sha256: of the file's bytes; drawn.
    """

    op: ClassVar[str] = "recorded_device"
    path: str
    channel: int = 0
    file: str | None = None
    sha256: str | None = None

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        del context
        share = float(rng.random())
        name = self.file
        if name is None and Path(self.path).is_dir():
            names = sorted(entry.name for entry in Path(self.path).iterdir() if entry.suffix.lower() in _SUFFIXES)
            if not names:
                raise RoomtoneError(f"recorded_device: no audio file in {self.path!r}")
            name = names[int(share * len(names))]
        drawn = dataclasses.replace(self, file=name)
        return dataclasses.replace(drawn, sha256=self.sha256 or hashlib.sha256(drawn._bytes()).hexdigest())

    def fir(self, sample_rate_hz: int) -> np.ndarray:
        if self.sha256 is None:
            raise RoomtoneError("recorded_device: the file is not drawn yet")
        return _device_fir(self, sample_rate_hz)

    def _file(self) -> Path:
        return Path(self.path) if self.file is None else Path(self.path) / self.file

    def _bytes(self) -> bytes:
        path = self._file()
        if not path.is_file():
            raise RoomtoneError(f"recorded_device: {str(path)!r} is no file")
        if path.stat().st_size > _MAX_BYTES:
            raise RoomtoneError(f"recorded_device: {str(path)!r} is too large for an impulse response")
        content = read_bytes(path)
        if not content.startswith(_MAGIC):
            raise RoomtoneError(f"recorded_device: {str(path)!r} is no audio file ({', '.join(_SUFFIXES)})")
        return content

    def read(self) -> tuple[np.ndarray, int]:
        """Return the chosen channel, float64 [shape=(samples,)], and its rate; checked against the drawn hash."""
        import soundfile

        path, content = self._file(), self._bytes()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise RoomtoneError(f"recorded_device: {str(path)!r} is not the file that was drawn (its content changed)")
        try:
            with soundfile.SoundFile(io.BytesIO(content)) as file:
                if file.frames > MAX_DURATION_S * file.samplerate:
                    seconds = file.frames / file.samplerate
                    raise RoomtoneError(f"recorded_device: {str(path)!r} lasts {seconds:.1f} s, a device at most 1 s")
                if not 0 <= self.channel < file.channels:
                    raise RoomtoneError(
                        f"recorded_device: {str(path)!r} has {file.channels} channels, not {self.channel}"
                    )
                taps = file.read(frames=file.frames, dtype="float64", always_2d=True)[:, self.channel]
                return taps, file.samplerate
        except soundfile.LibsndfileError as error:
            raise RoomtoneError(f"recorded_device: {str(path)!r} cannot be read: {error}") from error


@functools.lru_cache(maxsize=32)
def _device_fir(device: RecordedDevice, sample_rate_hz: int) -> np.ndarray:
    """Return the response at this rate, its strongest tap in the centre, 0 dB in the telephone band."""
    taps, native_hz = device.read()
    if not np.isfinite(taps).all() or not np.any(taps):
        raise RoomtoneError(f"recorded_device: {str(device._file())!r} is silent or not finite")
    if native_hz != sample_rate_hz:
        # Padded, so that the resampler's ringing around the first tap is kept.
        taps = resample(np.pad(taps, native_hz // 100), native_hz, sample_rate_hz, quality="HQ")
    peak = int(np.argmax(np.abs(taps)))
    reach = max(peak, taps.size - 1 - peak)
    fir = np.pad(taps, (reach - peak, reach - (taps.size - 1 - peak)))
    fir = np.ascontiguousarray(fir / _band_gain(fir, sample_rate_hz))
    fir.flags.writeable = False
    return fir


def _band_gain(fir: np.ndarray, sample_rate_hz: int) -> float:
    size = max(8192, 1 << int(fir.size - 1).bit_length())
    hz = np.fft.rfftfreq(size, 1.0 / sample_rate_hz)
    power = np.abs(np.fft.rfft(fir, size)) ** 2
    return float(np.sqrt(power[(hz >= _BAND_HZ[0]) & (hz <= _BAND_HZ[1])].mean()))
