"""Babble: who talks, how loud each one is, and who must not."""

from __future__ import annotations

import numpy as np
import pytest

from roomtone.augment.ops.draw_context import Asset, DrawContext
from roomtone.augment.ops.sources.babble import Babble
from roomtone.core.errors import RoomtoneError

RATE = 16000


@pytest.mark.parametrize("talkers", [1, 2, 6, 16])
def test_talkers_are_distinct_and_only_those_offered(shelf, talkers):
    """The renderer leaves the target's utterances out; a corpus of 17 makes a slip likely over 50 draws."""
    offered = tuple(a for a in shelf.assets if a.group != "s03")[: 3 * 16]
    for seed in range(50):
        op = Babble(talkers).draw(np.random.default_rng(seed), DrawContext(4 * RATE, RATE, offered))
        speakers = [{asset.split("/")[0] for asset in voice} for voice in op.voices]
        assert all(len(s) == 1 for s in speakers)
        assert len(set.union(*speakers)) == talkers
        assert "s03" not in set.union(*speakers)
        assert len(set(op.assets_used())) == len(op.assets_used())


def test_it_plays_what_it_says_it_plays(shelf):
    op = Babble(6).draw(np.random.default_rng(0), DrawContext(4 * RATE, RATE, shelf.assets))
    read = []

    def fetch(asset, start, frames):
        read.append(asset)
        return shelf.fetch(asset, start, frames)

    op.render(4 * RATE, RATE, fetch)
    assert tuple(read) == op.assets_used()
    assert len(read) >= 6


def test_every_talker_is_equally_loud():
    """Six talkers, each a gated tone of its own pitch, 40 dB apart in level and unlike in pauses: active levels agree."""
    sounds = {}
    for k in range(6):
        time = np.arange(4 * RATE) / RATE
        gate = (time % 2.0) < (0.8 + 0.2 * k)  # 40 to 90 % of the time
        sounds[f"t{k}"] = (10 ** (-0.4 * k) * 0.3 * gate * np.sin(2 * np.pi * (400 + 300 * k) * time)).astype(
            np.float32
        )
    assets = tuple(Asset(key, s.size, key) for key, s in sounds.items())
    op = Babble(6).draw(np.random.default_rng(0), DrawContext(4 * RATE, RATE, assets))
    mixed = op.render(4 * RATE, RATE, lambda a, s, n: sounds[a])
    frequency, power = np.fft.rfftfreq(mixed.size, 1 / RATE), np.abs(np.fft.rfft(mixed.astype(np.float64))) ** 2
    active = []
    for k in range(6):
        near = np.abs(frequency - (400 + 300 * k)) < 100  # the whole loop of 4 s, so nothing is cut
        active.append(10 * np.log10(power[near].sum() / ((0.8 + 0.2 * k + 0.2) / 2)))  # P.56 adds 0.2 s to each burst
    assert np.ptp(active) < 0.6  # P.56 interpolates between thresholds
    # and exactly, one by one
    from roomtone.core.audio.speech_level import active_speech_level

    for key in sounds:
        alone = Babble(1, voices=((key,),), offsets=(0.0,)).render(4 * RATE, RATE, lambda a, s, n: sounds[a])
        assert active_speech_level(alone, RATE).level_dbov == pytest.approx(-20.0, abs=0.05)


def test_a_voice_goes_on_before_and_after_the_file(shelf):
    op = Babble(2).draw(np.random.default_rng(1), DrawContext(4 * RATE, RATE, shelf.assets))
    early = op.render(4 * RATE, RATE, shelf.fetch, preroll_samples=5000)
    np.testing.assert_array_equal(early[5000:], op.render(4 * RATE, RATE, shelf.fetch))
    assert np.abs(early[:5000]).max() > 0.01


def test_a_long_file_uses_all_a_talker_has_and_starts_over(shelf):
    op = Babble(3).draw(np.random.default_rng(1), DrawContext(60 * RATE, RATE, shelf.assets))
    assert all(len(voice) == 3 for voice in op.voices)
    samples = op.render(60 * RATE, RATE, shelf.fetch)
    blocks = samples.reshape(60, -1).astype(np.float64).std(axis=1)
    assert blocks.min() > 0.2 * blocks.max()  # nowhere silent


def test_many_talkers_move_less_than_few(shelf):
    """The fluctuation of the level shrinks with the number of talkers (as one over its root, for independent ones)."""

    def fluctuation(talkers):
        spread = []
        for seed in range(6):
            op = Babble(talkers).draw(np.random.default_rng(seed), DrawContext(8 * RATE, RATE, shelf.assets))
            energy = (op.render(8 * RATE, RATE, shelf.fetch).reshape(-1, 800).astype(np.float64) ** 2).mean(axis=1)
            spread.append(energy.std() / energy.mean())
        return np.mean(spread)

    assert fluctuation(2) > 1.4 * fluctuation(8)


def test_too_few_talkers_name_the_need(shelf):
    few = tuple(a for a in shelf.assets if a.group in ("s00", "s01", "s02"))
    context = DrawContext(4 * RATE, RATE, few)
    with pytest.raises(RoomtoneError, match="needs 6 other talkers, the corpus offers 3"):
        Babble(6).draw(np.random.default_rng(0), context)
    lent = Babble(6, repeat_talkers=True).draw(np.random.default_rng(0), context)
    assert len(set(lent.assets_used())) == len(lent.assets_used()) >= 6  # other utterances, never the same twice
    with pytest.raises(RoomtoneError, match="needs 16 utterances of other talkers, the corpus offers 9"):
        Babble(16, repeat_talkers=True).draw(np.random.default_rng(0), context)
    with pytest.raises(RoomtoneError, match="offers 0"):
        Babble(2).draw(np.random.default_rng(0), DrawContext(RATE, RATE))


def test_silence_and_undrawn_are_refused():
    silent = Babble(1, voices=(("a",),), offsets=(0.0,))
    with pytest.raises(RoomtoneError, match="no speech in a"):
        silent.render(RATE, RATE, lambda a, s, n: np.zeros(RATE, dtype=np.float32))
    with pytest.raises(RoomtoneError, match=r"call draw\(\)"):
        Babble(1).render(RATE, RATE, lambda a, s, n: np.zeros(RATE, dtype=np.float32))
    with pytest.raises(RoomtoneError, match="at least 1"):
        Babble(0)


def test_the_order_in_which_recordings_are_offered_does_not_matter(shelf):
    forwards, backwards = (
        Babble(6).draw(np.random.default_rng(9), DrawContext(4 * RATE, RATE, order))
        for order in (shelf.assets, shelf.assets[::-1])
    )
    assert forwards == backwards


def test_a_crowd_without_words_moves_as_one_of_6_to_16_voices(speech) -> None:
    """Standard deviation over mean of the level in frames of 20 ms; a stationary noise of that spectrum has 0.13."""
    from roomtone.augment import Condition

    def movement(noise: str) -> float:
        found = []
        for key in range(3):
            samples = Condition(noise=f"{noise}@0dB").render(np.tile(speech, 3), 16000, key=key).stems.noise
            frames = samples[: samples.size // 320 * 320].reshape(-1, 320).astype(np.float64)
            levels = np.sqrt((frames**2).mean(axis=1))
            found.append(levels.std() / levels.mean())
        return float(np.mean(found))

    assert movement("babble_16") - 0.02 < movement("crowd") < movement("babble") + 0.02
