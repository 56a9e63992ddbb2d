"""audiomentations as a citizen: closed lookup, seeded and restored, recorded, aligned, checked."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from roomtone.augment.ops.channel.audiomentations import TIME_CHANGING, AudiomentationsOp, transforms
from roomtone.augment.ops.channel.probe import probed_delay
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Processor, parse_op, to_dict
from roomtone.core.errors import RoomtoneError

Speech = Callable[..., np.ndarray]
Lag = Callable[..., int]

#: Transforms that read recordings are tested with one below.
NEEDS_FILES = {"AddBackgroundNoise", "AddShortNoises", "ApplyImpulseResponse"}
ARGUMENTS: dict[str, dict] = {
    "AdjustDuration": {"duration_seconds": 0.5},
    "Aliasing": {"min_sample_rate": 4000, "max_sample_rate": 7000},
    "Resample": {"min_sample_rate": 8000, "max_sample_rate": 12000},
    "RoomSimulator": {"max_order": 1},
}

#: What audiomentations needs for some of them: its extra `extras`.
OPTIONAL = {
    "Limiter": "numpy_audio_limiter",
    "LoudnessNormalization": "loudness",
    "Mp3Compression": "fast_mp3_augment",
}


def drawn(
    transform: str, num_samples: int, sample_rate_hz: int = 16000, seed: int = 0, **arguments: object
) -> AudiomentationsOp:
    op = parse_op({"op": "audiomentations", "transform": transform, **arguments}, AudiomentationsOp, where="test")
    return op.draw(np.random.default_rng(seed), DrawContext(num_samples, sample_rate_hz))


def assert_contract(op: AudiomentationsOp, samples: np.ndarray, sample_rate_hz: int) -> dict:
    """Assert shape, type, purity, same sound again, global states untouched, record round trip; return the record."""
    before = samples.copy()
    random.seed(12345)  # another state than the draw, which takes the same numbers, would leave behind
    np.random.seed(12345)  # noqa: NPY002
    states = random.getstate(), np.random.get_state()[1].tobytes()  # noqa: NPY002
    heard, report = op.apply_measured(samples, sample_rate_hz)
    assert states == (random.getstate(), np.random.get_state()[1].tobytes())  # noqa: NPY002
    random.seed(999)  # whatever the global state is, the sound is the same
    np.random.seed(999)  # noqa: NPY002
    again = parse_op(json.loads(json.dumps(to_dict(op))), Processor, where="test")
    assert again == op
    np.testing.assert_array_equal(again.apply(samples, sample_rate_hz), heard)
    random.setstate(states[0])
    np.testing.assert_array_equal(samples, before)
    assert heard.shape == samples.shape
    assert heard.dtype == np.float32
    assert np.isfinite(heard).all()
    (record,) = report["audiomentations"]
    json.dumps(record, allow_nan=False)
    return record


@pytest.mark.parametrize("transform", sorted(set(transforms()) - NEEDS_FILES))
def test_every_public_transform_keeps_the_contract(transform: str, speech_like: Speech) -> None:
    if transform in OPTIONAL:
        pytest.importorskip(OPTIONAL[transform])
    samples = speech_like(16000, 1.0)
    op = drawn(transform, samples.size, **ARGUMENTS.get(transform, {}))
    record = assert_contract(op, samples, 16000)
    assert record["transform"] == transform
    assert record["parameters"]["should_apply"] is True
    assert op.parameters is not None
    assert op.parameters["should_apply"] is True


@pytest.mark.parametrize("sample_rate_hz", [8000, 16000, 48000])
@pytest.mark.parametrize("seed", range(6))
def test_the_seven_band_equaliser_is_stable_at_every_rate(seed: int, sample_rate_hz: int, speech_like: Speech) -> None:
    """Its bands reach 9.5 kHz; run at 8 or 16 kHz, audiomentations 0.43 makes an unstable filter of them (NaN)."""
    samples = speech_like(sample_rate_hz, 1.0)
    op = drawn("SevenBandParametricEQ", samples.size, sample_rate_hz, seed)
    record = assert_contract(op, samples, sample_rate_hz)
    assert abs(record["gain_db"]) < 15  # no band moves by more than 12 dB


def test_the_inner_filters_drawn_numbers_are_recorded() -> None:
    """SevenBandParametricEQ's own `parameters` hold nothing but should_apply; the numbers are in its seven filters'."""
    op = drawn("SevenBandParametricEQ", 16000, min_gain_db=-3.0, max_gain_db=3.0)
    assert op.parameters is not None
    gains = [band["gain_db"] for band in op.parameters["peaking_filters"]]
    gains += [op.parameters[shelf]["gain_db"] for shelf in ("low_shelf_filter", "high_shelf_filter")]
    assert len(gains) == 7
    assert all(-3.0 <= gain <= 3.0 for gain in gains)


def test_a_recipe_whose_numbers_the_library_no_longer_draws_is_refused(speech_like: Speech) -> None:
    op = drawn("Gain", 16000)
    mapping = to_dict(op)
    mapping["parameters"]["amplitude_ratio"] += 0.01
    with pytest.raises(RoomtoneError, match="drew another amplitude_ratio than the recipe holds"):
        parse_op(mapping, Processor, where="test").apply(speech_like(16000, 1.0), 16000)


def test_parameters_that_depend_on_the_signal_are_not_promised(speech_like: Speech) -> None:
    """Normalize measures the signal's peak: in the record of a render, not in its recipe."""
    op = drawn("Normalize", 16000)
    assert op.parameters is not None
    assert "max_amplitude" not in op.parameters
    record = op.apply_measured(speech_like(16000, 1.0), 16000)[1]["audiomentations"][0]
    assert record["parameters"]["max_amplitude"] > 0


@pytest.mark.parametrize(
    "transform", ["LowPassFilter", "Mp3Compression", "RoomSimulator", "TanhDistortion", "BandPassFilter"]
)
def test_the_delay_of_a_transform_is_taken_out(transform: str, speech_like: Speech, lag: Lag) -> None:
    if transform in OPTIONAL:
        pytest.importorskip(OPTIONAL[transform])
    samples = speech_like(16000, 2.0)
    heard = drawn(transform, samples.size, **ARGUMENTS.get(transform, {})).apply(samples, 16000)
    assert abs(lag(samples, heard)) <= 1  # a minimum-phase filter's main tap and its correlation peak may lie one apart


def test_a_response_with_predelay_is_put_back_and_the_lag_is_recorded(
    tmp_path: Path, speech_like: Speech, lag: Lag
) -> None:
    """ApplyImpulseResponse leaves the predelay of its file in: 300 samples in, 300 samples late."""
    response = np.zeros(1200)
    response[300] = 1.0
    response[301:] = 0.02 * np.random.default_rng(0).normal(size=899) * np.exp(-np.arange(899) / 150)
    soundfile.write(tmp_path / "device.wav", response, 16000, subtype="FLOAT")
    samples = speech_like(16000, 2.0)
    op = drawn("ApplyImpulseResponse", samples.size, ir_path=str(tmp_path))
    record = assert_contract(op, samples, 16000)
    assert record["lag_samples"] == 300
    assert lag(samples, op.apply(samples, 16000)) == 0


def test_background_noise_is_reproduced_from_the_recipe(tmp_path: Path, speech_like: Speech) -> None:
    rng = np.random.default_rng(0)
    for index in range(3):
        soundfile.write(tmp_path / f"noise{index}.wav", 0.1 * rng.normal(size=48000), 16000)
    samples = speech_like(16000, 1.0)
    op = drawn("AddBackgroundNoise", samples.size, sounds_path=str(tmp_path), min_snr_db=5.0, max_snr_db=15.0)
    record = assert_contract(op, samples, 16000)
    assert record["lag_samples"] == 0
    assert 5.0 <= record["parameters"]["snr_db"] <= 15.0
    other = drawn("AddBackgroundNoise", samples.size, seed=1, sounds_path=str(tmp_path))
    assert not np.array_equal(other.apply(samples, 16000), op.apply(samples, 16000))


def test_silent_background_noise_is_an_error_and_not_a_clean_file(tmp_path: Path, speech_like: Speech) -> None:
    """audiomentations returns its input and still reports the SNR that it meant to set."""
    soundfile.write(tmp_path / "silence.wav", np.zeros(48000), 16000)
    samples = speech_like(16000, 1.0)
    op = drawn("AddBackgroundNoise", samples.size, sounds_path=str(tmp_path))
    with pytest.raises(RoomtoneError, match="AddBackgroundNoise: "):
        op.apply(samples, 16000)


def test_ray_traced_rooms_are_the_same_again(speech_like: Speech) -> None:
    """RoomSimulator's rays come from pyroomacoustics' own generator, which the two global seeds do not reach."""
    samples = speech_like(16000, 0.5)
    op = drawn("RoomSimulator", samples.size, use_ray_tracing=True, max_order=2)
    np.testing.assert_array_equal(op.apply(samples, 16000), op.apply(samples, 16000))


def test_a_filter_is_linear_so_that_stems_can_be_kept_apart(speech_like: Speech) -> None:
    speech, noise = speech_like(16000, 1.0), 0.05 * np.random.default_rng(0).normal(size=16000).astype(np.float32)
    op = drawn("SevenBandParametricEQ", 16000)
    np.testing.assert_allclose(
        op.linear_reference(speech, 16000) + op.linear_reference(noise, 16000),
        op.apply(speech + noise, 16000),
        atol=1e-5,
    )
    bent = drawn("TanhDistortion", 16000)
    np.testing.assert_array_equal(bent.linear_reference(speech, 16000), speech)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_a_probe_finds_the_delay_of_a_stage_and_imagines_none(rate: int) -> None:
    rng = np.random.default_rng(0)
    for delay in (0, 1, -1, 37, -5, 400):
        assert probed_delay(lambda probe, by=delay: np.tanh(np.roll(3 * probe, by)), rate, what="stage") == delay  # type: ignore[misc]
    for stage in (np.zeros_like, lambda probe: 0.1 * rng.normal(size=probe.size).astype(np.float32)):
        with pytest.raises(RoomtoneError, match="stage: its delay cannot be found with a probe signal: "):
            probed_delay(stage, rate, what="stage")
    assert {"Reverse", "TimeStretch"} <= TIME_CHANGING <= set(transforms())


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"transform": "SevenBandEQ"}, "did you mean 'SevenBandParametricEQ'"),
        ({"transform": "Compose"}, "unknown transform 'Compose'"),
        ({"transform": "OneOf"}, "unknown transform 'OneOf'"),
        ({"transform": "Lambda"}, "unknown transform 'Lambda'"),
        ({"transform": "BaseWaveformTransform"}, "unknown transform"),
        ({"transform": "os.system"}, "unknown transform"),
        ({"transform": "Gain", "min_gain": -3}, "unknown argument 'min_gain'; did you mean 'min_gain_db'"),
        ({"transform": "TimeMask", "min_band_prt": 0.1}, "did you mean 'min_band_part'"),
        ({"transform": "Gain", "p": 0.5}, "'p' is not allowed"),
        ({"transform": "Gain", "min_gain_db": 9.0, "max_gain_db": 3.0}, "audiomentations Gain: "),
        ({"transform": "Gain", "min_gain_db": "loud"}, "audiomentations Gain: "),
        ({"transform": "AddBackgroundNoise", "sounds_path": "/nowhere"}, "audiomentations AddBackgroundNoise: "),
        ({"min_gain_db": 3.0}, "'transform' is missing"),
    ],
)
def test_what_cannot_be_is_refused_at_load(mapping: dict, message: str) -> None:
    with pytest.raises(RoomtoneError, match=message):
        parse_op({"op": "audiomentations"} | mapping, Processor, where="test")


def test_a_filter_drawn_above_half_the_rate_is_refused() -> None:
    with pytest.raises(RoomtoneError, match="PeakingFilter: center_freq 13... Hz is not below half of 24000 Hz"):
        drawn("PeakingFilter", 16000, min_center_freq=13000.0, max_center_freq=13999.0)
