"""One recorded cycle, repeated: its period, pitch, levels and onsets are those that were asked for."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from roomtone.augment.ops.draw_context import Asset, DrawContext
from roomtone.augment.ops.sources.mix import Mix
from roomtone.augment.ops.sources.recorded_cycle import RecordedCycle
from roomtone.augment.ops.table import Source, parse_op, to_dict
from roomtone.core.errors import RoomtoneError

RATE = 16000
SOUNDS = ((0.1, 0.2),)


def cycle():
    """A second with a tone of 1 kHz from 0.1 to 0.3 s."""
    time = np.arange(RATE) / RATE
    return np.where((time >= 0.1) & (time < 0.3), np.sin(2 * np.pi * 1000 * time), 0.0).astype(np.float32)


def fetch(asset, start, frames):
    assert (asset, start, frames) == ("c", 0, -1)
    return cycle()


def drawn(seed=0, seconds=10, **fields):
    op = RecordedCycle("cycle.wav", sounds=SOUNDS, **({"period_s": 1.0} | fields))
    return op.draw(np.random.default_rng(seed), DrawContext(seconds * RATE, RATE, (Asset("c", RATE, "g"),)))


def heard_onsets(samples):
    """Starts of tones, by their level alone."""
    level = np.convolve(samples**2, np.ones(80) / 80, mode="same") > 0.1
    return np.flatnonzero(np.diff(level.astype(int)) == 1) / RATE


def test_repeats_come_at_the_period_that_was_drawn():
    for seed in range(5):
        op = drawn(seed, period_s=(0.8, 2.0))
        onsets = heard_onsets(op.render(10 * RATE, RATE, fetch))
        np.testing.assert_allclose(np.diff(onsets), op.period_s, atol=0.001)
        said = np.array([at for at in op.onsets_s(0.0, 9.5) if at > 0.0])
        np.testing.assert_allclose(onsets[: said.size], said, atol=0.003)


def test_a_preroll_moves_nothing():
    op = drawn(3, jitter_s=0.05, level_jitter_db=3.0)
    whole = op.render(10 * RATE, RATE, fetch, preroll_samples=777)
    np.testing.assert_array_equal(whole[777:], op.render(10 * RATE, RATE, fetch))
    assert whole.dtype == np.float32


@pytest.mark.parametrize("pitch", [0.8, 1.25])
def test_pitch_multiplies_frequencies_and_divides_times(pitch):
    op = dataclasses.replace(drawn(pitch=pitch), start_s=0.0)
    samples = op.render(RATE, RATE, fetch)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) == pytest.approx(1000 * pitch, abs=3)
    assert heard_onsets(samples)[0] == pytest.approx(0.1 / pitch, abs=0.004)
    assert op.sounding(RATE, RATE).sum() / RATE == pytest.approx(0.2 / pitch, abs=0.001)


def test_deviations_stay_within_their_bounds_and_are_used():
    op = dataclasses.replace(drawn(jitter_s=0.05, level_jitter_db=6.0), start_s=0.0)
    samples = op.render(60 * RATE, RATE, fetch)
    onsets = heard_onsets(samples)
    off = onsets - np.arange(onsets.size) - 0.1
    assert 0.03 < np.abs(off).max() < 0.054
    levels = [20 * np.log10(samples[round((at + 0.05) * RATE) :][:800].std() * 2**0.5) for at in onsets]
    assert 4.0 < np.abs(levels).max() < 6.1


def test_it_always_sounds_in_the_file():
    for seed in range(20):
        op = drawn(seed, seconds=1, period_s=30.0)
        assert op.sounding(RATE, RATE).any()
        assert (op.render(RATE, RATE, fetch) ** 2).sum() > 0


def test_a_record_is_read_back_and_a_mix_holds_it():
    op = drawn(1, level_jitter_db=1.0)
    assert parse_op(json.loads(json.dumps(to_dict(op))), Source, where="record") == op
    part = {"op": "recorded_cycle", "path": "folder", "period_s": 1.0, "asset": "c", "sounds": [[0.1, 0.2]]}
    mix = Mix((part | {"level_db": -6.0}, part))
    assert mix.recordings_needed().path == "folder"
    context = DrawContext(RATE, RATE, (Asset("c", RATE, "g"),))
    assert mix.draw(np.random.default_rng(0), context).assets_used() == ("c",)
    with pytest.raises(RoomtoneError, match="one path"):
        Mix((part, part | {"path": "elsewhere"}))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"period_s": 0.002}, "in ms"),
        ({"period_s": (2.0, 1.0)}, "low, high"),
        ({"pitch": 440.0}, "in Hz"),
        ({"jitter_s": 0.6}, "at most half"),
        ({"sounds": ((-0.1, 0.2),)}, "a sound is"),
    ],
)
def test_what_cannot_be_rendered_is_refused(fields, says):
    with pytest.raises(RoomtoneError, match=says):
        RecordedCycle("x", **({"period_s": 1.0} | fields))


def test_a_missing_recording_is_named():
    with pytest.raises(RoomtoneError, match="no recording under 'x'"):
        RecordedCycle("x", period_s=1.0).draw(np.random.default_rng(0), DrawContext(RATE, RATE))
