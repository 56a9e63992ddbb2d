"""Draws belong to what they are for: no stage moves another, and a recipe survives JSON."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Drawn, Op, Source, parse_op, pin_ranges, to_dict
from roomtone.augment.rendering.recipe import FORMAT, Draws, Recipe, draw_recipe
from roomtone.augment.rendering.recipe_paths import named_recipe
from roomtone.augment.scenarios.conditions import parse_condition
from roomtone.augment.scenarios.presets import load_preset
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError
from roomtone.core.local_paths import LocalPaths
from roomtone.core.random_streams import content_key, stream
from roomtone.core.settings import check_fields

CLEAN = AudioRef("/speech.wav", sha256="0" * 64)


def draw(labels, *, key="u1", seed=0):
    condition = parse_condition(labels, load_preset)
    return draw_recipe(condition, Draws(seed, key, condition.name, 0), CLEAN, 16000, 16000, -26.0)


def test_streams_are_equal_for_equal_keys_and_differ_in_every_part_of_the_key():
    base = (0, "u1", "clean", 0, "noise")
    values = {base: stream(*base).random()}
    assert stream(*base).random() == values[base]
    for position, other in enumerate((1, "u2", "ward", 1, "room")):
        key = (*base[:position], other, *base[position + 1 :])
        values[key] = stream(*key).random()
    assert len(set(values.values())) == 6


def test_a_key_is_not_the_join_of_its_parts():
    assert stream("a", "bc").random() != stream("ab", "c").random()


@given(st.lists(st.one_of(st.text(), st.integers(-(2**63), 2**63), st.none(), st.booleans()), max_size=5))
def test_content_key_is_stable_and_free_of_dots_and_slashes(parts):
    key = content_key(*parts)
    assert key == content_key(*parts)
    assert len(key) == 32
    assert set(key) <= set("0123456789abcdef")


def test_a_recipe_survives_json():
    recipe = draw({"noise": "pink@0..10dB", "equipment": "fan@5dB", "handset": "landline_mulaw"})
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert Recipe.from_json(recipe.to_json()).to_json() == recipe.to_json()


def test_the_same_key_draws_the_same_recipe_and_another_key_another():
    labels = {"noise": "pink@0..10dB", "equipment": "fan@5dB"}
    assert draw(labels) == draw(labels)
    assert draw(labels) != draw(labels, key="u2")
    assert draw(labels) != draw(labels, seed=1)


def test_snr_of_a_range_lies_inside_it():
    snrs = [draw({"noise": "pink@0..10dB"}, key=str(k)).snr_db for k in range(200)]
    assert 0 <= min(snrs) < 1
    assert 9 < max(snrs) <= 10


def test_a_recipe_that_is_none_is_said():
    with pytest.raises(RoomtoneError, match="not a recipe"):
        Recipe.from_json("[]")
    with pytest.raises(RoomtoneError, match=f"format 7 is not {FORMAT}: made by another version"):
        Recipe.from_json('{"format": 7}')


@dataclass(frozen=True)
class _Probe(Source):
    op: ClassVar[str] = ""
    first: Drawn = (0.0, 1.0)
    second: Drawn = (0.0, 1.0)
    name: str = "x"


def test_a_recording_that_is_called_by_its_path_is_called_alike_where_it_is_played_and_where_it_lies(tmp_path):
    """Utterances without ids have their path for one; babble of them was in the recipe by two names, and could not be rendered again."""
    voice = f"table:{tmp_path}/a b.wav"
    clip = AudioRef(f"{tmp_path}/a b.wav", sha256="0" * 64)
    noise = {"op": "babble", "voices": [[voice]]}
    recipe = Recipe(CLEAN, 16000, 16000, -26.0, noise=noise, clips={voice: clip})
    stored = Recipe.from_json(named_recipe(recipe, LocalPaths({"corpus_2": str(tmp_path)})).to_json())
    assert str(tmp_path) not in stored.to_json()
    assert stored.noise["voices"] == [list(stored.clips)]


def test_pinning_one_field_by_hand_moves_no_other():
    free = pin_ranges(_Probe(), np.random.default_rng(0))
    fixed = pin_ranges(_Probe(first=0.5), np.random.default_rng(0))
    assert fixed.first == 0.5
    assert fixed.second == free.second
    assert isinstance(_Probe().draw(np.random.default_rng(1), DrawContext(1, 1)).first, float)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"op": "pink_nois"}, "unknown op 'pink_nois'"),
        ({}, "the key 'op' is missing"),
        ("pink", "expected a mapping"),
        ({"op": "periodic_tone", "fundamental_hx": 3}, "unknown key 'fundamental_hx'"),
    ],
)
def test_a_wrong_op_is_told_what_would_be_right(mapping, message):
    with pytest.raises(RoomtoneError, match=message):
        parse_op(mapping, Op, where="test")


def test_wrong_types_are_named():
    with pytest.raises(RoomtoneError, match="name: expected a text, got 3"):
        check_fields(_Probe, {"name": 3}, where="probe")
    with pytest.raises(RoomtoneError, match="first: expected a number or \\[low, high\\], got 'loud'"):
        check_fields(_Probe, {"first": "loud"}, where="probe")
    with pytest.raises(RoomtoneError, match="first"):
        check_fields(_Probe, {"first": float("nan")}, where="probe")
    assert check_fields(_Probe, {"first": [0, 2]}, where="probe") == {"first": (0.0, 2.0)}


def test_drawn_ops_round_trip_through_plain_mappings():
    op = parse_op(
        {key: v for key, v in load_preset("equipment", "fan").items() if key not in ("description", "source")},
        Source,
        where="fan",
    )
    drawn = op.draw(np.random.default_rng(3), DrawContext(16000, 16000))
    assert parse_op(to_dict(drawn), Source, where="again") == drawn
    assert dataclasses.is_dataclass(drawn)
