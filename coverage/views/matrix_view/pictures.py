"""Small pictures of a recording, made when the page is written: a waveform as text, a spectrogram as a grey PNG.

Both are small on purpose (about 1.5 kB together), so that a page can hold those of every sample that it lists. The PNG is
written here: 4 bits a pixel, dark where there is energy, 60 dB deep below the loudest band.
"""

from __future__ import annotations

import base64
import functools
import struct
import zlib

import numpy as np

#: Pixels of the spectrogram; the waveform has as many points.
WIDTH, HEIGHT = 144, 36
#: Signs for the heights 0 to 63 of a waveform, as the script reads them.
PEAK_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_DEPTH_DB = 60.0
_FRAME_S = 0.032
#: Greys that are told apart; fewer make a smaller file.
_GREYS = 8


def peaks(samples: np.ndarray) -> str:
    """Return the waveform's envelope as WIDTH signs, each the largest magnitude of its stretch on a scale of 0 to 63.

    Args:
        samples: float, full scale ±1.0 [shape=(samples,)]; the scale is that of the loudest sample, so that a quiet file shows.
    """
    size = np.abs(samples)
    if not size.size or not size.max() > 0:
        return PEAK_SIGNS[0] * WIDTH
    starts = np.linspace(0, size.size, WIDTH, endpoint=False).astype(int)
    largest = np.maximum.reduceat(size, starts)
    steps = np.minimum(63, np.round(63 * largest / size.max())).astype(int)
    return "".join(PEAK_SIGNS[step] for step in steps)


def spectrogram_png(samples: np.ndarray, sample_rate_hz: int) -> bytes:
    """Return the spectrogram as a PNG of WIDTH x HEIGHT pixels: time across, mel bands upwards to 8 kHz or half the rate.

    Args:
        samples: float, full scale ±1.0 [shape=(samples,)].
        sample_rate_hz: of the samples.
    """
    energy = _band_energy(np.asarray(samples, dtype=np.float32), sample_rate_hz)
    level_db = 10 * np.log10(np.maximum(energy, 1e-12))
    dark = np.clip(1 + (level_db - level_db.max()) / _DEPTH_DB, 0, 1) if energy.max() > 0 else np.zeros_like(energy)
    # band 0 is the lowest and belongs at the bottom; 15 is white
    pixels = (15 - np.round(dark * (_GREYS - 1)) * (15 // (_GREYS - 1))).astype(np.uint8).T[::-1]
    return _png(pixels)


def picture_text(samples: np.ndarray, sample_rate_hz: int) -> str:
    """Return the spectrogram's PNG in base64.

    Args:
        samples: float32 [shape=(samples,)], full scale 1.0.
        sample_rate_hz: their rate, Hz.
    """
    return base64.b64encode(spectrogram_png(samples, sample_rate_hz)).decode()


def _band_energy(samples: np.ndarray, sample_rate_hz: int) -> np.ndarray:
    """Return the energy of each frame in each mel band [shape=(WIDTH, HEIGHT)]."""
    size = 1 << max(6, round(np.log2(_FRAME_S * sample_rate_hz)))
    padded = np.pad(samples, (0, max(0, size - samples.size)))
    starts = np.linspace(0, padded.size - size, WIDTH).astype(int)
    frames = padded[starts[:, None] + np.arange(size)] * np.hanning(size).astype(np.float32)
    power = np.square(np.abs(np.fft.rfft(frames, axis=1)), dtype=np.float32)
    energy: np.ndarray = power @ _mel_weights(size, sample_rate_hz)
    return energy


@functools.lru_cache(maxsize=8)
def _mel_weights(size: int, sample_rate_hz: int) -> np.ndarray:
    """Return triangular bands on the mel scale (O'Shaughnessy 1987), each of mean 1 [shape=(bins, HEIGHT)]."""
    top_hz = min(8000.0, sample_rate_hz / 2)
    mel = 2595 * np.log10(1 + np.fft.rfftfreq(size, 1 / sample_rate_hz) / 700)
    edges = np.linspace(0, 2595 * np.log10(1 + top_hz / 700), HEIGHT + 2)
    # a band narrower than a bin still takes the bin beside it
    width = np.maximum(np.diff(edges)[0], np.diff(mel).max())
    weights = np.maximum(0, 1 - np.abs(mel[:, None] - edges[None, 1:-1]) / width)
    found: np.ndarray = (weights / np.maximum(weights.sum(axis=0, keepdims=True), 1e-9)).astype(np.float32)
    return found


def _png(pixels: np.ndarray) -> bytes:
    """Return greys of 4 bits as a PNG (RFC 2083); the width must be even."""
    height, width = pixels.shape
    packed = (pixels[:, 0::2] << 4) | pixels[:, 1::2]
    lines = np.hstack([np.zeros((height, 1), np.uint8), packed]).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 4, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
