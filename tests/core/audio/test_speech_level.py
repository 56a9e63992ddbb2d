"""The speech voltmeter against the ITU-T G.191 reference program's own readings, and against a second implementation.

The readings are `actlev`'s on the same samples. It stops its interpolation within 0.5 dB and we interpolate exactly, which makes
up to 0.03 dB, and 0.7 points of activity with it; on these signals at most 0.03 dB and 0.5 points, hence 0.05 dB and 0.5 points.
One sentence is further off in activity; there the program's own stop is repeated, and its figures come out.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from roomtone.core.audio.speech_level import (
    SILENCE_DBOV,
    SpeechLevel,
    active_speech_level,
    level_curve,
    rms_level_dbov,
)
from roomtone.core.errors import RoomtoneError

LEVEL_TOLERANCE_DB = 0.05
ACTIVITY_TOLERANCE = 0.005
DATA = Path("/usr/share/pocketsphinx/test/data")
CARDS = DATA / "cards"
SENTENCE = DATA / "librivox" / "sense_and_sensibility_01_austen_64kb-0880.wav"
DIGITS = Path(__file__).parents[4] / "shared" / "real" / "digits"


def tone(sample_rate_hz: int, seconds: float = 10.0) -> np.ndarray:
    """Return 16-bit `round(16384 sin(2 pi 1000 t))` as floats."""
    n = np.arange(round(seconds * sample_rate_hz))
    return np.round(16384 * np.sin(2 * np.pi * 1000 * n / sample_rate_hz)) / 32768


def gated(sample_rate_hz: int, on_s: float) -> np.ndarray:
    """Return the tone switched on and off every `on_s` seconds, on first."""
    samples = tone(sample_rate_hz)
    return samples * ((np.arange(samples.size) // round(on_s * sample_rate_hz)) % 2 == 0)


def reference_method_b(samples: np.ndarray, sample_rate_hz: int) -> tuple[float, float]:
    """P.56 method B a second way: two IIR filters over the array, then each threshold by itself."""
    g = np.exp(-1 / (sample_rate_hz * 0.03))
    envelope = np.abs(samples.astype(np.float64))
    for _ in range(2):
        envelope = lfilter([1 - g], [1, -g], envelope)
    hangover = int(np.floor(0.2 * sample_rate_hz + 0.5))
    index = np.arange(samples.size)
    energy = float((samples.astype(np.float64) ** 2).sum())
    margins, levels = [], []
    for threshold in 2.0 ** np.arange(-15, 0):
        last = np.maximum.accumulate(np.where(envelope >= threshold, index, -hangover - 1))
        active = int((index - last <= hangover).sum())
        if active == 0:
            break
        levels.append(10 * np.log10(energy / active))
        margins.append(levels[-1] - 20 * np.log10(threshold) - 15.9)
    level = float(np.interp(0.0, np.array(margins)[::-1], np.array(levels)[::-1]))
    return level, energy / samples.size / 10 ** (level / 10)


@pytest.mark.parametrize(
    ("on_s", "level_dbov", "rms_dbov", "activity"),
    [
        (10.0, -9.021, -9.031, 0.99765),
        (1.0, -10.083, -12.041, 0.63709),
        (2.0, -9.396, -11.249, 0.65260),
        (0.5, -10.979, -12.041, 0.78298),
        (0.1, -12.033, -12.041, 0.99819),
    ],
)
def test_gated_tones_read_as_on_the_reference_voltmeter(
    on_s: float, level_dbov: float, rms_dbov: float, activity: float
) -> None:
    samples = gated(16000, on_s)
    measured = active_speech_level(samples, 16000)
    assert measured.level_dbov == pytest.approx(level_dbov, abs=LEVEL_TOLERANCE_DB)
    assert measured.activity == pytest.approx(activity, abs=ACTIVITY_TOLERANCE)
    assert rms_level_dbov(samples) == pytest.approx(rms_dbov, abs=0.001)


def test_a_tone_in_the_first_two_of_ten_seconds() -> None:
    samples = tone(16000)
    samples[2 * 16000 :] = 0
    measured = active_speech_level(samples, 16000)
    assert measured.level_dbov == pytest.approx(-9.589, abs=LEVEL_TOLERANCE_DB)
    assert measured.activity == pytest.approx(0.22742, abs=ACTIVITY_TOLERANCE)
    assert rms_level_dbov(samples) == pytest.approx(-16.021, abs=0.001)


@pytest.mark.parametrize("sample_rate_hz", [8000, 16000, 48000])
@pytest.mark.parametrize(
    ("on_s", "level_dbov", "activity"), [(1.0, -10.083, 0.63709), (2.0, -9.396, 0.65260), (0.5, -10.979, 0.78298)]
)
def test_the_rate_moves_nothing_when_the_sound_is_the_same(
    sample_rate_hz: int, on_s: float, level_dbov: float, activity: float
) -> None:
    """All constants of the method are in seconds, so the 16 kHz readings hold at any rate."""
    measured = active_speech_level(gated(sample_rate_hz, on_s), sample_rate_hz)
    assert measured.level_dbov == pytest.approx(level_dbov, abs=LEVEL_TOLERANCE_DB)
    assert measured.activity == pytest.approx(activity, abs=ACTIVITY_TOLERANCE)


@pytest.mark.skipif(not CARDS.is_dir(), reason="Debian's pocketsphinx-testdata is not installed")
@pytest.mark.parametrize(
    ("name", "level_dbov", "activity"),
    [("001.wav", -18.834, 0.80568), ("002.wav", -18.551, 0.90314), ("003.wav", -19.931, 0.90139)],
)
def test_recorded_speech_reads_as_on_the_reference_voltmeter(name: str, level_dbov: float, activity: float) -> None:
    import soundfile

    samples, sample_rate_hz = soundfile.read(CARDS / name, dtype="float32")
    measured = active_speech_level(samples, sample_rate_hz)
    assert measured.level_dbov == pytest.approx(level_dbov, abs=LEVEL_TOLERANCE_DB)
    assert measured.activity == pytest.approx(activity, abs=ACTIVITY_TOLERANCE)


def levels_by_threshold(samples: np.ndarray, sample_rate_hz: int) -> list[tuple[float, float]]:
    """(level, threshold) in dB for each of the method's thresholds, by two IIR filters over the array."""
    g = np.exp(-1 / (sample_rate_hz * 0.03))
    envelope = lfilter([1 - g], [1, -g], lfilter([1 - g], [1, -g], np.abs(samples)))
    hangover, index = int(0.2 * sample_rate_hz + 0.5), np.arange(samples.size)
    found = []
    for threshold in 2.0 ** np.arange(-15, 0):
        last = np.maximum.accumulate(np.where(envelope >= threshold, index, -hangover - 1))
        active = int((index - last <= hangover).sum())
        found.append((10 * np.log10((samples**2).sum() / max(active, 1)), 20 * np.log10(threshold)))
    return found


def actlev_interpolation(upper: tuple[float, float], lower: tuple[float, float]) -> float:
    """G.191's `bin_interp` (recalled): halves towards the margin of 15.9 dB and stops within 0.5 dB, also at the ends themselves."""
    for level, threshold in (upper, lower):
        if abs(level - threshold - 15.9) < 0.5:
            return level
    middle = ((upper[0] + lower[0]) / 2, (upper[1] + lower[1]) / 2)
    while abs(off := middle[0] - middle[1] - 15.9) > 0.5:
        end = upper if off > 0 else lower
        middle = ((middle[0] + end[0]) / 2, (middle[1] + end[1]) / 2)
    return middle[0]


@pytest.mark.skipif(not SENTENCE.is_file(), reason="Debian's pocketsphinx-testdata is not installed")
def test_why_the_itu_program_reads_one_sentence_half_a_point_apart() -> None:
    """ITU's tool: -26.671 dBov and 90.251 %; we: -26.698 dBov and 90.82 %.

    At one threshold the level lies 0.43 dB from the margin, so the program takes that level as it is. Exactly interpolated it is
    0.0275 dB lower; activity is long-term over active power, so 0.0275 dB are 0.57 points.
    """
    import soundfile

    samples, rate = soundfile.read(SENTENCE)
    table = levels_by_threshold(samples, rate)
    at = next(j for j, (level, threshold) in enumerate(table) if level - threshold <= 15.9)
    stopped = actlev_interpolation(table[at], table[at - 1])
    long_term = 10 * np.log10((samples**2).mean())
    assert stopped == pytest.approx(-26.671, abs=0.001)
    assert 100 * 10 ** ((long_term - stopped) / 10) == pytest.approx(90.251, abs=0.005)
    (high, high_threshold), (low, low_threshold) = table[at - 1], table[at]
    before, after = high - high_threshold - 15.9, low - low_threshold - 15.9
    exact = high + before / (before - after) * (low - high)
    ours = active_speech_level(samples, rate)
    assert ours.level_dbov == pytest.approx(exact, abs=1e-6)
    assert ours.level_dbov - stopped == pytest.approx(-0.0275, abs=0.002)
    assert 100 * ours.activity == pytest.approx(90.251 * 10 ** (0.0275 / 10), abs=0.02)


def test_the_curve_reads_at_each_gain_what_the_voltmeter_reads() -> None:
    samples = gated(16000, 0.1)[:20000] * np.linspace(0.02, 1.0, 20000)
    curve = level_curve(samples, 16000)
    assert curve is not None
    for step in (0, 1, 17, 40, 63):
        gain_db = step * 20 * np.log10(2.0) / 64
        read = active_speech_level(samples * 10 ** (gain_db / 20), 16000).level_dbov
        assert curve.offsets_db[step] + gain_db == pytest.approx(read, abs=1e-6)


@pytest.mark.skipif(not DIGITS.is_dir(), reason="the real input is not at hand")
def test_one_gain_brings_each_real_word_to_its_level() -> None:
    """P.56 reads some of these words up to 0.4 dB differently with gain; scaled by the difference alone they miss their level."""
    import soundfile

    spreads, misses = [], []
    paths = sorted(DIGITS.glob("*.wav"))
    assert len(paths) == 60
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        curve = level_curve(samples, rate)
        assert curve is not None
        gain = np.float32(10 ** (curve.gain_db(-26.0) / 20))
        misses.append(abs(active_speech_level(samples * gain, rate).level_dbov + 26.0))
        spreads.append(curve.spread_db)
    assert max(misses) < 0.01
    assert 0.3 < max(spreads) < 0.5


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), seconds=st.floats(0.3, 1.0), level_db=st.floats(-60, 0))
def test_if_any_gain_brings_a_signal_to_its_level_one_is_found(seed: int, seconds: float, level_db: float) -> None:
    """Words, clicks and onsets before silence: held against a search in steps of 0.02 dB over 12 dB around the answer."""
    rng = np.random.default_rng(seed)
    size = int(8000 * seconds)
    gate = np.repeat(rng.random(size // 200 + 1) < 0.4, 200)[:size]
    samples = rng.normal(size=size) * gate * np.exp(rng.normal(size=size // 400 + 1).repeat(400)[:size])
    samples[rng.integers(0, size)] += 20.0
    samples *= 10 ** (level_db / 20)
    curve = level_curve(samples, 8000)
    assert curve is not None
    gain_db = curve.gain_db(-26.0)
    miss = abs(active_speech_level(samples * 10 ** (gain_db / 20), 8000).level_dbov + 26.0)
    tried = gain_db + np.arange(-6.0, 6.0, 0.02)
    least = min(abs(active_speech_level(samples * 10 ** (g / 20), 8000).level_dbov + 26.0) for g in tried)
    # the curve takes up to two of its steps (0.094 dB each) for a straight line, which the reading need not be, and ends on one
    assert miss <= least + 0.29


@pytest.mark.parametrize("samples", [np.zeros(16000), np.zeros(0)])
def test_silence_has_no_curve(samples: np.ndarray) -> None:
    assert level_curve(samples, 16000) is None


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    level_db=st.floats(-45, 0),
    pause=st.floats(0.02, 1.5),
    rate=st.sampled_from([8000, 16000, 48000]),
)
def test_the_one_pass_loop_agrees_with_a_second_implementation(
    seed: int, level_db: float, pause: float, rate: int
) -> None:
    rng = np.random.default_rng(seed)
    gate = (np.arange(2 * rate) / rate % (2 * pause)) < pause
    samples = np.clip(rng.normal(size=2 * rate) * 10 ** (level_db / 20) * gate * 0.3, -1, 1)
    level_dbov, activity = reference_method_b(samples, rate)
    measured = active_speech_level(samples, rate)
    assert measured.level_dbov == pytest.approx(level_dbov, abs=1e-6)
    assert measured.activity == pytest.approx(activity, abs=1e-6)


@given(gain_db=st.floats(-20, 5))
@settings(max_examples=20, deadline=None)
def test_a_gain_moves_the_level_by_itself(gain_db: float) -> None:
    """Interpolated on a grid of 6 dB thresholds, so not exactly: within 0.1 dB here."""
    samples = gated(16000, 0.5)
    moved = active_speech_level(samples * 10 ** (gain_db / 20), 16000).level_dbov
    assert moved - active_speech_level(samples, 16000).level_dbov == pytest.approx(gain_db, abs=0.1)


@pytest.mark.parametrize("samples", [np.zeros(16000), np.zeros(0), np.full(16000, 1e-6), np.zeros(1, np.float32)])
def test_silence_is_minus_100_and_never_active(samples: np.ndarray) -> None:
    assert active_speech_level(samples, 16000) == SpeechLevel(SILENCE_DBOV, 0.0)


def test_rms_of_silence_and_of_known_signals() -> None:
    assert rms_level_dbov(np.zeros(100)) == SILENCE_DBOV
    assert rms_level_dbov(np.zeros(0)) == SILENCE_DBOV
    assert rms_level_dbov(np.full(100, -1.0)) == pytest.approx(0.0, abs=1e-12)


def test_a_click_is_louder_than_its_envelope_and_still_has_a_level() -> None:
    click = np.zeros(16000)
    click[8000] = 1.0
    measured = active_speech_level(click, 16000)
    assert -60 < measured.level_dbov < -30
    assert 0 < measured.activity < 1


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros((2, 100)), "one channel"),
        (np.zeros(100, np.int16), "divide by 32768"),
        (np.array([0.1, np.nan] * 50), "NaN"),
        (np.array([0.1, np.inf] * 50), "NaN or infinite"),
    ],
)
def test_what_is_no_mono_finite_float_signal_is_refused(samples: np.ndarray, message: str) -> None:
    with pytest.raises(RoomtoneError, match=message):
        active_speech_level(samples, 16000)
    with pytest.raises(RoomtoneError, match=message):
        rms_level_dbov(samples)


def test_four_seconds_cost_less_than_two_milliseconds() -> None:
    samples = gated(16000, 0.5)[:64000].astype(np.float32)
    active_speech_level(samples, 16000)
    best = min(_seconds(samples) for _ in range(20))
    assert best < 0.002


def _seconds(samples: np.ndarray) -> float:
    start = time.perf_counter()
    active_speech_level(samples, 16000)
    return time.perf_counter() - start
