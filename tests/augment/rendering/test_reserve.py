"""What a jitter buffer brings into the file from behind its end: noise, machines and the room go on there, see `handset_output.with_reserve`."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest
import soundfile

from roomtone.augment import Condition
from roomtone.augment.ops.channel.chain import Chain
from roomtone.augment.ops.channel.streams.coded_stream import CodedStream
from roomtone.augment.ops.channel.streams.jitter import Jitter
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Source, parse_op
from roomtone.augment.rendering.handset_output import with_reserve
from roomtone.augment.rendering.mixing import mix_stems, prepare
from roomtone.augment.rooms.talker.moving import walk

RATE = 16000


@functools.cache
def speech() -> np.ndarray:
    import roomtone.augment.corpora as corpora

    names = sorted((Path(corpora.__file__).parent / "demo_data").glob("*.flac"))
    return np.concatenate([soundfile.read(name, dtype="float32")[0] for name in names[:2]])


def emptying(frames: int) -> Jitter:
    """A buffer that begins with 200 ms of delay and is led to 20 ms: some 170 ms are removed."""
    return Jitter(0.0, delays_ms=(*([190] * 300), *([5] * frames)))


def test_noise_does_not_end_before_the_file() -> None:
    """The story: with 10 dB of white noise, `smartphone_jitter` ended in up to 180 ms of digital silence where the buffer had removed time."""
    removed = []
    for key in ("5", "10", "14"):
        made = Condition("white@10dB+smartphone_jitter").render(speech(), RATE, key=key)
        removed.append(made.measured["time_removed_s"] - made.measured["time_added_s"])
        blocks = made.pcm[made.pcm.size % 320 :].reshape(-1, 320).astype(np.float64)
        powers_db = 10 * np.log10((blocks**2).mean(axis=1) + 1e-9)
        assert (
            powers_db[-15:].min() > np.sort(powers_db)[: blocks.shape[0] // 20].mean() - 6.0
        )  # like the quietest twentieth
    assert max(removed) > 0.03


@pytest.mark.parametrize("noise", ["white", "hvac", "rain", "hum"])
@pytest.mark.parametrize("codec", ["g711_alaw", "opus"])
def test_noise_is_as_loud_in_the_part_from_behind_the_end(noise: str, codec: str) -> None:
    """Steady noise behind a buffer that only removes: the last 150 ms are as loud as the rest, without a handset that does more."""
    clean = prepare(speech(), RATE)
    recipe = Condition(f"{noise}@0dB").recipe(clean.samples.size, RATE, key="a")
    op = CodedStream(codec, jitter=emptying(-(-clean.samples.size // 320)))  # type: ignore[arg-type]
    op = op.draw(np.random.default_rng(1), DrawContext(clean.samples.size, RATE))
    stems = with_reserve(mix_stems(recipe, clean, None, None), recipe, clean, None, None, op.reserve_samples(RATE))  # type: ignore[arg-type]
    sent, reserve = stems.lasting().background(), stems.reserve[0].size
    settled = op.settled(sent, RATE, reserve)
    heard, report = settled.apply_measured(sent, RATE)
    heard = heard[: clean.samples.size]
    assert report["time_removed_s"] - report["time_added_s"] > 0.15
    assert report["time_map"][-1][0] == pytest.approx(clean.samples.size / RATE, abs=1e-6)
    last, rest = heard[-round(0.15 * RATE) :], heard[: -round(0.15 * RATE)]
    assert 10 * np.log10((last**2).mean() / (rest**2).mean()) == pytest.approx(0.0, abs=2.5)
    old = op.apply(sent[: clean.samples.size], RATE)[-round(0.1 * RATE) :]
    assert not old.any() or (old**2).mean() < 1e-3 * (rest**2).mean()  # without the reserve there is silence


@pytest.mark.parametrize(
    "condition",
    [
        "alarm_medium@5dB",
        "pulse_oximeter@5dB+ward",
        "white@5dB",
        "brown@5dB+ward",
        "white@5dB+fan@5dB+ward",
        "ward",
        "ward_walk",
    ],
)
def test_the_mix_in_the_file_is_the_one_without_a_reserve(condition: str) -> None:
    """So handsets with and without a buffer have the same excerpt of the same noise; what follows has no seam and the same level."""
    made = Condition(f"{condition}+voip_opus_jitter")
    behind = made.render(speech(), RATE, key="a").stems
    recipe, clean = made.recipe(speech().size, RATE, key="a"), prepare(speech(), RATE)
    plain = mix_stems(dataclasses.replace(recipe, handset=None), clean, None, made.room_entry(recipe))  # type: ignore[arg-type]
    for stem, other in zip(plain.present(), behind.present(), strict=True):
        np.testing.assert_array_equal(stem, other)
    assert behind.reserve
    for stem, after in zip(behind.present(), behind.reserve, strict=True):
        assert after.dtype == stem.dtype == np.float32
    for stem, after in zip(behind.present()[1:], behind.reserve[1:], strict=True):
        assert abs(float(after[0] - stem[-1])) < 1.2 * np.abs(np.diff(stem)).max()
    assert behind.reserve[0].any() == ("ward" in condition)  # the room rings on


def test_a_machine_goes_on_as_in_a_longer_file() -> None:
    clean, size = prepare(speech(), RATE), 5000
    recipe = Condition("pulse_oximeter@5dB").recipe(clean.samples.size, RATE, key="a")
    stems = with_reserve(mix_stems(recipe, clean, None, None), recipe, clean, None, None, size)  # type: ignore[arg-type]
    op = parse_op(recipe.equipment, Source, where="test")  # type: ignore[arg-type]
    longer = op.render(clean.samples.size + size, RATE, None)  # type: ignore[arg-type]
    gain = np.float32(10.0 ** (stems.backgrounds[0].gain_db / 20.0))
    np.testing.assert_array_equal(stems.reserve[1], longer[-size:] * gain)
    assert not stems.reserve[0].any()  # without a room the talker is silent behind the end
    assert with_reserve(stems, recipe, clean, None, None, 0) is stems  # type: ignore[arg-type]


def test_a_walk_goes_on_as_with_a_longer_file() -> None:
    """The reverberant tail of a talker who walks is that of the same speech with silence behind it."""
    condition = Condition("ward_walk")
    recipe = condition.recipe(speech().size, RATE, key="a")
    entry, clean = condition.room_entry(recipe), prepare(speech(), RATE)
    assert entry is not None
    assert entry.path is not None
    stems = with_reserve(mix_stems(recipe, clean, None, entry), recipe, clean, None, entry, 3000)  # type: ignore[arg-type]
    longer = walk(np.pad(clean.samples, (0, 3000)), entry.path, entry.path_responses, RATE)
    np.testing.assert_array_equal(stems.reserve[0], longer[-3000:] * np.float32(stems.speech_gain))


def test_no_buffer_removes_more_than_the_reserve() -> None:
    samples = speech()[: 3 * RATE]
    nearest = 0.0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        jitter = Jitter(
            float(rng.uniform(0, 60)),
            outages_per_minute=float(rng.uniform(0, 60)),
            outage_ms=float(rng.uniform(20, 300)),
            lowest_ms=float(rng.choice([0.0, 20.0, 60.0])),
            highest_ms=float(rng.choice([80.0, 400.0])),
        )
        op = CodedStream("g711_alaw", jitter=jitter).draw(rng, DrawContext(samples.size, RATE))
        report = op.apply_measured(samples, RATE)[1]
        removed = report["time_removed_s"] - report["time_added_s"]
        assert removed * RATE <= op.reserve_samples(RATE)
        nearest = max(nearest, removed * RATE / op.reserve_samples(RATE))
    assert nearest > 0.4  # the bound is not far off


def test_only_handsets_with_a_buffer_have_a_reserve() -> None:
    plain = CodedStream("g711_alaw").draw(np.random.default_rng(1), DrawContext(RATE, RATE))
    op = CodedStream("g711_alaw", jitter=Jitter(20.0)).draw(np.random.default_rng(1), DrawContext(RATE, RATE))
    assert plain.reserve_samples(RATE) == Chain((plain,)).reserve_samples(RATE) == 0
    assert Chain((op, plain, op)).reserve_samples(RATE) == 2 * op.reserve_samples(RATE) > 0
    made = Condition("white@10dB+voip_opus").render(speech(), RATE, key="a")
    assert made.stems.reserve == ()
