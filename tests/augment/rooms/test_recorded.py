"""Recorded rooms: whatever the file's rate, channel, delay and polarity, the direct sound is found and the figures hold."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from roomtone.augment.generation import generate
from roomtone.augment.rooms.bank import DIRECT_SAMPLE, build_bank, rebuild_entry
from roomtone.augment.rooms.op import RecordedRoom
from roomtone.augment.rooms.recorded import find_direct
from roomtone.core.errors import RoomtoneError

RATE = 16000
REAL = Path(__file__).parents[4] / "shared" / "real" / "rooms"


def response(
    rate: int, *, t60_s: float = 0.4, delay_s: float = 0.0123, noise_db: float = -75.0, seed: int = 0
) -> np.ndarray:
    """A pulse, 4 ms later a decaying noise at -14 dB a sample, and measurement noise all over."""
    rng = np.random.default_rng(seed)
    size = round(1.2 * rate)
    out = 10 ** (noise_db / 20) * rng.standard_normal(size)
    start = round((delay_s + 0.004) * rate)
    times = np.arange(size - start) / rate
    level = 0.2 * math.sqrt(16000 / rate)  # equal energy a second at any rate
    out[start:] += level * np.exp(-math.log(1000) * times / t60_s) * rng.standard_normal(times.size)
    out[round(delay_s * rate)] += 1.0
    return 0.5 * out


def write(path: Path, samples: np.ndarray, rate: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype="PCM_24" if path.suffix == ".flac" else "FLOAT")
    return path


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000, 96000])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_round_trip_at_any_rate(
    tmp_path: Path, rate: int, sign: float, schroeder_t30: Callable[[np.ndarray, int, int], float]
) -> None:
    write(tmp_path / "in" / "a.wav", sign * response(rate), rate)
    bank = build_bank(RecordedRoom(str(tmp_path / "in")), RATE, cache_dir=tmp_path / "cache")
    assert len(bank) == 1
    entry = bank.entry(0)
    assert np.abs(entry.speech).argmax() == DIRECT_SAMPLE
    assert entry.speech[DIRECT_SAMPLE] == pytest.approx(1.0, abs=1e-6)
    # 3 %: one draw of noise decaying over 35 dB; resampling to 16 kHz changes which part of it is heard.
    assert entry.t30_s == pytest.approx(0.4, rel=0.03)
    assert schroeder_t30(entry.speech, RATE, DIRECT_SAMPLE) == pytest.approx(entry.t30_s, rel=0.005)
    assert (entry.t60_s, entry.talker_distance_m, entry.dimensions_m) == (None, None, None)
    again = rebuild_entry(json.loads(json.dumps(entry.parameters)), RATE)
    np.testing.assert_array_equal(again.speech, entry.speech)
    np.testing.assert_array_equal(again.noise, entry.noise)
    assert (again.id, again.t30_s, again.c50_db, again.drr_db) == (entry.id, entry.t30_s, entry.c50_db, entry.drr_db)


def test_samples_survive_where_nothing_need_change(tmp_path: Path) -> None:
    rir = response(RATE)
    write(tmp_path / "in" / "a.flac", rir, RATE)
    entry = build_bank(RecordedRoom(str(tmp_path / "in" / "a.flac")), RATE, cache_dir=tmp_path / "cache").entry(0)
    direct = round(0.0123 * RATE)
    expected = rir[direct - DIRECT_SAMPLE :] / rir[direct]
    stop = round(0.3 * RATE)
    np.testing.assert_allclose(entry.speech[:stop], expected[:stop], atol=1e-6)  # 24 bits
    assert entry.speech.size < 0.75 * RATE  # the rest was measurement noise


def test_a_late_peak_is_not_taken_for_the_direct_sound() -> None:
    rir = response(RATE)
    rir[round(0.030 * RATE)] = 0.9  # an echo off a glass front, stronger than the direct sound of 0.5
    assert find_direct(rir, RATE) == round(0.0123 * RATE)


def test_a_direct_sound_between_samples_is_found_at_its_peak() -> None:
    """Band-limited, half a sample off: ripple ahead of it reaches -20 dB, and is not the direct sound."""
    times = np.arange(4000) - 1000.3
    assert find_direct(np.sinc(times), RATE) == 1000


def test_channel_and_positions(tmp_path: Path) -> None:
    for place in range(3):
        both = np.stack([response(RATE, seed=place), response(RATE, t60_s=0.8, seed=place + 10)], axis=1)
        write(tmp_path / "in" / f"seat{place}.wav", both, RATE)
    left, right = (
        build_bank(
            RecordedRoom(str(tmp_path / "in"), channel=c, other_positions=True), RATE, cache_dir=tmp_path / "cache"
        )
        for c in (0, 1)
    )
    assert len(left) == 3
    assert left.entry(0).t30_s == pytest.approx(0.4, rel=0.05)
    assert right.entry(0).t30_s == pytest.approx(0.8, rel=0.05)
    size = min(left.entry(0).noise.size, left.entry(1).speech.size)
    np.testing.assert_array_equal(left.entry(0).noise[:size], left.entry(1).speech[:size])
    assert len({left.entry(k).id for k in range(3)}) == 3
    with pytest.raises(RoomtoneError, match=r"seat0\.wav: channel 2 asked, it has 2"):
        build_bank(RecordedRoom(str(tmp_path / "in"), channel=2), RATE, cache_dir=tmp_path / "cache")


def test_band_of_reverberation_times(tmp_path: Path) -> None:
    for index, t60_s in enumerate((0.3, 0.5, 0.9)):
        write(tmp_path / "in" / f"room{index}" / "a.wav", response(RATE, t60_s=t60_s, seed=index), RATE)
    bank = build_bank(RecordedRoom(str(tmp_path / "in"), t30_band_s=(0.4, 0.6)), RATE, cache_dir=tmp_path / "cache")
    assert [round(entry.t30_s, 1) for entry in bank] == [0.5]
    with pytest.raises(RoomtoneError, match=r"none of 3 responses.*they run from 0\.[23]\d to 0\.[89]\d s"):
        build_bank(RecordedRoom(str(tmp_path / "in"), t30_band_s=(2.0, 3.0)), RATE, cache_dir=tmp_path / "cache")


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "in" / "a.wav", response(RATE), RATE)
    op = RecordedRoom(str(tmp_path / "in"))
    first = build_bank(op, RATE, cache_dir=tmp_path / "cache").entry(0)
    write(path, response(RATE, seed=1), RATE)
    assert build_bank(op, RATE, cache_dir=tmp_path / "cache").entry(0).id != first.id
    with pytest.raises(RoomtoneError, match=r"a\.wav: this impulse response has changed"):
        rebuild_entry(first.parameters, RATE)


def test_what_is_no_usable_response_is_refused_by_name(tmp_path: Path) -> None:
    def build(op: RecordedRoom) -> None:
        build_bank(op, RATE, cache_dir=tmp_path / "cache")

    (tmp_path / "empty").mkdir()
    with pytest.raises(RoomtoneError, match="no impulse responses"):
        build(RecordedRoom(str(tmp_path / "empty")))
    with pytest.raises(RoomtoneError, match="no impulse responses"):
        build(RecordedRoom(str(tmp_path / "missing")))
    cases = {
        "noisy": (response(RATE, noise_db=-30.0), r"falls by \d+\.\d dB.*45 dB are needed"),
        "cut": (response(RATE)[: round(0.15 * RATE)], r"falls by \d+\.\d dB.*45 dB are needed"),
        "silent": (np.zeros(RATE), "silent"),
        "infinite": (np.where(np.arange(RATE) == 100, np.inf, response(RATE)[:RATE]), "not finite"),
    }
    for name, (samples, match) in cases.items():
        write(tmp_path / name / "a.wav", samples, RATE)
        with pytest.raises(RoomtoneError, match=rf"{name}/a\.wav.*{match}"):
            build(RecordedRoom(str(tmp_path / name)))
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.wav").write_text("not audio")
    with pytest.raises(RoomtoneError, match="is not WAV"):
        build(RecordedRoom(str(tmp_path / "text")))


def test_one_response_with_too_little_decay_is_rejected_and_the_others_are_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One poor file refused the folder, and said of 44.6 dB that 45 dB are needed and 45 dB are there."""
    for index in range(3):
        write(tmp_path / "in" / f"good{index}.wav", response(RATE, seed=index), RATE)
    levels = [f"short{index}.wav" for index in range(8)]
    for index, name in enumerate(levels):  # the floor rises by half a decibel from file to file, past the border
        write(tmp_path / "in" / name, response(RATE, noise_db=-54.0 + 0.5 * index, seed=9), RATE)
    (tmp_path / "in" / "page.wav").write_text("<!DOCTYPE html>")
    bank = build_bank(RecordedRoom(str(tmp_path / "in")), RATE, cache_dir=tmp_path / "cache")
    assert 3 <= len(bank) < 3 + len(levels)
    assert len(bank) + len(bank.rejected) == 3 + len(levels) + 1
    assert "page.wav: is a web page" in " ".join(bank.rejected)
    figures = [float(re.search(r"falls by (\d+\.\d) dB", why)[1]) for why in bank.rejected if "falls by" in why]  # type: ignore[index]
    assert figures
    assert all(figure < 45.0 for figure in figures)
    again = build_bank(RecordedRoom(str(tmp_path / "in")), RATE, cache_dir=tmp_path / "cache")
    assert again.rejected == bank.rejected  # from the cache, too


def test_a_run_names_the_rejected_response(
    tmp_path: Path, composed: Any, small_table: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "config" / "room"
    write(home / "in" / "good.wav", response(RATE), RATE)
    write(home / "in" / "noisy.wav", response(RATE, noise_db=-30.0), RATE)
    (home / "mine.yaml").write_text("op: recorded_room\npath: in\n")
    (tmp_path / "config" / "scenario").mkdir()
    (tmp_path / "config" / "scenario" / "tiny.yaml").write_text("name: tiny\nfactors: {room: [none, mine]}\n")
    cfg = composed(
        "scenario=tiny", "design=full", "executor=serial", "corpus=table", f"corpus.path={small_table}",
        f"output.dir={tmp_path / 'set'}", config_dir=str(tmp_path / "config"),
    )  # fmt: skip
    assert generate(cfg).rendered == 12
    assert re.search(r"response rejected: .*noisy\.wav: T30 cannot be measured: .* falls by \d+\.\d dB", caplog.text)


@pytest.mark.skipif(not REAL.is_dir(), reason="needs shared/real")
@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("channel", [0, 1])
def test_real_responses_in_stereo_at_44_kilohertz_are_used(
    tmp_path: Path, rate: int, channel: int, schroeder_t30: Callable[[np.ndarray, int, int], float]
) -> None:
    bank = build_bank(RecordedRoom(str(REAL), channel=channel), rate, cache_dir=tmp_path / "cache")
    assert len(bank) == 2
    assert bank.rejected == ()
    for entry in bank:
        assert entry.speech[DIRECT_SAMPLE] == pytest.approx(1.0, abs=1e-6)
        assert 0.1 < entry.t30_s < 0.2  # small rooms, their publisher says
        assert schroeder_t30(entry.speech, rate, DIRECT_SAMPLE) == pytest.approx(entry.t30_s, rel=0.02)


def test_a_response_that_ends_before_50_ms_is_rejected_alone(tmp_path: Path) -> None:
    """Its late energy is none, so C50 is no number; that refused the folder."""
    write(tmp_path / "in" / "good.wav", response(RATE), RATE)
    write(tmp_path / "in" / "dry.wav", response(RATE, t60_s=0.03, noise_db=-300.0)[: round(0.055 * RATE)], RATE)
    bank = build_bank(RecordedRoom(str(tmp_path / "in")), RATE, cache_dir=tmp_path / "cache")
    assert len(bank) == 1
    assert re.search(
        r"dry\.wav: T30, C50 or DRR cannot be measured: .* \d+ ms after the direct sound", bank.rejected[0]
    )


def test_a_caf_response_never_reaches_libsndfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Responses have the same door as speech: CAF and AIFF, whose readers in libsndfile have known faults, need PyAV."""
    (tmp_path / "in").mkdir()
    soundfile.write(tmp_path / "in" / "a.caf", response(RATE), RATE, subtype="PCM_24")
    assert len(build_bank(RecordedRoom(str(tmp_path / "in")), RATE, cache_dir=tmp_path / "cache")) == 1
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(RoomtoneError, match=r"a\.caf: is CAF, which needs the extra av"):
        build_bank(RecordedRoom(str(tmp_path / "in")), RATE, cache_dir=tmp_path / "other")
