"""Chains, and every handset preset: shape, purity, length, alignment, same seed same PCM, recipe round trip, cost."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roomtone.augment.ops.channel import codec as codec_module
from roomtone.augment.ops.channel.chain import Chain, merge_reports
from roomtone.augment.ops.channel.filters import BandPass, Gain
from roomtone.augment.ops.channel.telephone_filter import TelephoneFilter
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Processor, parse_op, to_dict
from roomtone.augment.scenarios.presets import load_preset, packaged_dir, parse_preset, preset_names
from roomtone.core.errors import RoomtoneError

Speech = Callable[..., np.ndarray]
Lag = Callable[..., int]
PRESETS = preset_names("handset")


def preset(name: str) -> Chain:
    op = parse_preset("handset", name, load_preset("handset", name))
    assert isinstance(op, Chain)
    return op


def drawn(op: Processor, num_samples: int, sample_rate_hz: int, seed: int = 0) -> Chain:
    pinned = op.draw(np.random.default_rng(seed), DrawContext(num_samples, sample_rate_hz))
    assert isinstance(pinned, Chain)
    return pinned


def chain(*stages: dict) -> Chain:
    return parse_op({"op": "chain", "stages": list(stages)}, Chain, where="test")


def test_the_presets_that_are_promised_are_there() -> None:
    promised = {
        *("studio_reference", "smartphone_near", "smartphone_arm", "laptop_far", "headset", "speakerphone"),
        *("landline_mulaw", "landline_alaw", "digital_handset", "gsm", "wideband_p341", "voip_opus", "voip_opus_loss"),
        *("two_way_radio", "body_worn_recorder", "intercom"),
    }
    assert promised <= set(PRESETS)
    equalised = [name for name in PRESETS if "audiomentations" in str(load_preset("handset", name))]
    assert len(equalised) >= 2


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_says_what_it_is_and_where_each_number_is_from(name: str) -> None:
    text = (packaged_dir() / "handset" / f"{name}.yaml").read_text()
    assert text.startswith("# ")
    content = load_preset("handset", name)
    assert content["description"]
    assert content["source"]
    for line in text.splitlines()[1:]:
        key = line.strip()
        is_number = key[:1].isalpha() and ":" in key and not key.startswith(("description", "source", "op:", "stages"))
        assert not is_number or "#" in line, f"{name}: no source on {key!r}"


@pytest.mark.parametrize("sample_rate_hz", [8000, 16000, 48000])
@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_keeps_the_contract(name: str, sample_rate_hz: int, speech_like: Speech, lag: Lag) -> None:
    samples = speech_like(sample_rate_hz, 2.0)[:-5]
    before = samples.copy()
    op = drawn(preset(name), samples.size, sample_rate_hz)
    again = parse_op(json.loads(json.dumps(to_dict(op), allow_nan=False)), Processor, where="test")
    assert again == op
    assert drawn(preset(name), samples.size, sample_rate_hz) == op
    heard, report = op.apply_measured(samples, sample_rate_hz)
    np.testing.assert_array_equal(again.apply(samples, sample_rate_hz), heard)
    np.testing.assert_array_equal(samples, before)
    assert heard.shape == samples.shape
    assert heard.dtype == np.float32
    assert np.isfinite(heard).all()
    assert {key: report.get(key) for key in op.asked_codec()} == op.asked_codec()
    json.dumps(report, allow_nan=False)
    # Against what the linear stages make of the speech, the delay is zero. Against the speech itself it is zero too; but
    # audiomentations' equaliser is minimum-phase, and its dispersion moves the peak of a voice's correlation by up to
    # 0.3 ms without delaying anything. So does the high-pass of WebRTC, RNNoise, Opus and AMR-NB.
    reference = op.linear_reference(samples, sample_rate_hz)
    assert reference.shape == samples.shape
    if "time_map" in report:  # time is stretched: `test_jitter` measures where
        return
    assert lag(reference, heard) == 0
    dispersive = any(
        name in str(to_dict(op)) for name in ("SevenBandParametricEQ", "webrtc", "rnnoise", "opus", "amr_nb")
    )
    assert abs(lag(samples, heard)) <= (0.0003 * sample_rate_hz if dispersive else 0)


@pytest.mark.parametrize("name", [name for name in PRESETS if "jitter" not in str(load_preset("handset", name))])
def test_each_preset_stays_aligned_in_noise_at_0_db(name: str, speech_like: Speech, lag: Lag) -> None:
    speech = speech_like(16000, 2.0)
    noise = (0.05 * np.random.default_rng(5).normal(size=speech.size)).astype(np.float32)
    op = drawn(preset(name), speech.size, 16000, seed=1)
    assert lag(op.linear_reference(speech + noise, 16000), op.apply(speech + noise, 16000)) == 0


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_keeps_the_speech_near_its_level(name: str, speech_like: Speech) -> None:
    """Between -12 and +14 dB: nothing drowns in self-noise or quantising, nothing is driven into the rails throughout."""
    speech = speech_like(16000, 2.0)
    heard, report = drawn(preset(name), speech.size, 16000).apply_measured(speech, 16000)
    change_db = 10 * np.log10((heard.astype(np.float64) ** 2).sum() / (speech.astype(np.float64) ** 2).sum())
    assert -12 < change_db < 14
    assert report.get("clipped_share", 0.0) < 0.1


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_takes_silence_and_files_of_no_length(name: str) -> None:
    op = drawn(preset(name), 1600, 16000)
    assert np.abs(op.apply(np.zeros(1600, np.float32), 16000)).max() < 0.1
    if "audiomentations" not in str(to_dict(op)):
        assert op.apply(np.zeros(0, np.float32), 16000).shape == (0,)


def test_a_stage_added_at_the_end_moves_no_other_draw() -> None:
    stages = [
        {"op": "self_noise", "level_dbov": [-70, -50]},
        {"op": "band_pass", "low_hz": [100, 400], "high_hz": [3000, 4000]},
    ]
    short = drawn(chain(*stages), 16000, 16000)
    long = drawn(chain(*stages, {"op": "packet_loss", "loss": 0.1}), 16000, 16000)
    assert long.stages[:2] == short.stages
    longer_first = drawn(chain({"op": "agc", "release_s": [0.1, 1.0]}, *stages[1:]), 16000, 16000)
    assert longer_first.stages[1] == short.stages[1]


def test_equal_stages_draw_differently_and_seeds_differ() -> None:
    noise = {"op": "self_noise", "level_dbov": [-70, -50]}
    first = drawn(chain(noise, noise), 16000, 16000)
    assert first.stages[0] != first.stages[1]
    assert first != drawn(chain(noise, noise), 16000, 16000, seed=1)


def test_chains_nest_and_are_the_same_as_flat_ones(speech_like: Speech) -> None:
    filters = [{"op": "telephone_filter", "name": "msin"}, {"op": "level", "gain_db": -3.0}]
    samples = speech_like(16000, 0.5)
    flat = drawn(chain(*filters, {"op": "clip", "level_dbov": -20.0}), samples.size, 16000)
    nested = drawn(chain({"op": "chain", "stages": filters}, {"op": "clip", "level_dbov": -20.0}), samples.size, 16000)
    np.testing.assert_array_equal(flat.apply(samples, 16000), nested.apply(samples, 16000))
    assert parse_op(to_dict(nested), Processor, where="test") == nested
    assert flat.apply_measured(samples, 16000)[1] == nested.apply_measured(samples, 16000)[1]


def test_codecs_in_tandem_are_both_named() -> None:
    op = drawn(chain({"op": "codec", "codec": "g711_alaw"}, {"op": "codec", "codec": "opus"}), 16000, 16000)
    _, report = op.apply_measured(np.zeros(16000, np.float32), 16000)
    assert op.asked_codec() == {"codec": "g711_alaw+opus", "codec_rate_hz": 8000}
    assert (report["codec"], report["codec_rate_hz"]) == ("g711_alaw+opus", 8000)


def test_reports_merge_by_what_they_count() -> None:
    merged = merge_reports({"clipped_share": 0.7, "lost_share": 0.5}, {"clipped_share": 0.6, "lost_share": 0.5})
    assert merged == {"clipped_share": 1.0, "lost_share": 0.75}
    assert merge_reports({}, {"codec": "opus"}) == {"codec": "opus"}


def test_a_swapped_codec_in_a_preset_is_caught(monkeypatch: pytest.MonkeyPatch, speech_like: Speech) -> None:
    encode = codec_module._encode
    monkeypatch.setattr(codec_module, "_encode", lambda pcm, _codec, rate, level: encode(pcm, "gsm_fr", rate, level))
    with pytest.raises(RoomtoneError, match="asked g711_mulaw at 8000 Hz, the stream is gsm_fr"):
        drawn(preset("landline_mulaw"), 16000, 16000).apply(speech_like(16000, 1.0), 16000)


def test_a_stage_that_makes_nonsense_is_named() -> None:
    op = drawn(chain({"op": "level", "gain_db": 0.0}, {"op": "level", "gain_db": 800.0}), 10, 16000)
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(RoomtoneError, match=r"stage 1 \(op level\): 10 samples in, 10 out, 10 of them not finite"),
    ):
        op.apply(np.ones(10, np.float32), 16000)


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        ([{"op": "agc", "max_gain": 3}], r"stages\[0\].*did you mean 'max_gain_db'"),
        ([{"op": "level"}, {"op": "codecc"}], r"stages\[1\].*did you mean 'codec'"),
        ([{"op": "codec", "_target_": "os.system"}], "data, not a program"),
        (["level"], "expected a mapping"),
        ({"op": "level"}, "expected a list"),
    ],
)
def test_what_is_wrong_in_a_stage_is_said_with_its_place(stages: object, message: str) -> None:
    with pytest.raises(RoomtoneError, match=message):
        parse_op({"op": "chain", "stages": stages}, Processor, where="preset")


STAGES = st.sampled_from(
    [
        {"op": "response", "points": [[200.0, -6.0], [1000.0, 0.0], [3000.0, 5.0]]},
        {"op": "telephone_filter", "name": "irs_send"},
        {"op": "telephone_filter", "name": "p341_send"},
        {"op": "band_pass", "low_hz": [100, 300], "high_hz": [3000, 7000]},
        {"op": "level", "gain_db": [-6, 6]},
        {"op": "self_noise", "level_dbov": [-70, -50]},
        {"op": "agc", "release_s": [0.1, 1.0]},
        {"op": "limiter", "threshold_dbov": [-12, -3]},
        {"op": "clip", "level_dbov": [-12, -3], "kind": "soft"},
        {"op": "codec", "codec": "g711_mulaw"},
        {"op": "codec", "codec": "ima_adpcm"},
        {"op": "packet_loss", "loss": [0.0, 0.1], "mean_burst_frames": [1.0, 3.0], "concealment": "pitch"},
        {"op": "audiomentations", "transform": "TanhDistortion"},
    ]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stages=st.lists(STAGES, min_size=1, max_size=6),
    seed=st.integers(0, 1000),
    rate=st.sampled_from([8000, 11025, 16000]),
    size=st.integers(1, 6000),
)
def test_any_chain_keeps_length_type_purity_and_its_recipe(stages: list, seed: int, rate: int, size: int) -> None:
    samples = (0.1 * np.random.default_rng(seed).normal(size=size)).astype(np.float32)
    before = samples.copy()
    op = drawn(chain(*stages), size, rate, seed)
    heard = op.apply(samples, rate)
    again = parse_op(json.loads(json.dumps(to_dict(op))), Processor, where="test")
    assert again == op
    np.testing.assert_array_equal(again.apply(samples, rate), heard)
    np.testing.assert_array_equal(samples, before)
    assert (heard.shape, heard.dtype) == (samples.shape, np.float32)


def test_linear_stages_that_meet_are_one_filter():
    """What two filters and a gain make one after another, their convolution makes at once: away from the ends of the file, exactly."""
    stages = (BandPass(300.0, 3400.0), TelephoneFilter("irs_send"), Gain(-6.0))
    rng = np.random.default_rng(3)
    samples = (0.1 * rng.standard_normal(16000)).astype(np.float32)
    one_by_one = samples
    for stage in stages:
        one_by_one = stage.apply(one_by_one, 16000)
    together = Chain(stages).linear_reference(samples, 16000)
    np.testing.assert_allclose(together[3000:-3000], one_by_one[3000:-3000], atol=2e-6)
