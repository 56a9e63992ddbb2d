"""G.711 in packets: its laws against another path through libsndfile, and Appendix I by what the standard promises."""

from __future__ import annotations

import numpy as np
import pytest
import soxr

from roomtone.augment.condition import Condition
from roomtone.augment.ops.channel.codec import Codec
from roomtone.augment.ops.channel.streams.coded_stream import CodedStream
from roomtone.augment.ops.channel.streams.g711 import Concealment, pitch_period
from roomtone.augment.ops.draw_context import DrawContext

DELAY = 30  # a quarter of the longest pitch period


def vowel(period: int, samples: int) -> np.ndarray:
    """A sum of ten harmonics, 16 bits [shape=(samples,)]."""
    n = np.arange(samples)
    waves = [np.cos(2 * np.pi * k * n / period + k * k) / k for k in range(1, 11)]
    return np.round(6000 * np.sum(waves, axis=0)).astype(np.int16)


def received(pcm: np.ndarray, lost: set[int]) -> np.ndarray:
    """What the receiver gives back, its delay taken out [shape=(samples - 30,)]."""
    receiver = Concealment()
    frames = [receiver.lost() if i in lost else receiver.good(frame) for i, frame in enumerate(pcm.reshape(-1, 80))]
    return np.concatenate(frames)[DELAY:]


def test_without_loss_it_only_delays() -> None:
    pcm = np.random.default_rng(0).integers(-32768, 32767, 8000).astype(np.int16)
    np.testing.assert_array_equal(received(pcm, set()), pcm[:-DELAY])


@pytest.mark.parametrize("period", [40, 57, 80, 119])
def test_a_lost_frame_of_a_steady_vowel_is_continued_as_if_it_had_arrived(period: int) -> None:
    pcm = vowel(period, 8000)
    assert pitch_period(pcm.astype(float)) % period == 0  # or a multiple of the pitch, which continues it as well
    heard = received(pcm, {50})
    assert np.abs(heard - pcm[:-DELAY]).max() <= 3  # it truncates to whole numbers two or three times


def test_a_long_gap_fades_by_a_fifth_each_10_ms_from_10_ms_on_and_is_silent_from_60_ms_on() -> None:
    pcm = vowel(80, 8000)
    heard = received(pcm, set(range(50, 60)))
    levels = [
        np.sqrt(np.mean(heard[k * 80 : (k + 1) * 80] ** 2) / np.mean(pcm[:80].astype(float) ** 2))
        for k in range(50, 60)
    ]
    np.testing.assert_allclose(levels, [1.0, 0.9, 0.7, 0.5, 0.3, 0.1, 0, 0, 0, 0], atol=0.02)
    np.testing.assert_array_equal(heard[61 * 80 :], pcm[61 * 80 : -DELAY])  # one frame of overlap, and all is as it was


@pytest.mark.parametrize("law", ["g711_mulaw", "g711_alaw"])
def test_the_stream_without_loss_is_the_plain_codec(law: str, speech: np.ndarray) -> None:
    context = DrawContext(speech.size, 8000)
    stream, plain = (op.draw(np.random.default_rng(0), context) for op in (CodedStream(law), Codec(law)))  # type: ignore[arg-type]
    assert stream.delay_samples() == DELAY
    heard, report = stream.apply_measured(speech, 8000)
    np.testing.assert_array_equal(heard, plain.apply(speech, 8000))
    assert report["codec_kbit_s"] == pytest.approx(64.0, rel=0.01)
    assert report["frames_lost"] == report["frames_affected"] == 0


def test_lost_packets_sound_as_what_was_lost(speech: np.ndarray) -> None:
    """The magnitude spectra of the lost frames, not their phases, are within -3 dB; silence has 0 dB. The overlap affects the next frame."""
    speech = soxr.resample(speech, 16000, 8000)
    lost = tuple(range(5, speech.size // 160 - 5, 10))
    op = CodedStream("g711_mulaw", loss=0.1, lost_frames=lost).draw(
        np.random.default_rng(0), DrawContext(speech.size, 8000)
    )
    heard, report = op.apply_measured(speech, 8000)
    whole = CodedStream("g711_mulaw", lost_frames=()).apply(speech, 8000)
    made, true = (
        np.stack([np.abs(np.fft.rfft(signal[f * 160 : (f + 1) * 160] * np.hanning(160))) for f in lost])
        for signal in (heard, whole)
    )
    assert np.sum((made - true) ** 2) < 10**-0.3 * np.sum(true**2)
    assert report["frames_lost"] == len(lost)
    assert len(lost) < report["frames_affected"] <= 3 * len(lost)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_the_preset_holds_its_labels(rate: int, speech: np.ndarray) -> None:
    made = Condition(handset="voip_g711_loss", noise="pink@5dB").render(soxr.resample(speech, 16000, rate), rate, key=1)
    assert made.measured["measured_codec"] == "g711_alaw"
    assert made.measured["delay_samples"] == 0
    assert made.measured["measured_snr_db"] == pytest.approx(5, abs=0.1)
    assert made.measured["active_level_dbov"] == pytest.approx(-26, abs=0.1)
