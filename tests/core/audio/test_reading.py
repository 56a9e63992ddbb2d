"""The border at which hostile input is stopped: what is read, what is refused and why."""

from __future__ import annotations

import hashlib
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roomtone.core.audio.decoding.high_pass import context_samples, high_pass
from roomtone.core.audio.encoding import encode, pcm_sha256
from roomtone.core.audio.reading import AudioInfo, BadAudioError, Limits, OpenRecordings, inspect, read_audio
from roomtone.core.audio.recording_files import sha256_file
from roomtone.core.audio.resampling import resample
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError

Writer = Callable[..., Path]

FORMATS = [
    ("a.wav", {"subtype": "PCM_16"}),
    ("a.wav", {"subtype": "PCM_24"}),
    ("a.wav", {"subtype": "PCM_U8"}),
    ("a.wav", {"subtype": "FLOAT"}),
    ("a.wav", {"subtype": "DOUBLE"}),
    ("a.wav", {"subtype": "ULAW"}),
    ("a.wav", {"subtype": "ALAW"}),
    ("a.wav", {"format": "WAVEX", "subtype": "PCM_16"}),
    ("a.wav", {"format": "RF64", "subtype": "PCM_16"}),
    ("a.flac", {}),
    ("a.ogg", {"format": "OGG", "subtype": "VORBIS"}),
    ("a.opus", {}),
    ("a.mp3", {}),
]


@pytest.mark.parametrize(("name", "options"), FORMATS, ids=lambda value: str(value))
def test_every_allowed_format_is_read_at_time_zero(tmp_path: Path, write_audio: Writer, voice, name, options) -> None:
    path = write_audio(tmp_path / name, **options)
    samples = read_audio(AudioRef(str(path)), 16000)
    assert samples.dtype == np.float32
    assert samples.shape == voice.shape
    lag = np.argmax(np.correlate(samples[400:-400], voice, mode="full")) - (voice.size - 1) + 400
    assert lag == 0


@pytest.mark.parametrize(("name", "options"), FORMATS, ids=lambda value: str(value))
def test_half_a_file_is_refused(tmp_path: Path, write_audio: Writer, name, options) -> None:
    whole = write_audio(tmp_path / name, **options).read_bytes()
    half = tmp_path / f"half-{name}"
    half.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadAudioError, match="is cut|cannot be decoded"):
        read_audio(AudioRef(str(half)), 16000)


def test_a_cut_mp3_without_a_count_of_bytes_is_found_by_decoding(tmp_path: Path, write_audio: Writer) -> None:
    """libsndfile reads such a file as a shorter one and raises nothing: what it declares must be compared with what comes."""
    content = bytearray(write_audio(tmp_path / "a.mp3").read_bytes())
    at = max(content.find(b"Xing"), content.find(b"Info"))
    assert content[at + 7] & 2
    content[at + 7] &= ~2  # the header then speaks of frames only
    (tmp_path / "half.mp3").write_bytes(content[: len(content) // 2])
    with pytest.raises(BadAudioError, match=r"is cut: \d+ of \d+ declared samples can be decoded"):
        read_audio(AudioRef(str(tmp_path / "half.mp3")), 16000)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "Git LFS pointer"),
        (b"\n<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"/annex/objects/SHA256E-s1--0.wav\n", "git-annex pointer"),
        (b"MATLAB 5.0 MAT-file" + bytes(200), "is not WAV"),
        (b"hello, world " * 100, "is not WAV"),
        (b"RIFF\x24\0\0\0WAVE", "without a data chunk"),
        (b"RIFF\x24\0\0\0AVI LIST", "a RIFF file without sound"),
        (b"ID3\x04\0\0\0\0\0\x10" + bytes(16) + b"MATLAB 5.0 MAT-file", "is not WAV"),
    ],
)
def test_what_is_no_recording_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(BadAudioError, match=reason):
        inspect(path)


def _wav(rate: int = 16000, channels: int = 1, tag: int = 1, bits: int = 16, data: bytes = bytes(3200)) -> bytes:
    block = channels * bits // 8
    fmt = struct.pack("<HHIIHH", tag, channels, rate, min(rate * block, 2**32 - 1), block, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (_wav(data=b""), "holds no samples"),
        (_wav(rate=1), "1 Hz; 4000 to 384000 Hz"),
        (_wav(rate=3999), "3999 Hz"),
        (_wav(rate=384001), "384001 Hz"),
        (_wav(channels=64, data=bytes(64 * 200)), "64 channels; up to 32"),
        (_wav(tag=20), "format tag 20, which is not read"),
        (_wav(bits=0), "cannot be decoded"),
    ],
)
def test_bounds_are_checked_before_decoding(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(BadAudioError, match=reason):
        inspect(path)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(BadAudioError, match="is a pipe, not a regular file"):
        inspect(tmp_path / "pipe.wav")
    with pytest.raises(BadAudioError, match="is a folder"):
        inspect(tmp_path)
    with pytest.raises(BadAudioError, match="is a device"):
        inspect("/dev/zero")
    with pytest.raises(BadAudioError, match="there is no such file"):
        inspect(tmp_path / "none.wav")


def test_an_unfinished_flac_without_its_end_is_refused(tmp_path: Path, write_audio: Writer) -> None:
    content = bytearray(write_audio(tmp_path / "a.flac").read_bytes())
    content[21:26] = bytes([content[21] & 0xF0, 0, 0, 0, 0])  # STREAMINFO: total samples unknown
    (tmp_path / "b.flac").write_bytes(content[:-100])
    with pytest.raises(BadAudioError, match="is cut"):
        read_audio(AudioRef(str(tmp_path / "b.flac")), 16000)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(tmp_path: Path, write_audio: Writer, voice, bad: float) -> None:
    samples = voice.copy()
    samples[77] = bad
    path = write_audio(tmp_path / "a.wav", samples, subtype="FLOAT")
    with pytest.raises(BadAudioError, match="1 samples that are not finite"):
        read_audio(AudioRef(str(path)), 16000)


def test_channels_are_averaged(tmp_path: Path, write_audio: Writer, voice) -> None:
    quarter = 0.25 * voice
    both = write_audio(tmp_path / "a.wav", np.stack([voice, quarter], axis=1), subtype="FLOAT")
    np.testing.assert_allclose(read_audio(AudioRef(str(both)), 16000, rumble=True), 0.625 * voice, atol=1e-7)
    one = write_audio(tmp_path / "b.wav", np.stack([0 * voice, voice], axis=1), subtype="FLOAT")
    np.testing.assert_array_equal(read_audio(AudioRef(str(one)), 16000, rumble=True), voice)
    inverted = write_audio(tmp_path / "c.wav", np.stack([voice, -voice], axis=1))
    with pytest.raises(BadAudioError, match="cancel each other"):
        read_audio(AudioRef(str(inverted)), 16000)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_a_segment_equals_that_stretch_of_the_whole(tmp_path: Path, write_audio: Writer, name: str) -> None:
    noise = 0.1 * np.random.default_rng(5).standard_normal(8 * 16000)
    path = str(write_audio(tmp_path / name, noise))
    whole = read_audio(AudioRef(path), 16000)
    segment = read_audio(AudioRef(path, 5.25, 1.5), 16000)
    # exact but for MP3, whose overlapping frames are summed in another order after a seek
    np.testing.assert_allclose(segment, whole[84000:108000], atol=1e-6)


def test_a_segment_is_read_without_the_rest(tmp_path: Path, write_audio: Writer, monkeypatch) -> None:
    path = write_audio(tmp_path / "long.flac", np.zeros(60 * 16000) + 0.1)
    asked: list[int] = []
    read = soundfile.SoundFile.read

    def counting(self, frames=-1, **options):
        asked.append(frames)
        return read(self, frames, **options)

    monkeypatch.setattr(soundfile.SoundFile, "read", counting)
    assert read_audio(AudioRef(str(path), 30.0, 0.5), 16000).size == 8000
    assert asked == [8000 + 2 * context_samples(16000)]  # and what the high-pass needs on either side
    assert read_audio(AudioRef(str(path), 30.0, 0.5), 16000, rumble=True).size == 8000
    assert asked[1:] == [8000]


def test_segments_outside_of_the_file_are_refused(tmp_path: Path, write_audio: Writer) -> None:
    path = str(write_audio(tmp_path / "a.wav"))
    assert read_audio(AudioRef(path, 0.5, 0.51), 16000).size == 8000  # times of tables are rounded to hundredths
    for offset_s, duration_s in [(0.5, 0.6), (1.0, None), (2.0, 1.0), (-0.1, 0.5)]:
        with pytest.raises(BadAudioError, match="has no segment"):
            read_audio(AudioRef(path, offset_s, duration_s), 16000)


def test_length_is_bounded_before_decoding(tmp_path: Path, write_audio: Writer) -> None:
    path = str(write_audio(tmp_path / "a.wav"))
    with pytest.raises(BadAudioError, match=r"up to 0\.5 s are read"):
        read_audio(AudioRef(path), 16000, limits=Limits(max_read_s=0.5))
    with pytest.raises(BadAudioError, match=r"up to 0\.9 s are read"):
        inspect(path, limits=Limits(max_file_s=0.9))
    assert inspect(path) == AudioInfo("WAV", "PCM_16", 16000, 1, 16000)


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(44100, 16000), (8000, 16000), (16000, 8000), (48000, 16000), (22050, 16000)]
)
def test_resampling_keeps_time_and_level(from_hz: int, to_hz: int) -> None:
    """A Gaussian pulse has a closed form at any rate: the resampled one must equal it sample by sample."""
    centre_s, width_s = 0.4321, 0.001  # its spectrum is 100 dB down at 1 kHz
    pulse = [np.exp(-0.5 * ((np.arange(rate) / rate - centre_s) / width_s) ** 2) for rate in (from_hz, to_hz)]
    out = resample(pulse[0].astype(np.float32), from_hz, to_hz)
    assert out.dtype == np.float32
    assert out.size == to_hz
    np.testing.assert_allclose(out, pulse[1], atol=3e-5)  # soxr VHQ on float32


def test_written_files_read_back_bit_for_bit(tmp_path: Path) -> None:
    pcm = np.random.default_rng(3).integers(-32768, 32768, 5000).astype(np.int16)
    for suffix in ("flac", "wav"):
        (tmp_path / "x").write_bytes(encode(pcm, 16000, suffix))
        back, rate = soundfile.read(tmp_path / "x", dtype="int16")
        assert rate == 16000
        np.testing.assert_array_equal(back, pcm)
        assert pcm_sha256(back) == hashlib.sha256(struct.pack("<5000h", *pcm.tolist())).hexdigest()
    assert sha256_file(tmp_path / "x") == hashlib.sha256((tmp_path / "x").read_bytes()).hexdigest()


def test_only_int16_is_written() -> None:
    with pytest.raises(RoomtoneError, match="float32"):
        encode(np.zeros(5, np.float32), 16000, "flac")


def test_packaged_names_reach_nothing_else() -> None:
    assert inspect("package:demo/american-m1-01.flac").sample_rate_hz == 16000
    for name in (
        "package:demo/../make_demo.py",
        "package:demo//etc/passwd",
        "package:other/a.flac",
        "package:demo/a/b.flac",
    ):
        with pytest.raises(BadAudioError, match="no bundled recording"):
            inspect(name)


def test_errors_cross_process_borders() -> None:
    error = pickle.loads(pickle.dumps(BadAudioError("a.wav", "is cut")))
    assert (error.path, error.reason, str(error)) == ("a.wav", "is cut", "a.wav: is cut")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_file_reads_or_is_refused_and_nothing_else(tmp_path: Path, write_audio: Writer, data) -> None:
    """Headers with bytes flipped, cut off or put in: a wrong length, NaN or another exception is a bug."""
    name = data.draw(st.sampled_from(["a.wav", "a.flac", "f.wav"]))
    path = tmp_path / name
    if not path.exists():
        write_audio(path, **({"subtype": "FLOAT"} if name == "f.wav" else {}))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, 63))
        content[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 40))
    broken = tmp_path / f"broken-{name}"
    broken.write_bytes(bytes(content[: len(content) - cut]))
    try:
        samples = read_audio(AudioRef(str(broken)), 16000, limits=Limits(max_read_s=60.0))
    except BadAudioError:
        return
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert samples.size
    assert np.isfinite(samples).all()


def test_a_recording_that_stays_open_is_read_anew_when_it_has_changed(tmp_path):
    """Stretches come from one open file; replaced on disk, the new one is checked and read."""
    path, reader = tmp_path / "noise.wav", OpenRecordings(most=2)
    first, second = (np.random.default_rng(seed).integers(-3000, 3000, 16000).astype(np.int16) for seed in (1, 2))
    soundfile.write(path, first, 16000, subtype="PCM_16")
    for start in (0.25, 0.5, 0.0, 0.25):
        found = reader.read(AudioRef(str(path), start, 0.25), 16000)
        whole = high_pass(first / np.float32(32768), 16000)
        np.testing.assert_allclose(found, whole[int(start * 16000) :][:4000], atol=1e-7)
    soundfile.write(tmp_path / "new.wav", second, 16000, subtype="PCM_16")
    os.replace(tmp_path / "new.wav", path)
    whole = high_pass(second / np.float32(32768), 16000)
    np.testing.assert_allclose(reader.read(AudioRef(str(path), 0.5, 0.25), 16000), whole[8000:12000], atol=1e-7)
    path.write_bytes(path.read_bytes()[:20000])
    with pytest.raises(BadAudioError, match="is cut"):
        reader.read(AudioRef(str(path), 0.5, 0.25), 16000)
    path.unlink()
    with pytest.raises(BadAudioError, match="no such file"):
        reader.read(AudioRef(str(path), 0.5, 0.25), 16000)
