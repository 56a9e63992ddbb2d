"""What phones and links do, by their own libraries: how much is suppressed, how the gain moves, what a lost frame does to those after it."""

from __future__ import annotations

import itertools
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy.ndimage import uniform_filter1d
from scipy.signal import istft, stft

from roomtone.augment import Condition, active_speech_level
from roomtone.augment.ops import packages
from roomtone.augment.ops.channel.packet_loss import frames_affected
from roomtone.augment.ops.channel.streams.coded_stream import CodedStream
from roomtone.augment.ops.channel.suppression import Rnnoise, Webrtc
from roomtone.augment.ops.draw_context import DrawContext
from roomtone.augment.ops.table import Processor, parse_op
from roomtone.augment.rendering.handset_output import HandsetOutput
from roomtone.augment.rendering.mixing import Stems
from roomtone.augment.rendering.separation import separation
from roomtone.core.errors import RoomtoneError

RATE = 16000
NEW = ["smartphone_2026", "laptop_meeting", "earbuds_bluetooth", "earbuds_le_audio", "car_kit", "smart_speaker_far"]


@pytest.fixture(scope="module")
def voice() -> np.ndarray:
    """A sentence of the demo corpus at an RMS of 0.05."""
    import roomtone.augment.corpora as corpora

    file = sorted((Path(corpora.__file__).parent / "demo_data").glob("*.flac"))[0]
    samples, rate = soundfile.read(file, dtype="float32")
    assert rate == RATE
    return (samples * (0.05 / np.sqrt((samples**2).mean()))).astype(np.float32)


def level_db(samples: np.ndarray) -> float:
    return 10 * np.log10((samples.astype(np.float64) ** 2).mean())


def white(seconds: float, dbov: float, rate: int = RATE) -> np.ndarray:
    noise = np.random.default_rng(0).normal(size=round(seconds * rate))
    return (noise * 10 ** (dbov / 20)).astype(np.float32)


def drawn(op: CodedStream, samples: np.ndarray, rate: int = RATE) -> CodedStream:
    return op.draw(np.random.default_rng(1), DrawContext(samples.size, rate))


@pytest.mark.parametrize(("suppression", "by_db"), [("off", 0), ("low", 6), ("moderate", 12), ("high", 18)])
def test_stationary_noise_is_lowered_by_what_the_setting_says(suppression: str, by_db: float) -> None:
    noise = white(5.0, -40.0)
    heard = Webrtc(suppression).apply(noise, RATE)  # type: ignore[arg-type]
    settled = slice(3 * RATE, -RATE // 10)
    assert level_db(noise[settled]) - level_db(heard[settled]) == pytest.approx(by_db, abs=1.0)


def test_the_network_lowers_noise_by_more_than_20_db_and_leaves_speech(voice: np.ndarray) -> None:
    noise = white(3.0, -40.0)
    assert level_db(Rnnoise().apply(noise, RATE)[RATE:-1600]) < level_db(noise) - 20.0
    heard = Rnnoise().apply(voice, RATE)
    assert level_db(heard) == pytest.approx(level_db(voice), abs=1.0)
    assert np.corrcoef(heard, voice)[0, 1] > 0.95  # also says that it is in time


def test_the_gain_comes_up_over_five_seconds_and_down_for_loud_speech() -> None:
    n = np.arange(8 * RATE)
    tone = np.sin(2 * np.pi * 300 * n / RATE) * (1 + 0.9 * np.sin(2 * np.pi * 4 * n / RATE))
    tone /= np.sqrt((tone**2).mean())

    def gains_db(dbov: float) -> list[float]:
        samples = (tone * 10 ** (dbov / 20)).astype(np.float32)
        heard = Webrtc("off", automatic_gain=True).apply(samples, RATE)
        return [level_db(heard[k * RATE :][:RATE]) - level_db(samples[k * RATE :][:RATE]) for k in range(8)]

    quiet, loud = gains_db(-40.0), gains_db(-15.0)
    assert quiet[0] == pytest.approx(7.0, abs=1.0)
    assert quiet[6] == pytest.approx(12.0, abs=1.0)
    assert all(later >= earlier - 0.1 for earlier, later in itertools.pairwise(quiet[:7]))
    assert loud[6] < loud[0] - 3.0


def test_the_high_pass_is_the_one_in_the_library(voice: np.ndarray) -> None:
    """With nothing else on, the library's output is our filter's, to a step or so of 16 bits."""
    off = Webrtc("off")
    assert np.abs(off.apply(voice, RATE) - off.linear_reference(voice, RATE)).max() < 2 / 32768


@pytest.mark.parametrize(
    "op", [Webrtc("high", True), Rnnoise(), CodedStream("opus", fec=True, loss=0.1, lost_frames=(30, 31))]
)
def test_threads_and_processes_give_the_same_bits(op: Processor, voice: np.ndarray) -> None:
    first = op.apply(voice, RATE)
    with ThreadPoolExecutor(3) as threads:
        for heard in threads.map(lambda _: op.apply(voice, RATE), range(3)):
            np.testing.assert_array_equal(heard, first)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        np.testing.assert_array_equal(processes.submit(op.apply, voice, RATE).result(), first)


def test_fec_recovers_a_lost_frame_better_than_concealment(voice: np.ndarray) -> None:
    lost = tuple(range(20, 140, 7))
    streams = [CodedStream("opus", fec=fec, loss=0.15, lost_frames=lost) for fec in (True, False)]
    whole = [CodedStream("opus", fec=op.fec, loss=0.15, lost_frames=()).apply(voice, RATE) for op in streams]
    errors = [float(((op.apply(voice, RATE) - ref) ** 2).mean()) for op, ref in zip(streams, whole)]
    assert errors[0] < 0.25 * errors[1]  # 6 dB at least


@pytest.mark.parametrize("codec", ["opus", "lc3", "amr_nb"])
def test_a_lost_frame_is_concealed_and_changes_those_after_it(codec: str, voice: np.ndarray) -> None:
    size = round(RATE * (0.01 if codec == "lc3" else 0.02))
    levels = np.array([level_db(voice[k : k + size] + 1e-9) for k in range(0, voice.size - size, size)])
    loud = 1 + int(np.argmax(np.minimum(levels[:-1], levels[1:])))  # in a vowel, which concealment can continue
    plain = drawn(CodedStream(codec, lost_frames=()), voice)  # type: ignore[arg-type]
    lossy = drawn(CodedStream(codec, loss=0.1, lost_frames=(loud,)), voice)  # type: ignore[arg-type]
    if codec == "opus":  # the encoder is told what loss to expect: the same for both, so that the packets are
        plain = drawn(CodedStream("opus", loss=0.1, lost_frames=()), voice)
    whole = plain.apply(voice, RATE)
    heard, report = lossy.apply_measured(voice, RATE)
    changed = [
        k
        for k in range(voice.size // size)
        if not np.allclose(whole[k * size :][:size], heard[k * size :][:size], atol=1e-3)
    ]
    assert report["frames_lost"] == 1
    assert report["frames_affected"] > 1
    assert min(changed) >= loud - 1  # nothing before it but the codec's look-ahead and the resampler's ringing
    assert max(changed) > loud
    assert level_db(heard[loud * size :][:size]) > level_db(whole[loud * size :][:size]) - 20.0  # no silence


def test_frames_affected_are_counted_by_energy() -> None:
    whole = np.full(50, 0.1, np.float32)
    heard = whole.copy()
    heard[0:10] += 0.0005  # -46 dB
    heard[10:20] += 0.005  # -26 dB
    heard[45:] = 0.0
    assert frames_affected(whole, heard, 10) == 2
    assert frames_affected(np.zeros(0, np.float32), np.zeros(0, np.float32), 10) == 0


def test_pauses_are_not_sent_with_dtx(voice: np.ndarray) -> None:
    padded = np.concatenate([voice, np.zeros(2 * RATE, np.float32)])
    padded += white(padded.size / RATE, -80.0)  # no microphone is silent
    sent = [
        drawn(CodedStream("opus", dtx=dtx), padded).apply_measured(padded, RATE)[1]["codec_kbit_s"]
        for dtx in (False, True)
    ]
    assert sent[1] < 0.8 * sent[0]


@pytest.mark.parametrize("rate", [24000, 44100])
@pytest.mark.parametrize("name", NEW)
def test_the_new_handsets_hold_their_labels_at_rates_between(name: str, rate: int, voice: np.ndarray) -> None:
    """8 and 48 kHz are those of the op table's contract. Delays were rounded stage by stage once, and added up to a sample at 44.1 kHz."""
    import soxr

    made = Condition(handset=name, noise="pink@0dB").render(soxr.resample(voice, RATE, rate), rate, key=1)
    assert made.measured["delay_samples"] == 0
    assert made.measured["measured_delay_samples"] in (0, None)
    assert made.measured["measured_snr_db"] == pytest.approx(0, abs=0.1)
    assert made.measured["active_level_dbov"] == pytest.approx(-26, abs=0.1)


@pytest.mark.parametrize("snr_db", [10.0, 0.0])
def test_the_snr_behind_a_suppressor_whose_gains_are_known(snr_db: float, voice: np.ndarray) -> None:
    """Gains over time and frequency, made here from the mix, applied to speech and to noise apart: then the truth is known."""
    noise = white(voice.size / RATE, level_db(voice) - snr_db)
    power = np.abs(stft((voice + noise).astype(np.float64), nperseg=400, noverlap=300)[2]) ** 2
    floor = 2.5 * np.percentile(power, 20, axis=1, keepdims=True)
    gains = np.maximum(1 - floor / power, 10 ** (-15 / 20))

    def apply_gains(signal: np.ndarray) -> np.ndarray:
        spectrum = stft(signal.astype(np.float64), nperseg=400, noverlap=300)[2]
        return istft(gains * spectrum, nperseg=400, noverlap=300)[1][: voice.size].astype(np.float32)

    samples, speech_out, noise_out = (apply_gains(part) for part in (voice + noise, voice, noise))
    output = HandsetOutput(samples, speech_out, noise, voice + noise, False, {}, 2 * speech_out - samples)
    parts = separation(output, Stems(voice, voice, noise, None), apply_gains, RATE)
    assert parts is not None
    level_dbov = active_speech_level(speech_out, RATE).level_dbov
    found, reason = parts.snr_db(level_dbov)
    truth_db = level_dbov - level_db(noise_out)
    assert reason is None
    assert found == pytest.approx(truth_db, abs=0.5)
    assert truth_db > snr_db + 3.0  # it did suppress


@pytest.mark.parametrize(("codec_db", "told"), [(-60.0, True), (-46.0, True), (-33.0, False)])
def test_phase_inversion_tells_the_snr_where_gains_are_known(codec_db: float, told: bool, voice: np.ndarray) -> None:
    """Gains in bands of their own, from the mix, and codec noise that is another in each pass: the truth is known."""
    noise = white(voice.size / RATE, level_db(voice) - 5.0)
    passes = iter(range(10))

    def gains(samples: np.ndarray) -> np.ndarray:
        power = np.abs(stft(samples.astype(np.float64), nperseg=400, noverlap=300)[2]) ** 2
        power = uniform_filter1d(power, 15, axis=1)
        return np.maximum(1 - 2.5 * np.percentile(power, 20, axis=1, keepdims=True) / power, 10 ** (-15 / 20))

    def apart(samples: np.ndarray, by: np.ndarray) -> np.ndarray:
        return istft(by * stft(samples.astype(np.float64), nperseg=400, noverlap=300)[2], nperseg=400, noverlap=300)[1]

    def send(samples: np.ndarray) -> np.ndarray:
        codec = np.random.default_rng(100 + next(passes)).standard_normal(samples.size) * 10 ** (codec_db / 20)
        return (apart(samples, gains(samples))[: samples.size] + codec).astype(np.float32)

    stems = Stems(voice, voice, noise, None)
    plus, minus = send(voice + noise), send(voice - noise)
    half = (plus + minus) / 2
    parts = separation(HandsetOutput(plus, half, noise, voice + noise, False, {}, minus), stems, send, RATE)
    assert parts is not None
    found, reason = parts.snr_db(active_speech_level(half, RATE).level_dbov)
    assert (reason is None) == told
    by = gains(voice + noise)
    speech_out, noise_out = (apart(part, by)[: voice.size].astype(np.float32) for part in (voice, noise))
    truth_db = active_speech_level(speech_out, RATE).level_dbov - level_db(noise_out)
    assert found == (pytest.approx(truth_db, abs=1.0) if told else None)


@pytest.mark.parametrize(
    "name", ["smartphone_2026", "laptop_meeting", "earbuds_bluetooth", "earbuds_le_audio", "car_kit"]
)
def test_the_snr_behind_a_phone_is_told_and_better_than_before_it(name: str, voice: np.ndarray) -> None:
    made = Condition(handset=name, noise="pink@0dB").render(voice, RATE, key=0)
    assert made.measured["output_snr_db"] > 4.0


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(packages, "version", version)
    with pytest.raises(RoomtoneError, match=r"op 'rnnoise' needs the package pyrnnoise.*pip install '\.\[phones\]'"):
        Condition(handset="laptop_meeting")
    Condition(handset="gsm")  # what needs nothing is not stopped


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"codec": "opus", "rate_hz": 44100}, "rate_hz 44100 is not one of"),
        ({"codec": "opus", "kbit_s": 24000}, "in bit/s"),
        ({"codec": "amr_nb", "kbit_s": 12.0}, "is not one of"),
        ({"codec": "lc3", "fec": True}, "has no fec"),
        ({"codec": "msbc", "loss": 0.1}, "conceals no lost frame"),
        ({"codec": "opus", "loss": 5}, "in per cent"),
    ],
)
def test_what_a_stream_cannot_be_is_refused_at_load(mapping: dict, message: str) -> None:
    with pytest.raises(RoomtoneError, match=message):
        parse_op({"op": "coded_stream"} | mapping, Processor, where="test")
