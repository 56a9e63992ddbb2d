"""A coded stream over a network or a radio link that loses frames: `op: coded_stream`.

Frames are erased in front of the decoder, by the same Gilbert-Elliott draw as `packet_loss`. What is heard is what the codec's own
library makes of the gap, and the frames after it suffer too, because the decoder has lost its state. How many do is measured against
the same packets without loss. Length is kept; the delay is found once with a probe and taken out. With `jitter` the packets also come
when the network lets them, and a buffer stretches and shortens time (see `jitter`): then no one delay holds, and a time map says when what was sent is heard.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np

from roomtone.augment.ops.channel.codec import to_pcm
from roomtone.augment.ops.channel.packet_loss import check_loss, draw_lost_frames, frames_affected
from roomtone.augment.ops.channel.probe import probed_delay
from roomtone.augment.ops.channel.streams.g711 import G711
from roomtone.augment.ops.channel.streams.gsm import GsmFullRate
from roomtone.augment.ops.channel.streams.jitter import Jitter, Playout, play_out
from roomtone.augment.ops.channel.streams.libraries import Lc3, Opus, Pyav, StreamLibrary, StreamSettings
from roomtone.augment.ops.channel.streams.time_scaling import least_cut, spliced, time_report
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.settling import Settling
from roomtone.augment.ops.table import Drawn, number, pin_ranges
from roomtone.core.audio.resampling import fit_length, resample, shift
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

#: Numerator and denominator in powers of z^-1.
Filter = tuple[tuple[float, ...], tuple[float, ...]]
StreamCodec = Literal["opus", "lc3", "msbc", "amr_nb", "gsm_fr", "g711_mulaw", "g711_alaw"]


@dataclass(frozen=True)
class StreamSpec:
    """What a codec can do.

    Attributes:
        library: codes and decodes.
        package: brings the library; None where a plain installation has it.
        rates_hz: sampling rates inside the codec; the first is taken where none is asked.
        frame_ms: lengths of a frame, likewise.
        kbit_s: bit rates: every one allowed where `modes`, else the lowest and the highest.
        default_kbit_s: taken where none is asked.
        modes: whether `kbit_s` lists all bit rates.
        conceals: whether its decoder knows what to do for a lost frame.
        has_fec, has_dtx: whether it has in-band FEC and discontinuous transmission.
        high_pass: the filters (numerator, denominator) at a rate that code and decode with it: they advance low frequencies, which is
            no delay.
    """

    library: StreamLibrary
    package: str | None
    rates_hz: tuple[int, ...]
    frame_ms: tuple[float, ...]
    kbit_s: tuple[float, ...]
    default_kbit_s: float
    modes: bool = False
    conceals: bool = True
    has_fec: bool = False
    has_dtx: bool = False
    high_pass: Callable[[int], Sequence[Filter]] = lambda rate_hz: ()


def _opus_high_pass(rate_hz: int) -> Sequence[Filter]:
    """Return libopus's high-pass for speech at its lowest cutoff, 60 Hz, from which it moves little while a pitch is clear."""
    angle = 1.5 * np.pi * 60.0 / rate_hz
    radius = 1.0 - 0.92 * angle
    return [((radius, -2.0 * radius, radius), (1.0, -radius * (2.0 - angle**2), radius**2))]


#: The coder's filter at 80 Hz and the decoder's at 60 Hz (3GPP TS 26.090, clauses 5.1 and 6.2.2).
_AMR_HIGH_PASS: Sequence[Filter] = (
    ((0.92727435, -1.8544941, 0.92727435), (1.0, -1.9059465, 0.9114024)),
    ((0.93980581, -1.8795834, 0.93980581), (1.0, -1.9330735, 0.93589199)),
)
_AMR_NB = (4.75, 5.15, 5.9, 6.7, 7.4, 7.95, 10.2, 12.2)  # 3GPP TS 26.071
STREAMS: dict[str, StreamSpec] = {
    "opus": StreamSpec(
        Opus(),
        "opuslib-next-bundled",
        (16000, 8000, 12000, 24000, 48000),
        (20.0, 10.0, 40.0, 60.0),
        (6.0, 128.0),
        24.0,
        has_fec=True,
        has_dtx=True,
        high_pass=_opus_high_pass,
    ),
    "lc3": StreamSpec(Lc3(), "lc3py", (16000, 8000, 24000, 32000, 48000), (10.0, 7.5), (16.0, 320.0), 32.0),
    # 57 bytes each 7.5 ms: Hands-Free Profile 1.6, section 5.7.4, without the two bytes of the link's own header
    "msbc": StreamSpec(
        Pyav("sbc", "sbc", "s16p", {"msbc": "1"}, None),
        "av",
        (16000,),
        (7.5,),
        (60.8,),
        60.8,
        modes=True,
        conceals=False,
    ),
    # a packet of frame type 15 holds no data (3GPP TS 26.101, table 1a)
    "amr_nb": StreamSpec(
        Pyav("libopencore_amrnb", "libopencore_amrnb", "s16", {}, b"\x7c"),
        "av",
        (8000,),
        (20.0,),
        _AMR_NB,
        12.2,
        modes=True,
        has_dtx=True,
        high_pass=lambda rate_hz: _AMR_HIGH_PASS,
    ),
    # 33 bytes each 20 ms, of which four bits are a signature (RFC 3551, section 4.5.8)
    "gsm_fr": StreamSpec(GsmFullRate(), None, (8000,), (20.0,), (13.2,), 13.2, modes=True),
    **{
        name: StreamSpec(G711(subtype), None, (8000,), (20.0, 10.0, 30.0, 40.0), (64.0,), 64.0, modes=True)
        for name, subtype in (("g711_mulaw", "ULAW"), ("g711_alaw", "ALAW"))
    },
}
assert set(STREAMS) == set(get_args(StreamCodec))
#: Frames of silence behind the file, which bring out what the codec still holds.
_FLUSHED = 3


@dataclass(frozen=True)
class CodedStream(Settling):
    """One stream: coded, partly lost, decoded.

    Attributes:
        codec: `opus`, `lc3` (Bluetooth LE Audio), `msbc` (Bluetooth hands-free, wideband), `amr_nb`, `gsm_fr` with
            the substitution of GSM 06.11, or `g711_mulaw` and `g711_alaw` concealed by G.711 Appendix I.
        rate_hz, frame_ms: sampling rate inside the codec and length of a frame; null is 16 kHz (AMR-NB, GSM and G.711: 8 kHz) and the usual frame.
            The drawn op always has numbers here.
        kbit_s: bit rate; null is the usual one.
        fec: Opus only: each packet also holds a coarse copy of the frame before it, from which a single lost frame is decoded.
        dtx: pauses are not sent; the decoder fills them with comfort noise.
        loss, mean_burst_frames: share of frames lost, and mean length of a run of them, as in `packet_loss`.
        lost_frames: indices of the lost frames; drawn.
        jitter: the network's delays and the buffer behind them; null plays each frame when it was sent.
    """

    op: ClassVar[str] = "coded_stream"
    codec: StreamCodec
    rate_hz: int | None = None
    frame_ms: float | None = None
    kbit_s: Drawn | None = None
    fec: bool = False
    dtx: bool = False
    loss: Drawn = 0.0
    mean_burst_frames: Drawn = 1.0
    lost_frames: tuple[int, ...] | None = None
    jitter: Jitter | None = None

    def __post_init__(self) -> None:
        spec = STREAMS[self.codec]
        for name, value, allowed in (
            ("rate_hz", self.rate_hz, spec.rates_hz),
            ("frame_ms", self.frame_ms, spec.frame_ms),
            ("kbit_s", self.kbit_s, spec.kbit_s if spec.modes else None),
        ):
            if value is not None and allowed is not None and value not in allowed:
                raise RoomtoneError(f"coded_stream {self.codec}: {name} {value} is not one of {sorted(allowed)}")
        if self.kbit_s is not None:
            lowest, highest = min(spec.kbit_s), max(spec.kbit_s)
            if not lowest <= np.min(self.kbit_s) <= np.max(self.kbit_s) <= highest:
                got = f"{self.kbit_s}{'' if np.max(self.kbit_s) < 1000.0 else ' (in bit/s?)'}"
                raise RoomtoneError(f"coded_stream {self.codec}: kbit_s must lie in {lowest:g}..{highest:g}, got {got}")
        if (self.fec and not spec.has_fec) or (self.dtx and not spec.has_dtx):
            raise RoomtoneError(
                f"coded_stream {self.codec}: has no {'fec' if not spec.has_fec and self.fec else 'dtx'}"
            )
        if (np.max(self.loss) > 0.0 or self.jitter is not None) and not spec.conceals:
            raise RoomtoneError(
                f"coded_stream {self.codec}: its decoder conceals no lost frame; loss must be 0 and jitter null (op packet_loss conceals behind it)"
            )
        check_loss(self.op, self.loss, self.mean_burst_frames)

    @classmethod
    def packages_for(cls, fields: Mapping[str, Any]) -> tuple[str, ...]:
        codec = fields.get("codec")
        package = STREAMS[codec].package if codec in STREAMS else None
        return () if package is None else (package,)

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        pinned = pin_ranges(self, rng)
        spec = STREAMS[self.codec]
        frame_ms = self.frame_ms or spec.frame_ms[0]
        frames = -(-1000 * context.num_samples // round(context.sample_rate_hz * frame_ms))
        lost = draw_lost_frames(rng, frames, number(pinned.loss), number(pinned.mean_burst_frames))
        return dataclasses.replace(
            pinned,
            rate_hz=self.rate_hz or spec.rates_hz[0],
            frame_ms=frame_ms,
            kbit_s=spec.default_kbit_s if pinned.kbit_s is None else round(number(pinned.kbit_s), 2),
            lost_frames=lost if self.lost_frames is None else self.lost_frames,
            jitter=None if self.jitter is None else self.jitter.draw(rng, frames, frame_ms),
        )

    def asked_codec(self) -> dict[str, Any]:
        return {"codec": self.codec, "codec_rate_hz": self.rate_hz}

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        return self.apply_measured(samples, sample_rate_hz)[0]

    def apply_measured(self, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
        """Return the decoded samples, and codec, rate, kbit/s sent, the clipped share and what was lost.

        `lost_share` is of all frames; `frames_lost` counts those that were sent and did not arrive, or too late; `frames_affected` those
        that sound otherwise than without loss, see `packet_loss.frames_affected`, before time is stretched. With `jitter` also
        `time_map`, see `core.audio.time_map`, and `time_added_s` and `time_removed_s`.

        Raises:
            RoomtoneError: the lost frames are not drawn yet, or the library gave another number of samples.
        """
        if self.lost_frames is None:
            raise RoomtoneError("coded_stream: the lost frames are not drawn yet")
        rate_hz = self._settings().rate_hz
        pcm, clipped_share = to_pcm(resample(samples, sample_rate_hz, rate_hz, quality="HQ"))
        reserve = 0 if self.jitter is None else self.jitter.reserve_samples
        in_file = _in_file(pcm, samples, reserve)
        heard, report, playout = self._transcoded(pcm, in_file)
        delay = first = self.delay_samples()
        if playout is not None:
            heard = spliced(heard, playout.splices)
            first = self._file_start(heard, playout, in_file)
            report |= time_report(playout.splices, delay, first, (samples.size - reserve) / sample_rate_hz, rate_hz)
        # time is kept at the codec's rate, where its delay is a whole number of samples
        in_time = shift(heard, -first, pcm.size) / np.float32(32768.0)
        out = fit_length(resample(in_time, rate_hz, sample_rate_hz, quality="HQ"), samples.size)
        return out.astype(np.float32), report | {"clipped_share": clipped_share}

    @property
    def settles(self) -> bool:
        """Whether time is stretched by the signal."""
        return self.jitter is not None and self.jitter.splices is None

    def settled(self, samples: Samples, sample_rate_hz: int, reserve_samples: int = 0) -> Self:
        """Return the stream that stretches any signal where it stretches this one."""
        pcm, _ = to_pcm(resample(samples, sample_rate_hz, self._settings().rate_hz, quality="HQ"))
        in_file = _in_file(pcm, samples, reserve_samples)
        heard, _, playout = self._transcoded(pcm, in_file)
        if playout is None or self.jitter is None:
            return self
        jitter = dataclasses.replace(
            self.jitter,
            splices=tuple((splice.at, splice.samples) for splice in playout.splices),
            file_start_samples=self._file_start(spliced(heard, playout.splices), playout, in_file),
            reserve_samples=reserve_samples,
        )
        return dataclasses.replace(self, jitter=jitter)

    def reserve_samples(self, sample_rate_hz: int) -> int:
        """Return how many samples the buffer may remove from a file, so many behind its end are heard in it, at most."""
        return 0 if self.jitter is None else math.ceil(self.jitter.most_removed_ms() * sample_rate_hz / 1000.0)

    def _file_start(self, heard: np.ndarray, playout: Playout, num_samples: int) -> int:
        """Return the sample of what is heard with which the file begins."""
        if self.jitter is not None and self.jitter.file_start_samples is not None:
            return self.jitter.file_start_samples
        delay = self.delay_samples()
        played = num_samples + sum(splice.samples for splice in playout.splices)
        return delay + least_cut(heard[delay : delay + played], num_samples)

    def delay_samples(self) -> int:
        """Return by how many samples at its own rate the codec delays before that is compensated."""
        plain = dataclasses.replace(
            self, lost_frames=(), loss=0.0, mean_burst_frames=1.0, dtx=False, fec=False, jitter=None
        )
        return _stream_delay(dataclasses.replace(plain, kbit_s=STREAMS[self.codec].default_kbit_s))

    def linear_reference(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """Return the samples in the band of the codec's rate and behind its high-pass, float32 [shape=(samples,)]."""
        rate_hz = self._settings().rate_hz
        narrow = self.linear_part(resample(samples, sample_rate_hz, rate_hz, quality="HQ"))
        return fit_length(resample(narrow, rate_hz, sample_rate_hz, quality="HQ"), samples.size).astype(np.float32)

    def linear_part(self, samples: np.ndarray) -> np.ndarray:
        """Return samples at the codec's rate behind its high-pass."""
        from scipy.signal import lfilter

        for numerator, denominator in STREAMS[self.codec].high_pass(self._settings().rate_hz):
            samples = lfilter(numerator, denominator, samples).astype(np.float32)
        return samples

    def _settings(self) -> StreamSettings:
        spec = STREAMS[self.codec]
        rate_hz = self.rate_hz or spec.rates_hz[0]
        frame = round((self.frame_ms or spec.frame_ms[0]) * rate_hz / 1000.0)
        kbit_s = spec.default_kbit_s if self.kbit_s is None else number(self.kbit_s)
        return StreamSettings(rate_hz, frame, kbit_s, self.fec, self.dtx, number(self.loss))

    def _transcoded(self, pcm: np.ndarray, in_file: int) -> tuple[np.ndarray, dict[str, Any], Playout | None]:
        """Return decoded int16 samples at the codec's rate, longer than `pcm` by what the codec delays, the report, and how they are played.

        Of `pcm`, `in_file` samples are the file's, in whose frames losses and delays are; all behind them arrives.
        """
        settings, library = self._settings(), STREAMS[self.codec].library
        size = settings.frame_samples
        count = -(-in_file // size)
        frames = fit_length(pcm, (-(-pcm.size // size) + _FLUSHED) * size).reshape(-1, size)
        packets = library.encode(frames, settings) if count else []
        lost = {frame for frame in self.lost_frames or () if 0 <= frame < count}
        whole = library.decode(packets, settings) if count else pcm
        playout = ahead = None
        if self.jitter is not None and count:
            arrives = [index not in lost for index in range(count)]
            playout = play_out(self.jitter, whole, arrives, list(map(bool, packets[:count])), settings)
            lost |= playout.late
            ahead = playout.ahead
        heard = whole
        if lost:
            arrived = [None if index in lost else packet for index, packet in enumerate(packets)]
            heard = library.decode(arrived, settings, ahead)
        if count and not len(packets) * size == whole.size == heard.size == frames.size:
            raise RoomtoneError(f"coded_stream {self.codec}: {frames.size} samples went in, {heard.size} came back")
        bits = 8.0 * sum(map(len, packets[:count]))
        report = {
            "codec": self.codec,
            "codec_rate_hz": settings.rate_hz,
            "codec_kbit_s": bits / 1000.0 / (max(in_file, 1) / settings.rate_hz),
            "lost_share": len(lost) / max(count, 1),
            "frames_lost": sum(1 for index in lost if packets[index]),
            "frames_affected": frames_affected(whole[: count * size], heard[: count * size], size),
        }
        return heard, report, playout


def _in_file(pcm: np.ndarray, samples: Samples, reserve_samples: int) -> int:
    """Return how many samples at the codec's rate are the file's: all but those of the reserve at its end."""
    return max(pcm.size - round(reserve_samples * pcm.size / max(samples.size, 1)), 0)


@functools.lru_cache(maxsize=64)
def _stream_delay(stream: CodedStream) -> int:
    """Return the delay of a stream without loss at its own rate, found with a probe signal."""
    return probed_delay(
        lambda samples: stream._transcoded(to_pcm(samples)[0], samples.size)[0][: samples.size] / np.float32(32768.0),
        stream._settings().rate_hz,
        what=f"coded_stream {stream.codec}",
        reference=stream.linear_part,
    )
