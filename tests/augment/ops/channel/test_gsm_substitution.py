"""GSM 06.11 in front of the decoder: frames read by a bit string of the tests' own, sound by what the standard promises."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import soxr

from roomtone.augment.condition import Condition
from roomtone.augment.ops.channel.codec import Codec
from roomtone.augment.ops.channel.streams.coded_stream import CodedStream
from roomtone.augment.ops.channel.streams.gsm import SILENCE, GsmFullRate, substituted
from roomtone.augment.ops.channel.streams.libraries import StreamSettings
from roomtone.augment.ops.draw_context import DrawContext

SETTINGS = StreamSettings(8000, 160, 13.2)


def fields(frame: bytes) -> dict[str, list[int]]:
    """The parameters of a frame in the order of RFC 3551: widths 6 6 5 5 4 4 3 3, then four times 7 2 2 6 and thirteen times 3."""
    text = "".join(f"{byte:08b}" for byte in frame)[4:]
    widths = [6, 6, 5, 5, 4, 4, 3, 3, *([7, 2, 2, 6, *[3] * 13] * 4)]
    ends = np.cumsum([0, *widths])
    values = [int(text[begin:end], 2) for begin, end in itertools.pairwise(ends)]
    parts = [values[8 + 17 * index :][:17] for index in range(4)]
    return {
        "ratios": values[:8],
        "lag": [part[0] for part in parts],
        "gain": [part[1] for part in parts],
        "grid": [part[2] for part in parts],
        "amplitude": [part[3] for part in parts],
        "pulses": [pulse for part in parts for pulse in part[4:]],
    }


@pytest.fixture(scope="module")
def packets() -> list[bytes]:
    n = np.arange(160 * 60)
    vowel = np.sum([np.cos(2 * np.pi * k * n / 80 + k * k) / k for k in range(1, 11)], axis=0)
    vowel += 0.3 * np.random.default_rng(1).standard_normal(n.size)
    return GsmFullRate().encode(np.round(6000 * vowel).astype(np.int16).reshape(-1, 160), SETTINGS)


def test_the_frame_of_silence_is_the_standard_s() -> None:
    assert fields(SILENCE)["ratios"] == [42, 39, 21, 10, 9, 4, 3, 2]
    assert fields(SILENCE)["lag"] == [40] * 4
    assert fields(SILENCE)["amplitude"] == [0] * 4


def test_the_first_is_repeated_the_next_are_muted_and_then_there_is_silence(packets: list[bytes]) -> None:
    arrived = [None if 20 <= index < 45 else packet for index, packet in enumerate(packets)]
    given = substituted(arrived)
    assert given[:20] == packets[:20]
    assert given[45:] == packets[45:]
    assert given[20] == packets[19]
    first = fields(packets[19])
    for step in range(1, 25):
        now = fields(given[20 + step])
        expected = [max(value - 4 * step, 0) for value in first["amplitude"]]
        if not any(expected):
            assert given[20 + step :][: 25 - step] == [SILENCE] * (25 - step)
            break
        assert now["amplitude"] == expected
        assert [now[name] for name in ("ratios", "lag", "gain", "pulses")] == [
            first[name] for name in ("ratios", "lag", "gain", "pulses")
        ]
    assert step <= 16
    assert len({tuple(fields(frame)["grid"]) for frame in given[21:30]}) > 4
    assert substituted(arrived) == given
    assert substituted([None, None, packets[0]])[:2] == [SILENCE] * 2


def test_what_is_heard_holds_for_one_frame_fades_and_the_decoder_is_out_of_step(packets: list[bytes]) -> None:
    whole = GsmFullRate().decode(packets, SETTINGS).astype(float)
    arrived = [None if 20 <= index < 44 else packet for index, packet in enumerate(packets)]
    heard = GsmFullRate().decode(arrived, SETTINGS).astype(float)
    level = lambda index: np.sqrt(np.mean(heard[index * 160 : (index + 1) * 160] ** 2))  # noqa: E731
    assert level(20) > 0.7 * level(19)
    assert level(28) < 0.5 * level(20)
    assert level(40) < 0.02 * level(19)
    one = [None if index == 20 else packet for index, packet in enumerate(packets)]
    difference = np.abs(GsmFullRate().decode(one, SETTINGS) - whole).reshape(-1, 160).max(axis=1)
    assert difference[:20].max() == 0
    assert difference[21] > 50  # a frame that arrived, behind one that did not


def test_without_loss_it_is_the_codec_by_another_path(speech: np.ndarray) -> None:
    """The other path is the 65-byte blocks of WAV files, whose arithmetic is the same."""
    speech = soxr.resample(speech, 16000, 8000)
    context = DrawContext(speech.size, 8000)
    stream, plain = (op.draw(np.random.default_rng(0), context) for op in (CodedStream("gsm_fr"), Codec("gsm_fr")))
    heard, report = stream.apply_measured(speech, 8000)
    assert np.abs(heard - plain.apply(speech, 8000)).max() <= 2 / 32768
    assert report["frames_lost"] == report["frames_affected"] == 0


def test_the_preset_holds_its_labels(speech: np.ndarray) -> None:
    made = Condition(handset="gsm_bad_frames", noise="pink@10dB").render(speech, 16000, key=3)
    assert made.measured["measured_codec"] == "gsm_fr"
    assert made.measured["delay_samples"] == 0
    assert made.measured["measured_snr_db"] == pytest.approx(10, abs=0.1)
    assert made.measured["frames_lost"] < made.measured["frames_affected"]
