"""A codec's round trip, in memory, through libsndfile: `op: codec`.

The signal is resampled to the codec's rate, clipped to 16 bits (libsndfile wraps floats above 1.0 in most speech codecs),
encoded, decoded and resampled back. Length is kept. The delay is a property of the codec, found once with a probe signal, and
compensated to the sample. What was really used is read back from the encoded stream's own header; anything else than what was asked is an error.
"""

from __future__ import annotations

import dataclasses
import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np

from roomtone.augment.ops.channel.probe import probed_delay
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Drawn, Processor, number, pin_ranges
from roomtone.core.audio.resampling import fit_length, resample, shift
from roomtone.core.audio.types import Samples
from roomtone.core.errors import RoomtoneError

__all__ = ["CODECS", "Codec", "CodecName", "CodecSpec", "to_pcm"]

CodecName = Literal[
    "g711_mulaw",
    "g711_alaw",
    "gsm_fr",
    "g726_24",
    "g726_32",
    "g726_40",
    "ima_adpcm",
    "ms_adpcm",
    "vox",
    "opus",
    "vorbis",
    "mp3",
]


@dataclass(frozen=True)
class CodecSpec:
    """How libsndfile is asked for a codec.

    Attributes:
        container, subtype: libsndfile's names, which are also what the header must say afterwards.
        rates_hz: the rates at which the codec is defined; empty where any will do.
        bits_per_sample: of a codec of constant rate; None where the stream has to be counted.
        has_level: whether `compression_level` means something.
        memoryless: codes each sample by itself, so that it cannot delay.
        headroom: the signal is divided by this in front of the encoder and multiplied after the decoder. libsndfile's
            G.726 decoder does not saturate: near full scale its output wraps (a square wave comes back as noise).
    """

    container: str
    subtype: str
    rates_hz: tuple[int, ...] = ()
    bits_per_sample: float | None = None
    has_level: bool = False
    memoryless: bool = False
    headroom: float = 1.0


_TELEPHONE = (8000,)
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)

#: libsndfile takes GSM, G.711 and G.726 at any rate; they are defined at 8 kHz only, so only that is allowed.
CODECS: dict[str, CodecSpec] = {
    "g711_mulaw": CodecSpec("WAV", "ULAW", _TELEPHONE, 8.0, memoryless=True),
    "g711_alaw": CodecSpec("WAV", "ALAW", _TELEPHONE, 8.0, memoryless=True),
    "gsm_fr": CodecSpec("WAV", "GSM610", _TELEPHONE, 1.625),
    "g726_24": CodecSpec("AU", "G723_24", _TELEPHONE, 3.0, headroom=2.0),  # libsndfile's "G723" is ADPCM, not G.723.1
    "g726_32": CodecSpec("AU", "G721_32", _TELEPHONE, 4.0, headroom=2.0),
    "g726_40": CodecSpec("AU", "G723_40", _TELEPHONE, 5.0, headroom=2.0),
    "ima_adpcm": CodecSpec("WAV", "IMA_ADPCM"),
    "ms_adpcm": CodecSpec("WAV", "MS_ADPCM"),
    "vox": CodecSpec("RAW", "VOX_ADPCM", (6000, 8000), 4.0),
    "opus": CodecSpec("OGG", "OPUS", (8000, 12000, 16000, 24000, 48000), has_level=True),
    "vorbis": CodecSpec("OGG", "VORBIS", has_level=True),
    "mp3": CodecSpec("MP3", "MPEG_LAYER_III", _MP3_RATES, has_level=True),
}
assert set(CODECS) == set(get_args(CodecName))


@dataclass(frozen=True)
class Codec(Processor):
    """One encode-and-decode round trip.

    Attributes:
        codec: which one.
        rate_hz: sampling rate inside the codec; null means the one it is defined at, or the lowest that holds the
            file's band. The drawn op always has a number here.
        compression_level: 0 (best) to 1 (smallest) for Opus, Vorbis and MP3; the bit rate that results depends on the
            speech and is reported, not promised. Null is the encoder's default.
    """

    op: ClassVar[str] = "codec"
    codec: CodecName
    rate_hz: int | None = None
    compression_level: Drawn | None = None

    def __post_init__(self) -> None:
        spec = CODECS[self.codec]
        if self.rate_hz is not None and spec.rates_hz and self.rate_hz not in spec.rates_hz:
            raise RoomtoneError(f"codec {self.codec}: rate_hz {self.rate_hz} is not one of {list(spec.rates_hz)}")
        if self.rate_hz is not None and self.rate_hz < 1000:
            raise RoomtoneError(f"codec {self.codec}: rate_hz {self.rate_hz} is too low (in kHz?)")
        if self.compression_level is None:
            return
        if not spec.has_level:
            raise RoomtoneError(f"codec {self.codec}: has one bit rate; compression_level is not allowed")
        highest = 0.99 if self.codec == "mp3" else 1.0  # libsndfile cannot write MP3 at 1.0
        if not 0.0 <= np.min(self.compression_level) <= np.max(self.compression_level) <= highest:
            raise RoomtoneError(
                f"codec {self.codec}: compression_level must lie in 0..{highest}, got {self.compression_level}"
            )

    def draw(self, rng: np.random.Generator, context: DrawContext) -> Self:
        pinned = pin_ranges(self, rng)
        level = pinned.compression_level
        # Two decimals are finer than is audible, and readable in the recipe.
        level = round(float(level), 2) if isinstance(level, float) else level
        return dataclasses.replace(pinned, rate_hz=self._rate_for(context.sample_rate_hz), compression_level=level)

    def _rate_for(self, sample_rate_hz: int) -> int:
        if self.rate_hz is not None:
            return self.rate_hz
        rates = CODECS[self.codec].rates_hz
        return next((rate for rate in rates if rate >= sample_rate_hz), rates[-1]) if rates else sample_rate_hz

    def asked_codec(self) -> dict[str, Any]:
        return {"codec": self.codec, "codec_rate_hz": self.rate_hz}

    def apply(self, samples: Samples, sample_rate_hz: int) -> Samples:
        return self.apply_measured(samples, sample_rate_hz)[0]

    def apply_measured(self, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
        """Return the decoded samples and what the encoded stream says: codec, rate, kbit/s, and the clipped share.

        Raises:
            RoomtoneError: the stream is not what was asked for, or lost samples.
        """
        out, report = self._transcoded(samples, sample_rate_hz)
        return shift(out, -self.delay_samples(sample_rate_hz), samples.size).astype(np.float32), report

    def delay_samples(self, sample_rate_hz: int) -> int:
        """Return by how many samples the codec delays before that is compensated, at `sample_rate_hz`."""
        if CODECS[self.codec].memoryless:
            return 0
        return _codec_delay(self, sample_rate_hz)

    def _transcoded(self, samples: Samples, sample_rate_hz: int) -> tuple[Samples, dict[str, Any]]:
        """Return the decoded samples, the codec's delay not yet taken out, and what the stream says."""
        rate_hz = self._rate_for(sample_rate_hz)
        level = None if self.compression_level is None else number(self.compression_level)
        pcm, clipped_share = to_pcm(resample(samples, sample_rate_hz, rate_hz, quality="HQ"))
        decoded, report = _round_trip(pcm, self.codec, rate_hz, level)
        out = fit_length(resample(decoded, rate_hz, sample_rate_hz, quality="HQ"), samples.size)
        return out, report | {"clipped_share": clipped_share}

    def linear_reference(self, samples: Samples, sample_rate_hz: int) -> Samples:
        """Return the samples in the band that the codec's rate holds, float32 [shape=(samples,)]."""
        rate_hz = self._rate_for(sample_rate_hz)
        narrow = resample(samples, sample_rate_hz, rate_hz, quality="HQ")
        return fit_length(resample(narrow, rate_hz, sample_rate_hz, quality="HQ"), samples.size).astype(np.float32)


@functools.lru_cache(maxsize=256)
def _codec_delay(codec: Codec, sample_rate_hz: int) -> int:
    """Return the delay of a drawn codec, found with a probe signal."""
    return probed_delay(
        lambda samples: codec._transcoded(samples, sample_rate_hz)[0],
        sample_rate_hz,
        what=f"codec {codec.codec}",
        reference=lambda samples: codec.linear_reference(samples, sample_rate_hz),
    )


def to_pcm(samples: np.ndarray) -> tuple[np.ndarray, float]:
    """Return 16-bit samples and the share that had to be clipped.

    Args:
        samples: float, full scale +-1.0 [shape=(samples,)].
    """
    scaled = np.rint(samples * np.float32(32768.0))
    over = float(np.count_nonzero((scaled > 32767.0) | (scaled < -32768.0)))
    return np.clip(scaled, -32768.0, 32767.0).astype(np.int16), over / max(samples.size, 1)


def _round_trip(
    pcm: np.ndarray, codec: str, rate_hz: int, compression_level: float | None
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the decoded float32 samples, as long as `pcm`, and what the stream's header says was used."""
    if pcm.size == 0:
        return pcm.astype(np.float32), {"codec": codec, "codec_rate_hz": rate_hz, "codec_kbit_s": 0.0}
    headroom = CODECS[codec].headroom
    quieter = pcm if headroom == 1.0 else np.rint(pcm / headroom).astype(np.int16)
    even = np.pad(quieter, (0, pcm.size % 2))  # two samples make a byte of VOX ADPCM; libsndfile drops a last odd one
    stream = _encode(even, codec, rate_hz, compression_level)
    decoded, used, used_rate_hz = _decode(stream, codec, rate_hz)
    if (used, used_rate_hz) != (codec, rate_hz):
        raise RoomtoneError(f"codec: asked {codec} at {rate_hz} Hz, the stream is {used} at {used_rate_hz} Hz")
    if decoded.size < pcm.size:
        raise RoomtoneError(f"codec {codec} at {rate_hz} Hz: {pcm.size} samples went in, {decoded.size} came back")
    kbit_s = _kbit_s(stream, used, used_rate_hz, pcm.size)
    if headroom != 1.0:
        decoded = np.clip(decoded * np.float32(headroom), -1.0, 1.0)
    return decoded[: pcm.size], {"codec": used, "codec_rate_hz": used_rate_hz, "codec_kbit_s": kbit_s}


def _encode(pcm: np.ndarray, codec: str, rate_hz: int, compression_level: float | None) -> bytes:
    import soundfile

    spec = CODECS[codec]
    buffer = io.BytesIO()
    try:
        soundfile.write(
            buffer,
            pcm,
            rate_hz,
            format=spec.container,
            subtype=spec.subtype,
            compression_level=compression_level,
        )
    except soundfile.LibsndfileError as error:
        raise RoomtoneError(f"codec {codec} at {rate_hz} Hz: this libsndfile cannot encode it ({error})") from error
    return buffer.getvalue()


def _decode(stream: bytes, codec: str, rate_hz: int) -> tuple[np.ndarray, str, int]:
    """Return decoded samples, codec and rate; the last two from the header wherever the format has one."""
    import soundfile

    spec = CODECS[codec]
    bare: dict[str, Any] = {}
    if spec.container == "RAW":
        bare = {"format": "RAW", "subtype": spec.subtype, "samplerate": rate_hz, "channels": 1}
    with soundfile.SoundFile(io.BytesIO(stream), **bare) as file:
        found = {(known.container, known.subtype): name for name, known in CODECS.items()}
        used = found.get((file.format, file.subtype), f"{file.format}/{file.subtype}")
        return file.read(frames=file.frames, dtype="float32"), used, file.samplerate


def _kbit_s(stream: bytes, codec: str, rate_hz: int, num_samples: int) -> float:
    """Return the bit rate of the coded speech in kbit/s; of an Ogg stream without its header pages."""
    spec = CODECS[codec]
    if spec.bits_per_sample is not None:
        return spec.bits_per_sample * rate_hz / 1000.0
    size = sum(_ogg_audio_pages(stream)) if spec.container == "OGG" else len(stream)
    return 8.0 * size / 1000.0 / (num_samples / rate_hz)


def _ogg_audio_pages(stream: bytes) -> Iterator[int]:
    """Yield the body sizes of the pages that hold audio; header pages have granule position 0 (RFC 3533, section 6)."""
    at = 0
    while at + 27 <= len(stream):
        granule = int.from_bytes(stream[at + 6 : at + 14], "little")
        segments = stream[at + 26]
        body = sum(stream[at + 27 : at + 27 + segments])
        if granule != 0:
            yield body
        at += 27 + segments + body
