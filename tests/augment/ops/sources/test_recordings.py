"""Recorded noise and machines: offsets, loops without clicks, and drawing without early repetition."""

from __future__ import annotations

import itertools
import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomtone.augment.ops.draw_context import Asset, DrawContext
from roomtone.augment.ops.sources.recordings import Recording, Recordings, looped, permuted_index
from roomtone.augment.ops.table import Source, parse_op, to_dict
from roomtone.core.errors import RoomtoneError

RATE = 16000


def noise(seconds, seed=0):
    return (0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))).astype(np.float32)


def reader(sounds):
    def fetch(asset, start, frames):
        assert start >= 0
        assert frames < 0 or start + frames <= sounds[asset].size
        return sounds[asset][start:] if frames < 0 else sounds[asset][start : start + frames]

    return fetch


def test_a_long_recording_is_played_as_it_is():
    sounds = {"a": noise(60)}
    for seed in range(20):
        op = Recordings("x").draw(
            np.random.default_rng(seed), DrawContext(4 * RATE, RATE, (Asset("a", 60 * RATE, "g"),))
        )
        assert op.assets_used() == ("a",)
        assert 2 * RATE <= op.offset_samples <= 56 * RATE
        samples = op.render(4 * RATE, RATE, reader(sounds), preroll_samples=1000)
        np.testing.assert_array_equal(samples, sounds["a"][op.offset_samples - 1000 : op.offset_samples + 4 * RATE])
        read = parse_op(json.loads(json.dumps(to_dict(op))), Source, where="record")
        assert read == op


def test_only_the_needed_part_of_a_long_recording_is_read():
    op = Recordings("x").draw(np.random.default_rng(0), DrawContext(RATE, RATE, (Asset("a", 1800 * RATE, "g"),)))

    def fetch(asset, start, frames):
        assert 0 < frames <= RATE + 500
        return noise(frames / RATE)

    assert op.render(RATE, RATE, fetch, preroll_samples=500).size == RATE + 500


def test_a_preroll_longer_than_what_came_before_is_mirrored():
    sounds = {"a": noise(5)}
    op = Recording("x", asset="a", offset_samples=100, asset_samples=5 * RATE)
    samples = op.render(4 * RATE, RATE, reader(sounds), preroll_samples=300)
    np.testing.assert_array_equal(samples[200:], sounds["a"][: 4 * RATE + 100])
    np.testing.assert_array_equal(samples[:200], sounds["a"][200:0:-1])


def test_a_short_recording_is_looped_without_click_or_dip():
    sounds = {"a": noise(1.0)}
    op = Recording("x").draw(np.random.default_rng(1), DrawContext(10 * RATE, RATE, (Asset("a", RATE, "a"),)))
    samples = op.render(10 * RATE, RATE, reader(sounds)).astype(np.float64)
    turn = RATE - int(0.05 * RATE)
    np.testing.assert_array_equal(samples[turn : 2 * turn], samples[:turn])
    # equal power: in the 50 ms seam the level of noise holds (800 samples: 0.2 dB of scatter)
    seam = looped(sounds["a"], 800)[:800].astype(np.float64)
    assert 20 * np.log10(seam.std() / 0.1) == pytest.approx(0.0, abs=0.8)


def test_the_seam_of_a_hum_does_not_jump():
    """A sine cut anywhere: no step at the seam, and no more than the 3 dB that equal power may swell by."""
    hum = np.sin(2 * np.pi * 50.3 * np.arange(RATE) / RATE).astype(np.float32)
    wrapped = np.tile(looped(hum, 800), 3)
    assert np.abs(np.diff(wrapped)).max() < 1.6 * np.abs(np.diff(hum)).max()
    assert np.abs(wrapped).max() < 1.42


def test_groups_are_drawn_first():
    """Two sources, one cut into 30 fragments: each is drawn about half of the time (4 sigma of 400 draws: 0.1)."""
    assets = (*(Asset(f"a{i:02d}", 9 * RATE, "many") for i in range(30)), Asset("b", 9 * RATE, "one"))
    drawn = [Recordings("x").draw(np.random.default_rng(s), DrawContext(RATE, RATE, assets)).asset for s in range(400)]
    assert 0.4 < drawn.count("b") / 400 < 0.6


@given(count=st.integers(1, 40), seed=st.integers(0, 2**40), blocks=st.integers(1, 4))
def test_nothing_repeats_before_everything_was_used(count, seed, blocks):
    draws = [permuted_index(count, seed, n) for n in range(count * blocks)]
    for block in range(blocks):
        assert sorted(draws[block * count : (block + 1) * count]) == list(range(count))
    if count > 1:
        assert all(a != b for a, b in itertools.pairwise(draws))


def test_turns_are_balanced_at_any_moment_and_differ_by_seed():
    picks = [permuted_index(7, 3, n) for n in range(24)]
    counts = Counter(picks).values()
    assert max(counts) - min(counts) <= 1
    assert picks != [permuted_index(7, 4, n) for n in range(24)]


@pytest.mark.parametrize(
    ("sound", "message"),
    [
        (np.zeros(2 * RATE, dtype=np.float32), "is silent where it would be played"),
        (np.full(2 * RATE, np.nan, dtype=np.float32), "not finite"),
        (np.zeros(0, dtype=np.float32), "is empty"),
    ],
)
def test_recordings_that_cannot_be_used_are_named(sound, message):
    op = Recording("x", asset="pump.wav", offset_samples=0, asset_samples=sound.size)
    with pytest.raises(RoomtoneError, match=f"pump.wav.*{message}"):
        op.render(RATE, RATE, lambda a, s, n: sound[s:] if n < 0 else sound[s : s + n])


def test_no_recordings_is_an_error_that_names_the_folder():
    with pytest.raises(RoomtoneError, match=r"no usable noise recording under 'my/folder'"):
        Recordings("my/folder").draw(np.random.default_rng(0), DrawContext(RATE, RATE))
    with pytest.raises(RoomtoneError, match="'b' is not among"):
        Recording("x", asset="b").draw(np.random.default_rng(0), DrawContext(RATE, RATE, (Asset("a", 9, "a"),)))
    with pytest.raises(RoomtoneError, match=r"call draw\(\)"):
        Recording("x").render(RATE, RATE, reader({}))
