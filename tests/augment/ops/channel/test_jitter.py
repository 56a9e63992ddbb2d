"""A jitter buffer: its time map, its pitch, its losses and what it adds, measured by code that shares nothing with it."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from scipy.signal import butter, correlate, sosfiltfilt

from roomtone.augment import Condition
from roomtone.augment.ops.channel.chain import Chain, merge_reports
from roomtone.augment.ops.channel.streams.coded_stream import CodedStream
from roomtone.augment.ops.channel.streams.jitter import Jitter
from roomtone.augment.ops.channel.streams.libraries import Opus, StreamSettings
from roomtone.augment.ops.channel.streams.time_scaling import Splice, time_report
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Processor, parse_op, to_dict
from roomtone.augment.scenarios.presets import parse_preset
from roomtone.core.audio.time_map import mapped, then
from roomtone.core.errors import RoomtoneError

RATES = [8000, 16000, 24000, 44100, 48000]
PRESETS = ["voip_opus_jitter", "smartphone_jitter"]
#: A network on which the buffer has much to do.
RESTLESS = Jitter(mean_ms=15.0, outages_per_minute=30.0, outage_ms=120.0)
#: Packets before the file.
HISTORY = 300


@functools.cache
def demo(rate: int, files: int = 4) -> np.ndarray:
    """Some sentences of the demo corpus, at an RMS of 0.05."""
    import roomtone.augment.corpora as corpora

    names = sorted((Path(corpora.__file__).parent / "demo_data").glob("*.flac"))
    samples = np.concatenate([soundfile.read(name, dtype="float32")[0] for name in names[:files]])
    samples = soxr.resample(samples, 16000, rate)
    return (samples * (0.05 / np.sqrt((samples**2).mean()))).astype(np.float32)


def hum(rate: int, seconds: float = 10.0) -> np.ndarray:
    """Noise between 300 and 1500 Hz, which every codec of speech carries and no period repeats."""
    white = np.random.default_rng(3).standard_normal(round(seconds * rate))
    band = sosfiltfilt(butter(4, (300.0, 1500.0), "bandpass", fs=rate, output="sos"), white)
    return (band * (0.05 / band.std())).astype(np.float32)


def drawn(op: CodedStream, samples: np.ndarray, rate: int, seed: int = 1) -> CodedStream:
    return op.draw(np.random.default_rng(seed), DrawContext(samples.size, rate))


def places(time_map: list[list[float]], step_s: float) -> np.ndarray:
    return np.arange(0.1, time_map[-1][0] - 0.1, step_s)


def local_lags_s(clean: np.ndarray, heard: np.ndarray, at_s: np.ndarray, rate: int, length_s: float, reach_s: float):
    """Return by how much what is about each time is heard later, and how well it matches: the peak of a normalised cross-correlation."""
    half, reach = round(0.5 * length_s * rate), round(reach_s * rate)
    padded = np.pad(heard.astype(np.float64), half + reach)
    lags, matches = [], []
    for time_s in at_s:
        middle = round(time_s * rate)
        part = clean[max(middle - half, 0) : middle + half].astype(np.float64)
        first = max(middle - half, 0)
        around = padded[first + half : first + half + part.size + 2 * reach]
        scores = correlate(around, part, mode="valid", method="fft")
        sums = np.concatenate([[0.0], np.cumsum(around**2)])
        energy = np.sqrt(np.maximum(sums[part.size :] - sums[: -part.size], 1e-12) * max(float(part @ part), 1e-12))
        best = int(np.argmax(scores / energy))
        lags.append((best - reach) / rate)
        matches.append(float(scores[best] / energy[best]))
    return np.array(lags), np.array(matches)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("codec", ["opus", "g711_alaw", "amr_nb"])
def test_where_the_map_says_the_noise_is_heard(codec: str, rate: int) -> None:
    """Bands of noise repeat nowhere, so that each window of 80 ms tells its own delay, within 250 ms either way.

    A window about a splice holds two delays, one about a lost frame what the decoder made: these tell less. The others are all right.
    """
    clean = hum(rate)
    op = drawn(CodedStream(codec, jitter=RESTLESS), clean, rate)  # type: ignore[arg-type]
    heard, report = op.apply_measured(clean, rate)
    assert heard.shape == clean.shape
    time_map = report["time_map"]
    assert report["time_added_s"] + report["time_removed_s"] > 0.05
    at_s = places(time_map, 0.02)
    lags_s, matches = local_lags_s(clean, heard, at_s, rate, 0.08, 0.25)
    expected_s = mapped(time_map, at_s) - at_s
    right = np.abs(lags_s - expected_s) < 0.002
    clear = matches > 0.8
    assert clear.mean() > 0.5
    assert right[clear].mean() > 0.97
    still = np.abs(mapped(time_map, at_s + 0.06) - mapped(time_map, at_s - 0.06) - 0.12) < 1e-6
    assert right[clear & still].all()
    assert (expected_s[clear & still].max() - expected_s[clear & still].min()) > 0.02  # there was something to measure
    # a wrong map would be found out
    assert (np.abs(lags_s - expected_s - 0.005) < 0.002)[clear].mean() < 0.1


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("codec", "inner_hz"), [("opus", 16000), ("opus", 8000), ("gsm_fr", 8000)])
def test_where_the_map_says_speech_is_heard(codec: str, inner_hz: int, rate: int) -> None:
    clean = demo(rate)
    op = drawn(CodedStream(codec, rate_hz=inner_hz, jitter=RESTLESS), clean, rate, seed=2)  # type: ignore[arg-type]
    heard, report = op.apply_measured(clean, rate)
    assert report["time_added_s"] + report["time_removed_s"] > 0.05
    at_s = places(report["time_map"], 0.05)
    lags_s, matches = local_lags_s(clean, heard, at_s, rate, 0.2, 0.2)
    loud = np.array(
        [np.sqrt((clean[max(round((t - 0.1) * rate), 0) :][: round(0.2 * rate)] ** 2).mean()) for t in at_s]
    )
    kept = (loud > 0.02) & (matches > 0.7)
    assert kept.mean() > 0.3
    error_s = np.abs(lags_s - (mapped(report["time_map"], at_s) - at_s))[kept]
    # a window of 200 ms may hold two splices of up to 15 ms, and lost frames, for which a voice matches a period off
    assert np.median(error_s) < 0.001
    assert (error_s < 0.005).mean() > 0.85
    assert (error_s < 0.016).mean() > 0.98


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("pitch_hz", [93.7, 187.0, 311.0])
def test_the_pitch_stays(pitch_hz: float, rate: int) -> None:
    """Counted by the phase of the fundamental from one splice to the next: within 0.5 %."""
    n = np.arange(10 * rate)
    tone = sum(np.cos(2 * np.pi * k * pitch_hz * n / rate + k * k) / k for k in range(1, 8) if k * pitch_hz < 3400)
    clean = (0.05 * tone).astype(np.float32)
    op = drawn(CodedStream("opus", kbit_s=48.0, jitter=RESTLESS), clean, rate)
    heard, report = op.apply_measured(clean, rate)
    assert report["time_added_s"] + report["time_removed_s"] > 0.05
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(heard.size), 8 * heard.size))
    near = np.fft.rfftfreq(8 * heard.size, 1 / rate)
    band = (near > 0.8 * pitch_hz) & (near < 1.2 * pitch_hz)
    assert near[band][np.argmax(spectrum[band])] == pytest.approx(pitch_hz, rel=0.005)
    size = round(0.1 * rate)
    wave = np.exp(-2j * np.pi * pitch_hz * n / rate)
    phases = np.array([np.angle((heard * wave)[k : k + size].sum()) for k in range(rate, 9 * rate, size // 2)])
    turns = np.abs(np.angle(np.exp(1j * np.diff(phases)))) / (2 * np.pi) / (0.05 * pitch_hz)
    assert np.median(turns) < 0.005  # between splices
    assert np.mean(turns < 0.02) > 0.85  # and hardly any splice breaks the phase


def test_time_is_added_and_taken_as_the_row_says() -> None:
    clean = demo(16000, 8)
    for seed in range(6):
        heard, report = drawn(CodedStream("opus", jitter=RESTLESS), clean, 16000, seed).apply_measured(clean, 16000)
        (first, begins), (last, ends) = report["time_map"][0], report["time_map"][-1]
        assert first == 0.0
        assert last == pytest.approx(clean.size / 16000, abs=1e-6)
        net_s = report["time_added_s"] - report["time_removed_s"]
        assert ends - begins == pytest.approx(last + net_s, abs=2e-6)
        assert -max(net_s, 0.0) <= begins + 1e-6 <= 1e-6  # what does not fit is left out at either end, no more
        steps = np.diff(np.array(report["time_map"]), axis=0)
        assert (steps > 0).all()
        assert heard.size == clean.size


def test_a_splice_over_the_end_of_the_file_counts_by_what_lies_in_it() -> None:
    """The story: a whole period was counted though the map ended in the middle of it, so that the figures did not fit the map."""
    rate, seconds, partly = 16000, 1.0, 0
    for at in range(15000, 16400, 50):
        for samples in (200, -200):
            report = time_report([Splice(8000, 100), Splice(at, samples)], 104, 104, seconds, rate)
            (_, begins), (last, ends) = report["time_map"][0], report["time_map"][-1]
            assert last == seconds
            assert report["time_added_s"] - report["time_removed_s"] == pytest.approx(ends - begins - seconds, abs=2e-6)
            of_it = report["time_added_s"] - 100 / rate if samples > 0 else report["time_removed_s"]
            assert -1e-9 <= of_it <= abs(samples) / rate + 1e-9
            partly += 0.1 < of_it * rate / abs(samples) < 0.9
    assert partly > 4


def test_two_buffers_add_and_remove_what_their_common_map_says() -> None:
    """The figures were added up, also those of splices in a part that the first buffer's map does not reach."""
    first = {"time_map": [[0.0, 0.0], [0.5, 0.3], [1.0, 0.8]], "time_added_s": 0.0, "time_removed_s": 0.2}
    second = {"time_map": [[0.0, 0.0], [0.9, 0.9], [1.0, 1.1]], "time_added_s": 0.1, "time_removed_s": 0.0}
    both = merge_reports(first, second)
    assert (both["time_added_s"], both["time_removed_s"]) == (0.0, 0.2)
    clean = demo(16000)
    stages = tuple(drawn(CodedStream("g711_alaw", jitter=RESTLESS), clean, 16000, seed) for seed in (1, 2))
    report = Chain(stages).apply_measured(clean, 16000)[1]
    (start, begins), (last, ends) = report["time_map"][0], report["time_map"][-1]
    assert report["time_added_s"] - report["time_removed_s"] == pytest.approx(ends - begins - last + start, abs=2e-4)


def test_of_what_does_not_fit_the_quieter_end_goes() -> None:
    """A pause of half a second before a voice or behind it: nothing of the voice is left out, though up to 0.3 s do not fit."""
    rate = 16000
    voice = hum(rate, 6.0)
    pause = 1e-4 * hum(rate, 0.5)
    cut, spare = [], []
    for parts in ([pause, voice], [voice, pause]):
        clean = np.concatenate(parts)
        for seed in range(8):
            op = drawn(CodedStream("g711_alaw", jitter=RESTLESS), clean, rate, seed)
            time_map = op.apply_measured(clean, rate)[1]["time_map"]
            first_s, last_s = (0.5, 6.5) if parts[0] is pause else (0.0, 6.0)
            heard_s = mapped(time_map, np.array([first_s, last_s]))
            cut.append(max(-heard_s[0], heard_s[1] - 6.5))
            spare.append(max(-time_map[0][1], time_map[-1][1] - 6.5))
    assert max(cut) < 0.001
    assert max(spare) > 0.05


@pytest.mark.parametrize("codec", ["opus", "lc3", "amr_nb", "gsm_fr", "g711_mulaw", "g711_alaw"])
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_without_jitter_it_is_the_plain_stream(codec: str, rate: int) -> None:
    clean = demo(rate, 1)
    plain = drawn(CodedStream(codec, loss=0.05), clean, rate)  # type: ignore[arg-type]
    still = drawn(CodedStream(codec, loss=0.05, jitter=Jitter(0.0)), clean, rate)  # type: ignore[arg-type]
    assert still.lost_frames == plain.lost_frames
    heard, report = still.apply_measured(clean, rate)
    expected, said = plain.apply_measured(clean, rate)
    np.testing.assert_array_equal(heard, expected)
    seconds = round(clean.size / rate, 6)
    assert report == said | {"time_map": [[0.0, 0.0], [seconds, seconds]], "time_added_s": 0.0, "time_removed_s": 0.0}


@pytest.mark.parametrize(
    ("shape", "per_minute", "outage_ms"), [(1.0, 0.0, 1.0), (1.0, 20.0, 120.0), (3.0, 60.0, 60.0), (1.0, 300.0, 100.0)]
)
def test_as_many_come_late_as_the_closed_form_says(shape: float, per_minute: float, outage_ms: float) -> None:
    """F(q) * product of 1 - p exp(-(q + j T) / M): within five standard deviations over runs of their own."""
    from scipy.stats import gamma

    q, frame_ms, mean_ms, frames = 60.0, 20.0, 18.0, 2000
    chance = per_minute * frame_ms / 60_000
    outages = np.prod(1 - chance * np.exp(-(q + frame_ms * np.arange(500)) / outage_ms))
    late = 1 - gamma.cdf(q, shape, scale=mean_ms / shape) * outages
    op = Jitter(mean_ms, shape, per_minute, outage_ms)
    shares = []
    for seed in range(100):
        delays = op.draw(np.random.default_rng(seed), frames, frame_ms).delays_ms
        assert len(delays) == HISTORY + frames
        shares.append(np.mean(np.array(delays[HISTORY:]) > q))
    assert np.mean(shares) == pytest.approx(late, abs=5 * np.std(shares) / 10)
    assert late > 0.001


@pytest.mark.parametrize("codec", ["opus", "g711_mulaw"])
def test_a_buffer_that_stays_loses_what_comes_later(codec: str) -> None:
    """Of a playout delay of 60 ms each packet that was drawn later is lost, and no other; what the network drops is lost besides."""
    clean = demo(16000)
    fixed = Jitter(20.0, outages_per_minute=30.0, lowest_ms=60.0, highest_ms=60.0)
    op = drawn(CodedStream(codec, loss=0.02, jitter=fixed), clean, 16000)  # type: ignore[arg-type]
    assert op.jitter is not None
    late = {k for k, delay in enumerate(op.jitter.delays_ms[HISTORY:]) if delay > 60}
    heard, report = op.apply_measured(clean, 16000)
    assert len(late) > 10
    assert report["frames_lost"] == len(late | set(op.lost_frames))
    assert report["time_added_s"] == report["time_removed_s"] == 0.0
    expected = dataclasses.replace(op, lost_frames=tuple(sorted(late | set(op.lost_frames))), jitter=None)
    np.testing.assert_array_equal(heard, expected.apply(clean, 16000))
    assert report["frames_affected"] >= report["frames_lost"] * 0.5


def test_the_target_follows_the_delays_and_the_playout_the_target() -> None:
    """Packets that all wait 10 ms, then up to 90 ms, then 10 ms again: stretched by some 80 ms in all, shortened by as much at the end."""
    rate, frames = 16000, 900
    clean = hum(rate, 18.0)
    waits = np.full(frames, 10)
    waits[300:600:8] = 90
    jitter = Jitter(1.0, delays_ms=(*([10] * HISTORY), *waits.tolist()))
    report = drawn(CodedStream("g711_alaw", jitter=jitter), clean, rate).apply_measured(clean, rate)[1]
    shift_ms = 1000 * np.diff(np.array(report["time_map"]), axis=1)[:, 0]
    at_s = np.array(report["time_map"])[:, 0]
    shift_ms = np.interp([5.9, 11.9, 17.9], at_s, shift_ms - shift_ms[0])
    assert abs(shift_ms[0]) < 0.001
    assert (
        50.0 <= shift_ms[1] <= 80.0
    )  # target 100 ms after 20 ms: stretched to 75 ms at least, by periods of up to 15 ms
    assert -0.1 <= shift_ms[2] <= 25.0  # shortened to within 20 ms of the target
    # the first three that wait are late, while the target is still below them; with 75 ms of delay, 90 ms are too late too
    assert report["frames_lost"] >= 3


def test_fec_helps_only_where_the_next_packet_is_there() -> None:
    settings = StreamSettings(16000, 320, 24.0, fec=True, expected_loss=0.1)
    frames = (demo(16000, 1)[: 100 * 320] * 32768).astype(np.int16).reshape(-1, 320)
    packets = [None if k % 10 == 9 else packet for k, packet in enumerate(Opus().encode(frames, settings))]
    there = Opus().decode(packets, settings, [True] * 100)
    never = Opus().decode(packets, settings, [False] * 100)
    np.testing.assert_array_equal(there, Opus().decode(packets, settings))
    np.testing.assert_array_equal(never, Opus().decode(packets, dataclasses.replace(settings, fec=False)))
    assert (there != never).any()


def test_a_settled_stream_treats_other_signals_alike() -> None:
    clean, noise = demo(16000), 0.3 * hum(16000, 20.0)[: demo(16000).size]
    op = drawn(CodedStream("opus", jitter=RESTLESS), clean, 16000)
    settled = op.settled(clean + noise, 16000)
    whole, report = op.apply_measured(clean + noise, 16000)
    np.testing.assert_array_equal(settled.apply(clean + noise, 16000), whole)
    assert settled.apply_measured(clean, 16000)[1]["time_map"] == report["time_map"]
    assert op.apply_measured(clean, 16000)[1]["time_map"] != report["time_map"]
    assert parse_op(json.loads(json.dumps(to_dict(settled))), Processor, where="test") == settled
    chain = Chain((CodedStream("g711_alaw", lost_frames=()), op, CodedStream("g711_alaw", lost_frames=())))
    assert chain.settled(clean, 16000).stages[1] != op
    np.testing.assert_array_equal(chain.settled(clean, 16000).apply(clean, 16000), chain.apply(clean, 16000))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_hold_their_labels_and_state_a_map(name: str, rate: int) -> None:
    condition = Condition(handset=name, noise="pink@5dB")
    made = condition.render(demo(rate, 1), rate, key=4)
    said = made.measured
    assert said["delay_samples"] is said["measured_delay_samples"] is None
    assert "jitter buffer" in json.loads(said["unmeasured"])["delay_samples"]
    assert said["measured_snr_db"] == pytest.approx(5, abs=0.1)
    assert said["active_level_dbov"] == pytest.approx(said["level_dbov"], abs=0.1)
    assert said["time_added_s"] >= 0.0
    assert json.loads(said["time_map"])[0][0] == 0.0
    assert np.array_equal(made.pcm, condition.render(demo(rate, 1), rate, key=4).pcm)


def test_the_snr_behind_the_buffer_is_told() -> None:
    """The same draws on a network without jitter tell nearly the same SNR: stretching moves the background, and changes it hardly."""
    told = []
    for key in range(4):
        said = Condition(handset="voip_opus_jitter", noise="pink@10dB").render(demo(16000, 2), 16000, key=key).measured
        plain = Condition(handset="voip_opus", noise="pink@10dB").render(demo(16000, 2), 16000, key=key).measured
        told.append((said["output_snr_db"], plain["output_snr_db"]))
    assert all(snr is not None for pair in told for snr in pair)
    assert max(abs(with_jitter - plain) for with_jitter, plain in told) < 2.0


def test_maps_follow_one_another() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        first, second = (np.cumsum(rng.uniform(0.1, 1.0, (6, 2)), axis=0).tolist() for _ in range(2))
        both = then(first, second)
        times = np.linspace(first[0][0], first[-1][0], 200)
        np.testing.assert_allclose(
            mapped(both, times), mapped(second, mapped(first, times)), atol=1e-5
        )  # points are rounded


@pytest.mark.slow
def test_a_talker_who_walks_is_heard_through_both_maps() -> None:
    clean = demo(16000, 1)
    condition = Condition(room="ward_walk", handset="smartphone_jitter")
    for key in range(10):  # some files are not stretched at all
        made = condition.render(clean, 16000, key=key)
        if made.measured["time_added_s"] + made.measured["time_removed_s"] > 0.0:
            break
    assert made.measured["delay_samples"] is made.measured["measured_delay_samples"] is None
    handset = parse_op(condition.recipe(clean.size, 16000, key=key).handset, Processor, where="test")
    assert isinstance(handset, Chain)
    sent, reserve = made.stems.lasting().microphone(), made.stems.reserve[0].size
    played = handset.settled(sent, 16000, reserve).apply_measured(sent, 16000)[1]["time_map"]
    assert len(played) > 2
    walked = made.stems.walk.time_map  # type: ignore[union-attr]
    sent_s = np.linspace(0.0, walked[-1][0], 100)
    heard_s = mapped(json.loads(made.measured["time_map"]), sent_s)
    np.testing.assert_allclose(heard_s, mapped(played, mapped(walked, sent_s)), atol=1e-5)
    assert np.abs(heard_s - mapped(walked, sent_s)).max() > 0.001


@pytest.mark.parametrize(
    ("jitter", "message"),
    [
        ({"mean_ms": -1}, "jitter, mean_ms: must lie in 0..1000, got -1.0$"),
        ({"mean_ms": 5000}, "jitter, mean_ms: must lie in 0..1000, got 5000.0$"),
        ({"mean_ms": 10, "outage_ms": 0.1}, r"outage_ms: must lie in 1..5000, got 0.1 \(in seconds\?\)$"),
        ({"mean_ms": 10, "outage_ms": [-0.1, -0.05]}, r"outage_ms: must lie in 1..5000, got \[-0.1, -0.05\]$"),
        ({"mean_ms": 10, "lowest_ms": 50, "highest_ms": 40}, "highest_ms: must lie in 50..2000"),
        ({"mean_ms": 10, "quantile": 97}, "quantile: must lie in 0.5..1"),
        ({"mean": 10}, "jitter: unknown key 'mean'; did you mean 'mean_ms'.$"),
        (
            {"mean_ms": 10, "delay": 3},
            r"jitter: unknown key 'delay'; known: \w+(, (?!delays_ms|splices|file_start|reserve)\w+)+$",
        ),
        ({}, "jitter: the key 'mean_ms' is missing"),
        ({"mean_ms": [15.0, 5.0]}, r"jitter, mean_ms: expected \[low, high\] with low <= high, got \[15.0, 5.0\]$"),
        ({"mean_ms": 5, "outages_per_minute": [9, 1]}, r"outages_per_minute: expected \[low, high\] with low <= high"),
        ({"mean_ms": "much"}, r"mean_ms: expected a number or \[low, high\], got 'much'$"),
        (15.0, r"jitter: expected a mapping of mean_ms, shape, [\w, ]*lowest_ms, highest_ms, got 15.0$"),
        ({"mean_ms": 10, "delays_ms": [1, 2]}, "jitter: 'delays_ms' is drawn; leave it out$"),
        ({"mean_ms": 10, "splices": 7}, "jitter: 'splices' is drawn; leave it out$"),
        ({"mean_ms": 10, "file_start_samples": 0}, "jitter: 'file_start_samples' is drawn; leave it out$"),
        ({"mean_ms": 10, "reserve_samples": 9}, "jitter: 'reserve_samples' is drawn; leave it out$"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_what_a_network_cannot_be_is_refused_at_load(jitter: object, message: str, nested: bool) -> None:
    """Ranges upside down were drawn from, and a key with a slip was quoted with its whole place as the key."""
    preset: dict = {"op": "coded_stream", "codec": "opus", "jitter": jitter}
    place = r"\(op coded_stream\), "
    if nested:
        preset, place = {"op": "chain", "stages": [preset]}, r"\(op chain\), stages\[0\] " + place
    with pytest.raises(RoomtoneError, match="^handset preset 'test' " + place + ".*" + message):
        parse_preset("handset", "test", preset)


def test_a_network_on_which_nothing_comes_in_time_is_named(tmp_path: Path) -> None:
    """It said "no speech is left behind the handset: what its stages make of it is silence", of which handset and why was not said."""
    (tmp_path / "handset").mkdir()
    late = "op: coded_stream\ncodec: g711_alaw\njitter: {mean_ms: 900, shape: 100, highest_ms: 100}\n"
    (tmp_path / "handset" / "too_late.yaml").write_text("description: t\nsource: t\n" + late)
    for condition in ("too_late", "white@10dB+too_late"):
        said = (
            "^"
            + re.escape(condition)
            + ": no (active )?speech is left .* all packets were lost or came too late .* raise highest_ms$"
        )
        with pytest.raises(RoomtoneError, match=said):
            Condition(condition, config_dir=tmp_path).render(demo(16000, 1), 16000, key="1")


def test_a_recipe_has_what_a_preset_may_not() -> None:
    op = drawn(CodedStream("opus", jitter=RESTLESS), demo(16000, 1), 16000)
    assert parse_op(json.loads(json.dumps(to_dict(op))), Processor, where="test") == op


def test_a_codec_without_concealment_has_no_jitter() -> None:
    with pytest.raises(RoomtoneError, match="conceals no lost frame"):
        CodedStream("msbc", jitter=Jitter(10.0))
    with pytest.raises(RoomtoneError, match="not drawn yet"):
        CodedStream("g711_alaw", lost_frames=(), jitter=Jitter(10.0)).apply(demo(16000, 1), 16000)
