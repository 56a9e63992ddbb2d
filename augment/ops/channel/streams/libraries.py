"""The codecs' own libraries behind one face: frames of 16-bit samples to packets, and packets, some of them lost, to samples.

A packet is bytes; `b""` is a frame that the encoder did not send (discontinuous transmission). At the decoder None is a frame that did
not arrive. Each call makes an encoder or a decoder of its own, so nothing is remembered between renders.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from roomtone.augment.ops.packages import load_package

_OP = "coded_stream"


@dataclass(frozen=True)
class StreamSettings:
    """How a stream is coded.

    Attributes:
        rate_hz: sampling rate inside the codec.
        frame_samples: length of a frame at that rate.
        kbit_s: bit rate.
        fec: whether each packet also holds a coarse copy of the frame before it.
        dtx: whether pauses are not sent.
        expected_loss: share of packets that the encoder is told to expect lost.
    """

    rate_hz: int
    frame_samples: int
    kbit_s: float
    fec: bool = False
    dtx: bool = False
    expected_loss: float = 0.0


class StreamLibrary(Protocol):
    """What a codec's library has to do."""

    def encode(self, frames: np.ndarray, settings: StreamSettings) -> list[bytes]:
        """Return a packet a frame; frames are int16 [shape=(frames, frame_samples)]."""

    def decode(
        self, packets: Sequence[bytes | None], settings: StreamSettings, ahead: Sequence[bool] | None = None
    ) -> np.ndarray:
        """Return the decoded samples, int16 [shape=(packets * frame_samples,)].

        Args:
            packets: None did not arrive.
            settings: of the stream.
            ahead: for each frame whether the next packet is there when it is played; None is always.
        """


class Opus:
    """libopus (RFC 6716) as opuslib-next-bundled ships it: concealment and in-band FEC are the decoder's own."""

    #: libopus: a packet of so few bytes says that nothing has to be sent.
    _NOT_SENT = 2

    def encode(self, frames: np.ndarray, settings: StreamSettings) -> list[bytes]:
        encoder = self._library().Encoder(settings.rate_hz, 1, "voip")
        encoder.complexity = 9  # of 10: WebRTC's choice where the processor is not a phone's
        encoder.bitrate = round(1000.0 * settings.kbit_s)
        encoder.inband_fec = int(settings.fec)
        encoder.packet_loss_perc = round(100.0 * settings.expected_loss)
        encoder.dtx = int(settings.dtx)
        packets = [encoder.encode(frame.tobytes(), settings.frame_samples) for frame in frames]
        return [b"" if len(packet) <= self._NOT_SENT else packet for packet in packets]

    def decode(
        self, packets: Sequence[bytes | None], settings: StreamSettings, ahead: Sequence[bool] | None = None
    ) -> np.ndarray:
        library = self._library()
        decoder, size = library.Decoder(settings.rate_hz, 1), settings.frame_samples
        heard = []
        for index, packet in enumerate(packets):
            in_hand = ahead is None or index >= len(ahead) or ahead[index]
            following = packets[index + 1] if in_hand and index + 1 < len(packets) else None
            if packet:
                heard.append(decoder.decode(packet, size))
            elif packet is None and settings.fec and following:
                heard.append(decoder.decode(following, size, True))
            else:
                heard.append(self._conceal(library, decoder, size))
        return np.frombuffer(b"".join(heard), dtype=np.int16)

    @staticmethod
    def _conceal(library: Any, decoder: Any, size: int) -> bytes:
        """Return the frame that the decoder makes for one that did not arrive: no data, which the package's own method refuses."""
        pcm = (ctypes.c_int16 * size)()
        pointer = ctypes.cast(pcm, ctypes.POINTER(ctypes.c_int16))
        library.api.decoder.libopus_decode(decoder.decoder_state, None, 0, pointer, size, 0)
        return bytes(pcm)

    @staticmethod
    def _library() -> Any:
        return load_package("opuslib_next", "opuslib-next-bundled", _OP)


class Lc3:
    """Google's liblc3 (the codec of Bluetooth LE Audio) as lc3py ships it."""

    def encode(self, frames: np.ndarray, settings: StreamSettings) -> list[bytes]:
        encoder = self._library().Encoder(self._frame_us(settings), settings.rate_hz, 1)
        num_bytes = self._num_bytes(settings)
        return [bytes(encoder.encode(frame.tobytes(), num_bytes, 16)) for frame in frames]

    def decode(
        self, packets: Sequence[bytes | None], settings: StreamSettings, ahead: Sequence[bool] | None = None
    ) -> np.ndarray:
        decoder = self._library().Decoder(self._frame_us(settings), settings.rate_hz, 1)
        lost = b"\xff" * self._num_bytes(settings)  # no valid frame: liblc3 conceals it, as it does one that is missing
        heard = [decoder.decode(packet or lost, 16) for packet in packets]
        return np.frombuffer(b"".join(heard), dtype=np.int16)

    @staticmethod
    def _frame_us(settings: StreamSettings) -> int:
        return round(1e6 * settings.frame_samples / settings.rate_hz)

    @staticmethod
    def _num_bytes(settings: StreamSettings) -> int:
        return round(1000.0 * settings.kbit_s / 8.0 * settings.frame_samples / settings.rate_hz)

    @staticmethod
    def _library() -> Any:
        return load_package("lc3", "lc3py", _OP)


class Pyav:
    """A codec that FFmpeg has, as the package av ships it.

    Args:
        encoder, decoder: FFmpeg's names.
        sample_format: what the encoder takes.
        options: of the encoder.
        lost: a packet that tells the decoder of a lost frame; None where it knows none.
    """

    def __init__(
        self, encoder: str, decoder: str, sample_format: str, options: dict[str, str], lost: bytes | None
    ) -> None:
        self._encoder, self._decoder = encoder, decoder
        self._format, self._options, self._lost = sample_format, options, lost

    def encode(self, frames: np.ndarray, settings: StreamSettings) -> list[bytes]:
        av = load_package("av", "av", _OP)
        context = av.CodecContext.create(self._encoder, "w")
        context.sample_rate, context.layout, context.format = settings.rate_hz, "mono", self._format
        context.time_base = Fraction(1, settings.rate_hz)
        context.bit_rate = round(1000.0 * settings.kbit_s)
        context.options = self._options | ({"dtx": "1"} if settings.dtx else {})
        packets: list[bytes] = []
        for index, frame in enumerate(frames):
            sound = av.AudioFrame.from_ndarray(frame[None, :], format=self._format, layout="mono")
            sound.sample_rate, sound.pts = settings.rate_hz, index * settings.frame_samples
            packets += [bytes(packet) for packet in context.encode(sound)]
        packets += [bytes(packet) for packet in context.encode(None)]
        return [b"" if packet == self._lost else packet for packet in packets[: len(frames)]]

    def decode(
        self, packets: Sequence[bytes | None], settings: StreamSettings, ahead: Sequence[bool] | None = None
    ) -> np.ndarray:
        av = load_package("av", "av", _OP)
        context = av.CodecContext.create(self._decoder, "r")
        context.sample_rate, context.layout = settings.rate_hz, "mono"
        heard = []
        for packet in packets:
            heard += [frame.to_ndarray().reshape(-1) for frame in context.decode(av.Packet(packet or self._lost))]
        return np.concatenate(heard) if heard else np.zeros(0, dtype=np.int16)
