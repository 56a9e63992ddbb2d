"""Tabulated responses, band passes, gains and measured devices: gains read back, delay zero, files checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from roomtone.augment.ops.channel.filters import BandPass, Gain, Response
from roomtone.augment.ops.channel.recorded_device import RecordedDevice
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Processor, parse_op, to_dict
from roomtone.core.errors import RoomtoneError

GainDb = Callable[..., np.ndarray]
CONTEXT = DrawContext(16000, 16000)


@pytest.mark.parametrize("sample_rate_hz", [8000, 16000, 44100, 48000])
def test_a_response_passes_through_its_points(sample_rate_hz: int, gain_db: GainDb) -> None:
    points = ((100.0, -12.0), (300.0, -3.0), (1000.0, 0.0), (3000.0, 4.0), (6000.0, -6.0), (20000.0, -20.0))
    inside = [point for point in points if point[0] < sample_rate_hz / 2]
    measured = gain_db(Response(points).fir(sample_rate_hz), sample_rate_hz, np.array([hz for hz, _ in inside]))
    np.testing.assert_allclose(measured, [db for _, db in inside], atol=0.3)  # the FIR's resolution at 100 Hz


def test_the_outermost_gains_hold_outside_the_table(gain_db: GainDb) -> None:
    measured = gain_db(Response(((500.0, -6.0), (1000.0, 3.0))).fir(16000), 16000, np.array([50.0, 5000.0]))
    np.testing.assert_allclose(measured, [-6.0, 3.0], atol=0.05)


@pytest.mark.parametrize("slope", [12.0, 24.0, 36.0])
def test_band_pass_edges_are_3_db_down_and_slopes_as_asked(slope: float, gain_db: GainDb) -> None:
    fir = BandPass(300.0, 3400.0, slope).fir(48000)
    edge_low, middle, edge_high, octave_below, octave_above = gain_db(
        fir, 48000, np.array([300.0, 1000.0, 3400.0, 150.0, 6800.0])
    )
    assert edge_low == pytest.approx(-3.01, abs=0.1)
    assert edge_high == pytest.approx(-3.01, abs=0.1)
    assert middle == pytest.approx(0.0, abs=0.2)
    # a Butterworth magnitude one octave outside: 10 log10(1 + 2^2n), n = slope / 6.02
    wanted = -10 * np.log10(1 + 2 ** (slope / 3.0103))
    assert octave_below == pytest.approx(wanted, abs=0.5)
    assert octave_above == pytest.approx(wanted, abs=0.5)


def test_an_open_edge_and_one_above_half_the_rate_do_nothing(gain_db: GainDb) -> None:
    everywhere = np.array([20.0, 200.0, 3000.0, 3900.0])
    np.testing.assert_allclose(gain_db(BandPass(0.0, 0.0).fir(8000), 8000, everywhere), 0.0, atol=0.01)
    np.testing.assert_allclose(gain_db(BandPass(0.0, 20000.0).fir(8000), 8000, everywhere), 0.0, atol=0.05)


def test_filters_leave_empty_and_one_sample_files_at_their_length() -> None:
    for size in (0, 1, 7):
        assert BandPass(300.0, 3400.0).apply(np.ones(size, np.float32), 16000).shape == (size,)


def test_gain_is_exact() -> None:
    samples = np.array([0.1, -0.2, 0.3], np.float32)
    np.testing.assert_allclose(Gain(6.0).apply(samples, 16000), samples * 10**0.3, rtol=1e-6)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"op": "response", "points": []}, "ascending"),
        ({"op": "response", "points": [[100, 0], [100, 1]]}, "ascending"),
        ({"op": "response", "points": [[0, 0], [100, 1]]}, "above 0 Hz"),
        ({"op": "band_pass", "low_hz": 3000, "high_hz": 300}, "above low_hz"),
        ({"op": "band_pass", "slope_db_per_octave": 0}, "above 0"),
        ({"op": "telephone_filter", "name": "irs_sent"}, "did you mean 'irs_send'"),
        ({"op": "band_pas"}, "did you mean 'band_pass'"),
        ({"op": "band_pass", "low": 300}, "did you mean 'low_hz'"),
    ],
)
def test_what_is_wrong_is_said(mapping: dict, message: str) -> None:
    with pytest.raises(RoomtoneError, match=message):
        parse_op(mapping, Processor, where="test")


def _device_file(path: Path, sample_rate_hz: int, predelay: int, channels: int = 1) -> np.ndarray:
    """Write a decaying, inverted response whose direct tap lies at `predelay`, and return it."""
    rng = np.random.default_rng(3)
    taps = np.zeros(sample_rate_hz // 20)
    taps[predelay:] = 0.2 * rng.normal(size=taps.size - predelay) * np.exp(-np.arange(taps.size - predelay) / 40)
    taps[predelay] = -0.9
    soundfile.write(path, np.stack([taps] * channels, axis=1), sample_rate_hz, subtype="FLOAT")
    return taps


def test_a_recorded_device_is_aligned_normalised_and_otherwise_itself(tmp_path: Path, gain_db: GainDb) -> None:
    taps = _device_file(tmp_path / "phone.wav", 16000, predelay=70)
    op = RecordedDevice(str(tmp_path / "phone.wav")).draw(np.random.default_rng(0), CONTEXT)
    impulse = np.zeros(4001, np.float32)
    impulse[2000] = 1.0
    response = op.apply(impulse, 16000)
    assert int(np.argmax(np.abs(response))) == 2000
    aligned = response[2000 - 70 : 2000 - 70 + taps.size]
    np.testing.assert_allclose(aligned / aligned[70], taps / taps[70], atol=1e-5)
    band_hz = np.linspace(300, 3400, 2000)
    assert 10 * np.log10((10 ** (gain_db(op.fir(16000), 16000, band_hz) / 10)).mean()) == pytest.approx(0, abs=0.05)


def test_a_recorded_device_of_another_rate_keeps_its_response(tmp_path: Path, gain_db: GainDb) -> None:
    taps = _device_file(tmp_path / "phone.wav", 44100, predelay=62)
    op = RecordedDevice(str(tmp_path / "phone.wav")).draw(np.random.default_rng(0), CONTEXT)
    hz = np.geomspace(300, 6000, 40)
    difference = gain_db(op.fir(16000), 16000, hz) - gain_db(taps, 44100, hz)
    np.testing.assert_allclose(difference - difference.mean(), 0.0, atol=0.1)


def test_a_folder_of_devices_is_drawn_from_and_the_recipe_names_file_and_hash(tmp_path: Path) -> None:
    for index in range(4):
        _device_file(tmp_path / f"device{index}.wav", 16000, predelay=index)
    (tmp_path / "notes.txt").write_text("not audio")
    rng = np.random.default_rng(0)
    drawn = [RecordedDevice(str(tmp_path)).draw(rng, CONTEXT) for _ in range(60)]
    assert {op.file for op in drawn} == {f"device{index}.wav" for index in range(4)}
    assert all(op.sha256 and len(op.sha256) == 64 for op in drawn)
    assert parse_op(to_dict(drawn[0]), Processor, where="test") == drawn[0]


def test_a_device_file_that_changed_after_the_draw_is_refused(tmp_path: Path) -> None:
    _device_file(tmp_path / "phone.wav", 16000, predelay=10)
    op = RecordedDevice(str(tmp_path / "phone.wav")).draw(np.random.default_rng(0), CONTEXT)
    _device_file(tmp_path / "phone.wav", 16000, predelay=11)
    with pytest.raises(RoomtoneError, match="content changed"):
        op.apply(np.ones(100, np.float32), 16000)


def test_device_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "page.wav").write_text("<html>404</html>")
    soundfile.write(tmp_path / "long.wav", np.ones(40000), 16000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(400), 16000)
    _device_file(tmp_path / "mono.wav", 16000, predelay=10)
    rng = np.random.default_rng(0)
    with pytest.raises(RoomtoneError, match="no audio file"):
        RecordedDevice(str(tmp_path / "page.wav")).draw(rng, CONTEXT)
    with pytest.raises(RoomtoneError, match="is no file"):
        RecordedDevice(str(tmp_path / "absent.wav")).draw(rng, CONTEXT)
    with pytest.raises(RoomtoneError, match=r"lasts 2\.5 s"):
        RecordedDevice(str(tmp_path / "long.wav")).draw(rng, CONTEXT).fir(16000)
    with pytest.raises(RoomtoneError, match="silent"):
        RecordedDevice(str(tmp_path / "silent.wav")).draw(rng, CONTEXT).fir(16000)
    with pytest.raises(RoomtoneError, match="has 1 channels, not 1"):
        RecordedDevice(str(tmp_path / "mono.wav"), channel=1).draw(rng, CONTEXT).fir(16000)
    (tmp_path / "empty").mkdir()
    with pytest.raises(RoomtoneError, match="no audio file in"):
        RecordedDevice(str(tmp_path / "empty")).draw(rng, CONTEXT)
