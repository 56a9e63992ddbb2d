"""Files as recorders, phones and archives leave them: lengths that were never written, tags, and formats beyond libsndfile's."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from roomtone.core.audio.decoding.mpeg_frames import count_samples
from roomtone.core.audio.reading import BadAudioError, inspect, read_audio
from roomtone.core.audio.segment import AudioRef

RATE = 16000
COMMON_VOICE = Path(__file__).parents[4] / "shared" / "real" / "mp3" / "common_voice_en_651325.mp3"
Writer = Callable[..., Path]


def bytes_of(samples: np.ndarray, rate: int, **options: Any) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, **options)
    return buffer.getvalue()


def read(path: Path, offset_s: float = 0.0, duration_s: float | None = None, rate: int = RATE) -> np.ndarray:
    """Return the samples as they are in the file: what is below 20 Hz is another test's."""
    return read_audio(AudioRef(str(path), offset_s, duration_s), rate, rumble=True)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


# MPEG audio without a count of its frames


@pytest.mark.skipif(not COMMON_VOICE.is_file(), reason="needs shared/real")
def test_a_whole_clip_of_common_voice_is_read() -> None:
    """Its estimate of 114,246 samples is no count: two decoders give 114,048, and it was rejected as cut."""
    assert soundfile.info(COMMON_VOICE).frames == 114_246
    assert inspect(COMMON_VOICE).frames == 114_048
    np.testing.assert_array_equal(read(COMMON_VOICE, rate=48000), soundfile.read(COMMON_VOICE, dtype="float32")[0])


@pytest.fixture(scope="module")
def without_count() -> tuple[bytes, np.ndarray]:
    """A quiet beginning, then loud noise, at a variable bit rate, its Xing header taken out; and FFmpeg's decoding of it."""
    import av

    rng = np.random.default_rng(0)
    level = np.repeat([1e-4, 0.3, 1e-4], [3 * 44100, 6 * 44100, 2 * 44100])
    content = bytes_of(
        level * rng.standard_normal(level.size), 44100, format="MP3", bitrate_mode="VARIABLE", compression_level=0.5
    )
    second = content.index(content[:2], 4)
    assert b"Xing" in content[:second] or b"Info" in content[:second]
    bare = content[second:]
    decoded = [frame.to_ndarray()[0] for frame in av.open(io.BytesIO(bare)).decode(audio=0)]
    return bare, np.concatenate(decoded)


def test_mpeg_without_a_count_is_decoded_to_the_end(tmp_path: Path, without_count: tuple[bytes, np.ndarray]) -> None:
    """libsndfile's estimate from the first frame's bit rate ends such a file after a third, with no word of it."""
    content, expected = without_count
    path = written(tmp_path / "a.mp3", content)
    assert soundfile.info(path).frames < expected.size / 2
    assert inspect(path).frames == count_samples(content) == expected.size
    np.testing.assert_allclose(read(path, rate=44100), expected, atol=2e-5)  # two decoders, 16 bits of difference
    np.testing.assert_allclose(read(path, 8.0, 1.0, 44100), expected[8 * 44100 : 9 * 44100], atol=2e-5)
    with pytest.raises(BadAudioError, match=r"has no segment from 10 s to 12 s: it lasts 11\.\d+ s"):
        read(path, 10.0, 2.0)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 32000, 44100, 48000])
def test_frames_are_counted_at_every_rate(tmp_path: Path, rate: int) -> None:
    """Each rate has its own frame length; the header's own count is the known answer."""
    content = bytes_of(0.1 * np.random.default_rng(1).standard_normal(3 * rate), rate, format="MP3")
    at = max(content.find(b"Xing"), content.find(b"Info"))
    frames = int.from_bytes(content[at + 8 : at + 12], "big")
    per_frame = 1152 if rate >= 32000 else 576
    # the frame with the header is one more, and decodes to nothing
    assert count_samples(content) in (frames * per_frame, (frames + 1) * per_frame)


def test_a_count_that_is_one_frame_too_many_is_no_cut(tmp_path: Path, voice: np.ndarray) -> None:
    content = bytearray(bytes_of(voice, RATE, format="MP3"))
    at = max(content.find(b"Xing"), content.find(b"Info")) + 8
    whole = read(written(tmp_path / "a.mp3", bytes(content)))
    content[at : at + 4] = (int.from_bytes(content[at : at + 4], "big") + 1).to_bytes(4, "big")
    assert read(written(tmp_path / "b.mp3", bytes(content))).size >= whole.size
    content[at : at + 4] = (int.from_bytes(content[at : at + 4], "big") + 9).to_bytes(4, "big")
    with pytest.raises(BadAudioError, match=r"is cut: \d+ of \d+ declared samples can be decoded"):
        read(written(tmp_path / "c.mp3", bytes(content)))


# WAV whose length was never written


def wav(data_size: int, riff_size: int, samples: np.ndarray, after: bytes = b"", tag: int = 1) -> bytes:
    fmt = struct.pack("<HHIIHH", tag, 1, RATE, 2 * RATE, 2, 16)
    head = b"RIFF" + struct.pack("<I", riff_size) + b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt
    return head + b"data" + struct.pack("<I", data_size) + samples.astype("<i2").tobytes() + after


@pytest.mark.parametrize(
    ("data_size", "riff_size"),
    [
        *[(0, 0), (0, 36), (0, 2036)],
        *[
            (0x7FFFF000, 0x7FFFF024),
            (0x7FFFFFFF, 0x7FFFFFFF),
            (0x7FFFFFFF - 44, 0x7FFFFFFF - 8),
            (0x80000000, 0x80000024),
        ],
        *[(0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF - 36, 0xFFFFFFFF)],
    ],
)
def test_a_wav_that_was_streamed_goes_to_its_end(tmp_path: Path, data_size: int, riff_size: int) -> None:
    samples = np.random.default_rng(2).integers(-9000, 9000, 1000)
    path = written(tmp_path / "a.wav", wav(data_size, riff_size, samples))
    assert inspect(path).frames == 1000
    np.testing.assert_array_equal(read(path), (samples / 32768).astype(np.float32))
    path.write_bytes(path.read_bytes() + b"\1")  # half a sample: the writer was interrupted
    assert read(path).size == 1000


def test_a_size_that_is_no_placeholder_is_believed(tmp_path: Path) -> None:
    samples = np.arange(1000)
    path = written(tmp_path / "cut.wav", wav(3_000_000_000, 3_000_000_036, samples))
    with pytest.raises(BadAudioError, match="is cut: its header states 3000000000 bytes of sound, 2000 are there"):
        read(path)
    empty = written(tmp_path / "empty.wav", wav(0, 56, np.zeros(0), after=b"LIST\x0c\0\0\0INFOISFT\0\0\0\0"))
    with pytest.raises(BadAudioError, match="holds no samples"):
        read(empty)


# tags before the sound


def tag(size: int, *, footer: bool = False) -> bytes:
    """An ID3v2.4 tag of padding; its size counts neither the header nor the footer."""
    length = bytes([0, 0, size >> 7, size & 127])
    head = b"ID3\x04\0" + bytes([0x10 if footer else 0]) + length
    return head + bytes(size) + (b"3DI\x04\0\x10" + length if footer else b"")


@pytest.mark.parametrize("format", ["FLAC", "MP3", "WAV"])
@pytest.mark.parametrize("tags", [tag(300), tag(300, footer=True), tag(300) + tag(77, footer=True), tag(16000)])
def test_tags_before_the_sound_are_passed_over(tmp_path: Path, voice: np.ndarray, format: str, tags: bytes) -> None:
    content = bytes_of(voice, RATE, format=format)
    bare, tagged = written(tmp_path / "bare", content), written(tmp_path / "tagged", tags + content)
    np.testing.assert_array_equal(read(tagged), read(bare))
    np.testing.assert_array_equal(read(tagged, 0.25, 0.5), read(bare, 0.25, 0.5))


# formats that need PyAV


def encoded(path: Path, samples: np.ndarray, rate: int, muxer: str, codec: str, bit_rate: int | None = None) -> Path:
    """Write mono samples with FFmpeg."""
    import av

    with av.open(str(path), "w", format=muxer) as output:
        stream = output.add_stream(codec, rate=rate, layout="mono")
        if bit_rate is not None:
            stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts = rate, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return path


#: ending -> (muxer, codec, rate, bit rate)
OTHER = {
    "m4a": ("ipod", "aac", 48000, 96000),
    "mp4": ("mp4", "aac", 16000, 64000),
    "webm": ("webm", "libopus", 48000, 48000),
    "amr": ("amr", "libopencore_amrnb", 8000, 12200),
    "3gp": ("3gp", "libopencore_amrnb", 8000, 12200),
    "w64": ("w64", "pcm_s16le", 44100, None),
    "aiff": ("aiff", "pcm_s16be", 44100, None),
    "caf": ("caf", "pcm_s16le", 16000, None),
    "au": ("au", "pcm_s16be", 16000, None),
    "aac": ("adts", "aac", 16000, 64000),
}
LOSSLESS = ("w64", "aiff", "caf", "au")


@pytest.fixture(scope="module")
def phrase(voice: np.ndarray) -> np.ndarray:
    """Five seconds: the voice in alternating levels, so that no second is like another."""
    return np.concatenate([gain * voice for gain in (0.9, 0.3, 0.6, 0.1, 0.8)])


class Written(dict[str, Path]):
    """Files by ending; a test of one whose encoder this build of PyAV lacks (AMR, from version 19 on) is skipped."""

    def __missing__(self, ending: str) -> Path:
        pytest.skip(f"this build of PyAV writes no {ending}")


@pytest.fixture(scope="module")
def other(phrase: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    import soxr
    from av.codec import codecs_available

    folder = tmp_path_factory.mktemp("other")
    return Written(
        {
            ending: encoded(folder / f"a.{ending}", soxr.resample(phrase, RATE, rate), rate, muxer, codec, bit_rate)
            for ending, (muxer, codec, rate, bit_rate) in OTHER.items()
            if codec in codecs_available
        }
    )


@pytest.mark.parametrize("ending", OTHER)
def test_other_formats_are_read_at_time_zero(other: dict[str, Path], phrase: np.ndarray, ending: str) -> None:
    samples = read(other[ending])
    assert samples.dtype == np.float32
    assert abs(samples.size - phrase.size) < 0.15 * RATE  # the codec's padding at the end
    short = min(samples.size, phrase.size)
    lag = int(np.argmax(np.correlate(samples[:short], phrase[2000 : short - 2000], mode="valid"))) - 2000
    # ADTS and AMR do not state the delay of their encoder: one frame of AAC, up to 5 ms of AMR
    least, most = {"aac": (1024, 1024), "amr": (-80, 80), "3gp": (-80, 80)}.get(ending, (0, 0))
    assert least <= lag <= most
    if ending in LOSSLESS:
        assert inspect(other[ending]).duration_s == pytest.approx(5.0)
        np.testing.assert_allclose(samples[50:-50], phrase[50:-50], atol=2e-3)  # 16 bits and two resamplings


@pytest.mark.parametrize("ending", OTHER)
def test_a_segment_of_another_format_equals_that_part_of_the_whole(other: dict[str, Path], ending: str) -> None:
    rate = OTHER[ending][2]
    whole, segment = read(other[ending], rate=rate), read(other[ending], 3.25, 1.5, rate)
    # a codec with memory settles within a second of a seek; 1e-3 is 60 dB below full scale
    np.testing.assert_allclose(segment, whole[round(3.25 * rate) : round(4.75 * rate)], atol=1e-3)
    with pytest.raises(BadAudioError, match="has no segment from 4 s to 7 s"):
        read(other[ending], 4.0, 3.0)


NAMES = {"m4a": "M4A", "mp4": "MP4", "webm": "WebM", "amr": "AMR", "3gp": "3GP", "w64": "W64", "aiff": "AIFF"}


@pytest.mark.parametrize("ending", NAMES)
def test_without_the_optional_decoder_the_format_is_named(
    other: dict[str, Path], ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)  # as where the extra is not installed
    with pytest.raises(BadAudioError, match=rf"is .*{NAMES[ending]}.*needs the extra av: pip install '\.\[av\]'"):
        inspect(other[ending])


def test_ima_adpcm_never_reaches_libsndfile(
    tmp_path: Path, write_audio: Writer, voice: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_audio(tmp_path / "a.wav", subtype="IMA_ADPCM")
    assert soundfile.info(path).subtype == "IMA_ADPCM"  # libsndfile would have read it, with a known memory fault
    assert inspect(path).subtype == "adpcm_ima_wav"
    assert np.corrcoef(read(path)[: voice.size], voice)[0, 1] > 0.98
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BadAudioError, match=r"IMA ADPCM \(format tag 17\), which needs the extra av"):
        inspect(path)


@pytest.mark.parametrize("ending", ["m4a", "webm", "3gp", "w64", "aiff", "au"])
def test_half_of_another_format_is_refused(tmp_path: Path, other: dict[str, Path], ending: str) -> None:
    content = other[ending].read_bytes()
    half = written(tmp_path / f"half.{ending}", content[: len(content) // 2])
    with pytest.raises(BadAudioError, match="is cut|cannot be opened|cannot be decoded"):
        read(half)


def test_only_listed_codecs_run(tmp_path: Path, phrase: np.ndarray) -> None:
    path = encoded(tmp_path / "a.mka", phrase, RATE, "matroska", "tta")
    with pytest.raises(BadAudioError, match="is WebM or Matroska with tta, which is not read"):
        inspect(path)


def test_a_playlist_cannot_name_a_second_file(tmp_path: Path, other: dict[str, Path]) -> None:
    """FFmpeg would follow either to any file of the machine."""
    for name, content in {
        "a.m4a": f"#EXTM3U\n#EXTINF:1,\n{other['m4a']}\n",
        "b.m4a": f"ffconcat version 1.0\nfile {other['m4a']}\n",
    }.items():
        with pytest.raises(BadAudioError, match="is not WAV"):
            inspect(written(tmp_path / name, content.encode()))


@pytest.mark.parametrize("ending", OTHER)
def test_a_damaged_file_reads_or_is_refused_and_nothing_else(
    tmp_path: Path, other: dict[str, Path], ending: str
) -> None:
    """Bytes replaced anywhere: another exception, a wrong type or samples that are not finite are a bug."""
    rng = np.random.default_rng(3)
    content = np.frombuffer(other[ending].read_bytes(), np.uint8)
    for _ in range(12):
        broken = content.copy()
        at = np.concatenate([rng.integers(0, broken.size, 20), rng.integers(0, min(broken.size, 600), 3)])
        broken[at] = rng.integers(0, 256, at.size)
        path = written(tmp_path / f"broken.{ending}", broken.tobytes())
        try:
            samples = read(path)
        except BadAudioError:
            continue
        assert samples.dtype == np.float32
        assert samples.ndim == 1
        assert np.isfinite(samples).all()
