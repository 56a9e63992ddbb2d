"""Nothing of a recording is lost unseen, and what is whole is read: joined files, streamed ones, cut ones, floats of another scale."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from roomtone.core.audio.decoding import flac_frames
from roomtone.core.audio.decoding.quiet import mpg123_is_quiet
from roomtone.core.audio.headers import container
from roomtone.core.audio.reading import BadAudioError, inspect, read_audio
from roomtone.core.audio.segment import AudioRef

RATE = 16000
NOISE = 0.1 * np.random.default_rng(0).standard_normal(5 * RATE)


def written(path: Path, samples: np.ndarray = NOISE, rate: int = RATE, **kind: str) -> bytes:
    soundfile.write(path, samples, rate, **kind)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "kind", "between"),
    [
        ("a.ogg", {"format": "OGG", "subtype": "VORBIS"}, b""),
        ("a.opus", {"format": "OGG", "subtype": "OPUS"}, b""),
        ("a.mp3", {"format": "MP3"}, b""),
        ("a.mp3", {"format": "MP3"}, b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)),
    ],
)
def test_joined_files_are_refused_and_each_alone_is_read(name: str, kind: dict, between: bytes, tmp_path: Path) -> None:
    one = written(tmp_path / name, **kind)
    assert inspect(tmp_path / name).duration_s == pytest.approx(5, abs=0.1)
    (tmp_path / name).write_bytes(one + between + written(tmp_path / f"b{name}", NOISE[::-1], **kind))
    with pytest.raises(BadAudioError, match="several recordings one after another"):
        inspect(tmp_path / name)


def test_a_cut_caf_is_seen(tmp_path: Path) -> None:
    whole = written(tmp_path / "a.caf", format="CAF", subtype="PCM_16")
    assert container(tmp_path / "a.caf").name == "caf"
    (tmp_path / "a.caf").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(BadAudioError, match="is cut: its header states"):
        container(tmp_path / "a.caf")


@pytest.mark.parametrize("subtype", ["PCM_S8", "PCM_16", "PCM_24"])
@pytest.mark.parametrize("count", [1, 17, 191, 4096, 4097, 80_000, 4096 * 130 + 5, 4096 * 2500 + 7])
def test_a_flac_that_was_streamed_is_read_to_its_end(count: int, subtype: str, tmp_path: Path) -> None:
    """The count in STREAMINFO is 0, as `flac -` and FFmpeg write into a pipe."""
    if count > 10**6 and subtype != "PCM_16":
        return
    samples = np.resize(NOISE, (count, 1 + (subtype == "PCM_24")))
    content = bytearray(written(tmp_path / "a.flac", samples, 44100, subtype=subtype))
    whole = read_audio(AudioRef(str(tmp_path / "a.flac")), RATE) if count < 10**6 else None
    content[21:26] = bytes([content[21] & 0xF0, 0, 0, 0, 0])
    (tmp_path / "a.flac").write_bytes(content)
    assert inspect(tmp_path / "a.flac").frames == count
    if whole is not None:
        np.testing.assert_array_equal(read_audio(AudioRef(str(tmp_path / "a.flac")), RATE), whole)
    (tmp_path / "a.flac").write_bytes(content[:-3])
    with pytest.raises(BadAudioError, match="no whole frame ends it"):
        inspect(tmp_path / "a.flac")


def test_a_flac_of_headers_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these thousands of headers is right, and none begins a frame that ends the file."""
    head = bytes.fromhex("fff8691800")
    head += bytes([flac_frames._crc(head, 8, 0x07)])
    assert flac_frames._end_of_frame(head + bytes(11), 4096) is not None
    whole, real = [], flac_frames._crc
    monkeypatch.setattr(
        flac_frames,
        "_crc",
        lambda content, bits, by: whole.append(bits) or 1 if bits == 16 else real(content, bits, by),
    )
    assert flac_frames.last_sample((head + bytes(11)) * 15_000 + b"\xff\xf8" * 8_000, 4096) is None
    assert 0 < len(whole) < 20


def test_integers_stored_as_floats_are_named(tmp_path: Path) -> None:
    written(tmp_path / "a.wav", NOISE * 32768, subtype="FLOAT")
    with pytest.raises(BadAudioError, match="times full scale: integers stored as float"):
        read_audio(AudioRef(str(tmp_path / "a.wav")), RATE)
    written(tmp_path / "b.wav", NOISE * 20, subtype="FLOAT")  # a loud mix
    assert np.abs(read_audio(AudioRef(str(tmp_path / "b.wav")), RATE)).max() > 5


def test_the_mpeg_decoder_says_nothing_to_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = bytearray(written(tmp_path / "a.mp3", format="MP3"))
    content[len(content) // 2 : len(content) // 2 + 2000] = bytes(2000)
    (tmp_path / "a.mp3").write_bytes(content)
    with pytest.raises(BadAudioError, match="its frames are damaged|is cut"):
        read_audio(AudioRef(str(tmp_path / "a.mp3")), RATE)
    assert capfd.readouterr().err == ""
    with mpg123_is_quiet():
        os.write(2, b"Note: Illegal Audio-MPEG-Header 0x00000000 at offset 1.\nsomebody else\n")
    assert capfd.readouterr().err == "somebody else\n"
