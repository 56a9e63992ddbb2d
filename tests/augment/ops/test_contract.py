"""One walk over the whole op table and every preset of every group; a new op or preset is covered the day it is written."""

import json

import numpy as np
import pytest

from roomtone.augment.condition import Condition
from roomtone.augment.ops.draw_context import Asset, DrawContext
from roomtone.augment.ops.table import Processor, RoomOp, Source, op_table, parse_op, to_dict
from roomtone.augment.scenarios.conditions import WITH_SNR
from roomtone.augment.scenarios.presets import load_preset, parse_preset, preset_names
from roomtone.core.vocabulary import FACTORS

RATE = 16000
PRESETS = [(factor, name) for factor in FACTORS for name in preset_names(factor)]
ASSETS = tuple(Asset(f"rec{i}", 5 * RATE, f"group{i}") for i in range(30))


def fetch(asset_id, start, frames):
    """Thirty different five-second recordings of coloured noise."""
    rng = np.random.default_rng(int(asset_id[3:]))
    whole = np.convolve(rng.standard_normal(5 * RATE + 8), np.ones(9) / 9, "valid").astype(np.float32) * 0.1
    return whole[start:] if frames < 0 else np.resize(whole[start:], frames)


def drawn(factor, name, seed=0, num_samples=2 * RATE):
    op = parse_preset(factor, name, load_preset(factor, name))
    return op.draw(np.random.default_rng(seed), DrawContext(num_samples, RATE, ASSETS))


def stretches(name):
    """Whether a preset is a handset with a jitter buffer."""
    return name in preset_names("handset") and "jitter" in str(load_preset("handset", name))


def test_the_table_and_the_presets_are_not_empty():
    assert len(op_table()) >= 15
    counts = {factor: len(preset_names(factor)) for factor in FACTORS}
    assert counts["room"] >= 12
    assert counts["handset"] >= 12
    assert counts["equipment"] >= 20
    assert counts["noise"] >= 9


def test_every_op_of_the_table_is_of_one_kind():
    for name, op in op_table().items():
        assert op.op == name
        assert issubclass(op, Processor | Source | RoomOp), name
        assert op.__doc__, name


@pytest.mark.parametrize(("factor", "name"), PRESETS)
def test_a_drawn_preset_round_trips_through_json(factor, name):
    first, again = drawn(factor, name), drawn(factor, name)
    text = json.dumps(to_dict(first), allow_nan=False)
    assert text == json.dumps(to_dict(again))
    assert parse_op(json.loads(text), type(first), where=name) == first


@pytest.mark.parametrize(("factor", "name"), [p for p in PRESETS if p[0] in WITH_SNR and p[1] != "recordings"])
@pytest.mark.parametrize("preroll", [0, 777])
def test_a_source_has_the_length_it_was_asked_for_and_repeats(factor, name, preroll):
    op = drawn(factor, name)
    first = op.render(2 * RATE, RATE, fetch, preroll_samples=preroll)
    assert first.shape == (2 * RATE + preroll,)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert np.array_equal(first, op.render(2 * RATE, RATE, fetch, preroll_samples=preroll))
    sounding = op.sounding(2 * RATE, RATE)
    assert sounding.shape == (2 * RATE,)
    assert sounding.dtype == bool
    assert (first[preroll:][sounding] ** 2).mean() > 0


@pytest.mark.parametrize("name", preset_names("handset"))
def test_a_handset_is_pure_keeps_length_and_repeats(name, speech):
    op = drawn("handset", name, num_samples=speech.size)
    before = speech.copy()
    first = op.apply(speech, RATE)
    assert np.array_equal(speech, before)
    assert first.shape == speech.shape
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert np.array_equal(first, op.apply(speech, RATE))


@pytest.mark.parametrize(("factor", "name"), [p for p in PRESETS if p[1] != "recordings"])
def test_every_preset_renders_with_its_label_held(factor, name, speech):
    """A render that misses SNR, level, delay, T30 or codec raises; here the same presets are rendered twice."""
    level = f"{name}@10dB" if factor in WITH_SNR else name
    condition = Condition(**{factor: level})
    before = speech.copy()
    first = condition.render(speech, RATE, key="k")
    assert np.array_equal(speech, before)
    assert first.pcm.shape == speech.shape
    assert np.array_equal(first.pcm, condition.render(speech, RATE, key="k").pcm)
    moves = first.stems.walk is not None or stretches(name)  # then a time map stands in its place
    assert first.measured["delay_samples"] == (None if moves else 0)
    assert (first.measured["time_map"] is not None) == moves
    if factor == "noise":
        assert first.measured["measured_snr_db"] == pytest.approx(10, abs=0.1)
    if factor == "equipment":
        assert first.measured["measured_equipment_snr_db"] == pytest.approx(10, abs=0.2)


@pytest.mark.parametrize("rate", [8000, 48000])
@pytest.mark.parametrize("name", preset_names("handset"))
def test_handsets_hold_their_labels_at_other_rates(name, rate, speech):
    import soxr

    made = Condition(handset=name, noise="pink@10dB").render(
        soxr.resample(speech, RATE, rate).astype(np.float32), rate, key=1
    )
    assert made.measured["delay_samples"] == (None if stretches(name) else 0)
