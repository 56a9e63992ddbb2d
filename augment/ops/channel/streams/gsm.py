"""GSM full rate with frames that are lost in front of the decoder, substituted and muted after GSM 06.11: a `StreamLibrary`.

Coder and decoder are libsndfile's (GSM 06.10, frames of 33 bytes). For a lost frame the decoder is given parameters of its own: for the first one
the last good frame again; for each further one the block amplitudes of all four sub-frames are lowered by 4 of 63 and the grid
positions drawn at random; when all are 0, after 16 frames at most, the frame of silence. The decoder's memory so is that of a phone.

Sources: ETSI EN 300 963 (GSM 06.11), the example solution for lost speech frames, as recalled and as three public programs have it;
the order of the bits is that of RFC 3551, section 4.5.8.1.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from roomtone.augment.ops.channel.streams.libraries import StreamSettings

#: Bits of a frame: signature, eight log area ratios, then four sub-frames of lag, gain, grid, amplitude and thirteen pulses.
_SIGNATURE, _RATIOS, _SUB_FRAME = 4, 36, 56
_SUB_FRAMES = [_SIGNATURE + _RATIOS + _SUB_FRAME * index for index in range(4)]
_GRID, _AMPLITUDE = slice(9, 11), slice(11, 17)
_MUTED_BY = 4
#: The frame of silence (GSM 06.11, table 1).
SILENCE = bytes.fromhex("daa7aaa51a502038e46db91b502038e46db91b502038e46db91b502038e46db91b")


class GsmFullRate:
    """GSM 06.10 by libsndfile, with the substitution of GSM 06.11 in front of the decoder."""

    def encode(self, frames: np.ndarray, settings: StreamSettings) -> list[bytes]:
        import soundfile

        buffer = io.BytesIO()
        soundfile.write(buffer, frames.reshape(-1), settings.rate_hz, format="RAW", subtype="GSM610")
        coded, size = buffer.getvalue(), len(SILENCE)
        return [coded[start : start + size] for start in range(0, len(coded), size)]

    def decode(
        self, packets: Sequence[bytes | None], settings: StreamSettings, ahead: Sequence[bool] | None = None
    ) -> np.ndarray:
        import soundfile

        stream = io.BytesIO(b"".join(substituted(packets)))
        bare = {"format": "RAW", "subtype": "GSM610", "samplerate": settings.rate_hz, "channels": 1}
        decoded, _ = soundfile.read(stream, dtype="int16", **bare)
        return np.asarray(decoded)


def substituted(packets: Sequence[bytes | None]) -> list[bytes]:
    """Return the frames that the decoder is given: those that arrived, and for each other one what GSM 06.11 puts in its place.

    Args:
        packets: of 33 bytes; None did not arrive.
    """
    grids = np.random.default_rng(0)  # one sequence for every stream, as a phone's own generator would have
    given: list[bytes] = []
    last, lost = SILENCE, 0
    for packet in packets:
        lost = 0 if packet else lost + 1
        if packet:
            last = packet
        elif lost > 1:
            last = _muted(last, grids)
        given.append(last)
    return given


def _muted(frame: bytes, grids: np.random.Generator) -> bytes:
    """Return a frame with its amplitudes one step lower and other grid positions; without amplitude, that of silence."""
    bits = np.unpackbits(np.frombuffer(frame, dtype=np.uint8))
    amplitudes = []
    for start in _SUB_FRAMES:
        part = bits[start : start + _SUB_FRAME]
        amplitude = max(int("".join(map(str, part[_AMPLITUDE])), 2) - _MUTED_BY, 0)
        part[_AMPLITUDE] = [int(bit) for bit in f"{amplitude:06b}"]
        part[_GRID] = [int(bit) for bit in f"{int(grids.integers(4)):02b}"]
        amplitudes.append(amplitude)
    return np.packbits(bits).tobytes() if any(amplitudes) else SILENCE
