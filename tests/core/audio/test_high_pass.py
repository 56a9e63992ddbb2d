"""DC and rumble: how much is removed, where the -3 dB are, and that ends, short words and silence stay what they were."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy import signal

from roomtone.core.audio.decoding.high_pass import high_pass
from roomtone.core.audio.reading import OpenRecordings, read_audio
from roomtone.core.audio.segment import AudioRef
from roomtone.core.audio.speech_level import active_speech_level

DIGITS = Path(__file__).parents[4] / "shared" / "real" / "digits"
RATES = [4000, 8000, 16000, 44100, 48000, 384000]


def tone(hertz: float, rate: int, seconds: float = 4.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate + 0.3)).astype(np.float32)


def gain_db(hertz: float, rate: int) -> float:
    """Amplitude and phase by correlation with the tone itself, in the middle, where no end is near."""
    x, y = tone(hertz, rate), high_pass(tone(hertz, rate), rate)
    middle = slice(rate, 3 * rate)
    return float(20 * np.log10(np.dot(x[middle], y[middle]) / np.dot(x[middle], x[middle])))


@pytest.mark.parametrize("rate", RATES)
def test_the_gain_is_the_closed_form_with_no_phase(rate: int) -> None:
    """Two passes of a Butterworth of second order: 1 / (1 + (sqrt(2) - 1) (20 / f)^4), and -3 dB at 20 Hz."""
    for hertz in (10.0, 20.0, 30.0, 50.0, 100.0, 1000.0):
        expected = -20 * np.log10(1 + (np.sqrt(2) - 1) * (20 / hertz) ** 4)
        # the projection on the input sees a gain without its phase only where there is none
        assert gain_db(hertz, rate) == pytest.approx(expected, abs=0.02), hertz
    assert gain_db(20.0, rate) == pytest.approx(-3.01, abs=0.02)
    assert gain_db(60.0, rate) > -0.05  # the voice of a man


@pytest.mark.parametrize("rate", RATES)
def test_a_second_implementation_agrees(rate: int) -> None:
    """scipy's `sosfiltfilt`, which continues the ends in another way: compared where they are forgotten."""
    rng = np.random.default_rng(0)
    samples = (0.1 * rng.standard_normal(rate) + 0.2).astype(np.float32)
    sos = signal.butter(2, 20.0 * (np.sqrt(2) - 1) ** 0.25, "highpass", fs=rate, output="sos")
    expected = signal.sosfiltfilt(sos, samples.astype(np.float64), padtype="even", padlen=rate // 3)
    inside = slice(round(0.3 * rate), round(0.7 * rate))
    np.testing.assert_allclose(high_pass(samples, rate)[inside], expected[inside], atol=5e-8)


@pytest.mark.parametrize("rate", RATES)
def test_a_constant_is_gone_and_silence_stays(rate: int) -> None:
    for level in (0.05, -0.9, 1.0):
        out = high_pass(np.full(rate, level, np.float32), rate)
        assert not out.any()  # and not something that a gain could make audible
    assert not high_pass(np.zeros(rate // 5, np.float32), rate).any()
    assert high_pass(np.zeros(1, np.float32), rate).shape == (1,)


def test_an_offset_changes_nothing_else(voice: np.ndarray) -> None:
    for offset in (0.02, 0.05, -0.3):
        np.testing.assert_allclose(high_pass(voice + np.float32(offset), 16000), high_pass(voice, 16000), atol=3e-8)


def test_an_impulse_is_not_moved() -> None:
    """Zero phase: the response to an impulse is even about it."""
    impulse = np.zeros(16001, np.float32)
    impulse[8000] = 1.0
    out = high_pass(impulse, 16000)
    assert np.argmax(out) == 8000
    np.testing.assert_allclose(out[8000:], out[8000::-1], atol=1e-7)


@pytest.mark.skipif(not DIGITS.is_dir(), reason="needs shared/real")
def test_real_words_of_a_fifth_of_a_second_keep_level_and_ends() -> None:
    """Words trimmed in mid-swing: no step is added at their ends, and their level is that of what is above 20 Hz."""
    with open(DIGITS / "digits.csv", encoding="utf-8") as file:
        names = [row["audio"] for row in csv.DictReader(file)]
    assert len(names) == 60
    for name in names:
        samples, rate = soundfile.read(DIGITS / name, dtype="float32")
        out = high_pass(samples, rate)
        removed = samples - out
        loud = np.sqrt(np.mean(np.square(samples)))
        edge = round(0.01 * rate)
        assert np.abs(removed).max() < 0.25 * loud, name  # nothing that speech is made of
        for end in (slice(0, edge), slice(-edge, None)):
            assert np.abs(np.diff(removed[end])).max() < 0.01 * loud, name  # a slow curve, and no transient
        before, after = (active_speech_level(x, rate).level_dbov for x in (samples, out))
        assert after == pytest.approx(before, abs=0.2), name
        with_offset = high_pass(samples + np.float32(0.05), rate)
        assert active_speech_level(with_offset, rate).level_dbov == pytest.approx(after, abs=0.01), name


@pytest.mark.parametrize("seconds", [0.003, 0.05, 0.2, 0.31, 1.0])
@pytest.mark.parametrize("rate", [4000, 8000, 48000])
def test_short_pieces_of_a_tone_are_not_bent_at_their_ends(seconds: float, rate: int) -> None:
    piece = tone(300.0, rate, seconds)
    offset = np.float32(0.1)
    # a cut tone has a mean of its own, which is below 20 Hz: the offset must vanish, the tone must stay
    np.testing.assert_allclose(high_pass(piece + offset, rate), high_pass(piece, rate), atol=1e-7)
    assert np.abs(high_pass(piece, rate) - (piece - piece.mean())).max() < 0.5 * max(abs(piece.mean()), 0.05)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3"])
def test_a_segment_equals_that_part_of_the_whole_file(tmp_path: Path, name: str, channels: int) -> None:
    """The filter looks around the segment: with rumble and an offset in the file, its ends are those of the whole."""
    rng = np.random.default_rng(1)
    size = 9 * 16000
    sound = (
        0.1 * rng.standard_normal((size, channels))
        + 0.2
        + 0.2 * np.sin(2 * np.pi * 7 * np.arange(size) / 16000)[:, None]
    )
    soundfile.write(tmp_path / name, sound, 16000)
    whole = read_audio(AudioRef(str(tmp_path / name)), 16000)
    reader = OpenRecordings()
    for offset_s, length_s in ((0.0, 1.0), (0.1, 0.5), (5.25, 1.5), (8.7, 0.25)):
        part = whole[round(offset_s * 16000) :][: round(length_s * 16000)]
        ref = AudioRef(str(tmp_path / name), offset_s, length_s)
        for segment in (read_audio(ref, 16000), reader.read(ref, 16000)):
            np.testing.assert_allclose(segment, part, atol=2e-6)


def test_a_long_recording_is_filtered_in_pieces_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    from roomtone.core.audio.decoding import high_pass as module

    rng = np.random.default_rng(2)
    samples = (0.1 * rng.standard_normal(100_000) + 0.3).astype(np.float32)
    whole = high_pass(samples, 8000)
    monkeypatch.setattr(module, "_BLOCK", 7001)
    np.testing.assert_allclose(high_pass(samples, 8000), whole, atol=1e-8)


def test_an_offset_hides_no_channel(tmp_path: Path, voice: np.ndarray) -> None:
    """Equal offsets in two channels that cancel looked like a signal, and opposite offsets in two good ones like cancellation."""
    soundfile.write(tmp_path / "good.wav", np.stack([voice + 0.3, voice - 0.3], axis=1), 16000, subtype="FLOAT")
    np.testing.assert_allclose(
        read_audio(AudioRef(str(tmp_path / "good.wav")), 16000), high_pass(voice, 16000), atol=1e-6
    )
    soundfile.write(tmp_path / "empty.wav", np.stack([voice, 0 * voice + 0.05], axis=1), 16000, subtype="FLOAT")
    np.testing.assert_allclose(
        read_audio(AudioRef(str(tmp_path / "empty.wav")), 16000), high_pass(voice, 16000), atol=1e-6
    )
    soundfile.write(tmp_path / "bad.wav", np.stack([voice + 0.1, 0.1 - voice], axis=1), 16000, subtype="FLOAT")
    with pytest.raises(Exception, match="cancel each other"):
        read_audio(AudioRef(str(tmp_path / "bad.wav")), 16000)
