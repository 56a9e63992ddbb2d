"""Banks: the same bits however they are built, kept by content, rebuilt from their numbers, refused with the reason."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pyroomacoustics as pra
import pytest

from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import RoomOp, parse_op, to_dict
from roomtone.augment.rooms import bank as bank_module
from roomtone.augment.rooms.bands import apply_losses, centres_hz, split_bands
from roomtone.augment.rooms.bank import DIRECT_SAMPLE, RoomEntry, build_bank, default_cache_dir, rebuild_entry
from roomtone.augment.rooms.op import ShoeBoxRoom
from roomtone.augment.rooms.simulate import Scene, trace
from roomtone.core.errors import RoomtoneError

RATE = 16000
SCENE = Scene((4.0, 3.0, 2.5), (1.5, 1.2, 1.0), 0.25, 0.2, 6, 20.0, 50.0, 0.004, RATE)


def bits(entry: RoomEntry) -> list[bytes]:
    return [np.asarray(rir).tobytes() for rir in (entry.speech, entry.noise, entry.equipment)]


def test_workers_do_not_change_a_bit(small_room: ShoeBoxRoom, two_workers: Executor, tmp_path: Path) -> None:
    """The parent has as many library threads as the machine has cores; the workers too: both are pinned to one."""
    alone = build_bank(small_room, RATE, cache_dir=tmp_path / "a")
    together = build_bank(small_room, RATE, cache_dir=tmp_path / "b", executor=two_workers)
    assert len(alone) == len(together) == small_room.realisations
    for one, other in zip(alone, together):
        assert bits(one) == bits(other)
        assert one.id == other.id
        assert one.parameters == other.parameters
        assert (one.t30_s, one.c50_db, one.drr_db) == (other.t30_s, other.c50_db, other.drr_db)


@pytest.mark.parametrize("threads", [2, 3])
def test_threads_of_the_library_do_not_change_a_bit(small_room: ShoeBoxRoom, tmp_path: Path, threads: int) -> None:
    """pyroomacoustics sums in an order that depends on its number of threads; four numbers gave four responses."""
    before = pra.constants.get("num_threads")
    expected = build_bank(small_room, RATE, cache_dir=tmp_path / "a").entry(0)
    pra.constants.set("num_threads", threads)
    try:
        assert bits(rebuild_entry(expected.parameters, RATE)) == bits(expected)
        assert pra.constants.get("num_threads") == threads
        assert pra.constants.get("rir_hpf_enable") is True
    finally:
        pra.constants.set("num_threads", before)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_numbers_alone_give_the_bits_back(small_room: ShoeBoxRoom, tmp_path: Path, rate: int) -> None:
    built = build_bank(dataclasses.replace(small_room, realisations=1), rate, cache_dir=tmp_path).entry(0)
    again = rebuild_entry(json.loads(json.dumps(built.parameters)), rate)
    assert bits(again) == bits(built)
    for field in ("id", "t30_s", "c50_db", "drr_db", "t60_s", "talker_distance_m", "dimensions_m", "parameters"):
        assert getattr(again, field) == getattr(built, field)
    assert built.t30_s == pytest.approx(0.25, rel=0.01)
    assert built.speech[DIRECT_SAMPLE] == 1.0 == np.abs(built.speech).max()


def test_a_bank_is_built_once(small_room: ShoeBoxRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    first = build_bank(small_room, RATE, cache_dir=tmp_path, progress=lambda *step: seen.append(step))
    assert seen == [(1, 3), (2, 3), (3, 3)]

    def refuse(*_: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(bank_module, "_build", refuse)
    second = build_bank(small_room, RATE, cache_dir=tmp_path)
    assert second.folder == first.folder
    assert first.folder.parent == tmp_path
    assert isinstance(second.entry(0).speech.base, np.memmap | np.ndarray)
    assert not second.entry(0).speech.flags.writeable
    for change in ({"t60_s": 0.26}, {"realisations": 2}, {"scattering": 0.3}):
        with pytest.raises(AssertionError, match="built again"):
            build_bank(dataclasses.replace(small_room, **change), RATE, cache_dir=tmp_path)
    for rate, seed in ((8000, 0), (RATE, 1)):
        with pytest.raises(AssertionError, match="built again"):
            build_bank(small_room, rate, cache_dir=tmp_path, seed=seed)


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "json", "number"])
def test_a_damaged_bank_is_built_anew(small_room: ShoeBoxRoom, tmp_path: Path, damage: str) -> None:
    op = dataclasses.replace(small_room, realisations=1)
    bank = build_bank(op, RATE, cache_dir=tmp_path)
    expected = bits(bank.entry(0))
    array = bank.folder / "0000.npy"
    content = bytearray(array.read_bytes())
    if damage == "flip":
        content[-1000] ^= 1
        array.write_bytes(content)
    elif damage == "cut":
        array.write_bytes(content[:-8])
    elif damage == "remove":
        array.unlink()
    elif damage == "number":
        text = (bank.folder / "bank.json").read_text()
        changed = re.sub(r'("t30_s": \d\.\d+?)\d', r"\g<1>0", text, count=1)
        assert changed != text
        (bank.folder / "bank.json").write_text(changed)
    else:
        (bank.folder / "bank.json").write_text("{")
    assert bits(build_bank(op, RATE, cache_dir=tmp_path).entry(0)) == expected
    assert build_bank(op, RATE, cache_dir=tmp_path).entry(0).t30_s == bank.entry(0).t30_s
    assert [path.name for path in tmp_path.iterdir()] == [bank.folder.name]  # nothing half done is left


def test_two_builders_of_one_bank_do_not_meet(small_room: ShoeBoxRoom, two_workers: Executor, tmp_path: Path) -> None:
    # the workers import the package, not this file: how tests are imported differs between runners
    futures = [two_workers.submit(build_bank, small_room, RATE, cache_dir=tmp_path) for _ in range(4)]
    found = [[bits(entry) for entry in future.result()] for future in futures]
    assert all(other == found[0] for other in found)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_faster_builder_wins(small_room: ShoeBoxRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other's bank appears between the first look and the rename: it stays, and ours goes without a trace."""
    op = dataclasses.replace(small_room, realisations=1)
    other = build_bank(op, RATE, cache_dir=tmp_path / "other")
    move = bank_module._move

    def late(work: Path, folder: Path) -> None:
        shutil.copytree(other.folder, folder)
        move(work, folder)

    monkeypatch.setattr(bank_module, "_move", late)
    ours = build_bank(op, RATE, cache_dir=tmp_path / "ours")
    assert bits(ours.entry(0)) == bits(other.entry(0))
    assert [path.name for path in (tmp_path / "ours").iterdir()] == [other.folder.name]


def test_more_realisations_keep_the_first(small_room: ShoeBoxRoom, tmp_path: Path) -> None:
    few = build_bank(dataclasses.replace(small_room, realisations=1), RATE, cache_dir=tmp_path)
    more = build_bank(dataclasses.replace(small_room, realisations=2), RATE, cache_dir=tmp_path)
    assert bits(few.entry(0)) == bits(more.entry(0))
    assert bits(more.entry(0)) != bits(more.entry(1))


def test_another_seed_is_another_bank(small_room: ShoeBoxRoom, tmp_path: Path) -> None:
    op = dataclasses.replace(small_room, realisations=1)
    one, other = (build_bank(op, RATE, cache_dir=tmp_path, seed=seed).entry(0) for seed in (0, 1))
    assert one.id != other.id
    assert bits(one) != bits(other)


def test_the_library_s_generator_is_put_back() -> None:
    pra.random.seed(numpy=7, libroom=7)
    expected = pra.random.get_rng().random(3)
    pra.random.seed(numpy=7, libroom=7)
    trace(SCENE, (2.5, 2.0, 1.4), seed=1)
    np.testing.assert_array_equal(pra.random.get_rng().random(3), expected)


def test_a_blocked_source_lacks_only_its_direct_sound() -> None:
    source = (2.5, 2.0, 1.4)
    seen, blocked = (trace(SCENE, source, seed=1, blocked=b) for b in (False, True))
    difference = seen - blocked
    around = slice(DIRECT_SAMPLE - 40, DIRECT_SAMPLE + 41)
    # 1.34 m are 62.6 samples: the direct sound is band-limited over 81 samples, and nothing else may change.
    assert np.abs(difference[around]).max() > 0.5
    difference[around] = 0.0
    assert np.abs(difference).max() < 1e-6


def test_the_tail_has_no_gaps() -> None:
    """A talker at half a metre in a large room: the library's own tail was silent from 0.15 to 0.35 s, and T30 anything."""
    scene = dataclasses.replace(
        SCENE, dimensions_m=(10.05, 8.17, 3.3), microphone_m=(4.92, 6.35, 1.24), absorption=0.19, sample_rate_hz=RATE
    )
    rir = trace(scene, (4.64, 6.45, 1.63), seed=5)
    for start in range(round(0.02 * RATE), round(0.3 * RATE), 160):
        assert np.abs(rir[start : start + 160]).max() > 0.0, start


def test_ratio_of_direct_to_reverberant_sound_is_the_room_s() -> None:
    """A diffuse field has direct over reverberant energy of A / (16 pi r^2), with A the absorption area after Eyring.

    2 dB: one room is no diffuse field. Mistaken units (1/r against 1/(4 pi r), energy against amplitude) would show as 10 dB and more.
    """
    found = []
    for index in range(6):
        scene = dataclasses.replace(
            SCENE, dimensions_m=(6.0, 5.0, 2.8), microphone_m=(1.5 + 0.4 * index, 2.0, 1.2), absorption=0.2
        )
        rir = trace(scene, (1.5 + 0.4 * index, 3.5, 1.6), seed=index)
        window = DIRECT_SAMPLE + 12
        found.append(10 * np.log10((rir[:window] ** 2).sum() / (rir[window:] ** 2).sum()))
    absorption_area = -2 * (30.0 + 16.8 + 14.0) * np.log(1 - 0.2)
    expected = 10 * np.log10(absorption_area / (16 * np.pi * (1.5**2 + 0.4**2)))
    assert np.median(found) == pytest.approx(expected, abs=2.0)


def test_bands_add_up_to_the_response() -> None:
    for rate in (8000, 16000, 48000):
        rir = np.random.default_rng(1).standard_normal(4000)
        bands = split_bands(rir, rate, centres_hz(rate))
        np.testing.assert_allclose(bands.sum(axis=0), rir, atol=1e-12)
        flat = apply_losses(bands, np.full(len(bands), 10.0), rate, 100)
        times = np.maximum(np.arange(4000) - 100, 0) / rate
        np.testing.assert_allclose(flat, rir * np.exp(-10.0 * times), atol=1e-12)


def test_default_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_dir() == tmp_path / "roomtone" / "rooms"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache_dir().parts[-3:] == (".cache", "roomtone", "rooms")


def test_room_op_round_trip() -> None:
    mapping = {
        "op": "shoebox",
        "dimensions_m": [[3, 4], 3, 2.5],
        "t60_s": 0.4,
        "talker_distance_m": [0.5, 1],
        "t60_bands_s": [[125, 0.5], [1000, 0.4]],
        "noise_distance_m": "diffuse",
        "equipment_distance_m": 1.0,
    }
    op = parse_op(mapping, RoomOp, where="test")
    assert parse_op(json.loads(json.dumps(to_dict(op))), RoomOp, where="test") == op
    assert hash(op) == hash(parse_op(mapping, RoomOp, where="test"))
    assert op.draw(np.random.default_rng(0), DrawContext(1, RATE)) == op


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"t60_s": 400.0}, r"t60_s: expected 0.05 to 10 \(seconds\), got 400"),
        ({"t60_s": (0.5, 0.3)}, "upside down"),
        ({"talker_distance_m": 3.0}, "talker_distance_m: expected 0.02 to 2.65"),
        ({"dimensions_m": (3.0, 3.0, 0.1)}, "dimensions_m, height"),
        ({"microphone_height_m": 2.6}, "microphone_height_m.*below the ceiling"),
        ({"realisations": 0}, "realisations"),
        ({"t60_bands_s": ((130.0, 0.3),)}, "octave centres"),
        ({"t60_bands_s": ((500.0, 0.3), (250.0, 0.3))}, "ascending"),
    ],
)
def test_impossible_rooms_are_refused(small_room: ShoeBoxRoom, change: dict[str, object], match: str) -> None:
    with pytest.raises(RoomtoneError, match=match):
        dataclasses.replace(small_room, **change)  # type: ignore[arg-type]


def test_what_only_the_simulation_can_know_is_refused_too(small_room: ShoeBoxRoom, tmp_path: Path) -> None:
    with pytest.raises(RoomtoneError, match=r"t60_s 0\.1 is too short for 20\.00 x 20\.00 x 8\.00 m"):
        build_bank(dataclasses.replace(small_room, dimensions_m=(20.0, 20.0, 8.0), t60_s=0.1), RATE, cache_dir=tmp_path)
    with pytest.raises(RoomtoneError, match=r"no place found.*equipment_distance_m 20\.0"):
        build_bank(dataclasses.replace(small_room, equipment_distance_m=20.0), RATE, cache_dir=tmp_path)
    with pytest.raises(RoomtoneError, match="sample rate"):
        build_bank(small_room, 400, cache_dir=tmp_path)
    with pytest.raises(RoomtoneError, match="unknown kind 'ballroom'"):
        rebuild_entry({"kind": "ballroom"}, RATE)
    with pytest.raises(RoomtoneError, match="missing or malformed"):
        rebuild_entry({"kind": "shoebox"}, RATE)
    assert list(tmp_path.iterdir()) == []
