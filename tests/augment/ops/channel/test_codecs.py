"""Codecs through libsndfile: traps disarmed, length and alignment kept, rate and codec read back, not assumed."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import numpy as np
import pytest
import soundfile

from roomtone.augment.ops.channel import codec as codec_module
from roomtone.augment.ops.channel.codec import CODECS, Codec
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Processor, parse_op, to_dict
from roomtone.core.errors import RoomtoneError

Speech = Callable[..., np.ndarray]
Lag = Callable[..., int]
ALL = sorted(CODECS)
WRAPPING = ["g711_mulaw", "g711_alaw", "gsm_fr", "g726_32", "ima_adpcm", "ms_adpcm"]


def drawn(name: str, sample_rate_hz: int, **fields: object) -> Codec:
    op = Codec(name, **fields)  # type: ignore[arg-type]
    return op.draw(np.random.default_rng(0), DrawContext(sample_rate_hz, sample_rate_hz))


def snr_db(reference: np.ndarray, heard: np.ndarray) -> float:
    error = heard.astype(np.float64) - reference
    return float(10 * np.log10((reference.astype(np.float64) ** 2).sum() / (error**2).sum()))


@pytest.mark.parametrize("sample_rate_hz", [8000, 16000, 44100])
@pytest.mark.parametrize("name", ALL)
def test_length_alignment_codec_and_rate_are_kept(
    name: str, sample_rate_hz: int, speech_like: Speech, lag: Lag
) -> None:
    samples = speech_like(sample_rate_hz, 1.5)[:-3]  # an odd length on purpose
    before = samples.copy()
    op = drawn(name, sample_rate_hz)
    heard, report = op.apply_measured(samples, sample_rate_hz)
    np.testing.assert_array_equal(samples, before)
    assert heard.shape == samples.shape
    assert heard.dtype == np.float32
    assert np.isfinite(heard).all()
    assert lag(samples, heard) == 0
    assert {key: report[key] for key in ("codec", "codec_rate_hz")} == op.asked_codec()
    assert report["clipped_share"] == 0.0
    np.testing.assert_array_equal(op.apply(samples, sample_rate_hz), heard)


@pytest.mark.parametrize("size", [0, 1, 2, 159, 160, 161, 1001])
@pytest.mark.parametrize("name", ALL)
def test_any_length_comes_back(name: str, size: int) -> None:
    samples = (0.1 * np.random.default_rng(0).normal(size=size)).astype(np.float32)
    heard = drawn(name, 16000).apply(samples, 16000)
    assert heard.shape == (size,)
    assert np.isfinite(heard).all()


@pytest.mark.parametrize("name", ALL)
def test_silence_stays_nearly_silent(name: str) -> None:
    """A-law idles at 8/32768 and GSM near -66 dBFS; nothing of a padded tail (up to -23 dBFS in GSM's WAV) may appear."""
    heard = drawn(name, 8000).apply(np.zeros(4001, np.float32), 8000)
    assert np.abs(heard).max() < 10 ** (-55 / 20)


@pytest.mark.parametrize("name", WRAPPING)
def test_libsndfile_wraps_floats_above_full_scale_and_the_op_does_not(name: str, speech_like: Speech) -> None:
    """The trap first, as the library has it; then the op, which equals hard clipping in front of the same codec."""
    n = np.arange(8000)
    loud = (1.5 * np.sin(2 * np.pi * 440 * n / 8000)).astype(np.float32)
    clipped = np.clip(loud, -1.0, 1.0)
    spec = CODECS[name]
    buffer = io.BytesIO()
    soundfile.write(buffer, loud, 8000, format=spec.container, subtype=spec.subtype)
    buffer.seek(0)
    with soundfile.SoundFile(buffer) as file:
        trap = file.read(frames=file.frames, dtype="float32")[: loud.size]
    op = drawn(name, 8000, rate_hz=8000)
    heard, report = op.apply_measured(loud, 8000)
    assert np.corrcoef(trap, clipped)[0, 1] < 0.6
    assert np.corrcoef(heard, clipped)[0, 1] > 0.9
    np.testing.assert_array_equal(heard, op.apply(clipped, 8000))
    assert report["clipped_share"] == pytest.approx(np.mean(np.abs(loud) > 1.0), abs=0.01)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        # G.711: near the 38 dB of uniform quantising at 13 bits, whatever the level; the rest: measured on speech-like
        # signals, with room for other speech
        ("g711_mulaw", 33, 40),
        ("g711_alaw", 33, 40),
        ("gsm_fr", 5, 18),
        ("g726_24", 8, 22),
        ("g726_32", 10, 30),
        ("g726_40", 12, 36),
        ("ima_adpcm", 8, 30),
        ("vox", 8, 30),
    ],
)
def test_waveform_snr_is_the_codecs_own(name: str, low: float, high: float, speech_like: Speech) -> None:
    """A codec that does nothing, or that destroys the speech, would fall outside."""
    samples = speech_like(8000, 3.0)
    assert low < snr_db(samples, drawn(name, 8000).apply(samples, 8000)) < high


@pytest.mark.parametrize("name", sorted(set(ALL) - {"opus", "vorbis", "mp3"}))
def test_a_square_wave_at_full_scale_survives(name: str) -> None:
    """libsndfile's G.726 decoder wraps where it should saturate: full-scale clipping came back correlated by 0.03 only."""
    square = np.clip(4 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000), -1, 1).astype(np.float32)
    assert np.corrcoef(square, drawn(name, 8000, rate_hz=8000).apply(square, 8000))[0, 1] > 0.95


def _g711_mulaw(x: np.ndarray) -> np.ndarray:
    """ITU-T G.711 mu-law round trip of 16-bit integers, from the definition: 14 bits, bias 33, eight segments."""
    magnitude = np.minimum(np.abs(x.astype(np.int64)) >> 2, 8158) + 33
    segment = np.floor(np.log2(magnitude)).astype(int) - 5
    step = (magnitude >> (segment + 1)) & 0xF
    decoded = ((2 * step + 33) << segment) - 33
    return np.sign(x) * decoded * 4


def test_mu_law_is_g711_as_the_standard_defines_it(speech_like: Speech) -> None:
    pcm = np.round(speech_like(8000, 1.0) * 32768)
    heard = drawn("g711_mulaw", 8000).apply((pcm / 32768).astype(np.float32), 8000) * 32768
    # below one step of the lowest segment (8 of 32768) the two may round a tie differently
    assert np.abs(heard - _g711_mulaw(pcm)).max() <= 8 + 1e-3 * np.abs(pcm).max()
    assert np.mean(heard == _g711_mulaw(pcm)) > 0.95


@pytest.mark.parametrize("name", ["g711_mulaw", "gsm_fr", "g726_32", "vox"])
def test_a_telephone_codec_passes_nothing_above_4_khz(name: str, speech_like: Speech) -> None:
    samples = np.random.default_rng(0).normal(size=32000).astype(np.float32) * 0.1
    heard = drawn(name, 16000).apply(samples, 16000)
    power = np.abs(np.fft.rfft(heard)) ** 2
    hz = np.fft.rfftfreq(heard.size, 1 / 16000)
    assert 10 * np.log10(power[hz > 4100].sum() / power[hz < 3500].sum()) < -40


@pytest.mark.parametrize(
    ("name", "kbit_s"), [("g711_mulaw", 64.0), ("gsm_fr", 13.0), ("g726_24", 24.0), ("g726_32", 32.0), ("g726_40", 40)]
)
def test_constant_rates_agree_with_the_encoded_size(name: str, kbit_s: float, speech_like: Speech) -> None:
    samples = speech_like(8000, 8.0)
    _, report = drawn(name, 8000).apply_measured(samples, 8000)
    assert report["codec_kbit_s"] == kbit_s
    stream = codec_module._encode(np.round(samples * 32768).astype(np.int16), name, 8000, None)
    assert len(stream) * 8 / 8.0 / 1000 == pytest.approx(kbit_s, rel=0.01)


def test_the_bit_rate_of_opus_is_measured_and_falls_with_the_level(speech_like: Speech) -> None:
    samples = speech_like(16000, 2.0)
    rates = [
        drawn("opus", 16000, compression_level=level).apply_measured(samples, 16000)[1]["codec_kbit_s"]
        for level in (0.5, 0.93, 0.99)
    ]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > 60
    assert 5 < rates[2] < 20


def test_ogg_header_pages_do_not_count(speech_like: Speech) -> None:
    """In half a second the two or three header pages (4 kB with Vorbis) would be most of the stream."""
    samples = speech_like(16000, 0.5)
    _, report = drawn("vorbis", 16000, compression_level=0.9).apply_measured(samples, 16000)
    stream = codec_module._encode(np.round(samples * 32768).astype(np.int16), "vorbis", 16000, 0.9)
    assert report["codec_kbit_s"] < 0.7 * len(stream) * 8 / 0.5 / 1000


@pytest.mark.parametrize(("rate", "inner"), [(8000, 8000), (11025, 12000), (44100, 48000), (48000, 48000)])
def test_the_drawn_op_names_the_rate_that_is_used(rate: int, inner: int, speech_like: Speech) -> None:
    op = drawn("opus", rate)
    assert op.rate_hz == inner
    assert op.apply_measured(speech_like(rate, 0.5), rate)[1]["codec_rate_hz"] == inner


@pytest.mark.parametrize("level", [0.9, 0.95, 1.0])
@pytest.mark.parametrize("rate", [24000, 48000])
def test_opus_is_aligned_whatever_mode_it_chooses(rate: int, level: float, speech_like: Speech, lag: Lag) -> None:
    """Through libsndfile 1.2.2, Opus comes back some samples early or late at 24 and 48 kHz, depending on the signal: within 62 us."""
    samples = speech_like(rate, 2.0)
    assert abs(lag(samples, drawn("opus", rate, compression_level=level).apply(samples, rate))) <= round(rate / 16000)


def test_a_codec_that_delays_is_put_back(monkeypatch: pytest.MonkeyPatch, speech_like: Speech, lag: Lag) -> None:
    """Another libsndfile may leave the encoder's look-ahead in: here 312 samples, as Opus has it at 48 kHz."""
    decode = codec_module._decode

    def late(stream: bytes, codec: str, rate_hz: int) -> tuple[np.ndarray, str, int]:
        samples, used, used_rate_hz = decode(stream, codec, rate_hz)
        return np.pad(samples, (312, 0)), used, used_rate_hz

    monkeypatch.setattr(codec_module, "_decode", late)
    codec_module._codec_delay.cache_clear()  # what an earlier test found is of the codec that does not delay
    samples = speech_like(16000, 1.0)
    try:
        assert lag(samples, drawn("opus", 16000).apply(samples, 16000)) == 0
    finally:
        codec_module._codec_delay.cache_clear()


def test_a_swapped_codec_is_caught(monkeypatch: pytest.MonkeyPatch, speech_like: Speech) -> None:
    """The encoder is made to write A-law where mu-law was asked: the stream's own header gives it away."""
    encode = codec_module._encode
    monkeypatch.setattr(codec_module, "_encode", lambda pcm, _codec, rate, level: encode(pcm, "g711_alaw", rate, level))
    with pytest.raises(RoomtoneError, match="asked g711_mulaw at 8000 Hz, the stream is g711_alaw at 8000 Hz"):
        drawn("g711_mulaw", 8000).apply(speech_like(8000, 0.5), 8000)


def test_a_wrong_rate_is_caught(monkeypatch: pytest.MonkeyPatch, speech_like: Speech) -> None:
    encode = codec_module._encode
    monkeypatch.setattr(codec_module, "_encode", lambda pcm, codec, _rate, level: encode(pcm, codec, 16000, level))
    with pytest.raises(RoomtoneError, match="asked gsm_fr at 8000 Hz, the stream is gsm_fr at 16000 Hz"):
        drawn("gsm_fr", 8000).apply(speech_like(8000, 0.5), 8000)


def test_lost_samples_are_caught(monkeypatch: pytest.MonkeyPatch, speech_like: Speech) -> None:
    decode = codec_module._decode

    def short(stream: bytes, codec: str, rate_hz: int) -> tuple[np.ndarray, str, int]:
        samples, used, used_rate_hz = decode(stream, codec, rate_hz)
        return samples[:-200], used, used_rate_hz

    monkeypatch.setattr(codec_module, "_decode", short)
    with pytest.raises(RoomtoneError, match="came back"):
        drawn("g711_mulaw", 8000).apply(speech_like(8000, 0.5), 8000)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"codec": "g711_ulaw"}, "did you mean 'g711_mulaw'"),
        ({"codec": "gsm_fr", "rate_hz": 16000}, r"rate_hz 16000 is not one of \[8000\]"),
        ({"codec": "opus", "rate_hz": 44100}, "is not one of"),
        ({"codec": "ima_adpcm", "rate_hz": 8}, "in kHz"),
        ({"codec": "g711_alaw", "compression_level": 0.5}, "not allowed"),
        ({"codec": "mp3", "compression_level": 1.0}, "must lie in"),
        ({"codec": "opus", "compression_level": [0.5, 1.5]}, "must lie in"),
    ],
)
def test_what_cannot_be_is_refused_at_load(mapping: dict, message: str) -> None:
    with pytest.raises(RoomtoneError, match=message):
        parse_op({"op": "codec"} | mapping, Processor, where="test")


def test_a_range_of_levels_is_pinned_and_round_trips() -> None:
    op = drawn("opus", 16000, compression_level=(0.9, 0.99))
    assert isinstance(op.compression_level, float)
    assert 0.9 <= op.compression_level <= 0.99
    assert parse_op(to_dict(op), Processor, where="test") == op
    assert dataclasses.replace(op) == op
