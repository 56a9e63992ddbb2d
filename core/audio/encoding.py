"""One recording as the bytes of a FLAC, WAV or Opus file, and back: every file of a set is written by `encode`."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np

from roomtone.core.errors import RoomtoneError

#: Of a lossy container's quality, 0 best to 1 smallest (libsndfile): about 135 kbit/s at 16 kHz [measured].
_OPUS_COMPRESSION = 0.5


def encode(pcm: np.ndarray, sample_rate_hz: int, suffix: str) -> bytes:
    """Return one recording as the bytes of a file.

    Args:
        pcm: int16 [shape=(samples,)].
        sample_rate_hz: in Hz.
        suffix: `flac`, `wav` or `opus` (in Ogg).

    Raises:
        RoomtoneError: samples of another type or shape.
    """
    import soundfile

    if pcm.dtype != np.int16 or pcm.ndim != 1 or not pcm.size:
        raise RoomtoneError(f"expected int16 samples [shape=(samples,)], got {pcm.dtype} {pcm.shape}")
    if suffix == "opus":
        options: dict[str, Any] = {"format": "OGG", "subtype": "OPUS", "compression_level": _OPUS_COMPRESSION}
    else:
        options = {"format": suffix.upper(), "subtype": "PCM_16"}
    buffer = io.BytesIO()  # and then one write: the encoder's own many small ones cost half as much again
    soundfile.write(buffer, pcm, sample_rate_hz, **options)
    return buffer.getvalue()


def decode(data: bytes) -> tuple[np.ndarray, int]:
    """Return int16 samples [shape=(samples,)] and the rate in Hz of a recording whose file is `data`.

    Raises:
        RoomtoneError: it does not decode.
    """
    import soundfile

    try:
        pcm, rate = soundfile.read(io.BytesIO(data), dtype="int16")
    except (soundfile.SoundFileError, OSError, RuntimeError, ValueError) as error:
        raise RoomtoneError(f"does not decode: {str(error).splitlines()[0]}") from error
    return pcm, int(rate)


def coded(pcm: np.ndarray, sample_rate_hz: int, suffix: str) -> tuple[np.ndarray, bytes | None]:
    """Return the samples that a reader of a lossy file decodes, and the file; for lossless suffixes the samples themselves and None.

    Args:
        pcm: int16 [shape=(samples,)].
        sample_rate_hz: in Hz.
        suffix: as `encode`.

    Raises:
        RoomtoneError: the coder changed the length.
    """
    if suffix != "opus":
        return pcm, None
    data = encode(pcm, sample_rate_hz, suffix)
    decoded, _ = decode(data)
    if decoded.shape != pcm.shape:
        raise RoomtoneError(f"Opus gave {decoded.shape} samples for {pcm.shape}")
    return decoded, data


def pcm_sha256(samples: np.ndarray) -> str:
    """Return the SHA-256, in hex, of int16 samples as little-endian bytes: the sound alone, neither header nor rate."""
    if samples.dtype != np.int16:
        raise RoomtoneError(f"pcm_sha256: expected int16 samples, got {samples.dtype}")
    return hashlib.sha256(np.ascontiguousarray(samples, dtype="<i2").data).hexdigest()
