"""Packet loss: as much and as bursty as asked, the recipe lists which, and the gaps are concealed."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from roomtone.augment.ops.channel.packet_loss import PacketLoss, draw_lost_frames
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Processor, parse_op, to_dict
from roomtone.core.errors import RoomtoneError

Speech = Callable[..., np.ndarray]
Z99 = 2.5758
SETTINGS = [(0.01, 1.0 / 0.99), (0.05, 2.0), (0.20, 4.0)]


def bursts(lost: tuple[int, ...]) -> np.ndarray:
    """Return the lengths of the runs."""
    indices = np.array(lost)
    return np.diff(np.flatnonzero(np.concatenate([[True], np.diff(indices) > 1, [True]])))


@pytest.mark.parametrize(("loss", "mean_burst"), SETTINGS)
def test_ten_thousand_frames_are_lost_as_asked(loss: float, mean_burst: float) -> None:
    """Share and mean burst inside their 99 % intervals for a two-state Markov chain.

    The share's variance is that of correlated frames: p (1 - p) / n (1 + r) / (1 - r), r = 1 - (leave + enter). Bursts are
    geometric with mean b, of variance b (b - 1).
    """
    frames, size = 10_000, 320
    op = PacketLoss(loss, mean_burst).draw(np.random.default_rng(11), DrawContext(frames * size, 16000))
    assert op.lost_frames is not None
    assert op.lost_frames == tuple(sorted(set(op.lost_frames)))
    leave = 1 / mean_burst
    correlation = 1 - leave - leave * loss / (1 - loss)
    sigma = np.sqrt(loss * (1 - loss) / frames * (1 + correlation) / (1 - correlation))
    assert abs(len(op.lost_frames) / frames - loss) < Z99 * sigma
    runs = bursts(op.lost_frames)
    # the sampled variance stands in where the geometric one vanishes (mean_burst near 1)
    spread = np.sqrt(max(mean_burst * (mean_burst - 1), 0.01) / runs.size)
    assert abs(runs.mean() - mean_burst) < Z99 * spread


def test_the_chain_is_steady_from_its_first_frame() -> None:
    """Started in the good state, as G.191 does, short files would lose less than their label says."""
    first = [0 in draw_lost_frames(np.random.default_rng(seed), 5, 0.2, 4.0) for seed in range(4000)]
    assert np.mean(first) == pytest.approx(0.2, abs=Z99 * np.sqrt(0.2 * 0.8 / 4000))


@pytest.mark.parametrize("concealment", ["zero", "repeat", "pitch"])
@pytest.mark.parametrize("sample_rate_hz", [8000, 16000, 48000])
def test_the_listed_frames_and_no_others_are_lost_each_time(
    concealment: str, sample_rate_hz: int, speech_like: Speech
) -> None:
    samples = speech_like(sample_rate_hz, 3.0)[:-11]
    samples += 1e-4 * np.random.default_rng(0).normal(size=samples.size).astype(np.float32)  # no frame is all zeros
    before = samples.copy()
    op = PacketLoss((0.1, 0.2), 2.0, concealment=concealment)  # type: ignore[arg-type]
    drawn = op.draw(np.random.default_rng(4), DrawContext(samples.size, sample_rate_hz))
    again = parse_op(json.loads(json.dumps(to_dict(drawn))), Processor, where="test")
    assert again == drawn
    heard, report = drawn.apply_measured(samples, sample_rate_hz)
    np.testing.assert_array_equal(again.apply(samples, sample_rate_hz), heard)
    np.testing.assert_array_equal(samples, before)
    assert heard.shape == samples.shape
    assert heard.dtype == np.float32
    size = sample_rate_hz // 50
    starts = range(0, samples.size, size)
    # a sample in the middle of a frame lies outside the 4 ms overlap after a gap
    changed = [
        i
        for i, s in enumerate(starts)
        if not np.array_equal(heard[s:][size // 2 : size], samples[s:][size // 2 : size])
    ]
    assert tuple(changed) == drawn.lost_frames
    assert report["lost_share"] == len(changed) / len(starts)


def test_no_loss_changes_nothing(speech_like: Speech) -> None:
    samples = speech_like(16000, 1.0)
    op = PacketLoss(0.0).draw(np.random.default_rng(0), DrawContext(samples.size, 16000))
    heard, report = op.apply_measured(samples, 16000)
    np.testing.assert_array_equal(heard, samples)
    assert report == {"lost_share": 0.0, "frames_lost": 0, "frames_affected": 0}


def test_a_long_gap_fades_to_silence_within_60_ms() -> None:
    samples = np.sin(2 * np.pi * 200 * np.arange(16000) / 16000).astype(np.float32)
    for concealment in ("repeat", "pitch"):
        op = PacketLoss(0.1, concealment=concealment, lost_frames=tuple(range(10, 20)))  # type: ignore[arg-type]
        gap = op.apply(samples, 16000)[3200:6400]
        assert np.abs(gap[:160]).max() == pytest.approx(1.0, abs=0.01)  # 10 ms at full level
        assert np.abs(gap[320:480]).max() == pytest.approx(0.8, abs=0.03)  # 20 ms: a fifth down for each 10 ms
        assert np.abs(gap[960:]).max() == 0.0


def test_pitch_repetition_continues_a_vowel_where_zeros_break_it(speech_like: Speech) -> None:
    """On a steady periodic sound the pitch method is nearly right, frame repetition is out of phase, zeros are worst."""
    n = np.arange(16000)
    vowel = sum(np.sin(2 * np.pi * 130 * k * n / 16000) / k for k in range(1, 12)).astype(np.float32) * 0.1
    error = {}
    for concealment in ("zero", "repeat", "pitch"):
        op = PacketLoss(0.1, frame_ms=10.0, concealment=concealment, lost_frames=(40,))  # type: ignore[arg-type]
        error[concealment] = float(np.abs(op.apply(vowel, 16000) - vowel)[6400:6560].mean())
    assert error["pitch"] < 0.25 * error["zero"]
    assert error["pitch"] < error["repeat"]


def test_gaps_at_both_ends_and_files_shorter_than_a_frame() -> None:
    samples = np.full(100, 0.5, np.float32)
    for concealment in ("zero", "repeat", "pitch"):
        op = PacketLoss(0.1, concealment=concealment, lost_frames=(0, 1, 2, 99))  # type: ignore[arg-type]
        heard, report = op.apply_measured(samples, 16000)
        assert heard.shape == (100,)
        np.testing.assert_array_equal(heard, 0.0)  # nothing was received before
        assert report["lost_share"] == 1.0
        assert op.apply(np.zeros(0, np.float32), 16000).size == 0


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"loss": 5}, "in per cent"),
        ({"loss": 1.0}, "loss must lie"),
        ({"loss": 0.1, "mean_burst_frames": 0.5}, "1 or more"),
        ({"loss": 0.1, "frame_ms": 0.02}, "in seconds"),
        ({"loss": 0.8, "mean_burst_frames": 2.0}, "needs mean_burst_frames of 4.00 or more"),
        ({"loss": 0.1, "concealment": "pich"}, "did you mean 'pitch'"),
    ],
)
def test_what_cannot_be_is_refused_at_load(mapping: dict, message: str) -> None:
    with pytest.raises(RoomtoneError, match=message):
        parse_op({"op": "packet_loss"} | mapping, Processor, where="test")


def test_an_op_that_was_not_drawn_does_not_guess() -> None:
    with pytest.raises(RoomtoneError, match="not drawn"):
        PacketLoss(0.1).apply(np.zeros(10, np.float32), 16000)
