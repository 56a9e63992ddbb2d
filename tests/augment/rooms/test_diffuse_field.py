"""A diffuse noise: the coherence between two probes is that of a diffuse field, babble comes from several places, the rest stays as it was."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy import signal

from roomtone.augment.ops.draw_context import Asset, DrawContext
from roomtone.augment.ops.sources.babble import Babble
from roomtone.augment.ops.sources.noise import ColouredNoise, LtassNoise, ModulatedNoise, ShapedNoise
from roomtone.augment.ops.table import Source, parse_op
from roomtone.augment.rendering import mixing
from roomtone.augment.rendering.recipe import Recipe
from roomtone.augment.rooms.bank import DIRECT_SAMPLE, build_bank, rebuild_entry
from roomtone.augment.rooms.diffuse_field import directions, wave_responses
from roomtone.augment.rooms.op import ShoeBoxRoom
from roomtone.core.audio.segment import AudioRef
from roomtone.core.errors import RoomtoneError

RATE = 16000
DRAWN = {"noise_directions": 24, "t60_s": 0.3, "temperature_c": 20.0, "humidity_percent": 50.0, "seed": 5}


def no_recording(*_: object) -> np.ndarray:
    raise AssertionError


def at_a_probe(parts: list[np.ndarray], place_m: tuple[float, float, float]) -> np.ndarray:
    waves = wave_responses(DRAWN | {"noise_directions": len(parts)}, RATE, 6000, place_m)
    return np.sum([signal.oaconvolve(part, wave)[6000 : part.size] for part, wave in zip(parts, waves)], axis=0)


@pytest.mark.parametrize(
    ("count", "direction", "most_kd", "rms"),
    [
        (24, (1.0, 0.0, 0.0), 5.5, 0.11),
        (24, (0.0, 0.6, 0.8), 5.5, 0.11),
        # As the packaged rooms have them; above k d = 1.5 six directions hold no bound worth a claim (RMS 0.17 to 0.35 at 5.5).
        (6, (1.0, 0.0, 0.0), 1.5, 0.15),
        (6, (0.0, 0.6, 0.8), 1.5, 0.15),
    ],
)
def test_coherence_of_two_probes_is_that_of_a_diffuse_field(
    count: int, direction: tuple[float, float, float], most_kd: float, rms: float
) -> None:
    """sin(kd) / (kd), real, by Welch's method on 20 s; what such a noise makes of one response alone would be 1 everywhere."""
    distance_m = 0.1
    noise = ColouredNoise().draw(np.random.default_rng(3), DrawContext(20 * RATE, RATE))
    parts = noise.render_apart(20 * RATE, RATE, no_recording, count)
    assert len(parts) == count
    first, second = (at_a_probe(parts, tuple(share * distance_m * x for x in direction)) for share in (-0.5, 0.5))
    hertz, cross = signal.csd(first, second, RATE, nperseg=512)
    powers = [signal.welch(probe, RATE, nperseg=512)[1] for probe in (first, second)]
    coherence = cross / np.sqrt(powers[0] * powers[1])
    inside = (hertz > 150) & (2 * np.pi * hertz * distance_m / 344.0 < most_kd)
    error = coherence[inside] - np.sinc(2 * hertz[inside] * distance_m / 344.0)
    assert np.sqrt(np.mean(np.abs(error) ** 2)) < rms
    if count == 24:
        assert np.sqrt(np.mean(error.real**2)) < 0.08
        assert np.abs(error).max() < 0.25


def test_directions_cover_the_sphere() -> None:
    found = directions(24)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0)
    np.testing.assert_allclose(found.T @ found / 24, np.eye(3) / 3, atol=0.02)
    assert np.abs(found.mean(axis=0)).max() < 0.02


@pytest.mark.parametrize(
    "noise",
    [ColouredNoise(-3.01), LtassNoise(), ShapedNoise(((100.0, 0.0), (4000.0, -20.0)))],
    ids=lambda noise: noise.op,
)
def test_streams_of_a_steady_noise_add_up_to_it(noise: Source) -> None:
    drawn = noise.draw(np.random.default_rng(1), DrawContext(8 * RATE, RATE))
    parts = drawn.render_apart(8 * RATE, RATE, no_recording, 8, preroll_samples=100)
    assert {part.shape for part in parts} == {(8 * RATE + 100,)}
    assert np.abs(np.corrcoef(parts) - np.eye(8)).max() < 0.1
    whole = drawn.render(8 * RATE, RATE, no_recording)
    one, other = (signal.welch(x, RATE, nperseg=256)[1] for x in (whole, np.sum(parts, axis=0)))
    inside = slice(3, 60)
    assert np.abs(10 * np.log10(other[inside] / one[inside])).max() < 1.5


def test_what_comes_and_goes_stays_in_one_piece() -> None:
    drawn = ModulatedNoise().draw(np.random.default_rng(1), DrawContext(RATE, RATE))
    (alone,) = drawn.render_apart(RATE, RATE, no_recording, 8)
    np.testing.assert_array_equal(alone, drawn.render(RATE, RATE, no_recording))
    mixed = {
        "op": "mix",
        "parts": [{"op": "modulated_noise"}, {"op": "modulated_noise"}, {"op": "ltass_noise", "level_db": -10}],
    }
    mix = parse_op(mixed, Source, where="test").draw(np.random.default_rng(1), DrawContext(RATE, RATE))
    assert len(mix.render_apart(RATE, RATE, no_recording, 4)) == 4
    np.testing.assert_allclose(
        np.sum(mix.render_apart(RATE, RATE, no_recording, 1), axis=0), mix.render(RATE, RATE, no_recording), atol=1e-6
    )


def test_a_bank_holds_the_directions_and_leaves_the_rest_alone(small_room: ShoeBoxRoom, tmp_path: Path) -> None:
    op = dataclasses.replace(small_room, realisations=1)
    plain = build_bank(op, RATE, cache_dir=tmp_path).entry(0)
    spread = build_bank(dataclasses.replace(op, noise_directions=5), RATE, cache_dir=tmp_path).entry(0)
    assert len(plain.waves) == 0
    assert len(spread.waves) == len(spread.wave_responses) == 5
    for name in ("speech", "noise", "equipment"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(spread, name))
    np.testing.assert_array_equal(rebuild_entry(spread.parameters, RATE).waves, spread.waves)
    with pytest.raises(RoomtoneError, match="needs noise_distance_m: diffuse"):
        dataclasses.replace(op, noise_directions=5, noise_distance_m=1.0)


def test_babble_comes_from_several_places(small_room: ShoeBoxRoom, tmp_path: Path) -> None:
    """Each voice through the response of its own direction, two of five through the same; the sum is that of another convolution."""
    op = dataclasses.replace(small_room, realisations=1, noise_directions=3)
    entry = build_bank(op, RATE, cache_dir=tmp_path).entry(0)
    speech = {f"u{i}": np.random.default_rng(i).standard_normal(RATE).astype(np.float32) for i in range(5)}
    fetch = lambda asset, start, frames: speech[asset]  # noqa: E731
    assets = tuple(Asset(name, samples.size, name) for name, samples in speech.items())
    babble = Babble(5).draw(np.random.default_rng(2), DrawContext(2 * RATE, RATE, assets))
    preroll = entry.noise.size
    parts = babble.render_apart(2 * RATE, RATE, fetch, 3, preroll_samples=preroll)
    np.testing.assert_allclose(
        np.sum(parts, axis=0), babble.render(2 * RATE, RATE, fetch, preroll_samples=preroll), atol=1e-6
    )
    recipe = Recipe(AudioRef("speech.wav"), RATE, 2 * RATE, -26.0)
    found = mixing._from_places(babble, recipe, fetch, entry, "noise")
    start = preroll + DIRECT_SAMPLE
    expected = sum(signal.oaconvolve(part, wave)[start : start + 2 * RATE] for part, wave in zip(parts, entry.waves))
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(found).max())
    one = signal.oaconvolve(np.sum(parts, axis=0), entry.noise)[start : start + 2 * RATE]
    assert np.abs(found - one).max() > 0.1 * np.abs(one).max()
    machine = mixing._from_places(babble, recipe, fetch, entry, "equipment")
    through = signal.oaconvolve(np.sum(parts, axis=0), entry.equipment)[start : start + 2 * RATE]
    np.testing.assert_allclose(machine, through, atol=1e-4 * np.abs(through).max())
